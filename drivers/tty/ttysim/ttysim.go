// Package ttysim is the far end of a serial port: a pseudo-terminal made by
// hand, whose slave is a port that drivers/tty can open, and a bad line to put
// between the two.
//
// Sources:
//   - PTY: pty(7), ioctl_tty(2) of man-pages 6
//
// A pty carries no parity, no modem lines and no speed: what needs them is
// simulated above it, and pacing is [Faults]'.
package ttysim

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"swipewell/hal"
)

// Opts of Open. The zero value is a perfect line.
type Opts struct {
	Link   string    // a symlink to make to the slave, replacing an older one; "" none
	Clock  hal.Clock // what Faults wait on; nil is the machine's own
	Faults Faults    // of the line, both ways
	// Loose leaves the slave to its openers: while nobody has it open, reads fail
	// with EIO and what is written is nobody's. See Held.
	Loose bool
}

// Pair is a pseudo-terminal, seen from its master end. All methods may be
// called at any time; Reads take turns, and so do Writes.
type Pair struct {
	master *os.File // non-blocking: Close frees a waiting Read or Write
	slave  *os.File // held open, so that the master outlives each opener of the slave
	path   string
	link   string
	line   *Line
	closed atomic.Bool
	once   sync.Once
}

// Open makes a pair in raw mode.
func Open(o Opts) (*Pair, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("ttysim: %w", err)
	}
	p := &Pair{master: os.NewFile(uintptr(fd), "/dev/ptmx")}
	p.line = o.Faults.Wrap(bare{p}, o.Clock)
	if err := p.setup(fd, o.Link); err != nil {
		p.Close()
		return nil, fmt.Errorf("ttysim: %w", err)
	}
	if o.Loose {
		p.slave.Close()
		p.slave = nil
	}
	return p, nil
}

// Held tells whether somebody has the slave of a loose pair open.
func (p *Pair) Held() bool {
	c, err := p.master.SyscallConn()
	if err != nil {
		return false
	}
	held := false
	c.Control(func(fd uintptr) {
		f := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		if _, err := unix.Poll(f, 0); err == nil {
			held = f[0].Revents&unix.POLLHUP == 0
		}
	})
	return held
}

func (p *Pair) setup(fd int, link string) error {
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return err
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return err
	}
	p.path = fmt.Sprintf("/dev/pts/%d", n)
	s, err := unix.Open(p.path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	p.slave = os.NewFile(uintptr(s), p.path)
	// cfmakeraw: until a device has opened the slave, nothing may be echoed.
	t, err := unix.IoctlGetTermios(s, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	if err := unix.IoctlSetTermios(s, unix.TCSETS, t); err != nil {
		return err
	}
	if link == "" {
		return nil
	}
	// Made beside and renamed: whoever opens the link sees the old slave or
	// the new one, and never nothing.
	fresh := fmt.Sprintf("%s.%d", link, n)
	os.Remove(fresh)
	if err := os.Symlink(p.path, fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, link); err != nil {
		os.Remove(fresh)
		return err
	}
	p.link = link
	return nil
}

// bare is the master without the line's faults.
type bare struct{ p *Pair }

func (b bare) Read(buf []byte) (int, error) { n, err := b.p.master.Read(buf); return n, b.p.ended(err) }
func (b bare) Write(buf []byte) (int, error) {
	n, err := b.p.master.Write(buf)
	return n, b.p.ended(err)
}

// ended says of a closed pair what a stream says: io.EOF.
func (p *Pair) ended(err error) error {
	if err != nil && p.closed.Load() {
		return io.EOF
	}
	return err
}

// Offer writes what the line takes at once, without faults, and gives how much that was.
func (p *Pair) Offer(b []byte) (n int) {
	c, err := p.master.SyscallConn()
	if err != nil {
		return 0
	}
	c.Control(func(fd uintptr) {
		if w, err := unix.Write(int(fd), b); err == nil {
			n = w
		}
	})
	return n
}

// Path is the slave: what the device opens.
func (p *Pair) Path() string { return p.path }

// Read blocks until the device has written; Close ends it with io.EOF.
func (p *Pair) Read(b []byte) (int, error) { return p.line.Read(b) }

// Write puts bytes on the line to the device, and blocks while the device does
// not take them; Close ends it with io.EOF.
func (p *Pair) Write(b []byte) (int, error) { return p.line.Write(b) }

// SetFaults changes the line from the next Read and Write on.
func (p *Pair) SetFaults(f Faults) { p.line.Set(f) }

// Waiting is how many bytes lie in the line unread, either way: while there are
// some, one of the ends has not had its turn.
func (p *Pair) Waiting() (n int) {
	for _, f := range []*os.File{p.master, p.slave} {
		if f == nil {
			continue
		}
		c, err := f.SyscallConn()
		if err != nil {
			continue
		}
		c.Control(func(fd uintptr) {
			if k, err := unix.IoctlGetInt(int(fd), unix.TIOCINQ); err == nil {
				n += k
			}
		})
	}
	return n
}

// Baud is the rate that the device has set, in bits/s. The pty ignores it.
func (p *Pair) Baud() (int, error) {
	if p.slave == nil {
		return 0, fmt.Errorf("ttysim: %w", os.ErrInvalid)
	}
	c, err := p.slave.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("ttysim: %w", err)
	}
	baud, err2 := 0, error(nil)
	err = c.Control(func(fd uintptr) {
		var t *unix.Termios
		if t, err2 = unix.IoctlGetTermios(int(fd), unix.TCGETS2); err2 == nil {
			baud = int(t.Ospeed)
		}
	})
	if err == nil {
		err = err2
	}
	if err != nil {
		return 0, fmt.Errorf("ttysim: %w", err)
	}
	return baud, nil
}

// Close hangs up: what was not read is gone, as when the power fails. Safe to
// call twice.
func (p *Pair) Close() error {
	p.once.Do(func() {
		p.closed.Store(true)
		p.line.Close()
		if p.slave != nil {
			if c, err := p.slave.SyscallConn(); err == nil {
				c.Control(func(fd uintptr) { unix.IoctlSetInt(int(fd), unix.TCFLSH, unix.TCIOFLUSH) })
			}
			p.slave.Close()
		}
		p.master.Close()
		// A later pair may have taken over the link.
		if to, err := os.Readlink(p.link); err == nil && to == p.path {
			os.Remove(p.link)
		}
	})
	return nil
}
