package update

import (
	"bytes"
	"errors"
	"testing"

	"swipewell/firmware/update/bundle"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func both(t *testing.T, f func(t *testing.T, w *world)) {
	for name, uboot := range map[string]bool{"plain": false, "u-boot": true} {
		t.Run(name, func(t *testing.T) { f(t, factory(t, uboot)) })
	}
}

func (w *world) install(t testing.TB, running Slot, n int) {
	t.Helper()
	_, err := w.at(running).Install(bytes.NewReader(bundled(t, n)))
	ok(t, err)
	ok(t, w.at(running).Try())
}

func (w *world) boots(t testing.TB, want Slot, state State) {
	t.Helper()
	s, err := w.boot()
	ok(t, err)
	got, _, err := w.at(s).Started()
	if err != nil || s != want || got != state {
		t.Fatalf("slot %v, state %d, %v; want %v, %d", s, got, err, want, state)
	}
}

// TestUpdate goes the whole way: bundle, slot, trial, confirm.
func TestUpdate(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.boots(t, A, Settled)
		w.install(t, A, 2)
		w.boots(t, B, Trying)
		if w.at(B).MayMigrate() {
			t.Error("a build on trial may migrate")
		}
		ok(t, w.at(B).Confirm())
		if !w.at(B).MayMigrate() {
			t.Error("a confirmed build may not migrate")
		}
		w.boots(t, B, Settled)
		if !bytes.Equal(w.files["b"][:90_000], build(2)) {
			t.Error("slot B")
		}
		r, err := w.at(B).Record()
		if err != nil || r.Floor != version(1) || r.Confirmed != B || len(r.Order) != 2 || r.Left[B] != Tries-1 {
			t.Errorf("%+v %v", r, err)
		}
		w.install(t, B, 3)
		w.boots(t, A, Trying)
		ok(t, w.at(A).Confirm())
		if r, _ := w.at(A).Record(); r.Floor != version(2) || len(r.Order) != 2 {
			t.Errorf("%+v", r)
		}
	})
}

// TestRollBack: a build that never confirms runs three times, then the old one does.
func TestRollBack(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.boots(t, A, Settled)
		w.install(t, A, 2)
		for range Tries {
			w.boots(t, B, Trying)
		}
		w.boots(t, A, RolledBack)
		w.boots(t, A, Settled)
		if r, _ := w.at(A).Record(); r.Images[B].Size != 0 || r.Floor != version(1) {
			t.Errorf("%+v", r)
		}
		w.install(t, A, 2) // and may be tried again
		w.boots(t, B, Trying)
		ok(t, w.at(B).Abandon())
		w.boots(t, A, RolledBack)
	})
}

// TestTriesComeBack: a confirmed build does not use its tries up by being switched on.
func TestTriesComeBack(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		for range 10 {
			w.boots(t, A, Settled)
			ok(t, w.at(A).Confirm())
		}
	})
}

func TestRefusals(t *testing.T) {
	good := func(t *testing.T) []byte { return bundled(t, 2) }
	with := func(c change) func(t *testing.T) []byte {
		return func(t *testing.T) []byte { return bundled(t, 2, c) }
	}
	flip := func(at int) func(t *testing.T) []byte {
		return func(t *testing.T) []byte {
			b := bytes.Clone(bundled(t, 2))
			if at < 0 {
				at += len(b)
			}
			b[at] ^= 1
			return b
		}
	}
	for _, c := range []struct {
		name string
		file func(t *testing.T) []byte
		prep func(w *world)
		want Reason
	}{
		{"another product", with(func(o *bundle.Opts) { o.Product = "other" }), nil, WrongProduct},
		{"another board", with(func(o *bundle.Opts) { o.Board = "other" }), nil, WrongBoard},
		{"older than the floor", with(func(o *bundle.Opts) { o.Version, o.Floor = version(0), version(0) }), nil, TooOld},
		{"data it cannot read", with(func(o *bundle.Opts) { o.Schemas = bundle.Schemas{Lo: 4, Hi: 5} }), nil, WrongSchema},
		{"a flipped signature", func(t *testing.T) []byte {
			b, err := bundle.Parse(bundled(t, 2))
			ok(t, err)
			b.Signatures[0].Sig[5] ^= 1
			return b.File()
		}, nil, Forged},
		{"no signature", func(t *testing.T) []byte {
			b, err := bundle.Parse(bundled(t, 2))
			ok(t, err)
			b.Signatures = nil
			return b.File()
		}, nil, Unsigned},
		{"not a bundle", func(*testing.T) []byte { return []byte("a text of some length, no bundle") }, nil, NotABundle},
		{"empty", func(*testing.T) []byte { return nil }, nil, Cut},
		{"cut", func(t *testing.T) []byte { return good(t)[:700] }, nil, Cut},
		{"a byte of the manifest", flip(50), nil, Forged},
		{"a byte of the payload used", func(t *testing.T) []byte {
			b, err := bundle.Parse(bundled(t, 2))
			ok(t, err)
			b.Packed[0][9] ^= 1
			return b.File(0)
		}, nil, Damaged},
		{"only a delta from a build that is not here", func(t *testing.T) []byte {
			b, err := bundle.Parse(bundled(t, 3))
			ok(t, err)
			return b.File(0)
		}, nil, NoBase},
		{"money is open", good, func(w *world) { w.money = errors.New("one reversal waits") }, MoneyOpen},
		{"the running slot was damaged", func(t *testing.T) []byte {
			b, err := bundle.Parse(bundled(t, 2))
			ok(t, err)
			return b.File(0)
		}, func(w *world) { w.files["a"][5] ^= 1 }, NoBase},
	} {
		both(t, func(t *testing.T, w *world) {
			file := c.file(t)
			if c.prep != nil {
				c.prep(w)
			}
			running := bytes.Clone(w.files["a"])
			_, err := w.at(A).Install(bytes.NewReader(file))
			var r *Refusal
			if !errors.As(err, &r) || r.Reason != c.want || r.Code() == "" || r.Hint() == "" {
				t.Errorf("%s: %v", c.name, err)
			}
			if !bytes.Equal(w.files["a"], running) {
				t.Errorf("%s: the running build was touched", c.name)
			}
			if rec, err := w.port().Load(); err != nil || len(rec.Order) != 1 || rec.Order[0] != A {
				t.Errorf("%s: %+v %v", c.name, rec, err)
			}
			if err := w.at(A).Try(); err == nil {
				t.Errorf("%s: and it may be tried", c.name)
			}
		})
	}
}

func TestTryRefuses(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.boots(t, A, Settled)
		_, err := w.at(A).Install(bytes.NewReader(bundled(t, 2)))
		ok(t, err)
		want := func(what string, reason Reason) {
			t.Helper()
			var r *Refusal
			if err := w.at(A).Try(); !errors.As(err, &r) || r.Reason != reason {
				t.Errorf("%s: %v", what, err)
			}
		}
		w.money = errors.New("a sale runs")
		want("money", MoneyOpen)
		w.money = nil
		w.files["b"][77] ^= 1
		want("a slot that changed since it was written", MediumFails)
		w.files["b"][77] ^= 1
		ok(t, w.at(A).Try())
		want("twice", OnTrial)
	})
}

// TestRunsAgain: after a cut the blocks that are there are not written again.
func TestRunsAgain(t *testing.T) {
	w := factory(t, false)
	file := bundled(t, 2)
	_, err := w.at(A).Install(bytes.NewReader(file))
	ok(t, err)
	before := len(w.ops)
	b, err := bundle.Parse(file)
	ok(t, err)
	i, err := w.at(A).Judge(&b.Head)
	if err != nil || i != -1 {
		t.Errorf("payload %d, %v: nothing was to be sent", i, err)
	}
	ok(t, w.at(A).Write(&b.Head, 0, bytes.NewReader(b.Packed[0])))
	for _, op := range w.ops[before:] {
		if op.Path == "b" && len(op.Data) > 0 {
			t.Error("a block was written twice")
		}
	}
}
