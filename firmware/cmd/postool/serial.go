package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"swipewell/drivers/tty"
	"swipewell/firmware/console"
	"swipewell/firmware/journal"
)

// cable logs in at the far end of the service cable, once for all requests of a command.
func (t *tool) cable(ctx context.Context) (*console.Cable, error) {
	s := &t.serial
	if s.c != nil {
		return s.c, nil
	}
	if s.key == "" {
		return nil, errors.New("--serial needs --key: your key for the service cable")
	}
	priv, err := signer(s.key)
	if err != nil {
		return nil, err
	}
	defer clear(priv)
	port, err := tty.Open(tty.Opts{Path: s.port, Baud: s.baud})
	if err != nil {
		return nil, failure{err}
	}
	c := console.NewCable(&quietPort{ctx: ctx, p: port})
	if err := c.Login(ctx, console.Role(s.who), priv); err != nil {
		port.Close()
		return nil, failure{err}
	}
	s.c, s.done = c, func() {
		_ = c.Logout(context.WithoutCancel(ctx))
		port.Close()
	}
	return c, nil
}

// hangUp logs out.
func (t *tool) hangUp() {
	if t.serial.done != nil {
		t.serial.done()
		t.serial.c, t.serial.done = nil, nil
	}
}

// overCable is items over the cable. What follows the log asks again every second.
func (t *tool) overCable(ctx context.Context, q console.Request, fn func(console.Reply) error) error {
	c, err := t.cable(ctx)
	if err != nil {
		return err
	}
	follow := q.Follow
	q.Follow = false
	for {
		err := c.Do(ctx, q, func(r console.Reply) error {
			if !follow {
				return fn(r)
			}
			var e journal.Entry
			if r.Kind != "entry" || json.Unmarshal(r.Data, &e) != nil {
				return nil // nothing new
			}
			q.Filter.AfterSeq, q.Filter.Last = e.Seq, 0
			return fn(r)
		})
		switch {
		case ctx.Err() != nil && follow:
			return nil
		case err != nil:
			return failure{err}
		case !follow:
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

// quiet is how long a console may say nothing before it is asked again.
const quiet = 3 * time.Second

// quietPort is a port whose Read ends when nothing comes.
type quietPort struct {
	ctx context.Context
	p   interface {
		Read(ctx context.Context, b []byte) (int, error)
		Write(ctx context.Context, b []byte) (int, error)
	}
}

func (q *quietPort) Read(b []byte) (int, error) {
	ctx, cancel := context.WithTimeout(q.ctx, quiet)
	defer cancel()
	n, err := q.p.Read(ctx, b)
	if n == 0 && err != nil && ctx.Err() != nil && q.ctx.Err() == nil {
		return 0, os.ErrDeadlineExceeded
	}
	return n, err
}

func (q *quietPort) Write(b []byte) (int, error) { return q.p.Write(q.ctx, b) }
