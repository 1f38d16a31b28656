package flashwire

import (
	"encoding/binary"
	"io"
	"time"
)

// Window is how many frames may be on their way.
const Window = 64

// Sender is the host's end of a transfer.
type Sender struct {
	r           io.ReaderAt
	start, size int64
	frames      uint32
	base, next  uint32 // first not acknowledged, first never sent
	slot        [Window]sent
	lost        []uint32
	order       uint16
	polled      time.Duration // when the last poll left
	polling     bool
	wait        time.Duration // until a poll is repeated
	Resent      int
	Bytes       int64 // that were put on the line
}

type sent struct {
	order  uint16
	acked  bool
	queued bool
}

// NewSender sends r from start up to size. perFrame is how long a frame of data
// is on the line; it scales the one wait there is.
func NewSender(r io.ReaderAt, start, size int64, perFrame time.Duration) *Sender {
	return &Sender{r: r, start: start, size: size, frames: uint32((size - start + MaxData - 1) / MaxData), wait: 8*perFrame + 50*time.Millisecond}
}

// Done tells whether every frame is acknowledged.
func (s *Sender) Done() bool { return s.base == s.frames }

// Sent tells whether every frame has left, and none is known to be lost.
func (s *Sender) Sent() bool { return s.next == s.frames && len(s.lost) == 0 }

// Acked is how many bytes from the front the device has.
func (s *Sender) Acked() int64 { return min(s.start+int64(s.base)*MaxData, s.size) }

// Next gives the frame to put on the line now. nil: there is none before wake,
// unless something comes.
func (s *Sender) Next(now time.Duration) (frame []byte, wake time.Duration, err error) {
	switch {
	case s.Done():
		return nil, now + time.Hour, nil
	case len(s.lost) > 0:
		i := s.lost[0]
		s.lost = s.lost[1:]
		s.Resent++
		return s.data(i)
	case s.next < s.frames && s.next-s.base < Window:
		i := s.next
		s.next++
		return s.data(i)
	case s.polling && now < s.polled+s.wait:
		return nil, s.polled + s.wait, nil
	}
	s.polling, s.polled = true, now
	return s.poll(), 0, nil
}

func (s *Sender) poll() []byte {
	s.order++
	f := AppendFrame(nil, Poll, binary.BigEndian.AppendUint16(nil, s.order))
	s.Bytes += int64(len(f))
	return f
}

func (s *Sender) data(i uint32) ([]byte, time.Duration, error) {
	off := s.start + int64(i)*MaxData
	b := make([]byte, min(MaxData, s.size-off))
	if n, err := s.r.ReadAt(b, off); n < len(b) {
		return nil, 0, err
	}
	s.order++
	s.slot[i%Window] = sent{order: s.order}
	s.polling = false
	f := AppendFrame(nil, Data, binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(nil, i), s.order), b)
	s.Bytes += int64(len(f))
	return f, 0, nil
}

// Got takes an acknowledgement.
func (s *Sender) Got(f Frame) {
	if f.Type != Ack || len(f.Body) < 6 {
		return
	}
	base, seen, bits := binary.BigEndian.Uint32(f.Body), binary.BigEndian.Uint16(f.Body[4:]), f.Body[6:]
	if base < s.base || base > s.next {
		return // an old one
	}
	s.base = base
	for i := base; i < s.next; i++ {
		p, k := &s.slot[i%Window], i-base
		if int(k/8) < len(bits) && bits[k/8]>>(k%8)&1 == 1 {
			p.acked = true
		}
		if !p.acked && !p.queued && int16(seen-p.order) >= 0 {
			p.queued = true
			s.lost = append(s.lost, i)
		}
	}
	for len(s.lost) > 0 && s.lost[0] < s.base {
		s.lost = s.lost[1:]
	}
	if int16(seen-s.order) >= 0 {
		s.polling = false
	}
}
