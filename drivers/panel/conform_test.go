package panel_test

import (
	"testing"
	"time"

	"swipewell/drivers/panel"
	"swipewell/drivers/panel/panelsim"
	"swipewell/hal"
	"swipewell/hal/haltest"
)

// The suites of hal, each device over a real socket.
func TestConformance(t *testing.T) {
	t.Run("Clock", func(t *testing.T) {
		haltest.Clock(t, func(t *testing.T) haltest.ClockBench {
			s, p := both(t, panel.Size{})
			return haltest.ClockBench{Clock: p.Clock(), Pass: func(d time.Duration) {
				if err := s.Advance(t.Context(), d, nil); err != nil {
					t.Error(err)
				}
			}}
		})
	})
	t.Run("Keypad", func(t *testing.T) {
		haltest.Keypad(t, func(t *testing.T) haltest.KeypadBench {
			s, p := both(t, panel.Size{})
			return haltest.KeypadBench{Keypad: p.Keypad(), Press: func(k hal.Key) { s.Key(k) }}
		})
	})
	t.Run("PINPad", func(t *testing.T) {
		haltest.PINPad(t, func(t *testing.T) haltest.PINPadBench {
			s, p := both(t, panel.Size{})
			return haltest.PINPadBench{PINPad: p.PINPad(), Keypad: p.Keypad(), Press: func(k hal.Key) {
				// The menu key is pressed behind the entry, all others in it.
				until(t, s, "PIN pad", func(v panelsim.View) bool { return v.PINActive == (k != hal.KeyMenu) })
				s.Key(k)
			}}
		})
	})
	t.Run("Printer", func(t *testing.T) {
		haltest.Printer(t, func(t *testing.T) haltest.PrinterBench {
			s, p := both(t, panel.Size{})
			lines := func() (out []string) {
				v, _ := s.View()
				for _, slip := range v.Slips {
					for _, l := range slip.Lines {
						out = append(out, l.Text)
					}
				}
				return out
			}
			return haltest.PrinterBench{Printer: p.Printer(), Lines: lines, Paper: s.SetPaper}
		})
	})
	t.Run("Lamps", func(t *testing.T) {
		haltest.Lamps(t, func(t *testing.T) haltest.LampsBench {
			s, p := both(t, panel.Size{})
			return haltest.LampsBench{Lamps: p.Lamps(), Names: []string{"ready", "busy", "alarm"}, State: func(name string) hal.LampState {
				v, _ := s.View()
				for st := hal.LampOff; st <= hal.LampBlink; st++ {
					if st.String() == v.Lamps[name] {
						return st
					}
				}
				return hal.LampOff
			}}
		})
	})
}
