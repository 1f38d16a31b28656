package diagnose

import "time"

// Parts of the device that have nothing to do with each other but the air and
// the power around them.
const (
	partStripe = 1 << iota
	partChip
	partModem
)

// part tells which part an observation says is in trouble, 0 none.
func part(o *Obs) int {
	switch {
	case o.Kind == Pass && (o.Code == passParity || o.Code == passLRC || o.Code == passForm) && o.N != PaceBad:
		return partStripe
	case o.Kind == Insert && o.Code != 0:
		return partChip
	case o.Kind == Frame, o.Kind == Radio && (o.Code >= 5 && o.Code <= 7 || o.RC[0] == 0), o.Kind == Dial && o.Code != 0:
		return partModem
	}
	return 0
}

// near is how close two errors must be to have one cause.
const near = 30 * time.Second

// usualBad is the share of customers with whom a part fails on ordinary days:
// stripe, chip, modem.
var usualBad = [3]float64{.08, .04, .04}

// coincidences finds moments at which unrelated parts fail together, and gives
// them, so that they count for nothing else. Parts that fail often meet by
// chance as well: what chance would bring is taken off.
func (w *Window) coincidences(now time.Duration, s *Signals) (moments []time.Duration) {
	var from, last time.Duration
	var alone [3]int // spells in which each part failed
	seen, most, met, spells := 0, 0, 0, 0
	end := func() {
		n := 0
		for i := range alone {
			if seen&(1<<i) != 0 {
				alone[i]++
				n++
			}
		}
		if n >= 2 {
			met += n - 1
			moments = append(moments, from)
			most = max(most, n)
			s[Both].At = last
		}
		seen = 0
	}
	form := uint16(0)
	w.each(now, halfHour, func(o *Obs) {
		if o.Form != form {
			form = o.Form
			spells++
		}
		p := part(o)
		if p == 0 {
			return
		}
		if seen != 0 && o.At-from > near {
			end()
		}
		if seen == 0 {
			from = o.At
		}
		seen |= p
		last = o.At
	})
	end()
	chance, bad := 0.0, 0
	for i := range alone {
		if alone[i] >= 2 && wilson(alone[i], max(spells, alone[i])) > usualBad[i] {
			bad++
		}
		for k := range i {
			chance += float64(alone[i]*alone[k]) / float64(max(spells, 1))
		}
	}
	at, excess := s[Both].At, float64(met)-1.5*chance
	s[Both] = Signal{}
	switch {
	case bad >= 3 && met >= 3, bad >= 2 && met >= 4, excess >= 2.5:
		s[Both] = Signal{Level: 2, Q: 1}
	case bad >= 3 && met >= 1, bad >= 2 && met >= 2, excess >= 1.5:
		s[Both] = Signal{Level: 1, Q: 1}
	}
	s[Both].N, s[Both].Of, s[Both].At = met, most, at
	return moments
}

func within(moments []time.Duration, at time.Duration) bool {
	for _, m := range moments {
		if at >= m && at-m <= near {
			return true
		}
	}
	return false
}

// readers: stripes and chips. A card that fails again and again counts twice at
// most for the reader.
func (w *Window) readers(now time.Duration, both []time.Duration, s *Signals) {
	type customer struct {
		form                 uint16
		bad, good, hand, fmt int
	}
	count := func(kind Kind, many, one ID) {
		var list []customer
		at := func(form uint16) *customer {
			for i := len(list) - 1; i >= 0 && i >= len(list)-8; i-- {
				if list[i].form == form {
					return &list[i]
				}
			}
			list = append(list, customer{form: form})
			return &list[len(list)-1]
		}
		var last time.Duration
		hands, passes := 0, 0
		w.each(now, reads, func(o *Obs) {
			if o.Kind != kind {
				return
			}
			c := at(o.Form)
			passes++
			switch {
			case o.Code == passOK:
				c.good++
			case kind == Pass && (o.N == PaceBad || o.Code == passNoStart || o.Code == passNoEnd || o.Code == passShort):
				c.hand++
				hands++
				s[Hand].At = o.At
			case kind == Pass && o.Code == passForm:
				c.fmt++
			case within(both, o.At) && s[Both].Level > 0:
			default:
				c.bad++
				last = o.At
			}
		})
		capped, total, cards, worst, others, othersBad := 0, 0, 0, 0, 0, 0
		for _, c := range list {
			n := min(c.bad, 2)
			capped += n
			total += n + c.good
			if c.bad > 0 {
				cards++
			}
			worst = max(worst, c.bad)
		}
		for _, c := range list {
			if c.bad != worst || worst == 0 {
				others += c.good + c.bad
				othersBad += c.bad
			}
		}
		least, several := 6, 3
		if kind == Insert { // fewer come
			least, several = 4, 2
		}
		g := share(capped, total, least, 0.08, 0.22)
		if cards < several {
			g.Level = 0
		}
		g.At = last
		s[many] = g
		h := of(worst, 2, 3)
		switch {
		case othersBad*8 > others: // the others do not read well enough to blame the card
			h.Level = 0
		case others < 2: // or nobody knows
			h.Q = .6
		}
		if s[many].Level == 2 {
			h.Level = 0
		}
		h.At = last
		s[one] = h
		if kind == Pass {
			at := s[Hand].At
			s[Hand] = share(hands, passes, 3, 0.07, 0.2)
			if hands < 3 {
				s[Hand].Level = 0
			}
			s[Hand].At = at
		}
	}
	count(Pass, MSRMany, MSROne)
	count(Insert, ICCMany, ICCOne)
}
