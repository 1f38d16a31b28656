package diagnose

import (
	"math"
	"time"
)

// ID of a signal.
type ID uint8

const (
	MSRMany ID = iota // stripes fail over several cards
	MSROne            // one card fails, others read
	Hand              // drawn too fast, too slow or not to the end
	ICCMany
	ICCOne
	CSQ  // the signal is weak
	BER  // bits are wrong
	Reg  // the network was lost
	SIM  // the network will not have the card
	RTT  // answers take longer than usual
	TMO  // no answers
	ReTx // frames that are none, late or twice
	EchoBad
	HostBad // the echo is answered, and the bank's codes say that its side is in trouble
	Limit   // 61 62 65 57
	HostRC  // 91 92 96 68 98
	Pickup  // 04 34 41 43 59 63
	InputRC // 12 13 14 30
	Format  // a number or a track that cannot be
	Funds   // 51, and again
	Fast    // the same card again within a minute, after a payment that went through
	Many    // the same card approved often
	BIN     // different cards of one series declined
	Sums    // round sums, near the limit, at odd hours, on few cards
	Undo    // begun and given up
	Wrong   // the wrong interface
	Busy    // more arrivals than usual
	Queue   // one customer right behind the other
	Machine // processor or memory
	Disk
	Clock
	Case
	Starts
	Both   // unrelated parts fail in the same seconds
	Backup // the first line is bad, another good
	Meant  // a second payment was confirmed
	Well   // all is well
	signals
)

var names = [signals]string{"msr_many", "msr_one", "hand", "icc_many", "icc_one", "csq", "ber", "reg", "sim", "rtt", "tmo", "retx", "echo_bad", "host_bad",
	"rc_limit", "rc_host", "rc_pickup", "rc_input", "format", "rc_funds", "samecard_fast", "samecard_many", "bin_decl", "amt_pat", "cancel_rep", "wrong_if",
	"arrival", "queue", "machine", "storage", "clock", "tamper", "restarts", "multi_sub", "backup_ok", "confirmed", "well"}

func (i ID) String() string { return names[min(i, signals-1)] }

// Signal is one thing that speaks for or against causes.
type Signal struct {
	Level uint8         // 0 nothing, 1, 2
	Q     float64       // quality 0..1: how much was seen, and how long ago
	N, Of int           // what was counted, of how many
	At    time.Duration // when it was last seen, logical
}

// Signals are all of them.
type Signals [signals]Signal

// wilson is the lower bound of a share at 90 %, one-sided. WILSON.
func wilson(k, n int) float64 {
	if n == 0 {
		return 0
	}
	const z = 1.2816
	p, m := float64(k)/float64(n), float64(n)
	return (p + z*z/(2*m) - z*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))) / (1 + z*z/m)
}

// Windows, and the age at which a signal has half its weight. THROTTLE §4.
const (
	reads    = 30 * time.Minute
	talks    = 15 * time.Minute
	quarter  = 15 * time.Minute
	halfHour = 30 * time.Minute
	tenMin   = 10 * time.Minute
	halfLife = 15 * time.Minute
)

// of makes a signal of a count by two thresholds.
func of(n, l1, l2 int) (s Signal) {
	s.N = n
	switch {
	case n >= l2:
		s.Level, s.Q = 2, 1
	case n >= l1:
		s.Level, s.Q = 1, 1
	}
	return s
}

// share makes one of a share by its lower bound.
func share(k, n, least int, l1, l2 float64) (s Signal) {
	s.N, s.Of = k, n
	if n < least {
		return s
	}
	low := wilson(k, n)
	switch {
	case low > l2:
		s.Level = 2
	case low > l1:
		s.Level = 1
	}
	s.Q = math.Min(1, float64(n)/float64(2*least))
	return s
}

// aged weighs a signal by when it was last seen.
func (s Signal) aged(now time.Duration) Signal {
	if s.Level > 0 && s.At > 0 {
		s.Q *= math.Exp2(-float64(now-s.At) / float64(halfLife))
	}
	return s
}

// Read weighs a window. It is a pure function.
func (w *Window) Read(now time.Duration, b Base) (s Signals) {
	both := w.coincidences(now, &s)
	w.readers(now, both, &s)
	w.line(now, b, both, &s)
	w.codes(now, &s)
	w.people(now, b, &s)
	w.device(now, &s)
	w.gates(&s)
	w.well(now, &s)
	for i := range s {
		s[i] = s[i].aged(now)
	}
	return s
}

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
const near = 6 * time.Second

// coincidences finds moments at which unrelated parts fail together, and gives
// them, so that they count for nothing else.
func (w *Window) coincidences(now time.Duration, s *Signals) (moments []time.Duration) {
	var from, last time.Duration
	seen, most, clusters, wide := 0, 0, 0, 0
	end := func() {
		n := 0
		for p := seen; p != 0; p &= p - 1 {
			n++
		}
		if n >= 2 {
			clusters++
			moments = append(moments, from)
			most = max(most, n)
			if n >= 3 {
				wide++
			}
		}
		seen = 0
	}
	w.each(now, halfHour, func(o *Obs) {
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
	g := of(clusters+wide, 2, 4)
	g.Of, g.At = most, last
	s[Both] = g
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
		g := share(capped, total, 6, 0.08, 0.22)
		if cards < 3 {
			g.Level = 0
		}
		g.At = last
		s[many] = g
		h := of(worst, 2, 3)
		if othersBad*8 > others || others < 2 { // the others do not read well enough to blame the card
			h.Level = 0
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
