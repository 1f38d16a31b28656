package cardsim

import (
	"container/heap"
	"context"
	"errors"
	"math/bits"
	"time"

	"swipewell/drivers/tty"
	"swipewell/hal"
)

// Wire is a slot in virtual time for one goroutine: the driver's port,
// contacts and clock in one. Whoever waits on it moves its time.
type Wire struct {
	Machine  Machine // the card that is in, or will be
	In       bool    // it is in the slot
	Shorted  bool    // metal holds the I/O line down
	Echoless bool    // the receiver is off while the port sends
	// RemoveAt takes the card out after so many of its characters (0: never).
	RemoveAt int

	Baud    int
	Odd     bool
	Stop    int
	Powered bool
	Clocked bool
	High    bool // RST

	Sent, Got int // characters to and from the card
	// Shortest pause in etu between the beginnings of the card's last character
	// and the terminal's next, and of two of the terminal's; 0: none yet.
	MinTurn, MinGuard float64
	Collisions        int

	now    time.Duration
	events events
	seq    int
	rx     []rxChar
	free   time.Duration // the line is free from then on
	start  time.Duration // when the last character began
	mine   bool          // it was the terminal's
	warm   bool          // there was a reset since the power came
	epoch  int           // characters of an earlier power-on do not arrive
}

type rxChar struct {
	b   byte
	bad bool
}

type event struct {
	at  time.Duration
	seq int
	f   func()
	pos int
}

type events []*event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i]; e[i].pos, e[j].pos = i, j }
func (e *events) Push(x any)   { v := x.(*event); v.pos = len(*e); *e = append(*e, v) }
func (e *events) Pop() any {
	old := *e
	v := old[len(old)-1]
	*e, v.pos = old[:len(old)-1], -1
	return v
}

// Now is virtual time; the wall stands at 2026.
func (w *Wire) Now() hal.Instant {
	return hal.Instant{Wall: time.Unix(1_780_000_000, 0).Add(w.now), Boot: w.now}
}

// AfterFunc calls f in place when the time is moved past it.
func (w *Wire) AfterFunc(d time.Duration, f func()) func() bool {
	e := w.after(d, f)
	return func() bool {
		if e.pos < 0 {
			return false
		}
		heap.Remove(&w.events, e.pos)
		return true
	}
}

func (w *Wire) after(d time.Duration, f func()) *event {
	w.seq++
	e := &event{at: w.now + max(d, 0), seq: w.seq, f: f}
	heap.Push(&w.events, e)
	return e
}

// step runs the next event.
func (w *Wire) step() bool {
	if len(w.events) == 0 {
		return false
	}
	e := heap.Pop(&w.events).(*event)
	w.now = max(w.now, e.at)
	e.f()
	return true
}

// Pass lets d go by.
func (w *Wire) Pass(d time.Duration) {
	over := false
	w.after(d, func() { over = true })
	for !over {
		w.step()
	}
}

// Sleep moves the time by d. hal.Sleeper.
func (w *Wire) Sleep(ctx context.Context, d time.Duration) error {
	w.Pass(d)
	return ctx.Err()
}

var errNever = errors.New("cardsim: nothing will ever come")

// Read hands out what has arrived, or moves the time to the next event.
func (w *Wire) Read(ctx context.Context, b []byte) (int, error) {
	for len(w.rx) == 0 {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if !w.step() {
			return 0, errNever
		}
	}
	n := 0
	for n < len(b) && len(w.rx) > 0 {
		c := w.rx[0]
		w.rx = w.rx[1:]
		b[n] = c.b
		n++
		if c.bad {
			return n, &tty.ParityError{Offset: n - 1}
		}
	}
	return n, nil
}

// uart is when a UART hands a character out: in its stop bit.
const uart = 10.5

func (w *Wire) etu() time.Duration { return time.Second / time.Duration(max(w.Baud, 1)) }

func turned(b byte) byte { return ^bits.Reverse8(b) }

// Write puts characters on the line, one behind the other, and does not wait.
func (w *Wire) Write(ctx context.Context, b []byte) (int, error) {
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	etu := w.etu()
	for _, c := range b {
		at := max(w.now, w.free)
		if w.free > w.now && !w.mine {
			w.Collisions++
		}
		if gap := float64(at-w.start) / float64(etu); w.start > 0 {
			if w.mine && (w.MinGuard == 0 || gap < w.MinGuard) {
				w.MinGuard = gap
			} else if !w.mine && (w.MinTurn == 0 || gap < w.MinTurn) {
				w.MinTurn = gap
			}
		}
		w.start, w.mine = at, true
		w.free = at + time.Duration(10+w.Stop)*etu
		odd, epoch := w.Odd, w.epoch
		w.after(at-w.now+time.Duration(uart*float64(etu)), func() { w.arrive(c, odd, etu, epoch) })
	}
	return len(b), nil
}

// arrive is a character of the terminal at the card, and its echo.
func (w *Wire) arrive(c byte, odd bool, etu time.Duration, epoch int) {
	w.Sent++
	switch {
	case w.Echoless:
	case w.Shorted:
		w.rx = append(w.rx, rxChar{0, true})
	default:
		w.rx = append(w.rx, rxChar{c, false})
	}
	if !w.alive() || epoch != w.epoch || w.Shorted {
		return
	}
	l := w.Machine.Line()
	bad := odd != l.Inverse || !near(etu, l.ETU())
	if l.Inverse {
		c = turned(c)
	}
	least := 16
	if l.Block {
		least = 22
	}
	w.schedule(w.Machine.Receive(c, bad, w.now), l, least)
}

func near(a, b time.Duration) bool { return a > b*97/100 && a < b*103/100 }

func (w *Wire) alive() bool { return w.In && w.Powered && w.Clocked && w.High && w.Machine != nil }

// schedule puts the card's characters on the line, one after the other.
func (w *Wire) schedule(out []Char, l Line, least int) {
	if len(out) == 0 {
		return
	}
	etu, epoch := l.ETU(), w.epoch
	// The line's last character began at start, whoever's it was.
	at := max(w.start+time.Duration(max(least, out[0].Gap))*etu, w.now)
	w.after(at-w.now, func() {
		if epoch == w.epoch && w.alive() {
			w.begin(out, l)
		}
	})
}

// begin is the moment at which the first of the card's characters starts.
func (w *Wire) begin(out []Char, l Line) {
	each := 12
	if l.Block {
		each = 11
	}
	c, etu, epoch := out[0], l.ETU(), w.epoch
	if w.mine && w.free > w.now {
		w.Collisions++
		c.Bad = true
	}
	w.start, w.mine, w.free = w.now, false, w.now+time.Duration(each)*etu
	w.after(time.Duration(uart*float64(etu)), func() {
		if epoch != w.epoch || !w.alive() {
			return
		}
		w.Got++
		b := c.B
		if l.Inverse {
			b = turned(b)
		}
		w.rx = append(w.rx, rxChar{b, c.Bad != (w.Odd != l.Inverse) || !near(w.etu(), etu)})
		if w.RemoveAt > 0 && w.Got == w.RemoveAt {
			w.In = false
		}
	})
	w.schedule(out[1:], l, each)
}

// Drain lets the time pass that what was written needs.
func (w *Wire) Drain(context.Context) error {
	if w.mine && w.free > w.now {
		w.Pass(w.free - w.now)
	}
	return nil
}

// FlushInput drops what has arrived.
func (w *Wire) FlushInput() error { w.rx = nil; return nil }

// SetBaud sets the rate of the port.
func (w *Wire) SetBaud(baud int) error { w.Baud = baud; return nil }

// SetFrame sets parity and stop bits of the port.
func (w *Wire) SetFrame(p tty.Parity, stop int) error {
	w.Odd, w.Stop = p == tty.ParityOdd, stop
	return nil
}

func (w *Wire) String() string { return "wire" }

// VCC switches the supply.
func (w *Wire) VCC(on bool) error {
	w.epoch++
	w.Powered, w.warm = on, false
	return nil
}

// CLK switches the card's clock.
func (w *Wire) CLK(on bool) error { w.Clocked = on; return nil }

// RST moves the reset contact; its rise is the reset, and a second one under
// the same supply is a warm one.
func (w *Wire) RST(high bool) error {
	rise := high && !w.High
	w.High = high
	w.epoch++
	switch {
	case !rise || !w.alive():
	case w.Shorted:
		w.after(400*time.Microsecond, func() { w.rx = append(w.rx, rxChar{0, true}) })
	default:
		warm := w.warm
		w.warm = true
		out := w.Machine.Reset(warm)
		l := atReset(w.Machine.Line().Inverse)
		w.start, w.mine = w.now, false
		w.schedule(out, l, 10) // 3,720 cycles after the rise
	}
	return nil
}

// Present is the switch.
func (w *Wire) Present() (bool, error) { return w.In, nil }

// Wait moves the time until the switch equals present.
func (w *Wire) Wait(ctx context.Context, present bool) error {
	for w.In != present {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !w.step() {
			return errNever
		}
	}
	return nil
}
