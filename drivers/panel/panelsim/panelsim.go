// Package panelsim is the bench's end of the panel socket: it shows what the
// device draws, presses its keys, holds its paper, and moves its clock.
//
// Sources:
//   - WIRE: package panel, the protocol
package panelsim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"swipewell/drivers/panel"
	"swipewell/hal"
)

// ErrOff says that no device is connected.
var ErrOff = errors.New("panelsim: no device is connected")

// Slip is what came out of the printer in one go.
type Slip struct {
	Lines []hal.PrintLine
	Whole bool // false: torn, the paper or the power ended in it
}

// Opts of Listen.
type Opts struct {
	Socket string
	Clock  *hal.SteppedClock // the bench's; Advance moves it with the device's
	// Caption and Line are told what the device shows and prints, as it comes.
	// They must not call back into the server.
	Caption func(hal.Caption)
	Slip    func(Slip)
}

// Server is the bench's end.
type Server struct {
	o  Opts
	ln net.Listener

	wmu sync.Mutex // one writer at a time

	mu      sync.Mutex
	conn    net.Conn
	change  chan struct{} // closed and replaced at every change below
	version uint64
	caption hal.Caption
	frame   image.Image
	frameAt time.Time
	frames  int
	size    panel.Size
	lamps   map[string]string
	sounds  int
	pin     bool
	slips   []Slip
	open    []hal.PrintLine // the slip that is coming out
	paper   bool
	points  []string
	fault   string
	reached string
	idle    map[int]chan panel.Idle
	nextID  int
}

// Listen opens the socket.
func Listen(o Opts) (*Server, error) {
	os.Remove(o.Socket)
	ln, err := net.Listen("unix", o.Socket)
	if err != nil {
		return nil, fmt.Errorf("panelsim: %w", err)
	}
	s := &Server{o: o, ln: ln, change: make(chan struct{}), paper: true, lamps: map[string]string{}, idle: map[int]chan panel.Idle{}}
	go s.accept()
	return s, nil
}

// Close ends everything.
func (s *Server) Close() error {
	err := s.ln.Close()
	s.Cut()
	return err
}

// accept takes one device at a time; a new one replaces a dead one.
func (s *Server) accept() {
	for {
		c, err := s.ln.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		old := s.conn
		s.conn = c
		h := panel.Hello{Version: panel.Version, WallNS: s.o.Clock.Now().Wall.UnixNano(), Points: s.points, Fault: s.fault, Paper: s.paper}
		s.mu.Unlock()
		if old != nil {
			old.Close()
		}
		if s.send(panel.MsgHello, h) == nil {
			go s.read(c)
		}
	}
}

func (s *Server) send(t panel.Type, v any) error {
	s.mu.Lock()
	c := s.conn
	s.mu.Unlock()
	if c == nil {
		return ErrOff
	}
	b, err := panel.AppendJSON(nil, t, v)
	if err != nil {
		return err
	}
	s.wmu.Lock()
	defer s.wmu.Unlock()
	_, err = c.Write(b)
	clear(b)
	return err
}

func (s *Server) read(c net.Conn) {
	for {
		t, b, err := panel.ReadMessage(c)
		if err != nil {
			s.gone(c)
			return
		}
		s.take(c, t, b)
	}
}

// gone: the device died or was cut. Its screen is dark, a slip in the making
// is torn.
func (s *Server) gone(c net.Conn) {
	c.Close()
	s.update(func() {
		if s.conn != c {
			return
		}
		s.conn, s.caption, s.frame, s.pin, s.lamps = nil, hal.Caption{}, nil, false, map[string]string{}
		s.tear()
		for id, ch := range s.idle {
			close(ch)
			delete(s.idle, id)
		}
	})
}

func (s *Server) tear() {
	if len(s.open) > 0 {
		s.slips = append(s.slips, Slip{Lines: s.open})
		s.open = nil
	}
}

// update changes the state and wakes whoever watches.
func (s *Server) update(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	s.version++
	close(s.change)
	s.change = make(chan struct{})
}

func (s *Server) take(c net.Conn, t panel.Type, b []byte) {
	var m panel.Small
	var done *Slip
	switch t {
	case panel.MsgFrame:
		at := hal.SystemClock{}.Now().Wall
		s.update(func() { s.frame, s.frameAt, s.frames = unpack(s.size, b), at, s.frames+1 })
		return
	case panel.MsgCaption:
		var cap hal.Caption
		if json.Unmarshal(b, &cap) == nil {
			if s.o.Caption != nil {
				s.o.Caption(cap)
			}
			s.update(func() { s.caption = cap })
		}
		return
	case panel.MsgIdle:
		var i panel.Idle
		if json.Unmarshal(b, &i) == nil {
			s.mu.Lock()
			ch := s.idle[i.ID]
			delete(s.idle, i.ID)
			s.mu.Unlock()
			if ch != nil {
				ch <- i
			}
		}
		return
	case panel.MsgLine:
		var l hal.PrintLine
		if json.Unmarshal(b, &l) == nil {
			s.update(func() {
				if !s.paper { // the roll ended before this line
					s.tear()
					return
				}
				s.open = append(s.open, l)
			})
		}
		return
	}
	if json.Unmarshal(b, &m) != nil {
		return
	}
	s.update(func() {
		switch t {
		case panel.MsgReady:
			s.size = panel.Size{W: m.W, H: m.H, Mono: m.Mono}
		case panel.MsgPIN:
			s.pin = m.Active
		case panel.MsgLamp:
			s.lamps[m.Name] = m.State
		case panel.MsgSound:
			s.sounds++
		case panel.MsgSlip:
			done = &Slip{Lines: s.open, Whole: true}
			s.slips, s.open = append(s.slips, *done), nil
		case panel.MsgPoint:
			s.reached = m.Name
		}
	})
	if done != nil && s.o.Slip != nil {
		s.o.Slip(*done)
	}
}

// unpack turns raw pixels into a picture.
func unpack(size panel.Size, b []byte) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, size.W, size.H))
	row := (size.W + 7) / 8
	for y := range size.H {
		for x := range size.W {
			var c color.RGBA
			if size.Mono {
				if i := y*row + x/8; i < len(b) && b[i]&(0x80>>(x%8)) != 0 {
					c = color.RGBA{255, 255, 255, 255}
				} else {
					c = color.RGBA{0, 0, 0, 255}
				}
			} else if i := 2 * (y*size.W + x); i+1 < len(b) {
				v := uint16(b[i])<<8 | uint16(b[i+1])
				r, g, bl := v>>11, v>>5&0x3F, v&0x1F
				c = color.RGBA{uint8(r<<3 | r>>2), uint8(g<<2 | g>>4), uint8(bl<<3 | bl>>2), 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

// View is a copy of what the device shows and of its surroundings.
type View struct {
	Version   uint64
	Connected bool
	Caption   hal.Caption
	Frame     image.Image
	FrameAt   time.Time // real time at which the last frame came
	Frames    int
	Lamps     map[string]string
	Sounds    int
	PINActive bool
	Paper     bool
	Slips     []Slip
	Reached   string // the armed point at which the device stands still
}

// View copies the state, and gives a channel that is closed at the next change.
func (s *Server) View() (View, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slips := slices.Clone(s.slips)
	if len(s.open) > 0 {
		slips = append(slips, Slip{Lines: slices.Clone(s.open)})
	}
	return View{Version: s.version, Connected: s.conn != nil, Caption: s.caption, Frame: s.frame, FrameAt: s.frameAt, Frames: s.frames,
		Lamps: maps.Clone(s.lamps), Sounds: s.sounds, PINActive: s.pin, Paper: s.paper, Slips: slips, Reached: s.reached}, s.change
}

// Key presses a key. What a key means, a digit of a PIN or of an amount, only
// the device knows; neither is kept here.
func (s *Server) Key(k hal.Key) error { return s.send(panel.MsgKey, panel.Small{Key: k.String()}) }

// SetPaper puts paper in or takes it out.
func (s *Server) SetPaper(ok bool) {
	s.update(func() { s.paper = ok })
	s.send(panel.MsgPaper, panel.Small{OK: ok})
}

// Tamper opens the case.
func (s *Server) Tamper(which string) error {
	return s.send(panel.MsgTamper, panel.Small{Which: which})
}

// Arm names the points at which the device shall stand still; none disarms.
func (s *Server) Arm(points ...string) {
	s.update(func() { s.points, s.reached = points, "" })
	s.send(panel.MsgArm, panel.Small{Points: points})
}

// SetStoreFault says what the device's next commits meet.
func (s *Server) SetStoreFault(fault string) {
	s.update(func() { s.fault = fault })
	s.send(panel.MsgStore, panel.Small{Fault: fault})
}

// Cut is the power failing: the connection dies at once.
func (s *Server) Cut() {
	s.mu.Lock()
	c := s.conn
	s.mu.Unlock()
	if c != nil {
		s.gone(c)
	}
}

// jump moves the device by d and waits until it is idle.
func (s *Server) jump(ctx context.Context, d time.Duration) (panel.Idle, error) {
	ch := make(chan panel.Idle, 1)
	s.mu.Lock()
	s.nextID++
	id := s.nextID
	s.idle[id] = ch
	s.mu.Unlock()
	if err := s.send(panel.MsgAdvance, panel.Advance{ID: id, NS: int64(d)}); err != nil {
		return panel.Idle{}, err
	}
	select {
	case i, ok := <-ch:
		if !ok {
			return i, ErrOff
		}
		return i, nil
	case <-ctx.Done():
		return panel.Idle{}, ctx.Err()
	}
}

// Settle waits until the device is idle, without moving its clock.
func (s *Server) Settle(ctx context.Context) error {
	_, err := s.jump(ctx, 0)
	return err
}

// Advance moves the bench's clock and the device's by d together, one deadline
// at a time, and lets settle run the world quiet after each. A device that is
// off, or goes off on the way, is left out.
func (s *Server) Advance(ctx context.Context, d time.Duration, settle func()) error {
	for {
		i, err := s.jump(ctx, 0)
		off := errors.Is(err, ErrOff) || errors.Is(err, net.ErrClosed)
		if err != nil && !off && ctx.Err() != nil {
			return err
		}
		off = off || err != nil
		if settle != nil {
			settle()
		}
		if d <= 0 {
			return nil
		}
		step := d
		if next, ok := s.o.Clock.Next(); ok {
			step = min(step, max(next, time.Millisecond))
		}
		if !off && i.Next >= 0 {
			step = min(step, max(time.Duration(i.Next), time.Millisecond))
		}
		s.o.Clock.Jump(step)
		if !off {
			s.jump(ctx, step)
		}
		d -= step
	}
}

// StepWall moves the wall of bench and device.
func (s *Server) StepWall(d time.Duration) {
	s.o.Clock.StepWall(d)
	s.send(panel.MsgStep, panel.Small{NS: int64(d)})
}
