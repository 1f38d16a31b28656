package days

import (
	"strconv"
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

// ending is how one try of an order ended.
type ending uint8

const (
	gaveUp     ending = iota // by a stop, or at a question
	isPaid                   // the screen says so
	isDeclined               // with try.rc
	isLost                   // no answer came
	isHeld                   // an earlier payment of the card is open
	isAbsorbed               // an earlier result was shown, nothing was sent
)

// try is one go at an order with a card.
type try struct {
	o      *order
	card   int32
	amount int64
	truth  Truth
	rc     pos.ResponseCode
	at     int // of its attempt in the trace; -1 before the card
}

// attempt keys an order, presents a card, and does what a cashier does with
// what the screen says. amount differs from the order's where somebody keys a
// little less.
func (l *life) attempt(o *order, card int32, amount int64) (t try, end ending) {
	t = try{o: o, card: card, amount: amount, rc: "00", at: -1}
	if !l.form(&t) {
		return t, gaveUp
	}
	l.misread(card)
	l.present(&t)
	return t, l.follow(&t)
}

// form keys amount, quantity and order number, up to the card.
func (l *life) form(t *try) bool {
	d := l.desk
	for range 4 { // what stands there is acknowledged, or given up
		if p := d.s.Phase; p == txn.Ready || p == txn.Result {
			break
		}
		d.keys("cancel")
	}
	price := t.amount
	if t.o.qty > 0 && t.amount == t.o.amount {
		price = t.o.price
	}
	l.hear(t) // what it said of keys since the last form
	d.keys(digits(price)...)
	d.keys("enter")
	if d.s.Phase == txn.Keying && d.s.Note == prompt.RuleTypo { // the same again is meant
		l.met(t, throttle.Ask, throttle.IDTypo)
		d.keys(digits(price)...)
		d.keys("enter")
	}
	for range 2 {
		if d.s.Phase != txn.Entering {
			break
		}
		switch d.s.Code {
		case prompt.AskQuantity:
			if t.o.keyQty && price != t.amount || t.o.keyQty && t.o.qty == 1 {
				d.keys(digits(int64(t.o.qty))...)
			}
		case prompt.AskOrder:
			if t.o.ref != 0 {
				d.keys(digits(int64(t.o.ref))...)
			}
		}
		d.keys("enter")
	}
	return d.s.Phase == txn.AwaitCard
}

func digits(n int64) (ks []txn.Key) {
	for _, c := range strconv.FormatInt(n, 10) {
		ks = append(ks, txn.Key(string(c)))
	}
	return ks
}

// misread draws a card that is not read, once or more.
func (l *life) misread(card int32) {
	bad, code := badStripe, prompt.CardLRC
	if l.wallet.at(card).chip {
		bad, code = badChip, prompt.CardUnreadable
	}
	for l.rnd.percent(bad) {
		l.desk.wait(l.rnd.between(cardFirst, cardMost))
		l.desk.do(txn.Event{Kind: txn.Unreadable, Code: code})
		bad = badAgain
	}
}

// present lets the card be read, and writes down what the attempt is.
func (l *life) present(t *try) {
	d := l.desk
	d.wait(l.rnd.between(cardFirst, cardMost))
	t.truth = t.o.truth(t.card)
	c := l.wallet.at(t.card)
	p := plan{o: t.o, rc: c.answer(l.rnd, t.amount, d.moment().Day)}
	switch {
	case p.rc != "00":
		p.answer = Declines
	case t.truth == Honest && l.rnd.of1000(lost):
		p.answer, p.trouble = LostBefore, l.rnd.late(troubleMedian, troubleSigma)
		if l.rnd.percent(lostBooked) {
			p.answer = LostBooked
		}
	}
	t.rc = p.rc
	d.host.plan, d.host.used = p, false
	a := Attempt{At: d.now, Day: d.moment().Day, Order: t.o.id, Truth: t.truth, Counted: t.o.counted, Card: t.card, Last4: c.last4, Chunk: c.chunk,
		Chip: c.chip, Amount: t.amount, Ref: t.o.ref, Answer: p.answer}
	if p.answer == Declines {
		a.RC = throttle.RCOf(p.rc)
	}
	if t.truth == Repeat {
		a.Late = d.now - t.o.paid
	}
	t.at = len(l.trace)
	l.trace = append(l.trace, a)
	l.read(t)
}

// read is the card in the reader, at first or once more.
func (l *life) read(t *try) {
	c := l.wallet.at(t.card)
	entry := pos.EntrySwipe
	if c.chip {
		entry = pos.EntryChip
	}
	l.desk.do(txn.Event{Kind: txn.Presented, Card: c.ref, Masked: c.masked, Entry: entry})
	l.hear(t)
}

// hear takes what the rules said of an attempt.
func (l *life) hear(t *try) {
	d := l.desk
	for _, x := range d.said {
		switch x.On {
		case throttle.PreSale, throttle.OnOverride:
			l.met(t, x.Decision.Action, x.Decision.Rule)
		default:
			l.out.guide(t.o, x)
		}
	}
	d.said = d.said[:0]
	if d.s.Phase == txn.AwaitCard && d.s.Code == prompt.TooManyOpen {
		l.met(t, throttle.Cool, ruleOpen) // others' reversals are open: waited for
	}
}

// met writes down what a rule did to an attempt: the first word on what an
// accident is counts, and each sort once on an honest purchase.
func (l *life) met(t *try, a throttle.Action, id throttle.ID) {
	if t.at >= 0 && a > l.trace[t.at].Action {
		l.trace[t.at].Action, l.trace[t.at].Rule = a, id
	}
	if t.truth == Honest {
		l.out.met(t.o, a, id, t.rc != "00")
	}
}

// follow goes on from the card to the end.
func (l *life) follow(t *try) ending {
	d := l.desk
	for range 64 {
		switch s := &d.s; s.Phase {
		case txn.AwaitCard:
			if s.Code == prompt.Gated {
				l.trace[t.at].Held = true
				return isHeld
			}
			return gaveUp
		case txn.Choosing:
			d.wait(l.rnd.between(askedFirst, askedMost))
			if t.truth != Honest { // "that one is paid"
				d.keys("cancel")
				return gaveUp
			}
			d.do(txn.Event{Kind: txn.KeyPressed, Key: "3"})
			l.hear(t)
		case txn.Stopped:
			if !l.stopped(t) {
				return gaveUp
			}
		case txn.Confirming:
			d.wait(l.rnd.between(confirmFirst, confirmMost))
			if l.noticed(t) {
				d.keys("cancel")
				return gaveUp
			}
			d.do(txn.Event{Kind: txn.KeyPressed, Key: "enter"})
		case txn.EnteringPIN:
			d.wait(l.rnd.between(pinFirst, pinMost))
			d.do(txn.Event{Kind: txn.PINDone, PIN: txn.PINEntered})
		case txn.Preparing, txn.Online:
			_, at := d.next()
			d.until(at)
		case txn.Ready, txn.Result:
			return l.ended(t)
		default:
			return gaveUp
		}
	}
	return gaveUp
}

// noticed: the note beside the confirm step speaks of the payment that this one
// repeats, and somebody reads it.
func (l *life) noticed(t *try) bool {
	if t.truth != Repeat || l.desk.s.Note == "" || l.trace[t.at].Action != throttle.Warn || l.trace[t.at].Rule.Num() != 2 {
		return false
	}
	return !l.rnd.percent(overlooks)
}

// stopped is what is done where a rule stops a card: an accident ends there; a
// short stop is waited for; else another card is presented. false: given up.
func (l *life) stopped(t *try) bool {
	d := l.desk
	if t.truth != Honest {
		d.keys("cancel")
		return false
	}
	if left := d.s.Left(d.now); left > 0 && left <= patience {
		d.wait(left + time.Second)
		if d.s.Phase == txn.AwaitCard {
			l.read(t)
			return true
		}
	}
	if d.s.Phase != txn.Stopped || !l.rnd.percent(hasOther) {
		d.keys("cancel")
		return false
	}
	t.card = l.wallet.second(t.card)
	l.present(t)
	return true
}

// ended reads the result.
func (l *life) ended(t *try) ending {
	d, o := l.desk, t.o
	if !d.host.used {
		if a := l.trace[t.at].Action; a == throttle.Absorb {
			return isAbsorbed
		}
		return gaveUp
	}
	l.trace[t.at].Sent = true
	switch d.host.plan.answer {
	case Declines:
		return isDeclined
	case Approves:
		if t.truth == Repeat {
			o.again = true
			return isPaid
		}
		o.state, o.card, o.paid = paid, t.card, d.now
		return isPaid
	}
	o.state, o.card = open, t.card
	return isLost
}
