package tty

import (
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"swipewell/hal"
)

// Stream is a connection to a virtual bench: bytes both ways without a rate.
type Stream interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// OpenStream connects to a bench's unix socket, or opens a port of a virtio
// console, which is what stands for one in a virtual machine: it is no tty, and
// has no termios. VIRTIO 1.2 §5.3.
func OpenStream(path string) (Stream, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Mode().Type() != fs.ModeDevice|fs.ModeCharDevice {
		return net.Dial("unix", path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	// Non-blocking, it is polled by the runtime and has deadlines.
	if err := f.SetDeadline(time.Time{}); err != nil {
		f.Close()
		return nil, fmt.Errorf("tty: %s cannot be polled: %w", path, err)
	}
	return &vport{File: f}, nil
}

// comes is how long the host's end of a port may take to be opened: it learns that
// ours is only when that has happened. Meanwhile a read ends at once.
const (
	comes = 10 * time.Second
	look  = 5 * time.Millisecond
)

// vport is a port of a virtio console. Its reads begin on one goroutine.
type vport struct {
	*os.File
	met bool // the host's end has been open: its end is an end
}

func (v *vport) Read(b []byte) (int, error) {
	clock := hal.SystemClock{}
	for until := clock.Now().Boot + comes; ; {
		n, err := v.File.Read(b)
		if err != io.EOF || v.met || clock.Now().Boot > until {
			v.met = v.met || n > 0
			return n, err
		}
		wait, stop := hal.After(clock, look)
		<-wait
		stop()
	}
}
