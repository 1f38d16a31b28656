package haltest

import (
	"context"
	"errors"
	"testing"
	"time"

	"swipewell/hal"
)

// ClockBench is a clock and how its time passes.
type ClockBench struct {
	Clock hal.Clock
	// Pass lets at least d of the clock's time go by: it waits, or jumps.
	Pass func(d time.Duration)
}

// Clock is the conformance suite of hal.Clock.
func Clock(t *testing.T, open func(t *testing.T) ClockBench) {
	t.Run("BootNeverRunsBackwards", func(t *testing.T) {
		b := open(t)
		last := b.Clock.Now()
		for range 5 {
			b.Pass(2 * time.Millisecond)
			now := b.Clock.Now()
			if now.Boot < last.Boot+2*time.Millisecond {
				t.Errorf("2 ms later, boottime went from %v to %v", last.Boot, now.Boot)
			}
			last = now
		}
		if last.Wall.IsZero() {
			t.Error("no wall clock")
		}
	})
	t.Run("AfterFunc", func(t *testing.T) {
		b := open(t)
		for _, d := range []time.Duration{-time.Second, 0, time.Millisecond, 30 * time.Millisecond} {
			due := b.Clock.Now().Boot + d
			at := make(chan time.Duration, 2)
			// f uses the clock: it must not be called under the clock's lock.
			stop := b.Clock.AfterFunc(d, func() { at <- b.Clock.Now().Boot; b.Clock.AfterFunc(0, func() {})() })
			b.Pass(max(d, 0) + time.Millisecond)
			late, cancel := hal.After(real, patience)
			select {
			case ran := <-at:
				if ran < due {
					t.Errorf("%v: fired %v early", d, due-ran)
				}
			case <-late:
				t.Fatalf("%v: never fired", d)
			}
			cancel()
			if stop() {
				t.Errorf("%v: stop says that it prevented what has run", d)
			}
			select {
			case <-at:
				t.Errorf("%v: fired twice", d)
			default:
			}
		}
	})
	t.Run("StopPrevents", func(t *testing.T) {
		b := open(t)
		ran := make(chan bool, 1)
		stop := b.Clock.AfterFunc(20*time.Millisecond, func() { ran <- true })
		if !stop() {
			t.Error("stop says that it came too late")
		}
		if stop() {
			t.Error("a second stop prevented it once more")
		}
		b.Pass(40 * time.Millisecond)
		select {
		case <-ran:
			t.Error("ran after stop")
		default:
		}
	})
	t.Run("Sleep", func(t *testing.T) {
		b := open(t)
		done := start(func() (int, error) { return 0, hal.Sleep(t.Context(), b.Clock, 20*time.Millisecond) })
		b.Pass(20 * time.Millisecond)
		if _, err := await(t, "Sleep", done); err != nil {
			t.Errorf("%v", err)
		}
		freed(t, "Sleep", func(ctx context.Context) (int, error) { return 0, hal.Sleep(ctx, b.Clock, time.Hour) })
	})
	t.Run("WithTimeout", func(t *testing.T) {
		b := open(t)
		ctx, cancel := hal.WithTimeout(t.Context(), b.Clock, 20*time.Millisecond)
		defer cancel()
		b.Pass(20 * time.Millisecond)
		done := start(func() (int, error) { <-ctx.Done(); return 0, ctx.Err() })
		if _, err := await(t, "the time-out", done); !errors.Is(err, context.Canceled) || !hal.TimedOut(ctx) {
			t.Errorf("%v, timed out %v", err, hal.TimedOut(ctx))
		}
		ctx, cancel = hal.WithTimeout(t.Context(), b.Clock, time.Hour)
		cancel()
		if ctx.Err() == nil || hal.TimedOut(ctx) {
			t.Errorf("cancelled: %v, timed out %v", ctx.Err(), hal.TimedOut(ctx))
		}
	})
}
