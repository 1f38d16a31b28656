package tty

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// bauds are the rates with a flag of their own. TERMIOS, c_cflag.
var bauds = map[int]uint32{
	300: unix.B300, 600: unix.B600, 1200: unix.B1200, 1800: unix.B1800, 2400: unix.B2400, 4800: unix.B4800,
	9600: unix.B9600, 19200: unix.B19200, 38400: unix.B38400, 57600: unix.B57600, 115200: unix.B115200,
	230400: unix.B230400, 460800: unix.B460800, 500000: unix.B500000, 576000: unix.B576000, 921600: unix.B921600,
	1000000: unix.B1000000, 1152000: unix.B1152000, 1500000: unix.B1500000, 2000000: unix.B2000000,
	3000000: unix.B3000000, 4000000: unix.B4000000,
}

// setSpeed writes one rate for both directions. TERMIOS: BOTHER takes c_ispeed
// and c_ospeed as numbers; CIBAUD 0 means that input runs at output's rate.
func setSpeed(t *unix.Termios, baud int) {
	t.Cflag &^= unix.CBAUD | unix.CIBAUD
	if f := bauds[baud]; f != 0 {
		t.Cflag |= f
	} else {
		t.Cflag |= unix.BOTHER
	}
	t.Ispeed, t.Ospeed = uint32(baud), uint32(baud)
}

// SetBaud changes the rate of an open port, at once: Drain first if bytes are
// still on their way out.
func (p *Port) SetBaud(baud int) error {
	if baud <= 0 {
		return fmt.Errorf("tty: %s: %w: %d baud", p.path, ErrOpts, baud)
	}
	if err := p.enter(); err != nil {
		return err
	}
	defer p.users.Done()
	t, err := unix.IoctlGetTermios(p.fd, unix.TCGETS2)
	if err != nil {
		return p.wrap(err)
	}
	setSpeed(t, baud)
	return p.wrap(unix.IoctlSetTermios(p.fd, unix.TCSETS2, t))
}
