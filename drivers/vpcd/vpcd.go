// Package vpcd is the reader's end of a virtual card link: it listens, and a
// card simulator or a telephone connects as the card that is put in.
//
// Sources:
//   - VPCD: vsmartcard's virtual smart card reader, protocol between vpcd and vicc
//   - ISO7816-3, ISO7816-4
//
// Over TCP go messages: two bytes of length, big endian, and so many bytes.
//
//	to the card    one byte: 00 power off, 01 power on, 02 reset, 04 the ATR, please
//	               else a command APDU
//	from the card  the ATR after 04, a response APDU after a command; nothing
//	               after 00, 01, 02
//
// A connection is a card in the slot, its end the card's removal. While one is
// in, others are turned away. Whoever reaches the address is the card, so the
// address is a loopback one unless the board file says otherwise, and the card
// proves itself by its cryptogram, not by its cable.
//
// A card that sends its length and its bytes in two writes waits for the
// delayed acknowledgement between them, 40 ms an APDU; so this end acknowledges
// at once (TCP_QUICKACK), and a card's end must do the same for readers that
// write twice.
package vpcd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"swipewell/drivers/iso7816"
	"swipewell/hal"
)

// DefaultAddr is where cards look for a reader; VPCD listens there.
const DefaultAddr = "127.0.0.1:35963"

// Orders of one byte.
const (
	orderOff   = 0
	orderOn    = 1
	orderReset = 2
	orderATR   = 4
)

// maxMessage bounds what a card may send: a response APDU of 256 bytes and its
// status; an ATR is shorter.
const maxMessage = 258

// Opts of Listen. Clock is needed.
type Opts struct {
	Addr  string // DefaultAddr
	Clock hal.Clock
	Limit time.Duration // of one exchange (60 s)
}

// Reader is a hal.ChipReader.
type Reader struct {
	o    Opts
	ln   net.Listener
	turn *iso7816.Turn

	mu     sync.Mutex
	card   *card
	change chan struct{} // closed when a card comes or goes
	closed bool

	// Owned by who has the token.
	on       *card // powered
	protocol int
}

// card is one connection.
type card struct {
	conn  net.Conn
	in    chan []byte
	gone  chan struct{}
	owed  int // answers to exchanges that were given up
	wrong error
}

// Listen begins to wait for cards.
func Listen(o Opts) (*Reader, error) {
	if o.Clock == nil {
		return nil, errors.New("vpcd: a clock is needed")
	}
	if o.Addr == "" {
		o.Addr = DefaultAddr
	}
	if o.Limit <= 0 {
		o.Limit = time.Minute
	}
	ln, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("vpcd: %w", err)
	}
	r := &Reader{o: o, ln: ln, turn: iso7816.NewTurn(), change: make(chan struct{})}
	go r.accept()
	return r, nil
}

// Addr is where cards connect.
func (r *Reader) Addr() string { return r.ln.Addr().String() }

func (r *Reader) String() string { return "vpcd (" + r.Addr() + ")" }

// Halt is PowerDown.
func (r *Reader) Halt() error { return r.PowerDown() }

// Close takes the slot away; the card sees its connection end.
func (r *Reader) Close() error {
	r.mu.Lock()
	r.closed = true
	if r.card != nil {
		r.card.conn.Close()
	}
	r.mu.Unlock()
	return r.ln.Close()
}

func (r *Reader) accept() {
	for {
		c, err := r.ln.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		if r.card != nil || r.closed {
			r.mu.Unlock()
			c.Close()
			continue
		}
		k := &card{conn: c, in: make(chan []byte, 8), gone: make(chan struct{})}
		r.card = k
		r.changed()
		r.mu.Unlock()
		go r.read(k)
	}
}

// changed wakes whoever waits for a card; mu is held.
func (r *Reader) changed() {
	close(r.change)
	r.change = make(chan struct{})
}

// read hands on what the card sends, until it is gone.
func (r *Reader) read(k *card) {
	err := k.read()
	k.conn.Close()
	r.mu.Lock()
	k.wrong = err
	close(k.gone)
	r.card = nil
	r.changed()
	r.mu.Unlock()
}

func (k *card) read() error {
	for {
		quick(k.conn)
		var head [2]byte
		if _, err := io.ReadFull(k.conn, head[:]); err != nil {
			return nil
		}
		n := int(binary.BigEndian.Uint16(head[:]))
		if n == 0 || n > maxMessage {
			return fmt.Errorf("vpcd: a message of %d bytes", n)
		}
		b := make([]byte, n)
		quick(k.conn)
		if _, err := io.ReadFull(k.conn, b); err != nil {
			return nil
		}
		select {
		case k.in <- b:
		default:
			return errors.New("vpcd: messages that nobody asked for")
		}
	}
}

// quick asks for an acknowledgement at once; the kernel forgets it again.
// tcp(7), TCP_QUICKACK.
func quick(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		if raw, err := t.SyscallConn(); err == nil {
			raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) })
		}
	}
}

func (r *Reader) state() (*card, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.card, r.change
}

// Present tells whether a card is connected.
func (r *Reader) Present() (bool, error) {
	k, _ := r.state()
	return k != nil, nil
}

// WaitCard waits for a connection, or its end.
func (r *Reader) WaitCard(ctx context.Context, present bool) error {
	for {
		k, next := r.state()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case (k != nil) == present:
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
		}
	}
}

// PowerDown ends an exchange and tells the card that its power is off.
func (r *Reader) PowerDown() error {
	defer r.turn.End()()
	if k := r.on; k != nil {
		r.on = nil
		k.send([]byte{orderOff}) // a card that is gone has no power either
	}
	return nil
}

// PowerUp powers or resets the card and asks for its ATR.
func (r *Reader) PowerUp(ctx context.Context) (hal.Reset, error) {
	ctx, end, err := r.turn.Begin(ctx, r.o.Clock, r.o.Limit)
	if err != nil {
		return hal.Reset{}, err
	}
	defer end()
	k, _ := r.state()
	if k == nil {
		return hal.Reset{}, &hal.ChipError{Cause: hal.ChipRemoved}
	}
	warm, order := r.on == k, byte(orderOn)
	if warm {
		order = orderReset
	}
	r.on = nil
	if err := k.send([]byte{order}); err != nil {
		return hal.Reset{}, err
	}
	b, err := k.ask(ctx, []byte{orderATR})
	if err != nil {
		return hal.Reset{}, err
	}
	atr, err := iso7816.ParseATR(b)
	if err == nil && atr.Protocol() > 1 {
		err = fmt.Errorf("vpcd: T=%d", atr.Protocol())
	}
	if err != nil {
		return hal.Reset{}, &hal.ChipError{Cause: hal.ChipRefused, Err: err}
	}
	r.on, r.protocol = k, atr.Protocol()
	return hal.Reset{ATR: b, Protocol: r.protocol, Warm: warm}, nil
}

// Transmit exchanges one APDU. A T=0 card's 61xx and 6Cxx are dealt with here.
func (r *Reader) Transmit(ctx context.Context, dst, capdu []byte) ([]byte, error) {
	if err := iso7816.CheckCommand(capdu); err != nil {
		return dst, err
	}
	ctx, end, err := r.turn.Begin(ctx, r.o.Clock, r.o.Limit)
	if err != nil {
		return dst, err
	}
	defer end()
	k := r.on
	if k == nil {
		return dst, iso7816.ErrNoPower
	}
	out := dst
	if r.protocol == 0 {
		out, err = iso7816.MapT0(ctx, dst, capdu, k.tpdu)
	} else {
		var b []byte
		if b, err = k.answer(ctx, capdu); err == nil {
			out = append(dst, b...)
			clear(b)
		}
	}
	if err != nil {
		r.on = nil
		k.send([]byte{orderOff})
		return dst, err
	}
	return out, nil
}

func (k *card) tpdu(ctx context.Context, tpdu []byte) (data []byte, sw1, sw2 byte, err error) {
	b, err := k.answer(ctx, tpdu)
	if err != nil {
		return nil, 0, 0, err
	}
	n := len(b) - 2
	return b[:n], b[n], b[n+1], nil
}

// answer is what has a status.
func (k *card) answer(ctx context.Context, b []byte) ([]byte, error) {
	got, err := k.ask(ctx, b)
	if err == nil && len(got) < 2 {
		return nil, &hal.ChipError{Cause: hal.ChipProtocol, Err: errors.New("vpcd: an answer of one byte")}
	}
	return got, err
}

func (k *card) send(b []byte) error {
	m := append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(b)), uint16(len(b))), b...)
	defer clear(m)
	if _, err := k.conn.Write(m); err != nil {
		return k.lost()
	}
	return nil
}

// lost names the reason of a connection's end.
func (k *card) lost() error {
	select {
	case <-k.gone:
		if k.wrong != nil {
			return &hal.ChipError{Cause: hal.ChipProtocol, Err: k.wrong}
		}
	default:
	}
	return &hal.ChipError{Cause: hal.ChipRemoved}
}

// ask sends a message and waits for the one that answers it: those that were
// still owed come first.
func (k *card) ask(ctx context.Context, b []byte) ([]byte, error) {
	if err := k.send(b); err != nil {
		return nil, err
	}
	k.owed++
	for {
		select {
		case got := <-k.in:
			if k.owed--; k.owed == 0 {
				return got, nil
			}
		case <-k.gone:
			return nil, k.lost()
		case <-ctx.Done():
			switch context.Cause(ctx) {
			case iso7816.ErrLimit:
				return nil, &hal.ChipError{Cause: hal.ChipMute, Err: iso7816.ErrLimit}
			case iso7816.ErrDown:
				return nil, iso7816.ErrDown
			}
			return nil, ctx.Err()
		}
	}
}
