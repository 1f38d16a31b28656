package msr

import (
	"context"
	"fmt"
	"slices"
	"time"

	"periph.io/x/conn/v3/gpio"

	"swipewell/hal"
)

// TTL is a bare head: a clock line that falls once a bit while the data line is
// valid, a data line that is low for a one, and, where the head has it, a line
// that is low while a card passes. It reads track 2, which alone suffices. One
// ReadSwipe at a time.
type TTL struct {
	clock, data, present gpio.PinIn
	o                    Opts
	all, low             []bool          // of the pass: the data at every edge, and where the clock was still low
	times                []time.Duration // boottime of each falling edge of the clock
	last                 hal.Instant
	flood                bool // this pass was too long and has been reported
}

// poll bounds a wait for an edge, since Halt of a pin does not free it
// everywhere (periph's gpiotest among them); so it bounds how long ReadSwipe
// outlives its context.
const poll = 20 * time.Millisecond

// settle is how long the clock must rest after the present line says that the
// card has gone.
const settle = 2 * time.Millisecond

// maxBits of a pass: a stripe of 86 mm at 8.27 bits/mm (ISO7811-2, "Nominal bit
// density", tracks 1 and 3) has 710, and pins that cannot tell a falling edge from a rising one double them.
const maxBits = 2048

// NewTTL reads passes from GPIO lines; present may be nil.
func NewTTL(clock, data, present gpio.PinIn, o Opts) (*TTL, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	t := &TTL{clock: clock, data: data, present: present, o: o, all: make([]bool, 0, maxBits), low: make([]bool, 0, maxBits), times: make([]time.Duration, 0, maxBits)}
	for _, l := range []struct {
		pin  gpio.PinIn
		edge gpio.Edge
	}{{clock, gpio.FallingEdge}, {data, gpio.NoEdge}, {present, gpio.NoEdge}} {
		if l.pin == nil {
			continue
		}
		if err := l.pin.In(gpio.PullUp, l.edge); err != nil {
			return nil, fmt.Errorf("msr: pin %s: %w", l.pin.Name(), err)
		}
	}
	return t, nil
}

// String names the driver and its lines.
func (t *TTL) String() string { return "msr-ttl (" + t.clock.Name() + "/" + t.data.Name() + ")" }

// Halt stops edge detection; it does not end a ReadSwipe, whose context does.
func (t *TTL) Halt() error { return t.clock.Halt() }

// ReadSwipe collects bits from the first edge to the silence behind the last.
// Silence is measured in real time, by the pin.
func (t *TTL) ReadSwipe(ctx context.Context) (hal.Swipe, error) {
	quiet := time.Duration(0)
	for {
		if err := ctx.Err(); err != nil {
			return hal.Swipe{}, err
		}
		wait := min(poll, t.o.Gap)
		if len(t.all) > 0 && t.present != nil {
			wait = settle
		}
		if t.clock.WaitForEdge(wait) {
			quiet = 0
			if t.edge() {
				return t.swipe(hal.Track{Fault: hal.FaultForm}, false), nil
			}
			continue
		}
		quiet += wait
		if len(t.all) == 0 {
			continue
		}
		gone := t.present != nil && t.present.Read() == gpio.High
		passing := t.present != nil && !gone
		if passing || !gone && quiet < t.o.Gap {
			continue
		}
		tr, reversed := t.decode()
		known, p := t.flood, pace(t.times)
		t.drop()
		if tr.Fault == hal.TrackOK || tr.Fault != hal.TrackAbsent && !known { // absent: a glitch, not a card
			s := t.swipe(tr, reversed)
			s.Pace = p
			return s, nil
		}
	}
}

// edge takes one bit; flood tells that these are more than any card has.
func (t *TTL) edge() (flood bool) {
	low := t.clock.Read() == gpio.Low
	one := t.data.Read() == gpio.Low
	t.last = t.o.Clock.Now()
	if low && len(t.times) < maxBits {
		t.times = append(t.times, t.last.Boot)
	}
	if len(t.all) == maxBits {
		// A noisy line: tell once, and keep what may be the begin of a card.
		keep(&t.all)
		keep(&t.low)
		flood, t.flood = !t.flood, true
	}
	t.all = append(t.all, one)
	if low {
		t.low = append(t.low, one)
	}
	return flood
}

// keep keeps the newer half.
func keep(b *[]bool) {
	n := copy(*b, (*b)[len(*b)/2:])
	clear((*b)[n:])
	*b = (*b)[:n]
}

// decode reads the pass. Pins that do not filter edges (gpiotest's) wake for
// rising ones as well; a slow machine finds the clock high again after a
// falling one. Parity and LRC tell which of the two it was.
func (t *TTL) decode() (tr hal.Track, reversed bool) {
	tr, reversed = DecodeTrack(1, t.low)
	if tr.Fault == hal.TrackOK || len(t.low) == len(t.all) {
		return tr, reversed
	}
	if a, r := DecodeTrack(1, t.all); rank(a.Fault) > rank(tr.Fault) {
		return a, r
	}
	return tr, reversed
}

func (t *TTL) drop() {
	clear(t.all)
	clear(t.low)
	t.all, t.low, t.times, t.flood = t.all[:0], t.low[:0], t.times[:0], false
}

// pace is how the card was drawn: the median of the bit times, and how far its
// slow tenth is from its fast one.
func pace(at []time.Duration) (p hal.Pace) {
	if len(at) < 20 {
		return p
	}
	cells := make([]time.Duration, len(at)-1)
	for i := range cells {
		cells[i] = at[i+1] - at[i]
	}
	slices.Sort(cells)
	p.Bit = cells[len(cells)/2]
	if p.Bit > 0 {
		p.Spread = int((cells[len(cells)*9/10] - cells[len(cells)/10]) * 100 / p.Bit)
	}
	return p
}

func (t *TTL) swipe(tr hal.Track, reversed bool) hal.Swipe {
	s := hal.Swipe{Reversed: reversed, Received: t.last}
	s.Tracks[0].Fault, s.Tracks[1], s.Tracks[2].Fault = hal.TrackAbsent, tr, hal.TrackAbsent
	return s
}
