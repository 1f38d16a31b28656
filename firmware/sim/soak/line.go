package soak

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"swipewell/firmware/iso8583"
	"swipewell/hal"
)

// Faults are chances per mille, each at its own place.
type Faults struct {
	Dial      int // the line does not come up
	CutSend   int // the line breaks while a frame is being sent
	LoseReq   int // all bytes left, none arrived
	Hold      int // they arrive later, also after the link was closed
	LoseAns   int // the answer is lost
	LateAns   int // it comes after the time-out
	Double    int // it comes twice
	Mangle    int // one bit of it is wrong
	Close     int // the link is closed under an answer
	Crash     int // the power fails, at each of the places where it can
	Disk      int // a commit fails
	Paper     int // the printer fails
	Silent    int // the host neither books nor answers
	Decline   int // 51, 91, 96 and others
	BadStripe int // the swipe cannot be read
	Clock     int // the wall clock jumps
	Settle    int // the batch is settled between two orders
}

// Mixed is what a bad day is made of.
var Mixed = Faults{Dial: 20, CutSend: 8, LoseReq: 8, Hold: 6, LoseAns: 12, LateAns: 5, Double: 5, Mangle: 4, Close: 6, Crash: 2, Disk: 1, Paper: 4, Silent: 6, Decline: 20,
	BadStripe: 20, Clock: 1, Settle: 1}

// crash is what a power failure throws: nothing after it runs.
type crash struct{ at string }

// world is the line and the host behind it.
type world struct {
	clock  *clock
	rnd    *rand.Rand
	faults Faults
	serve  func(c *conn, frame []byte)
	sent   func(raw []byte) // a frame whose bytes may all have left
	down   bool             // the line is dead
	faulty int              // faults injected so far
	rate   int              // bits a second each way; 0: at once
	moved  int              // bytes both ways
}

// takes is how long so many bytes are on the line.
func (w *world) takes(bytes int) time.Duration {
	w.moved += bytes
	if w.rate == 0 {
		return 0
	}
	return time.Duration(bytes) * 8 * time.Second / time.Duration(w.rate)
}

// hit draws one chance.
func (w *world) hit(perMille int) bool {
	if perMille <= 0 || w.rnd.IntN(1000) >= perMille {
		return false
	}
	w.faulty++
	return true
}

func (w *world) maybeCrash(at string) {
	if w.hit(w.faults.Crash) {
		panic(crash{at})
	}
}

func (w *world) String() string { return "soak" }
func (w *world) Halt() error    { return nil }

// Dial opens a link.
func (w *world) Dial(ctx context.Context, _ string) (hal.Link, error) {
	w.maybeCrash("dial")
	if w.down || w.hit(w.faults.Dial) {
		w.clock.step(w.clock.boot + 2*time.Second)
		return nil, &hal.LinkError{Cause: hal.CauseNoSignal}
	}
	l := &link{w: w}
	l.conn = &conn{l: l}
	return l, nil
}

// link is one connection, the terminal's end.
type link struct {
	w      *world
	conn   *conn
	tx, rx []byte
	closed bool // by us
	gone   bool // by the other end
}

func (l *link) String() string { return "soak link" }
func (l *link) Halt() error    { return l.Close() }

func (l *link) Close() error {
	l.closed = true
	return nil
}

var errGone = &hal.LinkError{Cause: hal.CauseClosed}

func (l *link) Write(ctx context.Context, p []byte) (int, error) {
	w := l.w
	if l.closed || l.gone {
		return 0, errGone
	}
	if w.down {
		l.gone = true
		return len(p), errGone
	}
	w.maybeCrash("before-send")
	if w.hit(w.faults.CutSend) {
		l.gone = true
		n := w.rnd.IntN(len(p))
		return n, errGone
	}
	if w.sent != nil {
		w.sent(p)
	}
	frame := append([]byte(nil), p...)
	for end := w.clock.boot + w.takes(len(p)); w.clock.boot < end; {
		w.clock.step(end)
	}
	switch {
	case w.hit(w.faults.LoseReq):
	case w.hit(w.faults.Hold):
		w.clock.AfterFunc(time.Duration(w.rnd.IntN(60_000))*time.Millisecond, func() { l.deliver(frame) })
	default:
		l.deliver(frame)
	}
	w.maybeCrash("sent")
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
		l.w.serve(l.conn, frame)
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
		case !l.w.clock.step(l.w.clock.boot + time.Hour):
			return 0, fmt.Errorf("soak: nothing will ever come")
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
	l, w := c.l, c.l.w
	if l.closed || l.gone {
		return len(b), nil // into the void
	}
	answer := append([]byte(nil), b...)
	put := func() {
		if !l.closed {
			l.rx = append(l.rx, answer...)
		}
	}
	if d := w.takes(len(answer)); d > 0 {
		w.clock.AfterFunc(d, put)
		return len(b), nil
	}
	switch {
	case w.down || w.hit(w.faults.LoseAns):
	case w.hit(w.faults.LateAns):
		w.clock.AfterFunc(time.Duration(20+w.rnd.IntN(40))*time.Second, put)
	case w.hit(w.faults.Close):
		l.gone = true
	case w.hit(w.faults.Double):
		put()
		put()
	case w.hit(w.faults.Mangle):
		answer[2+w.rnd.IntN(len(answer)-2)] ^= 1 << w.rnd.IntN(8)
		put()
	default:
		put()
	}
	w.maybeCrash("answer")
	return len(b), nil
}

// stanOf reads MTI, batch and STAN out of a frame that left.
func stanOf(frame []byte) (mti uint16, batch, stan string) {
	if len(frame) < 2 {
		return 0, "", ""
	}
	f, err := iso8583.ParseFrame(frame[2:])
	var m iso8583.Message
	if err == nil {
		err = iso8583.UnionPay.Parse(&m, f.Message)
	}
	if err != nil {
		return 0, "", ""
	}
	d := m.Digits(iso8583.DEBatch)
	if len(d) < 8 {
		return 0, "", ""
	}
	return uint16(m.MTI), d[2:8], m.Digits(iso8583.DESTAN)
}
