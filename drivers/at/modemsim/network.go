package modemsim

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"swipewell/hal"
)

// network is what lies between the modem and the host: it delays, paces,
// loses, holds and cuts. TCP gives no byte up, so a lost segment is a delay.
type network struct {
	clock hal.Clock

	mu    sync.Mutex
	rnd   *rand.Rand
	down  bool
	slow  time.Duration
	rate  int // bits a second each way, 0 unlimited
	lose  int // per cent
	hold  time.Duration
	cut   int // bytes until the cut, -1 none
	socks map[*socket]bool
	moved int // bytes both ways
}

func newNetwork(c hal.Clock, r *rand.Rand) *network {
	return &network{clock: c, rnd: r, cut: -1, socks: map[*socket]bool{}}
}

func (n *network) isUp() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.down
}

// retransmit is what one lost segment costs. TCPIP: tcp/retranscfg starts here.
const retransmit = 600 * time.Millisecond

// delay is what so many bytes take now.
func (n *network) delay(bytes int) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	d := n.slow
	if n.rate > 0 {
		d += time.Duration(bytes) * 8 * time.Second / time.Duration(n.rate)
	}
	for i := 0; n.lose > 0 && i < 8 && n.rnd.IntN(100) < n.lose; i++ {
		d += retransmit << i
	}
	return d
}

// take counts bytes towards a cut and gives how many still pass.
func (n *network) take(bytes int) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cut >= 0 {
		bytes = min(bytes, n.cut)
		n.cut -= bytes
	}
	n.moved += bytes
	return bytes
}

func (n *network) cutNow() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cut == 0 {
		n.cut = -1
		return true
	}
	return false
}

// socket is one connection through the network.
type socket struct {
	n      *network
	conn   net.Conn
	closed func(*socket)

	mu     sync.Mutex
	queue  [][]byte
	sent   int
	acked  int
	dead   bool // nothing passes any more
	ending bool // close once the queue is empty
	wake   chan struct{}
}

func (n *network) join(c net.Conn, arrived func(*socket, []byte), closed func(*socket)) *socket {
	s := &socket{n: n, conn: c, closed: closed, wake: make(chan struct{}, 1)}
	n.mu.Lock()
	n.socks[s] = true
	n.mu.Unlock()
	go s.up()
	go s.downlink(arrived)
	return s
}

func (s *socket) send(b []byte) {
	s.mu.Lock()
	s.queue = append(s.queue, append([]byte(nil), b...))
	s.sent += len(b)
	s.mu.Unlock()
	s.poke()
}

func (s *socket) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// up carries bytes to the host, in order, each with its delay; a hold keeps
// them and delivers later, whatever became of the modem.
func (s *socket) up() {
	defer s.leave()
	for {
		s.mu.Lock()
		for len(s.queue) == 0 {
			end := s.dead || s.ending
			s.mu.Unlock()
			if end {
				return
			}
			<-s.wake
			s.mu.Lock()
		}
		b := s.queue[0]
		s.queue = s.queue[1:]
		dead := s.dead
		s.mu.Unlock()
		s.n.mu.Lock()
		hold := s.n.hold
		s.n.mu.Unlock()
		if dead && hold == 0 {
			continue
		}
		if d := hold + s.n.delay(len(b)); d > 0 {
			hal.Sleep(context.Background(), s.n.clock, d)
		}
		pass := s.n.take(len(b))
		if !s.n.isUp() {
			continue // the bytes are lost in the air
		}
		if _, err := s.conn.Write(b[:pass]); err == nil {
			s.mu.Lock()
			s.acked += pass
			s.mu.Unlock()
		}
		if s.n.cutNow() {
			s.breakOff()
		}
	}
}

// leave ends the connection to the host.
func (s *socket) leave() {
	s.conn.Close()
	s.n.mu.Lock()
	delete(s.n.socks, s)
	s.n.mu.Unlock()
}

func (s *socket) downlink(arrived func(*socket, []byte)) {
	buf := make([]byte, 1400)
	for {
		n, err := s.conn.Read(buf)
		if n > 0 {
			if d := s.n.delay(n); d > 0 {
				hal.Sleep(context.Background(), s.n.clock, d)
			}
			pass := s.n.take(n)
			if s.n.isUp() && !s.isDead() {
				if pass > 0 {
					arrived(s, append([]byte(nil), buf[:pass]...))
				}
				if s.n.cutNow() {
					s.breakOff()
				}
			}
		}
		if err != nil {
			if s.n.isUp() && !s.isDead() {
				s.breakOff()
			}
			return
		}
	}
}

// breakOff: the connection breaks and the modem learns of it.
func (s *socket) breakOff() {
	s.kill()
	go s.closed(s)
}

// kill ends the socket at once; held bytes still go their way.
func (s *socket) kill() {
	s.mu.Lock()
	s.dead, s.ending = true, true
	s.mu.Unlock()
	s.n.mu.Lock()
	hold := s.n.hold
	s.n.mu.Unlock()
	if hold == 0 {
		s.conn.Close()
	}
	s.poke()
}

// close ends the socket behind what was sent.
func (s *socket) close() {
	s.mu.Lock()
	s.ending = true
	s.mu.Unlock()
	s.poke()
}

func (s *socket) isDead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

func (s *socket) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

func (s *socket) delivered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acked
}
