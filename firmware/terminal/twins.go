package terminal

import (
	"slices"
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/store"
	"swipewell/firmware/txn"
)

// lookBack is how many sales are remembered, and twinTime for how long: more
// than a till makes in the longest window of the rules.
const (
	lookBack = 256
	twinTime = 3 * time.Hour
)

// twins are the last sales of the batch, oldest first: a copy in memory of what
// the store has.
type twins []twin

type twin struct {
	stan   pos.STAN
	card   pos.CardRef
	amount int64
	at     time.Duration // logical
}

// put notes a row: one that counts is in, one that was voided is out.
func (t *twins) put(r pos.Sale) {
	if r.Kind != pos.KindSale {
		return
	}
	*t = slices.DeleteFunc(*t, func(x twin) bool { return x.stan == r.STAN })
	if r.State != pos.RowBooked {
		return
	}
	if len(*t) == lookBack {
		*t = slices.Delete(*t, 0, 1)
	}
	*t = append(*t, twin{r.STAN, r.Card, r.Amount.Minor, r.At.Logical})
}

// of is the youngest sale of that card and amount within twinTime; 0 if there is
// none.
func (t twins) of(card pos.CardRef, amount int64, now time.Duration) pos.STAN {
	for _, x := range slices.Backward(t) {
		if x.card == card && x.amount == amount && now-x.at <= twinTime {
			return x.stan
		}
	}
	return 0
}

// sum is what a card has paid in those that are remembered.
func (t twins) sum(card pos.CardRef) (minor int64) {
	for _, x := range t {
		if x.card == card {
			minor += x.amount
		}
	}
	return minor
}

func (t *twins) load(st *store.Store, id store.BatchID) error {
	var rows []pos.Sale
	if err := st.Recent(id, lookBack, func(s pos.Sale) bool { rows = append(rows, s); return true }); err != nil {
		return err
	}
	for _, r := range slices.Backward(rows) {
		t.put(r)
	}
	return nil
}

// twin is the row that a card and the amount in front of us may be by mistake.
func (t *Terminal) twin(e txn.Event) (row pos.Sale) {
	stan := t.twins.of(e.Card, t.state.Keyed, e.At.Logical)
	if stan == 0 {
		return row
	}
	row, err := t.o.Store.Sale(pos.RecordID{Context: t.o.Profile.Context, Batch: t.state.Durable.Batch, STAN: stan})
	if err != nil {
		return pos.Sale{} // its batch was settled meanwhile
	}
	return row
}
