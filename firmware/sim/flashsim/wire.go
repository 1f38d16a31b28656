package flashsim

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"swipewell/drivers/tty/ttysim"
	"swipewell/hal"
)

// slot is how many bytes are looked at at once, as time: an adapter's latency.
const slot = 2 * time.Millisecond

// slack is how late a pump may wake without the line losing time, where nobody says
// when bytes were written: those that were there already were on the wire meanwhile. All that comes by time t is at most what
// the rate allows by t + slack.
const slack = 200 * time.Millisecond

// blocked is how long a read takes that had to wait for a byte. If none lay there
// before, the wire was idle.
const blocked = 300 * time.Microsecond

// wire is a cable that is plugged in.
type wire struct {
	clock hal.Clock
	pair  *ttysim.Pair
	ctx   context.Context
	stop  context.CancelFunc
	down  chan chunk // what arrived at the device
	up    chan item  // what it sends
	limit int
	wrote writes

	mu     sync.Mutex
	baud   int // of the device
	faults Faults
	dice   *rand.Rand
	sent   int64 // bytes that came from the laptop
}

// chunk of bytes whose last bit left the wire at this time.
type chunk struct {
	b  []byte
	at time.Duration
}

// writes are when the laptop wrote what is on its way, if it says so. A pty hands
// bytes on when the kernel gets round to it; a UART does not wait for that.
type writes struct {
	mu   sync.Mutex
	n    []int
	at   []time.Duration
	said bool
}

func (w *writes) add(n int, at time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n, w.at, w.said = append(w.n, n), append(w.at, at), true
}

// take gives when the last of the next n bytes was written.
func (w *writes) take(n int) (at time.Duration, said bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n > 0 && len(w.n) > 0 {
		k := min(n, w.n[0])
		at = w.at[0]
		n -= k
		if w.n[0] -= k; w.n[0] == 0 {
			w.n, w.at = w.n[1:], w.at[1:]
		}
	}
	return at, w.said
}

// item is bytes to send, or a rate to change to when all before has left.
type item struct {
	b    []byte
	baud int
}

func newWire(clock hal.Clock, link string, baud, limit int, f Faults) (*wire, error) {
	p, err := ttysim.Open(ttysim.Opts{Link: link, Clock: clock})
	if err != nil {
		return nil, err
	}
	w := &wire{clock: clock, pair: p, limit: limit, baud: baud, faults: f, down: make(chan chunk, 1024), up: make(chan item, 1024), dice: rand.New(rand.NewPCG(f.Seed, 7))}
	w.ctx, w.stop = context.WithCancel(context.Background())
	go w.pumpDown()
	go w.pumpUp()
	return w, nil
}

// pull takes the cable out: what was on its way is gone.
func (w *wire) pull() {
	w.stop()
	w.pair.Close()
}

func (w *wire) rate() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.baud
}

func (w *wire) setBaud(baud int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.baud = baud
}

func (w *wire) pumpDown() {
	defer close(w.down)
	pump(w.ctx, w.clock, w.pair, w.rate, &w.wrote, func(b []byte, at time.Duration) error {
		select {
		case w.down <- chunk{w.spoil(b, true), at}:
			return nil
		case <-w.ctx.Done():
			return w.ctx.Err()
		}
	})
}

// pump is one direction of a wire: what is read from r is handed on once its last
// bit has left, at 10 bits a byte of the rate. It ends with r, ctx or out.
func pump(ctx context.Context, clock hal.Clock, r *ttysim.Pair, rate func() int, wrote *writes, out func(b []byte, at time.Duration) error) {
	var free time.Duration
	for {
		perByte := 10 * time.Second / time.Duration(rate())
		b := make([]byte, max(1, int(slot/perByte)))
		before, empty := clock.Now().Boot, r.Waiting() == 0
		n, err := r.Read(b)
		if err != nil {
			return
		}
		now := clock.Now().Boot
		at, said := wrote.take(n)
		switch {
		case said:
			free = max(free, at)
		case empty && now-before > blocked:
			free = max(free, now)
		default:
			free = max(free, now-slack)
		}
		free += time.Duration(n) * perByte
		if hal.Sleep(ctx, clock, free-now) != nil || out(b[:n], free) != nil {
			return
		}
	}
}

func (w *wire) pumpUp() {
	var free time.Duration
	for {
		select {
		case i := <-w.up:
			if i.baud != 0 {
				w.setBaud(i.baud)
				continue
			}
			now := w.clock.Now().Boot
			free = max(free, now) + time.Duration(len(i.b))*10*time.Second/time.Duration(w.rate())
			if hal.Sleep(w.ctx, w.clock, free-now) != nil {
				return
			}
			if _, err := w.pair.Write(w.spoil(i.b, false)); err != nil {
				return
			}
		case <-w.ctx.Done():
			return
		}
	}
}

// spoil is what becomes of bytes on the way.
func (w *wire) spoil(b []byte, down bool) []byte {
	port, err := w.pair.Baud()
	w.mu.Lock()
	defer w.mu.Unlock()
	if down {
		w.sent += int64(len(b))
	}
	if err != nil || port != w.baud || w.limit > 0 && w.baud > w.limit {
		out := make([]byte, len(b))
		for i := range out {
			out[i] = byte(w.dice.Uint32())
		}
		return out
	}
	if w.baud < w.faults.From || w.sent < w.faults.After {
		return b
	}
	return w.faults.spoil(w.dice, b)
}

// spoil turns bits over and drops bytes.
func (f Faults) spoil(dice *rand.Rand, b []byte) []byte {
	if f.Hit <= 0 && f.Drop <= 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for _, c := range b {
		switch {
		case dice.Float64() < f.Drop/frameBytes:
			continue
		case dice.Float64() < f.Hit/frameBytes:
			c ^= 1 << dice.IntN(8)
		}
		out = append(out, c)
	}
	return out
}

// Relay is the same wire between two programs that others wrote: each opens one of
// the two ports. Faults are those of the way from a to b. It ends with ctx.
func Relay(ctx context.Context, clock hal.Clock, baud int, f Faults) (a, b string, err error) {
	near, err := ttysim.Open(ttysim.Opts{})
	if err != nil {
		return "", "", err
	}
	far, err := ttysim.Open(ttysim.Opts{})
	if err != nil {
		near.Close()
		return "", "", err
	}
	context.AfterFunc(ctx, func() { near.Close(); far.Close() })
	rate := func() int { return baud }
	dice := rand.New(rand.NewPCG(f.Seed, 7))
	go pump(ctx, clock, near, rate, &writes{}, func(p []byte, _ time.Duration) error { _, err := far.Write(f.spoil(dice, p)); return err })
	go pump(ctx, clock, far, rate, &writes{}, func(p []byte, _ time.Duration) error { _, err := near.Write(p); return err })
	return near.Path(), far.Path(), nil
}

// frameBytes of a full frame of data on the line.
const frameBytes = 1041
