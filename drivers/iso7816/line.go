package iso7816

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"swipewell/drivers/tty"
	"swipewell/hal"
)

// Port is the serial port on the I/O line; *tty.Port is one.
type Port interface {
	Read(ctx context.Context, b []byte) (int, error)
	Write(ctx context.Context, b []byte) (int, error)
	Drain(ctx context.Context) error
	FlushInput() error
	SetBaud(baud int) error
	SetFrame(parity tty.Parity, stopBits int) error
	String() string
}

// TS of the two conventions, and how the inverse one looks to a UART of the
// direct one. ISO7816-3 §8.1.
const (
	direct     = 0x3B
	inverse    = 0x3F
	inverseRaw = 0x03
)

// turned converts a byte between the conventions: every bit the other way, and
// the highest first.
func turned(b byte) byte { return ^bits.Reverse8(b) }

// Ends of a wait that a protocol goes on from.
var (
	errSilence = errors.New("iso7816: silence")
	errParity  = errors.New("iso7816: parity error")
)

// line is the I/O line, one character at a time, with its times. All methods
// are for one caller.
type line struct {
	port     Port
	contacts Contacts
	clock    hal.Clock
	slack    time.Duration
	watch    time.Duration // how often the card-present switch is looked at
	etu      time.Duration
	echo     bool // what is sent is received as well: one I/O line
	turn     bool // inverse convention
	stop     int  // stop bits in force
	guard    time.Duration
	limit    time.Duration // boottime at which the exchange must be over

	buf [300]byte
	rx  []byte // of buf: received and not yet taken
	bad bool   // the last byte of rx failed its parity
	// flip: the card's parity is the other one, so a good byte is one that the
	// port finds bad.
	flip bool
	last time.Duration // boottime at which the last character was over, either way
}

func (l *line) now() time.Duration { return l.clock.Now().Boot }

// frame sets parity and stop bits.
func (l *line) frame(stop int) error {
	l.flip = false
	parity := tty.ParityEven
	if l.turn {
		parity = tty.ParityOdd
	}
	l.stop = stop
	return device(l.port.SetFrame(parity, stop))
}

// next waits for one character: errSilence after wait and the slack, errParity
// for one that failed its check, else the context's error or a *hal.ChipError.
func (l *line) next(ctx context.Context, wait time.Duration) (byte, error) {
	due := l.now() + wait + l.slack
	for len(l.rx) == 0 {
		now := l.now()
		switch {
		case now >= l.limit:
			return 0, &hal.ChipError{Cause: hal.ChipMute, Err: errors.New("the card took too long over one command")}
		case now >= due:
			return 0, errSilence
		}
		if err := l.fill(ctx, min(due, l.limit, now+l.watch)-now); err != nil {
			return 0, err
		}
	}
	b, bad := l.rx[0], l.bad && len(l.rx) == 1
	l.rx = l.rx[1:]
	if l.turn {
		b = turned(b)
	}
	if bad != l.flip {
		return b, errParity
	}
	return b, nil
}

// forget wipes what was received last.
func (l *line) forget() {
	clear(l.buf[:])
	l.rx = nil
}

// fill reads what is there, or comes within d. A card that is withdrawn is
// noticed at the end of d.
func (l *line) fill(ctx context.Context, d time.Duration) error {
	read, cancel := hal.WithTimeout(ctx, l.clock, d)
	defer cancel()
	n, err := l.port.Read(read, l.buf[:])
	l.rx, l.bad = l.buf[:n], false
	if n > 0 {
		l.last = l.now()
	}
	var pe *tty.ParityError
	switch {
	case errors.As(err, &pe):
		l.bad = true
		return nil
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case hal.TimedOut(read):
		return l.present()
	}
	return device(err)
}

// present tells of a card that is gone.
func (l *line) present() error {
	switch in, err := l.contacts.Present(); {
	case err != nil:
		return device(err)
	case !in:
		return &hal.ChipError{Cause: hal.ChipRemoved}
	}
	return nil
}

// send waits until so much time has passed since the last character, sends b
// and takes its echo. More than one stop bit lengthens each character; what
// guard asks for beyond that is waited for, character by character.
func (l *line) send(ctx context.Context, b []byte, after time.Duration) error {
	if wait := l.last + after - l.now(); wait > 0 {
		if err := hal.Sleep(ctx, l.clock, wait); err != nil {
			return err
		}
	}
	// What came unasked would be taken for the echo.
	l.rx = l.rx[:0]
	if err := l.port.FlushInput(); err != nil {
		return device(err)
	}
	piece := len(b)
	if l.guard > 0 {
		piece = 1
	}
	out := make([]byte, 0, 1+len(b))
	defer clear(out[:cap(out)])
	for at := 0; at < len(b); at += piece {
		part := append(out[:0], b[at:at+piece]...)
		if l.turn {
			for i := range part {
				part[i] = turned(part[i])
			}
		}
		if err := l.put(ctx, part, b[at:at+piece]); err != nil {
			return err
		}
		if l.guard > 0 && at+piece < len(b) {
			// The echo is handed out 10.5 etu after its beginning, not 12.
			if err := hal.Sleep(ctx, l.clock, l.guard+2*l.etu); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *line) put(ctx context.Context, raw, plain []byte) error {
	if _, err := l.port.Write(ctx, raw); err != nil {
		return l.failed(ctx, err)
	}
	if !l.echo {
		if err := l.port.Drain(ctx); err != nil {
			return l.failed(ctx, err)
		}
		l.last = l.now()
		return nil
	}
	low := byte(0) // what a line that is held down looks like: a break
	if l.turn {
		low = turned(low)
	}
	for i, c := range plain {
		// The characters before this one may still be on their way out.
		got, err := l.next(ctx, time.Duration(len(plain)-i+1)*12*l.etu)
		switch {
		case err == errSilence:
			return &hal.ChipError{Cause: hal.ChipShorted, Err: errors.New("the I/O line does not follow")}
		case err == errParity && got == low, err == nil && got == low && c != low:
			return &hal.ChipError{Cause: hal.ChipShorted, Err: errors.New("the I/O line is held down")}
		case err == errParity, err == nil && got != c:
			return errEcho
		case err != nil:
			return err
		}
	}
	return nil
}

// errEcho: somebody else spoke while we did.
var errEcho = errors.New("iso7816: two at once on the I/O line")

func (l *line) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return device(err)
}

// maxNoise is how many characters are waited through for a silence; the longest
// block has 259.
const maxNoise = 600

// quiet takes characters away until none has come for d.
func (l *line) quiet(ctx context.Context, d time.Duration) error {
	for range maxNoise {
		if _, err := l.next(ctx, d); err == errSilence {
			return nil
		} else if err != nil && err != errParity {
			return err
		}
	}
	return protocol("more than %d characters without a pause", maxNoise)
}

// device is a reader that failed.
func device(err error) error {
	var ce *hal.ChipError
	if err == nil || errors.As(err, &ce) {
		return err
	}
	return &hal.ChipError{Cause: hal.ChipDevice, Err: fmt.Errorf("iso7816: %w", err)}
}
