package tty_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"swipewell/drivers/tty"
)

// The flags change on the open tty; the kind of port does not.
func TestSetFrame(t *testing.T) {
	far, p := pair(t, tty.Opts{Baud: 9600, Parity: tty.ParityEven, StopBits: 2})
	fd, err := unix.Open(far.Path(), unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skip("needs root") // to look past TIOCEXCL
	}
	defer unix.Close(fd)
	for _, c := range []struct {
		parity tty.Parity
		stop   int
		want   uint32
	}{{tty.ParityOdd, 2, unix.PARODD | unix.CSTOPB}, {tty.ParityOdd, 1, unix.PARODD}, {tty.ParityEven, 2, unix.CSTOPB}, {tty.ParityEven, 1, 0}} {
		if err := p.SetFrame(c.parity, c.stop); err != nil {
			t.Fatal(err)
		}
		tm, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
		if err != nil {
			t.Fatal(err)
		}
		if got := tm.Cflag & (unix.PARODD | unix.CSTOPB); got != c.want {
			t.Errorf("%c, %d stop: flags %o, want %o", c.parity, c.stop, got, c.want)
		}
		if baud, err := far.Baud(); baud != 9600 || err != nil {
			t.Errorf("the rate became %d, %v", baud, err)
		}
	}
	for _, c := range []struct {
		parity tty.Parity
		stop   int
	}{{tty.ParityNone, 1}, {0, 1}, {'X', 1}, {tty.ParityEven, 3}} {
		if err := p.SetFrame(c.parity, c.stop); !errors.Is(err, tty.ErrOpts) {
			t.Errorf("%q, %d stop: %v", byte(c.parity), c.stop, err)
		}
	}
	_, plain := pair(t, tty.Opts{})
	if err := plain.SetFrame(tty.ParityEven, 1); !errors.Is(err, tty.ErrOpts) {
		t.Errorf("parity on a port without: %v", err)
	}
	p.Close()
	if err := p.SetFrame(tty.ParityEven, 1); !errors.Is(err, tty.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
