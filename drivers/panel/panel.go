package panel

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"periph.io/x/conn/v3/display"

	"swipewell/hal"
)

// ErrGone says that the bench has closed the socket: the power is off.
var ErrGone = errors.New("panel: the bench is gone")

// Size of the display.
type Size struct {
	W, H int
	Mono bool
}

// Opts of Open.
type Opts struct {
	Socket string
	Size   Size // zero: 320×240 in colour
	Base   hal.Clock
}

// Panel is the socket and every device on it.
type Panel struct {
	o     Opts
	conn  net.Conn
	clock *hal.SteppedClock
	gone  chan struct{}
	once  sync.Once

	wmu sync.Mutex // one writer at a time
	out []byte

	mu     sync.Mutex
	keys   []hal.Key     // pressed and not yet read
	notify chan struct{} // closed and replaced whenever something below changes
	pin    bool
	paper  bool
	tamper []string
	points []string
	fault  string
	probe  func() (bool, uint64)
	last   []byte // the frame shown
}

// Open connects and waits for the bench's Hello.
func Open(o Opts) (*Panel, error) {
	if o.Size.W == 0 || o.Size.H == 0 {
		o.Size = Size{W: 320, H: 240}
	}
	if o.Base == nil {
		o.Base = hal.SystemClock{}
	}
	conn, err := net.Dial("unix", o.Socket)
	if err != nil {
		return nil, fmt.Errorf("panel: %w", err)
	}
	p := &Panel{o: o, conn: conn, gone: make(chan struct{}), notify: make(chan struct{})}
	t, b, err := ReadMessage(conn)
	var h Hello
	if err == nil && t == MsgHello {
		err = json.Unmarshal(b, &h)
	} else if err == nil {
		err = ErrWire
	}
	if err == nil && h.Version != Version {
		err = fmt.Errorf("%w: version %d here, %d there", ErrWire, Version, h.Version)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("panel: %w", err)
	}
	p.clock = hal.NewSteppedClock(o.Base, time.Unix(0, h.WallNS))
	p.paper, p.points, p.fault = h.Paper, h.Points, h.Fault
	if err := p.send(MsgReady, Small{Version: Version, W: o.Size.W, H: o.Size.H, Mono: o.Size.Mono}); err != nil {
		conn.Close()
		return nil, err
	}
	go p.read()
	return p, nil
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
		close(p.gone)
		p.mu.Lock()
		clear(p.keys)
		p.keys = nil
		p.mu.Unlock()
	})
}

func (p *Panel) send(t Type, v any) error {
	p.wmu.Lock()
	defer p.wmu.Unlock()
	b, err := AppendJSON(p.out[:0], t, v)
	if err != nil {
		return err
	}
	p.out = b[:0]
	return p.write(b)
}

func (p *Panel) write(b []byte) error {
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
		if t == MsgAdvance {
			var a Advance
			if json.Unmarshal(b, &a) == nil {
				go p.advance(a)
			}
			continue
		}
		var s Small
		err = json.Unmarshal(b, &s)
		clear(b)
		if err != nil {
			return
		}
		if t == MsgStep {
			p.clock.StepWall(time.Duration(s.NS))
			continue
		}
		p.take(t, s)
	}
}

// take notes one message and wakes whoever waits for it.
func (p *Panel) take(t Type, s Small) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch t {
	case MsgKey:
		if k, ok := hal.ParseKey(s.Key); ok {
			p.keys = append(p.keys, k)
		}
	case MsgArm:
		p.points = s.Points
	case MsgStore:
		p.fault = s.Fault
	case MsgPaper:
		p.paper = s.OK
	case MsgTamper:
		p.tamper = append(p.tamper, s.Which)
	}
	close(p.notify)
	p.notify = make(chan struct{})
}

// quiet is how long nothing may move before the device counts as idle, and
// patience how long that is waited for; both in real time.
const (
	quiet    = 4 * time.Millisecond
	patience = 3 * time.Second
)

// advance jumps, then waits until the terminal is idle.
func (p *Panel) advance(a Advance) {
	p.clock.Jump(time.Duration(a.NS))
	p.waitIdle()
	next := int64(-1)
	if d, ok := p.clock.Next(); ok {
		next = int64(d)
	}
	p.send(MsgIdle, Idle{ID: a.ID, Next: next})
}

// waitIdle polls on the base clock, which runs in real time.
func (p *Panel) waitIdle() {
	seen, same := p.stir(), time.Duration(0)
	for waited := time.Duration(0); waited < patience && same < quiet; waited += time.Millisecond {
		tick, stop := hal.After(p.o.Base, time.Millisecond)
		select {
		case <-tick:
		case <-p.gone:
			stop()
			return
		}
		busy, now := p.busy(), p.stir()
		if busy || now != seen {
			seen, same = now, 0
			continue
		}
		same += time.Millisecond
	}
}

func (p *Panel) probed() (bool, uint64) {
	p.mu.Lock()
	probe := p.probe
	p.mu.Unlock()
	if probe == nil {
		return false, 0
	}
	return probe()
}

func (p *Panel) busy() bool { b, _ := p.probed(); return b }

func (p *Panel) stir() uint64 { _, s := p.probed(); return s + p.clock.Fired() }

// The devices on the socket.
func (p *Panel) Clock() hal.Clock        { return p.clock }
func (p *Panel) Display() display.Drawer { return &screen{p} }
func (p *Panel) Keypad() hal.Keypad      { return keypad{p} }
func (p *Panel) PINPad() hal.PINPad      { return pinpad{p} }
func (p *Panel) Lamps() hal.Lamps        { return lamps{p} }
func (p *Panel) Sounder() hal.Sounder    { return sounder{p} }
func (p *Panel) Printer() hal.Printer    { return printer{p} }
func (p *Panel) Tamper() hal.Tamper      { return tamper{p} }
func (p *Panel) Bench() hal.Bench        { return bench{p} }

// bench gives the terminal the bench's fault points.
type bench struct{ p *Panel }

func (b bench) Point(name string) {
	b.p.mu.Lock()
	armed := slices.Contains(b.p.points, name)
	b.p.mu.Unlock()
	if !armed {
		return
	}
	b.p.send(MsgPoint, Small{Name: name})
	select {} // the power fails here: the bench kills this process
}

func (b bench) StoreFault() string {
	b.p.mu.Lock()
	defer b.p.mu.Unlock()
	return b.p.fault
}

func (b bench) SetIdle(probe func() (bool, uint64)) {
	b.p.mu.Lock()
	defer b.p.mu.Unlock()
	b.p.probe = probe
}
