package flash

import (
	"context"
	"errors"
	"time"

	"swipewell/firmware/update/flashwire"
	"swipewell/hal"
)

// Port is an open serial port, as drivers/tty has it. Reads and writes that fail,
// for another reason than their context, are a port that is gone.
type Port interface {
	Read(ctx context.Context, b []byte) (int, error)
	Write(ctx context.Context, b []byte) (int, error)
	SetBaud(baud int) error
	Drain(ctx context.Context) error
	Close() error
}

// ErrBusy is what Opts.Open says of a port that another program has open.
var ErrBusy = errors.New("flash: the port is in use by another program")

// errGone is a port that went away under us: somebody pulled the cable.
var errGone = errors.New("flash: the port is gone")

// frameBytes of a full frame of data on the line; COBS and the zeros are in it.
const frameBytes = 1041

// link is a port with frames on it. One goroutine reads; all else is the caller's.
type link struct {
	p     Port
	clock hal.Clock
	in    chan []byte
	stop  context.CancelFunc
	split flashwire.Splitter
	baud  int
	free  time.Duration // when what was written will have left, by the rate
	Bytes int64         // written
}

func newLink(ctx context.Context, p Port, clock hal.Clock, baud int) *link {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // it ends by close: the last words come after ctx
	l := &link{p: p, clock: clock, baud: baud, in: make(chan []byte, 64), stop: stop}
	go l.read(ctx)
	return l
}

// read hands on what comes, until the port or ctx ends.
func (l *link) read(ctx context.Context) {
	defer close(l.in)
	for {
		b := make([]byte, 4096)
		n, err := l.p.Read(ctx, b)
		if n > 0 {
			select {
			case l.in <- b[:n]:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (l *link) close() {
	l.stop()
	l.p.Close()
}

// detach ends the reading and leaves the port open.
func (l *link) detach() {
	l.stop()
	for range l.in {
	}
}

func (l *link) now() time.Duration { return l.clock.Now().Boot }

func (l *link) perByte() time.Duration { return 10 * time.Second / time.Duration(l.baud) }

// ahead is how much time of the line may lie written and unsent: enough that the
// line never waits for a laptop that is busy, and so little against the window that
// a lost frame is repeated soon. What lies there when the cable is pulled has taken
// no time of the line.
func (l *link) ahead() time.Duration { return max(2*frameBytes*l.perByte(), 100*time.Millisecond) }

// put writes a frame. The pace is 1 % above the rate: clocks of two ends differ by
// less than 2 %, and what is too fast only fills the driver's queue.
func (l *link) put(ctx context.Context, b []byte) error {
	l.free = max(l.free, l.now()) + time.Duration(len(b))*l.perByte()*99/100
	n, err := l.p.Write(ctx, b)
	l.Bytes += int64(n)
	if err != nil {
		return l.end(ctx)
	}
	return nil
}

func (l *link) end(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return errGone
}

// await takes what comes until a time; once something came it returns at once. A
// time that is over takes only what is there.
func (l *link) await(ctx context.Context, until time.Duration, got func(flashwire.Frame)) error {
	var over <-chan struct{}
	d := until - l.now()
	if d > 0 {
		fired, stop := hal.After(l.clock, d)
		defer stop()
		over = fired
	}
	for {
		var b []byte
		var ok bool
		if d <= 0 {
			select {
			case b, ok = <-l.in:
			default:
				return ctx.Err()
			}
		} else {
			select {
			case b, ok = <-l.in:
			case <-over:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if !ok {
			return l.end(ctx)
		}
		l.split.Feed(b, got, func() {})
		l.split.Text = l.split.Text[:0] // the console's
		d = 0
	}
}

// machine is one of flashwire's.
type machine interface {
	Next(now time.Duration) (frame []byte, wake time.Duration, err error)
	Got(f flashwire.Frame)
}

// play runs a machine until it is done or fails. each is called at every turn.
func (l *link) play(ctx context.Context, m machine, done func() bool, each func(now time.Duration) error) error {
	for !done() {
		now := l.now()
		if each != nil {
			if err := each(now); err != nil {
				return err
			}
		}
		wake := l.free - l.ahead()
		if wake <= now {
			frame, w, err := m.Next(now)
			if err != nil {
				return err
			}
			if frame != nil {
				if err := l.put(ctx, frame); err != nil {
					return err
				}
				w = 0
			}
			wake = min(w, now+turn)
		}
		if err := l.await(ctx, wake, m.Got); err != nil {
			return err
		}
	}
	return nil
}

// turn is how long a machine may wait before its watcher is asked again.
const turn = 200 * time.Millisecond

// pause lets d pass; what comes is dropped.
func (l *link) pause(ctx context.Context, d time.Duration) error {
	for end := l.now() + d; l.now() < end; {
		if err := l.await(ctx, end, func(flashwire.Frame) {}); err != nil {
			return err
		}
	}
	return nil
}

func (l *link) ask(ctx context.Context, a *flashwire.Ask) error {
	return l.play(ctx, a, a.Done, nil)
}

// negotiate brings both ends to the first of the offers that works.
func (l *link) negotiate(ctx context.Context, offers []int) error {
	h := flashwire.NewRateHost(l.baud, offers)
	for {
		a := h.Next(l.now())
		var err error
		switch {
		case a.End:
			return nil
		case a.Send != nil:
			err = l.put(ctx, a.Send)
		case a.Baud != 0:
			err = l.setBaud(ctx, a.Baud)
		default:
			err = l.await(ctx, a.Wait, h.Got)
		}
		if err != nil {
			return err
		}
	}
}

// rest brings both ends back to the rate of rest, so that the next program need not
// wait until the device does it by itself.
func (l *link) rest(ctx context.Context, safe int) {
	if l.baud == safe {
		return
	}
	answered := false
	if l.put(ctx, flashwire.RateFrame(safe)) == nil {
		for end := l.now() + turn; !answered && l.now() < end; {
			if l.await(ctx, end, func(f flashwire.Frame) { answered = answered || f.Type == flashwire.Rate }) != nil {
				return
			}
		}
	}
	_ = l.setBaud(ctx, safe)
}

// setBaud changes the rate once all has left. An adapter that cannot do the rate
// keeps the old one: then no probe comes back, and a lower one is tried. Of a port
// that is gone the next read or write tells.
func (l *link) setBaud(ctx context.Context, baud int) error {
	if err := l.p.Drain(ctx); err != nil {
		return l.end(ctx)
	}
	if err := hal.Sleep(ctx, l.clock, max(l.free-l.now(), 0)); err != nil {
		return err
	}
	l.baud = baud
	_ = l.p.SetBaud(baud)
	return nil
}
