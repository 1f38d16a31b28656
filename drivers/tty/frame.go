package tty

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// SetFrame changes parity and stop bits of an open port, at once: Drain first
// if bytes are still on their way out. A port opened with parity keeps one, and
// a port opened without never gets one, since its reader undoes the marks of
// bad bytes or does not.
func (p *Port) SetFrame(parity Parity, stopBits int) error {
	o := Opts{Parity: parity, StopBits: stopBits}
	if err := o.check(); err != nil {
		return fmt.Errorf("tty: %s: %w", p.path, err)
	}
	if (o.Parity != ParityNone) != p.marked {
		return fmt.Errorf("tty: %s: %w: parity %q on a port opened with another kind", p.path, ErrOpts, byte(parity))
	}
	if err := p.enter(); err != nil {
		return err
	}
	defer p.users.Done()
	t, err := unix.IoctlGetTermios(p.fd, unix.TCGETS2)
	if err != nil {
		return p.wrap(err)
	}
	t.Cflag &^= unix.PARODD | unix.CSTOPB
	if o.Parity == ParityOdd {
		t.Cflag |= unix.PARODD
	}
	if o.StopBits == 2 {
		t.Cflag |= unix.CSTOPB
	}
	return p.wrap(unix.IoctlSetTermios(p.fd, unix.TCSETS2, t))
}
