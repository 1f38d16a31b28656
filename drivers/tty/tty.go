// Package tty opens serial ports. It is the only importer of tarm/serial and
// adds what that lacks: exact deadlines, a Close that frees a waiting Read, a
// hang-up that is told from silence, a lock, modem lines, flow control, parity
// reports and any baud rate.
//
// Sources:
//   - TARM: github.com/tarm/serial, 98f6abe (2018)
//   - TERMIOS: termios(3), ioctl_tty(2), tty_ioctl(4) of man-pages 6
//   - VIRTIO: Virtual I/O Device 1.2, OASIS, 2022
//   - N_TTY: Linux, drivers/tty/n_tty.c and tty_io.c (hang-up, PARMRK)
//
// Measured of TARM on ptys: Close blocks behind a waiting Read; ReadTimeout
// counts in steps of 100 ms and ends as io.EOF, and so does a hang-up; two
// openers succeed; parity errors are invisible. So a second handle of the same
// tty (termios is per tty) is polled together with an eventfd, and TARM reads
// only what is known to be there.
package tty

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// Errors of a port that a caller can act on.
var (
	ErrClosed  = errors.New("tty: port closed")
	ErrHangup  = errors.New("tty: the other end hung up")
	ErrBusy    = errors.New("tty: port in use by another program")
	ErrNoLines = errors.New("tty: this port has no modem lines")
	ErrOpts    = errors.New("tty: no such setting")
)

// ParityError says that the byte at Offset of what Read returned failed its
// parity or framing check; it is the last of them. A break arrives so, as a
// zero byte. The bytes before it are good.
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
	Baud          int // bits/s, any rate: those outside the standard table go by BOTHER
	DataBits      int // 5..8
	Parity        Parity
	StopBits      int  // 1 or 2
	RTSCTS        bool // hardware flow control
	HangUpOnClose bool // HUPCL: DTR falls when the last handle closes, also by a crash
}

// check fills in the defaults and refuses what no UART can do.
func (o *Opts) check() error {
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
	switch {
	case o.Baud < 0:
		return fmt.Errorf("%w: %d baud", ErrOpts, o.Baud)
	case o.DataBits < 5 || o.DataBits > 8:
		return fmt.Errorf("%w: %d data bits", ErrOpts, o.DataBits)
	case o.StopBits != 1 && o.StopBits != 2:
		return fmt.Errorf("%w: %d stop bits", ErrOpts, o.StopBits)
	case o.Parity != ParityNone && o.Parity != ParityOdd && o.Parity != ParityEven:
		return fmt.Errorf("%w: parity %q", ErrOpts, byte(o.Parity))
	}
	return nil
}

// Port is an open serial port. All methods may be called at any time from any
// goroutine; Reads take turns, and so do Writes.
type Port struct {
	path string
	tarm *serial.Port
	fd   int // second handle, non-blocking

	read, write turn
	marked      bool   // PARMRK is set: FF 00 x marks a bad byte, FF FF is FF
	mark        []byte // an unfinished mark; owned by the Read whose turn it is
	rest        []byte // received behind a bad byte, still marked; likewise

	mu    sync.Mutex
	gone  chan struct{} // closed by Close
	users sync.WaitGroup
}

// readSlice is TARM's shortest time-out. It is not waited for, since Read
// polls first; it bounds the harm if a flush takes the bytes away in between.
const readSlice = 100 * time.Millisecond

// Open opens and locks a port. A port that someone else has open is ErrBusy.
func Open(o Opts) (*Port, error) {
	p := &Port{path: o.Path, fd: -1, read: newTurn(), write: newTurn(), gone: make(chan struct{})}
	err := o.check()
	if err == nil {
		err = p.setup(o)
	}
	if err != nil {
		p.release()
		return nil, fmt.Errorf("tty: %s: %w", o.Path, err)
	}
	return p, nil
}

func (p *Port) setup(o Opts) (err error) {
	if p.fd, err = unix.Open(o.Path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0); err != nil {
		p.fd = -1
		return busy(err)
	}
	// flock keeps our own kind out, root included; TIOCEXCL everybody but root.
	if err := unix.Flock(p.fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return busy(err)
	}
	standard := o.Baud
	if bauds[o.Baud] == 0 {
		standard = 9600 // TARM knows only the table; the rate is set below
	}
	p.tarm, err = serial.OpenPort(&serial.Config{Name: o.Path, Baud: standard, ReadTimeout: readSlice,
		Size: byte(o.DataBits), Parity: serial.Parity(o.Parity), StopBits: serial.StopBits(o.StopBits)})
	if err != nil {
		return busy(err)
	}
	if err := unix.IoctlSetInt(p.fd, unix.TIOCEXCL, 0); err != nil {
		return err
	}
	if err := p.flags(o); err != nil {
		return err
	}
	if err := p.read.open(); err != nil {
		return err
	}
	return p.write.open()
}

// busy turns what the kernel says of a locked port into ErrBusy.
func busy(err error) error {
	if errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EWOULDBLOCK) {
		return ErrBusy
	}
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
	// TARM sets IGNPAR, which throws bad bytes away without a word.
	t.Iflag &^= unix.IGNPAR | unix.INPCK | unix.PARMRK | unix.ISTRIP | unix.IGNBRK | unix.BRKINT
	if o.Parity != ParityNone {
		t.Iflag |= unix.INPCK | unix.PARMRK
		p.marked = true
	}
	setSpeed(t, o.Baud)
	return unix.IoctlSetTermios(p.fd, unix.TCSETS2, t)
}

// enter notes a user of the handles, unless the port is closed.
func (p *Port) enter() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isClosed() {
		return ErrClosed
	}
	p.users.Add(1)
	return nil
}

func (p *Port) isClosed() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

// Close frees a waiting Read and Write at once and closes the port. Safe to
// call twice.
func (p *Port) Close() error {
	p.mu.Lock()
	if p.isClosed() {
		p.mu.Unlock()
		return nil
	}
	close(p.gone)
	p.mu.Unlock()
	p.read.wake()
	p.write.wake()
	p.users.Wait() // nobody holds a number of a handle any more
	if err := p.release(); err != nil {
		return fmt.Errorf("tty: %s: %w", p.path, err)
	}
	return nil
}

func (p *Port) release() (err error) {
	clear(p.rest)
	if p.tarm != nil {
		// The mark outlives this handle where another holds the tty open.
		unix.IoctlSetInt(p.fd, unix.TIOCNXCL, 0)
		err = p.tarm.Close()
	}
	p.read.close()
	p.write.close()
	if p.fd >= 0 {
		unix.Close(p.fd) // gives the flock back
	}
	return err
}

// Halt is Close, as conn.Resource wants it.
func (p *Port) Halt() error { return p.Close() }

// String is the port's path.
func (p *Port) String() string { return p.path }
