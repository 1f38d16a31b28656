package world

import (
	"errors"
	"os"

	"context"
	"fmt"
	"syscall"
	"time"

	"swipewell/drivers/at/modemsim"
	"swipewell/drivers/msr/msrsim"
	"swipewell/drivers/panel/panelsim"
	"swipewell/firmware/pos"
	"swipewell/firmware/sim/acquirer"
)

// Summary is what a page shows beside the panel.
type Summary struct {
	Version  uint64
	Power    bool
	Panel    panelsim.View
	Modem    modemsim.State
	Wall     time.Time
	Armed    string
	Disk     string
	HostUp   bool
	Answer   string // of the acquirer: "normal", "late 30s"
	Bookings int
	Net      pos.Amount
	Double   int // -1: no books
	Issuer   acquirer.Issuing
	Slot     Slot
}

// Slot is what can be seen of the slot from outside.
type Slot struct {
	Kind    string // serial, vpcd, pcsc; "" none
	Card    string // the card that is in, by name
	Powered bool   // the device gives it power; of a serial slot only
}

// Summary looks at everything at once.
func (w *World) Summary() Summary {
	v, _ := w.Panel.View()
	s := Summary{Panel: v, Modem: w.Modem.State(), Wall: w.Clock.Now().Wall, Double: -1}
	w.mu.Lock()
	s.Version, s.Power, s.Armed, s.Disk, s.Answer = w.version, w.proc != nil, w.point, w.disk, w.answer
	s.HostUp = !w.hostDown
	s.Slot.Kind = w.icc
	if w.chip != nil {
		s.Slot.Card = w.chipName
	}
	slot := w.slot
	w.mu.Unlock()
	s.Slot.Powered = slot != nil && slot.powered()
	if s.Disk == "" {
		s.Disk = "ok"
	}
	if s.Answer == "" {
		s.Answer = "normal"
	}
	if w.Host != nil {
		for _, e := range w.Host.Books() {
			if e.Booked {
				s.Bookings++
			}
		}
		s.Net = w.Host.NetCapture(nil)
		s.Issuer = w.Host.Issuing()
		s.Double, _ = w.Double()
	}
	return s
}

// Points are the names at which the power can be cut.
func Points() []string { return points }

// Changed gives a channel that is closed once the version is greater than after.
func (w *World) Changed(after uint64) <-chan struct{} {
	version, ch := w.watch()
	if version > after {
		done := make(chan struct{})
		close(done)
		return done
	}
	return ch
}

// Real tells which parts of the world are real ones.
func (w *World) Real() (modem, msr, host bool) { return w.o.Modem != "", w.o.MSR != "", w.o.Host != "" }

// Unit is the device's batch and queue as its service socket tells them; -1
// where it does not.
func (w *World) Unit(ctx context.Context) (sales, queue int, total string) {
	s, err := w.status(ctx)
	if err != nil {
		return -1, -1, ""
	}
	return s.Sales, s.Reversals + s.Unresolved, fmt.Sprint(s.Total)
}

// TimedSwipe draws a card and says how long the next frame took: from the
// write of the last byte of the stripe to the frame on the panel socket.
func (w *World) TimedSwipe(ctx context.Context, name string) (time.Duration, error) {
	c, ok := w.Card(name)
	if !ok || w.head == nil {
		return 0, usage("no card %q, or no simulated reader", name)
	}
	v, _ := w.Panel.View()
	before := v.Frames
	if err := w.head.Swipe(msrsim.Tracks{Track1: c.Track1(), Track2: c.Track2()}, msrsim.Clean); err != nil {
		return 0, err
	}
	written := now()
	err := w.waitFor(ctx, 5*time.Second, "a frame", func() (bool, error) {
		v, _ = w.Panel.View()
		return v.Frames > before, nil
	})
	return v.FrameAt.Sub(written), err
}

// Memory is posd's resident set, in bytes.
func (w *World) Memory() (int, error) {
	w.mu.Lock()
	cmd := w.proc
	w.mu.Unlock()
	if cmd == nil {
		return 0, errors.New("the power is off")
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	var size, resident int
	if _, err := fmt.Sscan(string(b), &size, &resident); err != nil {
		return 0, err
	}
	return resident * os.Getpagesize(), nil
}

// Pid is posd's process, 0 without power.
func (w *World) Pid() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.proc == nil {
		return 0
	}
	return w.proc.Process.Pid
}

// Dir is the folder of this world: the device's data, the board file, sockets.
func (w *World) Dir() string { return w.o.Dir }

// ServiceSaid is all that the service cable has said since the power came.
func (w *World) ServiceSaid() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.svcOut)
}

// Abort ends posd as a bug would: a signal that makes the Go runtime print every
// stack and, where the system lets it, write a core. It waits for the end.
func (w *World) Abort() error {
	w.mu.Lock()
	cmd, exited := w.proc, w.exited
	w.mu.Unlock()
	if cmd == nil {
		return errors.New("the power is off")
	}
	if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
		return err
	}
	<-exited
	w.unplug()
	w.Panel.Cut()
	return nil
}
