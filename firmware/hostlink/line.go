// Package hostlink talks to the acquirer: it packs requests, frames them, sends
// one at a time over the first link that opens, matches and checks what comes
// back, and says how it ended: never sent, no answer, or answered.
//
// Sources:
//   - HOST: firmware/doc/wire.md, the UnionPay dialect (Q/CUP 009)
//   - DESIGN: design §2, money rules
//
// "Never sent" is known, not guessed: no byte of the message was handed to a
// modem after its prompt, and none to a write on a socket. Anything else that
// is not a valid answer is unknown. A late answer is reported and never used.
package hostlink

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"swipewell/firmware/iso8583"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// maxFrame bounds what a host may announce: LEN | TPDU | header | message.
const maxFrame = 2048

// Notice is what the log is told of the link.
type Notice struct {
	Code  prompt.Code // LogLink, LogLateAnswer, LogBadAnswer
	What  string      // a short constant-like word
	Field int         // of a bad answer: the field at fault, 0 none
	// Again and Sent are the segments that a link sent, told when it goes down.
	Again, Sent int
	Err         error
}

// Opts of New. Clock, Links, Hosts and Signer are needed.
type Opts struct {
	Clock   hal.Clock
	Links   []hal.NamedLink
	Hosts   []Host // in order; all of one context, so any may have any record
	Profile Profile
	Signer  Signer
	Notice  func(Notice)
	// AnswerTimeout is the wait for an answer after the last byte left (30 s);
	// DialTimeout for one link to open (45 s: a modem that hung comes back
	// within it), or RedialTimeout where there is another way to try (20 s);
	// IdleClose closes a quiet link (10 s).
	AnswerTimeout, DialTimeout, RedialTimeout, IdleClose time.Duration
}

// Host is one address of the acquirer.
type Host struct{ Name, Address string }

// Line is the way to the host. One exchange is in flight at a time: Exchange
// is called from one goroutine after another, never from two at once.
type Line struct {
	o    Opts
	stir atomic.Uint64

	sem      chan struct{} // holds the right to use what follows
	link     hal.Link
	route    Route  // of the link
	buf      []byte // bytes read and not yet consumed
	stopIdle func() bool
	router   *Router

	probeMu   sync.Mutex
	unprobe   context.CancelFunc // ends a probe under way; nil if there is none
	stopProbe func() bool        // of its timer
	waiting   bool               // a message wants the line
	stopped   bool               // closed for good: no more probes
}

// New checks and completes the options.
func New(o Opts) (*Line, error) {
	if o.Clock == nil || o.Signer == nil {
		return nil, errors.New("hostlink: a clock and a signer are needed")
	}
	if o.Notice == nil {
		o.Notice = func(Notice) {}
	}
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.AnswerTimeout, 30*time.Second)
	def(&o.DialTimeout, 45*time.Second)
	def(&o.RedialTimeout, 20*time.Second)
	def(&o.IdleClose, 10*time.Second)
	l := &Line{o: o, sem: make(chan struct{}, 1), router: NewRouter(len(o.Links), len(o.Hosts))}
	return l, o.Profile.check()
}

// Stir counts what happened on the line, for the bench's idle probe.
func (l *Line) Stir() uint64 { return l.stir.Load() }

// Request is one packed message and what its answer must match.
type Request struct {
	view    iso8583.View
	raw     []byte // MTI..DE 64, without frame
	want    want
	err     error // why it could not be packed
	Timeout time.Duration
	// Point names a moment for the bench ("before-send", "sent"); Waiting is
	// called once the last byte has left. Both may be nil.
	Point   func(name string)
	Waiting func()
	// Still is asked when a link is open and nothing has left; false: it need not be sent any
	// more, and the link stays for who comes next. nil: it is sent.
	Still func() bool
}

// Unpackable is a request that cannot be sent; it ends as never sent.
func Unpackable(err error) Request { return Request{err: err} }

// Reply is the end of an exchange.
type Reply struct {
	Kind   txn.ReplyKind
	Code   prompt.Code // NotSent, NoAnswer: why
	Broken bool        // NoAnswer: the link broke before the time ran out
	Answer Answer      // Answered
	// LeftBy is the boottime after which no byte of the request can leave any
	// more: the link was closed, or the answer had come.
	LeftBy time.Duration
	// Stages are how long it took to open a link, to hand it the message, to wait
	// for the answer; Link is the route. A link that was up costs no dial.
	Dial, Send, Wait time.Duration
	Link             string
}

// View is what a log may keep of the request.
func (r Request) View() iso8583.View { return r.view }

// View is what a log may keep of the answer.
func (r Reply) View() iso8583.View { return r.Answer.view }

// stages times one exchange.
type stages struct {
	l                *Line
	began            time.Duration
	dial, send, wait time.Duration
	link             string
}

// lap is the time since the lap before.
func (s *stages) lap(d *time.Duration) {
	now := s.l.now()
	*d, s.began = *d+now-s.began, now
	if s.l.link != nil {
		s.link = s.l.name(s.l.route)
	}
}

func (s *stages) onto(r Reply) Reply {
	r.Dial, r.Send, r.Wait, r.Link = s.dial, s.send, s.wait, s.link
	return s.l.ended(r)
}

// Exchange sends a request and waits for its answer.
func (l *Line) Exchange(ctx context.Context, r Request) Reply {
	l.take()
	defer l.giveBack()
	l.stir.Add(1)
	defer l.stir.Add(1)
	defer hal.Scrub()
	defer clear(r.raw) // a request has a number, a track, a PIN block
	if r.err != nil {
		l.o.Notice(Notice{Code: prompt.Internal, What: "pack", Err: r.err})
		return l.ended(Reply{Kind: txn.NotSent, Code: prompt.Internal})
	}
	at := &stages{l: l, began: l.now()}
	l.stopIdleTimer()
	if l.link != nil && l.router.Best(l.now()) != l.route {
		l.drop("a better way is back", nil)
	}
	err := l.open(ctx)
	at.lap(&at.dial)
	if err != nil {
		return at.onto(Reply{Kind: txn.NotSent, Code: netCode(err)})
	}
	if r.Still != nil && !r.Still() {
		l.armIdle()
		return at.onto(Reply{Kind: txn.NotSent, Code: prompt.NetUnknown})
	}
	frame := l.frame(r.raw)
	hal.Scrub()
	defer clear(frame)
	r.point("before-send")
	n, err := l.send(ctx, frame)
	if n == 0 && err != nil && ctx.Err() == nil && !hal.TimedOut(ctx) {
		// A kept link may have died while it was idle; nothing left, so a new
		// one may carry the message.
		l.drop("dead when used", err)
		at.lap(&at.send)
		err = l.open(ctx)
		at.lap(&at.dial)
		if err != nil {
			return at.onto(Reply{Kind: txn.NotSent, Code: netCode(err)})
		}
		n, err = l.send(ctx, frame)
	}
	at.lap(&at.send)
	if err != nil {
		l.drop("send failed", err)
		if n == 0 {
			return at.onto(Reply{Kind: txn.NotSent, Code: netCode(err)})
		}
		l.router.Failed(l.route, err, l.now())
		return at.onto(Reply{Kind: txn.NoAnswer, Code: netCode(err), Broken: true})
	}
	r.point("sent")
	if r.Waiting != nil {
		r.Waiting()
	}
	out := l.await(ctx, r)
	at.lap(&at.wait)
	return at.onto(out)
}

func (l *Line) ended(r Reply) Reply {
	r.LeftBy = l.o.Clock.Now().Boot
	return r
}

func (r Request) point(name string) {
	if r.Point != nil && r.want.points {
		r.Point(name)
	}
}

func (l *Line) now() time.Duration { return l.o.Clock.Now().Boot }

// open makes sure that a link is up: the routes in the router's order, the next
// one at once where one fails.
func (l *Line) open(ctx context.Context) error {
	if l.link != nil {
		return nil
	}
	err := error(&hal.LinkError{Cause: hal.CauseNoCable})
	for _, x := range l.router.Order(l.now()) {
		if err = l.openBy(ctx, x); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// openBy opens one route.
func (l *Line) openBy(ctx context.Context, x Route) error {
	link, err := l.dial(ctx, l.o.Links[x.Link], l.o.Hosts[x.Host].Address)
	if err != nil {
		if ctx.Err() == nil {
			l.router.Failed(x, err, l.now())
		}
		l.o.Notice(Notice{Code: prompt.LogLink, What: "dial failed " + l.name(x), Err: err})
		return err
	}
	l.link, l.route, l.buf = link, x, l.buf[:0]
	l.o.Notice(Notice{Code: prompt.LogLink, What: "up " + l.name(x)})
	return nil
}

// name is a route for the log: the link's, and the host's where there are several.
func (l *Line) name(x Route) string {
	n := l.o.Links[x.Link].Name
	if len(l.o.Hosts) > 1 {
		n += " host " + l.o.Hosts[x.Host].Name
	}
	return n
}

func (l *Line) dial(ctx context.Context, nl hal.NamedLink, host string) (hal.Link, error) {
	limit := l.o.DialTimeout
	if len(l.o.Links)*len(l.o.Hosts) > 1 {
		limit = min(limit, l.o.RedialTimeout)
	}
	ctx, cancel := hal.WithTimeout(ctx, l.o.Clock, limit)
	defer cancel()
	link, err := nl.Dial(ctx, host)
	l.stir.Add(1)
	var le *hal.LinkError
	if err != nil && hal.TimedOut(ctx) && !errors.As(err, &le) {
		err = &hal.LinkError{Cause: hal.CauseHostSilent, Err: err}
	}
	return link, err
}

func (l *Line) send(ctx context.Context, frame []byte) (int, error) {
	ctx, cancel := hal.WithTimeout(ctx, l.o.Clock, l.o.AnswerTimeout)
	defer cancel()
	n, err := l.link.Write(ctx, frame)
	hal.Scrub()
	l.stir.Add(1)
	if err == nil && n < len(frame) {
		err = &hal.LinkError{Cause: hal.CauseDevice, Err: fmt.Errorf("short write, %d of %d", n, len(frame))}
	}
	return n, err
}

// await reads frames until the answer comes, time runs out or the link breaks.
// What does not parse or does not match is no answer: it is named in the log,
// and the wait goes on.
func (l *Line) await(ctx context.Context, r Request) Reply {
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = l.o.AnswerTimeout
	}
	ctx, cancel := hal.WithTimeout(ctx, l.o.Clock, timeout)
	defer cancel()
	for {
		body, err := l.readFrame(ctx)
		if err != nil {
			out := Reply{Kind: txn.NoAnswer, Code: prompt.NetHostSilent}
			if !hal.TimedOut(ctx) {
				out.Broken, out.Code = true, netCode(err)
			}
			// Whatever the link still holds must not meet the next message.
			l.drop("no answer", err)
			if ctx.Err() == nil || hal.TimedOut(ctx) {
				l.router.Failed(l.route, err, l.now())
			}
			return out
		}
		answer, bad := l.check(body, r.want)
		if bad != nil {
			l.o.Notice(*bad)
			continue
		}
		l.router.Worked(l.route, l.now())
		l.armIdle()
		return Reply{Kind: txn.Answered, Answer: answer}
	}
}

// readFrame collects one frame: a length of two bytes, and that many.
func (l *Line) readFrame(ctx context.Context) ([]byte, error) {
	defer hal.Scrub()
	for {
		if len(l.buf) >= 2 {
			n := int(binary.BigEndian.Uint16(l.buf))
			if n > maxFrame || n == 0 {
				return nil, fmt.Errorf("hostlink: a frame of %d bytes", n)
			}
			if len(l.buf) >= 2+n {
				body := append([]byte(nil), l.buf[2:2+n]...)
				rest := copy(l.buf, l.buf[2+n:])
				clear(l.buf[rest:])
				l.buf = l.buf[:rest]
				return body, nil
			}
		}
		var chunk [1024]byte
		n, err := l.link.Read(ctx, chunk[:])
		l.stir.Add(1)
		l.buf = hal.AppendWiping(l.buf, chunk[:n])
		clear(chunk[:])
		hal.Scrub()
		if err != nil && n == 0 {
			return nil, err
		}
	}
}

// drop closes the link; the next exchange opens another.
func (l *Line) drop(what string, err error) {
	if l.link == nil {
		return
	}
	n := Notice{Code: prompt.LogLink, What: "down " + l.name(l.route) + ": " + what, Err: err}
	if r, ok := l.link.(hal.Resender); ok {
		if again, sent, rerr := r.Resent(); rerr == nil {
			n.Again, n.Sent = again, sent
		}
	}
	l.o.Notice(n)
	l.link.Close()
	clear(l.buf[:cap(l.buf)])
	l.link, l.buf = nil, l.buf[:0]
}

// armIdle closes a link that nobody used for a while: airtime costs money, and
// a middlebox would drop it silently.
func (l *Line) armIdle() {
	l.stopIdle = l.o.Clock.AfterFunc(l.o.IdleClose, func() {
		select {
		case l.sem <- struct{}{}:
			l.drop("idle", nil)
			<-l.sem
		default: // in use again
		}
	})
}

func (l *Line) stopIdleTimer() {
	if l.stopIdle != nil {
		l.stopIdle()
		l.stopIdle = nil
	}
	if l.link != nil {
		l.late()
	}
}

// late looks for a moment at what came while nobody waited: an answer is
// reported and never used; a link that the host has closed is dropped now,
// before a message could be lost on it.
func (l *Line) late() {
	ctx, cancel := hal.WithTimeout(context.Background(), l.o.Clock, time.Millisecond)
	defer cancel()
	for l.link != nil {
		body, err := l.readFrame(ctx)
		if err != nil {
			if !hal.TimedOut(ctx) {
				l.drop("closed by the host", err)
			}
			return
		}
		clear(body)
		l.o.Notice(Notice{Code: prompt.LogLateAnswer, What: "late"})
	}
}

// Close drops the link.
func (l *Line) Close() error {
	l.probeMu.Lock()
	l.stopped = true
	l.probeMu.Unlock()
	l.take()
	defer l.giveBack()
	l.stopIdleTimer()
	l.drop("closing", nil)
	return nil
}

// netCode is what a person is told about an error of a link.
func netCode(err error) prompt.Code {
	var le *hal.LinkError
	if !errors.As(err, &le) {
		return prompt.NetUnknown
	}
	codes := [...]prompt.Code{prompt.NetUnknown, prompt.NetModemSilent, prompt.NetNoSIM, prompt.NetNoSignal, prompt.NetNotRegistered,
		prompt.NetRefused, prompt.NetNoData, prompt.NetDNS, prompt.NetHostRefused, prompt.NetHostSilent, prompt.NetTLS, prompt.NetClosed,
		prompt.NetBusy, prompt.NetNoDialTone, prompt.NetNoCarrier, prompt.NetNoCable, prompt.NetDevice}
	return codes[min(int(le.Cause), len(codes)-1)]
}
