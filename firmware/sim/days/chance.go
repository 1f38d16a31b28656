package days

import (
	"math"
	"math/rand/v2"
	"time"
)

// chance is a run's luck: one stream from one seed.
type chance struct{ *rand.Rand }

func newChance(seed, stream uint64) chance { return chance{rand.New(rand.NewPCG(seed, stream))} }

// of1000 and percent are true so often.
func (c chance) of1000(n float64) bool { return c.Float64()*1000 < n }
func (c chance) percent(n int) bool    { return c.IntN(100) < n }

// between is a time, each as likely.
func (c chance) between(a, b time.Duration) time.Duration {
	return a + time.Duration(c.Int64N(int64(b-a)))
}

// late is a lognormal time with that median.
func (c chance) late(median time.Duration, sigma float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(sigma*c.NormFloat64()))
}

// zipf is one of n, the first twice as likely as the second, three times as the
// third.
func (c chance) zipf(n int) int {
	sum := 0.0
	for i := range n {
		sum += 1 / float64(i+1)
	}
	x := c.Float64() * sum
	for i := range n {
		if x -= 1 / float64(i+1); x < 0 {
			return i
		}
	}
	return n - 1
}

// poisson is how many come where mean are expected. Above 30 the normal
// distribution is near enough.
func (c chance) poisson(mean float64) int {
	if mean > 30 {
		return max(int(math.Round(mean+math.Sqrt(mean)*c.NormFloat64())), 0)
	}
	n, p, end := 0, c.Float64(), math.Exp(-mean)
	for p > end {
		n++
		p *= c.Float64()
	}
	return n
}

// amount is what one purchase costs.
func (p *Prices) amount(c chance) int64 {
	if !c.percent(p.Share) {
		v := float64(p.Median) * math.Exp(p.Sigma*c.NormFloat64())
		return max(int64(math.Round(v/float64(p.Step)))*p.Step, p.Step)
	}
	sum := p.List[c.zipf(len(p.List))]
	for i := 1; i < p.Items && c.percent(50); i++ {
		sum += p.List[c.zipf(len(p.List))]
	}
	return sum
}

// minute is when a visit comes, in minutes of the day: by the shape of the
// shop's hours.
func (s *Shop) minute(c chance) float64 {
	for {
		h := s.Open + c.Float64()*(s.Close-s.Open)
		if c.Float64()*s.highest() < s.busy(h) {
			return h * 60
		}
	}
}

// busy is how many visits an hour has, an ordinary one 1.
func (s *Shop) busy(h float64) float64 {
	v := 1.0
	if s.Night > 0 && (h < 6 || h >= 23) {
		v = s.Night
	}
	for _, p := range s.Peaks {
		x := (h - p.Hour) / p.Width
		v += p.Height * math.Exp(-x*x/2)
	}
	return v
}

// highest is what busy never exceeds.
func (s *Shop) highest() float64 {
	v := 1.0
	for _, p := range s.Peaks {
		v += p.Height
	}
	return v
}
