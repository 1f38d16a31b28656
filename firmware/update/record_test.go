package update

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/update/bundle"
)

func anyVersion(t *rapid.T) bundle.Version {
	return bundle.Version{Major: rapid.Uint16().Draw(t, "major"), Minor: rapid.Uint16().Draw(t, "minor"), Patch: rapid.Uint16().Draw(t, "patch")}
}

func anyRecord(t *rapid.T) Record {
	r := Record{Counter: rapid.Uint64Max(1<<62).Draw(t, "counter"), Left: [2]int{rapid.IntRange(0, 9).Draw(t, "a"), rapid.IntRange(0, 9).Draw(t, "b")},
		Confirmed: Slot(rapid.IntRange(-1, 1).Draw(t, "confirmed")), Trial: Slot(rapid.IntRange(-1, 1).Draw(t, "trial")), Floor: anyVersion(t),
		Order: rapid.SampledFrom([][]Slot{nil, {A}, {B}, {A, B}, {B, A}}).Draw(t, "order")}
	for i := range r.Images {
		if rapid.Bool().Draw(t, "image") {
			r.Images[i] = Image{Version: anyVersion(t), Floor: anyVersion(t), Size: rapid.Int64Range(1, bundle.MaxImage).Draw(t, "size"), Schemas: bundle.Schemas{Lo: 1, Hi: rapid.Uint16().Draw(t, "hi")}}
			copy(r.Images[i].Sum[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "sum"))
		}
	}
	return r
}

func TestRecordBothForms(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := anyRecord(rt)
		env, err := AppendEnv(r, 4096)
		if err != nil {
			rt.Fatal(err)
		}
		text, err := AppendText(r)
		if err != nil {
			rt.Fatal(err)
		}
		for name, f := range map[string]func() (Record, error){"env": func() (Record, error) { return ParseEnv(env) }, "text": func() (Record, error) { return ParseText(text) }} {
			if got, err := f(); err != nil || !reflect.DeepEqual(got, r) {
				rt.Fatalf("%s: %+v %v, want %+v", name, got, err, r)
			}
		}
		bit := byte(1) << rapid.IntRange(0, 7).Draw(rt, "bit")
		at := rapid.IntRange(0, len(env)-1).Draw(rt, "at")
		env[at] ^= bit
		if _, err := ParseEnv(env); !errors.Is(err, ErrRecord) {
			rt.Fatalf("byte %d of the environment does not matter", at)
		}
		at = rapid.IntRange(0, bytes.LastIndex(text, []byte("cksum"))).Draw(rt, "at")
		text[at] ^= bit
		if _, err := ParseText(text); !errors.Is(err, ErrRecord) {
			rt.Fatalf("byte %d of the text does not matter: %s", at, text)
		}
	})
}

// TestNeverGoesBack: two saves, each cut after any byte, leave the record in
// force or the one that was being saved, never one before.
func TestNeverGoesBack(t *testing.T) {
	for name, uboot := range map[string]bool{"plain": false, "u-boot": true} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				w := factory(t, uboot)
				for range 2 {
					was, err := w.port().Load()
					if err != nil {
						rt.Fatal(err)
					}
					next := was.clone()
					next.Left[A] = rapid.IntRange(0, 9).Draw(rt, "left")
					try := &world{files: map[string][]byte{}, uboot: uboot}
					for k, v := range w.files {
						try.files[k] = bytes.Clone(v)
					}
					if err := try.port().Save(next); err != nil {
						rt.Fatal(err)
					}
					cut := rapid.IntRange(0, len(try.ops)-1).Draw(rt, "op")
					for i, op := range try.ops[:cut+1] {
						if i == cut {
							op.Data = op.Data[:rapid.IntRange(0, len(op.Data)).Draw(rt, "byte")]
						}
						copy(w.files[op.Path][op.Off:], op.Data)
					}
					got, err := w.port().Load()
					if err != nil || got.Counter != was.Counter && got.Counter != was.Counter+1 {
						rt.Fatalf("counter %d, then %d: %v", was.Counter, got.Counter, err)
					}
				}
			})
		})
	}
}

// A loader's script has words of its own beside ours.
func TestForeignWords(t *testing.T) {
	if _, err := parseWords(append(First(Image{Size: 1}).words(), "bootdelay=0")); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	r := First(Image{Size: 5, Version: bundle.Version{Major: 1}})
	env, _ := AppendEnv(r, 512)
	text, _ := AppendText(r)
	f.Add(env)
	f.Add(text)
	f.Add([]byte(strings.Join(r.words(), "\n")))
	f.Fuzz(func(t *testing.T, b []byte) {
		ParseEnv(b)
		ParseText(b)
		if r, err := parseWords(strings.Split(string(b), "\n")); err == nil {
			if again, err := parseWords(r.words()); err != nil || !reflect.DeepEqual(again, r) {
				t.Fatalf("%+v %+v %v", r, again, err)
			}
			r.Boot()
		}
	})
}

// TestCksum against the utility.
func TestCksum(t *testing.T) {
	if cksum([]byte("123456789")) != 930766865 || cksum(nil) != 4294967295 {
		t.Error(cksum([]byte("123456789")), cksum(nil))
	}
}

// TestBootsel: the script and Record.Boot choose alike, take the same try, and
// write what both read.
func TestBootsel(t *testing.T) {
	script, err := filepath.Abs("../../scripts/bootsel")
	if err != nil {
		t.Fatal(err)
	}
	slots, images := [2][]byte{}, [2]Image{}
	for i, s := range []string{"a", "b"} {
		slots[i] = []byte("#!/bin/sh\necho started " + s + " $SWIPEWELL_SLOT \"$@\"\n")
		images[i] = Image{Size: int64(len(slots[i])), Sum: sha256.Sum256(slots[i]), Version: bundle.Version{Major: 1}}
	}
	start := func(n int, order []Slot, a, b int) Record {
		return Record{Counter: uint64(n), Order: order, Left: [2]int{a, b}, Trial: None, Images: images}
	}
	bare := start(5, []Slot{A, B}, 0, 0)
	bare.Confirmed = None
	for _, c := range []struct {
		name   string
		copies [3]*Record
		torn   int // copy, 1 to 3
	}{
		{"one slot", [3]*Record{ptr(start(5, []Slot{A}, 3, 0)), nil}, 0},
		{"a trial", [3]*Record{ptr(start(5, []Slot{A}, 3, 0)), ptr(start(6, []Slot{B, A}, 3, 3))}, 0},
		{"the trial is used up", [3]*Record{ptr(start(9, []Slot{B, A}, 2, 0)), ptr(start(8, []Slot{B, A}, 3, 1))}, 0},
		{"the newest is torn", [3]*Record{ptr(start(5, []Slot{A}, 3, 0)), ptr(start(6, []Slot{B, A}, 3, 3))}, 2},
		{"the older is torn", [3]*Record{ptr(start(5, []Slot{A}, 3, 0)), ptr(start(16, []Slot{B, A}, 3, 3))}, 1},
		{"nothing was ever confirmed", [3]*Record{&bare, nil}, 0},
		{"nothing left", [3]*Record{ptr(start(5, []Slot{A, B}, 0, 0)), nil}, 0},
		{"both torn", [3]*Record{ptr(start(5, []Slot{A}, 3, 0)), nil}, 1},
		{"both torn, and there is a kept one", [3]*Record{ptr(start(5, []Slot{A}, 3, 0)), nil, ptr(start(4, []Slot{B, A}, 3, 3))}, 1},
		{"a copy is there, and one is kept", [3]*Record{nil, ptr(start(5, []Slot{A}, 3, 0)), ptr(start(4, []Slot{B, A}, 3, 3))}, 0},
		{"nothing but the kept one", [3]*Record{nil, nil, ptr(start(4, []Slot{B, A}, 3, 3))}, 0},
		{"none is whole", [3]*Record{nil, nil, ptr(start(4, []Slot{B, A}, 3, 3))}, 3},
	} {
		dir := t.TempDir()
		var p Plain
		for i, r := range c.copies {
			name := filepath.Join(dir, fmt.Sprint("boot.", i))
			var b []byte
			if r != nil {
				b, _ = AppendText(*r)
			}
			if c.torn == i+1 {
				b[20]++
			}
			ok(t, os.WriteFile(name, b, 0o600))
			f, err := os.OpenFile(name, os.O_RDWR, 0)
			ok(t, err)
			defer f.Close()
			if i == 2 {
				p.Kept = f
			} else {
				p.Copies[i] = f
			}
		}
		for i, s := range []string{"a", "b"} { // a slot is larger than its build
			ok(t, os.WriteFile(filepath.Join(dir, "slot."+s), append(slots[i], "exit 1 of the build before"...), 0o700))
		}
		was, err := p.Load()
		want, after := None, was
		if err == nil {
			want, after = was.Boot()
		}
		out, _ := exec.Command("/bin/sh", script, dir, "--board", "x").CombinedOutput()
		if want == None {
			if !strings.Contains(string(out), "bootsel: no ") {
				t.Errorf("%s: %s", c.name, out)
			}
			continue
		}
		if line := "started " + strings.ToLower(want.String()) + " " + want.String() + " --board x\n"; !strings.HasSuffix(string(out), line) || strings.Contains(string(out), "boot.2") != strings.HasSuffix(c.name, "kept one") {
			t.Errorf("%s: %q, want %q", c.name, out, line)
		}
		if !reflect.DeepEqual(after, was) { // a try was taken, and that was saved
			after.Counter++
		}
		if got, err := p.Load(); err != nil || !reflect.DeepEqual(got, after) {
			t.Errorf("%s: %+v %v, want %+v", c.name, got, err, after)
		}
	}
}

// TestBootselRot: a slot that does not hold its build is not started. Each look at it is one of its tries.
func TestBootselRot(t *testing.T) {
	script, err := filepath.Abs("../../scripts/bootsel")
	ok(t, err)
	good := []byte("#!/bin/sh\necho started $SWIPEWELL_SLOT\n")
	image := Image{Size: int64(len(good)), Sum: sha256.Sum256(good), Version: bundle.Version{Major: 1}}
	for _, c := range []struct {
		name   string
		rotten string
		want   string
		left   [2]int
	}{
		{"the trial", "b", "started A\n", [2]int{2, 0}},
		{"none", "", "started B\n", [2]int{3, 2}},
		{"both", "ab", "bootsel: no slot has a try left\n", [2]int{0, 0}},
	} {
		dir := t.TempDir()
		b, err := AppendText(Record{Counter: 5, Order: []Slot{B, A}, Left: [2]int{3, 3}, Confirmed: A, Trial: B, Images: [2]Image{image, image}})
		ok(t, err)
		ok(t, os.WriteFile(filepath.Join(dir, "boot.0"), b, 0o600))
		for _, s := range []string{"a", "b"} {
			body := bytes.Clone(good)
			if strings.Contains(c.rotten, s) {
				body[12]++
			}
			ok(t, os.WriteFile(filepath.Join(dir, "slot."+s), body, 0o700))
		}
		out, _ := exec.Command("/bin/sh", script, dir).CombinedOutput()
		if !strings.HasSuffix(string(out), c.want) || strings.Count(string(out), "does not hold") != map[string]int{"": 0, "b": 3, "ab": 7}[c.rotten] {
			t.Errorf("%s: %s", c.name, out)
		}
		var p Plain
		for i, name := range []string{"boot.0", "boot.1"} {
			f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0)
			ok(t, err)
			defer f.Close()
			p.Copies[i] = f
		}
		if r, err := p.Load(); err != nil || r.Left != c.left {
			t.Errorf("%s: %+v %v", c.name, r.Left, err)
		}
	}
}

func ptr(r Record) *Record { return &r }
