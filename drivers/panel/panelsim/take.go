package panelsim

import (
	"encoding/json"
	"fmt"
	"image"
	"net"
	"time"

	"swipewell/drivers/panel"
	"swipewell/hal"
)

// from is update for what a device has sent: of one that has lost its power or
// its place, nothing counts any more. It reports whether it did.
func (s *Server) from(c net.Conn, f func()) (ok bool) {
	s.update(func() {
		if ok = s.conn == c; ok {
			f()
		}
	})
	return ok
}

func (s *Server) is(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn == c
}

// take carries out one message of the device; an error ends the connection.
func (s *Server) take(c net.Conn, t panel.Type, b []byte) error {
	var err error
	switch t {
	case panel.MsgFrame:
		return s.takeFrame(c, b)
	case panel.MsgCaption:
		var words hal.Caption
		if err = json.Unmarshal(b, &words); err != nil {
			break
		}
		if s.o.Caption != nil && s.is(c) {
			s.o.Caption(words)
		}
		s.from(c, func() { s.caption = words })
	case panel.MsgPIN, panel.MsgSound:
		if len(b) != 1 {
			return fmt.Errorf("%w: %c with %d bytes", panel.ErrWire, t, len(b))
		}
		s.from(c, func() {
			if t == panel.MsgPIN {
				s.pin = b[0] == 1
			} else {
				s.sounds++
			}
		})
	case panel.MsgIdle:
		var i panel.Idle
		if err = json.Unmarshal(b, &i); err == nil {
			s.mu.Lock()
			if ch := s.waiters[i.ID]; ch != nil {
				ch <- i // has room for one
				delete(s.waiters, i.ID)
			}
			s.mu.Unlock()
		}
	case panel.MsgLine:
		var l panel.Line
		if err = json.Unmarshal(b, &l); err == nil {
			s.takeLine(c, l)
		}
	case panel.MsgSlip:
		var e panel.SlipEnd
		if err = json.Unmarshal(b, &e); err == nil {
			s.takeSlip(c, e)
		}
	default:
		var m panel.Small
		if err = json.Unmarshal(b, &m); err == nil {
			s.takeSmall(c, t, m)
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %c: %w", panel.ErrWire, t, err)
	}
	return nil
}

func (s *Server) takeSmall(c net.Conn, t panel.Type, m panel.Small) {
	switch t {
	case panel.MsgLamp:
		s.from(c, func() { s.lamps[m.Name] = m.State })
	case panel.MsgWall:
		s.from(c, func() { s.o.Clock.StepWall(time.Unix(0, m.WallNS).Sub(s.o.Clock.Now().Wall)) })
	case panel.MsgPong:
		s.mu.Lock()
		if ch := s.pings[m.ID]; ch != nil {
			close(ch)
			delete(s.pings, m.ID)
		}
		s.mu.Unlock()
	case panel.MsgPoint:
		if !s.from(c, func() {
			s.halted, s.points = m.Name, nil
			s.forsakeLocked() // it answers nothing any more
		}) {
			return
		}
		select {
		case <-s.reached: // an older one that nobody took
		default:
		}
		s.reached <- m.Name
	}
}

// takeFrame puts the rows into the picture. The time is that of the last byte.
func (s *Server) takeFrame(c net.Conn, b []byte) error {
	at := hal.SystemClock{}.Now().Wall
	s.mu.Lock()
	size, raw, mine := s.size, s.raw, s.conn == c
	s.mu.Unlock()
	f, err := panel.ParseFrame(size, b)
	if err != nil || !mine {
		return err
	}
	// Only this goroutine writes raw; readers have the decoded picture.
	copy(raw[f.Y*size.Stride():], f.Pix)
	m := unpack(size, raw)
	s.from(c, func() { s.frame, s.frameAt, s.frames = m, at, s.frames+1 })
	return nil
}

func (s *Server) takeLine(c net.Conn, l panel.Line) {
	out := false
	s.from(c, func() {
		if l.ID == s.torn {
			return
		}
		if l.ID != s.openID { // the slip before was given up
			s.tearLocked()
			s.openID = l.ID
		}
		if out = !s.paper; out { // the roll ended before this line
			s.tearLocked()
			s.torn = l.ID
			return
		}
		s.open = append(s.open, hal.PrintLine{Text: l.Text, Style: hal.PrintStyle(l.Style)})
	})
	if out {
		s.send(panel.MsgPrinted, panel.Printed{ID: l.ID, Cause: hal.PaperOut.String()})
	}
}

func (s *Server) takeSlip(c net.Conn, e panel.SlipEnd) {
	answer := panel.Printed{ID: e.ID}
	var done Slip
	known := s.from(c, func() {
		switch {
		case e.ID == s.torn: // answered when it tore
			answer.ID = 0
		case !s.paper:
			answer.Cause = hal.PaperOut.String()
		default:
			if e.ID != s.openID { // one without lines
				s.tearLocked()
			}
			done = Slip{Lines: s.open, Whole: true}
			s.slips, s.open, s.openID = append(s.slips, done), nil, 0
		}
	})
	if done.Whole && s.o.Slip != nil {
		s.o.Slip(done)
	}
	if known && answer.ID != 0 {
		s.send(panel.MsgPrinted, answer)
	}
}

// tearLocked ends the slip that is coming out.
func (s *Server) tearLocked() {
	if len(s.open) > 0 {
		s.slips = append(s.slips, Slip{Lines: s.open})
		s.open = nil
	}
}

// unpack turns the form of the wire into a picture.
func unpack(size panel.Size, b []byte) image.Image {
	stride := size.Stride()
	if size.Mono {
		m := image.NewGray(image.Rect(0, 0, size.W, size.H))
		for y := range size.H {
			for x := range size.W {
				if b[y*stride+x/8]&(0x80>>(x%8)) != 0 {
					m.Pix[y*m.Stride+x] = 0xFF
				}
			}
		}
		return m
	}
	m := image.NewRGBA(image.Rect(0, 0, size.W, size.H))
	for i, j := 0, 0; i < len(b); i, j = i+2, j+4 {
		r, g, bl := b[i]>>3, b[i]<<3&0x38|b[i+1]>>5, b[i+1]&0x1F
		m.Pix[j], m.Pix[j+1], m.Pix[j+2], m.Pix[j+3] = r<<3|r>>2, g<<2|g>>4, bl<<3|bl>>2, 0xFF
	}
	return m
}
