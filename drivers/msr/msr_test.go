package msr_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"
	"pgregory.net/rapid"

	"swipewell/drivers/msr"
	"swipewell/drivers/msr/msrsim"
	"swipewell/drivers/tty"
	"swipewell/drivers/tty/ttysim"
	"swipewell/hal"
)

const (
	t1 = "B6225882116400091^TEST/CARD                 ^30121010000000"
	t2 = "6225882116400091=30121010000012345678"
)

func text(tr hal.Track) (s string) {
	tr.Data.Use(func(b []byte) { s = string(b) })
	return s
}

func TestParseLine(t *testing.T) {
	lrc := string(msr.LRC(1, []byte(t2)))
	for _, c := range []struct {
		name, in string
		fault    hal.TrackFault
		reversed bool
	}{
		{"three tracks, no LRC", "%" + t1 + "?;" + t2 + "?+0123456789?", hal.TrackOK, false},
		{"track 2 alone suffices", ";" + t2 + "?", hal.TrackOK, false},
		{"with LRC", ";" + t2 + "?" + lrc, hal.TrackOK, false},
		{"wrong LRC", ";" + t2 + "?" + string(lrc[0]^1), hal.FaultLRC, false},
		{"a character failed", ";" + t2[:20] + "~" + t2[21:] + "?", hal.FaultParity, false},
		{"the head gave up", "%E?;E?+E?", hal.FaultParity, false},
		{"pulled out", ";" + t2[:30], hal.FaultNoEnd, false},
		{"cut short", ";622588?", hal.FaultShort, false},
		{"no start sentinel", t2 + "?", hal.FaultNoStart, false},
		{"noise in front", "#;12!;;" + t2 + "?", hal.TrackOK, false},
		{"nothing on it", "", hal.TrackAbsent, false},
		{"not a card", "hello world", hal.TrackAbsent, false},
		{"letters on track 2", ";62258821164000A1=3012101?", hal.FaultForm, false},
		{"back to front", reverse(";" + t2 + "?" + lrc), hal.TrackOK, true},
	} {
		s := msr.ParseLine([]byte(c.in))
		if s.Tracks[1].Fault != c.fault || s.Reversed != c.reversed {
			t.Errorf("%s: fault %v reversed %v, want %v %v", c.name, s.Tracks[1].Fault, s.Reversed, c.fault, c.reversed)
		}
		if c.fault == hal.TrackOK && text(s.Tracks[1]) != t2 {
			t.Errorf("%s: track 2 differs", c.name)
		}
	}
}

func reverse(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

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
	h, r, _ := head(t)
	want := map[msrsim.Quality]hal.TrackFault{msrsim.LRC: hal.FaultLRC, msrsim.Parity: hal.FaultParity, msrsim.Short: hal.FaultShort}
	for range 3 { // a bad pass never spoils the next
		for _, q := range msrsim.Qualities {
			if err := h.Swipe(msrsim.Tracks{Track1: t1, Track2: t2}, q); err != nil {
				t.Fatal(err)
			}
			s, err := r.ReadSwipe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if s.Tracks[1].Fault != want[q] || s.Reversed != (q == msrsim.Reverse) {
				t.Errorf("quality %q: %v reversed %v", q, s.Tracks[1].Fault, s.Reversed)
			}
			if s.Readable() && text(s.Tracks[1]) != t2 {
				t.Errorf("quality %q: track 2 differs", q)
			}
		}
	}
}

func TestAPassWithoutLineEndEndsInSilence(t *testing.T) {
	_, r, far := head(t)
	far.Write([]byte(";" + t2 + "?"))
	if s, err := r.ReadSwipe(t.Context()); err != nil || !s.Readable() {
		t.Errorf("%v %v", s.Tracks[1].Fault, err)
	}
}

// A flood without a line end is bounded, and the next card is read.
func TestFlood(t *testing.T) {
	_, r, far := head(t)
	go far.Write([]byte(strings.Repeat("7", 3000) + "\r;" + t2 + "?\r"))
	s, err := r.ReadSwipe(t.Context())
	if err != nil || s.Tracks[1].Fault != hal.FaultForm {
		t.Errorf("flood: %v %v", s.Tracks[1].Fault, err)
	}
	if s, err = r.ReadSwipe(t.Context()); err != nil || !s.Readable() {
		t.Errorf("behind the flood: %v %v", s.Tracks[1].Fault, err)
	}
}

func TestContextEndsReadSwipe(t *testing.T) {
	_, r, far := head(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.ReadSwipe(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	far.Close()
	if _, err := r.ReadSwipe(t.Context()); !errors.Is(err, tty.ErrHangup) {
		t.Errorf("hang-up: %v", err)
	}
}

// Any track survives the stripe: both ways round, through noise and clocking zeros.
func TestBitsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`[0-9]{13,19}=[0-9]{7,17}`).Draw(t, "track")
		bits := slices.Concat(make([]bool, rapid.IntRange(5, 40).Draw(t, "lead")), msr.EncodeTrack(1, body), make([]bool, rapid.IntRange(5, 40).Draw(t, "trail")))
		back := rapid.Bool().Draw(t, "back")
		if back {
			slices.Reverse(bits)
		}
		if rapid.Bool().Draw(t, "noise") {
			noise := rapid.SliceOfN(rapid.Bool(), 0, 9).Draw(t, "bits")
			bits = append(noise, append(make([]bool, 5), bits...)...)
		}
		tr, reversed := msr.DecodeTrack(1, bits)
		if tr.Fault != hal.TrackOK || text(tr) != body || reversed != back {
			t.Fatalf("fault %v reversed %v (drawn back %v)", tr.Fault, reversed, back)
		}
	})
}

// One wrong bit anywhere in the characters is never read as another card.
func TestOneWrongBitIsFound(t *testing.T) {
	clean := msr.EncodeTrack(1, t2)
	for i := range clean {
		bits := slices.Concat(make([]bool, 20), clean, make([]bool, 20))
		bits[20+i] = !bits[20+i]
		if tr, _ := msr.DecodeTrack(1, bits); tr.Fault == hal.TrackOK && text(tr) != t2 {
			t.Fatalf("bit %d: another card was read", i)
		}
	}
}

func TestTrack1Bits(t *testing.T) {
	body := "B6225882116400091^TEST/CARD^30121010000000"
	tr, _ := msr.DecodeTrack(0, slices.Concat(make([]bool, 10), msr.EncodeTrack(0, body), make([]bool, 10)))
	if tr.Fault != hal.TrackOK || text(tr) != body {
		t.Errorf("fault %v", tr.Fault)
	}
}

// stripe plays bits into fake pins as a bare head would: the clock falls once
// a bit, data is low for a one.
func TestTTLHead(t *testing.T) {
	clock := &gpiotest.Pin{N: "clk", EdgesChan: make(chan gpio.Level), L: gpio.High}
	data := &gpiotest.Pin{N: "dat", L: gpio.High}
	r, err := msr.NewTTL(clock, data, nil, msr.Opts{Clock: hal.SystemClock{}})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for _, one := range slices.Concat(make([]bool, 20), msr.EncodeTrack(1, t2), make([]bool, 20)) {
			data.Out(gpio.Level(!one))
			clock.EdgesChan <- gpio.Low
			clock.EdgesChan <- gpio.High
		}
	}()
	s, err := r.ReadSwipe(t.Context())
	if err != nil || s.Tracks[1].Fault != hal.TrackOK || text(s.Tracks[1]) != t2 {
		t.Errorf("%v %v", s.Tracks[1].Fault, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := r.ReadSwipe(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func FuzzParseLine(f *testing.F) {
	for _, s := range []string{"%" + t1 + "?;" + t2 + "?+0?", ";E?", ";;;?", "?", reverse(";" + t2 + "?"), ";" + t2 + "??"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := msr.ParseLine(b)
		for _, tr := range s.Tracks {
			if (tr.Fault == hal.TrackOK) != (tr.Data.Len() > 0) {
				t.Errorf("fault %v with %d characters", tr.Fault, tr.Data.Len())
			}
		}
	})
}

func FuzzDecodeTrack(f *testing.F) {
	f.Add(uint64(1), uint16(200))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		bits := make([]bool, n%3000)
		for i := range bits {
			bits[i] = rnd.IntN(2) == 0
		}
		for i := range 3 {
			if tr, _ := msr.DecodeTrack(i, bits); (tr.Fault == hal.TrackOK) != (tr.Data.Len() > 0) {
				t.Errorf("fault %v with %d characters", tr.Fault, tr.Data.Len())
			}
		}
	})
}
