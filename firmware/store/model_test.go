package store

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"swipewell/firmware/pos"
)

// model is what the store should hold.
type model struct {
	state  []byte
	outbox map[pos.RecordID]pos.Record
	sealed map[pos.RecordID][]byte
	sales  map[pos.RecordID]pos.Sale
}

// TestModel drives a store and a model with the same random changes, clean
// closes and crashes, and compares all that can be read.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "store")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, "state.db")
		reopen := func() *Store {
			s, err := Open(path, Opts{})
			if err != nil {
				rt.Fatal(err)
			}
			return s
		}
		s, seal := reopen(), &plainSealer{}
		defer func() { s.Close() }()
		m := model{outbox: map[pos.RecordID]pos.Record{}, sealed: map[pos.RecordID][]byte{}, sales: map[pos.RecordID]pos.Sale{}}
		id := rapid.Custom(func(t *rapid.T) pos.RecordID {
			return pos.RecordID{Context: rapid.SampledFrom([]string{"", "cup", "visa-x"}).Draw(t, "ctx"), Batch: pos.BatchNo(rapid.IntRange(0, 2).Draw(t, "batch")),
				STAN: pos.STAN(rapid.SampledFrom([]int{1, 2, 3, 255, 256, 65536, 499_999, 500_001, 999_998, 999_999}).Draw(t, "stan"))}
		})
		rt.Repeat(map[string]func(*rapid.T){
			"commit": func(rt *rapid.T) {
				next := model{m.state, clone(m.outbox), clone(m.sealed), clone(m.sales)}
				c := Change{State: testState(rapid.IntRange(0, 1<<20).Draw(rt, "state"))}
				next.state = c.State
				for range rapid.IntRange(0, 2).Draw(rt, "reversals") {
					r := reversal(1, rapid.SampledFrom([]pos.RecordState{pos.RecordArmed, pos.RecordQueued, pos.RecordUnresolved}).Draw(rt, "st"))
					r.RecordID, r.Tries = id.Draw(rt, "id"), rapid.IntRange(0, 9).Draw(rt, "tries")
					c.PutRecord = append(c.PutRecord, r)
					next.outbox[r.RecordID] = r
				}
				for range rapid.IntRange(0, 2).Draw(rt, "drops") {
					d := id.Draw(rt, "drop")
					c.DropRecord = append(c.DropRecord, revKey(d))
					delete(next.outbox, d)
				}
				for range rapid.IntRange(0, 4).Draw(rt, "sales") {
					row := sale(1)
					row.RecordID, row.Printed = id.Draw(rt, "row"), rapid.Bool().Draw(rt, "printed")
					c.PutSale = append(c.PutSale, row)
					next.sales[row.RecordID] = row
				}
				armed := 0
				for _, r := range next.outbox {
					if r.State == pos.RecordArmed {
						armed++
					}
				}
				err := s.Commit(c, seal)
				if armed > 1 {
					if err == nil {
						rt.Fatal("two armed records were taken")
					}
					return
				}
				if err != nil {
					rt.Fatal(err)
				}
				m = next
				for rid := range m.sealed {
					if _, ok := m.outbox[rid]; !ok {
						delete(m.sealed, rid)
					}
				}
			},
			"close": func(rt *rapid.T) {
				if err := s.Close(); err != nil {
					rt.Fatal(err)
				}
				s = reopen()
			},
			"crash": func(rt *rapid.T) {
				s.db.Close()
				s.lock.Close()
				s.lock = nil
				s = reopen()
			},
			"": func(rt *rapid.T) {
				if err := s.Check(); err != nil {
					rt.Fatal(err)
				}
				if st, err := s.State(); err != nil || !bytes.Equal(st, m.state) {
					rt.Fatalf("state %s, want %s (%v)", st, m.state, err)
				}
				rows, err := s.Records()
				if err != nil {
					rt.Fatal(err)
				}
				got := map[pos.RecordID]pos.Record{}
				for _, r := range rows {
					got[r.RecordID] = r.Record
					if was, ok := m.sealed[r.RecordID]; ok && !bytes.Equal(was, r.Sealed) {
						rt.Fatalf("the sealed card of %v changed", r.RecordID)
					}
					m.sealed[r.RecordID] = r.Sealed
				}
				if d := cmp.Diff(m.outbox, got); d != "" {
					rt.Fatal(d)
				}
				sales := map[pos.RecordID]pos.Sale{}
				ids, err := s.Batches()
				if err != nil {
					rt.Fatal(err)
				}
				for _, b := range ids {
					var order []pos.STAN
					if err := s.Sales(b, func(r pos.Sale) error {
						sales[r.RecordID] = r
						order = append(order, r.STAN)
						return nil
					}); err != nil {
						rt.Fatal(err)
					}
					// In order, save for one place where the numbers wrap.
					wraps := 0
					for i := range order[1:] {
						if order[i+1] < order[i] {
							wraps++
						}
					}
					if wraps > 2 || wraps == 0 && !slices.IsSorted(order) {
						rt.Fatalf("order %v", order)
					}
				}
				if d := cmp.Diff(m.sales, sales); d != "" {
					rt.Fatal(d)
				}
				c, err := s.Counts()
				if err != nil || c.Sales != len(m.sales) || c.Armed+c.Queued+c.Unresolved != len(m.outbox) {
					rt.Fatalf("counts %+v (%v)", c, err)
				}
				for rid, want := range m.sales {
					if row, err := s.Sale(rid); err != nil || row != want {
						rt.Fatalf("sale %v: %v %v", rid, row, err)
					}
				}
			},
		})
	})
}

func clone[K comparable, V any](m map[K]V) map[K]V {
	n := make(map[K]V, len(m))
	for k, v := range m {
		n[k] = v
	}
	return n
}
