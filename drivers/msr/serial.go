package msr

import (
	"context"
	"errors"
	"time"

	"swipewell/drivers/tty"
	"swipewell/hal"
)

// Port is the serial port of a head.
type Port interface {
	Read(ctx context.Context, b []byte) (int, error)
	String() string
}

// Opts of both readers. Clock is needed.
type Opts struct {
	Clock hal.Clock
	// Gap ends a pass that has no line end: so much silence after its last
	// byte (60 ms; at 9600 baud a byte takes 1 ms).
	Gap time.Duration
}

func (o *Opts) check() error {
	if o.Clock == nil {
		return errors.New("msr: a clock is needed")
	}
	if o.Gap <= 0 {
		o.Gap = 60 * time.Millisecond
	}
	return nil
}

// Serial is a head that sends ASCII tracks.
type Serial struct {
	port Port
	o    Opts
	rest []byte // bytes behind the last line end
}

// NewSerial reads passes from a port.
func NewSerial(port Port, o Opts) (*Serial, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return &Serial{port: port, o: o}, nil
}

func (s *Serial) String() string { return "msr-serial (" + s.port.String() + ")" }

// Halt has nothing to stop: ReadSwipe ends with its context.
func (s *Serial) Halt() error { return nil }

// ReadSwipe returns as soon as the line end of a pass is in. Its errors are
// the port's.
func (s *Serial) ReadSwipe(ctx context.Context) (hal.Swipe, error) {
	line := make([]byte, 0, maxLine)
	defer func() { clear(line[:cap(line)]) }()
	flood, bad := false, false
	for {
		for len(s.rest) > 0 {
			c := s.rest[0]
			s.rest = s.rest[1:]
			switch {
			case c != '\r' && c != '\n':
				if len(line) < maxLine {
					line = append(line, c)
				} else {
					flood = true
				}
			case len(line) > 0:
				return s.pass(line, flood, bad), nil
			}
		}
		n, err := s.read(ctx, len(line) > 0)
		var pe *tty.ParityError
		switch {
		case errors.As(err, &pe):
			// The line's own parity, not the stripe's: that character is lost.
			if pe.Offset < n {
				s.rest[pe.Offset] = badChar
			}
			bad = true
		case err != nil && len(line) > 0 && ctx.Err() == nil && errors.Is(err, errGap):
			return s.pass(line, flood, bad), nil
		case err != nil:
			return hal.Swipe{}, err
		}
	}
}

var errGap = errors.New("msr: silence")

// read waits for bytes: for ever before a pass, for the gap within one.
func (s *Serial) read(ctx context.Context, within bool) (int, error) {
	buf := make([]byte, 256)
	read := ctx
	if within {
		var cancel context.CancelFunc
		read, cancel = hal.WithTimeout(ctx, s.o.Clock, s.o.Gap)
		defer cancel()
	}
	n, err := s.port.Read(read, buf)
	s.rest = buf[:n]
	if within && err != nil && ctx.Err() == nil && hal.TimedOut(read) {
		err = errGap
	}
	return n, err
}

func (s *Serial) pass(line []byte, flood, bad bool) hal.Swipe {
	sw := ParseLine(line)
	if flood && !sw.Readable() {
		sw.Tracks[1] = hal.Track{Fault: hal.FaultForm}
	}
	sw.Received = s.o.Clock.Now()
	return sw
}
