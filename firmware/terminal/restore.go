package terminal

import (
	"encoding/json"
	"errors"
	"fmt"

	"swipewell/firmware/pos"
	"swipewell/firmware/store"
	"swipewell/firmware/txn"
)

// Audit is a store added up.
type Audit struct {
	Batch   pos.BatchNo
	STAN    pos.STAN
	Rows    int
	Records int
	Totals  pos.Totals // of the rows
}

// AuditStore adds a store up: its rows must come to the totals that were kept
// along the way, and a reversal must be there for each that is counted.
func AuditStore(st *store.Store, context string) (a Audit, err error) {
	d, err := durable(st)
	if err != nil {
		return a, err
	}
	a.Batch, a.STAN = d.Batch, d.STAN
	err = st.Sales(store.BatchID{Context: context, Batch: d.Batch}, func(s pos.Sale) error {
		a.Rows++
		a.Totals.Of(s)
		return nil
	})
	if err != nil {
		return a, err
	}
	recs, err := st.Records()
	if err != nil {
		return a, err
	}
	reversals := 0
	for _, r := range recs {
		a.Records++
		if r.Class == pos.ClassReversal && r.State == pos.RecordQueued {
			reversals++
		}
	}
	switch {
	case a.Totals != d.Totals:
		err = fmt.Errorf("the rows add up to %v, the state says %v", a.Totals, d.Totals)
	case a.Rows != d.Sales:
		err = fmt.Errorf("%d rows, the state says %d", a.Rows, d.Sales)
	case reversals > d.Reversals+1: // of an open intent, its armed record is one more
		err = fmt.Errorf("%d reversals wait, the state says %d", reversals, d.Reversals)
	}
	return a, err
}

func durable(st *store.Store) (d txn.Durable, err error) {
	raw, err := st.State()
	if err == nil && raw != nil {
		err = json.Unmarshal(raw, &d)
	}
	return d, err
}

// SkipLost marks a restored store of which a tail may be missing.
func SkipLost(st *store.Store) error {
	d, err := durable(st)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(d.Skipped())
	if err != nil {
		return err
	}
	return st.Commit(store.Change{State: raw}, nil)
}

// Accept is a supervisor's word that a restored terminal may sell; it fails
// where the settlement that must come before was not made.
func (t *Terminal) Accept(reason string) error {
	switch t.state.Durable.Restored {
	case txn.NotRestored:
		return errors.New("nothing waits for a signature")
	case txn.RestoredCompare:
		return errors.New("settle first: the batch must be compared with the host")
	}
	t.handle(txn.Event{Kind: txn.Signed, Reason: reason})
	return t.err
}
