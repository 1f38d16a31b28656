package hal

import (
	"context"
	"sync"
	"syscall"
	"time"
)

// Instant is one reading of a Clock.
type Instant struct {
	Wall time.Time     // what a person reads; may be wrong, may jump either way
	Boot time.Duration // since an arbitrary start; never runs backwards, counts sleep (CLOCK_BOOTTIME)
}

// Clock is the only source of time outside cmd. Drivers and hostlink take one
// in their Opts, so that a bench or a test can run an hour in a moment.
type Clock interface {
	Now() Instant
	// AfterFunc calls f in its own goroutine once d of boottime has passed.
	// stop reports whether it prevented the call.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Sleeper is a clock that somebody must move while they wait on it: virtual
// time with one goroutine.
type Sleeper interface {
	Sleep(ctx context.Context, d time.Duration) error
}

// Sleep waits for d of the clock's time or for ctx.
func Sleep(ctx context.Context, c Clock, d time.Duration) error {
	if s, ok := c.(Sleeper); ok {
		return s.Sleep(ctx, d)
	}
	done := make(chan struct{})
	stop := c.AfterFunc(d, func() { close(done) })
	defer stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// After is a channel that is closed once d of the clock's time has passed.
// Call stop when it is no longer awaited.
func After(c Clock, d time.Duration) (fired <-chan struct{}, stop func() bool) {
	done := make(chan struct{})
	return done, c.AfterFunc(d, func() { close(done) })
}

// WithTimeout is context.WithTimeout on the clock's time: the context ends
// with context.DeadlineExceeded as its cause once d has passed. The context's
// Err is context.Canceled in both cases; [TimedOut] tells them apart.
func WithTimeout(ctx context.Context, c Clock, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := c.AfterFunc(d, func() { cancel(context.DeadlineExceeded) })
	return ctx, func() { stop(); cancel(context.Canceled) }
}

// TimedOut tells whether ctx ended because a WithTimeout ran out.
func TimedOut(ctx context.Context) bool {
	return ctx.Err() != nil && context.Cause(ctx) == context.DeadlineExceeded
}

// SystemClock is the machine's own clock.
type SystemClock struct{}

var processStart = time.Now()

// Now reads the wall clock and the monotonic clock.
func (SystemClock) Now() Instant {
	n := time.Now()
	return Instant{Wall: n.Round(0), Boot: n.Sub(processStart)}
}

// AfterFunc is time.AfterFunc.
func (SystemClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// SetSystemWall sets the machine's wall clock; it takes the right to do so.
func SetSystemWall(t time.Time) error {
	tv := syscall.NsecToTimeval(t.UnixNano())
	return syscall.Settimeofday(&tv)
}

// SteppedClock is a clock that can be jumped forward and whose wall can be set
// apart from it. With a base it runs at the base's speed plus the jumps (the
// bench); without one it stands still between jumps (virtual time in tests).
type SteppedClock struct {
	mu     sync.Mutex
	base   Clock         // nil: stands still
	boot   time.Duration // sum of the jumps
	wall   time.Time     // wall at boot = 0 of the base
	seq    int
	timers map[int]*steppedTimer
	fired  uint64 // timers fired since the start; a stir for idle detection
	runs   int    // timers whose function has not returned yet
}

type steppedTimer struct {
	due  time.Duration
	f    func()
	stop func() bool // of the base's timer; nil without a base
}

// NewSteppedClock starts at wall; base nil means virtual time.
func NewSteppedClock(base Clock, wall time.Time) *SteppedClock {
	c := &SteppedClock{base: base, timers: map[int]*steppedTimer{}}
	c.wall = wall.Add(-c.baseBoot())
	return c
}

func (c *SteppedClock) baseBoot() time.Duration {
	if c.base == nil {
		return 0
	}
	return c.base.Now().Boot
}

func (c *SteppedClock) bootLocked() time.Duration { return c.baseBoot() + c.boot }

// Now is the base's time plus all jumps.
func (c *SteppedClock) Now() Instant {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.bootLocked()
	return Instant{Wall: c.wall.Add(b), Boot: b}
}

// AfterFunc fires by running time or by a jump, whichever comes first.
func (c *SteppedClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	id := c.seq
	t := &steppedTimer{due: c.bootLocked() + max(d, 0), f: f}
	c.timers[id] = t
	if c.base != nil {
		t.stop = c.base.AfterFunc(max(d, 0), func() { c.fire(id) })
	}
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if _, ok := c.timers[id]; !ok {
			return false
		}
		delete(c.timers, id)
		if t.stop != nil {
			t.stop()
		}
		return true
	}
}

func (c *SteppedClock) fire(id int) {
	c.mu.Lock()
	t, ok := c.timers[id]
	delete(c.timers, id)
	if ok {
		c.fired++
		c.runs++
	}
	c.mu.Unlock()
	if ok {
		c.run(t)
	}
}

func (c *SteppedClock) run(t *steppedTimer) {
	defer func() {
		c.mu.Lock()
		c.runs--
		c.mu.Unlock()
	}()
	t.f()
}

// Running tells whether the function of a timer that has fired is still to return,
// or to begin: whoever jumps again before that takes time away from it.
func (c *SteppedClock) Running() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.runs > 0
}

// Next is how long until the earliest timer is due; ok is false if none waits.
func (c *SteppedClock) Next() (d time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.bootLocked()
	for _, t := range c.timers {
		left := max(t.due-now, 0)
		if !ok || left < d {
			d, ok = left, true
		}
	}
	return d, ok
}

// Fired counts the timers that have run, by time or by a jump.
func (c *SteppedClock) Fired() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fired
}

// Jump moves wall and boottime forward by d and fires what is then due, in
// order of deadline, each in its own goroutine. d must not be negative.
func (c *SteppedClock) Jump(d time.Duration) {
	c.mu.Lock()
	c.boot += max(d, 0)
	now := c.bootLocked()
	c.mu.Unlock()
	for {
		c.mu.Lock()
		first := -1
		for id, t := range c.timers {
			if t.due <= now && (first < 0 || t.due < c.timers[first].due || t.due == c.timers[first].due && id < first) {
				first = id
			}
		}
		if first < 0 {
			c.rearmLocked(now)
			c.mu.Unlock()
			return
		}
		t := c.timers[first]
		delete(c.timers, first)
		if t.stop != nil {
			t.stop()
		}
		c.fired++
		c.runs++
		c.mu.Unlock()
		go c.run(t)
	}
}

// rearmLocked shortens the base timers that a jump brought nearer.
func (c *SteppedClock) rearmLocked(now time.Duration) {
	if c.base == nil {
		return
	}
	for id, t := range c.timers {
		t.stop()
		t.stop = c.base.AfterFunc(max(t.due-now, 0), func() { c.fire(id) })
	}
}

// StepWall moves the wall alone, either way: a person or a host set the clock.
func (c *SteppedClock) StepWall(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall = c.wall.Add(d)
}
