package powercut

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"swipewell/firmware/pos"
	"swipewell/firmware/store"
	"swipewell/firmware/txn"
)

// ErrNoFUSE says that the recording file system cannot be mounted here.
var ErrNoFUSE = errors.New("powercut: /dev/fuse and the right to mount are needed")

// Booking is a payment that stands in the host's books.
type Booking struct {
	Batch  pos.BatchNo
	STAN   pos.STAN
	Amount int64 // minor units
}

// Facts are what was true outside the device at a moment.
type Facts struct {
	Booked  []Booking   // charged, and not reversed or voided
	Told    []int64     // amounts of which a customer was told "approved"
	High    pos.STAN    // the highest number that the host has seen in its open batch
	Settled pos.BatchNo // the host has settled up to this batch
}

func (f Facts) same(o Facts) bool {
	return len(f.Booked) == len(o.Booked) && len(f.Told) == len(o.Told) && f.High == o.High && f.Settled == o.Settled
}

// Verdict on one image.
type Verdict struct {
	Opened, Checked, Fresh bool
	Double, Lost           int
	Why                    string // the first thing that is wrong
}

// Good tells that nothing is.
func (v Verdict) Good() bool { return v.Opened && v.Checked && v.Double+v.Lost == 0 }

// Judge writes an image into dir (a folder of its own, best on a RAM disk) and
// holds it against the facts: the store opens and is whole, every booking is
// accounted for, no row claims what was never booked, every word to a customer
// is kept, and no number will be used again. first reads a file that is
// expected to be bad in a child with limits (store.Judge); nil: in this process.
func Judge(dir string, image map[string][]byte, f Facts, first func(context.Context, string) error) (v Verdict) {
	if err := os.RemoveAll(dir); err != nil {
		v.Why = err.Error()
		return v
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		v.Why = err.Error()
		return v
	}
	for path, b := range image {
		if strings.Contains(path, "/") {
			continue // copies and side logs: not needed to open
		}
		if err := os.WriteFile(filepath.Join(dir, path), b, 0o600); err != nil {
			v.Why = err.Error()
			return v
		}
	}
	_, there := image["state.db"]
	v.Fresh = !there
	st, err := store.Open(filepath.Join(dir, "state.db"), store.Opts{NoSync: true, Judge: first})
	if err != nil {
		v.Why = err.Error()
		return v
	}
	defer st.Close()
	v.Opened = true
	if err := st.Check(); err != nil {
		v.Why = err.Error()
		return v
	}
	v.Checked = true
	if err := v.compare(st, f); err != nil {
		v.Checked, v.Why = false, err.Error()
	}
	return v
}

func (v *Verdict) wrong(n *int, format string, a ...any) {
	*n++
	if v.Why == "" {
		v.Why = fmt.Sprintf(format, a...)
	}
}

func (v *Verdict) compare(st *store.Store, f Facts) error {
	var d txn.Durable
	raw, err := st.State()
	if err != nil {
		return err
	}
	if raw != nil {
		if err := json.Unmarshal(raw, &d); err != nil {
			return err
		}
	}
	type key struct {
		batch pos.BatchNo
		stan  pos.STAN
	}
	rows := map[key]pos.Sale{}
	amounts := map[int64]bool{}
	ids, err := st.Batches()
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := st.Sales(id, func(s pos.Sale) error {
			rows[key{s.Batch, s.STAN}] = s
			amounts[s.Amount.Minor] = true
			return nil
		}); err != nil {
			return err
		}
	}
	recs, err := st.Records()
	if err != nil {
		return err
	}
	covered := map[key]bool{}
	for _, r := range recs {
		covered[key{r.Batch, r.STAN}] = true
	}
	if d.Open.Open() {
		covered[key{d.Open.ID.Batch, d.Open.ID.STAN}] = true
	}
	closed := func(b pos.BatchNo) bool { return b < d.Batch && b <= f.Settled }
	booked := map[key]int64{}
	for _, b := range f.Booked {
		k := key{b.Batch, b.STAN}
		booked[k] = b.Amount
		if _, ok := rows[k]; !ok && !covered[k] && !closed(b.Batch) {
			v.wrong(&v.Lost, "the host booked %v of batch %v, and the device knows nothing of it", b.STAN, b.Batch)
		}
	}
	for k, s := range rows {
		amount, ok := booked[k]
		switch {
		case s.State != pos.RowBooked || s.Kind != pos.KindSale || covered[k]:
		case !ok:
			v.wrong(&v.Double, "row %v of batch %v, and the host has no such booking", k.stan, k.batch)
		case s.Amount.Minor != amount:
			v.wrong(&v.Double, "row %v of batch %v claims %v, the host booked %v", k.stan, k.batch, s.Amount, pos.Fen(amount))
		}
	}
	for _, a := range f.Told {
		if !amounts[a] && d.Batch <= 1 && !closed(d.Batch-1) {
			v.wrong(&v.Lost, "a customer was told that %v is paid, and no row says so", pos.Fen(a))
		}
	}
	if f.High > d.STAN && d.Batch > f.Settled {
		v.wrong(&v.Double, "the host has seen number %v, the device would go on from %v", f.High, d.STAN)
	}
	return nil
}
