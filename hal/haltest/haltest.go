// Package haltest holds one conformance suite per interface of hal. A driver's
// test opens the device with its peer and hands both over:
//
//	func TestConformance(t *testing.T) {
//		haltest.Keypad(t, func(t *testing.T) haltest.KeypadBench { … })
//	}
//
// What the suites ask of every device: a call that blocks ends at once with its
// context and leaves the device usable; Halt may come twice; String names the
// device and gives nothing away; what the world answers is typed.
//
// Sources:
//   - RESTIC: internal/backend/test of restic, one suite for every backend
//   - HAL: the comments of package hal, which are the contracts tested here
//
// Each suite opens a fresh device for each of its tests. Waits are in real
// time and generous: a suite fails late, and passes without waiting.
package haltest

import (
	"context"
	"errors"
	"testing"
	"time"

	"periph.io/x/conn/v3"

	"swipewell/hal"
)

// patience is how long a suite waits for what must happen; pause is how long
// it lets a call get to where it blocks.
const (
	patience = 5 * time.Second
	pause    = 10 * time.Millisecond
)

var real hal.SystemClock

// limit is a context for calls that must come to an end.
func limit(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := hal.WithTimeout(t.Context(), real, patience)
	t.Cleanup(cancel)
	return ctx
}

// result is what a call gave that ran in its own goroutine.
type result[T any] struct {
	v   T
	err error
}

// start runs a call that blocks, and gives it time to do so.
func start[T any](f func() (T, error)) <-chan result[T] {
	done := make(chan result[T], 1)
	go func() {
		v, err := f()
		done <- result[T]{v, err}
	}()
	hal.Sleep(context.Background(), real, pause)
	return done
}

// await fails the test if a call does not come to an end.
func await[T any](t *testing.T, what string, done <-chan result[T]) (T, error) {
	t.Helper()
	late, stop := hal.After(real, patience)
	defer stop()
	select {
	case r := <-done:
		return r.v, r.err
	case <-late:
		t.Fatalf("%s still blocks after %v", what, patience)
		panic("unreachable")
	}
}

// freed checks that a blocking call ends with its context, before and after it
// has begun to wait, and with the context's error.
func freed[T any](t *testing.T, what string, call func(ctx context.Context) (T, error)) {
	t.Helper()
	for _, when := range []string{"before", "while"} {
		ctx, cancel := context.WithCancel(t.Context())
		if when == "before" {
			cancel()
		}
		done := start(func() (T, error) { return call(ctx) })
		cancel()
		if _, err := await(t, what, done); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled %s it waited: %v, want context.Canceled", what, when, err)
		}
	}
}

// resource checks what every device has.
func resource(t *testing.T, r conn.Resource) {
	t.Helper()
	if r.String() == "" {
		t.Error("String is empty: the board's report could not name it")
	}
	for i := range 2 {
		done := start(func() (struct{}, error) { return struct{}{}, r.Halt() })
		if _, err := await(t, "Halt", done); err != nil {
			t.Errorf("Halt %d: %v", i+1, err)
		}
	}
}
