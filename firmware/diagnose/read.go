package diagnose

import (
	"slices"
	"time"
)

// line: signal, links, answers.
func (w *Window) line(now time.Duration, b Base, both []time.Duration, s *Signals) {
	var trips []int32
	weak, dark, radios, ber3, ber5, lost, registered := 0, 0, 0, 0, 0, 0, true
	noAnswer, exchanges, echoBad, echoGood, frames := 0, 0, 0, 0, 0
	var firstBad, otherGood, sim int
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
			if o.Code == EndNoAnswer {
				noAnswer++
				exchanges++
				s[TMO].At = o.At
			}
		case Echo:
			if o.Code == 0 {
				echoGood++
			} else {
				echoBad++
				s[EchoBad].At = o.At
			}
		case Frame:
			if !within(both, o.At) || s[Both].Level == 0 {
				frames++
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
	set(ReTx, of(frames, 2, 4))
	set(EchoBad, of(echoBad, 1, 3))
	s[RTT] = slow(trips, b)
	g = Signal{}
	if firstBad > 0 && otherGood > 0 && b.Links > 1 {
		g = of(min(firstBad, otherGood), 1, 3)
	}
	set(Backup, g)
	_ = echoGood
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

// codes: what banks answer.
func (w *Window) codes(now time.Duration, s *Signals) {
	var limits, hosts, inputs, funds, echoes int
	var pickups, declined, bins []uint64
	worst := 0
	perBin := map[uint32][]uint64{}
	fundsBy := map[uint64]int{}
	var lastFunds time.Duration
	w.each(now, halfHour, func(o *Obs) {
		switch {
		case o.Kind == Echo && o.Code == 0:
			echoes++
		case o.Kind == Trip:
			echoes++ // the way there and back is good
		}
		if o.Kind != Sale {
			return
		}
		switch string(o.RC[:]) {
		case "61", "62", "65", "57":
			limits++
			s[Limit].At = o.At
		case "91", "92", "96", "68", "98":
			hosts++
			s[HostRC].At = o.At
		case "04", "07", "34", "41", "43", "59", "63", "33", "35", "36", "37":
			if !slices.Contains(pickups, o.Card) {
				pickups = append(pickups, o.Card)
			}
			s[Pickup].At = o.At
		case "12", "13", "30":
			inputs++
			s[InputRC].At = o.At
		case "51":
			fundsBy[o.Card]++
			lastFunds = o.At
		}
		if o.Code == EndDeclined && now-o.At < quarter {
			switch string(o.RC[:]) {
			case "14", "54", "05", "59", "57", "62":
				if !slices.Contains(perBin[o.Bin], o.Card) {
					perBin[o.Bin] = append(perBin[o.Bin], o.Card)
				}
				if !slices.Contains(declined, o.Card) {
					declined = append(declined, o.Card)
				}
				s[BIN].At = o.At
			}
		}
	})
	for _, n := range fundsBy {
		funds = max(funds, n)
	}
	for bin, cards := range perBin {
		if bin != 0 && len(cards) > len(bins) {
			bins = cards
		}
		worst = max(worst, len(cards))
	}
	set := func(i ID, g Signal) {
		g.At = s[i].At
		s[i] = g
	}
	set(Limit, of(limits, 1, 2))
	set(HostRC, of(hosts, 2, 4))
	g := Signal{}
	if hosts >= 2 && echoes > 0 {
		g = of(hosts, 2, 3)
	}
	g.At = s[HostRC].At
	s[HostBad] = g
	set(Pickup, of(len(pickups), 1, 3))
	set(InputRC, of(inputs, 1, 3))
	set(BIN, of(max(worst, len(declined)-2), 3, 5))
	g = of(funds, 2, 3)
	g.At = lastFunds
	s[Funds] = g
}

// people: what hands and customers do.
func (w *Window) people(now time.Duration, b Base, s *Signals) {
	approved := map[uint64]int{}
	var round, near, odd, undo, wrong, wrongOrder, formats, typed, meant, fast, begins, queue, sums int
	var cards []uint64
	var lastEnd time.Duration
	behind := 0
	rules := 0
	w.each(now, halfHour, func(o *Obs) {
		switch o.Kind {
		case Sale:
			lastEnd = o.At
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
			if o.Code == EndApproved && o.N <= 90 {
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
				rules += 2
				s[Sums].At = o.At
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
	set(Queue, of(queue, 3, 5))
	g = Signal{N: begins}
	if b.PerHour > 0 && begins >= 5 {
		ratio := float64(begins) * 6 / b.PerHour
		g.N, g.Of, g.Q = int(ratio+.5), begins, 1
		switch {
		case ratio >= 3.5:
			g.Level = 2
		case ratio >= 2:
			g.Level = 1
		}
	}
	set(Busy, g)
}

// device: memory, clock, case, starts.
func (w *Window) device(now time.Duration, s *Signals) {
	failed, slowed, starts, load, tampers := 0, 0, 0, 0, 0
	off := int32(0)
	fresh := false
	w.each(now, time.Hour, func(o *Obs) {
		switch o.Kind {
		case Write:
			if o.Code == 1 {
				failed++
			} else {
				slowed++
			}
			s[Disk].At = o.At
		case Jump:
			if n := max(o.N, -o.N); n > off {
				off = n
			}
			s[Clock].At = o.At
		case Tamper:
			tampers++
			s[Case].At = o.At
		case Restart:
			if o.Code == 1 && now-o.At < 20*time.Minute {
				starts++
				s[Starts].At = o.At
			}
			fresh = fresh || o.N == 1
		case Load:
			load = max(load, int(o.N))
			s[Machine].At = o.At
		}
	})
	set := func(i ID, g Signal) {
		g.At = s[i].At
		s[i] = g
	}
	g := of(2*failed+slowed, 1, 2)
	g.N = failed + slowed
	set(Disk, g)
	g = of(int(off), 5, 60)
	set(Clock, g)
	set(Case, of(2*min(tampers, 1), 1, 2))
	n := starts
	if fresh && starts > 1 {
		n++
	}
	g = of(n, 2, 4)
	g.N = starts
	if fresh {
		g.Of = 1
	}
	set(Starts, g)
	set(Machine, of(load, 80, 95))
}

// gates take out what another signal explains. What one event explains was left
// out event by event before.
func (w *Window) gates(s *Signals) {
	if s[BER].Level == 2 { // noise: the weak signal is its work
		s[CSQ].Level = min(s[CSQ].Level, 1)
		s[CSQ].Q *= .5
	}
	if s[HostBad].Level > 0 { // the way is good; what fails is behind it
		s[TMO].Q *= .3
		s[EchoBad].Q *= .3
	}
	if s[BIN].Level > 0 {
		s[InputRC].Q *= .3
		s[Limit].Q *= .5
	}
	if s[Meant].Level > 0 { // a person said so
		s[Fast].Q *= .3
		s[Many].Q *= .5
	}
	if s[Case].Level > 0 {
		s[Starts].Q *= .5
	}
	if s[Funds].Level > 0 {
		s[Fast].Q *= .5
	}
}

// well: enough was seen, and nothing of it is wrong.
func (w *Window) well(now time.Duration, s *Signals) {
	sales := 0
	w.each(now, halfHour, func(o *Obs) {
		if o.Kind == Sale && o.Code == EndApproved {
			sales++
			s[Well].At = o.At
		}
	})
	for i, x := range s {
		if ID(i) != Meant && x.Level > 0 {
			return
		}
	}
	g := of(sales, 2, 5)
	g.At = s[Well].At
	s[Well] = g
}
