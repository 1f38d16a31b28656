package pcsc_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"swipewell/drivers/pcsc"
	"swipewell/drivers/pcsc/pcscsim"
	"swipewell/drivers/vpcd/vpcdsim"
	"swipewell/hal"
	"swipewell/hal/haltest"
)

var atrs = [][]byte{{0x3B, 0x60, 0x00, 0x00}, {0x3B, 0xE0, 0x00, 0x00, 0x81, 0x31, 0xFE, 0x45, 0xEB}}

// app is haltest's card; a T=0 card keeps its answer for GET RESPONSE.
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

func daemon(t *testing.T) *pcscsim.Daemon {
	t.Helper()
	if why := pcscsim.Missing(); why != "" {
		t.Skip(why)
	}
	d, err := pcscsim.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Stop)
	return d
}

// put is a card in the daemon's reader.
func put(t *testing.T, d *pcscsim.Daemon, protocol int) *vpcdsim.Card {
	t.Helper()
	c, err := d.Dial()
	if err != nil {
		t.Error(err)
		return nil
	}
	card := vpcdsim.Serve(c, atrs[protocol], app(protocol), nil)
	t.Cleanup(card.Remove)
	return card
}

func reader(t *testing.T, d *pcscsim.Daemon, o pcsc.Opts) *pcsc.Reader {
	t.Helper()
	o.Socket, o.Clock = d.Socket(), hal.SystemClock{}
	r, err := pcsc.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// The suite against a real pcscd.
func TestConformance(t *testing.T) {
	t.Parallel()
	haltest.ChipReader(t, func(t *testing.T) haltest.ChipReaderBench {
		d := daemon(t)
		var card *vpcdsim.Card
		return haltest.ChipReaderBench{Reader: reader(t, d, pcsc.Opts{}), Insert: func() { card = put(t, d, 0) }, Remove: func() { card.Remove() }}
	})
}

// A T=1 card behind a real pcscd, by the reader's name, and its warm reset.
func TestT1(t *testing.T) {
	t.Parallel()
	d := daemon(t)
	put(t, d, 1)
	if in, err := reader(t, d, pcsc.Opts{Reader: "Another"}).Present(); in || err != nil {
		t.Errorf("a reader that is not there has a card: %v", err)
	}
	r := reader(t, d, pcsc.Opts{Reader: "Virtual PCD 00 00"})
	if err := r.WaitCard(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	for _, warm := range []bool{false, true} {
		got, err := r.PowerUp(t.Context())
		if err != nil || got.Protocol != 1 || !bytes.Equal(got.ATR, atrs[1]) || got.Warm != warm {
			t.Fatalf("%+v %v", got, err)
		}
		before := hal.SystemClock{}.Now().Boot
		const n = 200
		for range n {
			b, err := r.Transmit(t.Context(), nil, []byte{0, 0xEE, 0, 0, 2, 7, 8, 0})
			if err != nil || !bytes.Equal(b, []byte{7, 8, 0x90, 0}) {
				t.Fatalf("% X %v", b, err)
			}
		}
		t.Logf("%v an APDU", (hal.SystemClock{}.Now().Boot-before)/n)
	}
	// Somebody else wants it meanwhile, and is told so after some time.
	limit, cancel := hal.WithTimeout(t.Context(), hal.SystemClock{}, 300*time.Millisecond)
	defer cancel()
	if _, err := reader(t, d, pcsc.Opts{}).PowerUp(limit); !errors.Is(err, context.Canceled) {
		t.Errorf("a card for two: %v", err)
	}
}

// Noise in place of an answer to reset. A mute card cannot be had here: vpcd
// takes a card without an ATR for none.
func TestNoATR(t *testing.T) {
	t.Parallel()
	d := daemon(t)
	c, err := d.Dial()
	if err != nil {
		t.Fatal(err)
	}
	card := vpcdsim.Serve(c, []byte{0x55, 0x55}, app(0), nil)
	defer card.Remove()
	r := reader(t, d, pcsc.Opts{})
	limit, cancel := hal.WithTimeout(t.Context(), hal.SystemClock{}, 5*time.Second)
	defer cancel()
	if err := r.WaitCard(limit, true); err != nil {
		t.Fatal(err)
	}
	_, err = r.PowerUp(limit)
	var ce *hal.ChipError
	if !errors.As(err, &ce) || ce.Cause != hal.ChipRefused {
		t.Errorf("%v", err)
	}
}
