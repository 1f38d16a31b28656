package days

import "time"

// splitRef: per cent of split bills at which the bill's number is keyed for each
// part, so that the second part looks paid.
const splitRef = 10

// gapSigma is that of the logarithm of every gap in a story.
const gapSigma = 0.8

// customer is who comes: a regular, or somebody new.
func (l *life) customer() int32 {
	if l.rnd.percent(l.shop.KnownShare) {
		return l.known[l.rnd.IntN(len(l.known))]
	}
	return l.wallet.add()
}

// visit is one customer with one story.
func (l *life) visit() {
	s, many := &l.shop.Stories, l.stories
	x := l.rnd.Float64() * 1000
	is := func(rate float64) bool { // one story a visit
		x -= rate * many
		return x < 0
	}
	card := l.customer()
	switch {
	case is(s.Twice):
		l.twice(card)
	case is(s.Gifts):
		l.gifts(card)
	case is(s.Split):
		l.split(card)
	case is(s.Again):
		card = l.buy(l.order(l.price()), card)
		l.after(l.rnd.late(s.AgainIn, gapSigma), func() { l.buy(l.order(l.extra()), card) })
	case is(s.Chain):
		card = l.buy(l.order(l.price()), card)
		l.chain(card, 1+l.rnd.zipf(s.ChainMost-1))
	case is(s.Correct):
		l.correct(card)
	default:
		o := l.order(l.price())
		card = l.buy(o, card)
		l.rides(o, card)
	}
}

// extra is what somebody comes back for, or pays later in a visit.
func (l *life) extra() int64 {
	if p := l.shop.Extra; p.Step > 0 {
		return p.amount(l.rnd)
	}
	return l.price()
}

func (l *life) price() int64 { return l.shop.Prices.amount(l.rnd) }

// after is a visit so much later.
func (l *life) after(d time.Duration, do func()) { l.agenda.add(l.desk.now+d, do) }

// twice: the same sum for somebody else, on the same card.
func (l *life) twice(card int32) {
	o := l.order(l.price())
	if card = l.buy(o, card); o.state != paid {
		return // nobody pays for the second while the first is not settled
	}
	second := func() { l.buy(l.like(o), card) }
	if gap := l.rnd.late(l.shop.Stories.TwiceIn, gapSigma); gap > 40*time.Second {
		l.after(gap, second)
	} else { // nobody is served in between
		l.desk.wait(gap)
		second()
	}
}

// gifts: equal sums, each on a slip of its own.
func (l *life) gifts(card int32) {
	o := l.order(l.price())
	card = l.buy(o, card)
	for range 2 + l.rnd.IntN(3) {
		if o.state != paid {
			return
		}
		l.desk.wait(l.rnd.between(5*time.Second, 20*time.Second))
		o = l.like(o)
		card = l.buy(o, card)
	}
}

// split: one bill in equal parts, a card each.
func (l *life) split(card int32) {
	n := 2 + l.rnd.zipf(3)
	sum := l.price()
	part, ref := max(sum/int64(n), 100), int32(0)
	for i := range n {
		o := l.order(part)
		if i == 0 && l.rnd.percent(splitRef) {
			ref = o.ref
		}
		o.ref = ref
		l.buy(o, card)
		card = l.customer()
		l.desk.wait(l.rnd.between(3*time.Second, 10*time.Second))
	}
}

// chain: n more payments of one visit.
func (l *life) chain(card int32, n int) {
	if n == 0 {
		return
	}
	l.after(l.rnd.late(l.shop.Stories.ChainIn, gapSigma), func() { l.chain(l.buy(l.order(l.extra()), card), n-1) })
}

// rides: who has ridden rides again, mostly the same party for the same price.
func (l *life) rides(o *order, card int32) {
	if !l.rnd.of1000(l.shop.Stories.Rides * l.stories) {
		return
	}
	l.after(l.rnd.late(l.shop.Stories.RidesIn, gapSigma), func() {
		next := l.order(l.price())
		if l.rnd.percent(70) {
			next.price, next.qty, next.amount, next.keyQty = o.price, o.qty, o.amount, o.qty > 1 || l.rnd.percent(l.shop.Qty)
		}
		l.rides(next, l.buy(next, card))
	})
}

// correct: a wrong amount is paid and voided at once, and the right one is
// charged: another sum mostly, and now and then the same after all.
func (l *life) correct(card int32) {
	o := l.order(l.price())
	if l.buy(o, card); o.state != paid {
		return
	}
	l.desk.wait(l.rnd.between(5*time.Second, 40*time.Second))
	if !l.void(o) {
		return
	}
	l.desk.wait(l.rnd.between(3*time.Second, 15*time.Second))
	next := l.order(l.price())
	if l.rnd.percent(20) {
		next.price, next.qty, next.amount, next.keyQty = o.price, o.qty, o.amount, o.keyQty
	}
	l.buy(next, o.card)
}
