package world

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"swipewell/hal"
	"swipewell/ui/prompt"
)

// attendance is the bench's cashier, who presses enter at a confirm or PIN
// step that a script neither keyed at nor looked at. BENCH, "The cashier at
// the bench".
type attendance struct {
	on    bool
	step  string    // code and version of the step in front of the cashier
	since time.Time // when it came up, or was last keyed or looked at
	seen  bool      // a check matched at this step
}

// impatience is how long a failing check may stand at a step before the
// cashier presses enter.
const impatience = time.Second

func now() time.Time { return hal.SystemClock{}.Now().Wall }

// waitFor polls until cond holds, at every change and a few times a second. While
// it waits, the cashier does their part.
func (w *World) waitFor(ctx context.Context, limit time.Duration, what string, cond func() (bool, error)) error {
	limit = w.patience(limit)
	deadline := now().Add(limit)
	for {
		_, change := w.watch()
		ok, err := cond()
		if ok || err != nil {
			return err
		}
		if now().After(deadline) {
			return fmt.Errorf("%s: not within %v", what, limit)
		}
		w.attendNow(false)
		tick, stop := hal.After(hal.SystemClock{}, 50*time.Millisecond)
		select {
		case <-change:
			stop()
		case <-tick:
		case <-ctx.Done():
			stop()
			return ctx.Err()
		}
	}
}

// attendNow lets the cashier press enter, if that is theirs to do. At once
// means: do not wait to see whether the script will (clock advance).
func (w *World) attendNow(atOnce bool) {
	v, _ := w.Panel.View()
	in := v.Caption.Input
	w.mu.Lock()
	a := &w.attend
	stopped := in == "card" && strings.HasPrefix(v.Caption.Code, "T-") && !atOnce // by a rule
	if !a.on || !v.Connected || in != "confirm" && in != "pin" && in != "number" && in != "choice" && in != "app" && !stopped {
		a.step, a.seen = "", false
		w.mu.Unlock()
		return
	}
	if a.step != v.Caption.Code {
		a.step, a.seen, a.since = v.Caption.Code, false, now()
	}
	press := now().Sub(a.since) >= impatience
	if atOnce {
		press = !a.seen
	}
	if in == "pin" && !v.PINActive {
		press = false
	}
	if press {
		a.since = now()
	}
	w.mu.Unlock()
	switch {
	case press && in == "choice":
		w.answer3()
		return
	case press && stopped:
		w.supervise(v.Caption.Lines)
		return
	case press && in == "confirm":
		w.read()
	}
	if press {
		words := strings.Join(v.Caption.Lines, " ")
		if v.Caption.Code == string(prompt.AskAuth) && !strings.Contains(words, "直接确认") && !strings.Contains(words, "takes") {
			for _, k := range digits("123456") { // a code by voice, which the device cannot offer
				w.Panel.Key(k)
			}
		}
		w.Panel.Key(hal.KeyEnter)
		w.Panel.Settle(context.Background())
	}
}

// attendAll passes every step that the script left to the cashier.
func (w *World) attendAll() {
	for range 4 {
		v, _ := w.Panel.View()
		w.attendNow(true)
		after, _ := w.Panel.View()
		if v.Version == after.Version {
			return
		}
	}
}

// looked notes that a check matched: the step in front of us is the script's.
func (w *World) looked() {
	v, _ := w.Panel.View()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attend.step, w.attend.seen, w.attend.since = v.Caption.Code, true, now()
}

// keyed notes that the script pressed a key.
func (w *World) keyed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attend.since = now()
}

// SetAttend sends the cashier away or calls them back.
func (w *World) SetAttend(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attend.on = on
}

// settle waits until what is under way in this process has come to rest: the
// simulators run on goroutines of their own.
func (w *World) settle() {
	quiet, need := 0, 3
	if v, _ := w.Panel.View(); v.Caption.Input == "none" {
		need = 40 // the device is under way with something: on a loaded machine the next step takes its time
	}
	for i := 0; i < 200 && quiet < need; i++ {
		before, fired := w.Modem.State().Moved, w.Clock.Fired()
		began := now()
		hal.Sleep(context.Background(), hal.SystemClock{}, time.Millisecond)
		// A tick that came late says that this machine is busy: what was to move
		// may only not have had its turn.
		late := now().Sub(began) > 3*time.Millisecond
		if w.Modem.State().Moved == before && w.Clock.Fired() == fired && !late && !w.lineBusy() && !w.deviceRuns() {
			quiet++
		} else {
			quiet = 0
		}
	}
}

// deviceRuns tells whether a thread of the device is running, or would be if this
// machine had a processor for it: what it is about to write is not on the line yet.
// proc_pid_stat(5).
func (w *World) deviceRuns() bool {
	w.mu.Lock()
	p := w.proc
	w.mu.Unlock()
	if p == nil || p.Process == nil {
		return false
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.Process.Pid))
	if err != nil {
		return false
	}
	for _, t := range tasks {
		b, err := os.ReadFile(t)
		if err != nil {
			continue // it has ended
		}
		if i := bytes.LastIndexByte(b, ')'); i > 0 && i+2 < len(b) && b[i+2] == 'R' {
			return true
		}
	}
	return false
}

// lineBusy tells whether bytes lie unread between the device and a simulator.
func (w *World) lineBusy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.proc == nil || w.Modem.State().Hung {
		return false // whoever should read does not
	}
	for _, p := range w.ptys {
		if p != w.service && p.Waiting() > 0 {
			return true
		}
	}
	return false
}

// Advance moves the clock of device and world.
func (w *World) Advance(ctx context.Context, d time.Duration) error {
	w.attendAll()
	return w.Panel.Advance(ctx, d, w.settle)
}

// answer3 answers a question as a cashier does who knows the customer's order:
// one that is not paid is a second one, one that is paid is not charged again.
func (w *World) answer3() {
	k := hal.Key3
	if w.paid() {
		k = hal.KeyCancel
	}
	w.Panel.Key(k)
	w.Panel.Settle(context.Background())
}

// supervise is the bench's supervisor: where a rule stops an order that is not
// paid, and may be passed by, they come and approve.
func (w *World) supervise(lines []string) {
	if !w.paid() {
		w.approve(lines)
	}
}

// approve is the supervisor's number and PIN, where the screen offers that.
func (w *World) approve(lines []string) {
	if !strings.Contains(strings.Join(lines, " "), "F2") {
		return
	}
	for _, k := range []hal.Key{hal.KeyF2, hal.Key9, hal.Key0, hal.KeyEnter} {
		w.Panel.Key(k)
		w.Panel.Settle(context.Background())
	}
	for _, k := range append(digits(BenchPIN), hal.KeyEnter) {
		w.Panel.Key(k)
		w.Panel.Settle(context.Background())
	}
}

// readTime is how long a confirm step is shown before keys act: the bench's
// cashier reads it. THROTTLE §1 S2.
const readTime = 1500 * time.Millisecond

// Read lets the time to read the confirm step go by: for who presses keys with
// the cashier sent away.
func (w *World) Read() { w.read() }

// read lets the time to read go by, if the confirm step is in front of us.
func (w *World) read() {
	v, _ := w.Panel.View()
	if v.Caption.Input != "confirm" {
		return
	}
	w.mu.Lock()
	left := w.confirmAt + readTime - w.Clock.Now().Boot
	w.mu.Unlock()
	if left > 0 {
		w.Panel.Advance(context.Background(), left, w.settle)
	}
}
