package ttysim

import (
	"context"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"swipewell/hal"
)

// bitsPerByte on a line of 8N1: start, eight data bits, stop.
const bitsPerByte = 10

// slot is how long a paced chunk lasts at most: short against what a person
// or a time-out sees, long against a timer's grain.
const slot = 5 * time.Millisecond

// Faults make a line bad. The zero value is a perfect, infinitely fast one.
type Faults struct {
	Drop  float64       // share of bytes that vanish, 0..1
	Flip  float64       // share of bytes with one bit turned over, 0..1
	Split int           // at most so many bytes at a time; 0 = as they come
	Delay time.Duration // before each Write and after each Read
	Baud  int           // pacing at 10 bits a byte; 0 = none
	Seed  uint64        // of the dice of Drop and Flip
}

// Line is a byte stream with faults. Each direction is used by one caller at a
// time; others wait.
type Line struct {
	rw    io.ReadWriter
	clock hal.Clock
	ctx   context.Context // ends with Close
	stop  context.CancelFunc

	in, out way

	mu  sync.Mutex
	f   Faults
	rnd *rand.Rand
}

// way is one direction: when its wire is free again, in boottime.
type way struct {
	mu   sync.Mutex
	free time.Duration
}

// Wrap puts the faults onto a stream, both ways. clock nil is the machine's own.
func (f Faults) Wrap(rw io.ReadWriter, clock hal.Clock) *Line {
	if clock == nil {
		clock = hal.SystemClock{}
	}
	l := &Line{rw: rw, clock: clock}
	l.ctx, l.stop = context.WithCancel(context.Background())
	l.Set(f)
	return l
}

// Set changes the faults from the next Read and Write on.
func (l *Line) Set(f Faults) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.f, l.rnd = f, rand.New(rand.NewPCG(f.Seed, 1))
}

// Close ends whoever waits for the line's pace; it does not close the stream.
func (l *Line) Close() error { l.stop(); return nil }

// Read hands out what arrived, once its last bit has. All bytes dropped is not
// a Read: it waits for the next.
func (l *Line) Read(b []byte) (int, error) {
	l.in.mu.Lock()
	defer l.in.mu.Unlock()
	for {
		f := l.faults()
		n, err := l.rw.Read(b[:f.chunk(len(b))])
		if n > 0 {
			// What was read is handed out even if the line ends meanwhile.
			l.in.pace(l, f, n)
			if l.wait(f.Delay) == nil {
				n = copy(b, l.spoil(b[:n]))
			}
		}
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
	}
}

// Write puts b on the line. n counts what the writer has sent, whatever
// becomes of it on the way.
func (l *Line) Write(b []byte) (n int, err error) {
	l.out.mu.Lock()
	defer l.out.mu.Unlock()
	if err := l.wait(l.faults().Delay); err != nil {
		return 0, err
	}
	for n < len(b) {
		f := l.faults()
		size := f.chunk(len(b) - n)
		if err := l.out.pace(l, f, size); err != nil {
			return n, err
		}
		// A copy: the caller's bytes stay as they are.
		sent := l.spoil(append([]byte(nil), b[n:n+size]...))
		if _, err := l.rw.Write(sent); err != nil {
			return n, err
		}
		n += size
	}
	return n, nil
}

func (l *Line) faults() Faults {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f
}

// chunk is how many of n bytes go at once.
func (f Faults) chunk(n int) int {
	if f.Split > 0 {
		n = min(n, f.Split)
	}
	if f.Baud > 0 {
		n = min(n, max(1, int(slot*time.Duration(f.Baud)/bitsPerByte/time.Second)))
	}
	return n
}

// pace waits until n bytes have crossed the wire. The times add up without
// drift while the wire is busy.
func (w *way) pace(l *Line, f Faults, n int) error {
	if f.Baud <= 0 {
		return nil
	}
	now := l.clock.Now().Boot
	w.free = max(w.free, now) + time.Duration(n)*bitsPerByte*time.Second/time.Duration(f.Baud)
	return l.wait(w.free - now)
}

func (l *Line) wait(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if err := hal.Sleep(l.ctx, l.clock, d); err != nil {
		return io.EOF // the line was closed
	}
	return nil
}

// spoil drops and flips in place.
func (l *Line) spoil(b []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f.Drop <= 0 && l.f.Flip <= 0 {
		return b
	}
	out := b[:0]
	for _, c := range b {
		if l.rnd.Float64() < l.f.Drop {
			continue
		}
		if l.rnd.Float64() < l.f.Flip {
			c ^= 1 << l.rnd.IntN(8)
		}
		out = append(out, c)
	}
	return out
}
