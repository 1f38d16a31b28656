package iso7816_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"swipewell/drivers/iso7816"
	"swipewell/drivers/iso7816/cardsim"
	"swipewell/drivers/tty"
	"swipewell/hal"
)

func pin(name string) *gpiotest.Pin {
	return &gpiotest.Pin{N: name, EdgesChan: make(chan gpio.Level, 4)}
}

// The lines: in which order they move, which way they mean on, and the switch.
func TestPins(t *testing.T) {
	for _, low := range []bool{false, true} {
		vcc, rst, clk, in := pin("VCC"), pin("RST"), pin("CLK"), pin("IN")
		p := &iso7816.Pins{Vcc: vcc, Rst: rst, Clk: clk, In: in, InLow: low, VccLow: low, Clock: hal.SystemClock{}}
		if err := p.Open(); err != nil {
			t.Fatal(err)
		}
		if got, err := p.Present(); got || err != nil || bool(vcc.Read()) != low || bool(rst.Read()) || bool(clk.Read()) {
			t.Errorf("low %v: opened with a card %v, VCC %v", low, got, vcc.Read())
		}
		if err := errors.Join(p.VCC(true), p.CLK(true), p.RST(true)); err != nil || bool(vcc.Read()) == low || !bool(clk.Read()) || !bool(rst.Read()) {
			t.Errorf("low %v: VCC %v CLK %v RST %v, %v", low, vcc.Read(), clk.Read(), rst.Read(), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Wait(ctx, true); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		done := make(chan error, 1)
		go func() { done <- p.Wait(t.Context(), true) }()
		in.EdgesChan <- gpio.Level(low) // bounces
		in.EdgesChan <- gpio.Level(!low)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got, _ := p.Present(); !got {
			t.Errorf("low %v: no card", low)
		}
		if !strings.Contains(p.String(), "IN") {
			t.Errorf("%s", p)
		}
	}
	if err := (&iso7816.Pins{Clock: hal.SystemClock{}}).Open(); err == nil {
		t.Error("opens without a card-present line")
	}
	if err := (&iso7816.Pins{In: brokenPin{pin("X")}, Clock: hal.SystemClock{}}).Open(); err == nil || !strings.Contains(err.Error(), "pin X") {
		t.Errorf("%v", err)
	}
	p := &iso7816.Pins{In: pin("IN"), Rst: brokenPin{pin("R")}, Clock: hal.SystemClock{}}
	if err := p.Open(); err == nil || !strings.Contains(err.Error(), "pin R") {
		t.Errorf("%v", err)
	}
}

type brokenPin struct{ *gpiotest.Pin }

func (brokenPin) Out(gpio.Level) error          { return errors.New("no such line") }
func (brokenPin) In(gpio.Pull, gpio.Edge) error { return errors.New("no such line") }

// A bench that does not keep to the socket's words is a failed reader, and one
// that is gone an empty slot.
func TestSocketFaults(t *testing.T) {
	if _, err := iso7816.OpenSocket(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("opens what is not there")
	}
	path := filepath.Join(t.TempDir(), "icc")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	bench := make(chan net.Conn, 1)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			bench <- c
		}
	}()
	go func() { (<-bench).Close() }()
	if _, err := iso7816.OpenSocket(path); err == nil || !strings.Contains(err.Error(), "hung up") {
		t.Errorf("%v", err)
	}
	opened := make(chan *iso7816.Socket, 1)
	go func() {
		s, err := iso7816.OpenSocket(path)
		if err != nil {
			t.Error(err)
		}
		opened <- s
	}()
	c := <-bench
	c.Write([]byte("P"))
	s := <-opened
	order := func() {
		var b [1]byte
		c.Read(b[:])
		c.Write([]byte("xx")) // twice: the second is nobody's
	}
	go order()
	if err := s.VCC(true); err == nil {
		t.Error("another letter is taken for the answer")
	}
	if in, _ := s.Present(); !in {
		t.Error("no card")
	}
	wait := make(chan error, 1)
	go func() { wait <- s.Wait(t.Context(), false) }()
	c.Close()
	if err := <-wait; err != nil {
		t.Error(err)
	}
	if err := s.RST(true); err == nil {
		t.Error("orders without a bench")
	}
	s.Close()
}

// A port that fails is the reader's fault, wherever it fails.
func TestPortFails(t *testing.T) {
	for n := 1; n < 60; n++ {
		w := &cardsim.Wire{Machine: cardsim.New(cardsim.Opts{App: files(), Protocol: n % 2}), In: true}
		p := &failing{Wire: w, left: n}
		s, err := iso7816.New(iso7816.Opts{Port: p, Contacts: p, Clock: w})
		if err == nil {
			if _, err = s.PowerUp(t.Context()); err == nil {
				_, err = s.Transmit(t.Context(), nil, unhex("00EE0000"))
			}
		}
		if p.left > 0 { // got through
			if err != nil {
				t.Errorf("%d: %v", n, err)
			}
			break
		}
		if cause(err) != "device" {
			t.Errorf("call %d: %v", n, err)
		}
	}
}

// failing is a wire whose calls fail from the left-th on; reads are not counted.
type failing struct {
	*cardsim.Wire
	left int
}

func (f *failing) count() error {
	if f.left--; f.left <= 0 {
		return errors.New("broken")
	}
	return nil
}

func (f *failing) SetBaud(b int) error {
	return errors.Join(f.count(), f.Wire.SetBaud(b))
}
func (f *failing) SetFrame(p tty.Parity, n int) error {
	return errors.Join(f.count(), f.Wire.SetFrame(p, n))
}
func (f *failing) FlushInput() error {
	return errors.Join(f.count(), f.Wire.FlushInput())
}
func (f *failing) VCC(on bool) error { return errors.Join(f.count(), f.Wire.VCC(on)) }
func (f *failing) RST(on bool) error { return errors.Join(f.count(), f.Wire.RST(on)) }
func (f *failing) Write(ctx context.Context, b []byte) (int, error) {
	if err := f.count(); err != nil {
		return 0, err
	}
	return f.Wire.Write(ctx, b)
}

func TestBadOpts(t *testing.T) {
	w := &cardsim.Wire{}
	for _, o := range []iso7816.Opts{{}, {Port: w, Clock: w}, {Port: w, Contacts: w, Clock: w, Hz: 10}} {
		if _, err := iso7816.New(o); err == nil {
			t.Errorf("%+v", o)
		}
	}
	s, err := iso7816.New(iso7816.Opts{Port: w, Contacts: w, Clock: w, Hz: 5_000_000})
	if err != nil || s.String() != "iso7816 (wire, wire)" || s.Halt() != nil {
		t.Errorf("%v %v", s, err)
	}
}

// The line held down, or not listening, in the middle of a session.
func TestShortedInASession(t *testing.T) {
	for _, c := range []struct {
		name   string
		o      cardsim.Opts
		change func(w *cardsim.Wire)
		want   string
	}{
		{"held down", cardsim.Opts{}, func(w *cardsim.Wire) { w.Shorted = true }, "shorted"},
		{"held down, inverse", cardsim.Opts{Inverse: true}, func(w *cardsim.Wire) { w.Shorted = true }, "shorted"},
		{"held down, T=1", cardsim.Opts{Protocol: 1}, func(w *cardsim.Wire) { w.Shorted = true }, "shorted"},
		{"no echo", cardsim.Opts{}, func(w *cardsim.Wire) { w.Echoless = true }, "protocol"}, // what comes first is the card's
		{"no echo, no card's answer", cardsim.Opts{Knobs: cardsim.Knobs{Delay: 3000}}, func(w *cardsim.Wire) { w.Echoless = true }, "shorted"},
		{"withdrawn", cardsim.Opts{}, func(w *cardsim.Wire) { w.In = false }, "removed"},
		{"withdrawn, T=1", cardsim.Opts{Protocol: 1}, func(w *cardsim.Wire) { w.In = false }, "removed"},
		{"withdrawn in the answer", cardsim.Opts{}, func(w *cardsim.Wire) { w.RemoveAt = w.Got + 5 }, "removed"},
	} {
		c.o.App = files()
		s, w := slot(t, cardsim.New(c.o), iso7816.Opts{})
		if _, err := s.PowerUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.change(w)
		before := w.Now().Boot
		if _, err := s.Transmit(t.Context(), nil, unhex(session[1].c)); cause(err) != c.want || w.Powered {
			t.Errorf("%s: %v", c.name, err)
		}
		if took := w.Now().Boot - before; took > 200*time.Millisecond {
			t.Errorf("%s: noticed after %v", c.name, took)
		}
	}
}

// Extra guard time, which only ISO's rules admit, is kept.
func TestGuardTime(t *testing.T) {
	for n, atr := range map[float64]string{17: "3B600005", 30: "3B600012"} {
		s, w := slot(t, cardsim.New(cardsim.Opts{App: files(), ATR: unhex(atr)}), iso7816.Opts{Rules: iso7816.RulesISO})
		if _, err := s.PowerUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		run(t, s)
		if w.MinGuard < n || w.MinGuard > n+12 || w.Collisions > 0 {
			t.Errorf("%s: %.1f etu between characters, %d collisions", atr, w.MinGuard, w.Collisions)
		}
	}
}

// Somebody else speaks while we do: T=0 ends, T=1 asks again.
func TestTwoAtOnce(t *testing.T) {
	for protocol, want := range []string{"protocol", ""} {
		w := &cardsim.Wire{Machine: cardsim.New(cardsim.Opts{App: files(), Protocol: protocol}), In: true}
		p := &spoiler{Wire: w}
		s, err := iso7816.New(iso7816.Opts{Port: p, Contacts: w, Clock: w})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.PowerUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.spoil = true
		if _, err := s.Transmit(t.Context(), nil, unhex("00EE0000")); cause(err) != want {
			t.Errorf("T=%d: %v", protocol, err)
		}
	}
}

// spoiler turns a bit of the next character over that is received.
type spoiler struct {
	*cardsim.Wire
	spoil bool
}

func (s *spoiler) Read(ctx context.Context, b []byte) (int, error) {
	n, err := s.Wire.Read(ctx, b)
	if s.spoil && n > 0 {
		s.spoil = false
		b[0] ^= 0x20
	}
	return n, err
}
