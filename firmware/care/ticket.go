package care

import (
	"fmt"
	"slices"
	"time"
)

// Ticket is a customer's complaint about one payment: what they say, what the
// device knows, and what became of it.
type Ticket struct {
	N      int    `json:"n"`
	At     int64  `json:"at"`   // Unix seconds
	Sort   int    `json:"sort"` // 1 charged twice, 2 no slip, 3 other
	STAN   string `json:"stan"` // the payment, "" none
	Batch  string `json:"batch"`
	Amount int64  `json:"amount"` // fen
	Card   string `json:"card"`   // its last four digits
	Chain  []Step `json:"chain,omitempty"`
	Fate   string `json:"fate"` // a key: "fate.paid"
	Closed int64  `json:"closed,omitempty"`
	Told   int64  `json:"told,omitempty"` // when the outcome was printed or shown
}

// Step is one entry of what happened to a card's payments.
type Step struct {
	At     int64  `json:"at"`
	What   string `json:"what"` // a key: "step.sale"
	STAN   string `json:"stan,omitempty"`
	Amount int64  `json:"amount"`
	RC     string `json:"rc,omitempty"`
}

// Fates of a payment, keys of texts.
const (
	FatePaid     = "fate.paid"
	FateDeclined = "fate.declined"
	FateOpen     = "fate.open" // its reversal is on the way
	FateReversed = "fate.reversed"
	FateVoided   = "fate.voided"
	FateNone     = "fate.none" // nothing of the kind is in the books
)

// settled fates do not change any more.
func settled(fate string) bool { return fate != FateOpen }

// SLA is how long a ticket may wait for its outcome.
const SLA = 24 * 3600

// No is the number that the customer gets.
func (t Ticket) No() string { return fmt.Sprintf("F%s-%04d", dayNo(t.At), t.N) }

// dayNo is a day as people write it in numbers: 261126.
func dayNo(wall int64) string { return time.Unix(wall, 0).UTC().Add(Zone).Format("060102") }

// Desk keeps tickets. The zero value is empty.
type Desk struct {
	list []*Ticket
}

const mostTickets = 200

// Load takes tickets as they were kept.
func (d *Desk) Load(list []Ticket) {
	d.list = d.list[:0]
	for i := range list {
		d.list = append(d.list, &list[i])
	}
	slices.SortFunc(d.list, func(a, b *Ticket) int { return a.N - b.N })
}

// Open files a ticket; drop is the number of one that goes for it, 0 none.
func (d *Desk) Open(t Ticket) (out Ticket, drop int) {
	t.N = 1
	if k := len(d.list); k > 0 {
		t.N = d.list[k-1].N + 1
	}
	if settled(t.Fate) && t.Sort != 3 {
		t.Closed = max(t.At, 1)
	}
	d.list = append(d.list, &t)
	if len(d.list) > mostTickets {
		i := max(slices.IndexFunc(d.list, func(x *Ticket) bool { return x.Closed != 0 }), 0)
		drop = d.list[i].N
		d.list = slices.Delete(d.list, i, i+1)
	}
	return t, drop
}

// Learn gives open tickets the fate that is known now; changed are those that it
// closed.
func (d *Desk) Learn(wall int64, fate func(t Ticket) string) (changed []Ticket) {
	for _, t := range d.list {
		if t.Closed != 0 || t.Sort == 3 && settled(t.Fate) {
			continue
		}
		if f := fate(*t); f != t.Fate {
			t.Fate = f
			if settled(f) {
				t.Closed, t.Told = max(wall, 1), 0
			}
			changed = append(changed, *t)
		}
	}
	return changed
}

// News are tickets whose outcome came later than they were opened, and that
// nobody has been told of.
func (d *Desk) News() (t Ticket, ok bool) {
	for _, x := range d.list {
		if x.Closed > x.At && x.Told == 0 {
			return *x, true
		}
	}
	return t, false
}

// Tell marks one as told.
func (d *Desk) Tell(n int, wall int64) (t Ticket, ok bool) {
	for _, x := range d.list {
		if x.N == n {
			x.Told = max(wall, 1)
			return *x, true
		}
	}
	return t, false
}

// Close ends the oldest open ticket on a person's word.
func (d *Desk) Close(wall int64) (t Ticket, ok bool) {
	for _, x := range d.list {
		if x.Closed == 0 {
			x.Closed, x.Told = max(wall, 1), max(wall, 1)
			return *x, true
		}
	}
	return t, false
}

// OpenN is how many are open, and how many of these for too long.
func (d *Desk) OpenN(wall int64) (open, late int) {
	for _, t := range d.list {
		if t.Closed == 0 {
			open++
			if wall-t.At > SLA {
				late++
			}
		}
	}
	return open, late
}

// All are all of them, the oldest first.
func (d *Desk) All() (list []Ticket) {
	for _, t := range d.list {
		list = append(list, *t)
	}
	return list
}

// Lines are one ticket in full: for the page and for its slip.
func (t Ticket) Lines() (page []Line) {
	page = append(page, say("ticket.no", t.No(), date(t.At)), say("ticket.sort."+num(t.Sort)))
	if t.STAN != "" {
		page = append(page, say("ticket.sale", yuan(t.Amount), t.Card, t.STAN))
	}
	page = append(page, say(t.Fate, yuan(t.Amount)))
	for _, s := range t.Chain {
		page = append(page, say(s.What, clock(s.At), yuan(s.Amount), s.RC))
	}
	return page
}

// Page is the desk: how to open one, and those there are.
func (d *Desk) Page(wall int64) (page []Line) {
	page = append(page, say("ticket.ask"))
	open, late := d.OpenN(wall)
	page = append(page, say("ticket.open", num(open), num(late)))
	for i := len(d.list) - 1; i >= 0 && i >= len(d.list)-10; i-- {
		page = append(page, d.list[i].Lines()...)
	}
	return page
}
