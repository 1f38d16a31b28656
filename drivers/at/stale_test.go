package at_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"swipewell/drivers/at"
	"swipewell/drivers/at/modemsim"
	"swipewell/drivers/tty"
	"swipewell/drivers/tty/ttysim"
	"swipewell/hal"
)

// A program that was stopped in mid-call leaves a socket in the modem. The next one's first call
// gets through all the same: nobody is told that the line is busy.
func TestSocketOfBefore(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	calls := make(chan struct{}, 8)
	go func() {
		for {
			if _, err := ln.Accept(); err != nil {
				return
			}
			calls <- struct{}{}
		}
	}()
	far, err := ttysim.Open(ttysim.Opts{})
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	clock := hal.NewSteppedClock(hal.SystemClock{}, time.Unix(1_800_000_000, 0))
	sim := modemsim.New(modemsim.Opts{Clock: clock})
	sim.Plug(far)
	defer sim.Unplug()
	open := func() *tty.Port {
		p, err := tty.Open(tty.Opts{Path: far.Path()})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	host, port, _ := net.SplitHostPort(ln.Addr().String())
	before := open()
	dev, err := at.New(before, at.Opts{Clock: clock, Mode: at.Push})
	if err != nil {
		t.Fatal(err)
	}
	if l, err := dev.Dial(t.Context(), ln.Addr().String()); err != nil { // the modem is up
		t.Fatal(err)
	} else {
		l.Close()
	}
	dev.Close()
	<-calls
	before = open()
	if _, err := before.Write(t.Context(), []byte(fmt.Sprintf("AT+QIOPEN=1,0,\"TCP\",%q,%s,0,1\r", host, port))); err != nil {
		t.Fatal(err)
	}
	<-calls // it is there, and nobody will close it
	before.Close()
	dev, err = at.New(open(), at.Opts{Clock: clock, Mode: at.Push})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	l, err := dev.Dial(t.Context(), ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}
