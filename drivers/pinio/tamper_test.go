package pinio

import (
	"context"
	"errors"
	"testing"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"swipewell/hal"
)

var _ hal.Tamper = (*Tamper)(nil)

func TestTamper(t *testing.T) {
	p := &gpiotest.Pin{N: "GPIO17", EdgesChan: make(chan gpio.Level, 1)}
	w, err := NewTamper(p)
	if err != nil || p.P != gpio.PullUp {
		t.Fatalf("%v, pull %v", err, p.P)
	}
	p.L = gpio.Low
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if which, err := w.Wait(ctx); which != "" || !errors.Is(err, context.Canceled) {
		t.Errorf("closed, and asked to stop: %q %v", which, err)
	}
	p.EdgesChan <- gpio.High // and low again, before anybody reads it
	if which, err := w.Wait(t.Context()); which != "GPIO17" || err != nil {
		t.Errorf("an edge: %q %v", which, err)
	}
	p.L = gpio.High // opened without power
	if which, err := w.Wait(t.Context()); which != "GPIO17" || err != nil {
		t.Errorf("open from the start: %q %v", which, err)
	}
	if _, err := NewTamper(&gpiotest.Pin{N: "x"}); err == nil {
		t.Error("a pin without edges is taken")
	}
}
