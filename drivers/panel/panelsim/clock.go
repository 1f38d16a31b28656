package panelsim

import (
	"context"
	"errors"
	"time"

	"swipewell/drivers/panel"
)

// grain is the least that Advance jumps: while one jump settles, as much time
// passes by itself, so finer steps would be for nothing.
const grain = 5 * time.Millisecond

// rounds bounds how often device and world may set each other moving before
// Advance goes on regardless.
const rounds = 50

// ask has the device jump by d, 0 for none, and waits until it is idle.
func (s *Server) ask(ctx context.Context, d time.Duration, seen uint64) (panel.Idle, error) {
	ch := make(chan panel.Idle, 1)
	s.mu.Lock()
	if s.conn == nil || s.halted != "" {
		s.mu.Unlock()
		return panel.Idle{}, ErrOff
	}
	s.lastID++
	id := s.lastID
	s.waiters[id] = ch
	s.mu.Unlock()
	if err := s.send(panel.MsgAdvance, panel.Advance{ID: id, NS: int64(d), Seen: seen}); err != nil {
		return panel.Idle{}, err
	}
	select {
	case i, ok := <-ch:
		if !ok {
			return i, ErrOff
		}
		return i, nil
	case <-ctx.Done():
		s.mu.Lock()
		delete(s.waiters, id)
		s.mu.Unlock()
		return panel.Idle{}, ctx.Err()
	}
}

// Settle waits until the device is idle, without moving its clock.
func (s *Server) Settle(ctx context.Context) error {
	_, err := s.ask(ctx, 0, 0)
	return err
}

// state of a world that stands still.
type state struct {
	off  bool
	next time.Duration // to the device's next timer; -1 none
}

// still waits until neither the device nor the world moves the other any more.
func (s *Server) still(ctx context.Context, settle func()) (state, error) {
	var i panel.Idle
	var err error
	for range rounds {
		i, err = s.ask(ctx, 0, i.Stir)
		if err != nil {
			break
		}
		stir, fired := i.Stir, s.o.Clock.Fired()
		if settle == nil {
			break
		}
		settle()
		if i, err = s.ask(ctx, 0, stir); err != nil || i.Stir == stir && s.o.Clock.Fired() == fired {
			break
		}
	}
	switch {
	case err == nil:
		return state{next: time.Duration(i.Next)}, nil
	case ctx.Err() != nil:
		return state{}, ctx.Err()
	case errors.Is(err, ErrOff):
		if settle != nil {
			settle()
		}
		return state{off: true, next: -1}, nil
	}
	return state{}, err
}

// Advance moves the bench's clock and the device's by d together, one deadline
// at a time, and waits after each until the device is idle and settle, which
// runs the world quiet, has returned; settle may be nil. A device that is off,
// goes off on the way, or stands at a point is left out.
func (s *Server) Advance(ctx context.Context, d time.Duration, settle func()) error {
	s.adv.Lock()
	defer s.adv.Unlock()
	st, err := s.still(ctx, settle)
	for err == nil && d > 0 {
		step := d
		if next, ok := s.o.Clock.Next(); ok {
			step = min(step, max(next, grain))
		}
		if st.next >= 0 {
			step = min(step, max(st.next, grain))
		}
		d -= step
		// First both move to just before the deadline, where nothing is due;
		// then both over it. So whatever one end sends when its timer fires
		// finds the other at the same time.
		if lead := step - grain; lead > 0 {
			if !st.off {
				s.send(panel.MsgJump, panel.Small{NS: int64(lead)})
				s.sync()
			}
			s.o.Clock.Jump(lead)
			step = grain
		}
		if !st.off {
			s.send(panel.MsgJump, panel.Small{NS: int64(step)})
		}
		s.o.Clock.Jump(step)
		st, err = s.still(ctx, settle)
	}
	return err
}

// StepWall moves the wall of bench and device, either way; the device has done
// so when it returns.
func (s *Server) StepWall(d time.Duration) {
	s.o.Clock.StepWall(d)
	s.send(panel.MsgStep, panel.Small{NS: int64(d)})
	s.sync()
}

// SetWall sets the wall of bench and device.
func (s *Server) SetWall(t time.Time) {
	s.o.Clock.StepWall(t.Sub(s.o.Clock.Now().Wall))
	s.send(panel.MsgWall, panel.Small{WallNS: t.UnixNano()})
	s.sync()
}
