// Package soak lives whole days of a terminal in one process and in virtual
// time: the real loop, reducer, store (bbolt, without sync), host link, codec
// and keys, against the acquirer of the bench, with faults at every place where
// the world is asked. Everything runs on one goroutine and every chance comes
// from one seed, so a seed replays exactly.
//
// Sources:
//   - DESIGN: design §2, the money rules
//   - HOST: firmware/doc/wire.md and host §3.5, what must be true at each step
//
// What it proves at the end of each life: no order is charged twice (double),
// no order's last word to the customer disagrees with the host's books (lost),
// and ten virtual minutes after the faults stop nothing is open.
package soak

import (
	"container/heap"
	"time"

	"swipewell/hal"
)

// clock is virtual time; its timers run in place, in the order of their
// deadlines.
type clock struct {
	boot   time.Duration
	wall   time.Time // at boot 0
	timers timers
	seq    int
}

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

func (c *clock) Now() hal.Instant { return hal.Instant{Wall: c.wall.Add(c.boot), Boot: c.boot} }

func (c *clock) AfterFunc(d time.Duration, f func()) func() bool {
	c.seq++
	e := &timer{at: c.boot + max(d, 0), seq: c.seq, f: f}
	heap.Push(&c.timers, e)
	return func() bool {
		if e.pos < 0 {
			return false
		}
		heap.Remove(&c.timers, e.pos)
		return true
	}
}

// step goes to the next deadline, at most to limit, and runs what is due there;
// false if there was none.
func (c *clock) step(limit time.Duration) bool {
	if len(c.timers) == 0 || c.timers[0].at > limit {
		c.boot = max(c.boot, limit)
		return false
	}
	e := heap.Pop(&c.timers).(*timer)
	c.boot = max(c.boot, e.at)
	e.f()
	return true
}
