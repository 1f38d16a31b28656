// Package pinio is what hangs on single pins of a board: so far the tamper line.
//
// Sources:
//   - PERIPH: periph.io/x/conn/v3/gpio
//   - PTS: PCI PTS POI v6 A1: a cut wire must count as an opened case
package pinio

import (
	"context"
	"fmt"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// Tamper is a switch to ground that is closed while the case is: a pull-up makes an
// open case, and a cut wire, high.
type Tamper struct{ p gpio.PinIn }

// NewTamper takes a line over.
func NewTamper(p gpio.PinIn) (*Tamper, error) {
	if err := p.In(gpio.PullUp, gpio.RisingEdge); err != nil {
		return nil, fmt.Errorf("pinio: tamper line %v: %w", p, err)
	}
	return &Tamper{p}, nil
}

func (t *Tamper) String() string { return t.p.String() }

// Halt frees the line.
func (t *Tamper) Halt() error { return t.p.Halt() }

// look is how often the end of a context is noticed.
const look = 200 * time.Millisecond

// Wait returns at once if the case is open, also where it was opened without power,
// and at the first rising edge, also where the line is low again by now.
func (t *Tamper) Wait(ctx context.Context) (which string, err error) {
	for ctx.Err() == nil {
		if t.p.Read() == gpio.High || t.p.WaitForEdge(look) {
			return t.p.Name(), nil
		}
	}
	return "", ctx.Err()
}
