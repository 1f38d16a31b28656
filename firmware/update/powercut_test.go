package update

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"swipewell/firmware/sim/powercut"
)

// life is all that can happen to a device: a failed trial with its rollback, a
// confirmed one, and the way back into the first slot.
func life(t testing.TB, w *world) {
	w.boots(t, A, Settled)
	w.install(t, A, 2)
	for range Tries {
		w.boots(t, B, Trying)
	}
	w.boots(t, A, RolledBack)
	ok(t, w.at(A).Confirm())
	w.install(t, A, 2)
	w.boots(t, B, Trying)
	ok(t, w.at(B).Confirm())
	w.install(t, B, 3)
	w.boots(t, A, Trying)
	ok(t, w.at(A).Confirm())
}

// survives: the device boots a verified build, and an update then goes through.
func survives(w *world, t testing.TB, whole bool) error {
	s, err := w.boot()
	if err != nil {
		return err
	}
	state, image, err := w.at(s).Started()
	if err != nil {
		return err
	}
	if !whole {
		return nil
	}
	if state != Trying {
		if err := w.at(s).Confirm(); err != nil {
			return err
		}
		next := int(image.Version.Minor) + 1
		if state == RolledBack || next > 3 {
			return nil
		}
		if _, err := w.at(s).Install(bytes.NewReader(bundled(t, next))); err != nil {
			return err
		}
		if err := w.at(s).Try(); err != nil {
			return err
		}
		was := s
		if s, err = w.boot(); err != nil || s == was {
			return fmt.Errorf("slot %v: %v", s, err)
		}
	}
	return w.at(s).Confirm()
}

// TestPowerCut cuts a device's life after each write and sync, in each way that a
// disk may lose what was not synced.
func TestPowerCut(t *testing.T) {
	for name, uboot := range map[string]bool{"plain": false, "u-boot": true} {
		t.Run(name, func(t *testing.T) {
			w := factory(t, uboot)
			start := len(w.ops)
			life(t, w)
			d, images := powercut.NewDisk(), 0
			for n, op := range w.ops {
				d.Do(op)
				if n+1 < start {
					continue
				}
				for k := range 36 {
					style := powercut.Style(k % int(powercut.Torn+1))
					if k >= 6 && style < powercut.Prefix {
						style = powercut.Torn
					}
					image := d.Image(rand.New(rand.NewPCG(uint64(n), uint64(k))), style)
					images++
					cut := &world{files: image, uboot: uboot}
					if err := survives(cut, t, k%12 == 5); err != nil {
						t.Fatalf("cut after op %d (%d %s), style %d: %v", n, op.Kind, op.Path, style, err)
					}
				}
			}
			t.Logf("%d ops, %d images", len(w.ops)-start, images)
			if images < 1000 {
				t.Errorf("%d images are few", images)
			}
		})
	}
}

// TestEveryByte tears each write of the record after each of its bytes.
func TestEveryByte(t *testing.T) {
	for name, uboot := range map[string]bool{"plain": false, "u-boot": true} {
		t.Run(name, func(t *testing.T) {
			w := factory(t, uboot)
			start := len(w.ops)
			life(t, w)
			files, points := map[string][]byte{}, 0
			for n, op := range w.ops {
				if op.Kind != powercut.OpWrite {
					continue
				}
				b := files[op.Path]
				if end := int(op.Off) + len(op.Data); len(b) < end {
					b = append(b, make([]byte, end-len(b))...)
				}
				files[op.Path] = b
				if n >= start && op.Path != "a" && op.Path != "b" {
					for k := range op.Data {
						b[int(op.Off)+k] = op.Data[k]
						points++
						cut := &world{files: maps.Clone(files), uboot: uboot}
						r, err := cut.port().Load()
						if err != nil {
							t.Fatalf("op %d, byte %d: %v", n, k, err)
						}
						if s, _ := r.Boot(); s == None || r.Images[s].Size == 0 {
							t.Fatalf("op %d, byte %d: %+v boots nothing", n, k, r)
						}
					}
				}
				copy(b[op.Off:], op.Data)
			}
			t.Logf("%d points", points)
		})
	}
}

// TestBothCopiesLost damages both copies of the record at any moment of a life:
// the device starts what was confirmed last, and can be updated.
func TestBothCopiesLost(t *testing.T) {
	for name, uboot := range map[string]bool{"plain": false, "u-boot": true} {
		t.Run(name, func(t *testing.T) {
			w := factory(t, uboot)
			start := len(w.ops)
			life(t, w)
			d, images, slots := powercut.NewDisk(), 0, map[Slot]int{}
			for n, op := range w.ops {
				d.Do(op)
				if n+1 < start {
					continue
				}
				now := d.Image(rand.New(rand.NewPCG(uint64(n), 0)), powercut.All)
				r, err := (&world{files: now, uboot: uboot}).port().Load()
				ok(t, err)
				for _, f := range []string{"boot.0", "boot.1"} {
					now[f] = bytes.Repeat([]byte{0xFF}, 100)
				}
				if uboot {
					copy(now["env"], bytes.Repeat([]byte{0xFF}, 2048))
				}
				cut := &world{files: now, uboot: uboot}
				k, err := cut.port().Load()
				ok(t, err)
				if was := k.Confirmed; was != r.Confirmed && op.Path != "env" && op.Path != "boot.0" && op.Path != "boot.1" {
					t.Fatalf("op %d %s: slot %v is confirmed, and %v is kept", n, op.Path, r.Confirmed, was)
				}
				slots[k.Confirmed]++
				images++
				if err := survives(cut, t, images%12 == 5); err != nil {
					t.Fatalf("op %d (%d %s): %v", n, op.Kind, op.Path, err)
				}
			}
			t.Logf("%d images: %v", images, slots)
			if slots[A] == 0 || slots[B] == 0 {
				t.Errorf("only one slot was ever kept: %v", slots)
			}
		})
	}
}

// TestLyingDisk is the control: on a disk that forgets synced writes to a slot,
// the harness finds a build that is not whole.
func TestLyingDisk(t *testing.T) {
	w := factory(t, false)
	w.install(t, A, 2)
	w.files["b"][33] ^= 1
	if err := survives(w, t, false); err == nil {
		t.Error("a damaged slot passes")
	}
}
