package at_test

import (
	"testing"

	"swipewell/drivers/at"
	"swipewell/hal/haltest"
)

// The suite of hal.Dialer over a real pty and a simulated modem. Transparent
// mode has no far close that the driver could tell from silence, and leaves it
// by guard times of a second each, so it is not in this list.
func TestConformance(t *testing.T) {
	for _, mode := range []at.Mode{at.Push, at.Buffer} {
		t.Run(string(mode), func(t *testing.T) {
			haltest.Dialer(t, func(t *testing.T) haltest.DialerBench {
				r := newRig(t, mode)
				return haltest.DialerBench{Dialer: r.dev, Echo: r.addr, Refused: "127.0.0.1:1", HangUp: func() {
					r.mu.Lock()
					defer r.mu.Unlock()
					for _, c := range r.conns {
						c.Close()
					}
				}}
			})
		})
	}
}
