// Package ttysim is the far end of a serial port: a pseudo-terminal made by
// hand, whose slave is a port that drivers/tty can open.
//
// Sources:
//   - PTY: pty(7), ioctl_tty(2)
//
// A pty carries no parity, no modem lines and no speed: what needs them is
// simulated above it.
package ttysim

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Opts of Open.
type Opts struct {
	Link string // a symlink to make to the slave, replacing an older one; "" none
}

// Pair is a pseudo-terminal, seen from its master end.
type Pair struct {
	master *os.File
	slave  *os.File // held open, so that the master outlives each opener of the slave
	path   string
	link   string
	once   sync.Once
}

// Open makes a pair in raw mode.
func Open(o Opts) (*Pair, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("ttysim: %w", err)
	}
	p := &Pair{master: os.NewFile(uintptr(fd), "/dev/ptmx"), link: o.Link}
	if err := p.setup(fd); err != nil {
		p.Close()
		return nil, fmt.Errorf("ttysim: %w", err)
	}
	return p, nil
}

func (p *Pair) setup(fd int) error {
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
	if p.link == "" {
		return nil
	}
	os.Remove(p.link)
	return os.Symlink(p.path, p.link)
}

// Path is the slave: what the device opens.
func (p *Pair) Path() string { return p.path }

// Read blocks until the device has written; Close frees it.
func (p *Pair) Read(b []byte) (int, error) { return p.master.Read(b) }

// Write puts bytes on the line to the device.
func (p *Pair) Write(b []byte) (int, error) { return p.master.Write(b) }

// Close hangs up: what was not read is gone, as when the power fails.
func (p *Pair) Close() error {
	p.once.Do(func() {
		if p.slave != nil {
			unix.IoctlSetInt(int(p.slave.Fd()), unix.TCFLSH, unix.TCIOFLUSH)
			p.slave.Close()
		}
		p.master.Close()
		if p.link != "" {
			os.Remove(p.link)
		}
	})
	return nil
}
