package care

import (
	"math"

	"swipewell/firmware/throttle"
)

// Metric is what is counted in each hour.
type Metric uint8

const (
	Forms     Metric = iota // payments tried
	Repeats                 // of the same card again
	Declines                // by a bank
	Unknowns                // answers that did not come
	Fails                   // passes that did not read
	Undos                   // begun and given up
	Refunds                 // and voids
	Overrides               // second persons
	metrics
)

var metricKeys = [metrics]string{"m.forms", "m.repeats", "m.declines", "m.unknowns", "m.fails", "m.undos", "m.refunds", "m.overrides"}

// Key is the metric's name among the texts.
func (m Metric) Key() string { return metricKeys[min(m, metrics-1)] }

// bucket is one metric in one hour of the week: a moving mean, and the moving
// mean of how far off it was.
type bucket struct {
	mean, mad float32
	n         uint16
}

func (b *bucket) add(x float64) {
	b.n++
	a := math.Max(1/float64(b.n), .15)
	d := x - float64(b.mean)
	b.mean += float32(a * d)
	b.mad += float32(a * (math.Abs(d) - float64(b.mad)))
}

// Usual is what is usual here, by hour of the week. It is made of the history
// alone, so it needs no rows of its own.
type Usual struct {
	buckets [168][metrics]bucket
	day     int32 // that is being counted
	hours   [24][metrics]int
	sums    [24]int64
	any     bool
	days    int
	amounts histogram // of single sales
	hourly  histogram // what an hour that is worked in takes
}

// metricOf is what an event counts as.
func metricOf(e throttle.Event) (m Metric, ok bool) {
	switch e.What {
	case throttle.Sale, throttle.PreAuth, throttle.Completion, throttle.Offline:
		switch e.Outcome {
		case throttle.Declined:
			return Declines, true
		case throttle.Unknown:
			return Unknowns, true
		}
	case throttle.Confirm, throttle.Stopped, throttle.Absorbed:
		return Repeats, true
	case throttle.ReadFail:
		return Fails, true
	case throttle.Cancelled:
		return Undos, true
	case throttle.Refund, throttle.Void:
		return Refunds, e.Outcome == throttle.Approved
	case throttle.Override:
		return Overrides, true
	}
	return 0, false
}

// Add takes an event, in the order in which they happened.
func (u *Usual) Add(e throttle.Event) {
	if !sane(e.Wall) {
		return
	}
	switch d := dayOf(e.Wall); {
	case d < u.day:
		return // the clock went back: nothing is learned twice
	case d > u.day:
		u.fold()
		u.day = d
	}
	h := hourOf(e.Wall) % 24
	payment := e.What == throttle.Sale || e.What == throttle.PreAuth || e.What == throttle.Completion || e.What == throttle.Offline
	if payment && e.Outcome != throttle.Reversed {
		u.hours[h][Forms]++
		u.any = true
		if e.Outcome == throttle.Approved {
			u.sums[h] += e.Amount
			u.amounts.add(e.Amount)
		}
	}
	if m, ok := metricOf(e); ok {
		u.hours[h][m]++
		u.any = true
	}
}

// fold takes the day that has ended into the averages. A day without anything is
// a day on which the shop was closed, and says nothing.
func (u *Usual) fold() {
	if u.any {
		from := hourOf(int64(u.day)*86400 - 8*3600)
		for h := range 24 {
			for m := range metrics {
				u.buckets[(from+h)%168][m].add(float64(u.hours[h][m]))
			}
			if u.sums[h] > 0 {
				u.hourly.add(u.sums[h])
			}
		}
		u.days++
		u.amounts.fade()
		u.hourly.fade()
	}
	u.hours, u.sums, u.any = [24][metrics]int{}, [24]int64{}, false
}

// PerHour is how many payments are usually tried in an hour of the week; 0 if
// that is not known yet.
func (u *Usual) PerHour(hour int) float64 {
	b := u.buckets[(hour%168+168)%168][Forms]
	if b.n < 2 {
		return 0
	}
	return float64(b.mean)
}

// Odd is one metric that is above what is usual.
type Odd struct {
	Metric Metric
	N      int
	Mean   float64
}

// Odds are the metrics of the hour of wall that are above their usual by more
// than four times what they usually are off, and at least three. THROTTLE §1 S4.
func (u *Usual) Odds(wall int64) (list []Odd) {
	if !sane(wall) || dayOf(wall) != u.day {
		return nil
	}
	h := hourOf(wall)
	for m := range metrics {
		b, n := u.buckets[h][m], u.hours[h%24][m]
		if b.n >= 2 && n >= 3 && float64(n) > float64(b.mean)+4*math.Max(float64(b.mad), .25) {
			list = append(list, Odd{m, n, float64(b.mean)})
		}
	}
	return list
}

// Now is what was counted in the hour of wall, and what is usual; known is false
// while that is being learned.
func (u *Usual) Now(wall int64, m Metric) (n int, mean float64, known bool) {
	if dayOf(wall) == u.day {
		n = u.hours[hourOf(wall)%24][m]
	}
	b := u.buckets[hourOf(wall)][m]
	return n, float64(b.mean), b.n >= 2
}

// Learned is what rules look at.
func (u *Usual) Learned() (l throttle.Learned) {
	l.Days = u.days
	l.P90, l.P95, l.P99 = u.amounts.quantile(.90), u.amounts.quantile(.95), u.amounts.quantile(.99)
	l.MedianHour = u.hourly.quantile(.5)
	for h := range u.buckets {
		if u.buckets[h][Forms].mean >= .25 {
			l.Hours[h/64] |= 1 << (h % 64)
		}
	}
	return l
}

// Days is how many worked days it has learned from.
func (u *Usual) Days() int { return u.days }

// histogram counts amounts by their size, twelve steps to a power of ten; old
// ones fade.
type histogram struct {
	n   [12 * 11]float32
	sum float64
}

const steps = 12

func (g *histogram) add(fen int64) {
	if fen <= 0 {
		return
	}
	i := min(int(math.Log10(float64(fen))*steps), len(g.n)-1)
	g.n[i]++
	g.sum++
}

func (g *histogram) fade() {
	for i := range g.n {
		g.n[i] *= .98
	}
	g.sum *= .98
}

// quantile is an amount that so many of all stay below: the upper end of the
// step in which it lies.
func (g *histogram) quantile(q float64) int64 {
	if g.sum < 1 {
		return 0
	}
	want, have := q*g.sum, 0.0
	for i, n := range g.n {
		if have += float64(n); have >= want {
			return int64(math.Pow(10, float64(i+1)/steps))
		}
	}
	return 0
}
