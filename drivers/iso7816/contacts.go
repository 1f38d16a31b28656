package iso7816

import (
	"context"
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/gpio"

	"swipewell/hal"
)

// Contacts are the lines of the slot beside I/O. Present and Wait may be called
// at any time.
type Contacts interface {
	VCC(on bool) error
	RST(high bool) error
	CLK(on bool) error
	Present() (bool, error)
	// Wait blocks until the card-present switch equals present.
	Wait(ctx context.Context, present bool) error
	String() string
}

// Pins are contacts on GPIO lines. VCC, RST and CLK may be nil where the board
// does it by itself; In is needed. A line whose name is in Low is active low.
type Pins struct {
	Vcc, Rst, Clk gpio.PinOut
	In            gpio.PinIn // high: a card is in
	InLow         bool       // low: a card is in
	VccLow        bool       // a P-channel switch: low gives power
	Clock         hal.Clock
}

// bounce is how long the card-present switch must rest before it is believed.
const bounce = 20 * time.Millisecond

// Open sets the lines to a slot without power.
func (p *Pins) Open() error {
	if p.In == nil || p.Clock == nil {
		return errors.New("iso7816: the card-present line and a clock are needed")
	}
	pull := gpio.PullDown
	if p.InLow {
		pull = gpio.PullUp
	}
	if err := p.In.In(pull, gpio.BothEdges); err != nil {
		return fmt.Errorf("iso7816: pin %s: %w", p.In.Name(), err)
	}
	return errors.Join(p.RST(false), p.CLK(false), p.VCC(false))
}

// VCC switches the card's supply.
func (p *Pins) VCC(on bool) error { return set(p.Vcc, on != p.VccLow) }

// RST moves the reset contact.
func (p *Pins) RST(high bool) error { return set(p.Rst, high) }

// CLK lets the card's clock run or stops it low.
func (p *Pins) CLK(on bool) error { return set(p.Clk, on) }

func set(pin gpio.PinOut, high bool) error {
	if pin == nil {
		return nil
	}
	if err := pin.Out(gpio.Level(high)); err != nil {
		return fmt.Errorf("iso7816: pin %s: %w", pin.Name(), err)
	}
	return nil
}

// Present reads the switch as it is.
func (p *Pins) Present() (bool, error) { return bool(p.In.Read()) != p.InLow, nil }

// Wait sleeps on the pin's edges, at most 20 ms at a time, since Halt of a pin
// does not free a waiter everywhere. The switch must rest before it is believed.
func (p *Pins) Wait(ctx context.Context, present bool) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if in, _ := p.Present(); in == present {
			if err := hal.Sleep(ctx, p.Clock, bounce); err != nil {
				return err
			}
			if in, _ := p.Present(); in == present {
				return nil
			}
			continue
		}
		p.In.WaitForEdge(bounce)
	}
}

func (p *Pins) String() string { return "pins " + p.In.Name() }
