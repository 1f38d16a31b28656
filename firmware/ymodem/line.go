package ymodem

import (
	"context"
	"errors"
	"io"
	"time"

	"swipewell/hal"
)

// Line is what a receiver talks over; hal.ServicePort is one.
type Line interface {
	Read(ctx context.Context, p []byte) (int, error)
	Write(ctx context.Context, p []byte) (int, error)
}

// errSilence: nothing came in time.
var errSilence = errors.New("ymodem: silence")

// reader gives single bytes with a deadline.
type reader struct {
	ctx   context.Context
	line  Line
	clock hal.Clock
	buf   [2048]byte
	have  []byte
}

func (r *reader) byte(wait time.Duration) (byte, error) {
	if len(r.have) == 0 {
		ctx, cancel := hal.WithTimeout(r.ctx, r.clock, wait)
		n, err := r.line.Read(ctx, r.buf[:])
		late := hal.TimedOut(ctx)
		cancel()
		r.have = r.buf[:n]
		switch {
		case n > 0:
		case r.ctx.Err() != nil:
			return 0, r.ctx.Err()
		case late:
			return 0, errSilence
		case err == nil:
			return 0, io.ErrNoProgress
		default:
			return 0, err
		}
	}
	b := r.have[0]
	r.have = r.have[1:]
	return b, nil
}

// full reads b; no byte may be longer in coming than wait.
func (r *reader) full(b []byte, wait time.Duration) error {
	for i := range b {
		var err error
		if b[i], err = r.byte(wait); err != nil {
			return err
		}
	}
	return nil
}

// quiet waits until nothing comes any more.
func (r *reader) quiet(wait time.Duration) error {
	for {
		if _, err := r.byte(wait); err != nil {
			if err == errSilence {
				return nil
			}
			return err
		}
	}
}

// Stream makes a Line of a stream whose Read cannot be given a deadline. What it
// has read when its user is done is lost.
func Stream(rw io.ReadWriter) Line {
	s := &stream{rw: rw, in: make(chan []byte), ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		for {
			b := make([]byte, 2048)
			n, err := rw.Read(b)
			if n > 0 {
				s.in <- b[:n]
			}
			if err != nil {
				s.err = err
				return
			}
		}
	}()
	return s
}

type stream struct {
	rw    io.ReadWriter
	in    chan []byte
	rest  []byte
	ended chan struct{}
	err   error
}

func (s *stream) Read(ctx context.Context, p []byte) (int, error) {
	if len(s.rest) == 0 {
		select {
		case s.rest = <-s.in:
		case <-s.ended:
			return 0, s.err
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *stream) Write(_ context.Context, p []byte) (int, error) { return s.rw.Write(p) }
