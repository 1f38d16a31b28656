// Package tty opens serial ports. It is the only importer of tarm/serial and
// adds what that lacks: exact deadlines, a Close that frees a waiting Read, a
// hang-up that is told from silence, a lock, modem lines, flow control, parity
// reports and any baud rate.
//
// Sources:
//   - TARM: github.com/tarm/serial, 98f6abe (2018)
//   - TERMIOS: termios(3), ioctl_tty(2), tty_ioctl(4) of man-pages 6
//
// Measured of TARM on ptys: Close blocks behind a waiting Read; ReadTimeout
// counts in steps of 100 ms and ends as io.EOF, and so does a hang-up; two
// openers succeed; parity errors are invisible. So a second handle of the same
// tty (termios is per tty) is polled together with an eventfd, and TARM reads
// only what is known to be there.
package tty

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"

	"swipewell/hal"
)

// Errors of a port that a caller can act on.
var (
	ErrClosed  = errors.New("tty: port closed")
	ErrHangup  = errors.New("tty: the other end hung up")
	ErrBusy    = errors.New("tty: port in use by another program")
	ErrNoLines = errors.New("tty: this port has no modem lines")
)

// ParityError says that the byte at Offset of what Read returned failed its
// parity check. The other bytes are good.
type ParityError struct{ Offset int }

func (e *ParityError) Error() string { return fmt.Sprintf("tty: parity error at byte %d", e.Offset) }

// Parity of a port.
type Parity byte

const (
	ParityNone Parity = 'N'
	ParityOdd  Parity = 'O'
	ParityEven Parity = 'E'
)

// Opts of Open. Zero values mean 115200 8N1, no flow control.
type Opts struct {
	Path          string
	Baud          int // any rate: those outside the standard table go by BOTHER
	DataBits      int
	Parity        Parity
	StopBits      int
	RTSCTS        bool
	HangUpOnClose bool // HUPCL: DTR falls when the last handle closes, also by a crash
}

// Port is an open serial port. One Read and one Write may run at a time, and
// Close at any time.
type Port struct {
	path   string
	tarm   *serial.Port
	fd     int    // second handle, non-blocking
	marked bool   // PARMRK is set: FF 00 x marks a bad byte, FF FF is FF
	held   []byte // an unfinished mark

	rwake, wwake int // eventfds that free a Read or Write
	mu           sync.Mutex
	closed       bool
	users        sync.WaitGroup
}

// readSlice is TARM's shortest time-out; it is never waited for, since Read
// polls first.
const readSlice = 100 * time.Millisecond

// Open opens and locks a port.
func Open(o Opts) (*Port, error) {
	if o.Baud == 0 {
		o.Baud = 115200
	}
	if o.DataBits == 0 {
		o.DataBits = 8
	}
	if o.Parity == 0 {
		o.Parity = ParityNone
	}
	if o.StopBits == 0 {
		o.StopBits = 1
	}
	fd, err := unix.Open(o.Path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		if err == unix.EBUSY {
			err = ErrBusy
		}
		return nil, fmt.Errorf("tty: %s: %w", o.Path, err)
	}
	p := &Port{path: o.Path, fd: fd, rwake: -1, wwake: -1}
	if err := p.setup(o); err != nil {
		p.release()
		return nil, fmt.Errorf("tty: %s: %w", o.Path, err)
	}
	return p, nil
}

func (p *Port) setup(o Opts) error {
	// flock keeps our own kind out, root included; TIOCEXCL the rest.
	if err := unix.Flock(p.fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return ErrBusy
	}
	standard := o.Baud
	if baudFlag(o.Baud) == 0 {
		standard = 9600 // TARM knows only the table; the rate is set below
	}
	var err error
	p.tarm, err = serial.OpenPort(&serial.Config{Name: o.Path, Baud: standard, ReadTimeout: readSlice,
		Size: byte(o.DataBits), Parity: serial.Parity(o.Parity), StopBits: serial.StopBits(o.StopBits)})
	if err != nil {
		return err
	}
	if err := p.flags(o); err != nil {
		return err
	}
	if err := unix.IoctlSetInt(p.fd, unix.TIOCEXCL, 0); err != nil {
		return err
	}
	if p.rwake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return err
	}
	p.wwake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	return err
}

// flags sets through the second handle what TARM cannot.
func (p *Port) flags(o Opts) error {
	t, err := unix.IoctlGetTermios(p.fd, unix.TCGETS2)
	if err != nil {
		return err
	}
	t.Cflag &^= unix.HUPCL | unix.CRTSCTS
	if o.HangUpOnClose {
		t.Cflag |= unix.HUPCL
	}
	if o.RTSCTS {
		t.Cflag |= unix.CRTSCTS
	}
	t.Iflag &^= unix.IGNPAR | unix.INPCK | unix.PARMRK | unix.ISTRIP
	if o.Parity != ParityNone {
		t.Iflag |= unix.INPCK | unix.PARMRK
		p.marked = true
	}
	setSpeed(t, o.Baud)
	return unix.IoctlSetTermios(p.fd, unix.TCSETS2, t)
}

// setSpeed writes a rate in both directions. TERMIOS: BOTHER takes c_ispeed
// and c_ospeed as numbers.
func setSpeed(t *unix.Termios, baud int) {
	t.Cflag &^= unix.CBAUD
	if f := baudFlag(baud); f != 0 {
		t.Cflag |= f
	} else {
		t.Cflag |= unix.BOTHER
	}
	t.Ispeed, t.Ospeed = uint32(baud), uint32(baud)
}

func baudFlag(baud int) uint32 {
	switch baud {
	case 1200:
		return unix.B1200
	case 2400:
		return unix.B2400
	case 4800:
		return unix.B4800
	case 9600:
		return unix.B9600
	case 19200:
		return unix.B19200
	case 38400:
		return unix.B38400
	case 57600:
		return unix.B57600
	case 115200:
		return unix.B115200
	case 230400:
		return unix.B230400
	case 460800:
		return unix.B460800
	case 921600:
		return unix.B921600
	}
	return 0
}

// enter notes a user of the handles, unless the port is closed.
func (p *Port) enter() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	p.users.Add(1)
	return nil
}

// wait polls the port for events until ctx ends or the port closes.
func (p *Port) wait(ctx context.Context, events int16, wake int) (int16, error) {
	stop := context.AfterFunc(ctx, func() { signal(wake) })
	defer stop()
	for {
		fds := []unix.PollFd{{Fd: int32(p.fd), Events: events}, {Fd: int32(wake), Events: unix.POLLIN}}
		_, err := unix.Ppoll(fds, nil, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("tty: %s: %w", p.path, err)
		}
		if fds[1].Revents != 0 {
			var b [8]byte
			unix.Read(wake, b[:])
			if p.isClosed() {
				signal(wake) // whoever comes next must see it too
				return 0, ErrClosed
			}
			if err := ctx.Err(); err != nil {
				return 0, err
			}
		}
		if fds[0].Revents != 0 {
			return fds[0].Revents, nil
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
}

func signal(fd int) { unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

func (p *Port) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// Read blocks until at least one byte is there. It ends with ctx.Err, ErrClosed
// or ErrHangup; a *ParityError comes along with the bytes it speaks of.
func (p *Port) Read(ctx context.Context, b []byte) (int, error) {
	if err := p.enter(); err != nil {
		return 0, err
	}
	defer p.users.Done()
	if len(b) == 0 {
		return 0, nil
	}
	for {
		ev, err := p.wait(ctx, unix.POLLIN, p.rwake)
		if err != nil {
			return 0, err
		}
		if ev&unix.POLLIN == 0 {
			return 0, ErrHangup
		}
		n, err := p.tarm.Read(b)
		if n == 0 {
			if err == io.EOF || errors.Is(err, unix.EIO) {
				return 0, ErrHangup // polled readable and empty: TARM's word for a hang-up
			}
			return 0, fmt.Errorf("tty: %s: %w", p.path, err)
		}
		if p.marked {
			var bad int
			if n, bad = p.unmark(b[:n]); bad >= 0 {
				return n, &ParityError{Offset: bad}
			}
		}
		if n > 0 {
			return n, nil
		}
	}
}

// unmark undoes PARMRK in place: FF FF is FF, FF 00 x is x with bad parity.
// bad is the offset of the first bad byte, -1 if none. TERMIOS, PARMRK.
func (p *Port) unmark(b []byte) (n, bad int) {
	bad = -1
	for _, c := range b {
		switch {
		case len(p.held) == 0 && c == 0xFF:
			p.held = append(p.held, c)
			continue
		case len(p.held) == 1 && c == 0x00:
			p.held = append(p.held, c)
			continue
		case len(p.held) == 2 && bad < 0:
			bad = n
		}
		p.held = p.held[:0]
		b[n] = c
		n++
	}
	return n, bad
}

// Write hands b to the driver, as much at a time as it takes. n is exact.
func (p *Port) Write(ctx context.Context, b []byte) (n int, err error) {
	if err := p.enter(); err != nil {
		return 0, err
	}
	defer p.users.Done()
	for n < len(b) {
		ev, err := p.wait(ctx, unix.POLLOUT, p.wwake)
		if err != nil {
			return n, err
		}
		if ev&unix.POLLOUT == 0 || ev&unix.POLLHUP != 0 {
			return n, ErrHangup
		}
		w, err := unix.Write(p.fd, b[n:])
		switch {
		case err == unix.EAGAIN || err == unix.EINTR:
		case err == unix.EIO:
			return n, ErrHangup
		case err != nil:
			return n, fmt.Errorf("tty: %s: %w", p.path, err)
		default:
			n += w
		}
	}
	return n, nil
}

// Drain waits until everything written has left the device.
func (p *Port) Drain() error { return p.ioctl(unix.TCSBRK, 1) }

// FlushInput drops what was received and not read.
func (p *Port) FlushInput() error { return p.ioctl(unix.TCFLSH, unix.TCIFLUSH) }

// SetBaud changes the rate of an open port.
func (p *Port) SetBaud(baud int) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.users.Done()
	t, err := unix.IoctlGetTermios(p.fd, unix.TCGETS2)
	if err != nil {
		return fmt.Errorf("tty: %s: %w", p.path, err)
	}
	setSpeed(t, baud)
	return unix.IoctlSetTermios(p.fd, unix.TCSETS2, t)
}

// Break holds the line for d.
func (p *Port) Break(ctx context.Context, c hal.Clock, d time.Duration) error {
	if err := p.ioctl(unix.TIOCSBRK, 0); err != nil {
		return err
	}
	err := hal.Sleep(ctx, c, d)
	return errors.Join(err, p.ioctl(unix.TIOCCBRK, 0))
}

func (p *Port) ioctl(req uint, arg int) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.users.Done()
	if err := unix.IoctlSetInt(p.fd, req, arg); err != nil {
		return fmt.Errorf("tty: %s: %w", p.path, err)
	}
	return nil
}

// Close frees a waiting Read and Write and closes the port. Safe to call twice.
func (p *Port) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	p.mu.Unlock()
	signal(p.rwake)
	signal(p.wwake)
	p.users.Wait()
	return p.release()
}

func (p *Port) release() (err error) {
	if p.tarm != nil {
		unix.IoctlSetInt(p.fd, unix.TIOCNXCL, 0)
		err = p.tarm.Close()
	}
	for _, fd := range []int{p.fd, p.rwake, p.wwake} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	return err
}

// Halt is Close, as conn.Resource wants it.
func (p *Port) Halt() error { return p.Close() }

func (p *Port) String() string { return p.path }
