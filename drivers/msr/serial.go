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
	// byte or bit (60 ms; at 9600 baud a byte takes 1 ms, and a card drawn at
	// 100 mm/s gives a bit every 3 ms).
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

// Serial is a head that sends ASCII tracks. One ReadSwipe at a time.
type Serial struct {
	port Port
	o    Opts
	buf  [256]byte
	in   []byte      // of buf: received and not yet looked at; wiped as it is taken
	line []byte      // the pass so far; it outlives a ReadSwipe whose context ends within
	last hal.Instant // when the last byte of line came
	// flood: this line was too long and has been reported. What follows is
	// read for a card at its end, and is else dropped without a word.
	flood bool
}

// NewSerial reads passes from a port.
func NewSerial(port Port, o Opts) (*Serial, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return &Serial{port: port, o: o, line: make([]byte, 0, maxLine)}, nil
}

// String names the driver and its port.
func (s *Serial) String() string { return "msr-serial (" + s.port.String() + ")" }

// Halt has nothing to stop: ReadSwipe ends with its context.
func (s *Serial) Halt() error { return nil }

// ReadSwipe returns as soon as the line end of a pass is in. Its errors are
// the context's and the port's.
func (s *Serial) ReadSwipe(ctx context.Context) (hal.Swipe, error) {
	for {
		for len(s.in) > 0 {
			c := s.in[0]
			s.in[0] = 0
			s.in = s.in[1:]
			if sw, ok := s.take(c); ok {
				return sw, nil
			}
		}
		switch err := s.receive(ctx); {
		case err == errGap:
			if sw, ok := s.end(); ok {
				return sw, nil
			}
		case err != nil:
			if ctx.Err() == nil { // the port has failed: what comes next is another pass
				s.drop()
			}
			return hal.Swipe{}, err
		}
	}
}

// take adds one byte to the pass; ok if that ends it.
func (s *Serial) take(c byte) (sw hal.Swipe, ok bool) {
	if c == '\r' || c == '\n' {
		return s.end()
	}
	s.line = append(s.line, c)
	if len(s.line) < maxLine {
		return sw, false
	}
	// Half of the line is longer than any card: one that begins now is whole.
	half := copy(s.line, s.line[maxLine/2:])
	clear(s.line[half:])
	s.line = s.line[:half]
	if s.flood {
		return sw, false
	}
	s.flood = true
	for i := range sw.Tracks {
		sw.Tracks[i].Fault = hal.FaultForm
	}
	sw.Received = s.last
	return sw, true
}

// end takes the line as a pass; ok is false if it was none.
func (s *Serial) end() (sw hal.Swipe, ok bool) {
	sw, ok = ParseLine(s.line)
	sw.Received = s.last
	if s.flood && !sw.Readable() {
		sw.Wipe()
		ok = false
	}
	s.drop()
	return sw, ok
}

func (s *Serial) drop() {
	clear(s.line)
	s.line, s.flood = s.line[:0], false
	hal.Scrub()
}

var errGap = errors.New("msr: silence")

// receive waits for bytes: for ever before a pass, for the gap within one.
func (s *Serial) receive(ctx context.Context) error {
	read := ctx
	within := len(s.line) > 0
	if within {
		var cancel context.CancelFunc
		read, cancel = hal.WithTimeout(ctx, s.o.Clock, s.o.Gap)
		defer cancel()
	}
	n, err := s.port.Read(read, s.buf[:])
	s.in = s.buf[:n]
	if n > 0 {
		s.last = s.o.Clock.Now()
	}
	var pe *tty.ParityError
	switch {
	case errors.As(err, &pe):
		// The serial line's own parity: as good as a character that the head
		// could not read.
		if pe.Offset < n {
			s.in[pe.Offset] = badChar
		}
		return nil
	case err != nil && within && ctx.Err() == nil && hal.TimedOut(read):
		return errGap
	}
	return err
}
