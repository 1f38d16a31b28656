package service

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"swipewell/firmware/smp"
	"swipewell/firmware/update/flashwire"
	"swipewell/firmware/ymodem"
	"swipewell/hal"
)

// Rest is the rate of a cable that nobody has changed, baud.
const Rest = 115_200

// Limits of what waits, so that hostile bytes fill nothing.
const (
	textRoom = 4096 // typed ahead, as a terminal's line discipline has it
	rawRoom  = 64 << 10
	frames   = 2 * flashwire.Window // of flash, on their way to the slots
	packets  = 4                    // of SMP: what "MCUmgr parameters" promises
	piece    = 1024                 // of text on the line, before a frame gets its turn
)

// Waits.
const (
	lull     = 150 * time.Millisecond // a frame that pauses for so long is none
	stuck    = 5 * time.Second        // a line that takes nothing for so long loses it
	comeBack = time.Second            // after a port that failed
	hushed   = 500 * time.Millisecond // of silence: a sender has stopped
	hushes   = 1000                   // reads of one that does not
)

// Opts of a Mux. Only Port and Clock must be there.
type Opts struct {
	Port  hal.ServicePort
	Clock hal.Clock
	Baud  int // at rest; 0: [Rest]
	// SMP answers a packet, Flash a frame; Damaged is told of frames that were hit.
	// They are called one at a time, and may take long. Nil: there is none.
	SMP     func(packet []byte) (answer []byte)
	Flash   func(flashwire.Frame) (answers [][]byte)
	Damaged func()
	// Can tells which rates the port has; nil: any up to [flashwire.MaxRate].
	Can func(baud int) bool
	// Hung is told of a port that failed: the cable was pulled.
	Hung func(error)
}

// Counts are what went wrong on the line since the start.
type Counts struct {
	Damaged uint64 // flash frames
	Dropped uint64 // frames and packets for which there was no room
	Lost    uint64 // bytes typed beyond the console's room
	Stuck   uint64 // bytes that the line did not take
	Hung    uint64 // times that the port failed
}

// Mux parts one service port.
type Mux struct {
	o    Opts
	text *inlet
	work chan job
	smps atomic.Int32 // packets in work

	// The reader's own.
	split flashwire.Splitter
	demux smp.Demux
	rate  flashwire.RateDevice

	wmu sync.Mutex // one frame, or one line of text, at a time
	mid bool       // the last byte on the line was not the end of a line

	mu  sync.Mutex
	raw *inlet // of who has taken the line; nil: nobody

	damaged, dropped, lost, stuck, hung atomic.Uint64
}

// job is one thing for the worker.
type job struct {
	packet  []byte
	frame   *flashwire.Frame
	damaged bool
}

// New is a Mux on a port that nobody else reads.
func New(o Opts) *Mux {
	if o.Baud == 0 {
		o.Baud = Rest
	}
	m := &Mux{o: o, text: newInlet(textRoom), work: make(chan job, frames)}
	m.rate = flashwire.RateDevice{Safe: o.Baud, Can: o.Can}
	return m
}

// Counts are those so far.
func (m *Mux) Counts() Counts {
	return Counts{Damaged: m.damaged.Load(), Dropped: m.dropped.Load(), Lost: m.lost.Load(), Stuck: m.stuck.Load(), Hung: m.hung.Load()}
}

// Run serves the port until ctx ends. A port that fails is tried again: the cable
// may have been pulled.
func (m *Mux) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Add(1)
	go func() {
		defer wg.Done()
		m.serve(ctx)
	}()
	buf := make([]byte, 4096)
	for ctx.Err() == nil {
		n, err := m.read(ctx, buf)
		switch {
		case n > 0:
			m.feed(ctx, buf[:n])
		case ctx.Err() != nil:
			return
		case err != nil:
			m.pulled(err)
			hal.Sleep(ctx, m.o.Clock, comeBack)
		}
		clear(buf[:n])
	}
}

// read waits for bytes, or for what is due: a frame that pauses, a rate that
// nobody uses. A silent line at its rate of rest has no timer.
func (m *Mux) read(ctx context.Context, buf []byte) (int, error) {
	wait := time.Duration(0)
	if m.split.Pending() {
		wait = lull
	}
	if until := m.rates(ctx); until > 0 {
		left := max(until-m.o.Clock.Now().Boot, time.Millisecond)
		if wait == 0 || left < wait {
			wait = left
		}
	}
	if wait == 0 {
		return m.o.Port.Read(ctx, buf)
	}
	timed, cancel := hal.WithTimeout(ctx, m.o.Clock, wait)
	defer cancel()
	n, err := m.o.Port.Read(timed, buf)
	if n == 0 && ctx.Err() == nil && hal.TimedOut(timed) {
		m.split.Flush()
		m.typed()
		return 0, nil
	}
	return n, err
}

// rates does what a change of rate wants now, and gives when it wants more.
func (m *Mux) rates(ctx context.Context) (until time.Duration) {
	for {
		a := m.rate.Next(m.o.Clock.Now().Boot)
		switch {
		case a.Send != nil:
			m.write(ctx, a.Send)
		case a.Baud > 0:
			m.setBaud(ctx, a.Baud)
		default:
			return a.Wait
		}
	}
}

func (m *Mux) setBaud(ctx context.Context, baud int) {
	m.wmu.Lock()
	defer m.wmu.Unlock()
	if p, ok := m.o.Port.(interface{ Drain(context.Context) error }); ok {
		timed, cancel := hal.WithTimeout(ctx, m.o.Clock, stuck)
		p.Drain(timed)
		cancel()
	}
	m.o.Port.SetBaud(baud) // a rate that it cannot fails its probes, and is left again
}

// pulled forgets what was under way.
func (m *Mux) pulled(err error) {
	m.hung.Add(1)
	m.split, m.demux = flashwire.Splitter{}, smp.Demux{}
	if m.rate.Rate() != m.o.Baud {
		m.o.Port.SetBaud(m.o.Baud)
	}
	m.rate = flashwire.RateDevice{Safe: m.o.Baud, Can: m.o.Can}
	m.text.fail(err)
	if q := m.taker(); q != nil {
		q.fail(err)
	}
	if m.o.Hung != nil {
		m.o.Hung(err)
	}
}

func (m *Mux) taker() *inlet {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.raw
}

// feed parts what came.
func (m *Mux) feed(ctx context.Context, b []byte) {
	if q := m.taker(); q != nil {
		m.raws(ctx, q, b)
		return
	}
	m.split.Feed(b, func(f flashwire.Frame) {
		m.rate.Got(f, m.o.Clock.Now().Boot)
		switch f.Type {
		case flashwire.Rate, flashwire.Probe, flashwire.Keep:
		default:
			if m.o.Flash != nil {
				m.queue(job{frame: &f})
			}
		}
	}, func() {
		m.damaged.Add(1)
		if m.o.Damaged != nil {
			m.queue(job{damaged: true})
		}
	})
	m.typed()
}

// typed takes what the splitter holds to be text.
func (m *Mux) typed() {
	if len(m.split.Text) == 0 {
		return
	}
	pkts, text := m.demux.Feed(m.split.Text)
	clear(m.split.Text)
	m.split.Text = m.split.Text[:0]
	for _, p := range pkts {
		if m.o.SMP == nil {
			continue
		}
		if m.smps.Add(1) > packets {
			m.smps.Add(-1)
			m.dropped.Add(1)
			continue
		}
		if !m.queue(job{packet: p}) {
			m.smps.Add(-1)
		}
	}
	if n := m.text.put(text); n < len(text) {
		m.lost.Add(uint64(len(text) - n))
	}
	clear(text)
}

// raws hands bytes on to who has the line; it waits for room, as the line then
// does, until the line is given back.
func (m *Mux) raws(ctx context.Context, q *inlet, b []byte) {
	for len(b) > 0 && ctx.Err() == nil && m.taker() == q {
		if n := q.put(b); n > 0 {
			b = b[n:]
			continue
		}
		select {
		case <-q.space:
		case <-ctx.Done():
		}
	}
}

func (m *Mux) queue(j job) bool {
	select {
	case m.work <- j:
		return true
	default:
		m.dropped.Add(1)
		return false
	}
}

// serve answers what was queued.
func (m *Mux) serve(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-m.work:
			switch {
			case j.packet != nil:
				if a := m.o.SMP(j.packet); a != nil {
					m.answer(ctx, a)
				}
				m.smps.Add(-1)
			case j.damaged:
				m.o.Damaged()
			default:
				for _, f := range m.o.Flash(*j.frame) {
					m.write(ctx, f)
				}
			}
		}
	}
}

// answer sends an SMP packet: at the start of a line, where clients look for it.
func (m *Mux) answer(ctx context.Context, packet []byte) {
	m.wmu.Lock()
	defer m.wmu.Unlock()
	var b []byte
	if m.mid {
		b = append(b, '\r', '\n')
	}
	m.put(ctx, smp.AppendFrames(b, packet))
	m.mid = false
}

// write puts one whole frame on the line.
func (m *Mux) write(ctx context.Context, b []byte) (int, error) {
	m.wmu.Lock()
	defer m.wmu.Unlock()
	return m.put(ctx, b)
}

// put writes under wmu. What a line does not take for a while is lost.
func (m *Mux) put(ctx context.Context, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		timed, cancel := hal.WithTimeout(ctx, m.o.Clock, stuck)
		var w int
		w, err = m.o.Port.Write(timed, b[n:min(n+piece, len(b))])
		if n += w; err != nil && ctx.Err() == nil && hal.TimedOut(timed) {
			m.stuck.Add(uint64(len(b) - n))
			n, err = len(b), nil // a line without a reader is no fault of the writer's
		}
		cancel()
	}
	return n, err
}

// say writes text of the console: whole lines, and between them a frame may go. While somebody has the
// line, text would stand amid their bytes: it is dropped, and the log keeps what was of it.
func (m *Mux) say(ctx context.Context, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		if m.taker() != nil {
			return len(b), nil
		}
		end := len(b)
		if len(b)-n > piece {
			if i := bytes.LastIndexByte(b[n:n+piece], '\n'); i >= 0 {
				end = n + i + 1
			}
		}
		var w int
		m.wmu.Lock()
		w, err = m.put(ctx, b[n:end])
		m.mid = b[end-1] != '\n'
		m.wmu.Unlock()
		n += w
	}
	return n, err
}

// Console is the port as a console sees it: text only.
func (m *Mux) Console() hal.ServicePort { return console{m} }

type console struct{ m *Mux }

func (c console) String() string { return c.m.o.Port.String() }
func (c console) Halt() error    { return nil }
func (c console) Close() error   { return nil }
func (c console) Read(ctx context.Context, p []byte) (int, error) {
	return c.m.text.read(ctx, p)
}
func (c console) Write(ctx context.Context, p []byte) (int, error) { return c.m.say(ctx, p) }

// SetBaud is refused: the rate is the flash frames'.
func (c console) SetBaud(int) error {
	return errors.New("service: the rate is not the console's to change")
}

// ErrTaken says that somebody has the line.
var ErrTaken = errors.New("service: the line is taken")

// Take gives f the line, all of it, until f returns: text and frames rest. What
// came behind a session that went well is text again; behind one that did not, it
// is what a sender has not stopped sending, and nobody's.
func (m *Mux) Take(ctx context.Context, f func(ymodem.Line) error) (err error) {
	q := newInlet(rawRoom)
	m.mu.Lock()
	if m.raw != nil {
		m.mu.Unlock()
		return ErrTaken
	}
	m.raw = q
	m.mu.Unlock()
	defer func() {
		if err != nil {
			m.hush(ctx, q)
		}
		m.mu.Lock()
		m.raw = nil
		m.mu.Unlock()
		wake(q.space) // the reader may wait for room
		if err == nil {
			m.text.put(q.drain())
		}
	}()
	err = f(line{m, q})
	return err
}

// hush waits until a sender that was told to stop has stopped: what it still sends
// is no text, and a console would take it for a person's.
func (m *Mux) hush(ctx context.Context, q *inlet) {
	b := make([]byte, 512)
	for range hushes {
		timed, cancel := hal.WithTimeout(ctx, m.o.Clock, hushed)
		n, err := q.read(timed, b)
		cancel()
		if n == 0 && err != nil {
			return
		}
	}
}

// line is the port for who has taken it.
type line struct {
	m *Mux
	q *inlet
}

func (l line) Read(ctx context.Context, p []byte) (int, error)  { return l.q.read(ctx, p) }
func (l line) Write(ctx context.Context, p []byte) (int, error) { return l.m.write(ctx, p) }
