package scenario

import (
	"fmt"
	"time"

	"swipewell/firmware/diagnose"
	"swipewell/firmware/sim/acquirer"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

// schedule puts what an act does at certain times into the agenda; what it does
// to every event asks for it where the event is (air, pass).
func (r *run) schedule(p *part) {
	at := p.from
	later := func(d time.Duration, f func() error) {
		r.agenda = append(r.agenda, entry{d, func() error {
			r.trace("act: %s", p.Kind)
			return f()
		}})
	}
	gap := func(def Range) time.Duration {
		return time.Duration(p.gap.or(def).draw(r.rnd) * float64(time.Second))
	}
	// spread puts n events between the beginning and the end of the act.
	spread := func(n int, f func() error) {
		for i := range n {
			later(at+(p.until-at)*time.Duration(2*i+1)/time.Duration(2*n), f)
		}
	}
	switch p.Kind {
	case "card-stripe":
		later(at, func() error { return r.one(func(v *visit) { v.fails = p.times }) })
	case "card-chip":
		later(at, func() error { return r.one(func(v *visit) { v.chips = p.times }) })
	case "host":
		if p.Scope == "any" {
			p.Scope = []string{"issuer", "all"}[r.rnd.IntN(2)]
		}
	case "limit-count":
		later(at, func() error { return r.limitCount(p) })
	case "limit-amount":
		spread(max(p.times, 3), func() error { return r.limitAmount() })
	case "repeat":
		spread(max(p.times, 2), func() error { return r.repeat(gap(Range{5, 60})) })
	case "chip-swipe":
		later(at, func() error { return r.chipSwipe(p.times) })
	case "funds":
		later(at, func() error { return r.funds(p.times) })
	case "cancel":
		later(at, func() error { return r.cancels(p.times) })
	case "enumerate":
		later(at, func() error { return r.enumerate(p, gap) })
	case "cashout":
		later(at, func() error { return r.cashout(p, gap) })
	case "stolen":
		n := p.cards
		for i := range n {
			later(at+time.Duration(i)*min(20*time.Minute, p.until-at)/time.Duration(n), func() error { return r.stolen(p) })
		}
	case "rotate":
		later(at, func() error { return r.rotate(p, gap) })
	case "keyed":
		later(at, func() error { return r.keyed(p.times) })
	case "data":
		spread(p.times, func() error { return r.data() })
	case "family":
		spread(max(p.times, 2), func() error { return r.family() })
	case "split":
		spread(max(p.times, 2), func() error { return r.split(p.cards) })
	case "storage":
		n := max(p.times, 1)
		spread(n, func() error { r.failing = r.rnd.IntN(2) == 0; r.slowFor = 900 * time.Millisecond; return r.customer() })
	case "restarts":
		for i := range p.times {
			later(at+time.Duration(i)*9*time.Minute/time.Duration(p.times), func() error { return r.restart(i == 0) })
		}
	case "clock":
		later(at, func() error { return r.clock(p.Scope) })
	case "tamper":
		later(at, func() error {
			return r.h.Do(func() { r.h.Term.Fault(prompt.TamperOpen) })
		})
	}
}

// one serves a customer with something about them.
func (r *run) one(change func(*visit)) error {
	c, err := r.newCard("")
	if err != nil {
		return err
	}
	v := visit{card: c, amount: r.price()}
	change(&v)
	_, err = r.visit(v)
	return err
}

func (r *run) decline(code string) { r.h.Host.Command("decline", code, "-n", "1") }

// limitCount: one issuer's cards have bought enough for today.
func (r *run) limitCount(p *part) error {
	c, err := r.newCard("62284801")
	if err != nil {
		return err
	}
	for i := range p.times + 2 {
		if i >= p.times {
			r.decline("65")
		}
		if _, err := r.visit(visit{card: c, amount: r.price()}); err != nil {
			return err
		}
		if err := r.h.Wait(time.Duration(60+r.rnd.IntN(120)) * time.Second); err != nil {
			return err
		}
	}
	d, err := r.newCard("62284801")
	if err != nil {
		return err
	}
	r.decline("65")
	_, err = r.visit(visit{card: d, amount: r.price()})
	return err
}

// limitAmount: large sums are refused, small ones pass.
func (r *run) limitAmount() error {
	c, err := r.newCard("")
	if err != nil {
		return err
	}
	r.decline("61")
	large := max(r.price()*3, 50_010)
	if _, err := r.visit(visit{card: c, amount: min(large, r.m.limit*7/10)}); err != nil {
		return err
	}
	if err := r.h.Wait(20 * time.Second); err != nil {
		return err
	}
	_, err = r.visit(visit{card: c, amount: r.price() / 4})
	return err
}

// repeat: the cashier did not see the approval.
func (r *run) repeat(gap time.Duration) error {
	c, err := r.newCard("")
	if err != nil {
		return err
	}
	v := r.buys(c)
	e, err := r.visit(v)
	if err != nil || e != paid {
		return err
	}
	if err := r.h.Wait(gap); err != nil {
		return err
	}
	v.mistake = true
	_, err = r.visit(v)
	return err
}

// chipSwipe: a card that wants its chip is swiped, by somebody new.
func (r *run) chipSwipe(n int) error {
	for i := range n {
		c, err := r.newCard("", "service=201")
		if err != nil {
			return err
		}
		if _, err := r.visit(visit{card: c, amount: r.price(), insist: true}); err != nil {
			return err
		}
		if err := r.h.Wait(time.Duration(15+r.rnd.IntN(60)) * time.Second); err != nil {
			return err
		}
		_ = i
	}
	return nil
}

// funds: too little money, and again.
func (r *run) funds(n int) error {
	c, err := r.newCard("", "balance=1.00")
	if err != nil {
		return err
	}
	amount := max(r.price(), 1000)
	for range n + 1 {
		if _, err := r.visit(visit{card: c, amount: amount, insist: true}); err != nil {
			return err
		}
		if err := r.h.Wait(time.Duration(10+r.rnd.IntN(50)) * time.Second); err != nil {
			return err
		}
	}
	return nil
}

// cancels: the wrong amount, begun again and again.
func (r *run) cancels(n int) error {
	for range n {
		if err := r.begin(r.price()); err != nil {
			return err
		}
		if err := r.h.Wait(time.Duration(3+r.rnd.IntN(15)) * time.Second); err != nil {
			return err
		}
		if err := r.h.Press("cancel"); err != nil {
			return err
		}
	}
	return r.customer()
}

// enumerate: many cards of one series, quickly, most of them refused.
func (r *run) enumerate(p *part, gap func(Range) time.Duration) error {
	bin := fmt.Sprintf("62258%03d", r.rnd.IntN(1000))
	for range p.cards {
		c, err := r.newCard(bin)
		if err != nil {
			return err
		}
		if r.rnd.Float64() < p.share {
			r.decline([]string{"14", "14", "54", "05", "59"}[r.rnd.IntN(5)])
		}
		if _, err := r.visit(visit{card: c, amount: 100 + int64(r.rnd.IntN(900)), insist: true}); err != nil {
			return err
		}
		if err := r.h.Wait(gap(Range{5, 25})); err != nil {
			return err
		}
	}
	r.h.Host.Command("decline", "off")
	return nil
}

// cashout: one card, just below the limit, again and again.
func (r *run) cashout(p *part, gap func(Range) time.Duration) error {
	c, err := r.newCard("")
	if err != nil {
		return err
	}
	for range p.times {
		amount := int64(float64(r.m.limit) * p.share)
		amount -= int64(r.rnd.IntN(5000))
		if _, err := r.visit(visit{card: c, amount: amount}); err != nil {
			return err
		}
		if err := r.h.Wait(gap(Range{180, 540})); err != nil {
			return err
		}
	}
	return nil
}

// stolen: a card that its bank wants kept.
func (r *run) stolen(p *part) error {
	c, err := r.newCard("")
	if err != nil {
		return err
	}
	r.decline(p.Codes[r.rnd.IntN(len(p.Codes))])
	_, err = r.visit(visit{card: c, amount: r.price() * 2, insist: true})
	return err
}

// rotate: a few cards in turn, round sums.
func (r *run) rotate(p *part, gap func(Range) time.Duration) error {
	var cs []acquirer.Card
	for range p.cards {
		c, err := r.newCard("")
		if err != nil {
			return err
		}
		cs = append(cs, c)
	}
	n := max(p.times, 2*p.cards)
	for i := range n {
		amount := min(int64(1+r.rnd.IntN(4))*100_000, r.m.limit/100_000*100_000)
		if _, err := r.visit(visit{card: cs[i%len(cs)], amount: max(amount, 100_000)}); err != nil {
			return err
		}
		if err := r.h.Wait(gap(Range{60, 240})); err != nil {
			return err
		}
	}
	return nil
}

// keyed: numbers that cannot be.
func (r *run) keyed(n int) error {
	for range n {
		if err := r.one(func(v *visit) { v.typed = true }); err != nil {
			return err
		}
		if err := r.h.Wait(time.Duration(10+r.rnd.IntN(40)) * time.Second); err != nil {
			return err
		}
	}
	return nil
}

// data: a track that ends too early, or whose number cannot be.
func (r *run) data() error {
	return r.one(func(v *visit) {
		t := v.card.Track2()
		switch r.rnd.IntN(3) {
		case 0:
			v.raw = t[:12]
		case 1:
			b := []byte(t)
			b[8] = '0' + (b[8]-'0'+3)%10
			v.raw = string(b)
		default:
			v.raw = t[:len(v.card.PAN)+3]
		}
	})
}

// family: a second payment of one card and amount, as meant.
func (r *run) family() error {
	c, err := r.newCard("")
	if err != nil {
		return err
	}
	v := visit{card: c, amount: r.price()}
	for range 2 {
		if _, err := r.visit(v); err != nil {
			return err
		}
		if err := r.h.Wait(time.Duration(15+r.rnd.IntN(60)) * time.Second); err != nil {
			return err
		}
	}
	return nil
}

// split: one bill, several cards.
func (r *run) split(n int) error {
	amount := r.price()
	for range n {
		c, err := r.newCard("")
		if err != nil {
			return err
		}
		if _, err := r.visit(visit{card: c, amount: amount}); err != nil {
			return err
		}
		if err := r.h.Wait(10 * time.Second); err != nil {
			return err
		}
	}
	return nil
}

// restart is a crash of the program; fresh comes with another version.
func (r *run) restart(fresh bool) error {
	if fresh {
		r.version = "1.1"
	}
	r.win = &diagnose.Window{}
	if err := r.h.Restart(); err != nil {
		return err
	}
	r.h.Term.Book().Learn(r.learned)
	if r.h.State().Phase == txn.Halted {
		return nil
	}
	return r.h.Wait(20 * time.Second)
}

// clock: a battery that is dead, or a step.
func (r *run) clock(scope string) error {
	if scope == "any" {
		scope = []string{"1970", "2000", "step"}[r.rnd.IntN(3)]
	}
	boot := r.h.Clock.Boot
	switch scope {
	case "1970":
		r.h.Clock.Wall = time.Unix(0, 0).Add(-boot)
	case "2000":
		r.h.Clock.Wall = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(-boot)
	default:
		hours := []time.Duration{-1, 1, 26, 24 * 40, 24 * 365 * 10}
		r.h.Clock.Wall = r.h.Clock.Wall.Add(hours[r.rnd.IntN(len(hours))] * time.Hour)
	}
	if scope == "1970" || scope == "2000" {
		r.win = &diagnose.Window{}
		if err := r.h.Restart(); err != nil {
			return err
		}
	}
	return r.customer()
}
