package flashwire

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// negotiate plays both ends over a cable that carries rates up to limit, loses a
// share of the frames, and only what both ends send and hear at one rate.
func negotiate(t interface {
	Fatalf(string, ...any)
	Helper()
}, offers []int, can func(int) bool, limit int, loss float64, seed uint64) (host, device int, took time.Duration) {
	t.Helper()
	dice := rand.New(rand.NewPCG(seed, 1))
	h, d := NewRateHost(115_200, offers), &RateDevice{Safe: 115_200, Can: can}
	hostBaud, deviceBaud := 115_200, 115_200
	type flight struct {
		at   time.Duration
		baud int
		b    []byte
	}
	var down, up []flight
	var toDevice, toHost Splitter
	now, freeDown, freeUp := time.Duration(0), time.Duration(0), time.Duration(0)
	put := func(line *[]flight, free *time.Duration, baud int, b []byte) {
		*free = max(*free, now) + time.Duration(len(b))*10*time.Second/time.Duration(baud)
		if baud <= limit && dice.Float64() >= loss {
			*line = append(*line, flight{*free + time.Millisecond, baud, b})
		}
	}
	for range 100_000 {
		wake := now + time.Hour
		for len(down) > 0 && down[0].at <= now {
			if down[0].baud == deviceBaud {
				toDevice.Feed(down[0].b, func(f Frame) { d.Got(f, now) }, func() {})
			}
			down = down[1:]
		}
		for len(up) > 0 && up[0].at <= now {
			if up[0].baud == hostBaud {
				toHost.Feed(up[0].b, h.Got, func() {})
			}
			up = up[1:]
		}
		for freeUp <= now {
			a := d.Next(now)
			if a.Send != nil {
				put(&up, &freeUp, deviceBaud, a.Send)
				continue
			}
			if a.Baud != 0 {
				deviceBaud = a.Baud
				continue
			}
			if a.Wait != 0 {
				wake = min(wake, a.Wait)
			}
			break
		}
		for freeDown <= now {
			a := h.Next(now)
			if a.End {
				return hostBaud, deviceBaud, now
			}
			if a.Send != nil {
				put(&down, &freeDown, hostBaud, a.Send)
				continue
			}
			if a.Baud != 0 {
				hostBaud = a.Baud
				continue
			}
			wake = min(wake, a.Wait)
			break
		}
		for _, l := range [][]flight{down, up} {
			if len(l) > 0 {
				wake = min(wake, l[0].at)
			}
		}
		if freeDown > now {
			wake = min(wake, freeDown)
		}
		if freeUp > now {
			wake = min(wake, freeUp)
		}
		if wake <= now {
			wake = now + time.Microsecond
		}
		now = wake
	}
	t.Fatalf("no end after %v: host %d, device %d", now, hostBaud, deviceBaud)
	return 0, 0, 0
}

var offers = []int{3_000_000, 1_500_000, 921_600, 460_800}

func TestRates(t *testing.T) {
	for _, c := range []struct {
		name  string
		can   func(int) bool
		limit int
		want  int
		max   time.Duration
	}{
		{"all of it", nil, 5_000_000, 3_000_000, 500 * time.Millisecond},
		{"the cable is good to 1 Mbaud", nil, 1_000_000, 921_600, 6 * time.Second},
		{"the device knows only 460,800", func(b int) bool { return b == 460_800 }, 5_000_000, 460_800, time.Second},
		{"a bad cable", nil, 200_000, 115_200, 10 * time.Second},
		{"no device", func(int) bool { return false }, 5_000_000, 115_200, time.Second},
	} {
		h, d, took := negotiate(t, offers, c.can, c.limit, 0, 1)
		t.Logf("%-30s %d baud after %v", c.name, h, took)
		if h != c.want || d != c.want || took > c.max {
			t.Errorf("%s: host %d, device %d after %v", c.name, h, d, took)
		}
	}
}

// TestRatesAgree: however many frames are lost, both ends have one rate when the
// host says so, and the cable carries it.
func TestRatesAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.SampledFrom([]int{115_200, 500_000, 1_000_000, 2_000_000, 5_000_000}).Draw(rt, "limit")
		loss := rapid.Float64Range(0, 0.5).Draw(rt, "loss")
		h, d, _ := negotiate(rt, offers, nil, limit, loss, rapid.Uint64().Draw(rt, "seed"))
		if h != d || h > limit {
			rt.Fatalf("host %d, device %d, cable %d", h, d, limit)
		}
	})
}
