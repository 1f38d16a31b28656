package throttle

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"swipewell/ui/prompt"
)

// field reads the value of one field of a rule.
func (p *parser) field(r *Rule, name token) {
	switch name.text {
	case "on":
		r.On = 0
		for {
			r.On |= 1 << p.oneOf("point", pointNames)
			if !p.accept(",") {
				return
			}
		}
	case "match":
		r.Match = Match{}
		for {
			p.match(&r.Match)
			if !p.accept(",") {
				return
			}
		}
	case "window":
		r.Window = p.window()
	case "measure":
		r.Measure = nil
		for {
			r.Measure = append(r.Measure, p.measure())
			if !p.accept(",") && !p.accept("and") {
				return
			}
		}
	case "this":
		r.This = This{}
		for {
			p.this(&r.This)
			if !p.accept(",") && !p.accept("and") {
				return
			}
		}
	case "unless":
		r.Unless = 0
		if p.accept("none") {
			return
		}
		for {
			r.Unless |= p.unless()
			if !p.accept(",") {
				return
			}
		}
	case "action":
		old := r.Action.Override
		r.Action = p.action()
		r.Action.Override = old
	case "override":
		r.Action.Override = p.override()
	case "text":
		t := p.word("the name of a text")
		if _, ok := prompt.RuleTexts[t.text]; !ok {
			p.fail(t, "no text %s; `postool rules texts` lists them", t.text)
		}
		r.Text = t.text
	case "evidence":
		r.Evidence = nil
		for {
			t := p.word("a cause, as OPR.repeat")
			if _, ok := prompt.CauseNames[t.text]; !ok {
				p.fail(t, "no cause %s", t.text)
			}
			p.expect("+=")
			n := p.word("a number")
			v, err := strconv.ParseFloat(n.text, 64)
			if err != nil || v < -5 || v > 5 {
				p.fail(n, "%v is no weight: -5 to 5 nats", n)
			}
			r.Evidence = append(r.Evidence, Evidence{t.text, v})
			if !p.accept(",") {
				return
			}
		}
	case "cap":
		r.Cap = Cap(p.oneOf("cap", capNames))
	case "why":
		t := p.next()
		if t.kind != quoted || strings.TrimSpace(t.text) == "" {
			p.fail(t, "%v where a reason in quotes is wanted", t)
		}
		r.Why = t.text
	default:
		p.fail(name, "a rule has no field %s", name.text)
	}
}

// match reads one predicate over stored events.
func (p *parser) match(m *Match) {
	switch t := p.word("a predicate"); t.text {
	case "outcome":
		p.set(func() { m.Outcomes = append(m.Outcomes, Outcome(p.oneOf("outcome", outcomes[:]))) })
	case "class":
		p.set(func() { m.Classes = append(m.Classes, p.word("a class").text) })
	case "rc":
		p.set(func() { m.RCs = append(m.RCs, p.rc()) })
	case "kind":
		p.set(func() { m.Whats = append(m.Whats, What(p.oneOf("kind", whatNames[:]))) })
	case "entry":
		p.set(func() { m.Entries = append(m.Entries, Entry(p.oneOf("entry", entries[:]))) })
	case "same":
		m.Same |= 1 << p.oneOf("what is the same", sameNames)
	case "amount":
		p.amount(&m.Amount)
	default:
		p.fail(t, "no predicate %v; there are outcome, class, rc, kind, entry, same, amount", t)
	}
}

// amount reads what follows the word: `>= X`, `multiple of X`.
func (p *parser) amount(a *Amounts) {
	if p.accept("multiple") {
		p.accept("of")
		if a.Multiple = p.money(); a.Multiple == 0 {
			p.fail(p.toks[p.at-1], "a multiple of nothing")
		}
		return
	}
	p.expect(">=")
	t := p.peek()
	if n, ok := p.percent(t); ok {
		p.next()
		p.expect("of")
		p.expect("limit")
		a.OfLimit = n
		return
	}
	switch t.text {
	case "p90":
		p.next()
		a.P90 = true
	case "matched":
		p.next()
		a.Matched = true
	default:
		a.Min = p.money()
	}
}

func (p *parser) window() Window {
	switch t := p.word("a window"); t.text {
	case "sliding":
		return Window{Kind: Sliding, Dur: p.duration(time.Second, aMonth)}
	case "calendar":
		p.expect("day")
		return Window{Kind: CalendarDay}
	case "day":
		return Window{Kind: CalendarDay}
	case "gcra":
		w := Window{Kind: Rate}
		p.expect("T")
		p.expect("=")
		w.Rate.T = p.duration(time.Second, time.Hour)
		p.expect("burst")
		p.expect("=")
		b := p.peek()
		if w.Rate.Burst = int(p.count()); w.Rate.Burst < 1 || w.Rate.Burst > 1000 {
			p.fail(b, "a burst of %v", b)
		}
		return w
	case "until":
		p.expect("resolved")
		return Window{Kind: Unresolved}
	case "ever":
		return Window{Kind: Ever}
	case "in":
		p.expect("flight")
		return Window{Kind: InFlight}
	default:
		p.fail(t, "no window %v; there are sliding D, calendar day, gcra T=D burst=N, until resolved, ever, in flight", t)
		return Window{}
	}
}

// measure reads `count >= 2`, `sum(amount) >= 5x median`, `distinct(card) <= 66%
// of count`.
func (p *parser) measure() (m Measure) {
	t := p.word("a measure")
	arg := func(words ...string) {
		if p.accept("(") {
			w := p.word(strings.Join(words, " or "))
			if !slices.Contains(words, w.text) {
				p.fail(w, "%s of %v is not measured", t.text, w)
			}
			p.expect(")")
		}
	}
	switch t.text {
	case "count":
		m.Of = Count
	case "sum":
		arg("amount")
		m.Of = Sum
	case "distinct":
		arg("card")
		m.Of = DistinctCards
	default:
		p.fail(t, "no measure %v; there are count, sum(amount), distinct(card)", t)
	}
	switch op := p.next(); op.text {
	case ">=":
		m.Least = true
	case "<=":
	default:
		p.fail(op, "%v where >= or <= is wanted", op)
	}
	v := p.peek()
	if n, ok := p.percent(v); ok && m.Of == DistinctCards {
		p.next()
		p.expect("of")
		p.expect("count")
		m.N, m.Scale = int64(n), OfCount
		return m
	}
	if m.Of != Sum {
		m.N = p.count()
		return m
	}
	if s, ok := strings.CutSuffix(v.text, "x"); ok {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 1000 {
			p.fail(v, "%v is no multiple", v)
		}
		p.next()
		p.expect("median")
		m.N, m.Scale = int64(n), OfMedian
		return m
	}
	m.N = p.money()
	return m
}

// this reads a condition on the attempt itself.
func (p *parser) this(t *This) {
	switch w := p.word("a condition"); w.text {
	case "amount":
		p.amount(&t.Amount)
	case "outside":
		p.expect("hours")
		t.Outside = p.duration(time.Minute, 12*time.Hour)
	case "entry":
		p.set(func() { t.Entries = append(t.Entries, Entry(p.oneOf("entry", entries[:]))) })
	case "no":
		p.expect("sale")
		t.NoSale = true
	default:
		p.fail(w, "no condition %v; there are amount, outside hours D, entry, no sale", w)
	}
}

// unless reads an exemption, in short or in whole words.
func (p *parser) unless() Unless {
	t := p.word("an exemption")
	switch t.text {
	case "order_ref", "order":
		p.expect("differs")
		if p.accept("from") {
			p.expect("matched")
		}
		return UnlessOrder
	case "mode":
		p.expect("=")
		p.expect("ticket")
		p.expect("and")
		if !p.accept("qty") {
			p.expect("quantity")
		}
		p.expect("confirmed")
		return UnlessQuantity
	case "qty", "quantity":
		if !p.accept("confirmed") {
			p.expect("keyed")
		}
		return UnlessQuantity
	case "grace":
		p.expect("token")
		p.expect("valid")
		return UnlessGrant
	case "grant":
		return UnlessGrant
	case "linked":
		return UnlessLinked
	}
	p.fail(t, "no exemption %v; there are order_ref differs, quantity keyed, grant, linked", t)
	return 0
}

// action reads `confirm(default=VIEW)`, `cooldown(60s, ladder)`,
// `supervisor(pin)`, `refuse(24h)`, `lock(15m, keyed, swipe)`.
func (p *parser) action() (o Order) {
	t := p.peek()
	o.Do = Action(p.oneOf("action", actionNames))
	open := p.accept("(")
	switch o.Do {
	case Ask:
		if open && p.accept("default") {
			p.expect("=")
			if d := p.word("view"); !strings.EqualFold(d.text, "view") {
				p.fail(d, "the default of a question is view: it never charges")
			}
		}
	case Cool:
		if !open {
			p.fail(t, "cooldown needs a length: cooldown(60s)")
		}
		if p.accept("ladder") {
			o.Ladder = true
			break
		}
		o.Dur = p.duration(time.Second, time.Hour)
		if p.accept(",") {
			p.expect("ladder")
			o.Ladder = true
		}
	case Supervise:
		if !open {
			p.fail(t, "supervisor needs its factors: supervisor(pin) or supervisor(pin+token)")
		}
		o.Factors = p.factors()
	case Refuse:
		if !open {
			p.fail(t, "refuse needs an end: refuse(24h), refuse(day), refuse(resolved), refuse(ever)")
		}
		switch w := p.peek(); w.text {
		case "day":
			p.next()
			o.Until = UntilDay
		case "resolved":
			p.next()
			o.Until = UntilResolved
		case "ever":
			p.next()
			o.Until = UntilEver
		default:
			o.Dur = p.duration(time.Second, aMonth)
		}
	case Lock:
		if !open {
			p.fail(t, "lock needs a length: lock(15m, keyed)")
		}
		o.Dur = p.duration(time.Second, 24*time.Hour)
		for p.accept(",") || p.accept("+") {
			o.Entries = append(o.Entries, Entry(p.oneOf("entry", entries[:])))
		}
		if len(o.Entries) == 0 {
			o.Entries = []Entry{Keyed}
		}
	default:
		if open {
			p.fail(p.peek(), "%s takes nothing in brackets", actionNames[o.Do])
		}
	}
	if open {
		p.expect(")")
	}
	return o
}

func (p *parser) factors() Factors {
	p.expect("pin")
	if p.accept("+") {
		p.expect("token")
		return PINToken
	}
	return PIN
}

// override reads who may let a stopped attempt pass.
func (p *parser) override() Factors {
	if p.accept("none") {
		return NoFactors
	}
	p.expect("supervisor")
	p.expect("(")
	f := p.factors()
	p.expect(")")
	return f
}
