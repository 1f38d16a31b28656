package tty_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"swipewell/drivers/tty"
	"swipewell/drivers/tty/ttysim"
)

func pair(t *testing.T, o tty.Opts) (*ttysim.Pair, *tty.Port) {
	t.Helper()
	far, err := ttysim.Open(ttysim.Opts{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	o.Path = far.Path()
	p, err := tty.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return far, p
}

func TestBytesBothWays(t *testing.T) {
	far, p := pair(t, tty.Opts{Baud: 9600})
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	go far.Write(all)
	var got []byte
	buf := make([]byte, 100)
	for len(got) < len(all) {
		n, err := p.Read(t.Context(), buf)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, buf[:n]...)
	}
	if !bytes.Equal(got, all) {
		t.Error("bytes changed on the way in")
	}
	if n, err := p.Write(t.Context(), all); n != len(all) || err != nil {
		t.Fatal(n, err)
	}
	got = got[:0]
	for len(got) < len(all) {
		n, err := far.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, buf[:n]...)
	}
	if !bytes.Equal(got, all) {
		t.Error("bytes changed on the way out")
	}
}

func TestCloseFreesARead(t *testing.T) {
	_, p := pair(t, tty.Opts{})
	done := make(chan error, 1)
	go func() { _, err := p.Read(context.Background(), make([]byte, 1)); done <- err }()
	time.Sleep(20 * time.Millisecond) // let it wait
	p.Close()
	if err := <-done; !errors.Is(err, tty.ErrClosed) {
		t.Errorf("Read ended with %v", err)
	}
	if _, err := p.Read(context.Background(), make([]byte, 1)); !errors.Is(err, tty.ErrClosed) {
		t.Errorf("Read after Close: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestContextEndsAReadAndNoMore(t *testing.T) {
	far, p := pair(t, tty.Opts{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Read(ctx, make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	far.Write([]byte("x"))
	b := make([]byte, 4)
	if n, err := p.Read(t.Context(), b); n != 1 || err != nil || b[0] != 'x' {
		t.Errorf("the port is dead after a cancelled Read: %d %v", n, err)
	}
}

func TestHangUpIsToldFromSilence(t *testing.T) {
	far, p := pair(t, tty.Opts{})
	far.Close()
	if _, err := p.Read(t.Context(), make([]byte, 1)); !errors.Is(err, tty.ErrHangup) {
		t.Errorf("Read: %v", err)
	}
	if _, err := p.Write(t.Context(), []byte("x")); !errors.Is(err, tty.ErrHangup) {
		t.Errorf("Write: %v", err)
	}
}

func TestSecondOpenerIsRefused(t *testing.T) {
	far, p := pair(t, tty.Opts{})
	if _, err := tty.Open(tty.Opts{Path: far.Path()}); !errors.Is(err, tty.ErrBusy) {
		t.Errorf("second Open: %v", err)
	}
	p.Close()
	again, err := tty.Open(tty.Opts{Path: far.Path()})
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	again.Close()
}

// A full line must not block a writer for ever.
func TestWriteHonoursItsContext(t *testing.T) {
	_, p := pair(t, tty.Opts{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	n, err := p.Write(ctx, make([]byte, 1<<20))
	if !errors.Is(err, context.DeadlineExceeded) || n == 0 || n == 1<<20 {
		t.Errorf("%d %v", n, err)
	}
}

func TestAnyBaud(t *testing.T) {
	far, p := pair(t, tty.Opts{Baud: 10472})
	speed := func() uint32 {
		fd, err := unix.Open(far.Path(), unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
		if err != nil {
			t.Skip("needs root to look past TIOCEXCL")
		}
		defer unix.Close(fd)
		tm, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
		if err != nil {
			t.Fatal(err)
		}
		return tm.Ospeed
	}
	if got := speed(); got != 10472 {
		t.Errorf("speed %d", got)
	}
	if err := p.SetBaud(28800); err != nil || speed() != 28800 {
		t.Errorf("SetBaud: %v, speed %d", err, speed())
	}
}

func TestPtysHaveNoLines(t *testing.T) {
	_, p := pair(t, tty.Opts{})
	if err := p.Lines().SetDTR(true); !errors.Is(err, tty.ErrNoLines) {
		t.Errorf("SetDTR: %v", err)
	}
	if _, err := p.Lines().Status(); !errors.Is(err, tty.ErrNoLines) {
		t.Errorf("Status: %v", err)
	}
}

func TestMissingPort(t *testing.T) {
	if _, err := tty.Open(tty.Opts{Path: "/dev/no-such-port"}); err == nil {
		t.Error("opened")
	}
}
