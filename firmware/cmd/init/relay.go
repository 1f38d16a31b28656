package main

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"swipewell/firmware/image/plan"
)

// relay connects a port of a virtual bench with posd's service socket, one
// connection after the other: the bench's scripts ask the terminal's books there.
// The first bytes of the bench dial the socket; the end of either ends both, and
// the bench learns it from the port being closed. Only a bench's plan names one.
func (m *machine) relay(r plan.Relay) {
	port := filepath.Join(plan.StreamDir, r.Stream)
	for ; ; m.sleep(5 * time.Millisecond) {
		f, err := os.OpenFile(port, os.O_RDWR|unix.O_NONBLOCK, 0)
		if err != nil {
			m.log.printf("relay: %v", err)
			return
		}
		m.relayOne(f, r.Socket)
	}
}

func (m *machine) relayOne(f *os.File, socket string) {
	defer f.Close()
	b := make([]byte, 4096)
	var n int
	for {
		var err error
		if n, err = f.Read(b); n > 0 {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return
		}
		m.sleep(5 * time.Millisecond) // nobody at the other end
	}
	c, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer c.Close()
	if _, err := c.Write(b[:n]); err != nil {
		return
	}
	over := make(chan struct{}, 2)
	copyTo := func(dst io.Writer, src io.Reader) { io.Copy(dst, src); over <- struct{}{} }
	go copyTo(c, f)
	go copyTo(f, c)
	<-over
}
