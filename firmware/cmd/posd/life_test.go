package main

import (
	"context"
	"os"
	"testing"
	"time"

	"swipewell/firmware/board"
	"swipewell/hal"
)

type countingDog struct{ fed int }

func (*countingDog) String() string         { return "dog" }
func (*countingDog) Halt() error            { return nil }
func (*countingDog) Timeout() time.Duration { return 20 * time.Millisecond }
func (d *countingDog) Feed() error          { d.fed++; return nil }

// A device without a terminal that takes work is not alive, however many
// goroutines it has.
func TestNoTerminalIsNoLife(t *testing.T) {
	dog := &countingDog{}
	d := &device{board: &board.Result{Board: &hal.Board{Watchdog: dog}}}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	d.live(ctx)
	if dog.fed > 0 {
		t.Errorf("fed %d times", dog.fed)
	}
}

func TestFindDog(t *testing.T) {
	for env, want := range map[string]bool{"": true, "x": false, "0": false, "2": false, "-1": false, "3x": false} {
		t.Setenv(lifeEnv, env)
		d := &device{board: &board.Result{Board: &hal.Board{}}}
		if err := d.findDog(); (err == nil) != want {
			t.Errorf("%q: %v", env, err)
		}
		if d.board.Watchdog != nil {
			t.Errorf("%q gave a watchdog", env)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if err := (initDog{w}).Feed(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4)
	if n, err := r.Read(b); n != 1 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}
