package cardsim

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"swipewell/hal"
)

// Stream is the master end of the I/O line's pty.
type Stream interface{ io.ReadWriter }

// SlotOpts of Listen.
type SlotOpts struct {
	Socket string // of the contacts
	Line   Stream // of the I/O line; the one who made it closes it
	Clock  hal.Clock
	Pace   bool // characters take their time; else only what a card waits on purpose
	NoEcho bool
}

// Slot is a slot for a device in another process: a pty and the socket that
// iso7816.Socket describes. Its card is put in and taken out at any time.
type Slot struct {
	o  SlotOpts
	ln net.Listener

	mu      sync.Mutex
	card    Machine
	conn    net.Conn
	vcc     bool
	clk     bool
	rst     bool
	warm    bool
	closed  bool
	pending chan job
	done    sync.WaitGroup
	ctx     context.Context
	stop    context.CancelFunc
	epoch   context.Context // a reset or a removal ends what is on its way
	cut     context.CancelFunc
}

// job is what the card is to send.
type job struct {
	out   []Char
	line  Line
	epoch context.Context
}

// Listen opens the socket and begins to serve.
func Listen(o SlotOpts) (*Slot, error) {
	if o.Line == nil || o.Clock == nil {
		return nil, errors.New("cardsim: a line and a clock are needed")
	}
	os.Remove(o.Socket)
	ln, err := net.Listen("unix", o.Socket)
	if err != nil {
		return nil, err
	}
	s := &Slot{o: o, ln: ln, pending: make(chan job, 64)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.epoch, s.cut = context.WithCancel(s.ctx)
	s.done.Add(2)
	go s.accept()
	go s.speak()
	go s.listen() // ends when the line is closed
	return s, nil
}

// Path is that of the socket.
func (s *Slot) Path() string { return s.o.Socket }

// Powered tells whether the device gives the slot its supply.
func (s *Slot) Powered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.vcc
}

// Insert puts a card in.
func (s *Slot) Insert(m Machine) { s.change(m) }

// Remove takes it out; what it was sending stops.
func (s *Slot) Remove() { s.change(nil) }

func (s *Slot) change(m Machine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn()
	s.card, s.warm = m, false
	s.tell()
}

// turn begins another epoch.
func (s *Slot) turn() {
	s.cut()
	s.epoch, s.cut = context.WithCancel(s.ctx)
}

// tell says on the socket whether a card is in.
func (s *Slot) tell() {
	if s.conn == nil {
		return
	}
	b := byte('p')
	if s.card != nil {
		b = 'P'
	}
	s.conn.Write([]byte{b})
}

func (s *Slot) accept() {
	defer s.done.Done()
	for {
		c, err := s.ln.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.conn != nil {
			s.conn.Close() // a device that was killed is replaced
		}
		s.conn, s.vcc, s.clk, s.rst, s.warm = c, false, false, false, false
		s.turn()
		closed := s.closed
		if !closed {
			s.tell()
			s.done.Add(1)
		}
		s.mu.Unlock()
		if closed {
			c.Close()
			return
		}
		go s.orders(c)
	}
}

func (s *Slot) orders(c net.Conn) {
	defer s.done.Done()
	var b [1]byte
	for {
		if _, err := c.Read(b[:]); err != nil {
			return
		}
		s.mu.Lock()
		if s.conn != c {
			s.mu.Unlock()
			return
		}
		s.contact(b[0])
		c.Write(b[:])
		s.mu.Unlock()
	}
}

// contact moves one contact.
func (s *Slot) contact(order byte) {
	rise := order == 'R' && !s.rst
	switch order {
	case 'V', 'v':
		s.vcc = order == 'V'
		s.warm = false
	case 'C', 'c':
		s.clk = order == 'C'
	case 'R', 'r':
		s.rst = order == 'R'
	}
	if order != 'R' {
		s.turn()
	}
	if rise && s.card != nil && s.vcc && s.clk {
		s.turn()
		out := s.card.Reset(s.warm)
		s.warm = true
		s.send(out, atReset(s.card.Line().Inverse))
	}
}

func (s *Slot) send(out []Char, l Line) {
	if len(out) == 0 {
		return
	}
	select {
	case s.pending <- job{out, l, s.epoch}:
	default: // a device that sends and does not listen
	}
}

// listen takes the terminal's characters from the line: the echo, then the
// card. The lock is never held over a write, which may block.
func (s *Slot) listen() {
	buf := make([]byte, 64)
	for {
		n, err := s.o.Line.Read(buf)
		if err != nil {
			return
		}
		for _, c := range buf[:n] {
			if s.o.Pace && hal.Sleep(s.ctx, s.o.Clock, 12*s.etu()) != nil {
				return
			}
			if !s.o.NoEcho {
				if _, err := s.o.Line.Write([]byte{c}); err != nil {
					return
				}
			}
			s.hear(c)
		}
	}
}

func (s *Slot) etu() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.card == nil {
		return atReset(false).ETU()
	}
	return s.card.Line().ETU()
}

// hear gives one character to the card, if it is alive.
func (s *Slot) hear(c byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.card == nil || !s.vcc || !s.clk || !s.rst {
		return
	}
	l := s.card.Line()
	if l.Inverse {
		c = turned(c)
	}
	s.send(s.card.Receive(c, false, s.o.Clock.Now().Boot), l)
}

// speak puts the card's characters on the line.
func (s *Slot) speak() {
	defer s.done.Done()
	for {
		select {
		case j := <-s.pending:
			if s.say(j) != nil {
				return
			}
		case <-s.ctx.Done():
			return
		}
	}
}

func (s *Slot) say(j job) error {
	for _, c := range j.out {
		wait := time.Duration(max(0, c.Gap-22)) * j.line.ETU()
		if s.o.Pace {
			wait = time.Duration(max(12, c.Gap)) * j.line.ETU()
		}
		if wait > 0 {
			hal.Sleep(j.epoch, s.o.Clock, wait)
		}
		if j.epoch.Err() != nil {
			return nil
		}
		b := c.B
		if c.Bad {
			b ^= 0x10
		}
		if j.line.Inverse {
			b = turned(b)
		}
		if _, err := s.o.Line.Write([]byte{b}); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the service; the card is taken out. Close the line first: it frees
// who writes to it.
func (s *Slot) Close() error {
	s.mu.Lock()
	s.closed, s.card = true, nil
	s.turn()
	if s.conn != nil {
		s.conn.Close()
	}
	s.mu.Unlock()
	s.stop()
	err := s.ln.Close()
	s.done.Wait()
	return err
}
