package terminal

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swipewell/drivers/softkeys"
	"swipewell/firmware/card"
	"swipewell/firmware/keys"
	"swipewell/firmware/pos"
	"swipewell/firmware/store"
	"swipewell/firmware/txn"
	"swipewell/hal"
)

// one seals the same card for every new row.
type one struct {
	ks  hal.KeyStore
	pan card.PAN
}

func (o one) Seal(_ pos.CardRef, aad []byte) ([]byte, error) {
	return keys.SealCard(o.ks, o.pan, card.Expiry{}, aad)
}

func (o one) Image(pos.Record, []byte) ([]byte, error) { return []byte("image"), nil }

type renaming struct {
	t  *testing.T
	st *store.Store
	ks *softkeys.Store
}

func newRenaming(t *testing.T) *renaming {
	ks, err := softkeys.Open(softkeys.Opts{Path: filepath.Join(t.TempDir(), "k"), Bench: true})
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(filepath.Join(t.TempDir(), "state.db"), store.Opts{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return &renaming{t, st, ks}
}

// row is a sale of card n under a generation of names.
func (r *renaming) row(n int, generation uint32) {
	r.t.Helper()
	pan, err := card.ParsePAN(fmt.Appendf(nil, "622588%010d", n))
	if err != nil {
		r.t.Fatal(err)
	}
	ref, err := cardRef(r.ks, generation, pan)
	if err != nil {
		r.t.Fatal(err)
	}
	raw, _ := json.Marshal(txn.Durable{})
	sale := pos.Sale{RecordID: pos.RecordID{Context: "cup", Batch: 1, STAN: pos.STAN(n + 1)}, Amount: pos.Fen(100), Card: ref, Masked: pan.Masked()}
	if err := r.st.Commit(store.Change{State: raw, PutSale: []pos.Sale{sale}}, one{r.ks, pan}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *renaming) rename(days int) (int, error) {
	return RenameCards(r.st, r.ks, time.Unix(1_800_000_000, 0).Add(time.Duration(days)*24*time.Hour))
}

func (r *renaming) generation() uint32 {
	n, _, err := r.st.Names()
	if err != nil {
		r.t.Fatal(err)
	}
	return n.Generation
}

func TestCardsAreRenamedEvery90Days(t *testing.T) {
	r := newRenaming(t)
	for i := range 3 {
		r.row(i, 0)
	}
	for _, c := range []struct {
		day, n     int
		generation uint32
	}{{0, 0, 0}, {1, 0, 0}, {89, 0, 0}, {90, 3, 1}, {91, 0, 1}, {-300, 0, 1}, {179, 0, 1}, {180, 3, 2}} {
		if n, err := r.rename(c.day); err != nil || n != c.n || r.generation() != c.generation {
			t.Fatalf("day %d: %d cards, generation %d, %v", c.day, n, r.generation(), err)
		}
	}
	cards, err := r.st.Cards()
	if err != nil || len(cards) != 3 {
		t.Fatal(err)
	}
	for i, c := range cards {
		pan, _, err := keys.OpenCard(r.ks, c.Sealed, c.AAD)
		if err != nil {
			t.Fatal(err)
		}
		number := ""
		pan.Reveal(func(b []byte) { number = string(b) })
		if want, _ := cardRef(r.ks, 2, pan); c.Ref != want || number != fmt.Sprintf("622588%010d", i) {
			t.Errorf("card %d has another name", i)
		}
	}
}

func TestNotRenamed(t *testing.T) {
	t.Run("a request is open", func(t *testing.T) {
		r := newRenaming(t)
		r.row(1, 0)
		r.rename(0)
		d := txn.Durable{}
		d.Open = txn.Intent{ID: pos.RecordID{Context: "cup", Batch: 1, STAN: 9}, Amount: pos.Fen(1)}
		raw, err := json.Marshal(d)
		if err != nil || !d.Open.Open() {
			t.Fatal("no intent", err)
		}
		if err := r.st.Commit(store.Change{State: raw}, nil); err != nil {
			t.Fatal(err)
		}
		if n, err := r.rename(100); n != 0 || err != nil || r.generation() != 0 {
			t.Errorf("%d %v", n, err)
		}
	})
	t.Run("more than fit", func(t *testing.T) {
		r := newRenaming(t)
		for i := range maxRename + 1 {
			r.row(i, 0)
		}
		r.rename(0)
		if n, err := r.rename(100); n != 0 || err != nil || r.generation() != 0 {
			t.Errorf("%d %v", n, err)
		}
	})
	t.Run("a name that is not the number's", func(t *testing.T) {
		r := newRenaming(t)
		r.row(1, 0)
		r.row(2, 7)
		r.rename(0)
		if n, err := r.rename(100); n != 0 || err == nil || errors.Is(err, store.ErrInvariant) || r.generation() != 0 || strings.Contains(err.Error(), "622588") {
			t.Errorf("%d %v", n, err)
		}
	})
	t.Run("no keys any more", func(t *testing.T) {
		r := newRenaming(t)
		r.row(1, 0)
		r.rename(0)
		r.ks.Erase()
		if n, err := r.rename(100); n != 0 || err == nil || r.generation() != 0 {
			t.Errorf("%d %v", n, err)
		}
	})
}
