package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"swipewell/hal"
)

// qmp follows one QEMU: it gives its orders, and connects the sockets of the
// world with the ports of the device as those are opened and closed. QEMU.
type qmp struct {
	ctx  context.Context
	stop context.CancelFunc
	done chan struct{}

	mu    sync.Mutex
	conn  net.Conn
	wires map[string]*wire
}

// follow waits for the QEMU that is about to be started in dir, whose streams are
// given as world's socket and QEMU's.
func follow(socket string, streams map[string][2]string) *qmp {
	ctx, stop := context.WithCancel(context.Background())
	q := &qmp{ctx: ctx, stop: stop, done: make(chan struct{}), wires: map[string]*wire{}}
	os.Remove(socket)
	for name, s := range streams {
		os.Remove(s[1])
		q.wires[name] = &wire{world: s[0], port: s[1]}
	}
	go q.run(socket)
	return q
}

func (q *qmp) close() {
	q.stop()
	q.mu.Lock()
	if q.conn != nil {
		q.conn.Close()
	}
	q.mu.Unlock()
	<-q.done
}

// dialTime is how long a socket of QEMU's may take to be there.
const dialTime = 10 * time.Second

func dial(ctx context.Context, path string) (net.Conn, error) {
	for until := (hal.SystemClock{}).Now().Boot + dialTime; ; {
		c, err := net.Dial("unix", path)
		if err == nil || (hal.SystemClock{}).Now().Boot > until {
			return c, err
		}
		if err := hal.Sleep(ctx, hal.SystemClock{}, 5*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// message is what QEMU says; only this event is listened for.
type message struct {
	Event string `json:"event"`
	Data  struct {
		ID   string `json:"id"`
		Open bool   `json:"open"`
	} `json:"data"`
}

func (q *qmp) run(socket string) {
	defer close(q.done)
	defer func() {
		for _, w := range q.wires {
			w.hangUp()
		}
	}()
	c, err := dial(q.ctx, socket)
	if err != nil {
		return
	}
	q.mu.Lock()
	q.conn = c
	q.mu.Unlock()
	defer c.Close()
	if q.send("qmp_capabilities") != nil {
		return
	}
	for sc := bufio.NewScanner(c); sc.Scan(); {
		var m message
		if json.Unmarshal(sc.Bytes(), &m) != nil || m.Event != "VSERPORT_CHANGE" {
			continue
		}
		if w := q.wires[m.Data.ID]; w != nil {
			w.hangUp()
			if m.Data.Open {
				w.connect(q.ctx)
			}
		}
	}
}

// send gives an order.
func (q *qmp) send(order string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.conn == nil {
		return fmt.Errorf("qemu: %s: no connection", order)
	}
	b, err := json.Marshal(map[string]string{"execute": order})
	if err != nil {
		return err
	}
	_, err = q.conn.Write(append(b, '\n'))
	return err
}

// wire is a socket of the world and the port that stands for it.
type wire struct {
	world, port string

	mu    sync.Mutex
	ends  []net.Conn
	count sync.WaitGroup
}

// connect is the device opening the socket.
func (w *wire) connect(ctx context.Context) {
	a, err := net.Dial("unix", w.world)
	if err != nil {
		return // this world has none: the device reads nothing, and gives up
	}
	b, err := dial(ctx, w.port)
	if err != nil {
		a.Close()
		return
	}
	w.mu.Lock()
	w.ends = []net.Conn{a, b}
	w.mu.Unlock()
	for _, p := range [][2]net.Conn{{a, b}, {b, a}} {
		w.count.Add(1)
		go func() {
			defer w.count.Done()
			if _, err := io.Copy(p[0], p[1]); !errors.Is(err, os.ErrDeadlineExceeded) {
				p[0].Close()
				p[1].Close()
			}
		}()
	}
}

// lastBytes are given this long between the two ends of a wire.
const lastBytes = 50 * time.Millisecond

// hangUp is the device's program ending.
func (w *wire) hangUp() {
	w.mu.Lock()
	ends := w.ends
	w.ends = nil
	w.mu.Unlock()
	if len(ends) == 2 {
		// What the device wrote before it closed is on its way still.
		now := hal.SystemClock{}.Now().Wall
		ends[0].SetReadDeadline(now)
		ends[1].SetReadDeadline(now.Add(lastBytes))
	}
	w.count.Wait()
	for _, c := range ends {
		c.Close()
	}
}
