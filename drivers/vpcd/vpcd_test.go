package vpcd_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"testing"
	"time"

	"swipewell/drivers/iso7816"
	"swipewell/drivers/vpcd"
	"swipewell/drivers/vpcd/vpcdsim"
	"swipewell/hal"
	"swipewell/hal/haltest"
)

var (
	atr0 = []byte{0x3B, 0x60, 0x00, 0x00}
	atr1 = []byte{0x3B, 0xE0, 0x00, 0x00, 0x81, 0x31, 0xFE, 0x45, 0}
)

func init() {
	sum := byte(0)
	for _, c := range atr1[1:8] {
		sum ^= c
	}
	atr1[8] = sum
}

// app is haltest's card: 00 EE gives back what it gets, 00 EF takes its time. A
// T=0 card keeps its answer for GET RESPONSE.
func app(protocol int) func([]byte) []byte {
	var kept []byte
	return func(c []byte) []byte {
		switch c[1] {
		case 0xEE:
			kept = append([]byte(nil), c[5:5+int(c[4])]...)
			if protocol == 0 {
				return []byte{0x61, byte(len(kept))}
			}
			return append(kept, 0x90, 0x00)
		case 0xC0:
			if int(c[4]) != len(kept) {
				return []byte{0x6C, byte(len(kept))}
			}
			return append(kept, 0x90, 0x00)
		case 0xEF:
			hal.Sleep(context.Background(), hal.SystemClock{}, 500*time.Millisecond)
		}
		return []byte{0x90, 0x00}
	}
}

func open(t *testing.T, o vpcd.Opts) *vpcd.Reader {
	t.Helper()
	o.Addr = "127.0.0.1:0"
	if o.Clock == nil {
		o.Clock = hal.SystemClock{}
	}
	r, err := vpcd.Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestConformance(t *testing.T) {
	for protocol, atr := range [][]byte{atr0, atr1} {
		t.Run([]string{"T=0", "T=1"}[protocol], func(t *testing.T) {
			t.Parallel()
			haltest.ChipReader(t, func(t *testing.T) haltest.ChipReaderBench {
				r := open(t, vpcd.Opts{})
				var card *vpcdsim.Card
				t.Cleanup(func() {
					if card != nil {
						card.Remove()
					}
				})
				return haltest.ChipReaderBench{Reader: r, Protocol: protocol,
					Insert: func() {
						var err error
						if card, err = vpcdsim.Dial(r.Addr(), atr, app(protocol), nil); err != nil {
							t.Error(err)
						}
					},
					Remove: func() { card.Remove() }}
			})
		})
	}
}

// raw is a card that a test plays by hand.
func raw(t *testing.T, r *vpcd.Reader) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := r.WaitCard(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	return c
}

func message(b ...byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

// The bytes of both directions, and what is no card's answer.
func TestMessages(t *testing.T) {
	for _, c := range []struct {
		name   string
		atr    []byte // the answer to 04, as it stands on the wire
		answer []byte // to the command; nil: the card leaves
		want   string
	}{
		{"good", message(atr1...), message(0x6A, 0x82), ""},
		{"no ATR", message(0x3B), nil, "refused"},
		{"T=2", message(0x3B, 0x80, 0x02, 0x82), nil, "refused"},
		{"an empty message", []byte{0, 0}, nil, "protocol"},
		{"a long one", []byte{0xFF, 0xFF}, nil, "protocol"},
		{"one byte", message(atr1...), message(0x90), "protocol"},
		{"gone before the ATR", nil, nil, "removed"},
		{"gone in the answer", message(atr1...), []byte{0, 2, 0x90}, "removed"},
		{"gone in a length", message(atr1...), []byte{0}, "removed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := open(t, vpcd.Opts{})
			card := raw(t, r)
			heard := make(chan []byte, 1)
			go func() {
				var got []byte
				b := make([]byte, 64)
				n, _ := card.Read(b)
				got = append(got, b[:n]...)
				for len(got) < 6 { // power on, and 04
					n, _ := card.Read(b)
					got = append(got, b[:n]...)
				}
				card.Write(c.atr)
				if c.atr == nil {
					card.Close()
				} else if n, _ = card.Read(b); n > 0 {
					got = append(got, b[:n]...)
					card.Write(c.answer)
					if len(c.answer) < 4 {
						card.Close()
					}
				}
				heard <- got
			}()
			_, err := r.PowerUp(t.Context())
			var got []byte
			if err == nil {
				got, err = r.Transmit(t.Context(), nil, []byte{0, 0xA4, 4, 0})
			}
			var ce *hal.ChipError
			if c.want == "" && (err != nil || !bytes.Equal(got, []byte{0x6A, 0x82})) || c.want != "" && (!errors.As(err, &ce) || ce.Cause.String() != c.want) {
				t.Errorf("% X %v, want %q", got, err, c.want)
			}
			if b := []byte{0, 1, 1, 0, 1, 4, 0, 4, 0, 0xA4, 4, 0}; c.want == "" {
				if got := <-heard; !bytes.Equal(got, b) {
					t.Errorf("the card heard % X", got)
				}
			}
		})
	}
}

// Nobody asked: the card is turned out.
func TestUnasked(t *testing.T) {
	r := open(t, vpcd.Opts{})
	card := raw(t, r)
	card.Write(bytes.Repeat(message(0x90, 0x00), 20))
	if err := r.WaitCard(t.Context(), false); err != nil {
		t.Fatal(err)
	}
}

// One card at a time.
func TestSecondCardIsTurnedAway(t *testing.T) {
	r := open(t, vpcd.Opts{})
	raw(t, r)
	c, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a second card is heard")
	}
	if in, _ := r.Present(); !in {
		t.Error("the first card is gone")
	}
}

// The reset of a powered card is 02; the limit ends an exchange.
func TestWarmResetAndLimit(t *testing.T) {
	clock := hal.NewSteppedClock(nil, time.Unix(1_800_000_000, 0))
	r := open(t, vpcd.Opts{Clock: clock, Limit: time.Second})
	resets := 0
	stuck := make(chan struct{})
	card, err := vpcdsim.Dial(r.Addr(), atr1, func([]byte) []byte { <-stuck; return []byte{0x90, 0x00} }, func() { resets++ })
	if err != nil {
		t.Fatal(err)
	}
	defer card.Remove()
	defer close(stuck)
	r.WaitCard(t.Context(), true)
	for _, warm := range []bool{false, true} {
		if got, err := r.PowerUp(t.Context()); err != nil || got.Warm != warm {
			t.Fatalf("%+v %v", got, err)
		}
	}
	if resets != 2 {
		t.Errorf("%d resets", resets)
	}
	done := make(chan error, 1)
	go func() { _, err := r.Transmit(t.Context(), nil, []byte{0, 0xA4, 4, 0}); done <- err }()
	for {
		if _, ok := clock.Next(); ok {
			break
		}
		hal.Sleep(t.Context(), hal.SystemClock{}, time.Millisecond)
	}
	clock.Jump(time.Second)
	var ce *hal.ChipError
	if err := <-done; !errors.As(err, &ce) || ce.Cause != hal.ChipMute {
		t.Errorf("%v", err)
	}
	if _, err := r.Transmit(t.Context(), nil, []byte{0, 0xA4, 4, 0}); err != iso7816.ErrNoPower {
		t.Errorf("%v", err)
	}
}

// An APDU there and back costs no delayed acknowledgement.
func TestNoDelayedAcknowledgement(t *testing.T) {
	r := open(t, vpcd.Opts{})
	card, err := vpcdsim.Dial(r.Addr(), atr1, app(1), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer card.Remove()
	r.WaitCard(t.Context(), true)
	if _, err := r.PowerUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := hal.SystemClock{}.Now().Boot
	const n = 200
	for range n {
		if _, err := r.Transmit(t.Context(), nil, []byte{0, 0xEE, 0, 0, 1, 7, 0}); err != nil {
			t.Fatal(err)
		}
	}
	each := (hal.SystemClock{}.Now().Boot - before) / n
	t.Logf("%v an APDU", each)
	if each > 10*time.Millisecond {
		t.Errorf("%v an APDU", each)
	}
}

func TestOpts(t *testing.T) {
	if _, err := vpcd.Listen(vpcd.Opts{}); err == nil {
		t.Error("no clock")
	}
	r := open(t, vpcd.Opts{})
	if _, err := vpcd.Listen(vpcd.Opts{Addr: r.Addr(), Clock: hal.SystemClock{}}); err == nil {
		t.Error("an address in use")
	}
	r.Close()
	if _, err := net.Dial("tcp", r.Addr()); err == nil {
		t.Error("listens after Close")
	}
}
