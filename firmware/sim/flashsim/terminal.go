package flashsim

import (
	"encoding/hex"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"swipewell/firmware/update"
	"swipewell/firmware/update/flashwire"
	"swipewell/firmware/update/updatesim"
	"swipewell/hal"
)

// Faults of a cable: chances for a frame of 1 KiB to have a bit turned over, and
// to lose a byte.
type Faults struct {
	Hit, Drop float64
	From      int   // baud; slower, the cable is clean. 0: always
	After     int64 // bytes on the wire that are clean
	Seed      uint64
}

// Trial is what becomes of a build on trial.
type Trial int

const (
	Healthy Trial = iota // it confirms itself after Opts.Settle
	Crashes              // it ends at each start
	Endless              // it neither confirms nor ends
)

// Opts of a terminal. Link, Slots must be there.
type Opts struct {
	Link   string // of the port, as the laptop opens it
	Slots  *updatesim.Slots
	Room   int64     // of the inbox
	Clock  hal.Clock // nil: the machine's
	Serial string
	Safe   int   // baud; 0: 115200
	Rates  []int // that it can
	Limit  int   // above it the cable gives garbage; 0: none
	Faults Faults
	Trial  Trial
	Settle time.Duration
	// NoRestart: the program cannot end itself, as before this frame was there.
	NoRestart bool
	// NoBlocks: the program does not know the question which blocks it has.
	NoBlocks bool
	Chatter  bool // the console prints between frames
}

// Terminal is the device. Its methods may be called at any time.
type Terminal struct {
	o     Opts
	clock hal.Clock

	plugged atomic.Pointer[wire]
	mu      sync.Mutex
	w       *wire
	dev     *update.Device
	inbox   *update.Inbox
	medium  updatesim.Memory
	running update.Slot
	state   flashwire.State
	why     string
	fw      *flashwire.Device
	rate    *flashwire.RateDevice
	split   flashwire.Splitter
	heard   time.Duration
	again   time.Duration // when it starts again; 0: not
	healthy time.Duration // when it confirms itself; 0: not
	frames  int
	notes   []flashwire.Service
	starts  int
	deaf    bool
	pullAt  []int64 // bytes of data on the wire at which the cable is pulled
	pulls   int
	onPull  func()
	came    int64         // bytes over all cables
	first   time.Duration // when the first frame of data was there; 0: none yet
	last    time.Duration // when the last was
}

// New starts the terminal, without a cable.
func New(o Opts) (*Terminal, error) {
	if o.Clock == nil {
		o.Clock = hal.SystemClock{}
	}
	if o.Safe == 0 {
		o.Safe = 115_200
	}
	t := &Terminal{o: o, clock: o.Clock}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t, t.start()
}

// start is the loader and the start of what it chose.
func (t *Terminal) start() error {
	running, err := t.o.Slots.Boot()
	if err != nil {
		return err
	}
	t.starts++
	t.running, t.dev = running, t.o.Slots.Device(running)
	t.again, t.healthy, t.split = 0, 0, flashwire.Splitter{}
	state, _, err := t.dev.Started()
	if err != nil {
		return err
	}
	now := t.clock.Now().Boot
	switch state {
	case update.Trying:
		t.state = flashwire.Trying
		switch t.o.Trial {
		case Healthy:
			t.healthy = now + t.o.Settle
		case Crashes:
			t.again = now + bootTime
		}
	case update.RolledBack:
		t.state, t.why = flashwire.RolledBack, "it ended before it was healthy"
	default:
		t.state = flashwire.Settled
	}
	t.inbox = update.NewInbox(t.dev, &t.medium, t.o.Room)
	t.rate = &flashwire.RateDevice{Safe: t.o.Safe, Can: func(baud int) bool { return baud == t.o.Safe || slices.Contains(t.o.Rates, baud) }}
	t.fw = &flashwire.Device{Inbox: t.inbox, Who: "service", Facts: t.facts, Try: t.dev.Try, Note: func(s flashwire.Service) error {
		t.notes = append(t.notes, s)
		return nil
	}}
	if !t.o.NoBlocks {
		t.fw.Has = t.dev.Has
	}
	if !t.o.NoRestart {
		t.fw.Restart = func() error { t.again = t.clock.Now().Boot + bootTime; return nil }
	}
	if t.w != nil {
		t.w.setBaud(t.o.Safe)
		t.send([]byte("\r\nswipewell\r\nswipewell> "))
	}
	return nil
}

// bootTime is what an end of the program and a start take.
const bootTime = 150 * time.Millisecond

func (t *Terminal) facts() flashwire.Facts {
	r, err := t.dev.Record()
	if err != nil {
		return flashwire.Facts{}
	}
	image := func(s update.Slot) (version, sum string) {
		if r.Images[s].Size == 0 {
			return "", ""
		}
		return r.Images[s].Version.String(), hex.EncodeToString(r.Images[s].Sum[:])
	}
	f := flashwire.Facts{Product: updatesim.Product, Board: updatesim.Board, Serial: t.o.Serial, Floor: r.Floor.String(), Rates: t.o.Rates, State: t.state, Why: t.why}
	f.Version, f.Running = image(t.running)
	_, f.Other = image(t.running.Other())
	if r.Trial == t.running.Other() {
		f.State = flashwire.Pending
	}
	return f
}

func (t *Terminal) send(b []byte) {
	select {
	case t.w.up <- item{b: b}:
	default: // nobody reads it
	}
}

// Plug puts the cable in.
func (t *Terminal) Plug() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.o.Faults
	f.Seed += uint64(t.pulls)
	w, err := newWire(t.clock, t.o.Link, t.rate.Rate(), t.o.Limit, f)
	if err != nil {
		return err
	}
	t.w, t.split = w, flashwire.Splitter{}
	t.plugged.Store(w)
	go t.serve(w)
	return nil
}

// Pull takes it out.
func (t *Terminal) Pull() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pull()
}

func (t *Terminal) pull() {
	if t.w != nil {
		t.w.pull()
		t.came += t.w.count()
		t.w = nil
		t.pulls++
	}
}

func (w *wire) count() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent
}

// PullAt pulls the cable by itself when so many bytes have come over all cables,
// each time, and calls then.
func (t *Terminal) PullAt(at []int64, then func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pullAt, t.onPull = at, then
}

// Deaf lets the terminal neither hear nor answer, as if the switch of the cable
// were turned; the port stays.
func (t *Terminal) Deaf(deaf bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deaf = deaf
}

// Claim lets another port send to the inbox.
func (t *Terminal) Claim(who string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.inbox.Claim(who)
}

// PowerCycle is the switch of the terminal, off and on.
func (t *Terminal) PowerCycle() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.start()
}

// Facts of the terminal now.
func (t *Terminal) Facts() flashwire.Facts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.facts()
}

// Notes are the service records that it was given.
func (t *Terminal) Notes() []flashwire.Service {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.notes)
}

// Came is how many bytes the laptop has put on the wire, over all cables.
func (t *Terminal) Came() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.w == nil {
		return t.came
	}
	return t.came + t.w.count()
}

// Wrote is told by the laptop's port, before it writes n bytes: the wire runs from
// then on, whenever the pseudo-terminal hands them over. Without it the wire runs
// from when they are handed over.
func (t *Terminal) Wrote(n int) {
	if w := t.plugged.Load(); w != nil {
		w.wrote.add(n, t.clock.Now().Boot)
	}
}

// Span is the time of the wire from the end of the first frame of data that arrived
// whole to the end of the last one.
func (t *Terminal) Span() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last - t.first
}

// Rate that the terminal has now, baud.
func (t *Terminal) Rate() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rate.Rate()
}

// Close ends it.
func (t *Terminal) Close() { t.Pull() }

// serve is the program while a cable is in.
func (t *Terminal) serve(w *wire) {
	for {
		fired, stop := hal.After(t.clock, t.next(w))
		select {
		case b, ok := <-w.down:
			stop()
			if !ok {
				return
			}
			t.take(w, b.b, b.at)
		case <-fired:
		}
	}
}

// next does what is due and says how long until the next.
func (t *Terminal) next(w *wire) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now().Boot
	if t.w != w {
		return time.Hour
	}
	if t.again != 0 && now >= t.again {
		if t.start() != nil {
			t.deaf = true // it hangs
		}
	}
	if t.healthy != 0 && now >= t.healthy {
		t.healthy = 0
		if t.dev.Confirm() == nil {
			t.state = flashwire.Settled
		}
	}
	if t.heard != 0 && now > t.heard+flashwire.IdleWait {
		t.heard = 0
		t.fw.Idle()
	}
	for {
		a := t.rate.Next(now)
		switch {
		case a.Send != nil:
			t.send(a.Send)
		case a.Baud != 0:
			select {
			case w.up <- item{baud: a.Baud}:
			default:
			}
		default:
			wake := now + 50*time.Millisecond
			if a.Wait != 0 {
				wake = min(wake, a.Wait)
			}
			return max(wake-now, time.Millisecond)
		}
	}
}

// take hears bytes. While the program starts it hears nothing.
func (t *Terminal) take(w *wire, b []byte, at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.w != w {
		return
	}
	if len(t.pullAt) > 0 && t.came+w.count() >= t.pullAt[0] {
		t.pullAt = t.pullAt[1:]
		t.pull()
		if t.onPull != nil {
			go t.onPull()
		}
		return
	}
	if t.deaf || t.again != 0 {
		return
	}
	t.split.Feed(b, func(f flashwire.Frame) {
		t.heard = t.clock.Now().Boot
		if f.Type == flashwire.Data {
			if t.first == 0 {
				t.first = at
			}
			t.last = at
		}
		if t.again != 0 {
			return
		}
		for _, out := range t.fw.Got(f) {
			t.send(out)
		}
		t.rate.Got(f, t.clock.Now().Boot)
		if t.frames++; t.o.Chatter && t.frames%20 == 0 {
			t.send([]byte("\r12:00:01 link up\r\nswipewell> "))
		}
	}, t.fw.Damaged)
	t.split.Text = t.split.Text[:0]
}
