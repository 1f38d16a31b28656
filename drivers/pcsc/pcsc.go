// Package pcsc is a card reader behind pcscd: a client of the daemon's socket,
// without its library and without cgo.
//
// Sources:
//   - PCSCLITE: pcsc-lite 1.9.9, src/winscard_msg.h, pcscd.h.in, eventhandler.h;
//     message protocol 4.4
//   - ISO7816-3, ISO7816-4
//
// Each message is a header, size and command, and a struct of 32-bit numbers in
// the machine's order, of which the daemon sends back a copy with the answer in
// its last number. A TRANSMIT is followed by the bytes themselves, both ways.
// WAIT_READER_STATE_CHANGE gives all readers' states at once and two numbers at
// the next change.
//
// A T=0 reader passes on one TPDU at a time: 61xx and 6Cxx are dealt with here.
// pcscd can not be told to break off an exchange: a call whose context ends, and
// PowerDown, hang up, which lets go of the card; the next PowerUp waits until
// the reader is through with it.
//
// Which card is accepted, the reader decides; its answer to reset was checked
// there.
package pcsc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"swipewell/drivers/iso7816"
	"swipewell/hal"
)

// DefaultSocket is pcscd's.
const DefaultSocket = "/run/pcscd/pcscd.comm"

// Opts of New. Clock is needed.
type Opts struct {
	Socket string // DefaultSocket
	Reader string // as pcscd names it; "": the first
	Clock  hal.Clock
	Limit  time.Duration // of one call (60 s)
}

// Reader is a hal.ChipReader.
type Reader struct {
	o    Opts
	turn *iso7816.Turn

	// Owned by who has the token.
	c        *conn // nil: not connected to a card
	card     uint32
	protocol uint32
}

// New looks whether the daemon is there; a reader may come later.
func New(o Opts) (*Reader, error) {
	if o.Clock == nil {
		return nil, errors.New("pcsc: a clock is needed")
	}
	if o.Socket == "" {
		o.Socket = DefaultSocket
	}
	if o.Limit <= 0 {
		o.Limit = time.Minute
	}
	r := &Reader{o: o, turn: iso7816.NewTurn()}
	_, err := r.Present()
	return r, err
}

func (r *Reader) String() string {
	if r.o.Reader == "" {
		return "pcsc"
	}
	return "pcsc (" + r.o.Reader + ")"
}

// Halt is PowerDown.
func (r *Reader) Halt() error { return r.PowerDown() }

// Close is PowerDown.
func (r *Reader) Close() error { return r.PowerDown() }

// ours finds the reader; a reader that is not plugged in has no card.
func (r *Reader) ours(all []state) state {
	for _, s := range all {
		if r.o.Reader == "" || s.name == r.o.Reader {
			return s
		}
	}
	return state{}
}

// during runs f on a connection of its own, which ends with ctx.
func (r *Reader) during(ctx context.Context, f func(c *conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := dial(ctx, r.o.Socket)
	if err == nil {
		defer c.c.Close()
		defer context.AfterFunc(ctx, func() { c.c.Close() })()
		err = f(c)
	}
	if err == nil {
		return nil
	}
	return r.ended(ctx, err)
}

// ended names what stopped a call: PowerDown, the limit, the caller, or err.
func (r *Reader) ended(ctx context.Context, err error) error {
	switch {
	case ctx.Err() == nil:
		return device(err)
	case context.Cause(ctx) == iso7816.ErrLimit:
		return &hal.ChipError{Cause: hal.ChipMute, Err: iso7816.ErrLimit}
	case context.Cause(ctx) == iso7816.ErrDown:
		return iso7816.ErrDown
	}
	return ctx.Err()
}

func device(err error) error {
	var ce *hal.ChipError
	if errors.As(err, &ce) {
		return err
	}
	return &hal.ChipError{Cause: hal.ChipDevice, Err: err}
}

// Present asks the daemon, which looks at its readers every 400 ms or so.
func (r *Reader) Present() (in bool, err error) {
	ctx, cancel := hal.WithTimeout(context.Background(), r.o.Clock, r.o.Limit)
	defer cancel()
	err = r.during(ctx, func(c *conn) error {
		all, err := c.states(cmdStates)
		in = r.ours(all).present
		return err
	})
	if hal.TimedOut(ctx) {
		err = &hal.ChipError{Cause: hal.ChipDevice, Err: errors.New("pcsc: the daemon does not answer")}
	}
	return in, err
}

// WaitCard waits for the daemon's events.
func (r *Reader) WaitCard(ctx context.Context, present bool) error {
	return r.during(ctx, func(c *conn) error {
		for {
			all, err := c.states(cmdWait)
			if err != nil {
				return err
			}
			if r.ours(all).present == present {
				c.stopWaiting()
				return nil
			}
			if _, err := io.ReadFull(c.c, make([]byte, 8)); err != nil {
				return err
			}
		}
	})
}

// PowerDown ends an exchange and lets go of the card, without power.
func (r *Reader) PowerDown() error {
	defer r.turn.End()()
	if r.c != nil {
		r.c.call(cmdDisconnect, words(r.card, unpower, 0)) // a card that is gone is down
		r.drop()
	}
	return nil
}

func (r *Reader) drop() {
	if r.c != nil {
		r.c.c.Close()
		r.c = nil
	}
}

// guard closes the connection when ctx ends, and names what then went wrong.
func (r *Reader) guard(ctx context.Context, f func(c *conn) error) error {
	c := r.c
	stop := context.AfterFunc(ctx, func() { c.c.Close() })
	err := f(c)
	stop()
	if err == nil {
		return nil
	}
	if ctx.Err() == nil {
		err = r.cause(err)
	}
	r.drop()
	return r.ended(ctx, err)
}

// cause names the daemon's answer.
func (r *Reader) cause(err error) error {
	var ce *hal.ChipError
	if errors.As(err, &ce) {
		return err
	}
	var code Code
	if !errors.As(err, &code) {
		return device(err)
	}
	k := hal.ChipDevice
	switch code {
	case 0x8010000C, 0x80100069:
		k = hal.ChipRemoved
	case 0x80100066, 0x80100067:
		k = hal.ChipMute
	case 0x8010000F:
		k = hal.ChipRefused
	case 0x80100013, notTransacted, 0x80100068:
		k = hal.ChipProtocol
		if r.pulled() {
			k = hal.ChipRemoved
		}
	}
	return &hal.ChipError{Cause: k, Err: code}
}

// pulled tells whether the card is gone, which the daemon knows only when it has
// looked at its readers the next time, at most 400 ms later.
func (r *Reader) pulled() bool {
	ctx, cancel := hal.WithTimeout(context.Background(), r.o.Clock, time.Second)
	defer cancel()
	return r.WaitCard(ctx, false) == nil
}

// PowerUp connects to the card for us alone; with a card that is ours already
// it is a reset.
func (r *Reader) PowerUp(ctx context.Context) (reset hal.Reset, err error) {
	ctx, end, err := r.turn.Begin(ctx, r.o.Clock, r.o.Limit)
	if err != nil {
		return reset, err
	}
	defer end()
	warm := r.c != nil
	for n := 0; ; n++ {
		reset, err = r.open(ctx)
		var code Code
		if warm || !errors.As(err, &code) || code != sharing || time.Duration(n)*pause >= patience {
			break
		}
		// Perhaps ours of before, if we hung up: the reader is not through with it.
		if err := hal.Sleep(ctx, r.o.Clock, pause); err != nil {
			return hal.Reset{}, err
		}
	}
	if err != nil {
		return hal.Reset{}, err
	}
	switch r.protocol {
	case protoT0:
	case protoT1:
		reset.Protocol = 1
	default:
		r.drop()
		return hal.Reset{}, &hal.ChipError{Cause: hal.ChipRefused, Err: fmt.Errorf("pcsc: protocol %d", r.protocol)}
	}
	reset.Warm = warm
	return reset, nil
}

// sharing is the daemon's word for a card that somebody holds; it is asked again
// for patience, and no longer: it may be another program's.
const (
	sharing       = Code(0x8010000B)
	notTransacted = Code(0x80100016)
	pause         = 50 * time.Millisecond
	patience      = 5 * time.Second
)

// open connects to the card, or resets the one that is ours.
func (r *Reader) open(ctx context.Context) (reset hal.Reset, err error) {
	warm := r.c != nil
	if !warm {
		c, err := dial(ctx, r.o.Socket)
		if err != nil {
			return reset, r.ended(ctx, err)
		}
		r.c = c
	}
	err = r.guard(ctx, func(c *conn) error {
		all, err := c.states(cmdStates)
		if err != nil {
			return err
		}
		if s := r.ours(all); !s.present {
			return &hal.ChipError{Cause: hal.ChipRemoved}
		} else if warm {
			r.protocol, err = c.reset(r.card)
		} else {
			r.card, r.protocol, err = c.connect(s.name)
		}
		if err != nil {
			return err
		}
		if all, err = c.states(cmdStates); err != nil {
			return err
		}
		reset.ATR = r.ours(all).atr
		return nil
	})
	return reset, err
}

// maxAnswer is the longest response APDU in the short form.
const maxAnswer = 258

// Transmit exchanges one APDU.
func (r *Reader) Transmit(ctx context.Context, dst, capdu []byte) ([]byte, error) {
	if err := iso7816.CheckCommand(capdu); err != nil {
		return dst, err
	}
	ctx, end, err := r.turn.Begin(ctx, r.o.Clock, r.o.Limit)
	if err != nil {
		return dst, err
	}
	defer end()
	if r.c == nil {
		return dst, iso7816.ErrNoPower
	}
	out := dst
	err = r.guard(ctx, func(c *conn) error {
		one := func(_ context.Context, b []byte) (data []byte, sw1, sw2 byte, err error) {
			got, err := c.transmit(r.card, r.protocol, b, maxAnswer)
			if err == nil && len(got) < 2 {
				err = notTransacted // vpcd's way to say so
			}
			if err != nil {
				return nil, 0, 0, err
			}
			n := len(got) - 2
			return got[:n], got[n], got[n+1], nil
		}
		if r.protocol == protoT0 {
			out, err = iso7816.MapT0(ctx, dst, capdu, one)
			return err
		}
		data, sw1, sw2, err := one(ctx, capdu)
		if err == nil {
			out = append(append(dst, data...), sw1, sw2)
			clear(data)
		}
		return err
	})
	if err != nil {
		return dst, err
	}
	return out, nil
}
