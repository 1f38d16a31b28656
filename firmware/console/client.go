package console

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"swipewell/firmware/pos"
)

// Unreachable says why nobody answers on the service socket.
type Unreachable struct {
	Path string
	Err  error
}

func (e *Unreachable) Error() string {
	return fmt.Sprintf("cannot reach posd at %s: %v", e.Path, e.Err)
}

func (e *Unreachable) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e *Unreachable) Hint() string {
	switch {
	case errors.Is(e.Err, os.ErrNotExist):
		return "no socket there: is posd running, and is this its data directory? (--socket, or SWIPEWELL_DATA)"
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return "the socket is left from a posd that is gone: start posd"
	case errors.Is(e.Err, os.ErrPermission):
		return "only the user that runs posd may use its socket: run this as that user"
	}
	return "posd went away: see whether it runs, then try again"
}

// Refused is the device's no.
type Refused struct{ Text string }

func (e *Refused) Error() string { return e.Text }

// Client asks a Server. One request at a time.
type Client struct {
	path string
	c    net.Conn
	in   *bufio.Reader
}

// Dial connects to the service socket at path; the error is *Unreachable.
func Dial(ctx context.Context, path string) (*Client, error) {
	short, done, err := shortPath(path)
	if err != nil {
		return nil, &Unreachable{path, err}
	}
	defer done()
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", short)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return nil, &Unreachable{path, err}
	}
	return &Client{path: path, c: c, in: bufio.NewReader(c)}, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.c.Close() }

// Do sends a request and calls fn for each item. It returns *Refused if the
// device says no, *Unreachable if it goes away, fn's error if fn fails, and
// nil if ctx ends. After any error but *Refused the client is of no more use.
func (c *Client) Do(ctx context.Context, q Request, fn func(Reply) error) error {
	stop := context.AfterFunc(ctx, func() { c.c.Close() })
	defer stop()
	gone := func(err error) error {
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, io.EOF) {
			err = errors.New("it closed the connection")
		}
		return &Unreachable{c.path, err}
	}
	if err := json.NewEncoder(c.c).Encode(q); err != nil {
		return gone(err)
	}
	for {
		line, err := c.in.ReadBytes('\n')
		if err != nil {
			return gone(err)
		}
		var r Reply
		if err := json.Unmarshal(line, &r); err != nil {
			return &Unreachable{c.path, fmt.Errorf("an answer that is none: %w", err)}
		}
		switch {
		case r.End && r.OK:
			return nil
		case r.End:
			return &Refused{r.Error}
		}
		if err := fn(r); err != nil {
			return err
		}
	}
}

// one asks for a single item.
func (c *Client) one(ctx context.Context, q Request, v any) error {
	return c.Do(ctx, q, func(r Reply) error { return json.Unmarshal(r.Data, v) })
}

// Status asks for the status.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	err = c.one(ctx, Request{Cmd: "status"}, &s)
	return s, err
}

// Queue asks for the outbox.
func (c *Client) Queue(ctx context.Context) (rs []pos.Record, err error) {
	err = c.Do(ctx, Request{Cmd: "queue"}, func(r Reply) error {
		var v pos.Record
		err := json.Unmarshal(r.Data, &v)
		rs = append(rs, v)
		return err
	})
	return rs, err
}

// Batch asks for the rows of the open batch.
func (c *Client) Batch(ctx context.Context) (rows []pos.Sale, err error) {
	err = c.Do(ctx, Request{Cmd: "batch"}, func(r Reply) error {
		var v pos.Sale
		err := json.Unmarshal(r.Data, &v)
		rows = append(rows, v)
		return err
	})
	return rows, err
}
