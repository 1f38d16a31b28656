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

// slack is how late a pump may wake without the line losing time: bytes that were
// there already were on the wire meanwhile. All that comes by time t is at most what
// the rate allows by t + slack.
const slack = 20 * time.Millisecond

// blocked is how long a read takes that had to wait for a byte: the wire was idle.
const blocked = 300 * time.Microsecond

// wire is a cable that is plugged in.
type wire struct {
	clock hal.Clock
	pair  *ttysim.Pair
	ctx   context.Context
	stop  context.CancelFunc
	down  chan []byte // what arrived at the device
	up    chan item   // what it sends
	limit int

	mu     sync.Mutex
	baud   int // of the device
	faults Faults
	dice   *rand.Rand
	sent   int64 // bytes that came from the laptop
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
	w := &wire{clock: clock, pair: p, limit: limit, baud: baud, faults: f, down: make(chan []byte, 1024), up: make(chan item, 1024), dice: rand.New(rand.NewPCG(f.Seed, 7))}
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
	var free time.Duration
	for {
		perByte := 10 * time.Second / time.Duration(w.rate())
		b := make([]byte, max(1, int(slot/perByte)))
		before := w.clock.Now().Boot
		n, err := w.pair.Read(b)
		if err != nil {
			return
		}
		now := w.clock.Now().Boot
		if now-before > blocked {
			free = max(free, now)
		}
		free = max(free, now-slack) + time.Duration(n)*perByte
		if hal.Sleep(w.ctx, w.clock, free-now) != nil {
			return
		}
		select {
		case w.down <- w.spoil(b[:n], true):
		case <-w.ctx.Done():
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
	garbage := err != nil || port != w.baud || w.limit > 0 && w.baud > w.limit
	if !garbage && w.faults.Hit <= 0 && w.faults.Drop <= 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for _, c := range b {
		switch {
		case garbage:
			c = byte(w.dice.Uint32())
		case w.dice.Float64() < w.faults.Drop/frameBytes:
			continue
		case w.dice.Float64() < w.faults.Hit/frameBytes:
			c ^= 1 << w.dice.IntN(8)
		}
		out = append(out, c)
	}
	return out
}

// frameBytes of a full frame of data on the line.
const frameBytes = 1041
