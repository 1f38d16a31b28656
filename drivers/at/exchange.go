package at

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"swipewell/hal"
)

// chunk is what the port gave.
type chunk struct {
	gen int
	b   []byte
	err error
}

// reply of the running command.
type reply struct {
	info     []string
	data     []byte // of a counted block
	final    string
	done     bool
	prompted bool
}

// attach takes a port into use. What the modem was told before is not known:
// the parser starts out of step.
func (m *Modem) attach(port Port) {
	m.port, m.lost = port, nil
	m.gen++
	m.parser, m.owed = Parser{}, 0
	m.ready, m.data, m.gone = false, false, false
	go func(gen int) {
		for {
			b := make([]byte, 2048)
			n, err := port.Read(m.ctx, b)
			if n > 0 {
				err = nil // a byte of bad parity comes with its neighbours; a broken port fails again
			}
			select {
			case m.in <- chunk{gen, b[:n], err}:
			case <-m.ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}(m.gen)
}

// feed gives the parser what came.
func (m *Modem) feed(c chunk) {
	switch {
	case c.gen != m.gen:
	case c.err != nil:
		m.detach(c.err)
	default:
		m.heard++
		m.parser.Feed(c.b, m.item)
		m.flushAt = 0
		if m.parser.Held() {
			m.flushAt = m.now() + flushAfter
		}
	}
	clear(c.b)
}

// flushAfter is the silence behind which a held tail of transparent data is
// decided: 20 ms are 23 characters at 9600 baud, so no gap within a message.
const flushAfter = 20 * time.Millisecond

// detach: the port is lost.
func (m *Modem) detach(err error) {
	m.observe("port lost", err)
	m.port.Close()
	m.lost, m.ready, m.data, m.flushAt = err, false, false, 0
	m.breakLinks(hal.CauseDevice, err)
	if m.o.Reopen != nil {
		m.set(dueRetry, time.Second)
	}
}

// reopen opens a lost port again.
func (m *Modem) reopen() error {
	if m.lost == nil {
		return nil
	}
	if m.o.Reopen == nil {
		return &hal.LinkError{Cause: hal.CauseDevice, Err: m.lost}
	}
	p, err := m.o.Reopen()
	if err != nil {
		m.set(dueRetry, 5*time.Second)
		return &hal.LinkError{Cause: hal.CauseDevice, Err: err}
	}
	m.attach(p)
	m.observe("port opened", nil)
	return nil
}

// item sorts what the parser found.
func (m *Modem) item(it Item) {
	switch it.Kind {
	case Indication:
		m.indication(it.Line)
	case Info:
		m.reply.info = append(m.reply.info, it.Line)
	case Final:
		m.reply.final, m.reply.done = it.Line, true
	case Prompt:
		m.reply.prompted = true
	case Data:
		if it.ID < 0 {
			m.reply.data = append(m.reply.data, it.Data...)
		} else if l := m.link(it.ID); l != nil {
			l.push(it.Data)
		}
	case Raw:
		if m.raw != nil {
			m.raw.push(it.Data)
		}
	case CarrierLost:
		if m.raw != nil {
			m.raw.hostClosed = true
		}
	case Escaped:
		m.reply.done = true
	}
}

// wait is the owner's only place to wait for the modem: until something came,
// fired closes, or there is nothing to wait for.
func (m *Modem) wait(ctx context.Context, fired <-chan struct{}) error {
	var flush <-chan struct{}
	if m.flushAt > 0 {
		var stop func() bool
		flush, stop = hal.After(m.o.Clock, m.flushAt-m.now())
		defer stop()
	}
	var c chunk
	select {
	case c = <-m.in:
	case <-flush:
		m.flush()
		return nil
	case <-fired:
		select { // what came in time counts, even if the clock jumped
		case c = <-m.in:
		default:
			return ErrSilent
		}
	case <-ctx.Done():
		return ctx.Err()
	case <-m.ctx.Done():
		return ErrHalted
	}
	m.feed(c)
	if m.lost != nil {
		return &hal.LinkError{Cause: hal.CauseDevice, Err: m.lost}
	}
	return nil
}

func (m *Modem) flush() {
	m.flushAt = 0
	m.parser.Flush(m.item)
}

// until waits for a condition; ErrSilent after limit, ErrRestarted if the modem
// boots meanwhile.
func (m *Modem) until(ctx context.Context, limit time.Duration, met func() bool) error {
	fired, stop := hal.After(m.o.Clock, limit)
	defer stop()
	for boots := m.boots; !met(); {
		if err := m.wait(ctx, fired); err != nil {
			return err
		}
		if m.boots != boots && !met() {
			return ErrRestarted
		}
	}
	return nil
}

// write puts bytes on the port; n is what the port took.
func (m *Modem) write(b []byte) (n int, err error) {
	if m.lost != nil {
		return 0, &hal.LinkError{Cause: hal.CauseDevice, Err: m.lost}
	}
	ctx, cancel := hal.WithTimeout(m.ctx, m.o.Clock, 5*time.Second)
	defer cancel()
	m.sentAt = m.now()
	if n, err = m.port.Write(ctx, b); err != nil {
		err = &hal.LinkError{Cause: hal.CauseDevice, Err: err}
	}
	return n, err
}

// ask sends a command and waits for its final result; a refusal is a
// *CommandError. If the parser is out of step, the ladder's first rungs come
// before it.
func (m *Modem) ask(x Expect, limit time.Duration) (reply, error) {
	if !m.parser.InStep() {
		epoch := m.epoch
		if err := m.recover(); err != nil {
			return reply{}, err
		}
		if m.epoch != epoch {
			return reply{}, ErrRestarted // the rung that helped has undone the set-up
		}
	}
	return m.exchange(x, limit)
}

// query asks for information lines that begin with info.
func (m *Modem) query(text, info string, least int, limit time.Duration) ([]string, error) {
	r, err := m.ask(Expect{Text: text, Info: info, Params: least, Query: true}, limit)
	return r.info, err
}

// tell sends a command whose only answer is its final result.
func (m *Modem) tell(text string, limit time.Duration) error {
	_, err := m.ask(Expect{Text: text}, limit)
	return err
}

// exchange is one command and its reply.
func (m *Modem) exchange(x Expect, limit time.Duration) (reply, error) {
	if err := m.begin(x); err != nil {
		return reply{}, err
	}
	err := m.until(m.ctx, limit, func() bool { return m.reply.done })
	return m.judge(x, err)
}

// begin puts a command on the wire.
func (m *Modem) begin(x Expect) error {
	if err := m.parser.Begin(x); err != nil {
		return err
	}
	m.reply = reply{}
	if _, err := m.write([]byte(x.Text + "\r")); err != nil {
		m.parser.Abandon()
		return err
	}
	return nil
}

// judge judges how a command ended.
func (m *Modem) judge(x Expect, err error) (reply, error) {
	r := m.reply
	switch {
	case err != nil:
		m.parser.Abandon()
		if errors.Is(err, ErrSilent) || errors.Is(err, ErrRestarted) {
			err = fmt.Errorf("%s: %w", name(x.Text), err)
		}
		return r, err
	case isError(r.final), r.final == "SEND FAIL", x.Connect && !strings.HasPrefix(r.final, "CONNECT"):
		return r, &CommandError{Command: name(x.Text), Result: r.final}
	}
	return r, nil
}

// probe asks a question whose answer cannot be mistaken for another's. If none
// is left, the oldest commands are forgotten once the longest time that the
// vendor grants any command has passed (QTCP: 150 s).
func (m *Modem) probe() error {
	if m.owed > 0 {
		// The modem may be waiting for bytes behind a prompt that came late.
		// A line end is no command, and no part of a message.
		if _, err := m.write([]byte(strings.Repeat("\r", m.owed))); err != nil {
			return err
		}
		m.owed = 0
	}
	x, ok := m.parser.NextProbe()
	if !ok {
		if m.now()-m.sentAt < 150*time.Second {
			return fmt.Errorf("probe: %w", ErrSilent)
		}
		m.parser.Restarted()
		m.parser.Lose("")
		x, _ = m.parser.NextProbe()
	}
	r, err := m.exchange(x, m.o.Probe)
	if refusal(err) != nil {
		err = nil // refused, but by this very command: the modem is alive and in step
	}
	if err == nil {
		m.note(r.info)
	}
	return err
}

// note learns from information lines, whichever command they answer.
func (m *Modem) note(lines []string) {
	for _, l := range lines {
		switch {
		case strings.HasPrefix(l, "+CSQ:"):
			s := m.Signal()
			s.CSQ = number(l, 0, 99)
			m.signal.Store(&s)
		case strings.HasPrefix(l, "+CREG:"), strings.HasPrefix(l, "+CGREG:"), strings.HasPrefix(l, "+CEREG:"):
			// asked: <n>,<stat>[,…]. 27.007 §7.2
			m.registered(l, number(l, 1, 0))
		}
	}
}
