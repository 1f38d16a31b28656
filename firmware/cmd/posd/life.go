package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"swipewell/hal"
)

// lifeEnv is set by init: the number of a pipe on which posd gives its signs of
// life. Who starts posd otherwise does not watch over it.
const lifeEnv = "SWIPEWELL_LIFE"

// initDog is the board's watchdog, which init feeds while this one is fed.
type initDog struct{ f *os.File }

func (w initDog) String() string { return "init" }
func (w initDog) Halt() error    { return w.f.Close() }

// Timeout is the shortest that an image's plan has.
func (w initDog) Timeout() time.Duration { return 20 * time.Second }

func (w initDog) Feed() error {
	_, err := w.f.Write([]byte{'.'})
	return err
}

// findDog opens init's pipe, if this posd was started by init.
func (d *device) findDog() error {
	n, err := strconv.Atoi(os.Getenv(lifeEnv))
	if os.Getenv(lifeEnv) == "" {
		return nil
	}
	if err != nil || n < 3 {
		return fmt.Errorf("%s=%q: not a file's number", lifeEnv, os.Getenv(lifeEnv))
	}
	d.board.Watchdog = initDog{os.NewFile(uintptr(n), "life")}
	return nil
}

// lives tells whether the terminal's loop takes work, that of a lesson too, or a screen stands that says why
// nothing is sold: such a device waits for people, and a start would not help it.
func (d *device) lives(ctx context.Context) bool {
	d.mu.Lock()
	t, training, says := d.term, d.training, d.says
	d.mu.Unlock()
	if t == nil {
		t = training
	}
	if t == nil {
		return says
	}
	return t.Do(ctx, func() {}) == nil
}

// live feeds the watchdog for as long as posd lives. Between two terminals nothing feeds it. The time
// is the machine's: a bench's clock may jump.
func (d *device) live(ctx context.Context) {
	w := d.board.Watchdog
	if w == nil {
		return
	}
	for ; ctx.Err() == nil; hal.Sleep(ctx, hal.SystemClock{}, w.Timeout()/10) {
		if !d.lives(ctx) {
			continue
		}
		if err := w.Feed(); err != nil {
			d.log.Error("watchdog", "err", err)
			return
		}
	}
}
