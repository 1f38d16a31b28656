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

	"swipewell/firmware/image"
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
		if name == image.ServiceStream {
			q.wires[name].listen(ctx)
		}
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
			if w.ln != nil {
				w.ln.Close()
			}
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
			w.changed(q.ctx, m.Data.Open)
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

	ln   net.Listener  // where the world is who connects
	turn chan struct{} // then: the device has opened the port, once for each connection

	mu    sync.Mutex
	ends  []net.Conn
	count sync.WaitGroup
}

// changed is the device opening the port, or closing it. A turn that nobody took
// ends with the program that gave it: who asks later waits for the next one's.
func (w *wire) changed(ctx context.Context, open bool) {
	w.hangUp()
	if w.turn == nil {
		if open {
			w.connect(ctx)
		}
		return
	}
	select {
	case <-w.turn:
	default:
	}
	if open {
		w.turn <- struct{}{}
	}
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
	w.join(a, b)
}

// listen has the world connect to the device.
func (w *wire) listen(ctx context.Context) {
	os.Remove(w.world)
	ln, err := net.Listen("unix", w.world)
	if err != nil {
		return // nobody can ask the device then, and who does is told so
	}
	w.ln, w.turn = ln, make(chan struct{}, 1)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			if !w.serve(ctx, c) {
				c.Close()
			}
		}
	}()
}

// serve waits for the first bytes of who asks, and for the device's turn: the
// port has one connection at a time.
func (w *wire) serve(ctx context.Context, c net.Conn) bool {
	b := make([]byte, 4096)
	n, err := c.Read(b)
	if err != nil {
		return false
	}
	late, stop := hal.After(hal.SystemClock{}, dialTime)
	defer stop()
	select {
	case <-w.turn:
	case <-late:
		return false
	case <-ctx.Done():
		return false
	}
	port, err := dial(ctx, w.port)
	if err != nil {
		return false
	}
	if _, err := port.Write(b[:n]); err != nil {
		port.Close()
		return false
	}
	w.join(c, port)
	return true
}

// join carries bytes between the two until one of them ends.
func (w *wire) join(a, b net.Conn) {
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
