package iso7816

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"swipewell/drivers/tty"
	"swipewell/hal"
)

// Socket are the contacts of a slot on the virtual bench, over a unix socket (or
// a port of a virtio console), since a pty has no lines. Every message is one ASCII letter:
//
//	to the bench    V v  VCC on, off     R r  RST high, low     C c  CLK on, off
//	from the bench  the same letter: it is done                 P p  card in, out
//
// P or p comes at once on connecting, and at each change. A bench that is gone
// is a slot that is empty.
type Socket struct {
	path string

	mu     sync.Mutex // one order at a time
	conn   tty.Stream
	done   chan byte
	gone   chan struct{}
	state  sync.Mutex
	in     bool
	change chan struct{} // closed at the next change
}

// answerTime is how long the bench may take for an order.
const answerTime = 5 * time.Second

// OpenSocket connects to the bench and waits for the card-present switch.
func OpenSocket(path string) (*Socket, error) {
	c, err := tty.OpenStream(path)
	if err != nil {
		return nil, fmt.Errorf("iso7816: %w", err)
	}
	s := &Socket{path: path, conn: c, done: make(chan byte, 1), gone: make(chan struct{}), change: make(chan struct{})}
	first := s.change
	go s.read()
	late, stop := hal.After(hal.SystemClock{}, answerTime)
	defer stop()
	select {
	case <-first:
		select {
		case <-s.gone:
			err = errors.New("the bench hung up")
		default:
			return s, nil
		}
	case <-late:
		err = errors.New("the bench does not tell whether a card is in")
	}
	c.Close()
	return nil, fmt.Errorf("iso7816: %s: %w", path, err)
}

// read takes what the bench says, until it hangs up.
func (s *Socket) read() {
	var b [1]byte
	for {
		if _, err := s.conn.Read(b[:]); err != nil {
			close(s.gone) // before the change, which says nothing of the switch
			s.set(false)
			return
		}
		switch b[0] {
		case 'P', 'p':
			s.set(b[0] == 'P')
		default:
			select {
			case s.done <- b[0]:
			default: // nobody waits for it any more
			}
		}
	}
}

func (s *Socket) set(in bool) {
	s.state.Lock()
	defer s.state.Unlock()
	s.in = in
	close(s.change)
	s.change = make(chan struct{})
}

// order gives one order and waits until it is done. The bench is a process, so
// its time is the machine's.
func (s *Socket) order(letter byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done: // of an order that was given up
	default:
	}
	if _, err := s.conn.Write([]byte{letter}); err != nil {
		return fmt.Errorf("iso7816: %s: %w", s.path, err)
	}
	late, stop := hal.After(hal.SystemClock{}, answerTime)
	defer stop()
	select {
	case b := <-s.done:
		if b != letter {
			return fmt.Errorf("iso7816: %s: %q for %q", s.path, b, letter)
		}
		return nil
	case <-s.gone:
		return fmt.Errorf("iso7816: %s: the bench hung up", s.path)
	case <-late:
		return fmt.Errorf("iso7816: %s: no answer to %q", s.path, letter)
	}
}

func pick(on bool, yes, no byte) byte {
	if on {
		return yes
	}
	return no
}

// VCC switches the card's supply.
func (s *Socket) VCC(on bool) error { return s.order(pick(on, 'V', 'v')) }

// RST moves the reset contact.
func (s *Socket) RST(high bool) error { return s.order(pick(high, 'R', 'r')) }

// CLK lets the card's clock run or stops it.
func (s *Socket) CLK(on bool) error { return s.order(pick(on, 'C', 'c')) }

// Present is what the bench said last.
func (s *Socket) Present() (bool, error) {
	s.state.Lock()
	defer s.state.Unlock()
	return s.in, nil
}

// Wait blocks until the bench says so.
func (s *Socket) Wait(ctx context.Context, present bool) error {
	for {
		s.state.Lock()
		in, next := s.in, s.change
		s.state.Unlock()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case in == present:
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
		}
	}
}

func (s *Socket) String() string { return "bench" }

// Close hangs up.
func (s *Socket) Close() error {
	err := s.conn.Close()
	<-s.gone
	return err
}
