package flash_test

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"swipewell/firmware/flash"
	"swipewell/firmware/sim/flashsim"
	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/flashwire"
	"swipewell/firmware/update/updatesim"
)

const block = 1 << 16

// slot is like a FIT: a kernel that stays, and a program that does not.
func slot(program uint64) []byte { return append(noise(5*block, 20), noise(2*block+999, program)...) }

// byBlock is a bundle of slot(2) without a delta from anything that devices run.
var byBlock = sync.OnceValues(func() (*bundle.Bundle, error) {
	return updatesim.Make(slot(2), bundle.Opts{Version: bundle.Version{Major: 2}, ByBlock: true})
})

// newBlocksBench is a terminal that runs slot(1).
func newBlocksBench(t *testing.T, set func(*flashsim.Opts)) *bench {
	t.Helper()
	slots, err := updatesim.New(slot(1), slotSize, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := newBench(t, func(o *flashsim.Opts) {
		o.Slots = slots
		if set != nil {
			set(o)
		}
	})
	b, err := byBlock()
	if err != nil {
		t.Fatal(err)
	}
	x.o.Bundle = b
	return x
}

// sizes are of the files that b may be sent as.
func sizes(b *bundle.Bundle, missing bundle.Set) (blocks, whole int64) {
	for i, p := range b.Manifest.Payloads {
		switch p.Kind {
		case bundle.Blocks:
			blocks = int64(len(b.Slim(i, missing)))
		case bundle.Whole:
			whole = int64(len(b.File(i)))
		}
	}
	return blocks, whole
}

// TestBlocks: a terminal whose build is no base of a delta is sent what differs.
func TestBlocks(t *testing.T) {
	t.Parallel()
	x := newBlocksBench(t, func(o *flashsim.Opts) { o.Chatter = true })
	want, whole := sizes(x.o.Bundle, bundle.Set{0b1110_0000})
	if want*2 > whole {
		t.Fatalf("%d bytes of %d: nothing to save", want, whole)
	}
	dry := x.o
	dry.DryRun = true
	r := flash.Run(t.Context(), dry, []flash.Found{x.port})[0]
	x.want(r, flash.WouldSend, slot(1))
	if r.Sent != flash.Blocks || r.Bytes != want || !strings.Contains(r.Text, "would send blocks") || r.Line > 200 {
		t.Errorf("a dry run: %+v", r)
	}
	r = x.run()
	x.want(r, flash.Confirmed, slot(2))
	if r.Sent != flash.Blocks || r.Bytes != want || r.Line > want*102/100+20*300 || r.Breaks != 0 {
		t.Errorf("%d bytes wanted: %+v", want, r)
	}
	if n := x.term.Notes(); len(n) != 1 || n[0].Sent != "blocks" || n[0].Bytes != want {
		t.Errorf("%+v", n)
	}
	if saved := x.said[len(x.said)-1].Saved; saved != x.o.Bundle.Manifest.Size-want {
		t.Errorf("%d bytes saved", saved)
	}
}

// TestBlocksBadLine: questions and answers are lost, too.
func TestBlocksBadLine(t *testing.T) {
	t.Parallel()
	x := newBlocksBench(t, func(o *flashsim.Opts) { o.Faults = flashsim.Faults{Hit: 0.1, Drop: 0.05, Seed: 6} })
	r := x.run()
	x.want(r, flash.Confirmed, slot(2))
	if r.Sent != flash.Blocks || r.Again == 0 {
		t.Errorf("%+v", r)
	}
}

// TestBlocksPulled: the same blocks are missing after the cable was pulled, and the
// file goes on where it was; also where the terminal starts again meanwhile, and
// where another laptop goes on.
func TestBlocksPulled(t *testing.T) {
	t.Parallel()
	for name, restarts := range map[string]bool{"cable": false, "power": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newBlocksBench(t, nil)
			want, _ := sizes(x.o.Bundle, bundle.Set{0b1110_0000})
			x.term.PullAt([]int64{want / 3, want * 2 / 3}, func() {
				time.Sleep(20 * time.Millisecond)
				if restarts {
					if err := x.term.PowerCycle(); err != nil {
						t.Error(err)
					}
				}
				if err := x.term.Plug(); err != nil {
					t.Error(err)
				}
			})
			r := x.run()
			x.want(r, flash.Confirmed, slot(2))
			most := want + 20_000
			if restarts { // what was not synced comes again: up to 64 KiB
				most += 2 * 70_000
			}
			if r.Sent != flash.Blocks || r.Bytes != want || r.Breaks != 2 || x.term.Came() > most {
				t.Errorf("%d bytes came, for %d: %+v", x.term.Came(), want, r)
			}
		})
	}
	t.Run("another run", func(t *testing.T) {
		t.Parallel()
		x := newBlocksBench(t, nil)
		want, _ := sizes(x.o.Bundle, bundle.Set{0b1110_0000})
		x.term.PullAt([]int64{want / 2}, func() {})
		x.o.Patience = 300 * time.Millisecond
		if r := x.run(); r.Outcome != flash.LineFailed {
			t.Fatalf("%+v", r)
		}
		if err := x.term.Plug(); err != nil {
			t.Fatal(err)
		}
		x.o.Patience = 0
		r := x.run()
		x.want(r, flash.Confirmed, slot(2))
		if r.Line > want*3/4 {
			t.Errorf("%d bytes of %d the second time", r.Line, want)
		}
	})
}

// TestBlocksUnknown: a terminal that does not know the question is sent the whole.
func TestBlocksUnknown(t *testing.T) {
	t.Parallel()
	x := newBlocksBench(t, func(o *flashsim.Opts) { o.NoBlocks = true })
	_, whole := sizes(x.o.Bundle, nil)
	r := x.run()
	x.want(r, flash.Confirmed, slot(2))
	if r.Sent != flash.Whole || r.Bytes != whole || r.Breaks != 0 || r.Seconds < flashwire.BlocksWait.Seconds() {
		t.Errorf("%+v", r)
	}
}

// TestBlocksRot: what the terminal said of its blocks is not so any more when they are
// taken; the whole is sent then.
func TestBlocksRot(t *testing.T) {
	t.Parallel()
	running := slot(1)
	slots, err := updatesim.New(running, slotSize, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := newBlocksBench(t, func(o *flashsim.Opts) { o.Slots = slots })
	show, rotten := x.o.Show, false
	x.o.Show = func(p flash.Progress) {
		show(p)
		if p.Have > 30_000 && !rotten {
			rotten = true
			slots.Rot(update.A, 2*block+5)
		}
	}
	r := x.run()
	x.want(r, flash.Confirmed, slot(2))
	if r.Sent != flash.Whole || !rotten || r.Bytes+100_000 > r.Line {
		t.Errorf("%+v", r)
	}
}

// TestPlan: the least wins, and nobody is asked for what is not needed.
func TestPlan(t *testing.T) {
	b, err := byBlock()
	if err != nil {
		t.Fatal(err)
	}
	m := b.Manifest
	facts := flashwire.Facts{Product: updatesim.Product, Board: updatesim.Board, Version: "1.0.0", Running: strings.Repeat("00", 32), State: flashwire.Settled}
	with := func(set func(*flashwire.Facts)) flashwire.Facts { f := facts; set(&f); return f }
	delta := *b
	dm := *m
	base := bundle.Sum{1}
	dm.Payloads = append([]bundle.Payload{{Kind: bundle.Delta, Base: base, Size: 3000}}, m.Payloads...)
	delta.Manifest, delta.Packed = &dm, append([][]byte{make([]byte, 3000)}, b.Packed...)
	// Noise does not shrink: here the whole is a little smaller than all its blocks.
	better := *b
	bm := *m
	bm.Payloads = slices.Clone(m.Payloads)
	for i := range bm.Payloads {
		if bm.Payloads[i].Kind == bundle.Whole {
			bm.Payloads[i].Size = m.Size - 100
		}
	}
	better.Manifest = &bm
	small := *b
	small.Packed = slices.Clone(b.Packed)
	for i, p := range m.Payloads {
		if p.Kind == bundle.Blocks {
			small.Packed[i] = nil
		}
	}
	slim := *b
	slim.Packed = make([][]byte, len(b.Packed))
	for i, p := range m.Payloads {
		if p.Kind == bundle.Blocks {
			q, err := bundle.Parse(b.Slim(i, bundle.Set{0b1110_0000}))
			if err != nil {
				t.Fatal(err)
			}
			slim.Packed[i] = q.Packed[i]
		}
	}
	all := bundle.All(len(m.Blocks))
	for _, c := range []struct {
		name string
		b    *bundle.Bundle
		f    flashwire.Facts
		has  bundle.Set
		asks bool
		sent flash.Sent
	}{
		{"not asked", b, facts, nil, true, flash.Whole},
		{"it has none", &better, facts, bundle.NewSet(len(m.Blocks)), true, flash.Whole},
		{"it has one", b, facts, bundle.Set{1}, true, flash.Blocks},
		{"it has all, and not in one place", b, facts, all, true, flash.Blocks},
		{"it has it", b, with(func(f *flashwire.Facts) { f.Other = hexed(m.Sum) }), nil, false, flash.Nothing},
		{"it runs it", b, with(func(f *flashwire.Facts) { f.Running = hexed(m.Sum) }), nil, false, flash.Nothing},
		{"a delta fits", &delta, with(func(f *flashwire.Facts) { f.Running = hexed(base) }), nil, false, flash.Delta},
		{"a delta that does not", &delta, facts, bundle.Set{0b1111_1000}, true, flash.Blocks},
		{"the file has no blocks", &small, facts, nil, false, flash.Whole},
		{"the file has some, and those are missing", &slim, facts, bundle.Set{0b0001_1111}, true, flash.Blocks},
		{"the file has some, and not all that are missing", &slim, facts, bundle.Set{0b0001_0111}, true, ""},
		{"another board", b, with(func(f *flashwire.Facts) { f.Board = "other" }), nil, false, ""},
	} {
		if got := flash.Asks(c.b, c.f); got != c.asks {
			t.Errorf("%s: asked: %v", c.name, got)
		}
		p, err := flash.For(c.b, c.f, c.has)
		if p.Sent != c.sent || (err != nil) != (c.sent == "") {
			t.Errorf("%s: %q, %v", c.name, p.Sent, err)
		}
		if p.Sent == flash.Blocks {
			for i, l := range m.Payloads {
				if l.Kind == bundle.Blocks && p.Bytes != int64(len(b.Slim(i, all.Without(c.has)))) {
					t.Errorf("%s: %d bytes", c.name, p.Bytes)
				}
			}
		}
	}
	if !bytes.Equal(all, bundle.Set{0xFF}) {
		t.Error("eight blocks")
	}
}
