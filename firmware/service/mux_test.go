package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"swipewell/firmware/smp"
	"swipewell/firmware/update/flashwire"
	"swipewell/firmware/ymodem"
	"swipewell/hal"
)

// wire is a service port in memory: what the test puts in comes out of Read, what
// is written is kept.
type wire struct {
	in    *inlet
	mu    sync.Mutex
	out   []byte
	baud  []int
	reads int
	slow  bool // a write takes a byte at a time, and others get their turn between
}

func newWire() *wire { return &wire{in: newInlet(1 << 20)} }

func (w *wire) String() string { return "wire" }
func (w *wire) Halt() error    { return nil }
func (w *wire) Close() error   { return nil }
func (w *wire) Read(ctx context.Context, p []byte) (int, error) {
	w.mu.Lock()
	w.reads++
	w.mu.Unlock()
	return w.in.read(ctx, p)
}

func (w *wire) Write(_ context.Context, p []byte) (int, error) {
	for i := range p {
		w.mu.Lock()
		w.out = append(w.out, p[i])
		slow := w.slow
		w.mu.Unlock()
		if slow && i%7 == 0 {
			hal.Sleep(context.Background(), hal.SystemClock{}, time.Microsecond)
		}
	}
	return len(p), nil
}

func (w *wire) SetBaud(b int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.baud = append(w.baud, b)
	return nil
}

func (w *wire) said() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.out)
}

// echo is an SMP packet that asks for its text back.
func echo(seq byte, text string) []byte {
	body := append([]byte{0xA1, 0x61, 'd', 0x60 + byte(len(text))}, text...)
	return append(smp.Header{Op: smp.Write, Version: 1, Len: uint16(len(body)), Seq: seq}.Append(nil), body...)
}

// start runs a Mux until the test ends.
func start(t *testing.T, o Opts) *Mux {
	t.Helper()
	if o.Clock == nil {
		o.Clock = hal.SystemClock{}
	}
	m := New(o)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Add(1)
	go func() { defer wg.Done(); m.Run(ctx) }()
	t.Cleanup(func() { cancel(); wg.Wait() })
	return m
}

// until waits for a condition, in real time.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for range 2000 {
		if f() {
			return
		}
		hal.Sleep(t.Context(), hal.SystemClock{}, time.Millisecond)
	}
	t.Fatal("never: ", what)
}

// typed reads what the console gets.
func typed(t *testing.T, m *Mux, n int) string {
	t.Helper()
	var got []byte
	ctx, cancel := hal.WithTimeout(t.Context(), hal.SystemClock{}, 2*time.Second)
	defer cancel()
	for len(got) < n {
		b := make([]byte, 64)
		k, err := m.Console().Read(ctx, b)
		if err != nil {
			t.Fatalf("%q, then %v", got, err)
		}
		got = append(got, b[:k]...)
	}
	return string(got)
}

// TestParts: text, SMP and flash frames on one line, in pieces of any size, each
// come to their own.
func TestParts(t *testing.T) {
	var want strings.Builder
	var line []byte
	r := rand.New(rand.NewPCG(1, 2))
	smps, flashes := 0, 0
	for i := range 60 {
		switch r.IntN(3) {
		case 0:
			s := fmt.Sprintf("status %d\r", i)
			want.WriteString(s)
			line = append(line, s...)
		case 1:
			smps++
			line = smp.AppendFrames(line, echo(byte(smps), "hello"))
		default:
			flashes++
			line = flashwire.AppendFrame(line, flashwire.Hello)
		}
	}
	w := newWire()
	var mu sync.Mutex
	var gotSMP, gotFlash int
	m := start(t, Opts{Port: w, SMP: func([]byte) []byte { mu.Lock(); defer mu.Unlock(); gotSMP++; return nil },
		Flash: func(f flashwire.Frame) [][]byte {
			mu.Lock()
			defer mu.Unlock()
			if f.Type == flashwire.Hello {
				gotFlash++
			}
			return nil
		}})
	for len(line) > 0 {
		n := min(1+r.IntN(9), len(line))
		w.in.put(line[:n])
		line = line[n:]
		hal.Sleep(t.Context(), hal.SystemClock{}, 50*time.Microsecond)
	}
	if got := typed(t, m, want.Len()); got != want.String() {
		t.Errorf("typed %q\nwant  %q", got, want.String())
	}
	until(t, "all frames", func() bool { mu.Lock(); defer mu.Unlock(); return gotSMP == smps && gotFlash == flashes })
	if c := m.Counts(); c != (Counts{}) {
		t.Errorf("%+v", c)
	}
}

// TestNothingIsTorn: console, SMP answers and flash answers are written at once;
// each line and each frame arrives whole.
func TestNothingIsTorn(t *testing.T) {
	w := newWire()
	w.slow = true
	srv := &smp.Server{}
	m := start(t, Opts{Port: w, SMP: srv.Handle, Flash: func(flashwire.Frame) [][]byte {
		return [][]byte{flashwire.AppendFrame(nil, flashwire.Info, bytes.Repeat([]byte{0, 7, 255}, 60))}
	}})
	const rounds = 40
	line := strings.Repeat("a line of the log, ", 6) + "\r\n"
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		for range rounds {
			m.Console().Write(t.Context(), []byte(strings.Repeat(line, 3)))
		}
	}()
	for i := range rounds {
		w.in.put(smp.AppendFrames(nil, echo(byte(i), "0123456789")))
		w.in.put(flashwire.AppendFrame(nil, flashwire.Hello))
		hal.Sleep(t.Context(), hal.SystemClock{}, time.Millisecond)
	}
	wg.Wait()
	var split flashwire.Splitter
	frames, answers := 0, 0
	count := func() (int, int, string) {
		split, frames, answers = flashwire.Splitter{}, 0, 0
		split.Feed(w.said(), func(flashwire.Frame) { frames++ }, func() { t.Error("a torn flash frame") })
		var d smp.Demux
		ps, text := d.Feed(split.Text)
		answers = len(ps)
		if d.Bad > 0 {
			t.Errorf("%d torn SMP frames", d.Bad)
		}
		return frames, answers, string(text)
	}
	until(t, "the answers", func() bool {
		f, a, _ := count()
		return f+a+int(m.Counts().Dropped) >= 2*rounds
	})
	_, _, text := count()
	for _, l := range strings.SplitAfter(text, "\r\n") {
		if l != line && l != "" && l != "\r\n" { // an answer begins a line of its own
			t.Errorf("a torn line: %q", l)
		}
	}
	if n := strings.Count(text, line); n != 3*rounds {
		t.Errorf("%d lines of %d", n, 3*rounds)
	}
}

// TestStrayZero: one zero of noise swallows nothing that is typed behind it.
func TestStrayZero(t *testing.T) {
	w := newWire()
	m := start(t, Opts{Port: w})
	w.in.put([]byte("\x00status\r"))
	if got := typed(t, m, 7); got != "status\r" {
		t.Errorf("%q", got)
	}
	w.in.put([]byte("\x00\x02\xfe\xffqueue")) // what is no text either is dropped
	until(t, "it is read", func() bool { w.in.mu.Lock(); defer w.in.mu.Unlock(); return len(w.in.b) == 0 })
	hal.Sleep(t.Context(), hal.SystemClock{}, 2*lull)
	w.in.put([]byte("why\r"))
	if got := typed(t, m, 4); got != "why\r" {
		t.Errorf("%q", got)
	}
}

// TestSilence: a line on which nothing happens costs nothing: one read, no timer.
func TestSilence(t *testing.T) {
	w, c := newWire(), hal.NewSteppedClock(nil, time.Unix(0, 0))
	start(t, Opts{Port: w, Clock: c})
	until(t, "the read", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.reads == 1 })
	if d, ok := c.Next(); ok {
		t.Errorf("a timer in %v", d)
	}
	hal.Sleep(t.Context(), hal.SystemClock{}, 20*time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reads != 1 {
		t.Errorf("%d reads", w.reads)
	}
}

// TestBusy: a worker that hangs and a console that does not read hold up nobody,
// and nothing grows.
func TestBusy(t *testing.T) {
	w := newWire()
	free := make(chan struct{})
	m := start(t, Opts{Port: w, SMP: func([]byte) []byte { <-free; return nil }, Flash: func(flashwire.Frame) [][]byte { return nil }})
	for i := range 500 {
		w.in.put(smp.AppendFrames(nil, echo(byte(i), "x")))
		w.in.put(flashwire.AppendFrame(nil, flashwire.Poll, []byte{0, 1}))
		w.in.put([]byte(strings.Repeat("x", 40) + "\r"))
		hal.Sleep(t.Context(), hal.SystemClock{}, 10*time.Microsecond)
	}
	until(t, "the line is read", func() bool { w.in.mu.Lock(); defer w.in.mu.Unlock(); return len(w.in.b) == 0 })
	until(t, "drops", func() bool { c := m.Counts(); return c.Dropped > 800 && c.Lost > 10_000 })
	m.text.mu.Lock()
	n := len(m.text.b)
	m.text.mu.Unlock()
	if n > textRoom || len(m.work) > frames {
		t.Errorf("%d bytes, %d jobs", n, len(m.work))
	}
	close(free)
}

// TestPulled: a port that fails ends what was under way, goes back to its rate of
// rest, and is served again.
func TestPulled(t *testing.T) {
	w, c := newWire(), hal.NewSteppedClock(nil, time.Unix(0, 0))
	hung := make(chan error, 1)
	m := start(t, Opts{Port: w, Clock: c, Hung: func(err error) { hung <- err }})
	w.in.put(flashwire.AppendFrame(nil, flashwire.Rate, []byte{0, 0x0E, 0x10, 0})) // 921,600
	until(t, "the new rate", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.baud) == 1 && w.baud[0] == 921_600 })
	w.in.fail(io.ErrUnexpectedEOF)
	if err := <-hung; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if _, err := m.Console().Read(t.Context(), make([]byte, 1)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the console was told %v", err)
	}
	w.mu.Lock()
	if n := len(w.baud); n != 2 || w.baud[1] != Rest {
		t.Errorf("rates %v", w.baud)
	}
	w.mu.Unlock()
	w.in.put([]byte("help\r"))
	until(t, "the pause", func() bool { _, ok := c.Next(); return ok })
	c.Jump(comeBack)
	if got := typed(t, m, 5); got != "help\r" {
		t.Errorf("%q", got)
	}
}

// TestRateComesBack: a host that raised the rate and is gone leaves the line at its
// rate of rest.
func TestRateComesBack(t *testing.T) {
	w, c := newWire(), hal.NewSteppedClock(nil, time.Unix(0, 0))
	start(t, Opts{Port: w, Clock: c})
	w.in.put(flashwire.AppendFrame(nil, flashwire.Rate, []byte{0, 0x0E, 0x10, 0}))
	until(t, "the timer", func() bool { _, ok := c.Next(); w.mu.Lock(); defer w.mu.Unlock(); return ok && len(w.baud) == 1 })
	c.Jump(2 * time.Second)
	until(t, "the old rate", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.baud) == 2 && w.baud[1] == Rest })
}

// TestTake: the line is somebody's alone; what comes behind is text again, unless
// the session failed.
func TestTake(t *testing.T) {
	w := newWire()
	m := start(t, Opts{Port: w})
	for _, fails := range []error{nil, io.ErrUnexpectedEOF} {
		err := m.Take(t.Context(), func(l ymodem.Line) error {
			if err := m.Take(t.Context(), nil); !errors.Is(err, ErrTaken) {
				t.Errorf("a second taker: %v", err)
			}
			w.in.put([]byte("\x01\x00\xff\x06\x09block"))
			before := len(w.said())
			if n, err := m.Console().Write(t.Context(), []byte("logged out\r\n")); n != 12 || err != nil || len(w.said()) != before {
				t.Errorf("text amid a transfer: %d %v %q", n, err, w.said()[before:])
			}
			var got []byte
			for len(got) < 10 {
				b := make([]byte, 4)
				n, err := l.Read(t.Context(), b)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, b[:n]...)
			}
			if string(got) != "\x01\x00\xff\x06\x09block" {
				t.Errorf("%q", got)
			}
			w.in.put([]byte("rest\r"))
			until(t, "it is there", func() bool { q := m.taker(); q.mu.Lock(); defer q.mu.Unlock(); return len(q.b) == 5 })
			return fails
		})
		if !errors.Is(err, fails) {
			t.Error(err)
		}
		w.in.put([]byte("status\r"))
		want := "rest\rstatus\r"
		if fails != nil {
			want = "status\r"
		}
		if got := typed(t, m, len(want)); got != want {
			t.Errorf("after %v: %q", fails, got)
		}
	}
}

// FuzzMux: any bytes; nothing is written that is not an answer, nothing grows, and
// a line of text behind a pause arrives.
func FuzzMux(f *testing.F) {
	f.Add([]byte("status\r"))
	f.Add(smp.AppendFrames(nil, echo(1, "x")))
	f.Add(flashwire.AppendFrame([]byte("a\x00b"), flashwire.Hello))
	f.Add([]byte{0, 6, 9, 0, 4, 20, 10, 6, 9, 'A', 'A', 'A', 'A', '\n'})
	f.Fuzz(func(t *testing.T, b []byte) {
		w := newWire()
		srv := &smp.Server{}
		m := New(Opts{Port: w, Clock: hal.SystemClock{}, SMP: srv.Handle, Flash: func(flashwire.Frame) [][]byte { return nil }})
		for len(b) > 0 {
			n := min(len(b), 1+int(b[0])%37)
			m.feed(t.Context(), b[:n:n])
			b = b[n:]
			for len(m.work) > 0 {
				if j := <-m.work; j.packet != nil {
					srv.Handle(j.packet)
					m.smps.Add(-1)
				}
			}
		}
		if len(m.text.b) > textRoom {
			t.Errorf("%d bytes of text", len(m.text.b))
		}
		m.split.Flush()
		m.typed()
		m.text.drain()
		m.feed(t.Context(), []byte("\rwhy\r")) // CR ends an SMP line, too
		if got := string(m.text.drain()); !strings.HasSuffix(got, "why\r") {
			t.Errorf("typed why, and %q came", got)
		}
	})
}

// TestAnswerBeginsALine: clients look for an SMP frame at the start of a line, and
// a prompt is none.
func TestAnswerBeginsALine(t *testing.T) {
	w, srv := newWire(), &smp.Server{}
	m := start(t, Opts{Port: w, SMP: srv.Handle})
	m.Console().Write(t.Context(), []byte("swipewell> "))
	for i := range 2 {
		w.in.put(smp.AppendFrames(nil, echo(byte(i), "hello")))
		until(t, "the answer", func() bool { return bytes.Count(w.said(), []byte{6, 9}) == i+1 })
	}
	until(t, "the end", func() bool { return bytes.HasSuffix(w.said(), []byte{'\n'}) })
	said := string(w.said())
	if !strings.HasPrefix(said, "swipewell> \r\n\x06\x09") || strings.Count(said, "\r\n") != 1 {
		t.Errorf("%q", said)
	}
}
