package at

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"swipewell/hal"
)

// maxSend is the most bytes of one AT+QISEND. TCPIP §2.3.9.
const maxSend = 1460

// link is the modem's one socket.
type link struct {
	m    *Modem
	addr string

	mu     sync.Mutex
	rx     []byte
	fetch  bool // buffer mode: AT+QIRD has something to fetch
	err    error
	change chan struct{}
}

// Dial opens a socket to host:port, recovering the modem first if it must.
func (m *Modem) Dial(ctx context.Context, addr string) (hal.Link, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("at: %w", err)
	}
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.unlock()
	if err := m.bringUp(ctx); err != nil {
		return nil, asLink(err, hal.CauseUnknown)
	}
	l := &link{m: m, addr: addr, change: make(chan struct{})}
	ch := make(chan int, 1)
	m.mu.Lock()
	m.link, m.opened = l, ch
	m.mu.Unlock()
	open := fmt.Sprintf(`AT+QIOPEN=1,0,"TCP","%s",%s,0,%d`, host, port, m.o.Mode.number())
	if m.o.Mode == Transparent {
		return m.dialTransparent(ctx, l, open)
	}
	_, err = m.ask(ctx, open, "", 5*time.Second)
	if err != nil && ctx.Err() == nil {
		// 563: the id is in use, by a socket of before a crash. TCPIP §4. Nothing has been sent on it.
		if _, cerr := m.ask(ctx, "AT+QICLOSE=0,3", "", 10*time.Second); cerr == nil {
			_, err = m.ask(ctx, open, "", 5*time.Second)
		}
	}
	if err != nil {
		m.drop(l)
		m.ask(context.WithoutCancel(ctx), "AT+QICLOSE=0,3", "", m.o.Reply)
		return nil, asLink(err, hal.CauseBusy)
	}
	limit, cancel := hal.WithTimeout(ctx, m.o.Clock, m.o.Open)
	defer cancel()
	select {
	case code := <-ch:
		if code == 0 {
			return l, nil
		}
		m.drop(l)
		m.ask(ctx, "AT+QICLOSE=0,3", "", 10*time.Second)
		c := openCause(code)
		if c == hal.CauseNoData {
			m.mu.Lock()
			m.ready = false
			m.mu.Unlock()
		}
		return nil, &hal.LinkError{Cause: c, Code: code}
	case <-m.deadCh():
		m.drop(l)
		return nil, m.deviceError()
	case <-limit.Done():
		m.drop(l)
		m.ask(context.WithoutCancel(ctx), "AT+QICLOSE=0,3", "", m.o.Reply)
		return nil, &hal.LinkError{Cause: hal.CauseHostSilent, Err: limit.Err()}
	}
}

func (m *Modem) deadCh() chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead
}

func (m *Modem) drop(l *link) {
	m.mu.Lock()
	if m.link == l {
		m.link = nil
	}
	m.mu.Unlock()
}

func (m *Modem) dialTransparent(ctx context.Context, l *link, open string) (hal.Link, error) {
	if _, err := m.ask(ctx, open, "", m.o.Open); err != nil {
		m.drop(l)
		return nil, asLink(err, hal.CauseHostRefused)
	}
	m.mu.Lock()
	m.parser.Transparent(true)
	m.mu.Unlock()
	return l, nil
}

// openCause is what a +QIOPEN error means. TCPIP §4.
func openCause(code int) hal.LinkCause {
	switch code {
	case 564, 565:
		return hal.CauseDNS
	case 566:
		return hal.CauseHostRefused
	case 569:
		return hal.CauseHostSilent
	case 567:
		return hal.CauseClosed
	case 563, 568:
		return hal.CauseBusy
	case 561, 570, 572, 573:
		return hal.CauseNoData
	}
	return hal.CauseUnknown
}

func (l *link) String() string { return l.m.String() + " " + l.addr }

// Halt is Close.
func (l *link) Halt() error { return l.Close() }

// received, waiting and lost are called by the modem's reader, in order; a nil
// link takes nothing.
func (l *link) received(b []byte) {
	l.update(func() { l.rx = hal.AppendWiping(l.rx, b) })
}

func (l *link) waiting() { l.update(func() { l.fetch = true }) }

func (l *link) lost(err error) {
	l.update(func() {
		if l.err == nil {
			l.err = err
		}
	})
}

func (l *link) update(f func()) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	close(l.change)
	l.change = make(chan struct{})
}

// Read gives what came, in order; after the last byte the reason why no more comes.
func (l *link) Read(ctx context.Context, p []byte) (int, error) {
	for {
		l.mu.Lock()
		if len(l.rx) > 0 {
			n := copy(p, l.rx)
			clear(l.rx[:n])
			l.rx = l.rx[n:]
			hal.Scrub()
			l.mu.Unlock()
			return n, nil
		}
		fetch, err, change := l.fetch, l.err, l.change
		l.fetch = false
		l.mu.Unlock()
		if fetch {
			if err := l.qird(ctx); err != nil {
				return 0, err
			}
			continue
		}
		if err != nil {
			return 0, err
		}
		select {
		case <-change:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// qird empties the modem's buffer; only then comes another "recv". TCPIP §2.3.10.
func (l *link) qird(ctx context.Context) error {
	if err := l.m.lock(ctx); err != nil {
		l.waiting()
		return err
	}
	defer l.m.unlock()
	for {
		info, err := l.m.ask(ctx, "AT+QIRD=0,1500", "+QIRD:", 5*time.Second)
		if err != nil {
			if ctx.Err() != nil {
				l.waiting() // not lost: asked again by the next Read
			}
			return asLink(err, hal.CauseClosed)
		}
		if len(info) == 0 || strings.TrimSpace(strings.TrimPrefix(info[0], "+QIRD:")) == "0" {
			return nil
		}
	}
}

// Write hands p to the modem. n counts what was written behind a prompt, even
// where the modem then refused it: before its prompt nothing can have left.
func (l *link) Write(ctx context.Context, p []byte) (n int, err error) {
	if err := l.m.lock(ctx); err != nil {
		return 0, err
	}
	defer l.m.unlock()
	l.mu.Lock()
	err = l.err
	l.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if l.m.o.Mode == Transparent {
		if err := l.m.write(p); err != nil {
			return len(p), err
		}
		return len(p), nil
	}
	for n < len(p) {
		part := p[n:min(len(p), n+maxSend)]
		sent, err := l.m.send(ctx, part)
		n += sent
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// send is one AT+QISEND.
func (m *Modem) send(ctx context.Context, part []byte) (int, error) {
	m.mu.Lock()
	stale := m.stale
	m.mu.Unlock()
	if stale {
		if err := m.sync(ctx, m.o.Reply); err != nil {
			return 0, asLink(err, hal.CauseModemSilent)
		}
	}
	text := fmt.Sprintf("AT+QISEND=0,%d", len(part))
	c, err := m.begin(text, "", true)
	if err != nil {
		return 0, err
	}
	// Generous: were the prompt given up and came even so, the next command would
	// go to the host as data.
	limit, cancel := hal.WithTimeout(ctx, m.o.Clock, 10*m.o.Reply)
	defer cancel()
	select {
	case <-c.asked:
	case res := <-c.done:
		m.end(c)
		return 0, asLink(&CommandError{Command: "AT+QISEND", Result: res}, hal.CauseClosed)
	case <-m.deadCh():
		m.end(c)
		return 0, m.deviceError()
	case <-limit.Done():
		m.end(c)
		m.outOfStep()
		if hal.TimedOut(limit) {
			return 0, &hal.LinkError{Cause: hal.CauseModemSilent, Err: errSilent}
		}
		return 0, limit.Err()
	}
	if err := m.write(part); err != nil {
		m.end(c)
		return len(part), err
	}
	res, err := m.finish(ctx, c, text, 10*time.Second)
	switch {
	case err != nil:
		return len(part), asLink(err, hal.CauseModemSilent)
	case res != "SEND OK":
		return len(part), asLink(&CommandError{Command: "AT+QISEND", Result: res}, hal.CauseClosed)
	}
	return len(part), nil
}

// Evidence asks how much the other end has acknowledged. TCPIP §2.3.9.
func (l *link) Evidence(ctx context.Context) (total, acked, unacked int, err error) {
	if err := l.m.lock(ctx); err != nil {
		return 0, 0, 0, err
	}
	defer l.m.unlock()
	info, err := l.m.ask(ctx, "AT+QISEND=0,0", "+QISEND:", l.m.o.Reply)
	if err != nil {
		return 0, 0, 0, err
	}
	if len(info) == 0 {
		return 0, 0, 0, errors.New("at: no counts")
	}
	_, err = fmt.Sscanf(info[0], "+QISEND: %d,%d,%d", &total, &acked, &unacked)
	return total, acked, unacked, err
}

// Close closes the socket. A modem that does not answer is left to the next
// Dial's ladder.
func (l *link) Close() error {
	l.lost(&hal.LinkError{Cause: hal.CauseClosed})
	m := l.m
	ctx, cancel := hal.WithTimeout(context.Background(), m.o.Clock, 10*time.Second)
	defer cancel()
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.unlock()
	m.mu.Lock()
	mine := m.link == l
	if mine {
		m.link = nil
	}
	m.mu.Unlock()
	if !mine {
		return nil
	}
	if m.o.Mode == Transparent {
		hal.Sleep(ctx, m.o.Clock, time.Second)
		m.write([]byte("+++"))
		hal.Sleep(ctx, m.o.Clock, time.Second)
		m.mu.Lock()
		m.parser.Transparent(false)
		m.mu.Unlock()
		m.outOfStep()
		if err := m.sync(ctx, m.o.Reply); err != nil {
			return nil
		}
	}
	m.ask(ctx, "AT+QICLOSE=0,3", "", 2*m.o.Reply)
	return nil
}
