package stage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"swipewell/hal"
)

// Fate is what becomes of a frame on its way. The zero value lets it through at
// once.
type Fate struct {
	Cut   bool          // the link breaks while it is being sent
	At    int           // Cut: so many bytes had left
	Lose  bool          // all bytes leave, none arrives
	Hold  bool          // After counts on, also once the link was closed
	After time.Duration // it arrives so much later
	Twice bool
	Flip  int  // one bit of it is wrong: its number plus one; 0 none
	Close bool // the link is closed in its place
}

// Wire is the world between the terminal and its host.
type Wire interface {
	// Dial tells what opening a link ends with, nil for a link. It may let time
	// pass.
	Dial() error
	// Request and Answer tell the fate of a frame.
	Request(frame []byte) Fate
	Answer(frame []byte) Fate
	// Point is a moment at which power can fail: "before-send", "sent", "answer".
	Point(name string)
	// Takes is how long so many bytes are on the line.
	Takes(bytes int) time.Duration
}

// Dialer is a hal.Dialer over a Wire: host has the other end.
type Dialer struct {
	Name  string
	Clock *Clock
	Wire  Wire
	Host  func(c net.Conn, frame []byte)
}

func (d *Dialer) String() string { return d.Name }

// Halt does nothing: there is no device.
func (d *Dialer) Halt() error { return nil }

// Dial opens a link, or says why not.
func (d *Dialer) Dial(context.Context, string) (hal.Link, error) {
	if err := d.Wire.Dial(); err != nil {
		return nil, err
	}
	l := &link{d: d}
	l.conn = &conn{l: l}
	return l, nil
}

// link is one connection, the terminal's end.
type link struct {
	d      *Dialer
	conn   *conn
	tx, rx []byte
	closed bool // by us
	gone   bool // by the other end
}

func (l *link) String() string { return l.d.Name + " link" }
func (l *link) Halt() error    { return l.Close() }

// Resent is what the wire counts, if it does.
func (l *link) Resent() (again, sent int, err error) {
	if r, ok := l.d.Wire.(interface{ Resent() (again, sent int) }); ok {
		again, sent = r.Resent()
		return again, sent, nil
	}
	return 0, 0, errors.ErrUnsupported
}

func (l *link) Close() error {
	l.closed = true
	return nil
}

var errGone = &hal.LinkError{Cause: hal.CauseClosed}

func (l *link) Write(_ context.Context, p []byte) (int, error) {
	d := l.d
	if l.closed || l.gone {
		return 0, errGone
	}
	d.Wire.Point("before-send")
	f := d.Wire.Request(p)
	if f.Cut {
		l.gone = true
		return min(f.At, len(p)), errGone
	}
	frame := append([]byte(nil), p...)
	for end := d.Clock.Boot + d.Wire.Takes(len(p)); d.Clock.Boot < end; {
		d.Clock.Step(end)
	}
	switch {
	case f.Lose:
	case f.After > 0:
		d.Clock.AfterFunc(f.After, func() {
			if f.Hold || !l.closed {
				l.deliver(frame)
			}
		})
	default:
		l.deliver(frame)
		if f.Twice {
			l.deliver(frame)
		}
	}
	d.Wire.Point("sent")
	return len(p), nil
}

// deliver hands bytes to the host, frame by frame.
func (l *link) deliver(b []byte) {
	l.tx = append(l.tx, b...)
	for len(l.tx) >= 2 {
		n := int(binary.BigEndian.Uint16(l.tx))
		if len(l.tx) < 2+n {
			return
		}
		frame := append([]byte(nil), l.tx[2:2+n]...)
		l.tx = append(l.tx[:0], l.tx[2+n:]...)
		l.d.Host(l.conn, frame)
	}
}

func (l *link) Read(ctx context.Context, p []byte) (int, error) {
	for {
		switch {
		case len(l.rx) > 0:
			n := copy(p, l.rx)
			l.rx = l.rx[n:]
			return n, nil
		case l.closed || l.gone:
			return 0, errGone
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case !l.d.Clock.Step(l.d.Clock.Boot + time.Hour):
			return 0, fmt.Errorf("stage: nothing will ever come")
		}
	}
}

// conn is the host's end: what it writes is the answer.
type conn struct {
	net.Conn
	l *link
}

func (c *conn) Close() error { c.l.gone = true; return nil }

func (c *conn) Write(b []byte) (int, error) {
	l, d := c.l, c.l.d
	if l.closed || l.gone {
		return len(b), nil // into the void
	}
	answer := append([]byte(nil), b...)
	put := func() {
		if !l.closed {
			l.rx = append(l.rx, answer...)
		}
	}
	f := d.Wire.Answer(b)
	if f.Flip > 0 {
		answer[2+(f.Flip-1)/8] ^= 1 << ((f.Flip - 1) % 8)
	}
	if wait := d.Wire.Takes(len(answer)) + f.After; wait > 0 && !f.Lose && !f.Close {
		d.Clock.AfterFunc(wait, put)
		if f.Twice {
			d.Clock.AfterFunc(wait, put)
		}
		return len(b), nil
	}
	switch {
	case f.Lose:
	case f.Close:
		l.gone = true
	default:
		put()
		if f.Twice {
			put()
		}
	}
	d.Wire.Point("answer")
	return len(b), nil
}
