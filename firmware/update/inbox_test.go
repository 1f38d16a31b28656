package update

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/sim/powercut"
	"swipewell/firmware/update/bundle"
)

// TestInbox sends a bundle in pieces, with pulled cables (what was not synced is
// lost and the device starts again), repeats and gaps.
func TestInbox(t *testing.T) {
	file := bundled(t, 2)
	sum := bundle.Sum(sha256.Sum256(file))
	rapid.Check(t, func(rt *rapid.T) {
		w := factory(t, false)
		w.files["in"] = nil
		dev := w.at(A)
		in := NewInbox(dev, medium{w, "in"}, 1<<20)
		off, err := in.Begin(int64(len(file)), sum)
		if err != nil {
			rt.Fatal(err)
		}
		for done := false; !done; {
			switch rapid.IntRange(0, 9).Draw(rt, "fault") {
			case 0: // power
				in = NewInbox(dev, medium{w, "in"}, 1<<20)
				if off, err = in.Begin(int64(len(file)), sum); err != nil {
					rt.Fatal(err)
				}
			case 1: // a gap
				if next, _, err := in.Put(off+1, []byte{1}); err != nil || next != off {
					rt.Fatal(next, err)
				}
			case 2: // sent twice
				if off > 0 {
					if next, _, err := in.Put(off-1, file[off-1:off]); err != nil || next != off {
						rt.Fatal(next, err)
					}
				}
			}
			n := min(int64(rapid.IntRange(1, 40_000).Draw(rt, "n")), int64(len(file))-off)
			if off, done, err = in.Put(off, file[off:off+n]); err != nil {
				rt.Fatal(err)
			}
		}
		if err := dev.Try(); err != nil {
			rt.Fatal(err)
		}
	})
}

// TestInboxKeeps: a resumed upload goes on from the last sync, not from the start;
// after a power cut, too, that leaves nothing of what was not synced.
func TestInboxKeeps(t *testing.T) {
	w := factory(t, false)
	w.files["in"] = nil
	w.ops = append(w.ops, powercut.Op{Kind: powercut.OpCreate, Path: "in"}, powercut.Op{Kind: powercut.OpSyncDir, Path: "."})
	file := bytes.Repeat([]byte{9}, 300_000)
	copy(file, bundled(t, 2)[:3000])
	in := NewInbox(w.at(A), medium{w, "in"}, 1<<20)
	sum := bundle.Sum(sha256.Sum256(file))
	_, err := in.Begin(int64(len(file)), sum)
	ok(t, err)
	for off := int64(0); off < 200_000; off += 1000 {
		_, _, err := in.Put(off, file[off:off+1000])
		ok(t, err)
	}
	if n := NewInbox(w.at(A), medium{w, "in"}, 1<<20).Have(int64(len(file)), sum); n < 200_000-syncEvery-1000 {
		t.Errorf("%d of 200000 bytes are kept", n)
	}
	d := powercut.NewDisk()
	for _, op := range w.ops {
		d.Do(op)
	}
	cut := &world{files: d.Image(rand.New(rand.NewPCG(1, 1)), powercut.None)}
	in = NewInbox(cut.at(A), medium{cut, "in"}, 1<<20)
	if n := in.Have(int64(len(file)), sum); n < 200_000-syncEvery-1000 {
		t.Errorf("%d of 200000 bytes are kept over a power cut", n)
	}
	var told []Event
	in.Tell = func(e Event) { told = append(told, e) }
	if _, err := in.Begin(int64(len(file)), sum); err != nil || len(told) != 1 || told[0].What != Resumed || told[0].Version != version(2) {
		t.Errorf("%v %+v", err, told)
	}
	if n := in.Have(int64(len(file)), bundle.Sum{1}); n != 0 {
		t.Errorf("another bundle goes on from %d", n)
	}
	syncs := 0
	for _, op := range w.ops {
		if op.Kind == powercut.OpSync && op.Path == "in" {
			syncs++
		}
	}
	if syncs > 8 {
		t.Errorf("%d syncs for 200 kB", syncs)
	}
}

func TestInboxRefusesEarly(t *testing.T) {
	for _, c := range []struct {
		name string
		file []byte
		want Reason
	}{
		{"another board", bundled(t, 2, func(o *bundle.Opts) { o.Board = "other" }), WrongBoard},
		{"no bundle", bytes.Repeat([]byte("text "), 4000), NotABundle},
	} {
		w := factory(t, false)
		w.files["in"] = nil
		in := NewInbox(w.at(A), medium{w, "in"}, 1<<20)
		_, err := in.Begin(int64(len(c.file)), bundle.Sum{})
		ok(t, err)
		sent := 0
		for off := int64(0); err == nil && off < int64(len(c.file)); sent++ {
			off, _, err = in.Put(off, c.file[off:min(off+500, int64(len(c.file)))])
		}
		var r *Refusal
		if !errors.As(err, &r) || r.Reason != c.want || sent > 4 {
			t.Errorf("%s: after %d pieces: %v", c.name, sent, err)
		}
	}
	w := factory(t, false)
	w.files["in"] = nil
	in := NewInbox(w.at(A), medium{w, "in"}, 1<<20)
	if _, err := in.Begin(1<<21, bundle.Sum{}); err == nil {
		t.Error("a bundle larger than the inbox")
	}
	ok(t, in.Claim("one"))
	if err := in.Claim("two"); err == nil {
		t.Error("two technicians at a time")
	}
	in.Release("one")
	ok(t, in.Claim("two"))
}
