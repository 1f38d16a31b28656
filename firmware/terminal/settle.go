package terminal

import (
	"errors"

	"swipewell/firmware/card"
	"swipewell/firmware/hostlink"
	"swipewell/firmware/keys"
	"swipewell/firmware/pos"
	"swipewell/firmware/store"
	"swipewell/firmware/txn"
)

// errDone ends a walk over rows early.
var errDone = errors.New("enough")

// upload is what the next message of the batch upload carries: up to eight
// rows of sales, or one notice.
func (t *Terminal) upload(txn.Event) (u txn.Upload) {
	if t.uploads.batch != t.state.Durable.Batch {
		t.uploads = uploads{batch: t.state.Durable.Batch}
	}
	if t.state.Durable.Settle.Step == txn.SettleChip {
		u.N = t.toUpload(&t.uploads.chips, u.STANs[:1], func(s pos.Sale) bool { return s.Chip.ICC != "" && chipKinds[s.Kind] })
		u.Chip = u.N > 0
		return u
	}
	u.N = t.toUpload(&t.uploads.sales, u.STANs[:], func(s pos.Sale) bool { return saleKinds[s.Kind] && s.Chip.ICC == "" })
	if u.N == 0 {
		u.N = t.toUpload(&t.uploads.notices, u.STANs[:1], func(s pos.Sale) bool { return noticeKinds[s.Kind] })
		u.Notice = u.N > 0
	}
	return u
}

// Which rows go up how. HOST §1.4: the stripe's in lists, refunds and completion
// advices each as a copy, the chip's each with its cryptogram.
var (
	saleKinds   = map[pos.TxnKind]bool{pos.KindSale: true, pos.KindCompletion: true, pos.KindOffline: true}
	noticeKinds = map[pos.TxnKind]bool{pos.KindRefund: true, pos.KindCompletionAdvice: true}
	chipKinds   = map[pos.TxnKind]bool{pos.KindSale: true, pos.KindChipOffline: true}
)

// uploads is how far the rows of a batch are known to be uploaded, so that a
// large batch is not walked from its first row for each message. The marks at the
// rows are what counts.
type uploads struct {
	batch                 pos.BatchNo
	sales, notices, chips pos.STAN
}

// toUpload fills into with the next rows of a kind that are not uploaded
// yet; before is the row up to which all are.
func (t *Terminal) toUpload(before *pos.STAN, into []pos.STAN, which func(pos.Sale) bool) (n int) {
	id := store.BatchID{Context: t.o.Profile.Context, Batch: t.state.Durable.Batch}
	err := t.o.Store.SalesAfter(id, *before, func(s pos.Sale) error {
		if s.Uploaded || s.State != pos.RowBooked || !which(s) {
			if n == 0 {
				*before = s.STAN
			}
			return nil
		}
		into[n] = s.STAN
		if n++; n == len(into) {
			return errDone
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDone) {
		t.o.Log.Warn("upload", "err", err)
	}
	return n
}

// sendSettle sends one message of the settlement.
func (t *Terminal) sendSettle(x txn.SendSettle) {
	var req hostlink.Request
	switch x.Settle.Step {
	case txn.SettleTotals:
		req = t.o.Line.Settlement(x.STAN, x.Batch, x.Settle.Totals)
	case txn.SettleUpload, txn.SettleChip:
		details, err := t.details(x.Batch, x.Upload)
		switch {
		case err != nil:
			req = hostlink.Unpackable(err)
		case x.Upload.Chip:
			req = t.o.Line.ChipRow(details[0], x.Settle.Balanced)
		case x.Upload.Notice:
			req = t.o.Line.Notice(x.STAN, details[0])
		default:
			req = t.o.Line.Details(x.STAN, x.Batch, details)
		}
	default:
		req = t.o.Line.BatchEnd(x.STAN, x.Batch, x.Settle.Balanced, x.Settle.Sent)
	}
	t.exchange(pos.RecordID{}, req, func(r hostlink.Reply) { t.handle(txn.Event{Kind: txn.SettleDone, Reply: t.reply(r)}) })
	t.settlePoint()
}

// details are rows with their numbers out of the seal.
func (t *Terminal) details(batch pos.BatchNo, u txn.Upload) (out []hostlink.Detail, err error) {
	for _, n := range u.STANs[:u.N] {
		id := pos.RecordID{Context: t.o.Profile.Context, Batch: batch, STAN: n}
		row, err := t.o.Store.Sale(id)
		if err != nil {
			return nil, err
		}
		d, err := t.rowCard(id)
		if err != nil {
			return nil, err
		}
		out = append(out, hostlink.Detail{Row: row, PAN: d.PAN})
	}
	return out, nil
}

// rowCard opens the seal of a row.
func (t *Terminal) rowCard(id pos.RecordID) (card.Data, error) {
	sealed, err := t.o.Store.SealedSale(id)
	if err != nil {
		return card.Data{}, err
	}
	pan, exp, err := keys.OpenCard(t.board.Keys, sealed, t.o.Store.AAD(0, id))
	return card.Data{PAN: pan, Expiry: exp}, err
}

// find looks the row of an original up and puts its card into the vault: a
// void needs the number, and the customer may be gone.
func (t *Terminal) find(id pos.RecordID) {
	row, err := t.o.Store.Sale(id)
	if err == nil {
		var d card.Data
		if d, err = t.rowCard(id); err == nil {
			t.vault.Put(row.Card, d)
			err = t.nameCard(row.Card, d.PAN)
		}
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.o.Log.Warn("find", "err", err)
	}
	if err != nil {
		row = pos.Sale{}
	}
	t.post(func() { t.handle(txn.Event{Kind: txn.Found, Row: row}) })
}

// adminRequest packs a message that moves no money.
func (t *Terminal) adminRequest(x txn.SendAdmin) hostlink.Request {
	switch x.Kind {
	case txn.AdminSignOff:
		return t.o.Line.SignOff(x.STAN)
	case txn.AdminParams:
		return t.o.Line.Params()
	case txn.AdminStatus:
		var list []hostlink.Device
		for _, d := range []struct{ code, name string }{{"01", "keypad"}, {"02", "pinpad"}, {"03", "msr"}, {"04", "printer"}, {"05", "display"}} {
			list = append(list, hostlink.Device{Code: d.code, OK: t.fitted(d.name)})
		}
		return t.o.Line.Status(list)
	}
	return t.o.Line.Echo()
}

func (t *Terminal) fitted(name string) bool {
	b := t.board
	return map[string]bool{"keypad": b.Keypad != nil, "pinpad": b.PINPad != nil, "msr": b.MSR != nil, "printer": b.Printer != nil, "display": b.Display != nil}[name]
}

// CloseRecord is a supervisor's word on a record, from the service port. It
// fails if there is no such record, or it is of the sale under way.
func (t *Terminal) CloseRecord(stan pos.STAN, reason string) (rec pos.Record, err error) {
	if rec, err = t.openRecord(stan); err != nil {
		return rec, err
	}
	t.handle(txn.Event{Kind: txn.Closed, Record: rec, Reason: reason})
	return rec, t.err
}

// ParkRecord puts a record that is still being sent on the unresolved list, on a
// supervisor's word.
func (t *Terminal) ParkRecord(stan pos.STAN, reason string) (rec pos.Record, err error) {
	if rec, err = t.openRecord(stan); err != nil {
		return rec, err
	}
	if rec.State != pos.RecordQueued {
		return rec, errors.New("it is on the list already")
	}
	t.handle(txn.Event{Kind: txn.Parked, Record: rec, Reason: reason})
	return rec, t.err
}

// openRecord finds what a supervisor speaks of.
func (t *Terminal) openRecord(stan pos.STAN) (rec pos.Record, err error) {
	for _, r := range t.box.All() {
		if r.STAN == stan && r.State != pos.RecordArmed {
			rec = r
		}
	}
	if rec.STAN == 0 {
		return rec, errors.New("no open record has this trace number")
	}
	return rec, nil
}
