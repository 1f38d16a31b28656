package at

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"swipewell/hal"
)

// Port is the modem's serial port.
type Port interface {
	Read(ctx context.Context, b []byte) (int, error)
	Write(ctx context.Context, b []byte) (int, error)
	Close() error
}

// Mode of a socket. TCPIP §2.1.5.
type Mode string

const (
	Push        Mode = "push"   // data comes with its URC (default)
	Buffer      Mode = "buffer" // AT+QIRD fetches it
	Transparent Mode = "transparent"
)

func (m Mode) number() int {
	switch m {
	case Buffer:
		return 0
	case Transparent:
		return 2
	}
	return 1
}

// Lines are what a board may wire to a modem beside its port; nil fields are
// not fitted.
type Lines struct {
	DTR   func(on bool) error
	Reset func() error // RESET low for 100–450 ms
	Power func() error // PWRKEY: off and on again
}

// Event is something the log should know: Step is a short constant-like word.
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

// Opts of New. Clock is needed.
type Opts struct {
	Clock   hal.Clock
	Name    string
	APN     string // default "CMNET"
	Mode    Mode
	Lines   Lines
	Reopen  func() (Port, error) // opens the port again after a hang-up; may be nil
	Observe func(Event)
	// Reply bounds a plain command (1 s), Open a QIOPEN (30 s).
	Reply, Open time.Duration
}

// Modem is a hal.Dialer with one socket.
type Modem struct {
	o    Opts
	turn chan struct{} // holds the right to talk to the modem
	port Port
	stop context.CancelFunc

	mu       sync.Mutex
	parser   Parser
	cur      *command
	stale    bool
	ready    bool // initialised and with a data context
	link     *link
	opened   chan int // result of +QIOPEN
	sig      hal.Signal
	stat     int           // registration: 1 home, 5 roaming
	dead     chan struct{} // closed when the port has gone
	deadErr  error
	reboots  int           // in a row without success
	rebootAt time.Duration // boottime before which no further reboot is tried
	stopPoll func() bool
}

// New starts to use a modem and brings it up in the background.
func New(port Port, o Opts) (*Modem, error) {
	if o.Clock == nil {
		return nil, errors.New("at: a clock is needed")
	}
	if o.APN == "" {
		o.APN = "CMNET"
	}
	if o.Reply <= 0 {
		o.Reply = time.Second
	}
	if o.Open <= 0 {
		o.Open = 30 * time.Second
	}
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	m := &Modem{o: o, turn: make(chan struct{}, 1), sig: hal.Signal{CSQ: 99, BER: 99}}
	m.attach(port)
	go m.background()
	return m, nil
}

func (m *Modem) attach(port Port) {
	ctx, cancel := context.WithCancel(context.Background())
	m.mu.Lock()
	m.port, m.stop, m.dead, m.deadErr = port, cancel, make(chan struct{}), nil
	m.ready, m.stale, m.cur = false, true, nil
	m.parser.Reset()
	dead := m.dead
	m.mu.Unlock()
	go m.read(ctx, port, dead)
}

func (m *Modem) String() string { return "at " + m.o.Name }

// Halt and Close end everything.
func (m *Modem) Halt() error { return m.Close() }

func (m *Modem) Close() error {
	m.mu.Lock()
	if m.stopPoll != nil {
		m.stopPoll()
	}
	m.mu.Unlock()
	m.stop()
	return m.port.Close()
}

// Signal is the last reading.
func (m *Modem) Signal() hal.Signal {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sig
}

// Measure asks for the signal now; while a link has the modem it is the last
// reading.
func (m *Modem) Measure(ctx context.Context) (hal.Signal, error) {
	select {
	case m.turn <- struct{}{}:
	default:
		return m.Signal(), nil
	}
	defer m.unlock()
	m.mu.Lock()
	quiet := m.parser.mode == modeCommand
	m.mu.Unlock()
	if !quiet {
		return m.Signal(), nil
	}
	if err := m.sync(ctx, m.o.Reply); err != nil {
		return m.Signal(), err
	}
	m.register(ctx)
	m.operator(ctx)
	return m.Signal(), nil
}

// read is the one reader of the port; tokens are handled in order.
func (m *Modem) read(ctx context.Context, port Port, dead chan struct{}) {
	buf := make([]byte, 2048)
	for {
		n, err := port.Read(ctx, buf)
		m.feed(buf[:n])
		clear(buf[:n])
		hal.Scrub() // an answer may have the card number
		if err != nil {
			m.mu.Lock()
			m.deadErr, m.ready = err, false
			l := m.link
			m.link = nil
			close(dead)
			m.mu.Unlock()
			l.lost(&hal.LinkError{Cause: hal.CauseDevice, Err: err})
			return
		}
	}
}

func (m *Modem) feed(b []byte) {
	// The parser's mode may be changed by callers between two Feeds, so it is
	// fed under the lock and its tokens are handled behind it.
	var tokens []Token
	m.mu.Lock()
	m.parser.Feed(b, func(t Token) { tokens = append(tokens, t) })
	m.mu.Unlock()
	for _, t := range tokens {
		switch t.Kind {
		case TokenLine:
			m.line(t.Line)
		case TokenPrompt:
			m.promptCame()
		case TokenData:
			m.mu.Lock()
			l := m.link
			m.mu.Unlock()
			l.received(t.Data)
		}
	}
}

func (m *Modem) write(b []byte) error {
	m.mu.Lock()
	port, dead := m.port, m.dead
	m.mu.Unlock()
	select {
	case <-dead:
		return m.deviceError()
	default:
	}
	ctx, cancel := hal.WithTimeout(context.Background(), m.o.Clock, 5*time.Second)
	defer cancel()
	if _, err := port.Write(ctx, b); err != nil {
		return &hal.LinkError{Cause: hal.CauseDevice, Err: err}
	}
	return nil
}

func (m *Modem) deviceError() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &hal.LinkError{Cause: hal.CauseDevice, Err: m.deadErr}
}

// lock takes the turn to talk to the modem.
func (m *Modem) lock(ctx context.Context) error {
	select {
	case m.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *Modem) unlock() { <-m.turn }

// indication handles what comes unasked, in the reader's order.
func (m *Modem) indication(l string) {
	m.mu.Lock()
	link := m.link
	m.mu.Unlock()
	args := strings.Split(strings.TrimSpace(l[strings.IndexByte(l, ':')+1:]), ",")
	switch {
	case strings.HasPrefix(l, "+QIOPEN:") && len(args) == 2:
		code, _ := strconv.Atoi(args[1])
		m.mu.Lock()
		ch := m.opened
		m.mu.Unlock()
		if ch != nil {
			select {
			case ch <- code:
			default:
			}
		}
	case strings.HasPrefix(l, "+QIURC:"):
		switch strings.Trim(args[0], `"`) {
		case "recv":
			if len(args) == 2 {
				link.waiting()
			}
		case "closed":
			link.lost(&hal.LinkError{Cause: hal.CauseClosed})
		case "pdpdeact":
			m.mu.Lock()
			m.ready = false
			m.mu.Unlock()
			link.lost(&hal.LinkError{Cause: hal.CauseNoData})
		}
	case strings.HasPrefix(l, "+CREG:"):
		m.takeReg(l)
	case l == "RDY":
		// The module has rebooted by itself: nothing of before is true.
		m.mu.Lock()
		m.ready = false
		m.mu.Unlock()
		link.lost(&hal.LinkError{Cause: hal.CauseModemSilent, Err: errors.New("the modem rebooted")})
	case l == "NO CARRIER":
		link.lost(&hal.LinkError{Cause: hal.CauseNoCarrier})
	}
}

func (m *Modem) takeCSQ(info []string) {
	if len(info) == 0 {
		return
	}
	var csq, ber int
	if n, _ := fmt.Sscanf(info[0], "+CSQ: %d,%d", &csq, &ber); n >= 1 {
		m.mu.Lock()
		m.sig.CSQ, m.sig.BER = csq, ber
		m.mu.Unlock()
	}
}

// takeReg reads "+CREG: n,stat" (asked) and "+CREG: stat" (unasked). 27.007 §7.2.
func (m *Modem) takeReg(l string) {
	args := strings.Split(strings.TrimSpace(strings.TrimPrefix(l, "+CREG:")), ",")
	stat, err := strconv.Atoi(strings.TrimSpace(args[min(1, len(args)-1)]))
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stat = stat
	m.sig.Registered, m.sig.Roaming = stat == 1 || stat == 5, stat == 5
}

// takeOperator reads `+COPS: 0,0,"CHN-UNICOM",7`. 27.007 §7.3.
func (m *Modem) takeOperator(info []string) {
	name := ""
	if len(info) > 0 {
		if a := strings.SplitN(info[0], ",", 4); len(a) > 2 {
			name = strings.Trim(strings.TrimSpace(a[2]), `"`)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sig.Operator = name
}

// operator asks who the network is; a modem that does not say is none the worse.
func (m *Modem) operator(ctx context.Context) {
	info, err := m.ask(ctx, "AT+COPS?", "+COPS:", m.o.Reply)
	if err != nil {
		info = nil
	}
	m.takeOperator(info)
}

// background brings the modem up, then looks at the signal once a minute.
func (m *Modem) background() {
	ctx := context.Background()
	if m.lock(ctx) == nil {
		m.mu.Lock()
		done := m.ready // a Dial was quicker, and its link may be open now
		m.mu.Unlock()
		if !done {
			if err := m.bringUp(ctx); err != nil {
				m.o.Observe(Event{Step: "not ready", Err: err})
			}
		}
		m.unlock()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopPoll = m.o.Clock.AfterFunc(pollEvery, m.poll)
}

const pollEvery = time.Minute

func (m *Modem) poll() {
	select {
	case m.turn <- struct{}{}:
		m.mu.Lock()
		quiet := m.parser.mode == modeCommand
		m.mu.Unlock()
		if quiet && m.sync(context.Background(), m.o.Reply) == nil {
			m.register(context.Background())
			m.operator(context.Background())
		}
		m.unlock()
	default: // busy: the dial looks at the signal itself
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-m.dead:
	default:
		m.stopPoll = m.o.Clock.AfterFunc(pollEvery, m.poll)
	}
}
