package panel

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"swipewell/hal"
)

// lampNames are the lamps of the bench.
var lampNames = []string{"ready", "busy", "alarm"}

type lamps struct{ p *Panel }

func (l lamps) String() string { return "panel lamps" }
func (l lamps) Halt() error    { return nil }

func (l lamps) Set(name string, s hal.LampState) error {
	if !slices.Contains(lampNames, name) {
		return fmt.Errorf("panel: no lamp %q; there are %v", name, lampNames)
	}
	return l.p.send(MsgLamp, Small{Name: name, State: s.String()})
}

type sounder struct{ p *Panel }

func (s sounder) String() string         { return "panel sounder" }
func (s sounder) Halt() error            { return nil }
func (s sounder) Sound(t hal.Tone) error { return s.p.sendRaw(MsgSound, []byte{byte(t)}) }

// columns of the bench's paper: 58 mm, 12 dots a column.
const columns = 32

type printer struct{ p *Panel }

func (r printer) String() string { return "panel printer" }
func (r printer) Halt() error    { return nil }
func (r printer) Columns() int   { return columns }

// Print sends line by line, as paper comes out, and returns when the bench says
// that the slip is out or why it is torn. Halfway stands the point "printing".
func (r printer) Print(ctx context.Context, s hal.Slip) error {
	p := r.p
	var id int
	p.update(func() {
		p.slip++
		id = p.slip
	})
	defer p.update(func() { delete(p.printed, id) })
	for i, l := range s.Lines {
		if err := ctx.Err(); err != nil {
			return err
		}
		if done, err := r.answered(id); done {
			return err
		}
		if i == len(s.Lines)/2 {
			bench{p}.Point("printing")
		}
		if err := p.send(MsgLine, Line{ID: id, Text: l.Text, Style: uint8(l.Style)}); err != nil {
			return err
		}
	}
	if err := p.send(MsgSlip, SlipEnd{ID: id, Cut: s.Cut}); err != nil {
		return err
	}
	var err error
	var done bool
	if werr := p.wait(ctx, func() bool { done, err = r.answeredLocked(id); return done }); werr != nil {
		return werr
	}
	return err
}

// answered tells whether the slip has ended already, and how.
func (r printer) answered(id int) (bool, error) {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	if !r.p.paper && r.p.printed[id] == "" {
		return true, &hal.PrinterError{Cause: hal.PaperOut}
	}
	return r.answeredLocked(id)
}

func (r printer) answeredLocked(id int) (bool, error) {
	cause, ok := r.p.printed[id]
	if !ok || cause == "" {
		return ok, nil
	}
	for c := hal.PrinterFault; c <= hal.PrinterHot; c++ {
		if c.String() == cause {
			return true, &hal.PrinterError{Cause: c}
		}
	}
	return true, &hal.PrinterError{Cause: hal.PrinterFault, Err: errors.New(cause)}
}

type tamper struct{ p *Panel }

func (t tamper) String() string { return "panel tamper switch" }
func (t tamper) Halt() error    { return nil }

func (t tamper) Wait(ctx context.Context) (which string, err error) {
	err = t.p.wait(ctx, func() bool {
		if len(t.p.tamper) == 0 {
			return false
		}
		which, t.p.tamper = t.p.tamper[0], t.p.tamper[1:]
		return true
	})
	return which, err
}
