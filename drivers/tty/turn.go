package tty

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// turn is one direction of a port: who may use it now, and the eventfd that
// frees whoever waits in ppoll.
type turn struct {
	free  chan struct{} // holds a token while nobody is at it
	event int
}

func newTurn() turn {
	t := turn{free: make(chan struct{}, 1), event: -1}
	t.free <- struct{}{}
	return t
}

func (t *turn) open() (err error) {
	if t.event, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		t.event = -1
	}
	return err
}

func (t *turn) close() {
	if t.event >= 0 {
		unix.Close(t.event)
	}
}

// wake makes the eventfd readable; any non-zero count does, so the byte order
// of the machine does not matter.
func (t *turn) wake() { unix.Write(t.event, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

func (t *turn) drain() {
	var b [8]byte
	unix.Read(t.event, b[:])
}

// begin notes a user and waits for the turn; end gives both back.
func (p *Port) begin(ctx context.Context, t *turn) (end func(), err error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	select {
	case <-t.free:
		return func() { t.free <- struct{}{}; p.users.Done() }, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-p.gone:
		err = ErrClosed
	}
	p.users.Done()
	return nil, err
}

// wait polls the port for events until ctx ends or the port closes. With
// slice > 0 it also returns, with no events, after that much real time.
func (p *Port) wait(ctx context.Context, t *turn, events int16, slice time.Duration) (int16, error) {
	if ctx.Done() != nil {
		woke := make(chan struct{})
		stop := context.AfterFunc(ctx, func() { t.wake(); close(woke) })
		// The eventfd's number may belong to another file once the port is
		// closed: a wake that has started must be over before this user goes.
		defer func() {
			if !stop() {
				<-woke
			}
		}()
	}
	var limit *unix.Timespec
	if slice > 0 {
		ts := unix.NsecToTimespec(int64(slice))
		limit = &ts
	}
	for {
		fds := []unix.PollFd{{Fd: int32(p.fd), Events: events}, {Fd: int32(t.event), Events: unix.POLLIN}}
		_, err := unix.Ppoll(fds, limit, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, fmt.Errorf("tty: %s: %w", p.path, err)
		case p.isClosed():
			return 0, ErrClosed
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case fds[0].Revents != 0:
			return fds[0].Revents, nil
		case fds[1].Revents != 0:
			t.drain() // left over from an earlier call whose context ended late
		case slice > 0:
			return 0, nil
		}
	}
}

// hungUp asks without waiting whether the far end is gone. A plain POLLIN
// cannot tell: a hung-up tty is readable for ever. N_TTY: hung_up_tty_poll.
func (p *Port) hungUp() bool {
	fds := []unix.PollFd{{Fd: int32(p.fd)}}
	n, err := unix.Ppoll(fds, &unix.Timespec{}, nil)
	return err == nil && n > 0 && fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
}
