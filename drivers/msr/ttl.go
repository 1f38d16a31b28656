package msr

import (
	"context"
	"time"

	"periph.io/x/conn/v3/gpio"

	"swipewell/hal"
)

// TTL is a bare head: a clock line that falls once a bit, a data line that is
// low for a one, and, where the head has it, a line that is low while a card
// passes. It reads track 2, which alone suffices.
type TTL struct {
	clock, data, present gpio.PinIn
	o                    Opts
}

// poll bounds a wait for an edge, since Halt of a pin does not free it
// everywhere (periph's gpiotest among them).
const poll = 100 * time.Millisecond

// maxBits of a pass: 107 characters of five bits, and clocking zeros.
const maxBits = 2048

// NewTTL reads passes from GPIO lines; present may be nil.
func NewTTL(clock, data, present gpio.PinIn, o Opts) (*TTL, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := clock.In(gpio.PullUp, gpio.FallingEdge); err != nil {
		return nil, err
	}
	if err := data.In(gpio.PullUp, gpio.NoEdge); err != nil {
		return nil, err
	}
	if present != nil {
		if err := present.In(gpio.PullUp, gpio.NoEdge); err != nil {
			return nil, err
		}
	}
	return &TTL{clock: clock, data: data, present: present, o: o}, nil
}

func (t *TTL) String() string { return "msr-ttl (" + t.clock.Name() + "/" + t.data.Name() + ")" }

// Halt stops edge detection.
func (t *TTL) Halt() error { return t.clock.Halt() }

// ReadSwipe collects bits from the first edge to the silence behind the last.
func (t *TTL) ReadSwipe(ctx context.Context) (hal.Swipe, error) {
	bits := make([]bool, 0, maxBits)
	for {
		if err := ctx.Err(); err != nil {
			return hal.Swipe{}, err
		}
		wait := poll
		if len(bits) > 0 {
			wait = t.o.Gap
		}
		if t.clock.WaitForEdge(wait) {
			// The fake pin of the tests wakes for both edges; a falling one is low.
			if t.clock.Read() == gpio.Low && len(bits) < maxBits {
				bits = append(bits, t.data.Read() == gpio.Low)
			}
			continue
		}
		if len(bits) == 0 || t.present != nil && t.present.Read() == gpio.Low {
			continue
		}
		tr, reversed := DecodeTrack(1, bits)
		clear(bits)
		if tr.Fault == hal.TrackAbsent {
			bits = bits[:0] // a glitch, not a card
			continue
		}
		var s hal.Swipe
		s.Tracks[0].Fault, s.Tracks[2].Fault = hal.TrackAbsent, hal.TrackAbsent
		s.Tracks[1], s.Reversed, s.Received = tr, reversed, t.o.Clock.Now()
		return s, nil
	}
}
