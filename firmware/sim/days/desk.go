package days

import (
	"slices"
	"time"

	"swipewell/firmware/outbox"
	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
)

// monday is 2026-01-05 00:00 in the acquirer's zone (UTC+8), Unix ms: the wall
// at logical 0.
const monday int64 = 1_767_542_400_000

// profile is the device's.
var profile = txn.Profile{Context: "a", Currency: pos.CNY, MaxAmount: 100_000_000, SettleAfter: 90 * time.Second, MaxOpen: 3,
	CardTimeout: time.Minute, ConfirmTime: 30 * time.Second, PINTimeout: time.Minute, PINPad: true, Printer: true, Lang: "zh", Staff: 1}

// What the loop has timers for. One exchange is in flight at a time.
const (
	lineTimer = iota
	operatorTimer
	outboxTimer
	paperTimer
	timerCount
)

// never is a timer that is not armed.
const never = time.Duration(1<<63 - 1)

// lookBack is how many sales are remembered, and twinTime for how long. LOOP,
// twins.go.
const (
	lookBack = 256
	twinTime = 3 * time.Hour
)

// desk is the loop around Step, without a store: it keeps the rows in memory,
// gathers the facts of each event from them, and turns effects into events.
type desk struct {
	s     txn.State
	rules *throttle.Rules // nil: the throttle is off
	book  *throttle.Book
	box   outbox.Box
	host  *host
	names func(pos.CardRef) throttle.Scopes

	now    time.Duration // logical
	timers [timerCount]time.Duration
	line   txn.Event // what comes at lineTimer
	opID   int
	paper  pos.RecordID
	soon   []txn.Event // what the loop has handed itself

	rows   []pos.Sale          // of the batch, the youngest last
	orders map[string]pos.Sale // what an order reference has paid

	// said is what the rules said since it was last cleared; closed hears of each
	// reversal that is done, took of each event that says what became of money.
	said   []txn.Decided
	closed func(pos.Record)
	took   func(throttle.Event)
}

func newDesk(rules *throttle.Rules, h *host, names func(pos.CardRef) throttle.Scopes) *desk {
	d := &desk{s: txn.New(txn.Durable{}), rules: rules, book: throttle.NewBook(0), host: h, names: names, now: time.Hour, orders: map[string]pos.Sale{}}
	for i := range d.timers {
		d.timers[i] = never
	}
	d.do(txn.Event{Kind: txn.Booted, Profile: profile})
	return d
}

func (d *desk) time() pos.Time { return pos.Time{Wall: monday + d.now.Milliseconds(), Logical: d.now} }

// moment is now, as rules see it.
func (d *desk) moment() throttle.Moment { return d.s.Moment(d.now) }

// do is one step and what the loop does around it. LOOP, terminal.go handle.
func (d *desk) do(e txn.Event) {
	e = d.facts(e)
	next, fx := txn.Step(d.s, e)
	d.s = next
	d.keep(fx)
	for _, x := range fx {
		d.run(x)
	}
	d.armOutbox()
	for len(d.soon) > 0 {
		e := d.soon[0]
		d.soon = d.soon[1:]
		d.do(e)
	}
}

// facts adds what Step cannot know by itself. LOOP, terminal.go facts and
// guard.go watch.
func (d *desk) facts(e txn.Event) txn.Event {
	e.At = d.time()
	settle := d.s.Durable.Settle
	f := d.box.Facts(d.now, settle.Began)
	e.Due, e.Later, e.Untried, e.OpenRev, e.OpenSum = f.Due, f.Later, f.Untried, f.Open, f.OpenSum
	e.HighSTAN = max(d.box.High(), d.s.Durable.STAN)
	switch e.Kind {
	case txn.Presented:
		e.Gated = d.box.Gated(e.Card)
		e.Twin = d.twin(e.Card)
	case txn.Found:
		e.Gated = d.box.Gated(e.Row.Card)
	}
	if d.rules == nil {
		return e
	}
	e.Rules = d.rules
	e.Watch = d.book.Facts(d.scopesFor(&e), d.moment())
	if o := d.s.Order; o != "" && e.Kind == txn.Presented {
		e.Paid = d.orders[o]
	}
	return e
}

// scopesFor finds the names of the card that an event is about.
func (d *desk) scopesFor(e *txn.Event) throttle.Scopes {
	ref := d.s.Card
	switch e.Kind {
	case txn.Presented:
		ref = e.Card
	case txn.Found:
		ref = e.Row.Card
	case txn.SaleDone, txn.Booted:
		ref = d.s.Durable.Open.Card
	case txn.RecordDone, txn.Closed, txn.Parked:
		ref = e.Record.Card
	}
	if ref.IsZero() {
		return throttle.Scopes{}
	}
	return d.names(ref)
}

// twin is the sale that a card and the amount in front of us may be by mistake.
func (d *desk) twin(card pos.CardRef) pos.Sale {
	for _, r := range slices.Backward(d.rows[max(len(d.rows)-lookBack, 0):]) {
		if r.Kind == pos.KindSale && r.State == pos.RowBooked && r.Card == card && r.Amount.Minor == d.s.Keyed && d.now-r.At.Logical <= twinTime {
			return r
		}
	}
	return pos.Sale{}
}

// keep follows the rows of a commit. LOOP, terminal.go keep and guard.go
// keepRows.
func (d *desk) keep(fx []txn.Effect) {
	now := d.moment()
	for _, x := range fx {
		switch x := x.(type) {
		case txn.PutRecord:
			d.box.Put(x.Record)
		case txn.DropRecord:
			k := outbox.Key{Class: x.Class, ID: x.ID}
			if r, ok := d.box.Get(k); ok && r.State != pos.RecordArmed && r.Class == pos.ClassReversal {
				d.closed(r)
			}
			d.box.Drop(k)
		case txn.PutSale:
			d.rows = append(d.rows, x.Row)
		case txn.EditSale:
			for i := range slices.Backward(d.rows) {
				if d.rows[i].RecordID == x.ID {
					if x.State != "" {
						d.rows[i].State = x.State
					}
					d.rows[i].Printed = d.rows[i].Printed || x.Printed
					break
				}
			}
		case txn.CloseBatch:
			d.rows = d.rows[:0]
			for id := range d.host.books { // what is still open can be taken back yet
				if _, ok := d.box.Get(outbox.Key{Class: pos.ClassReversal, ID: id}); !ok {
					delete(d.host.books, id)
				}
			}
		case txn.PutCard:
			d.book.Keep(x.Card, now.At)
		case txn.PutEvent:
			d.book.Note(x.Event, now.Day)
			d.took(x.Event)
		case txn.PutOrder:
			if x.Row.STAN == 0 {
				delete(d.orders, x.Order)
			} else {
				d.orders[x.Order] = x.Row
			}
		}
	}
}

// run carries out one effect. LOOP, run.go.
func (d *desk) run(x txn.Effect) {
	switch x := x.(type) {
	case txn.SendSale:
		r, took := d.host.sale(x.Intent, d.time())
		d.answer(txn.Event{Kind: txn.SaleDone, Reply: r}, took)
	case txn.SendRecord:
		rec, ok := d.box.Pick(outbox.Want{Now: d.now, Card: x.Card, Since: x.Since, Later: x.Later})
		if !ok {
			d.soon = append(d.soon, txn.Event{Kind: txn.RecordDone})
			return
		}
		r, took := d.host.record(rec, d.time())
		d.answer(txn.Event{Kind: txn.RecordDone, Record: rec, Reply: r}, took)
	case txn.SendSignOn:
		r := d.host.reply("00", later(d.time(), time.Second))
		r.KeysOK, r.Batch = true, 1
		d.answer(txn.Event{Kind: txn.SignOnDone, Reply: r}, time.Second)
	case txn.SendSettle:
		r := d.host.reply("00", later(d.time(), time.Second))
		r.Code48 = '1'
		d.answer(txn.Event{Kind: txn.SettleDone, Reply: r}, time.Second)
	case txn.SendAdmin:
		d.answer(txn.Event{Kind: txn.AdminDone, Reply: d.host.reply("00", later(d.time(), time.Second))}, time.Second)
	case txn.FindSale:
		e := txn.Event{Kind: txn.Found}
		if i := slices.IndexFunc(d.rows, func(r pos.Sale) bool { return r.RecordID == x.ID }); i >= 0 {
			e.Row = d.rows[i]
		}
		d.soon = append(d.soon, e)
	case txn.Wake:
		d.soon = append(d.soon, txn.Event{Kind: txn.OutboxDue})
	case txn.Print:
		d.paper, d.timers[paperTimer] = x.ID, d.now+paperTime
	case txn.PrintTotals:
		d.paper, d.timers[paperTimer] = pos.RecordID{}, d.now+paperTime
	case txn.Arm:
		d.opID, d.timers[operatorTimer] = x.ID, d.now+x.D
	case txn.NoteEvent:
		d.book.Note(x.Event, d.moment().Day)
	case txn.Decided:
		d.said = append(d.said, x)
	}
}

// answer is what the line brings after a while.
func (d *desk) answer(e txn.Event, after time.Duration) {
	d.line, d.timers[lineTimer] = e, d.now+after
}

// armOutbox wakes the loop when the next try of a record is due. LOOP,
// terminal.go armOutbox.
func (d *desk) armOutbox() {
	d.timers[outboxTimer] = never
	if d.s.Work != txn.WorkNone {
		return
	}
	at, any := d.box.NextDue(d.s.Quiet() || d.s.Phase == txn.Settling)
	if d.s.Phase == txn.Settling && d.s.Hold > d.now {
		at, any = d.s.Hold, true
	}
	if any {
		d.timers[outboxTimer] = max(at, d.s.Hold, d.now)
	}
}

// next is the timer that is due first.
func (d *desk) next() (which int, at time.Duration) {
	at = never
	for i, t := range d.timers {
		if t < at {
			which, at = i, t
		}
	}
	return which, at
}

// until lets time go by; what is due on the way happens.
func (d *desk) until(t time.Duration) {
	for {
		i, at := d.next()
		if at > t {
			break
		}
		d.fire(i)
	}
	d.now = max(d.now, t)
}

func (d *desk) fire(i int) {
	d.now = max(d.now, d.timers[i])
	d.timers[i] = never
	switch i {
	case lineTimer:
		e := d.line
		d.line = txn.Event{}
		d.do(e)
	case operatorTimer:
		d.do(txn.Event{Kind: txn.TimerExpired, N: d.opID})
	case outboxTimer:
		d.do(txn.Event{Kind: txn.OutboxDue})
	case paperTimer:
		d.do(txn.Event{Kind: txn.PrintDone, ID: d.paper})
	}
}

// wait lets so much time go by.
func (d *desk) wait(t time.Duration) { d.until(d.now + t) }

// keys presses keys, one after another.
func (d *desk) keys(ks ...txn.Key) {
	for _, k := range ks {
		d.wait(keyPace)
		d.do(txn.Event{Kind: txn.KeyPressed, Key: k})
	}
}
