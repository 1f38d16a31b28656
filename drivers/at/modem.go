package at

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"swipewell/hal"
)

// Port is the modem's serial port; tty.Port is one.
type Port interface {
	Read(ctx context.Context, b []byte) (int, error)
	Write(ctx context.Context, b []byte) (int, error)
	Close() error
}

// Mode is how a socket hands its bytes over. QTCP §1.4.
type Mode string

const (
	Push        Mode = "push"        // data comes with its indication (the default)
	Buffer      Mode = "buffer"      // AT+QIRD fetches it
	Transparent Mode = "transparent" // the port becomes the socket
)

// number is <access_mode> of AT+QIOPEN. QTCP §2.3.1.
func (m Mode) number() int {
	switch m {
	case Buffer:
		return 0
	case Transparent:
		return 2
	}
	return 1
}

// Lines are what a board may wire to a modem beside its port; a nil field is
// not fitted.
type Lines struct {
	DTR   func(on bool) error
	Reset func() error // pulls RESET for 100–450 ms (OFONO)
	Power func() error // PWRKEY: off with 650–750 ms, on with 100–500 ms (OFONO)
}

// Event is something the log should know: Step is a short constant-like word
// ("ready", "ladder CFUN", "link up"), never payload.
type Event struct {
	Step string
	Err  error
}

func (e Event) String() string {
	if e.Err != nil {
		return e.Step + ": " + e.Err.Error()
	}
	return e.Step
}

// Opts of New. Clock is needed; zero durations are the values in brackets.
type Opts struct {
	Clock          hal.Clock
	Name           string // "4g"
	APN            string // "CMNET"
	User, Password string // of the APN; none if empty
	Mode           Mode
	Lines          Lines
	// Reopen opens the port again after a hang-up; nil: the port stays lost.
	Reopen func() (Port, error)
	// Observe is called from the owner goroutine and must return at once.
	Observe func(Event)

	Reply       time.Duration // for the final result of a plain command (1 s)
	Probe       time.Duration // for a probe of the recovery ladder (400 ms)
	Boot        time.Duration // from a reset to RDY (20 s; an EG25 needs 12)
	Register    time.Duration // that a Dial waits for a registration (5 s)
	Open        time.Duration // for +QIOPEN (150 s; the Dial's context is shorter)
	SignalEvery time.Duration // between looks at the signal (60 s)
}

func (o *Opts) complete() error {
	if o.Clock == nil {
		return errors.New("at: a clock is needed")
	}
	switch o.Mode {
	case "":
		o.Mode = Push
	case Push, Buffer, Transparent:
	default:
		return errors.New("at: mode is push, buffer or transparent")
	}
	if o.APN == "" {
		o.APN = "CMNET"
	}
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.Reply, time.Second)
	def(&o.Probe, 400*time.Millisecond)
	def(&o.Boot, 20*time.Second)
	def(&o.Register, 5*time.Second)
	def(&o.Open, 150*time.Second)
	def(&o.SignalEvery, time.Minute)
	return nil
}

// Modem is a hal.Dialer and hal.Signaler.
type Modem struct {
	o      Opts
	ctx    context.Context // ends with Halt
	cancel context.CancelFunc
	ended  chan struct{}
	jobs   chan *job
	wake   chan struct{} // chores may be due: a link was closed or read from
	in     chan chunk

	signal atomic.Pointer[hal.Signal]
	doing  atomic.Int32 // hal.LinkCause if what is being done takes too long
	busy   atomic.Bool
	stir   atomic.Uint64

	mu    sync.Mutex // guards links, for Halt's and Close's sake
	links map[int]*link

	// All below belongs to the owner goroutine alone.
	port    Port
	gen     int   // of the port; chunks of an older one are dropped
	lost    error // why there is no port
	parser  Parser
	reply   reply
	boots   int         // RDYs seen
	heard   int         // chunks that came from the port
	epoch   int         // counts what undid the set-up: restarts, ATZ
	ready   bool        // initialised since the last start
	data    bool        // the packet data context is active
	deact   bool        // the network took it away
	gone    bool        // the ladder is at its end
	waits   int         // entries of the wait table used
	due     [3]due      // alarms
	stats   [3]int      // registration: CREG, CGREG, CEREG
	opened  map[int]int // results of +QIOPEN
	raw     *link       // the link in transparent mode
	flushAt time.Duration
	owed    int // bytes that the modem may still want behind a late prompt
	sentAt  time.Duration
}

// due is one alarm of the owner: at is a boottime, 0 = off.
type due struct{ at time.Duration }

const (
	dueSignal = iota // look at the signal
	dueRetry         // bring the modem up, or open the port again
	dueLadder        // climb the ladder again
)

// New takes a port, which may be nil if o.Reopen can open it, and brings the
// modem up in the background.
func New(port Port, o Opts) (*Modem, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if port == nil && o.Reopen == nil {
		return nil, errors.New("at: a port is needed")
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &Modem{o: o, ctx: ctx, cancel: cancel, ended: make(chan struct{}), jobs: make(chan *job), wake: make(chan struct{}, 1),
		in: make(chan chunk, 16), links: map[int]*link{}, opened: map[int]int{}, lost: errors.New("not opened yet")}
	m.signal.Store(&hal.Signal{CSQ: 99})
	m.doing.Store(int32(hal.CauseModemSilent))
	m.busy.Store(true)
	if port != nil {
		m.attach(port)
	}
	go m.own()
	return m, nil
}

func (m *Modem) String() string {
	if m.o.Name == "" {
		return "at"
	}
	return "at (" + m.o.Name + ")"
}

// Signal is the last known reading.
func (m *Modem) Signal() hal.Signal { return *m.signal.Load() }

// Busy tells whether the owner talks to the modem or recovers it just now, and
// Stir counts what it has done: together they tell a bench when it is idle.
func (m *Modem) Busy() (busy bool, stir uint64) { return m.busy.Load(), m.stir.Load() }

// Halt closes all links and the port.
func (m *Modem) Halt() error {
	m.cancel()
	<-m.ended
	return nil
}

// Close is Halt.
func (m *Modem) Close() error { return m.Halt() }

// job is work for the owner. It is handed over unbuffered: either the owner
// runs it, or nobody ever does.
type job struct {
	run  func()
	done chan struct{}
}

// do runs f on the owner and returns when it is done; with an error f has not
// run and never will. f has to watch ctx by itself.
func (m *Modem) do(ctx context.Context, f func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{run: f, done: make(chan struct{})}
	select {
	case m.jobs <- j:
		<-j.done
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-m.ended:
		return ErrHalted
	}
}

// own is the owner: one thing at a time, and what the modem said first.
func (m *Modem) own() {
	defer close(m.ended)
	defer m.leave()
	m.set(dueSignal, m.o.SignalEvery)
	m.set(dueRetry, 0)
	for m.ctx.Err() == nil {
		m.busy.Store(true)
		if m.chores() {
			m.stir.Add(1)
			continue
		}
		m.busy.Store(false)
		alarm, stop := m.alarm()
		select {
		case c := <-m.in:
			m.busy.Store(true)
			m.feed(c)
		case j := <-m.jobs:
			m.busy.Store(true)
			j.run()
			m.busy.Store(true)
			close(j.done)
		case <-m.wake:
		case <-alarm:
		case <-m.ctx.Done():
		}
		m.stir.Add(1)
		stop()
	}
}

func (m *Modem) now() time.Duration { return m.o.Clock.Now().Boot }

func (m *Modem) set(i int, d time.Duration) { m.due[i].at = m.now() + max(d, time.Nanosecond) }

// reached tells whether an alarm is due, and turns it off.
func (m *Modem) reached(i int) bool {
	if at := m.due[i].at; at == 0 || m.now() < at {
		return false
	}
	m.due[i].at = 0
	return true
}

// alarm is the channel of the earliest alarm.
func (m *Modem) alarm() (<-chan struct{}, func() bool) {
	first := m.flushAt
	for _, d := range m.due {
		if d.at > 0 && (first == 0 || d.at < first) {
			first = d.at
		}
	}
	if first == 0 {
		return nil, func() bool { return false }
	}
	return hal.After(m.o.Clock, first-m.now())
}

func (m *Modem) observe(step string, err error) { m.o.Observe(Event{Step: step, Err: err}) }

// each calls f for all links.
func (m *Modem) each(f func(l *link)) {
	m.mu.Lock()
	ls := make([]*link, 0, len(m.links))
	for _, l := range m.links {
		ls = append(ls, l)
	}
	m.mu.Unlock()
	for _, l := range ls {
		f(l)
	}
}

func (m *Modem) link(id int) *link {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.links[id]
}

// forget takes a link off its id, which the modem may now use again.
func (m *Modem) forget(l *link, err error) {
	m.mu.Lock()
	if m.links[l.id] == l {
		delete(m.links, l.id)
	}
	m.mu.Unlock()
	if m.raw == l {
		m.raw = nil
	}
	l.end(err)
}

// breakLinks ends all links: the modem has lost them.
func (m *Modem) breakLinks(cause hal.LinkCause, err error) {
	m.each(func(l *link) {
		m.observe("link lost", err)
		m.forget(l, &hal.LinkError{Cause: cause, Err: err})
	})
}

// leave is the owner's end: a last word to the modem, so that it does not keep
// sockets that nobody knows any more.
func (m *Modem) leave() {
	ctx, cancel := hal.WithTimeout(context.Background(), m.o.Clock, time.Second)
	defer cancel()
	m.each(func(l *link) {
		if m.port != nil && m.lost == nil && !m.parser.Transparent() && m.parser.InStep() {
			m.port.Write(ctx, []byte(l.closing()+"\r"))
		}
		m.forget(l, &hal.LinkError{Cause: hal.CauseDevice, Err: ErrHalted})
	})
	if m.port != nil {
		m.port.Close()
	}
}
