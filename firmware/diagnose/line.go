package diagnose

import (
	"slices"
	"time"
)

// line: signal, links, answers.
func (w *Window) line(now time.Duration, b Base, both []time.Duration, s *Signals) {
	var trips []int32
	weak, dark, radios, ber3, ber5, lost, registered := 0, 0, 0, 0, 0, 0, true
	noAnswer, exchanges, echoBad, frames := 0, 0, 0, 0
	var firstBad, otherGood, sim, again, segments int
	low := int32(99)
	w.each(now, talks, func(o *Obs) {
		switch o.Kind {
		case Radio:
			radios++
			switch {
			case o.N == 99 || o.N < 10:
				dark++
				fallthrough
			case o.N < 15:
				weak++
				s[CSQ].At = o.At
			}
			if o.N < low {
				low = o.N
			}
			switch {
			case o.Code >= 5 && o.Code <= 7:
				ber5++
				fallthrough
			case o.Code >= 3 && o.Code <= 4:
				ber3++
				s[BER].At = o.At
			}
			on := o.RC[0] == 1
			if registered && !on {
				lost++
				s[Reg].At = o.At
			}
			registered = on
		case Trip:
			trips = append(trips, o.N)
			exchanges++
			if o.Link > 0 {
				otherGood++
			}
		case Sale:
			if o.Code == EndNoAnswer && (!within(both, o.At) || s[Both].Level == 0) {
				noAnswer++
				exchanges++
				s[TMO].At = o.At
			}
		case Echo:
			if o.Code != 0 {
				echoBad++
				s[EchoBad].At = o.At
			}
		case Frame:
			if !within(both, o.At) || s[Both].Level == 0 {
				frames++
				s[ReTx].At = o.At
			}
		case Segments:
			again += int(o.N)
			segments += int(o.Code)
			if o.N > 0 {
				s[ReTx].At = o.At
			}
		case Dial:
			switch {
			case o.Code == 0 && o.Link > 0:
				otherGood++
			case o.Code != 0 && o.Link == 0:
				firstBad++
				s[Backup].At = o.At
			}
			// hal's causes plus one: no SIM 3, not registered 5, refused 6, no data 7.
			if o.Code == 3 || o.Code == 5 || o.Code == 6 || o.Code == 7 {
				sim++
				s[SIM].At = o.At
			}
		}
	})
	set := func(i ID, g Signal) {
		g.At = s[i].At
		s[i] = g
	}
	g := share(weak, radios, 3, 0.3, 2)
	if share(dark, radios, 3, 0.3, 2).Level > 0 {
		g.Level = 2
	}
	g.N = int(low)
	set(CSQ, g)
	g = share(ber3, radios, 3, 0.08, 2)
	if share(ber5, radios, 3, 0.06, 2).Level > 0 {
		g.Level = 2
	}
	g.N, g.Of = ber3, radios
	set(BER, g)
	set(Reg, of(lost, 2, 4))
	set(SIM, of(sim, 1, 3))
	set(TMO, share(noAnswer, exchanges, 2, 0.02, 0.12))
	if s[TMO].N == 1 {
		s[TMO].Level = min(s[TMO].Level, 1)
		s[TMO].Q *= .5
	}
	g = share(again, segments, 20, .015, .06)
	if bad := of(frames, 2, 4); bad.Level > g.Level {
		g = bad
	}
	set(ReTx, g)
	set(EchoBad, of(echoBad, 1, 3))
	s[RTT] = slow(trips, b)
	g = Signal{}
	if firstBad > 0 && otherGood > 0 && b.Links > 1 {
		g = of(min(firstBad, otherGood), 1, 3)
	}
	set(Backup, g)
}

// slow compares answers with what is usual.
func slow(trips []int32, b Base) (s Signal) {
	if len(trips) < 4 || b.Trip == 0 {
		return s
	}
	slices.Sort(trips)
	median := float64(trips[len(trips)/2]) / b.Trip
	s = Signal{N: int(median * 10), Of: len(trips), Q: min(1, float64(len(trips))/8)}
	switch {
	case median >= 4:
		s.Level = 2
	case median >= 1.8:
		s.Level = 1
	}
	return s
}
