package msr

import (
	"testing"
	"time"
)

// A steady pass at a usual speed is good; one too fast, too slow or with a jerk
// in it is not; too few bits tell nothing.
func TestPace(t *testing.T) {
	steady := func(cell time.Duration, jerk int) (at []time.Duration) {
		now := time.Duration(0)
		for i := range 200 {
			at = append(at, now)
			now += cell
			if jerk > 0 && i%4 == 0 {
				now += cell * time.Duration(jerk) / 100
			}
		}
		return at
	}
	for _, c := range []struct {
		name string
		at   []time.Duration
		good bool
		bit  time.Duration
	}{
		{"20 cm/s", steady(1700*time.Microsecond, 0), true, 1700 * time.Microsecond},
		{"100 cm/s", steady(340*time.Microsecond, 10), true, 340 * time.Microsecond},
		{"too fast", steady(120*time.Microsecond, 0), false, 120 * time.Microsecond},
		{"too slow", steady(8*time.Millisecond, 0), false, 8 * time.Millisecond},
		{"with a jerk", steady(time.Millisecond, 90), false, time.Millisecond},
		{"a glitch", steady(time.Millisecond, 0)[:10], true, 0},
	} {
		p := pace(c.at)
		if p.Good() != c.good || p.Bit != c.bit {
			t.Errorf("%s: %+v good %v", c.name, p, p.Good())
		}
	}
}
