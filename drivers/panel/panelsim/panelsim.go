// Package panelsim is the bench's end of the panel socket: it shows what the
// device draws, presses its keys, holds its paper, moves its clock and takes its
// power.
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
	"io/fs"
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

// answerTime bounds, in real time, the wait for a device's plain answers.
const answerTime = 5 * time.Second

// Slip is what came out of the printer in one go.
type Slip struct {
	Lines []hal.PrintLine
	Whole bool // false: torn (the paper or the power ended in it), or still coming
}

// Opts of Listen.
type Opts struct {
	Socket string
	Clock  *hal.SteppedClock // the bench's; Advance moves it with the device's. nil: one at the machine's time
	// Caption and Slip are told what the device shows and prints, as it comes.
	// They must not call back into the server.
	Caption func(hal.Caption)
	Slip    func(Slip)
}

// Server is the bench's end.
type Server struct {
	o       Opts
	ln      net.Listener
	reached chan string

	wmu sync.Mutex // one writer at a time
	set sync.Mutex // a setting of the world and its sending are one step
	adv sync.Mutex // one Advance at a time

	mu      sync.Mutex
	conn    net.Conn      // nil: the device is off
	change  chan struct{} // closed and replaced at every change below
	version uint64
	caption hal.Caption
	raw     []byte      // the picture in the form of the wire
	frame   image.Image // the same, never changed once it is here; nil: dark
	frameAt time.Time
	frames  int
	size    panel.Size
	lamps   map[string]string
	sounds  int
	pin     bool
	slips   []Slip
	open    []hal.PrintLine // the slip that is coming out
	openID  int
	torn    int // the slip that ended before its end
	paper   bool
	points  []string
	fault   string
	halted  string        // the armed point at which the device stands
	powerOn time.Duration // boottime of the bench when the power last came
	waiters map[int]chan panel.Idle
	pings   map[int]chan struct{}
	lastID  int
}

// Listen opens the socket and waits for devices in the background. A socket
// that a dead bench left behind is replaced; any other file is not.
func Listen(o Opts) (*Server, error) {
	if o.Clock == nil {
		o.Clock = hal.NewSteppedClock(hal.SystemClock{}, hal.SystemClock{}.Now().Wall)
	}
	if st, err := os.Lstat(o.Socket); err == nil && st.Mode().Type() == fs.ModeSocket {
		os.Remove(o.Socket)
	}
	ln, err := net.Listen("unix", o.Socket)
	if err != nil {
		return nil, fmt.Errorf("panelsim: %w", err)
	}
	if err := os.Chmod(o.Socket, 0o600); err != nil {
		ln.Close()
		return nil, fmt.Errorf("panelsim: %w", err)
	}
	s := &Server{o: o, ln: ln, reached: make(chan string, 1), change: make(chan struct{}), paper: true, lamps: map[string]string{},
		powerOn: o.Clock.Now().Boot, waiters: map[int]chan panel.Idle{}, pings: map[int]chan struct{}{}}
	go s.accept()
	return s, nil
}

// Close ends everything.
func (s *Server) Close() error {
	err := s.ln.Close()
	s.Cut()
	return err
}

func (s *Server) accept() {
	for {
		c, err := s.ln.Accept()
		if err != nil {
			return
		}
		go s.serve(c)
	}
}

// serve greets a device, puts it in the place of the one before, and takes what
// it sends until it goes.
func (s *Server) serve(c net.Conn) {
	size, err := s.greet(c)
	if err != nil {
		c.Close()
		return
	}
	s.update(func() {
		if s.conn != nil {
			s.darkLocked()
		}
		s.conn, s.size, s.raw = c, size, make([]byte, size.Stride()*size.H)
	})
	// The world may have changed since the hello.
	s.set.Lock()
	s.mu.Lock()
	points, fault, paper := s.points, s.fault, s.paper
	s.mu.Unlock()
	s.send(panel.MsgArm, panel.Small{Points: points})
	s.send(panel.MsgStore, panel.Small{Fault: fault})
	s.send(panel.MsgPaper, panel.Small{OK: paper})
	s.set.Unlock()
	for {
		t, b, err := panel.ReadMessage(c)
		if err == nil {
			err = s.take(c, t, b)
		}
		if err != nil {
			s.gone(c)
			return
		}
	}
}

// greet says hello and waits for the answer.
func (s *Server) greet(c net.Conn) (panel.Size, error) {
	s.mu.Lock()
	now := s.o.Clock.Now()
	h := panel.Hello{Version: panel.Version, WallNS: now.Wall.UnixNano(), BootNS: int64(now.Boot - s.powerOn), Points: s.points, Fault: s.fault, Paper: s.paper}
	s.mu.Unlock()
	b, err := panel.AppendJSON(nil, panel.MsgHello, h)
	if err != nil {
		return panel.Size{}, err
	}
	c.SetDeadline(hal.SystemClock{}.Now().Wall.Add(answerTime))
	defer c.SetDeadline(time.Time{})
	if _, err := c.Write(b); err != nil {
		return panel.Size{}, err
	}
	t, b, err := panel.ReadMessage(c)
	if err != nil {
		return panel.Size{}, err
	}
	var r panel.Ready
	switch {
	case t != panel.MsgReady || json.Unmarshal(b, &r) != nil:
		return panel.Size{}, fmt.Errorf("%w: no ready", panel.ErrWire)
	case r.Version != panel.Version:
		return panel.Size{}, fmt.Errorf("%w: version %d", panel.ErrWire, r.Version)
	case r.W < 1 || r.H < 1 || r.W > 2048 || r.H > 2048:
		return panel.Size{}, fmt.Errorf("%w: a display of %d×%d", panel.ErrWire, r.W, r.H)
	}
	return panel.Size{W: r.W, H: r.H, Mono: r.Mono}, nil
}

func (s *Server) send(t panel.Type, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("panelsim: %w", err)
	}
	return s.sendRaw(t, b)
}

func (s *Server) sendRaw(t panel.Type, payload []byte) error {
	s.mu.Lock()
	c := s.conn
	s.mu.Unlock()
	if c == nil {
		return ErrOff
	}
	b := panel.AppendMessage(nil, t, payload)
	s.wmu.Lock()
	defer s.wmu.Unlock()
	c.SetWriteDeadline(hal.SystemClock{}.Now().Wall.Add(answerTime))
	_, err := c.Write(b)
	clear(b) // it may be a digit of a PIN
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOff, err)
	}
	return nil
}

// gone: the device died or was cut.
func (s *Server) gone(c net.Conn) {
	c.Close()
	s.update(func() {
		if s.conn == c {
			s.darkLocked()
		}
	})
}

// darkLocked is a device without power: its screen is dark, a slip in the
// making is torn, nobody waits for its answers.
func (s *Server) darkLocked() {
	s.conn.Close()
	s.conn, s.caption, s.raw, s.frame, s.pin, s.lamps = nil, hal.Caption{}, nil, nil, false, map[string]string{}
	s.frames++
	s.tearLocked()
	s.forsakeLocked()
}

// forsakeLocked ends all waiting for the device.
func (s *Server) forsakeLocked() {
	for id, ch := range s.waiters {
		close(ch)
		delete(s.waiters, id)
	}
	for id, ch := range s.pings {
		close(ch)
		delete(s.pings, id)
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

// sync waits until the device has taken all that was sent to it. A device that
// is off has nothing to take.
func (s *Server) sync() {
	ch := make(chan struct{})
	s.mu.Lock()
	if s.conn == nil {
		s.mu.Unlock()
		return
	}
	s.lastID++
	id := s.lastID
	s.pings[id] = ch
	s.mu.Unlock()
	if s.send(panel.MsgPing, panel.Small{ID: id}) != nil {
		return
	}
	late, stop := hal.After(hal.SystemClock{}, answerTime)
	defer stop()
	select {
	case <-ch:
	case <-late:
	}
}

// SetPaper puts paper in or takes it out; the device knows when it returns.
func (s *Server) SetPaper(ok bool) {
	s.set.Lock()
	defer s.set.Unlock()
	var torn int
	s.update(func() {
		s.paper = ok
		if !ok && len(s.open) > 0 {
			s.tearLocked()
			torn = s.openID
			s.torn = torn
		}
	})
	s.send(panel.MsgPaper, panel.Small{OK: ok})
	if torn > 0 {
		s.send(panel.MsgPrinted, panel.Printed{ID: torn, Cause: hal.PaperOut.String()})
	}
	s.sync()
}

// Tamper opens the case.
func (s *Server) Tamper(which string) error {
	return s.send(panel.MsgTamper, panel.Small{Which: which})
}

// Arm names the points at which the device shall stand still; none disarms. The
// device knows when it returns. A point that was reached is armed no more.
func (s *Server) Arm(points ...string) {
	s.set.Lock()
	defer s.set.Unlock()
	s.update(func() { s.points, s.halted = slices.Clone(points), "" })
	s.send(panel.MsgArm, panel.Small{Points: points})
	s.sync()
}

// Reached gives the armed point at which the device now stands still, once.
func (s *Server) Reached() <-chan string { return s.reached }

// SetStoreFault says what the device's next commits meet: "", "full",
// "readonly" or "eio". The device knows when it returns.
func (s *Server) SetStoreFault(fault string) {
	s.set.Lock()
	defer s.set.Unlock()
	s.update(func() { s.fault = fault })
	s.send(panel.MsgStore, panel.Small{Fault: fault})
	s.sync()
}

// Cut is the power failing: the connection dies at once, and what was on its
// way is lost. Boottime begins anew.
func (s *Server) Cut() {
	s.update(func() {
		if s.conn != nil {
			s.darkLocked()
		}
		s.halted = ""
		s.powerOn = s.o.Clock.Now().Boot
	})
}

// Wait blocks until the view is as wanted.
func (s *Server) Wait(ctx context.Context, ok func(View) bool) (View, error) {
	for {
		v, changed := s.View()
		if ok(v) {
			return v, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return v, ctx.Err()
		}
	}
}
