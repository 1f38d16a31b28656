package diagnose

import (
	"slices"
	"time"
)

// codes: what banks answer.
func (w *Window) codes(now time.Duration, s *Signals) {
	var limits, sums, hosts, inputs, funds, echoes int
	var pickups, declined []uint64
	worst, locked := 0, false
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
		if o.Kind == Hit && (o.Code == 14 || o.Code == 15) {
			locked = true
			s[BIN].At = o.At
		}
		if o.Kind != Sale {
			return
		}
		switch string(o.RC[:]) {
		case "61", "62", "65", "57":
			limits++
			if o.RC != [2]byte{'6', '5'} {
				sums++
			}
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
	for _, cards := range perBin {
		worst = max(worst, len(cards))
	}
	set := func(i ID, g Signal) {
		g.At = s[i].At
		s[i] = g
	}
	g := of(limits, 1, 2)
	g.Of = sums
	set(Limit, g)
	set(HostRC, of(hosts, 2, 4))
	g = Signal{}
	if hosts >= 2 && echoes > 0 {
		g = of(hosts, 2, 3)
	}
	g.At = s[HostRC].At
	s[HostBad] = g
	set(Pickup, of(len(pickups), 1, 3))
	set(InputRC, of(inputs, 1, 3))
	g = of(max(worst, len(declined)-2), 3, 5)
	if locked { // a rule thinks so too
		g.Level = min(g.Level+1, 2)
		g.Q = 1
	}
	set(BIN, g)
	g = of(funds, 2, 3)
	g.At = lastFunds
	s[Funds] = g
}
