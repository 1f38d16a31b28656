package at_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"swipewell/drivers/at"
	"swipewell/drivers/at/modemsim"
	"swipewell/drivers/tty"
	"swipewell/drivers/tty/ttysim"
	"swipewell/hal"
)

// rig is a modem driver on a real pty, a simulated modem behind it, and a real
// TCP host that echoes.
type rig struct {
	t     *testing.T
	clock *hal.SteppedClock
	sim   *modemsim.Modem
	dev   *at.Modem
	far   *ttysim.Pair
	addr  string
	mu    sync.Mutex
	conns []net.Conn
	got   []byte
	steps []string
}

func newRig(t *testing.T, mode at.Mode) *rig {
	t.Helper()
	r := &rig{t: t, clock: hal.NewSteppedClock(hal.SystemClock{}, time.Unix(1_800_000_000, 0))}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = ln.Addr().String()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.conns = append(r.conns, c)
			r.mu.Unlock()
			go func() {
				buf := make([]byte, 4096)
				for {
					n, err := c.Read(buf)
					r.mu.Lock()
					r.got = append(r.got, buf[:n]...)
					r.mu.Unlock()
					if err != nil {
						return
					}
					c.Write(buf[:n])
				}
			}()
		}
	}()
	r.far, err = ttysim.Open(ttysim.Opts{})
	if err != nil {
		t.Fatal(err)
	}
	r.sim = modemsim.New(modemsim.Opts{Clock: r.clock})
	r.sim.Plug(r.far)
	port, err := tty.Open(tty.Opts{Path: r.far.Path()})
	if err != nil {
		t.Fatal(err)
	}
	r.dev, err = at.New(port, at.Opts{Clock: r.clock, Mode: mode, Observe: func(e at.Event) {
		r.mu.Lock()
		r.steps = append(r.steps, e.String())
		r.mu.Unlock()
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		t.Log(r.steps)
	})
	t.Cleanup(func() { r.dev.Close(); r.far.Close(); ln.Close(); r.sim.Unplug() })
	return r
}

func (r *rig) dial() hal.Link {
	r.t.Helper()
	l, err := r.dev.Dial(r.t.Context(), r.addr)
	if err != nil {
		r.t.Fatalf("dial: %v", err)
	}
	return l
}

// hurry moves the clock in small steps while f runs.
func (r *rig) hurry(f func()) {
	done := make(chan struct{})
	go func() { f(); close(done) }()
	for {
		select {
		case <-done:
			return
		case <-time.After(5 * time.Millisecond):
			r.clock.Jump(100 * time.Millisecond)
		}
	}
}

func readAll(t *testing.T, l hal.Link, n int) string {
	t.Helper()
	buf, got := make([]byte, 700), ""
	for len(got) < n {
		k, err := l.Read(t.Context(), buf)
		if err != nil {
			t.Fatalf("read after %d of %d: %v", len(got), n, err)
		}
		got += string(buf[:k])
	}
	return got
}

// Payload of every byte value, longer than one QISEND, comes back unchanged in
// each mode, also where it looks like a reply.
func TestEcho(t *testing.T) {
	payload := strings.Repeat("\r\nOK\r\n+QIURC: \"closed\",0\r\n> ERROR\r\nRDY\r\n", 60)
	for i := range 256 {
		payload += string([]byte{byte(i)})
	}
	for _, mode := range []at.Mode{at.Push, at.Buffer, at.Transparent} {
		t.Run(string(mode), func(t *testing.T) {
			r := newRig(t, mode)
			l := r.dial()
			if n, err := l.Write(t.Context(), []byte(payload)); n != len(payload) || err != nil {
				t.Fatalf("%d %v", n, err)
			}
			if got := readAll(t, l, len(payload)); got != payload {
				t.Error("bytes changed on the way")
			}
			if mode != at.Transparent {
				if total, _, _, err := l.(hal.Evidencer).Evidence(t.Context()); err != nil || total != len(payload) {
					t.Errorf("evidence: %d %v", total, err)
				}
			}
			r.hurry(func() { l.Close() })
			l = r.dial() // the next call works
			if n, err := l.Write(t.Context(), []byte("x")); n != 1 || err != nil || readAll(t, l, 1) != "x" {
				t.Errorf("second call: %d %v", n, err)
			}
		})
	}
}

func TestHostClosesInPlace(t *testing.T) {
	r := newRig(t, at.Push)
	l := r.dial()
	l.Write(t.Context(), []byte("hello"))
	readAll(t, l, 5)
	r.mu.Lock()
	r.conns[0].Close()
	r.mu.Unlock()
	_, err := l.Read(t.Context(), make([]byte, 1))
	var le *hal.LinkError
	if !errors.As(err, &le) || le.Cause != hal.CauseClosed {
		t.Errorf("read: %v", err)
	}
	if n, err := l.Write(t.Context(), []byte("x")); n != 0 || err == nil {
		t.Errorf("write on a closed link: n %d %v; it is known that nothing left", n, err)
	}
}

// Each reason why a dial fails has its own cause.
func TestDialCauses(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(r *rig)
		want hal.LinkCause
	}{
		"no signal":      {func(r *rig) { r.sim.SetCSQ(99); r.sim.SetReg(0) }, hal.CauseNoSignal},
		"not registered": {func(r *rig) { r.sim.SetReg(2) }, hal.CauseNotRegistered},
		"denied":         {func(r *rig) { r.sim.SetReg(3) }, hal.CauseRefusedByNet},
		"line down":      {func(r *rig) { r.sim.LineDown() }, hal.CauseHostSilent},
		"host refuses":   {func(r *rig) { r.addr = "127.0.0.1:1" }, hal.CauseHostRefused},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, at.Push)
			r.dial().Close()
			c.do(r)
			r.hurry(func() {
				_, err := r.dev.Dial(t.Context(), r.addr)
				var le *hal.LinkError
				if !errors.As(err, &le) || le.Cause != c.want {
					t.Errorf("got %v, want cause %v", err, c.want)
				}
			})
		})
	}
}

// A modem that hangs is brought back by the ladder within one dial.
func TestLadder(t *testing.T) {
	r := newRig(t, at.Push)
	r.dial().Close()
	r.sim.Hang()
	start := r.clock.Now().Boot
	r.hurry(func() {
		l, err := r.dev.Dial(t.Context(), r.addr)
		if err != nil {
			t.Errorf("dial: %v", err)
			return
		}
		l.Close()
	})
	if took := r.clock.Now().Boot - start; took > 30*time.Second {
		t.Errorf("the ladder took %v", took)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	all := strings.Join(r.steps, ", ")
	if !strings.Contains(all, "ladder ATZ") || !strings.Contains(all, "ladder helped CFUN") {
		t.Errorf("steps: %s", all)
	}
}

// A modem that hangs before its prompt has sent nothing, and the driver knows.
func TestHangBeforeThePromptSentNothing(t *testing.T) {
	r := newRig(t, at.Push)
	l := r.dial()
	r.sim.Hang()
	r.hurry(func() {
		n, err := l.Write(t.Context(), []byte("a payment"))
		if n != 0 || err == nil {
			t.Errorf("n %d err %v", n, err)
		}
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.got) != 0 {
		t.Error("the host got bytes")
	}
}

// Held bytes arrive after the terminal has closed the link.
func TestHold(t *testing.T) {
	r := newRig(t, at.Push)
	l := r.dial()
	r.sim.Hold(time.Minute)
	if n, err := l.Write(t.Context(), []byte("late")); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	l.Close()
	for range 2000 {
		r.clock.Jump(time.Minute)
		r.mu.Lock()
		s := string(r.got)
		r.mu.Unlock()
		if s == "late" {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("the host never got them")
}

// The line is cut inside a frame: part of it arrived, and the link says so.
func TestCutInsideAFrame(t *testing.T) {
	r := newRig(t, at.Push)
	l := r.dial()
	r.sim.Cut(10)
	if n, err := l.Write(t.Context(), make([]byte, 100)); n == 0 {
		t.Errorf("n %d err %v: bytes have left", n, err)
	}
	if _, err := io.ReadAll(reader{l}); err == nil {
		t.Error("no word of the cut")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.got) != 10 {
		t.Errorf("%d bytes arrived, want 10", len(r.got))
	}
}

type reader struct{ l hal.Link }

func (r reader) Read(b []byte) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return r.l.Read(ctx, b)
}

func TestReboot(t *testing.T) {
	r := newRig(t, at.Push)
	l := r.dial()
	r.sim.Reset()
	r.hurry(func() {
		if _, err := l.Read(t.Context(), make([]byte, 1)); err == nil {
			t.Error("the link outlived a reboot")
		}
		l, err := r.dev.Dial(t.Context(), r.addr)
		if err != nil {
			t.Errorf("dial after the reboot: %v", err)
			return
		}
		l.Close()
	})
}

func TestPortHangsUp(t *testing.T) {
	r := newRig(t, at.Push)
	l := r.dial()
	r.far.Close()
	_, err := l.Read(t.Context(), make([]byte, 1))
	var le *hal.LinkError
	if !errors.As(err, &le) || le.Cause != hal.CauseDevice {
		t.Errorf("%v", err)
	}
	if _, err := r.dev.Dial(t.Context(), r.addr); !errors.As(err, &le) || le.Cause != hal.CauseDevice {
		t.Errorf("dial: %v", err)
	}
}
