package store

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/pos"
)

// named is the name of card n under a generation.
func named(n int, generation uint32) (r pos.CardRef) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d", n, generation))
	copy(r[:], sum[:])
	return r
}

// holding is a store with open records and rows of some cards, and one row of a
// card that nothing seals.
func holding(t testing.TB, cards int) *Store {
	s := open(t, t.TempDir(), Opts{})
	for i := range cards {
		rev, row := reversal(pos.STAN(2*i+1), pos.RecordQueued), sale(pos.STAN(2*i+2))
		rev.Card, row.Card = named(i, 0), named(i, 0)
		commit(t, s, Change{State: testState(i), PutRecord: []pos.Record{rev}, PutSale: []pos.Sale{row}})
	}
	bare := sale(999)
	bare.Card = named(999, 0)
	if err := s.Commit(Change{State: testState(999), PutSale: []pos.Sale{bare}}, nil); err != nil {
		t.Fatal(err)
	}
	return s
}

func renames(cards int, from, to uint32) map[pos.CardRef]pos.CardRef {
	m := map[pos.CardRef]pos.CardRef{}
	for i := range cards {
		m[named(i, from)] = named(i, to)
	}
	return m
}

// names are all names in the file, and how often.
func namesIn(t testing.TB, s *Store) map[pos.CardRef]int {
	t.Helper()
	seen := map[pos.CardRef]int{}
	recs, err := s.Records()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recs {
		seen[r.Card]++
	}
	if err := s.Sales(BatchID{"cup", 1}, func(r pos.Sale) error { seen[r.Card]++; return nil }); err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestRename(t *testing.T) {
	s := holding(t, 3)
	before, err := s.Cards()
	if err != nil || len(before) != 6 {
		t.Fatalf("%d sealed cards, %v", len(before), err)
	}
	if _, ok, err := s.Names(); ok || err != nil {
		t.Error("names were noted", err)
	}
	if err := s.Commit(Change{Rename: &Rename{To: Names{0, 100}}}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(Change{Rename: &Rename{To: Names{1, 200}, Names: renames(3, 0, 1)}}, nil); err != nil {
		t.Fatal(err)
	}
	if n, ok, err := s.Names(); n != (Names{1, 200}) || !ok || err != nil {
		t.Errorf("%+v %v %v", n, ok, err)
	}
	want := map[pos.CardRef]int{{}: 1, named(0, 1): 2, named(1, 1): 2, named(2, 1): 2}
	if got := namesIn(t, s); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	after, err := s.Cards()
	if err != nil || len(after) != 6 {
		t.Fatal(err)
	}
	for i := range after {
		if !bytes.Equal(after[i].Sealed, before[i].Sealed) || !bytes.Equal(after[i].AAD, before[i].AAD) {
			t.Error("a seal changed")
		}
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	// A record that is tried again keeps its seal under its new name.
	rev := reversal(1, pos.RecordQueued)
	rev.Card, rev.Tries = named(0, 1), 1
	commit(t, s, Change{PutRecord: []pos.Record{rev}})
}

func TestRenamesThatAreNone(t *testing.T) {
	for name, c := range map[string]Change{
		"a generation left out":   {Rename: &Rename{To: Names{2, 1}, Names: renames(3, 0, 2)}},
		"names of the same":       {Rename: &Rename{To: Names{0, 1}, Names: renames(3, 0, 1)}},
		"a card left out":         {Rename: &Rename{To: Names{1, 1}, Names: renames(2, 0, 1)}},
		"two cards become one":    {Rename: &Rename{To: Names{1, 1}, Names: map[pos.CardRef]pos.CardRef{named(0, 0): {9}, named(1, 0): {9}, named(2, 0): {8}}}},
		"a card becomes none":     {Rename: &Rename{To: Names{1, 1}, Names: map[pos.CardRef]pos.CardRef{named(0, 0): {}, named(1, 0): {9}, named(2, 0): {8}}}},
		"with a state":            {State: testState(1), Rename: &Rename{To: Names{1, 1}, Names: renames(3, 0, 1)}},
		"with a record":           {PutRecord: []pos.Record{reversal(77, pos.RecordQueued)}, Rename: &Rename{To: Names{1, 1}, Names: renames(3, 0, 1)}},
		"with a settled batch":    {CloseBatch: &BatchID{"cup", 1}, Rename: &Rename{To: Names{1, 1}, Names: renames(3, 0, 1)}},
		"with a row of the rooms": {Rows: []Row{{Care, []byte("k"), []byte("v")}}, Rename: &Rename{To: Names{1, 1}, Names: renames(3, 0, 1)}},
	} {
		s := holding(t, 3)
		before := fmt.Sprint(namesIn(t, s))
		if err := s.Commit(c, &plainSealer{}); !errors.Is(err, ErrInvariant) {
			t.Errorf("%s: %v", name, err)
		}
		if got := fmt.Sprint(namesIn(t, s)); got != before {
			t.Errorf("%s: names changed", name)
		}
		if _, ok, _ := s.Names(); ok {
			t.Errorf("%s: a generation was noted", name)
		}
		commit(t, s, Change{State: testState(5)}) // and the store is usable
	}
}

// keptLog keeps entries in memory, or refuses them.
type keptLog struct {
	all  []Entry
	fail error
}

func (l *keptLog) Append(e Entry) error { l.all = append(l.all, e); return l.fail }
func (l *keptLog) Reserve() error       { return nil }

// Whatever the disk does, the file holds names of one generation only; and the side
// log has the rename whole, so that a restored store has it, too.
func TestRenameIsWholeOrNot(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 5).Draw(rt, "cards")
		s, copied := holding(t, n), holding(t, n)
		var log keptLog
		if rapid.Bool().Draw(rt, "fails") {
			log.fail = errors.New("disk full")
		}
		s.SetLog(&log)
		err := s.Commit(Change{Rename: &Rename{To: Names{1, 9}, Names: renames(n, 0, 1)}}, nil)
		if (err == nil) != (log.fail == nil) {
			rt.Fatalf("%v, and the log says %v", err, log.fail)
		}
		generation := uint32(0)
		if err == nil {
			generation = 1
		}
		if log.fail == nil {
			if err := copied.Apply(log.all); err != nil {
				rt.Fatal(err)
			}
			if a, b := fmt.Sprint(namesIn(t, s)), fmt.Sprint(namesIn(t, copied)); a != b {
				rt.Fatalf("restored: %s, want %s", b, a)
			}
			if got, _, err := copied.Names(); err != nil || got.Generation != 1 {
				rt.Fatalf("restored: generation %d, %v", got.Generation, err)
			}
		}
		s.Close()
		s = open(t, s.dir, Opts{})
		got, _, err := s.Names()
		if err != nil || got.Generation != generation {
			rt.Fatalf("generation %d, %v", got.Generation, err)
		}
		for ref, k := range namesIn(t, s) {
			ok := ref == named(999, 0) && generation == 0 || ref == (pos.CardRef{}) && generation == 1
			for i := range n {
				ok = ok || ref == named(i, generation) && k == 2
			}
			if !ok {
				rt.Fatalf("%v %d times in generation %d", ref, k, generation)
			}
		}
	})
}
