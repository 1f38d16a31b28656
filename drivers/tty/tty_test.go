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
	"swipewell/hal"
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
	for _, baud := range []int{10472, 28800, 9600, 250000, 115200} {
		if err := p.SetBaud(baud); err != nil {
			t.Fatal(err)
		}
		if got, err := far.Baud(); got != baud || err != nil {
			t.Errorf("%d baud became %d, %v", baud, got, err)
		}
	}
	if err := p.SetBaud(0); !errors.Is(err, tty.ErrOpts) {
		t.Errorf("0 baud: %v", err)
	}
}

func TestBadOpts(t *testing.T) {
	for _, o := range []tty.Opts{{Baud: -1}, {DataBits: 9}, {StopBits: 3}, {Parity: 'X'}} {
		if _, err := tty.Open(o); !errors.Is(err, tty.ErrOpts) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// The flags that TARM cannot set are on the tty, whichever handle asks.
func TestFlags(t *testing.T) {
	for _, o := range []tty.Opts{{}, {RTSCTS: true, HangUpOnClose: true, Parity: tty.ParityEven}} {
		far, _ := pair(t, o)
		fd, err := unix.Open(far.Path(), unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
		if err != nil {
			t.Skip("needs root") // to look past TIOCEXCL
		}
		defer unix.Close(fd)
		tm, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name string
			got  bool
			want bool
		}{
			{"HUPCL", tm.Cflag&unix.HUPCL != 0, o.HangUpOnClose},
			{"CRTSCTS", tm.Cflag&unix.CRTSCTS != 0, o.RTSCTS},
			{"INPCK", tm.Iflag&unix.INPCK != 0, o.Parity != 0},
			{"PARMRK", tm.Iflag&unix.PARMRK != 0, o.Parity != 0},
			{"IGNPAR", tm.Iflag&unix.IGNPAR != 0, false},
		} {
			if c.got != c.want {
				t.Errorf("%+v: %s %v", o, c.name, c.got)
			}
		}
	}
}

// With PARMRK the driver doubles every FF; the reader must not see it, not
// even one byte at a time.
func TestMarkedPortIsTransparent(t *testing.T) {
	far, p := pair(t, tty.Opts{Parity: tty.ParityOdd})
	all := make([]byte, 0, 512)
	for i := range 256 {
		all = append(all, byte(i), 0xFF)
	}
	go far.Write(all)
	for _, size := range []int{1, 64} {
		half := all[:len(all)/2]
		all = all[len(all)/2:]
		var got []byte
		for len(got) < len(half) {
			b := make([]byte, min(size, len(half)-len(got)))
			n, err := p.Read(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, b[:n]...)
		}
		if !bytes.Equal(got, half) {
			t.Errorf("reads of %d: bytes changed", size)
		}
	}
}

// Two readers: the second waits for its turn, and its own context frees it.
func TestReadsTakeTurns(t *testing.T) {
	far, p := pair(t, tty.Opts{})
	first := make(chan error, 1)
	go func() { _, err := p.Read(context.Background(), make([]byte, 1)); first <- err }()
	time.Sleep(10 * time.Millisecond) // let it take its turn
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := p.Read(ctx, make([]byte, 1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("second reader: %v", err)
	}
	far.Write([]byte("x"))
	if err := <-first; err != nil {
		t.Errorf("first reader: %v", err)
	}
}

// Contexts that end at the very moment when a byte comes, over and over: no
// byte is lost, none comes twice, and no late wake harms the next Read.
func TestCancelRaces(t *testing.T) {
	far, p := pair(t, tty.Opts{})
	const rounds = 300
	go func() {
		for i := range rounds {
			far.Write([]byte{byte(i)})
		}
	}()
	for i := 0; i < rounds; {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		b := make([]byte, 1)
		n, err := p.Read(ctx, b)
		switch {
		case n == 1 && err == nil:
			if b[0] != byte(i) {
				t.Fatalf("byte %d is %d", i, b[0])
			}
			i++
		case !errors.Is(err, context.Canceled):
			t.Fatalf("%d %v", n, err)
		}
		cancel()
	}
}

// A flush between poll and read takes the bytes away; that is no hang-up.
func TestFlushIsNoHangup(t *testing.T) {
	far, p := pair(t, tty.Opts{})
	stop := make(chan struct{})
	flushed := make(chan struct{})
	go func() {
		defer close(flushed)
		for {
			select {
			case <-stop:
				return
			default:
				far.Write([]byte("noise"))
				p.FlushInput()
			}
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	for {
		_, err := p.Read(ctx, make([]byte, 8))
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		if err != nil {
			t.Errorf("%v", err)
			break
		}
	}
	close(stop)
	<-flushed
}

func TestFlushInput(t *testing.T) {
	far, p := pair(t, tty.Opts{})
	far.Write([]byte("old"))
	if err := p.FlushInput(); err != nil {
		t.Fatal(err)
	}
	far.Write([]byte("new"))
	b := make([]byte, 8)
	n, err := p.Read(t.Context(), b)
	if string(b[:n]) != "new" || err != nil {
		t.Errorf("%q %v", b[:n], err)
	}
}

func TestDrain(t *testing.T) {
	far, p := pair(t, tty.Opts{})
	if _, err := p.Write(t.Context(), []byte("abc")); err != nil {
		t.Fatal(err)
	}
	if err := p.Drain(t.Context()); err != nil {
		t.Errorf("Drain: %v", err)
	}
	b := make([]byte, 8)
	if n, _ := far.Read(b); string(b[:n]) != "abc" {
		t.Errorf("%q", b[:n])
	}
	far.Close()
	if err := p.Drain(t.Context()); !errors.Is(err, tty.ErrHangup) {
		t.Errorf("Drain of a dead line: %v", err)
	}
	p.Close()
	if err := p.Drain(t.Context()); !errors.Is(err, tty.ErrClosed) {
		t.Errorf("Drain after Close: %v", err)
	}
}

func TestBreak(t *testing.T) {
	_, p := pair(t, tty.Opts{})
	clock := hal.NewSteppedClock(nil, time.Unix(0, 0))
	done := make(chan error, 1)
	go func() { done <- p.Break(250*time.Millisecond, clock) }()
	for d, ok := clock.Next(); ; d, ok = clock.Next() {
		if ok {
			clock.Jump(d)
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := <-done; err != nil {
		t.Errorf("%v", err)
	}
	go func() { done <- p.Break(time.Hour, clock) }()
	for _, ok := clock.Next(); !ok; _, ok = clock.Next() {
		time.Sleep(time.Millisecond)
	}
	p.Close()
	if err := <-done; !errors.Is(err, tty.ErrClosed) {
		t.Errorf("Break at Close: %v", err)
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

// One byte there and back: what a prompt character of a modem costs.
func BenchmarkPingPong(b *testing.B) {
	far, err := ttysim.Open(ttysim.Opts{})
	if err != nil {
		b.Fatal(err)
	}
	defer far.Close()
	p, err := tty.Open(tty.Opts{Path: far.Path()})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	go func() {
		buf := make([]byte, 1)
		for {
			if _, err := far.Read(buf); err != nil {
				return
			}
			far.Write(buf)
		}
	}()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	buf := []byte{1}
	for b.Loop() {
		p.Write(ctx, buf)
		p.Read(ctx, buf)
	}
}
