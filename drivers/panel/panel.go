package panel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"periph.io/x/conn/v3/display"

	"swipewell/drivers/tty"
	"swipewell/hal"
)

// ErrGone says that the bench has closed the socket: the power is off.
var ErrGone = errors.New("panel: the bench is gone")

// Size of the display.
type Size struct {
	W, H int
	Mono bool // one bit a pixel
}

// Opts of Open.
type Opts struct {
	Socket string    // or a port of a virtio console: see tty.OpenStream
	Size   Size      // zero: 320×240 in colour
	Base   hal.Clock // what the bench's jumps are added to; nil: the machine's clock
}

// Real-time bounds of the socket itself. They do not follow the bench's clock:
// a bench that does not answer in them is not there.
const (
	greeting = 5 * time.Second // for the hello
	stuck    = 5 * time.Second // for a write: the bench does not read any more
)

// Panel is the socket and every device on it.
type Panel struct {
	o     Opts
	conn  tty.Stream
	clock *hal.SteppedClock
	gone  chan struct{}
	once  sync.Once
	moved atomic.Uint64 // anything that came in, was taken or went out: a stir

	wmu sync.Mutex // one writer at a time
	out []byte

	screen screen

	mu      sync.Mutex
	notify  chan struct{} // closed and replaced whenever something below changes
	keys    keyQueue      // pressed and not yet read
	pin     bool          // the PIN pad has the keys
	paper   bool
	slip    int            // the last slip's number
	printed map[int]string // answers to slips, by number
	tamper  []string
	points  []string
	fault   string
	halted  bool // standing at a point
	probe   func() (busy bool, stir uint64)
}

// Open connects and waits for the bench's hello.
func Open(o Opts) (*Panel, error) {
	if o.Size.W == 0 || o.Size.H == 0 {
		o.Size = Size{W: 320, H: 240}
	}
	if o.Base == nil {
		o.Base = hal.SystemClock{}
	}
	conn, err := tty.OpenStream(o.Socket)
	if err != nil {
		return nil, fmt.Errorf("panel: %w", err)
	}
	p := &Panel{o: o, conn: conn, gone: make(chan struct{}), notify: make(chan struct{}), printed: map[int]string{}}
	p.screen = screen{p: p, size: o.Size}
	if err := p.greet(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("panel: %w", err)
	}
	go p.read()
	return p, nil
}

// greet takes the hello and answers it.
func (p *Panel) greet() error {
	p.conn.SetReadDeadline(hal.SystemClock{}.Now().Wall.Add(greeting))
	t, b, err := ReadMessage(p.conn)
	if err != nil {
		return fmt.Errorf("no hello from the bench: %w", err)
	}
	p.conn.SetReadDeadline(time.Time{})
	var h Hello
	if t != MsgHello || json.Unmarshal(b, &h) != nil {
		return fmt.Errorf("%w: no hello", ErrWire)
	}
	if h.Version != Version {
		return fmt.Errorf("%w: version %d here, %d there", ErrWire, Version, h.Version)
	}
	p.clock = newClock(p.o.Base, time.Unix(0, h.WallNS), time.Duration(h.BootNS))
	p.paper, p.points, p.fault = h.Paper, h.Points, h.Fault
	return p.send(MsgReady, Ready{Version: Version, W: p.o.Size.W, H: p.o.Size.H, Mono: p.o.Size.Mono})
}

// newClock starts at wall and boot. Boottime cannot start below the base's own.
func newClock(base hal.Clock, wall time.Time, boot time.Duration) *hal.SteppedClock {
	ahead := max(boot-base.Now().Boot, 0)
	c := hal.NewSteppedClock(base, wall.Add(-ahead))
	c.Jump(ahead)
	return c
}

func (p *Panel) String() string { return "panel (" + p.o.Socket + ")" }

// Close ends the connection.
func (p *Panel) Close() error {
	p.lost()
	return nil
}

// Done is closed when the bench has gone.
func (p *Panel) Done() <-chan struct{} { return p.gone }

func (p *Panel) lost() {
	p.once.Do(func() {
		p.conn.Close()
		p.mu.Lock()
		p.keys.wipe()
		p.mu.Unlock()
		close(p.gone)
	})
}

func (p *Panel) send(t Type, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("panel: %w", err)
	}
	return p.sendRaw(t, b)
}

func (p *Panel) sendRaw(t Type, payload []byte) error {
	p.wmu.Lock()
	defer p.wmu.Unlock()
	if t != MsgIdle && t != MsgPong { // talk about idleness is no work
		p.moved.Add(1)
	}
	p.out = AppendMessage(p.out[:0], t, payload)
	return p.writeLocked(p.out)
}

// writeLocked needs wmu.
func (p *Panel) writeLocked(b []byte) error {
	p.conn.SetWriteDeadline(hal.SystemClock{}.Now().Wall.Add(stuck))
	if _, err := p.conn.Write(b); err != nil {
		p.lost()
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return nil
}

// read takes what the bench sends until it goes.
func (p *Panel) read() {
	defer p.lost()
	for {
		t, b, err := ReadMessage(p.conn)
		if err != nil {
			return
		}
		switch t {
		case MsgKey, MsgPINKey:
			if len(b) == 1 {
				p.pressed(hal.Key(b[0]), t == MsgPINKey)
			}
			clear(b)
		case MsgAdvance:
			var a Advance
			if json.Unmarshal(b, &a) != nil {
				return
			}
			go p.advance(a)
		case MsgPrinted:
			var r Printed
			if json.Unmarshal(b, &r) != nil {
				return
			}
			p.update(func() { p.printed[r.ID] = r.Cause })
		default:
			var s Small
			if json.Unmarshal(b, &s) != nil {
				return
			}
			p.take(t, s)
		}
	}
}

// SetWall sets the wall clock of device and bench: a device's clock goes on
// without power, and the bench is what keeps it.
func (p *Panel) SetWall(t time.Time) error {
	p.clock.StepWall(t.Sub(p.clock.Now().Wall))
	return p.send(MsgWall, Small{WallNS: t.UnixNano()})
}

// take carries out one message of the bench.
func (p *Panel) take(t Type, s Small) {
	switch t {
	case MsgPing:
		p.send(MsgPong, Small{ID: s.ID})
	case MsgJump:
		p.clock.Jump(time.Duration(s.NS))
	case MsgStep:
		p.clock.StepWall(time.Duration(s.NS))
	case MsgWall:
		p.clock.StepWall(time.Unix(0, s.WallNS).Sub(p.clock.Now().Wall))
	case MsgArm:
		p.update(func() { p.points = s.Points })
	case MsgStore:
		p.update(func() { p.fault = s.Fault })
	case MsgPaper:
		p.update(func() { p.paper = s.OK })
	case MsgTamper:
		p.update(func() { p.tamper = append(p.tamper, s.Which) })
	}
}

// update changes the state and wakes whoever waits for it.
func (p *Panel) update(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	p.moved.Add(1)
	close(p.notify)
	p.notify = make(chan struct{})
}

// wait blocks until cond, which runs under p.mu, holds.
func (p *Panel) wait(ctx context.Context, cond func() bool) error {
	for {
		p.mu.Lock()
		select {
		case <-p.gone: // what came before the power failed is not worth taking
			p.mu.Unlock()
			return ErrGone
		default:
		}
		if cond() {
			p.moved.Add(1)
			p.mu.Unlock()
			return nil
		}
		changed := p.notify
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-p.gone:
			return ErrGone
		}
	}
}

// The devices on the socket.

// Clock is the bench's clock: the base plus the bench's jumps and steps.
func (p *Panel) Clock() hal.Clock { return p.clock }

// Display is a hal.Captioner too.
func (p *Panel) Display() display.Drawer { return &p.screen }
func (p *Panel) Keypad() hal.Keypad      { return keypad{p} }
func (p *Panel) PINPad() hal.PINPad      { return pinpad{p} }
func (p *Panel) Lamps() hal.Lamps        { return lamps{p} }
func (p *Panel) Sounder() hal.Sounder    { return sounder{p} }
func (p *Panel) Printer() hal.Printer    { return printer{p} }
func (p *Panel) Tamper() hal.Tamper      { return tamper{p} }
func (p *Panel) Bench() hal.Bench        { return bench{p} }
