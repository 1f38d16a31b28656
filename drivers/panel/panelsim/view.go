package panelsim

import (
	"context"
	"image"
	"maps"
	"slices"
	"time"

	"swipewell/drivers/panel"
	"swipewell/hal"
)

// View is a copy of what the device shows and of its surroundings.
type View struct {
	Version   uint64 // grows with every change
	Connected bool
	Size      panel.Size
	Caption   hal.Caption
	Frame     image.Image // *image.RGBA or *image.Gray, not to be changed; nil: dark
	FrameAt   time.Time   // real time at which the last frame came
	Frames    int         // grows with every frame and when the screen goes dark
	Lamps     map[string]string
	Sounds    int
	PINActive bool
	Paper     bool
	Slips     []Slip // a last one that is not whole may still be coming
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
	return View{Version: s.version, Connected: s.conn != nil, Size: s.size, Caption: s.caption, Frame: s.frame, FrameAt: s.frameAt, Frames: s.frames,
		Lamps: maps.Clone(s.lamps), Sounds: s.sounds, PINActive: s.pin, Paper: s.paper, Slips: slips, Reached: s.halted}, s.change
}

// Connected tells whether a device is there.
func (s *Server) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil
}

// Key presses a key. A key pressed while the screen asks for a PIN waits until
// the PIN pad is active, as a finger does, at most a second; none is kept here.
func (s *Server) Key(k hal.Key) error {
	active := s.pinReady()
	t := panel.MsgKey
	if active {
		t = panel.MsgPINKey
	}
	return s.sendRaw(t, []byte{byte(k)})
}

// pinReady tells whether the PIN pad is active, and waits for it if the screen
// already asks for a PIN.
func (s *Server) pinReady() bool {
	ctx, cancel := hal.WithTimeout(context.Background(), hal.SystemClock{}, time.Second)
	defer cancel()
	v, _ := s.Wait(ctx, func(v View) bool { return v.PINActive || !v.Connected || v.Caption.Input != "pin" })
	return v.PINActive
}
