package msr_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"swipewell/drivers/msr"
	"swipewell/drivers/msr/msrsim"
	"swipewell/drivers/tty"
	"swipewell/drivers/tty/ttysim"
	"swipewell/hal"
	"swipewell/hal/haltest"
)

// head is a simulated head on a real pty and the driver at its other end.
func head(t *testing.T) (*msrsim.Head, *msr.Serial, *ttysim.Pair) {
	t.Helper()
	far, err := ttysim.Open(ttysim.Opts{})
	if err != nil {
		t.Fatal(err)
	}
	port, err := tty.Open(tty.Opts{Path: far.Path(), Baud: 9600})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { port.Close(); far.Close() })
	r, err := msr.NewSerial(port, msr.Opts{Clock: hal.SystemClock{}})
	if err != nil {
		t.Fatal(err)
	}
	return msrsim.NewHead(far, 1), r, far
}

func TestEveryQualityOverAPty(t *testing.T) {
	h, r, far := head(t)
	for round := range 3 { // a bad pass never spoils the next
		far.SetFaults(ttysim.Faults{Split: round * 7}) // nor does it matter how the bytes come
		for _, q := range msrsim.Qualities {
			if err := h.Swipe(msrsim.Tracks{Track1: t1, Track2: t2, Track3: t3}, q); err != nil {
				t.Fatal(err)
			}
			before := hal.SystemClock{}.Now().Boot
			s, err := r.ReadSwipe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if s.Tracks[1].Fault != want[q] || s.Reversed != (q == msrsim.Reverse) {
				t.Errorf("quality %q: %v reversed %v", q, s.Tracks[1].Fault, s.Reversed)
			}
			if s.Readable() && text(s.Tracks[1]) != t2 || text(s.Tracks[0]) != t1 || text(s.Tracks[2]) != t3 {
				t.Errorf("quality %q: tracks differ", q)
			}
			if s.Received.Boot < before || s.Received.Boot > (hal.SystemClock{}.Now().Boot) {
				t.Errorf("quality %q: received at another time", q)
			}
		}
	}
	if err := h.Swipe(msrsim.Tracks{}, "upside-down"); err == nil {
		t.Error("an unknown quality is drawn")
	}
}

// script is a Port that plays reads: each a chunk, or silence until the
// clock's gap has passed.
type script struct {
	clock *hal.SteppedClock
	reads []string // "" is a silence
	cuts  int      // after so many reads, cancel is called
	stop  context.CancelFunc
}

func (*script) String() string { return "script" }

func (p *script) Read(ctx context.Context, b []byte) (int, error) {
	if p.cuts--; p.cuts == 0 {
		p.stop()
		return 0, ctx.Err()
	}
	if len(p.reads) == 0 {
		return 0, errEnd
	}
	chunk := p.reads[0]
	if chunk == "" {
		p.reads = p.reads[1:]
		p.clock.Jump(time.Minute)
		<-ctx.Done()
		return 0, ctx.Err()
	}
	p.clock.Jump(time.Millisecond)
	n := copy(b, chunk)
	if p.reads[0] = chunk[n:]; p.reads[0] == "" {
		p.reads = p.reads[1:]
	}
	return n, nil
}

var errEnd = errors.New("end of the script")

// play gives the track 2 faults of all passes that the script has.
func play(t *testing.T, p *script) (faults []hal.TrackFault) {
	t.Helper()
	r, err := msr.NewSerial(p, msr.Opts{Clock: p.clock})
	if err != nil {
		t.Fatal(err)
	}
	for {
		ctx, cancel := context.WithCancel(t.Context())
		p.stop = cancel
		s, err := r.ReadSwipe(ctx)
		switch {
		case errors.Is(err, errEnd):
			return faults
		case err != nil && ctx.Err() == nil:
			t.Fatal(err)
		case err == nil:
			faults = append(faults, s.Tracks[1].Fault)
			if s.Readable() && text(s.Tracks[1]) != t2 {
				t.Error("track 2 differs")
			}
		}
		cancel()
	}
}

func TestSyncIsNeverLost(t *testing.T) {
	card := ";" + t2 + "?"
	flood := strings.Repeat("7", 3000)
	type faults = []hal.TrackFault
	for _, c := range []struct {
		name  string
		reads []string
		cuts  int
		want  faults
	}{
		{"CR LF", []string{card + "\r\n" + card + "\r\n"}, 0, faults{0, 0}},
		{"LF", []string{card + "\n" + card + "\n"}, 0, faults{0, 0}},
		{"CR, in pieces", []string{card[:5], card[5:20], card[20:], "\r", card[:1], card[1:] + "\r"}, 0, faults{0, 0}},
		{"silence ends a pass", []string{card, "", card, ""}, 0, faults{0, 0}},
		{"silence ends half a pass", []string{card[:30], "", card + "\r"}, 0, faults{hal.FaultNoEnd, 0}},
		{"noise between passes", []string{"\x00\xff~!\r", card + "\r", "U", "", card + "\r"}, 0, faults{0, 0}},
		{"noise right before", []string{strings.Repeat("#", 300) + card + "\r"}, 0, faults{0}},
		{"a flood, then a card", []string{flood + "\r", card + "\r"}, 0, faults{hal.FaultForm, 0}},
		{"a flood that ends in a card", []string{flood + card + "\r"}, 0, faults{hal.FaultForm, 0}},
		{"a flood, silence, a card", []string{flood, "", card + "\r"}, 0, faults{hal.FaultForm, 0}},
		{"two floods", []string{flood + "\r" + flood + "\r" + card + "\r"}, 0, faults{hal.FaultForm, hal.FaultForm, 0}},
		{"the reader was called off within a pass", []string{card[:20], card[20:] + "\r"}, 2, faults{0}},
	} {
		p := &script{clock: hal.NewSteppedClock(nil, time.Unix(0, 0)), reads: slices.Clone(c.reads), cuts: c.cuts}
		if got := play(t, p); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Received is when the last byte came, not when silence was heard.
func TestReceivedIsTheLastByte(t *testing.T) {
	p := &script{clock: hal.NewSteppedClock(nil, time.Unix(0, 0)), reads: []string{";" + t2, "?", ""}}
	r, err := msr.NewSerial(p, msr.Opts{Clock: p.clock})
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.ReadSwipe(t.Context())
	if err != nil || s.Received.Boot != 2*time.Millisecond || !s.Received.Wall.Equal(time.Unix(0, 2e6)) {
		t.Errorf("%v %v", s.Received, err)
	}
}

// badByte reads once, with a byte that failed the serial line's own parity.
type badByte struct{ line string }

func (*badByte) String() string { return "bad byte" }
func (p *badByte) Read(_ context.Context, b []byte) (int, error) {
	if p.line == "" {
		return 0, errEnd
	}
	n := copy(b, p.line[:10])
	if len(p.line) == len(t2)+3 { // the first read
		p.line = p.line[n:]
		return n, &tty.ParityError{Offset: n - 1}
	}
	n = copy(b, p.line)
	p.line = ""
	return n, nil
}

func TestParityOfTheSerialLine(t *testing.T) {
	r, err := msr.NewSerial(&badByte{";" + t2 + "?\r"}, msr.Opts{Clock: hal.SystemClock{}})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := r.ReadSwipe(t.Context()); err != nil || s.Tracks[1].Fault != hal.FaultParity {
		t.Errorf("%v %v", s.Tracks[1].Fault, err)
	}
	if _, err := r.ReadSwipe(t.Context()); !errors.Is(err, errEnd) {
		t.Errorf("%v", err)
	}
}

func TestHangUp(t *testing.T) {
	_, r, far := head(t)
	far.Close()
	if _, err := r.ReadSwipe(t.Context()); !errors.Is(err, tty.ErrHangup) {
		t.Errorf("%v", err)
	}
}

func TestClockIsNeeded(t *testing.T) {
	if _, err := msr.NewSerial(&badByte{}, msr.Opts{}); err == nil {
		t.Error("a serial reader without a clock")
	}
	if _, err := msr.NewTTL(&gpiotest.Pin{}, &gpiotest.Pin{}, nil, msr.Opts{}); err == nil {
		t.Error("a TTL reader without a clock")
	}
}

// strobe is the clock line of a bare head that wakes for falling edges only:
// each takes the next bit, low for a one on the data line.
type strobe struct {
	gpiotest.Pin
	bits          chan bool
	data, present gpiotest.Pin
	late          gpio.Level // of the clock by the time of the read
}

func newStrobe() *strobe {
	s := &strobe{bits: make(chan bool)}
	s.N, s.EdgesChan, s.data.N, s.present.N = "CLK", make(chan gpio.Level), "DAT", "CP"
	return s
}

func (s *strobe) WaitForEdge(d time.Duration) bool {
	select {
	case one := <-s.bits:
		s.data.Out(gpio.Level(!one))
		s.Out(s.late)
		return true
	case <-time.After(d):
		return false
	}
}

// draw draws a card past the head.
func (s *strobe) draw(bits []bool) {
	s.present.Out(gpio.Low)
	for _, one := range bits {
		s.bits <- one
	}
	s.present.Out(gpio.High)
}

func checkPass(t *testing.T, r *msr.TTL, name string, q msrsim.Quality) {
	t.Helper()
	s, err := r.ReadSwipe(t.Context())
	if err != nil || s.Tracks[1].Fault != want[q] || s.Reversed != (q == msrsim.Reverse) {
		t.Errorf("%s: quality %q: %v reversed %v, %v", name, q, s.Tracks[1].Fault, s.Reversed, err)
	}
	if s.Readable() && text(s.Tracks[1]) != t2 {
		t.Errorf("%s: quality %q: track 2 differs", name, q)
	}
}

var ttlOpts = msr.Opts{Clock: hal.SystemClock{}, Gap: 30 * time.Millisecond}

func TestTTLHead(t *testing.T) {
	for _, c := range []struct {
		name          string
		present, late bool
	}{{"clock and data", false, false}, {"card present line", true, false}, {"slow machine", true, true}} {
		h := newStrobe()
		h.late = gpio.Level(c.late)
		var present gpio.PinIn
		if c.present {
			present = &h.present
		}
		r, err := msr.NewTTL(h, &h.data, present, ttlOpts)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range msrsim.Qualities {
			go h.draw(msrsim.Stripe(1, t2, q, 3))
			checkPass(t, r, c.name, q)
		}
	}
}

// gpiotest's pin wakes for both edges, whatever was asked for.
func TestTTLHeadWithBothEdges(t *testing.T) {
	clock := &gpiotest.Pin{N: "CLK", EdgesChan: make(chan gpio.Level)}
	data := &gpiotest.Pin{N: "DAT"}
	r, err := msr.NewTTL(clock, data, nil, ttlOpts)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range msrsim.Qualities {
		go func() {
			for _, one := range msrsim.Stripe(1, t2, q, 3) {
				data.Out(gpio.Level(!one))
				clock.EdgesChan <- gpio.Low
				clock.EdgesChan <- gpio.High
			}
		}()
		checkPass(t, r, "both edges", q)
	}
}

// A clock line that never rests is told once; the card behind it is read.
func TestTTLFlood(t *testing.T) {
	h := newStrobe()
	r, err := msr.NewTTL(h, &h.data, nil, ttlOpts)
	if err != nil {
		t.Fatal(err)
	}
	go h.draw(slices.Concat(make([]bool, 5000), msrsim.Stripe(1, t2, msrsim.Clean, 0)))
	for i, want := range []hal.TrackFault{hal.FaultForm, hal.TrackOK} {
		if s, err := r.ReadSwipe(t.Context()); err != nil || s.Tracks[1].Fault != want {
			t.Errorf("pass %d: %v %v", i, s.Tracks[1].Fault, err)
		}
	}
}

// How long the driver takes from the line end to the swipe; the goal of the
// whole way to the panel is 20 ms.
func BenchmarkLastByteToSwipe(b *testing.B) {
	far, err := ttysim.Open(ttysim.Opts{})
	if err != nil {
		b.Fatal(err)
	}
	defer far.Close()
	port, err := tty.Open(tty.Opts{Path: far.Path()})
	if err != nil {
		b.Fatal(err)
	}
	defer port.Close()
	r, err := msr.NewSerial(port, msr.Opts{Clock: hal.SystemClock{}})
	if err != nil {
		b.Fatal(err)
	}
	var line bytes.Buffer
	msrsim.NewHead(&line, 1).Swipe(msrsim.Tracks{Track1: t1, Track2: t2}, msrsim.Clean)
	for b.Loop() {
		far.Write(line.Bytes())
		s, err := r.ReadSwipe(b.Context())
		if err != nil || !s.Readable() {
			b.Fatal(err)
		}
		s.Wipe()
	}
}

func TestConformance(t *testing.T) {
	haltest.MagReader(t, func(t *testing.T) haltest.MagReaderBench {
		h, r, _ := head(t)
		return haltest.MagReaderBench{Reader: r, Swipe: func(track2 string, good bool) {
			q := msrsim.Clean
			if !good {
				q = msrsim.LRC
			}
			h.Swipe(msrsim.Tracks{Track2: track2}, q)
		}}
	})
}
