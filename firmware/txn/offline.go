package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// offlineSale is a sale with an authorisation code that the issuer gave by
// voice: it is made here and forwarded. HOST §1.4, §3.4.
var offlineSale = Spec{
	Kind: pos.KindOffline, MTI: 0x0220, Process: "000000", Condition: "00", Type: "30", Unknown: Repeat, Kept: true,
	form: []step{askAmount, askAuth, askCard, askConfirm}, title: prompt.TitleOffline, done: prompt.OfflineDone,
}

// Offline are the limits of store and forward; the zero value is off. All
// apply at once: one transaction, their sum, their number, the age of the
// oldest.
type Offline struct {
	Each, Total int64 // minor units
	Count       int
	Age         time.Duration // logical
}

// On tells whether anything may be kept for later.
func (o Offline) On() bool { return o.Count > 0 && o.Each > 0 && o.Total > 0 }

// SAF is what waits to be forwarded.
type SAF struct {
	Count  int
	Sum    int64
	Oldest time.Duration // logical time of the oldest; meaningless if Count is 0
}

// refuses says which limit an offline sale of so much would break, "" none.
func (o Offline) refuses(s SAF, amount int64, now time.Duration) prompt.Code {
	switch {
	case !o.On():
		return prompt.OfflineOff
	case amount > o.Each:
		return prompt.OfflineEach
	case s.Count >= o.Count:
		return prompt.OfflineCount
	case s.Sum+amount > o.Total:
		return prompt.OfflineTotal
	case s.Count > 0 && o.Age > 0 && now-s.Oldest > o.Age:
		return prompt.OfflineAge
	}
	return ""
}

// keep makes a transaction here: row and advice in one commit, no host asked.
func (m *machine) keep() {
	k, a := m.spec(), m.formArgs()
	if m.e.NoRoom != "" {
		m.endForm(m.e.NoRoom, a, ToneBad)
		return
	}
	if k.Kind == pos.KindOffline {
		if c := m.Profile.Offline.refuses(m.e.SAF, m.Keyed, m.e.At.Logical); c != "" {
			a.N = m.e.SAF.Count
			m.endForm(c, a, ToneBad)
			return
		}
	}
	m.Durable.STAN = m.Durable.STAN.Next()
	m.Entry = string(pos.EntryKeyed) // no track is kept for later
	in := m.newIntent()
	rec := m.record(in, pos.RecordQueued, "")
	rec.Next, rec.Was = m.e.At.Logical, m.OrigAmount
	m.do(PutRecord{rec})
	m.later++
	amount, origin := in.Amount, pos.RecordID{Context: in.ID.Context, Batch: in.Orig.Batch, STAN: in.Orig.STAN}
	row := m.row(in, Reply{RC: "00", Auth: in.Orig.Auth})
	row.State = pos.RowPending
	switch k.Kind {
	case pos.KindOffline:
		addRow(m, in, row)
		m.outcome(in, throttle.Approved, "00", amount.Minor)
	case pos.KindAdjust:
		m.Durable.Totals.Add(k.Kind, amount.Minor-m.OrigAmount, 1)
		m.do(EditSale{ID: origin, Amount: amount.Minor})
		m.putSale(row)
	case pos.KindTip:
		m.Durable.Totals.Add(k.Kind, amount.Minor, 1)
		m.do(EditSale{ID: origin, Tip: amount.Minor})
		m.putSale(row)
	}
	m.setLast(in, row, k.done)
	m.log(prompt.LogOutcome, in.ID, func(l *Log) { l.Why, l.Amount = k.done, amount })
	a.STAN, a.Auth = in.ID.STAN.String(), string(in.Orig.Auth)
	m.endForm(k.done, a, ToneGood)
	if m.Profile.Printer {
		m.print(m.Durable.Last, false, false)
	}
}
