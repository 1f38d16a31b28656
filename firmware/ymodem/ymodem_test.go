package ymodem

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"swipewell/drivers/tty/ttysim"
	"swipewell/hal"
)

// script is a line whose far end is a function: it is asked for bytes when the
// receiver waits, with what the receiver has sent since.
type script struct {
	clock *hal.SteppedClock
	next  func(sent []byte) []byte // nil: silence
	sent  []byte
	all   []byte
	have  []byte
}

func (s *script) Read(ctx context.Context, p []byte) (int, error) {
	if len(s.have) == 0 {
		sent := s.sent
		s.sent = nil
		s.have = s.next(sent)
	}
	if len(s.have) == 0 {
		d, ok := s.clock.Next()
		if !ok {
			return 0, io.EOF
		}
		s.clock.Jump(d)
		<-ctx.Done()
		return 0, ctx.Err()
	}
	n := copy(p, s.have)
	s.have = s.have[n:]
	return n, nil
}

func (s *script) Write(_ context.Context, p []byte) (int, error) {
	s.sent, s.all = append(s.sent, p...), append(s.all, p...)
	return len(p), nil
}

func packet(n byte, data []byte, size int) []byte {
	d := append(bytes.Clone(data), bytes.Repeat([]byte{0x1A}, size-len(data))...)
	if n == 0 {
		d = append(bytes.Clone(data), make([]byte, size-len(data))...)
	}
	lead := byte(stx)
	if size == shortBlock {
		lead = soh
	}
	c := crc16(d)
	return append(append([]byte{lead, n, ^n}, d...), byte(c>>8), byte(c))
}

// sender is YMODEM's other end: what is sent at each step, moved on by ACK and C.
func sender(files map[string][]byte, size int, spoil func(step, try int, b []byte) []byte) func([]byte) []byte {
	var steps [][]byte
	var waits []string // what the receiver must send before the step
	for name, b := range files {
		steps, waits = append(steps, packet(0, append([]byte(name+"\x00"), []byte(strconv.Itoa(len(b))+" 15 1")...), 128)), append(waits, "C")
		for n, first := byte(1), true; len(b) > 0; n++ {
			k := min(len(b), size)
			steps = append(steps, packet(n, b[:k], size))
			if first {
				waits = append(waits, "\x06C")
			} else {
				waits = append(waits, "\x06")
			}
			b, first = b[k:], false
		}
		steps, waits = append(steps, []byte{eot}, []byte{eot}), append(waits, "\x06", "\x15")
	}
	steps, waits = append(steps, packet(0, nil, 128)), append(waits, "\x06C")
	waits = append(waits, "\x06")
	at, try := 0, 0
	return func(sent []byte) []byte {
		switch {
		case at < len(steps) && (string(sent) == waits[at] || at > 0 && waits[at] != "\x15" && len(sent) > 1 && strings.HasSuffix(waits[at], string(sent))):
			at, try = at+1, 0
		case at > 0 && len(sent) > 0 && sent[len(sent)-1] != can:
			try++
		default:
			return nil
		}
		b := bytes.Clone(steps[at-1])
		if spoil != nil {
			b = spoil(at-1, try, b)
		}
		return b
	}
}

type sink struct{ bytes.Buffer }

func (*sink) Close() error { return nil }

func receive(next func([]byte) []byte, stream bool) (map[string][]byte, *script, error) {
	s := &script{clock: hal.NewSteppedClock(nil, time.Unix(0, 0)), next: next}
	got := map[string]*sink{}
	_, err := Receive(context.Background(), s, Opts{Clock: s.clock, Stream: stream, Open: func(f File) (io.WriteCloser, error) {
		got[f.Name] = &sink{}
		return got[f.Name], nil
	}})
	out := map[string][]byte{}
	for k, v := range got {
		out[k] = v.Bytes()
	}
	return out, s, err
}

func noise(n int) []byte {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestReceive(t *testing.T) {
	flip := func(at int) func(int, int, []byte) []byte {
		return func(step, try int, b []byte) []byte {
			if step == 2 && try == 0 {
				b[at] ^= 0x40
			}
			return b
		}
	}
	for _, c := range []struct {
		name  string
		n     int
		size  int
		spoil func(int, int, []byte) []byte
	}{
		{"1K", 5000, 1024, nil},
		{"128", 1000, 128, nil},
		{"over 255 blocks", 40_000, 128, nil},
		{"exactly a block", 1024, 1024, nil},
		{"a flipped byte", 5000, 1024, flip(500)},
		{"a flipped number", 5000, 1024, flip(1)},
		{"a flipped lead", 5000, 1024, flip(0)},
		{"half a block", 5000, 1024, func(step, try int, b []byte) []byte {
			if step == 3 && try == 0 {
				return b[:100]
			}
			return b
		}},
		{"lost blocks", 5000, 1024, func(step, try int, b []byte) []byte {
			if step%2 == 0 && try < 2 {
				return nil
			}
			return b
		}},
	} {
		want := noise(c.n)
		got, s, err := receive(sender(map[string][]byte{"a/b.swb": want}, c.size, c.spoil), false)
		if err != nil || !bytes.Equal(got["b.swb"], want) {
			t.Errorf("%s: %d bytes, %v; it sent %q", c.name, len(got["b.swb"]), err, s.all[max(0, len(s.all)-40):])
		}
	}
}

func TestEnds(t *testing.T) {
	good := sender(map[string][]byte{"x": noise(3000)}, 1024, nil)
	n := 0
	for name, c := range map[string]struct {
		next func([]byte) []byte
		want error
	}{
		"nobody sends": {func([]byte) []byte { return nil }, ErrLine},
		"cancelled":    {func(s []byte) []byte { return []byte{can, can} }, ErrCancelled},
		"only noise":   {func(s []byte) []byte { n++; return bytes.Repeat([]byte("~"), n%2*50) }, ErrLine},
		"stops midway": {func(s []byte) []byte {
			n++
			return map[bool]func([]byte) []byte{true: good, false: func([]byte) []byte { return nil }}[n < 4](s)
		}, ErrLine},
		"a wrong block": {func(s []byte) []byte {
			return [][]byte{packet(0, []byte("x\x009"), 128), packet(5, nil, 128)}[min(len(s)-1, 1)]
		}, ErrLine},
	} {
		n = 0
		if _, _, err := receive(c.next, false); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSilentEnd: the block that ends the batch never comes.
func TestSilentEnd(t *testing.T) {
	want, last := noise(3000), packet(0, nil, 128)
	s := sender(map[string][]byte{"x": want}, 1024, nil)
	got, _, err := receive(func(sent []byte) []byte {
		if b := s(sent); !bytes.Equal(b, last) {
			return b
		}
		return nil
	}, false)
	if err != nil || !bytes.Equal(got["x"], want) {
		t.Errorf("%d bytes, %v", len(got["x"]), err)
	}
}

// TestStrayACK: what a terminal said before the session was taken for an ACK, so
// the sender is one ahead: it does not repeat the end of the file.
func TestStrayACK(t *testing.T) {
	d := noise(100)
	steps := [][]byte{packet(0, []byte("a\x00100"), 128), packet(1, d, 128), {eot}, packet(0, nil, 128), nil}
	got, _, err := receive(func([]byte) []byte {
		b := steps[0]
		if len(steps) > 1 {
			steps = steps[1:]
		}
		return b
	}, false)
	if err != nil || !bytes.Equal(got["a"], d) {
		t.Errorf("%v, %d bytes", err, len(got["a"]))
	}
}

func TestHead(t *testing.T) {
	for _, c := range []struct {
		b    string
		want File
		ok   bool
	}{
		{"a.swb\x00123 15 100644", File{"a.swb", 123}, true},
		{"C:\\x\\a.swb\x00", File{"a.swb", -1}, true},
		{"../../etc/passwd\x005", File{"passwd", 5}, true},
		{"a\x00-5", File{}, false},
		{"a\x00x", File{}, false},
		{"a\x1b[2J\x001", File{}, false},
		{"dir/\x001", File{}, false},
		{strings.Repeat("n", 65) + "\x001", File{}, false},
	} {
		f, err := parseHead([]byte(c.b + strings.Repeat("\x00", 30)))
		if (err == nil) != c.ok || f != c.want {
			t.Errorf("%q: %+v %v", c.b, f, err)
		}
	}
}

// quick runs five times as fast: sb -g often leaves without a word.
type quick struct{ hal.SystemClock }

func (q quick) AfterFunc(d time.Duration, f func()) func() bool {
	return q.SystemClock.AfterFunc(d/5, f)
}

// TestSB: sb of lrzsz sends over a pseudo-terminal.
func TestSB(t *testing.T) {
	sb, err := exec.LookPath("sb")
	if err != nil {
		t.Skip("needs sb of lrzsz")
	}
	want := noise(50_000)
	path := filepath.Join(t.TempDir(), "build.swb")
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		args   []string
		stream bool
	}{{"128", nil, false}, {"1K", []string{"-k"}, false}, {"batch", []string{"-k", path}, false}, {"g", []string{"-k"}, true}} {
		pair, err := ttysim.Open(ttysim.Opts{})
		if err != nil {
			t.Skip(err)
		}
		tty, err := os.OpenFile(pair.Path(), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		cmd := exec.CommandContext(ctx, sb, append(c.args, path)...)
		cmd.Stdin, cmd.Stdout = tty, tty
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var got []*sink
		files, err := Receive(ctx, Stream(pair), Opts{Clock: quick{}, Stream: c.stream, Open: func(File) (io.WriteCloser, error) {
			got = append(got, &sink{})
			return got[len(got)-1], nil
		}})
		if err != nil || len(files) == 0 || files[0].Name != "build.swb" {
			t.Errorf("%s: %v %v", c.name, files, err)
		}
		for _, g := range got {
			if !bytes.Equal(g.Bytes(), want) {
				t.Errorf("%s: %d bytes", c.name, g.Len())
			}
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: sb: %v", c.name, err)
		}
		cancel()
		tty.Close()
		pair.Close()
	}
}

func FuzzReceive(f *testing.F) {
	f.Add(append(packet(0, []byte("a\x005"), 128), packet(1, []byte("hello"), 128)...))
	f.Add([]byte{eot, eot, can, can})
	f.Fuzz(func(t *testing.T, b []byte) {
		receive(func([]byte) []byte {
			n := min(len(b), 140)
			out := b[:n]
			b = b[n:]
			return out
		}, len(b)%2 == 0)
	})
}
