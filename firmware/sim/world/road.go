package world

import (
	"context"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"swipewell/hal"
)

// front is a listener before the acquirer: the second host, or the cable of
// the link "eth". It knows the faults that a socket can have; those of a radio
// are the modem's.
type front struct {
	addr  string
	clock hal.Clock
	serve func(c net.Conn)

	mu    sync.Mutex
	ln    net.Listener
	conns map[net.Conn]bool
	slow  time.Duration
	cut   int // bytes until every connection breaks; -1 none
}

func newFront(clock hal.Clock, serve func(*front, net.Conn)) (*front, error) {
	f := &front{clock: clock, conns: map[net.Conn]bool{}, cut: -1}
	f.serve = func(c net.Conn) { serve(f, c) }
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f.addr = ln.Addr().String()
	f.accept(ln)
	return f, nil
}

func (f *front) accept(ln net.Listener) {
	f.mu.Lock()
	f.ln = ln
	f.mu.Unlock()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			if f.ln != ln {
				f.mu.Unlock()
				c.Close()
				continue
			}
			f.conns[c] = true
			f.mu.Unlock()
			go func() {
				f.serve(c)
				c.Close()
				f.mu.Lock()
				delete(f.conns, c)
				f.mu.Unlock()
			}()
		}
	}()
}

// Down refuses and breaks every connection.
func (f *front) Down() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ln != nil {
		f.ln.Close()
		f.ln = nil
	}
	f.breakLocked()
}

func (f *front) breakLocked() {
	for c := range f.conns {
		if t, ok := c.(*net.TCPConn); ok {
			t.SetLinger(0)
		}
		c.Close()
	}
}

// Up ends every fault.
func (f *front) Up() error {
	f.mu.Lock()
	up := f.ln != nil
	f.slow, f.cut = 0, -1
	f.mu.Unlock()
	if up {
		return nil
	}
	ln, err := net.Listen("tcp", f.addr)
	if err != nil {
		return err
	}
	f.accept(ln)
	return nil
}

// Slow delays what passes; Cut breaks the connections after so many bytes to
// the host.
func (f *front) Slow(d time.Duration) { f.mu.Lock(); defer f.mu.Unlock(); f.slow = d }
func (f *front) Cut(n int)            { f.mu.Lock(); defer f.mu.Unlock(); f.cut = n }

// pass copies one way; toHost counts against the cut.
func (f *front) pass(dst, src net.Conn, toHost bool) {
	defer dst.Close()
	buf := make([]byte, 2048)
	for {
		n, err := src.Read(buf)
		f.mu.Lock()
		slow := f.slow
		broken := false
		if toHost && f.cut >= 0 {
			broken = n >= f.cut
			n = min(n, f.cut)
			f.cut -= n
		}
		f.mu.Unlock()
		if slow > 0 {
			hal.Sleep(context.Background(), f.clock, slow)
		}
		if n > 0 {
			if _, werr := dst.Write(buf[:n]); werr != nil {
				return
			}
		}
		if broken {
			f.mu.Lock()
			f.cut = -1
			f.breakLocked()
			f.mu.Unlock()
			return
		}
		if err != nil {
			return
		}
	}
}

// cable leads to another address.
func cable(to string) func(*front, net.Conn) {
	return func(f *front, c net.Conn) {
		up, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer up.Close()
		go f.pass(up, c, true)
		f.pass(c, up, false)
	}
}

// second is the other host of the same books.
func (w *World) second(_ *front, c net.Conn) {
	serve := w.Host.Attach(c)
	head := make([]byte, 2)
	for {
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		frame := make([]byte, int(head[0])<<8|int(head[1]))
		if _, err := io.ReadFull(c, frame); err != nil {
			return
		}
		serve(frame)
	}
}

// boardCmd names the links and hosts of the device, in order of preference,
// before start: `board links eth 4g`, `board hosts a b`, `board serial S`.
func (w *World) boardCmd(_ context.Context, args []string) error {
	names := map[string][]string{"links": {"4g", "eth"}, "hosts": {"a", "b"}, "icc": {"serial", "vpcd", "pcsc", "none"}}
	if len(args) == 2 && args[0] == "serial" && !w.Running() {
		w.serial = args[1]
		return os.WriteFile(w.path("bench.toml"), []byte(w.board(w.hostAddr)), 0o600)
	}
	if len(args) == 2 && args[0] == "recovery" && !w.Running() {
		w.noRecovery = args[1] == "off"
		return os.WriteFile(w.path("bench.toml"), []byte(w.board(w.hostAddr)), 0o600)
	}
	if len(args) > 0 && args[0] == "slots" && !w.Running() {
		w.slotKeys = args[1:]
		if err := w.fitSlots(); err != nil {
			return err
		}
		return os.WriteFile(w.path("bench.toml"), []byte(w.board(w.hostAddr)), 0o600)
	}
	if len(args) > 1 && args[0] == "log" && !w.Running() {
		w.logKeys = args[1:]
		return os.WriteFile(w.path("bench.toml"), []byte(w.board(w.hostAddr)), 0o600)
	}
	if len(args) == 2 && args[0] == "display" && (args[1] == "colour" || args[1] == "mono") && !w.Running() {
		if w.o.W, w.o.H, w.o.Mono = 320, 240, false; args[1] == "mono" {
			w.o.W, w.o.H, w.o.Mono = 128, 64, true
		}
		return os.WriteFile(w.path("bench.toml"), []byte(w.board(w.hostAddr)), 0o600)
	}
	if len(args) < 2 || names[args[0]] == nil || args[0] == "icc" && len(args) > 2 {
		return usage("board links 4g|eth… | board hosts a|b… | board icc serial|vpcd|pcsc|none | board recovery on|off | board display colour|mono | board log KEY=VALUE… | board slots [KEY=VALUE…]")
	}
	if w.Running() || w.Host == nil {
		return usage("board: before start, and with the bench's own acquirer")
	}
	for i, n := range args[1:] {
		if !slices.Contains(names[args[0]], n) || slices.Contains(args[1:i+1], n) {
			return usage("board %s: %q", args[0], n)
		}
	}
	w.mu.Lock()
	switch args[0] {
	case "links":
		w.links = slices.Clone(args[1:])
	case "hosts":
		w.hosts = slices.Clone(args[1:])
	}
	w.mu.Unlock()
	if args[0] == "icc" {
		if err := w.fitSlot(args[1]); err != nil {
			return err
		}
	}
	if err := w.layRoads(); err != nil {
		return err
	}
	return os.WriteFile(w.path("bench.toml"), []byte(w.board(w.hostAddr)), 0o600)
}

// layRoads makes what the named links and hosts need: host b, and a cable to
// each host for eth. The modem dials the same addresses and reaches the hosts
// past the cables.
func (w *World) layRoads() error {
	w.mu.Lock()
	links, hosts := w.links, w.hosts
	w.mu.Unlock()
	if slices.Contains(hosts, "b") && w.hostB == nil {
		f, err := newFront(w.Clock, w.second)
		if err != nil {
			return err
		}
		w.hostB = f
	}
	if !slices.Contains(links, "eth") {
		return nil
	}
	for _, h := range hosts {
		if w.cables[h] != nil {
			continue
		}
		f, err := newFront(w.Clock, cable(w.directAddr(h)))
		if err != nil {
			return err
		}
		w.cables[h] = f
	}
	return nil
}

// directAddr is where a host listens, past any cable.
func (w *World) directAddr(host string) string {
	if host == "b" && w.hostB != nil {
		return w.hostB.addr
	}
	return w.hostAddr
}

// boardAddr is the address of a host in the board file.
func (w *World) boardAddr(host string) string {
	if c := w.cables[host]; c != nil {
		return c.addr
	}
	return w.directAddr(host)
}

// dialModem is the modem's network: the address of a cable leads to its host.
func (w *World) dialModem(ctx context.Context, addr string) (net.Conn, error) {
	for h, c := range w.cables {
		if c.addr == addr {
			addr = w.directAddr(h)
		}
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", addr)
}

// ethCmd is `line eth …`.
func (w *World) ethCmd(args []string) error {
	if len(w.cables) == 0 {
		return usage("line eth: this board has no such link: board links eth 4g, before start")
	}
	for _, c := range w.cables {
		switch {
		case len(args) == 1 && args[0] == "up":
			if err := c.Up(); err != nil {
				return err
			}
		case len(args) == 1 && args[0] == "down":
			c.Down()
		case len(args) == 2 && args[0] == "slow":
			d, err := time.ParseDuration(args[1])
			if err != nil || d < 0 {
				return usage("line eth slow %q", args[1])
			}
			c.Slow(d)
		case len(args) == 2 && args[0] == "cut":
			n, err := number(args[1])
			if err != nil {
				return err
			}
			c.Cut(n)
		default:
			return usage("line eth up|down|slow D|cut N")
		}
	}
	return nil
}
