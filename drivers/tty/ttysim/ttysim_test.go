package ttysim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"swipewell/drivers/tty"
	"swipewell/drivers/tty/ttysim"
	"swipewell/hal"
)

func open(t *testing.T, o ttysim.Opts) *ttysim.Pair {
	t.Helper()
	p, err := ttysim.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestCloseFreesReadAndWrite(t *testing.T) {
	p := open(t, ttysim.Opts{})
	done := make(chan error, 2)
	go func() { _, err := p.Read(make([]byte, 1)); done <- err }()
	go func() { _, err := p.Write(make([]byte, 1<<20)); done <- err }() // nobody takes it
	time.Sleep(20 * time.Millisecond)                                   // let them wait
	p.Close()
	for range 2 {
		if err := <-done; err != io.EOF {
			t.Errorf("ended with %v", err)
		}
	}
	if err := p.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// A symlink is what a board file names; it follows the pair that was made last.
func TestLink(t *testing.T) {
	link := filepath.Join(t.TempDir(), "modem")
	old := open(t, ttysim.Opts{Link: link})
	fresh := open(t, ttysim.Opts{Link: link})
	if to, err := os.Readlink(link); err != nil || to != fresh.Path() {
		t.Errorf("%s leads to %s, %v; want %s", link, to, err, fresh.Path())
	}
	old.Close() // must not take the newer pair's link away
	port, err := tty.Open(tty.Opts{Path: link})
	if err != nil {
		t.Fatal(err)
	}
	port.Close()
	fresh.Close()
	if _, err := os.Lstat(link); !os.IsNotExist(err) {
		t.Errorf("the link outlives its pair: %v", err)
	}
}

// What was not read when the power failed is gone.
func TestUnreadBytesVanish(t *testing.T) {
	p := open(t, ttysim.Opts{})
	port, err := tty.Open(tty.Opts{Path: p.Path()})
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	p.Write([]byte("too late"))
	p.Close()
	if n, err := port.Read(t.Context(), make([]byte, 10)); n != 0 || !errors.Is(err, tty.ErrHangup) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// What lies unread is seen, either way, until it is read.
func TestWaiting(t *testing.T) {
	p := open(t, ttysim.Opts{})
	port, err := tty.Open(tty.Opts{Path: p.Path()})
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	waits := func(want int) {
		t.Helper()
		n := p.Waiting()
		for range 400 { // the kernel hands bytes on in its own time
			if n == want {
				return
			}
			hal.Sleep(t.Context(), hal.SystemClock{}, 5*time.Millisecond)
			n = p.Waiting()
		}
		t.Errorf("%d bytes wait, want %d", n, want)
	}
	waits(0)
	p.Write([]byte("to the device"))
	waits(13)
	if _, err := io.ReadFull(reader{t, port}, make([]byte, 13)); err != nil {
		t.Fatal(err)
	}
	waits(0)
	port.Write(t.Context(), []byte("back"))
	waits(4)
	if _, err := io.ReadFull(p, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	waits(0)
}

// reader is a port as an io.Reader.
type reader struct {
	t *testing.T
	p *tty.Port
}

func (r reader) Read(b []byte) (int, error) { return r.p.Read(r.t.Context(), b) }

func TestBaudIsSeen(t *testing.T) {
	p := open(t, ttysim.Opts{})
	port, err := tty.Open(tty.Opts{Path: p.Path(), Baud: 10472})
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if b, err := p.Baud(); b != 10472 || err != nil {
		t.Errorf("%d %v", b, err)
	}
	if err := port.SetBaud(19200); err != nil {
		t.Fatal(err)
	}
	if b, err := p.Baud(); b != 19200 || err != nil {
		t.Errorf("%d %v", b, err)
	}
}

// stream is an io.ReadWriter over two buffers.
type stream struct {
	in  *bytes.Reader
	out bytes.Buffer
}

func (s *stream) Read(b []byte) (int, error)  { return s.in.Read(b) }
func (s *stream) Write(b []byte) (int, error) { return s.out.Write(b) }

func TestFaults(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOfN(rapid.Byte(), 1, 2000).Draw(t, "bytes")
		f := ttysim.Faults{Split: rapid.IntRange(0, 50).Draw(t, "split"), Seed: rapid.Uint64().Draw(t, "seed"),
			Flip: rapid.SampledFrom([]float64{0, 0.1, 1}).Draw(t, "flip"), Drop: rapid.SampledFrom([]float64{0, 0.1, 1}).Draw(t, "drop")}
		before := bytes.Clone(plain)
		s := &stream{in: bytes.NewReader(plain)}
		line := f.Wrap(s, nil)
		if n, err := line.Write(plain); n != len(plain) || err != nil {
			t.Fatalf("Write: %d %v", n, err)
		}
		back, err := io.ReadAll(line)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(plain, before) {
			t.Fatal("the writer's own bytes were spoiled")
		}
		for _, got := range [][]byte{s.out.Bytes(), back} {
			switch {
			case f.Drop == 0 && len(got) != len(plain), f.Drop == 1 && len(got) != 0, len(got) > len(plain):
				t.Fatalf("%d of %d bytes with drop %v", len(got), len(plain), f.Drop)
			}
			if f.Drop > 0 {
				continue
			}
			for i, c := range got {
				if n := bits.OnesCount8(c ^ plain[i]); n > 1 || f.Flip == 0 && n != 0 || f.Flip == 1 && n != 1 {
					t.Fatalf("byte %d: %d bits flipped", i, n)
				}
			}
		}
	})
}

func TestSplit(t *testing.T) {
	s := &stream{in: bytes.NewReader(make([]byte, 100))}
	line := ttysim.Faults{Split: 7}.Wrap(s, nil)
	if n, err := line.Read(make([]byte, 50)); n != 7 || err != nil {
		t.Errorf("%d %v", n, err)
	}
}

// At 9600 baud 960 bytes take a second of the clock, in either direction, and
// a byte is never there before its last bit.
func TestPace(t *testing.T) {
	for _, way := range []string{"read", "write"} {
		clock := hal.NewSteppedClock(nil, time.Unix(0, 0))
		s := &stream{in: bytes.NewReader(make([]byte, 960))}
		line := ttysim.Faults{Baud: 9600}.Wrap(s, clock)
		done := make(chan error, 1)
		go func() {
			var err error
			if way == "write" {
				_, err = line.Write(make([]byte, 960))
			} else {
				_, err = io.ReadFull(line, make([]byte, 960))
			}
			done <- err
		}()
		err := error(nil)
		for running := true; running; {
			select {
			case err = <-done:
				running = false
			default:
				if d, ok := clock.Next(); ok {
					clock.Jump(d)
				}
			}
		}
		if took := clock.Now().Boot; err != nil || took.Round(time.Microsecond) != time.Second {
			t.Errorf("%s took %v, %v", way, took, err)
		}
	}
}

func TestCloseFreesAPacedWrite(t *testing.T) {
	p := open(t, ttysim.Opts{Clock: hal.NewSteppedClock(nil, time.Unix(0, 0)), Faults: ttysim.Faults{Delay: time.Hour}})
	done := make(chan error, 1)
	go func() { _, err := p.Write([]byte("x")); done <- err }()
	p.Close()
	if err := <-done; err != io.EOF {
		t.Errorf("%v", err)
	}
}

func Example() {
	far, err := ttysim.Open(ttysim.Opts{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer far.Close()
	port, err := tty.Open(tty.Opts{Path: far.Path(), Baud: 9600})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer port.Close()
	go fmt.Fprint(far, "RING\r\n")
	b := make([]byte, 6)
	for n := 0; n < len(b); {
		m, err := port.Read(context.Background(), b[n:])
		if err != nil {
			fmt.Println(err)
			return
		}
		n += m
	}
	fmt.Printf("%q\n", b)
	// Output: "RING\r\n"
}

// TestLoose: a pair whose slave is its openers' tells whether somebody has it, and
// loses nothing of what was said meanwhile by waiting.
func TestLoose(t *testing.T) {
	p := open(t, ttysim.Opts{Loose: true})
	if p.Held() {
		t.Error("held by nobody")
	}
	if _, err := p.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("a read without an opener: %v", err)
	}
	f, err := os.OpenFile(p.Path(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Held() || p.Offer([]byte("hello")) != 5 {
		t.Error("not held, or not written")
	}
	b := make([]byte, 5)
	if _, err := io.ReadFull(f, b); err != nil || string(b) != "hello" {
		t.Errorf("%q %v", b, err)
	}
	if n := p.Offer(make([]byte, 1<<20)); n <= 0 || n >= 1<<20 {
		t.Errorf("%d bytes of what nobody reads", n)
	}
	f.Close()
	if p.Held() {
		t.Error("held after its end")
	}
}
