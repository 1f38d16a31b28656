package tty

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// LineStatus is what the other end says by its lines.
type LineStatus struct{ DCD, CTS, DSR, RI bool }

// Lines are the modem lines of a port. Ptys have none; a simulator brings its own.
type Lines interface {
	SetDTR(on bool) error
	SetRTS(on bool) error
	Status() (LineStatus, error)
}

// Lines of this port. Each call ends in ErrNoLines where there are none.
func (p *Port) Lines() Lines { return lines{p} }

type lines struct{ p *Port }

func (l lines) SetDTR(on bool) error { return l.set(unix.TIOCM_DTR, on) }
func (l lines) SetRTS(on bool) error { return l.set(unix.TIOCM_RTS, on) }

func (l lines) set(bit int, on bool) error {
	if err := l.p.enter(); err != nil {
		return err
	}
	defer l.p.users.Done()
	req := uint(unix.TIOCMBIC)
	if on {
		req = unix.TIOCMBIS
	}
	return l.wrap(unix.IoctlSetPointerInt(l.p.fd, req, bit))
}

func (l lines) Status() (LineStatus, error) {
	if err := l.p.enter(); err != nil {
		return LineStatus{}, err
	}
	defer l.p.users.Done()
	v, err := unix.IoctlGetInt(l.p.fd, unix.TIOCMGET)
	if err != nil {
		return LineStatus{}, l.wrap(err)
	}
	return LineStatus{DCD: v&unix.TIOCM_CAR != 0, CTS: v&unix.TIOCM_CTS != 0, DSR: v&unix.TIOCM_DSR != 0, RI: v&unix.TIOCM_RI != 0}, nil
}

func (l lines) wrap(err error) error {
	switch err {
	case nil:
		return nil
	case unix.ENOTTY, unix.EINVAL:
		return fmt.Errorf("tty: %s: %w", l.p.path, ErrNoLines)
	}
	return fmt.Errorf("tty: %s: %w", l.p.path, err)
}
