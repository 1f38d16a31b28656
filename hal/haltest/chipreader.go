package haltest

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"swipewell/hal"
)

// ChipReaderBench is a slot and whoever puts cards in. Its card answers 00 EE
// with the data of the command and 9000, and 00 EF not within half a second.
type ChipReaderBench struct {
	Reader hal.ChipReader
	Insert func()
	Remove func()
	// Protocol is what the card speaks: 0 or 1.
	Protocol int
}

// ChipReader is the conformance suite of hal.ChipReader.
func ChipReader(t *testing.T, open func(t *testing.T) ChipReaderBench) {
	up := func(t *testing.T) ChipReaderBench {
		t.Helper()
		b := open(t)
		b.Insert()
		if err := b.Reader.WaitCard(limit(t), true); err != nil {
			t.Fatalf("WaitCard: %v", err)
		}
		r, err := b.Reader.PowerUp(limit(t))
		if err != nil {
			t.Fatalf("PowerUp: %v", err)
		}
		if len(r.ATR) < 2 || r.Protocol != b.Protocol || r.Warm {
			t.Errorf("reset %X, T=%d, warm %v; the card speaks T=%d", r.ATR, r.Protocol, r.Warm, b.Protocol)
		}
		return b
	}
	caused := func(t *testing.T, what string, err error, want ...hal.ChipCause) {
		t.Helper()
		var ce *hal.ChipError
		if !errors.As(err, &ce) {
			t.Errorf("%s: %v, want a *hal.ChipError", what, err)
			return
		}
		for _, w := range want {
			if ce.Cause == w {
				return
			}
		}
		t.Errorf("%s: %v, want one of %v", what, err, want)
	}
	ask := func(b ChipReaderBench, ctx context.Context, n int) ([]byte, error) {
		c := append([]byte{0, 0xEE, 0, 0, byte(n)}, bytes.Repeat([]byte{0xA7}, n)...)
		return b.Reader.Transmit(ctx, []byte{1, 2}, append(c, 0))
	}
	works := func(t *testing.T, b ChipReaderBench) {
		t.Helper()
		for _, n := range []int{1, 17, 40, 254, 255} {
			got, err := ask(b, limit(t), n)
			want := append(append([]byte{1, 2}, bytes.Repeat([]byte{0xA7}, n)...), 0x90, 0x00)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes there and back: %d of %d, %v", n, len(got), len(want), err)
			}
		}
	}
	t.Run("Resource", func(t *testing.T) { resource(t, open(t).Reader) })
	t.Run("WaitCard", func(t *testing.T) {
		b := open(t)
		freed(t, "WaitCard", func(ctx context.Context) (int, error) { return 0, b.Reader.WaitCard(ctx, true) })
		for round := range 3 {
			for _, in := range []bool{true, false} {
				if got, err := b.Reader.Present(); got == in || err != nil {
					t.Errorf("round %d: present %v, %v", round, got, err)
				}
				done := start(func() (int, error) { return 0, b.Reader.WaitCard(limit(t), in) })
				if in {
					b.Insert()
				} else {
					b.Remove()
				}
				if _, err := await(t, "WaitCard", done); err != nil {
					t.Fatalf("WaitCard(%v): %v", in, err)
				}
				if err := b.Reader.WaitCard(limit(t), in); err != nil { // what is so already
					t.Errorf("WaitCard(%v) again: %v", in, err)
				}
			}
		}
	})
	t.Run("Exchange", func(t *testing.T) {
		b := up(t)
		works(t, b)
		if err := b.Reader.PowerDown(); err != nil {
			t.Fatal(err)
		}
		if got, err := ask(b, limit(t), 1); err == nil || len(got) != 2 {
			t.Errorf("without power: %d bytes, %v", len(got), err)
		}
		if err := b.Reader.PowerDown(); err != nil {
			t.Errorf("a second PowerDown: %v", err)
		}
		if _, err := b.Reader.PowerUp(limit(t)); err != nil {
			t.Fatal(err)
		}
		works(t, b)
	})
	t.Run("ABadCommandIsABug", func(t *testing.T) {
		b := up(t)
		for _, c := range [][]byte{nil, {0, 0xEE}, {0, 0xEE, 0, 0, 5, 1}} {
			var ce *hal.ChipError
			if _, err := b.Reader.Transmit(limit(t), nil, c); err == nil || errors.As(err, &ce) {
				t.Errorf("% X: %v", c, err)
			}
		}
		works(t, b)
	})
	t.Run("EmptySlot", func(t *testing.T) {
		b := open(t)
		_, err := b.Reader.PowerUp(limit(t))
		caused(t, "PowerUp", err, hal.ChipRemoved)
	})
	t.Run("Withdrawn", func(t *testing.T) {
		b := up(t)
		works(t, b)
		b.Remove()
		if err := b.Reader.WaitCard(limit(t), false); err != nil {
			t.Fatal(err)
		}
		got, err := ask(b, limit(t), 1)
		caused(t, "Transmit", err, hal.ChipRemoved)
		if len(got) != 2 {
			t.Errorf("%d bytes with an error", len(got))
		}
		b.Insert()
		if err := b.Reader.WaitCard(limit(t), true); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Reader.PowerUp(limit(t)); err != nil {
			t.Fatal(err)
		}
		works(t, b)
	})
	t.Run("WithdrawnWhileItThinks", func(t *testing.T) {
		b := up(t)
		done := start(func() ([]byte, error) { return b.Reader.Transmit(limit(t), nil, []byte{0, 0xEF, 0, 0}) })
		b.Remove()
		_, err := await(t, "Transmit", done)
		caused(t, "Transmit", err, hal.ChipRemoved)
	})
	t.Run("CancelFreesTransmit", func(t *testing.T) {
		b := up(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := start(func() ([]byte, error) { return b.Reader.Transmit(ctx, nil, []byte{0, 0xEF, 0, 0}) })
		cancel()
		if _, err := await(t, "Transmit", done); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want context.Canceled", err)
		}
		if _, err := b.Reader.PowerUp(limit(t)); err != nil {
			t.Fatalf("PowerUp after a cancelled Transmit: %v", err)
		}
		works(t, b)
	})
	t.Run("TimeOutIsTheCallers", func(t *testing.T) {
		b := up(t)
		ctx, cancel := hal.WithTimeout(t.Context(), real, 2*pause)
		defer cancel()
		done := start(func() ([]byte, error) { return b.Reader.Transmit(ctx, nil, []byte{0, 0xEF, 0, 0}) })
		if _, err := await(t, "Transmit", done); !errors.Is(err, context.Canceled) || !hal.TimedOut(ctx) {
			t.Errorf("%v, timed out %v", err, hal.TimedOut(ctx))
		}
	})
	t.Run("PowerDownFreesTransmit", func(t *testing.T) {
		b := up(t)
		done := start(func() ([]byte, error) { return b.Reader.Transmit(limit(t), nil, []byte{0, 0xEF, 0, 0}) })
		if err := b.Reader.PowerDown(); err != nil {
			t.Error(err)
		}
		if _, err := await(t, "Transmit", done); err == nil {
			t.Error("an answer without power")
		}
		if _, err := b.Reader.PowerUp(limit(t)); err != nil {
			t.Fatal(err)
		}
		works(t, b)
	})
}
