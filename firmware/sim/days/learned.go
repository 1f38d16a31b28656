package days

import (
	"slices"
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
)

// past is what the merchant has sold lately, from which the rules' Learned is
// worked out. The device has a learner of its own; this one is plain.
type past struct {
	sales []sold
	days  int
}

type sold struct {
	amount int64 // minor units
	hour   int32 // since the start
	week   int   // hour of the week
}

// pastDays is how much of the past counts.
const pastDays = 28

// took notes a payment.
func (p *past) took(e throttle.Event, now throttle.Moment) {
	if e.What == throttle.Sale && e.Outcome == throttle.Approved && now.Minute >= 0 {
		p.sales = append(p.sales, sold{e.Amount, int32(e.At / time.Hour), now.Hour()})
	}
}

// learn looks back from a throttle time: amounts that so many per cent stay
// below, what an hour takes in which anything is sold, and in which hours of the
// week that was so.
func (p *past) learn(now throttle.Time) (l throttle.Learned) {
	from := int32((now - pastDays*24*time.Hour) / time.Hour)
	p.sales = slices.DeleteFunc(p.sales, func(s sold) bool { return s.hour < from })
	l.Days = min(p.days, pastDays)
	if len(p.sales) == 0 {
		return l
	}
	amounts := make([]int64, 0, len(p.sales))
	hours := map[int32]int64{}
	for _, s := range p.sales {
		amounts = append(amounts, s.amount)
		hours[s.hour] += s.amount
		l.Hours[s.week/64] |= 1 << (s.week % 64)
	}
	slices.Sort(amounts)
	part := func(n int) int64 { return amounts[min(len(amounts)*n/100, len(amounts)-1)] }
	l.P90, l.P95, l.P99 = part(90), part(95), part(99)
	sums := make([]int64, 0, len(hours))
	for _, v := range hours {
		sums = append(sums, v)
	}
	slices.Sort(sums)
	l.MedianHour = min(sums[len(sums)/2], pos.MaxMinor)
	return l
}
