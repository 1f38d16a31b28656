package days

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
)

// order makes one that costs so much.
func (l *life) order(amount int64) *order {
	l.ids++
	o := &order{id: l.ids, amount: amount, price: amount, counted: l.counting}
	if n := l.shop.Prices.Party; n > 0 {
		o.qty = 1 + l.rnd.zipf(n)
		o.amount, o.keyQty = amount*int64(o.qty), o.qty > 1 || l.rnd.percent(l.shop.Qty)
	}
	if l.rnd.percent(l.shop.OrderRef) {
		l.refs++
		o.ref = l.refs
	}
	l.orders = append(l.orders, o)
	if o.counted {
		l.out.Payments++
	}
	return o
}

// like is another order at the same price.
func (l *life) like(o *order) *order {
	x := l.order(o.price)
	if o.qty > 0 {
		x.qty, x.amount, x.keyQty = o.qty, o.amount, o.qty > 1 || l.rnd.percent(l.shop.Qty)
	}
	return x
}

// tries is how often anybody goes on with one order.
const tries = 6

// remembers: per cent of customers who know what the bank has said of a card
// today, and take out another one.
const remembers = 90

// buy is an honest purchase, until it is paid, left to a reversal, or given up.
// It gives the card that the customer goes on with.
func (l *life) buy(o *order, card int32) int32 {
	if c := l.wallet.at(card); c.refuses(o.amount, l.desk.moment().Day) != "" && l.rnd.percent(remembers) {
		card = l.wallet.second(card)
	}
	for range tries {
		if o.state == paid {
			break
		}
		t, end := l.attempt(o, card, o.amount)
		card = t.card
		switch end {
		case isPaid:
			l.accident(o)
			return card
		case isDeclined:
			next, ok := l.refused(t)
			if !ok {
				return card
			}
			card = next
		case isLost:
			l.lostAnswer(o, card)
			return card
		case isHeld: // an earlier purchase of this card is open
			l.out.met(o, throttle.Cool, ruleOpen, false)
			l.later(o, card)
			return card
		case isAbsorbed: // "no, this is the second one": once more, without the number if that was why
			o.ref = 0
			l.desk.wait(l.rnd.between(3*time.Second, 8*time.Second))
		default:
			return card
		}
	}
	return card
}

// choice is what a customer does after a refusal, in per cent.
type choice struct{ other, less, same int }

var choices = map[pos.ResponseCode]choice{
	"51": {fundsOtherCard, fundsLess, fundsSame},
	"05": {otherOtherCard, 0, otherSame},
	"55": {pinOtherCard, 0, pinSame},
	"61": {amountOtherCard, amountLess, amountSame},
	"65": {countOtherCard, 0, countSame},
	"75": {countOtherCard, 0, countSame},
	"91": {hostOtherCard, 0, hostSame},
	"54": {oldOtherCard, 0, oldSame},
}

// refused is what a customer does after a refusal: with which card the order is
// tried next, and whether it is.
func (l *life) refused(t try) (card int32, again bool) {
	l.desk.wait(l.rnd.between(3*time.Second, 12*time.Second))
	p, x := choices[t.rc], l.rnd.IntN(100)
	switch {
	case x < p.other:
		if !l.rnd.percent(hasOther) {
			return 0, false
		}
		return l.wallet.second(t.card), true
	case x < p.other+p.less: // the rest in cash
		t.o.amount = max(l.wallet.at(t.card).less(l.rnd, t.amount), 100)
		t.o.price, t.o.qty = t.o.amount, 0
		return t.card, true
	case x < p.other+p.less+p.same:
		if t.rc == "91" {
			l.desk.wait(l.rnd.between(10*time.Second, 60*time.Second))
		}
		return t.card, true
	}
	return 0, false
}

// accident: now and then a paid order is charged once more.
func (l *life) accident(o *order) {
	if !l.rnd.of1000(repeats) {
		return
	}
	late := l.rnd.late(repeatMedian, repeatSigma)
	for late >= repeatMost {
		late = l.rnd.late(repeatMedian, repeatSigma)
	}
	// The delay ends where the card is presented: the keys come before.
	keys := time.Duration(len(digits(o.price))+1) * keyPace
	if o.qty > 0 || l.shop.OrderRef > 0 {
		keys += 2 * keyPace
	}
	wait := max(late-keys-(cardFirst+cardMost)/2, 0)
	again := func() {
		if o.state != paid { // it was voided meanwhile
			return
		}
		ref := o.ref
		if x := l.rnd.IntN(100); ref != 0 && x >= sameRef {
			if o.ref = 0; x < sameRef+slipRef {
				l.refs++
				o.ref = l.refs
			}
		}
		l.attempt(o, o.card, o.amount)
		o.ref = ref
	}
	if late < 30*time.Second { // before anybody else is served
		l.desk.wait(wait)
		again()
		return
	}
	l.agenda.add(l.desk.now+wait, again)
}

// lostAnswer: nobody knows whether the card was charged. Most cashiers draw it
// again before long; whoever does not waits for the reversal.
func (l *life) lostAnswer(o *order, card int32) {
	if !l.rnd.percent(reswiped) {
		l.later(o, card)
		return
	}
	l.agenda.add(l.desk.now+l.rnd.between(reswipeFirst, reswipeMost), func() { l.reswipe(o, card) })
}

// reswipe presents the card again, sometimes for a little more or less.
func (l *life) reswipe(o *order, card int32) {
	if o.state == unpaid { // settled meanwhile: an honest try
		if o.counted {
			l.out.Settled++
		}
		l.buy(o, card)
		return
	}
	amount := o.amount
	if l.rnd.percent(otherAmount) {
		amount = max(amount+int64(l.rnd.IntN(19))-9, 1)
	}
	_, end := l.attempt(o, card, amount)
	switch end {
	case isPaid: // nobody held it: the customer leaves
	case isHeld:
		l.desk.wait(l.rnd.between(5*time.Second, 20*time.Second))
		if l.desk.s.Code != "" && o.state == open {
			l.desk.keys("cancel")
		}
		l.later(o, card)
	default:
		l.later(o, card)
	}
}

// later pays as soon as the open payment of the card is taken back.
func (l *life) later(o *order, card int32) {
	l.waiting[card] = append(l.waiting[card], waiting{o, l.desk.now})
}

// waiting is a customer who waits for a reversal.
type waiting struct {
	o     *order
	since time.Duration
}

// reversed: the open payment of an order is taken back.
func (l *life) reversed(r pos.Record) {
	o := l.desk.host.open[r.RecordID]
	if o == nil || o.state != open {
		return
	}
	delete(l.desk.host.open, r.RecordID)
	o.state = unpaid
	l.trace = append(l.trace, Attempt{At: l.desk.now, Day: l.desk.moment().Day, Order: o.id, Undo: true})
	card := o.card
	for _, w := range l.waiting[card] {
		if l.desk.now-w.since < leaves {
			l.agenda.add(l.desk.now+l.rnd.between(2*time.Second, 8*time.Second), func() { l.buy(w.o, card) })
		}
	}
	delete(l.waiting, card)
}
