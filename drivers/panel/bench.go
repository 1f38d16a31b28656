package panel

import (
	"context"
	"slices"
	"time"

	"swipewell/hal"
)

// quiet is how long nothing may move before the device counts as idle, and
// patience how long that is waited for; both in real time, looked at every tick.
const (
	tick     = time.Millisecond
	quiet    = 4 * time.Millisecond
	patience = 2 * time.Second
)

// advance jumps, then waits until the terminal is idle and says so. A device
// that stands at a point says nothing: its power is about to fail.
func (p *Panel) advance(a Advance) {
	if a.NS > 0 {
		p.clock.Jump(time.Duration(a.NS))
	}
	busy, stir := p.look()
	if busy || stir != a.Seen || a.NS > 0 {
		var ok bool
		if busy, stir, ok = p.settle(); !ok {
			return
		}
	}
	next := int64(-1)
	if d, ok := p.clock.Next(); ok {
		next = int64(d)
	}
	p.send(MsgIdle, Idle{ID: a.ID, Next: next, Stir: stir, Busy: busy})
}

// settle waits until nothing has stirred for a while. ok is false if the device
// will never be idle again.
func (p *Panel) settle() (busy bool, stir uint64, ok bool) {
	busy, stir = p.look()
	same := time.Duration(0)
	for waited := time.Duration(0); waited < patience && same < quiet; waited += tick {
		began := hal.SystemClock{}.Now().Boot
		if hal.Sleep(context.Background(), hal.SystemClock{}, tick) != nil || p.dead() {
			return busy, stir, false
		}
		// A tick that came late says that the machine is busy: what was to stir may
		// only not have had its turn.
		late := hal.SystemClock{}.Now().Boot-began > 3*tick
		seen := stir
		if busy, stir = p.look(); busy || stir != seen || late {
			same = 0
			continue
		}
		same += tick
	}
	return busy, stir, true
}

func (p *Panel) dead() bool {
	select {
	case <-p.gone:
		return true
	default:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.halted
}

// look asks the terminal's probe and adds what the panel itself knows.
func (p *Panel) look() (busy bool, stir uint64) {
	p.mu.Lock()
	probe := p.probe
	p.mu.Unlock()
	if probe != nil {
		busy, stir = probe()
	}
	return busy || p.clock.Running(), stir + p.clock.Fired() + p.moved.Load()
}

// bench gives the terminal the bench's fault points.
type bench struct{ p *Panel }

// Point stands still at an armed point: the bench kills this process.
func (b bench) Point(name string) {
	b.p.mu.Lock()
	armed := slices.Contains(b.p.points, name)
	if armed {
		b.p.halted = true
	}
	b.p.mu.Unlock()
	if !armed {
		return
	}
	b.p.send(MsgPoint, Small{Name: name})
	select {}
}

func (b bench) StoreFault() string {
	b.p.mu.Lock()
	defer b.p.mu.Unlock()
	return b.p.fault
}

func (b bench) SetIdle(probe func() (bool, uint64)) {
	b.p.mu.Lock()
	defer b.p.mu.Unlock()
	b.p.probe = probe
}
