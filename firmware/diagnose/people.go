package diagnose

import (
	"math"
	"slices"
	"time"
)

// people: what hands and customers do.
func (w *Window) people(now time.Duration, b Base, s *Signals) {
	approved := map[uint64]int{}
	var round, near, odd, undo, wrong, wrongOrder, formats, typed, meant, fast, begins, queue, sums int
	var cards []uint64
	var lastEnd time.Duration
	behind := 0
	rules, shared := 0, 0
	var hit [4]time.Duration
	var before Obs // the payment before
	w.each(now, halfHour, func(o *Obs) {
		switch o.Kind {
		case Sale:
			lastEnd = o.At
			if o.Code == EndApproved {
				if before.Sum == o.Sum && o.Sum%100_000 != 0 && before.Card != o.Card && o.At-before.At < 3*time.Minute {
					shared++
					s[Shared].At = o.At
				}
				before = *o
			}
			if o.Code != EndApproved {
				return
			}
			approved[o.Card]++
			s[Many].At = o.At
			if !slices.Contains(cards, o.Card) {
				cards = append(cards, o.Card)
			}
			sums++
			if o.Sum > 0 && o.Sum%100_000 == 0 {
				round++
				s[Sums].At = o.At
			}
			if b.Limit > 0 && o.Sum*100 >= b.Limit*80 {
				near++
				s[Sums].At = o.At
			}
			if b.Odd && o.Sum >= b.P90 && b.P90 > 0 {
				odd++
				s[Sums].At = o.At
			}
		case Repeat:
			if o.Code == EndApproved && o.N <= 90 && o.Sum > 0 {
				fast++
				s[Fast].At = o.At
			}
		case Confirm:
			meant++
			s[Meant].At = o.At
		case Cancel:
			undo++
			s[Undo].At = o.At
		case Misuse:
			if o.Code == 1 {
				wrong++
				s[Wrong].At = o.At
			} else {
				wrongOrder++
			}
		case Input:
			formats++
			if o.Code == 1 {
				typed++
			}
			s[Format].At = o.At
		case Hit:
			switch o.Code {
			case 16, 17, 18, 19:
				if o.At-hit[o.Code-16] > 20*time.Second || hit[o.Code-16] == 0 { // one try
					rules += 2
				}
				hit[o.Code-16], s[Sums].At = o.At, o.At
			}
		case Begin:
			if lastEnd > 0 && o.At-lastEnd < 6*time.Second {
				behind++
				queue = max(queue, behind)
				s[Queue].At = o.At
			} else {
				behind = 0
			}
		}
	})
	w.each(now, tenMin, func(o *Obs) {
		if o.Kind == Begin {
			begins++
			s[Busy].At = o.At
		}
	})
	set := func(i ID, g Signal) {
		g.At = s[i].At
		s[i] = g
	}
	most := 0
	for c, n := range approved {
		if c != 0 {
			most = max(most, n)
		}
	}
	set(Many, of(most, 3, 5))
	score := rules
	if near >= 2 {
		score += near - 1
	}
	if round >= 3 && len(cards)*3 <= sums*2 {
		score += round - 2
	}
	score += odd
	set(Sums, of(score, 1, 3))
	set(Fast, of(fast, 1, 2))
	set(Undo, of(undo, 3, 5))
	g := of(wrong, 1, 3)
	if wrongOrder >= 3 && g.Level == 0 {
		g = of(wrongOrder, 3, 6)
	}
	set(Wrong, g)
	g = of(formats, 2, 3)
	g.Of = typed
	set(Format, g)
	set(Meant, of(meant, 1, 2))
	set(Shared, of(shared, 1, 2))
	set(Queue, of(queue, 3, 5))
	g = Signal{N: begins}
	if b.PerHour > 0 && begins >= 4 {
		// What comes by chance: the lower bound of the rate, not the rate.
		usual := b.PerHour / 6
		low := (float64(begins) - 1.28*math.Sqrt(float64(begins))) / usual
		g.N, g.Of, g.Q = int(float64(begins)/usual+.5), begins, 1
		switch {
		case low >= 2.2:
			g.Level = 2
		case low >= 1.4:
			g.Level = 1
		}
	}
	set(Busy, g)
}
