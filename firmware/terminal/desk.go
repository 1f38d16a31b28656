package terminal

import (
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/care"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

// openTicket files a complaint about the last payment: what the device knows of
// every attempt of that card, and what became of it.
func (t *Terminal) openTicket(sort int) {
	c, wall, last := &t.care, t.wall(), t.state.Durable.Last
	k := care.Ticket{At: wall, Sort: sort}
	if last.ID.STAN != 0 {
		k.STAN, k.Batch, k.Amount, k.Card = last.ID.STAN.String(), last.ID.Batch.String(), last.Amount.Minor, last.Masked.Tail()
		k.Chain = t.chainOf(last.Amount.Minor, wall)
	}
	k.Fate = t.fate(k)
	k, drop := c.desk.Open(k)
	rows := append(c.rows[:len(c.rows):len(c.rows)], careRow(ticketKey(k.N), k))
	if drop != 0 {
		rows = append(rows, careRow(ticketKey(drop), nil))
	}
	c.rows = rows
	t.flushIn(0)
	t.logTicket(k, "opened")
	t.seal("seal.ticket", k.No(), t.state.Durable.Operator)
	t.noteSoft(throttle.Event{At: t.state.Moment(t.now().Logical).At, Wall: wall, What: throttle.Ticket, Op: t.state.Durable.Operator, N: uint16(k.N), Amount: k.Amount})
	t.printPage(prompt.PageTicket, k.Lines())
}

func (t *Terminal) logTicket(k care.Ticket, what string) {
	t.o.Journal.Record(journal.Event{Code: prompt.LogTicket, Source: "care", Fields: []journal.Field{journal.Word("ticket", k.No()), journal.Word("what", what),
		journal.Count("sort", k.Sort), journal.Word("stan", k.STAN), journal.Word("fate", strings.TrimPrefix(k.Fate, "fate.")), journal.Count("attempts", len(k.Chain))}})
}

// chainOf is what happened to the card whose last payment had that amount, in the
// last day.
func (t *Terminal) chainOf(amount, wall int64) (chain []care.Step) {
	log := t.guard.book.Log()
	card := uint64(0)
	for i := range log.Len() {
		if e := log.At(i); e.Amount == amount && e.Tags.Card != 0 {
			card = e.Tags.Card
			break
		}
	}
	if card == 0 {
		return nil
	}
	for i := range log.Len() {
		e := log.At(i)
		if e.Tags.Card != card || wall-e.Wall > 24*3600 {
			continue
		}
		what := ""
		switch {
		case e.What == throttle.Stopped:
			what = "step.stopped"
		case e.What == throttle.Absorbed:
			what = "step.absorbed"
		case e.What == throttle.Confirm:
			what = "step.confirmed"
		case e.What == throttle.Refund && e.Outcome == throttle.Approved:
			what = "step.refund"
		case e.What == throttle.Void && e.Outcome == throttle.Approved:
			what = "step.void"
		case e.Outcome == throttle.Approved, e.Outcome == throttle.Voided:
			what = "step.paid"
		case e.Outcome == throttle.Declined:
			what = "step.declined"
		case e.Outcome == throttle.Unknown:
			what = "step.unknown"
		case e.Outcome == throttle.Reversed:
			what = "step.reversed"
		default:
			continue
		}
		chain = append(chain, care.Step{At: e.Wall, What: what, Amount: e.Amount, RC: strings.TrimSpace(e.RC.String())})
		if len(chain) == 8 {
			break
		}
	}
	for i, j := 0, len(chain)-1; i < j; i, j = i+1, j-1 {
		chain[i], chain[j] = chain[j], chain[i]
	}
	return chain
}

// fate is what became of a ticket's payment, by the books.
func (t *Terminal) fate(k care.Ticket) string {
	if k.STAN == "" {
		return care.FateNone
	}
	for _, r := range t.box.All() {
		if r.STAN.String() == k.STAN && r.Batch.String() == k.Batch && r.Class == pos.ClassReversal {
			return care.FateOpen
		}
	}
	if in := t.state.Durable.Open; in.Open() && in.ID.STAN.String() == k.STAN {
		return care.FateOpen
	}
	stan, err1 := strconv.Atoi(k.STAN)
	batch, err2 := strconv.Atoi(k.Batch)
	if err1 == nil && err2 == nil {
		if row, err := t.o.Store.Sale(pos.RecordID{Context: t.o.Profile.Context, Batch: pos.BatchNo(batch), STAN: pos.STAN(stan)}); err == nil {
			if row.State != "" && row.State != pos.RowPending {
				return care.FateVoided
			}
			return care.FatePaid
		}
	}
	if k.Fate == care.FateOpen {
		return care.FateReversed // it waited for its reversal, and waits no more
	}
	if l := t.state.Durable.Last; l.ID.STAN.String() == k.STAN {
		switch c := string(l.Code); {
		case l.Code == prompt.Reversed:
			return care.FateReversed
		case strings.HasPrefix(c, "D-"):
			return care.FateDeclined
		}
	}
	if k.Fate != "" {
		return k.Fate
	}
	return care.FateNone
}

// fates looks once a minute what became of payments that tickets wait for.
func (t *Terminal) fates(wall int64) {
	c := &t.care
	if wall != 0 && wall == c.tickets {
		return
	}
	c.tickets = wall
	for _, k := range c.desk.Learn(t.wall(), t.fate) {
		t.keepCare(careRow(ticketKey(k.N), k))
		t.logTicket(k, "outcome")
		c.hintAt = 0
	}
}

// tell prints the outcome of a ticket for the customer.
func (t *Terminal) tell(k care.Ticket) {
	if k, ok := t.care.desk.Tell(k.N, t.wall()); ok {
		t.keepCare(careRow(ticketKey(k.N), k))
		t.logTicket(k, "told")
		t.printPage(prompt.PageTicket, k.Lines())
		t.care.hintAt = 0
	}
}

// check is the self-check. echo asks the host for a sign of life, and the rest
// follows its answer.
func (t *Terminal) check(echo bool) {
	c := &t.care
	if echo && t.state.Work == txn.WorkNone {
		c.checking, c.asked = true, t.clock.Now().Boot
		c.checked = care.Check(t.checkFacts(-2))
		t.handle(txn.Event{Kind: txn.PageEcho})
		if t.state.Work == txn.WorkAdmin {
			return // it goes on in checkedEcho
		}
	}
	t.checkDone(-2)
}

// firstCheck is when a device that has just started looks at itself.
const firstCheck = 5 * time.Second

// checkedEcho is the end of an echo: of the self-check, if one waits for it.
func (t *Terminal) checkedEcho(ok bool) {
	c := &t.care
	if !c.checking {
		return
	}
	ms := int((t.clock.Now().Boot - c.asked).Milliseconds())
	if !ok {
		ms = -1
	}
	t.checkDone(ms)
}

func (t *Terminal) checkDone(echo int) {
	c := &t.care
	c.checking, c.echo = false, echo
	c.checked, c.checkedAt = care.Check(t.checkFacts(echo)), t.wall()
	well, of := care.Count(c.checked)
	fields := []journal.Field{journal.Count("well", well), journal.Count("of", of)}
	for _, x := range c.checked {
		if x.State == care.Bad || x.State == care.Warn {
			fields = append(fields, journal.Word(strings.TrimPrefix(x.Key, "check."), map[care.State]string{care.Bad: "bad", care.Warn: "look"}[x.State]+" "+x.Text))
		}
	}
	t.o.Journal.Record(journal.Event{Code: prompt.LogCheck, Source: "care", Fields: fields})
	t.noteSoft(throttle.Event{At: t.state.Moment(t.now().Logical).At, Wall: t.wall(), What: throttle.Check, N: uint16(of - well)})
	if well < of {
		t.raise("check", "check", care.Maintenance, 1, itoa(well), itoa(of))
	}
	t.draw()
}
