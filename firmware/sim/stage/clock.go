// Package stage holds one terminal in one process and in virtual time: the real
// loop, reducer, store (bbolt, without sync), host link, codec and keys, against
// the acquirer of the bench. Everything runs on one goroutine and in place, so a
// seed replays exactly. What happens on it (days, scenarios) is written by who
// uses it.
//
// Sources:
//   - DESIGN: design §5, virtual time
package stage

import (
	"container/heap"
	"time"

	"swipewell/hal"
)

// Clock is virtual time; its timers run in place, in the order of their
// deadlines.
type Clock struct {
	Boot   time.Duration
	Wall   time.Time // at boot 0; a step of the wall clock moves it
	timers timers
	seq    int
}

// Clear forgets every timer: the process that had set them is gone.
func (c *Clock) Clear() { c.timers = nil }

type timer struct {
	at  time.Duration
	seq int
	f   func()
	pos int // in the heap; -1: gone
}

type timers []*timer

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	return t[i].at < t[j].at || t[i].at == t[j].at && t[i].seq < t[j].seq
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i]; t[i].pos, t[j].pos = i, j }
func (t *timers) Push(x any)   { e := x.(*timer); e.pos = len(*t); *t = append(*t, e) }
func (t *timers) Pop() any {
	old := *t
	e := old[len(old)-1]
	*t, e.pos = old[:len(old)-1], -1
	return e
}

func (c *Clock) Now() hal.Instant { return hal.Instant{Wall: c.Wall.Add(c.Boot), Boot: c.Boot} }

func (c *Clock) AfterFunc(d time.Duration, f func()) func() bool {
	c.seq++
	e := &timer{at: c.Boot + max(d, 0), seq: c.seq, f: f}
	heap.Push(&c.timers, e)
	return func() bool {
		if e.pos < 0 {
			return false
		}
		heap.Remove(&c.timers, e.pos)
		return true
	}
}

// Step goes to the next deadline, at most to limit, and runs what is due there;
// false if there was none.
func (c *Clock) Step(limit time.Duration) bool {
	if len(c.timers) == 0 || c.timers[0].at > limit {
		c.Boot = max(c.Boot, limit)
		return false
	}
	e := heap.Pop(&c.timers).(*timer)
	c.Boot = max(c.Boot, e.at)
	e.f()
	return true
}
