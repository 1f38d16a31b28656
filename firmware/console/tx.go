package console

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/ui/text"
)

// ErrNoTx says that nothing on the device knows a transaction.
var ErrNoTx = errors.New("no such transaction")

// TxID is a transaction's id in the log: context-batch-STAN.
func TxID(id pos.RecordID) string {
	return id.Context + "-" + id.Batch.String() + "-" + id.STAN.String()
}

// transaction sends all that the device knows of one: its row, its reversal,
// its log. id is a STAN, with or without leading zeros, or the whole id.
func transaction(ctx context.Context, o Opts, id string, send func(kind string, v any) error) error {
	if n, err := strconv.ParseUint(id, 10, 20); err == nil {
		id = pos.STAN(n).String()
	}
	if id == "" {
		return errors.New("which transaction? give its STAN")
	}
	fits := func(r pos.RecordID) bool {
		full := TxID(r)
		return full == id || strings.HasSuffix(full, "-"+id)
	}
	found := false
	out := func(kind string, v any) error {
		found = true
		return send(kind, v)
	}
	err := o.Backend.Batch(ctx, func(r pos.Sale) error {
		if !fits(r.RecordID) {
			return nil
		}
		return out("sale", r)
	})
	if err != nil {
		return err
	}
	rs, err := o.Backend.Queue(ctx)
	if err != nil {
		return err
	}
	for _, r := range rs {
		if fits(r.RecordID) {
			if err := out("reversal", explained{r, explain(text.EN, r)}); err != nil {
				return err
			}
		}
	}
	es, err := o.Journal.Query(journal.Filter{Tx: id})
	if err != nil {
		return err
	}
	for _, e := range es {
		if err := out("entry", e); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("%w: %s", ErrNoTx, id)
	}
	return nil
}
