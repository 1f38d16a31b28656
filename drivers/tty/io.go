package tty

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"swipewell/hal"
)

// Read blocks until at least one byte is there. It ends with ctx's error,
// ErrClosed or ErrHangup. A byte that failed its parity is the last of what
// Read returns, with a *ParityError; what came behind it is the next Read's.
func (p *Port) Read(ctx context.Context, b []byte) (int, error) {
	end, err := p.begin(ctx, &p.read)
	if err != nil {
		return 0, err
	}
	defer end()
	if len(b) == 0 {
		return 0, nil
	}
	for {
		n, err := p.receive(ctx, b)
		if err != nil {
			return 0, err
		}
		if !p.marked {
			return n, nil
		}
		n, bad := p.unmark(b[:n])
		if bad {
			return n, &ParityError{Offset: n - 1}
		}
		if n > 0 {
			return n, nil
		}
		// Only the beginning of a mark so far.
	}
}

// receive waits for bytes as they come from the line, marks and all.
func (p *Port) receive(ctx context.Context, b []byte) (int, error) {
	if len(p.rest) > 0 {
		n := copy(b, p.rest)
		clear(p.rest[:n])
		p.rest = p.rest[n:]
		return n, nil
	}
	for {
		ev, err := p.wait(ctx, &p.read, unix.POLLIN, 0)
		if err != nil {
			return 0, err
		}
		if ev&unix.POLLIN == 0 {
			return 0, ErrHangup
		}
		n, err := p.tarm.Read(b)
		switch {
		case n > 0:
			return n, nil
		case p.hungUp() || errors.Is(err, unix.EIO):
			return 0, ErrHangup
		case err != nil && err != io.EOF:
			return 0, fmt.Errorf("tty: %s: %w", p.path, err)
		}
		// TARM's io.EOF without a hang-up: a flush took the bytes away.
	}
}

// unmark undoes PARMRK in place up to the first bad byte: FF FF is FF, FF 00 x
// is x with bad parity. n bytes are good to hand out, the bad one last; what
// was not used is kept for the next Read. TERMIOS, PARMRK.
func (p *Port) unmark(b []byte) (n int, bad bool) {
	for i, c := range b {
		switch {
		case len(p.mark) == 0 && c == 0xFF, len(p.mark) == 1 && c == 0x00:
			p.mark = append(p.mark, c)
			continue
		case len(p.mark) == 2:
			bad = true
		}
		p.mark = p.mark[:0]
		b[n] = c
		n++
		if bad {
			p.keep(b[i+1:])
			return n, true
		}
	}
	return n, false
}

// keep puts b before what is still to be handed out.
func (p *Port) keep(b []byte) {
	if len(b) > 0 {
		old := p.rest
		p.rest = append(append(make([]byte, 0, len(b)+len(old)), b...), old...)
		clear(old)
		clear(b) // in the caller's buffer, behind what it is told
	}
}

// Write hands b to the driver, as much at a time as it takes. n is exact: the
// bytes that the driver has taken, also when ctx ends, the port closes or the
// other end hangs up on the way.
func (p *Port) Write(ctx context.Context, b []byte) (n int, err error) {
	end, err := p.begin(ctx, &p.write)
	if err != nil {
		return 0, err
	}
	defer end()
	for n < len(b) {
		ev, err := p.wait(ctx, &p.write, unix.POLLOUT, 0)
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

// drainSlice is how often Drain looks: a byte at 115200 baud takes 87 µs.
const drainSlice = time.Millisecond

// Drain waits until everything written has left the device. tcdrain(3) alone
// cannot be interrupted, so the driver's queue is watched first, under ctx.
func (p *Port) Drain(ctx context.Context) error {
	end, err := p.begin(ctx, &p.write)
	if err != nil {
		return err
	}
	defer end()
	for {
		left, err := unix.IoctlGetInt(p.fd, unix.TIOCOUTQ)
		switch {
		case err == unix.EIO:
			return ErrHangup
		case err != nil:
			return fmt.Errorf("tty: %s: %w", p.path, err)
		case left == 0:
			// What is left is in the UART's own FIFO: some bytes' time.
			return p.wrap(unix.IoctlSetInt(p.fd, unix.TCSBRK, 1))
		}
		if ev, err := p.wait(ctx, &p.write, 0, drainSlice); err != nil {
			return err
		} else if ev&unix.POLLHUP != 0 {
			return ErrHangup
		}
	}
}

// FlushInput drops what was received and not read.
func (p *Port) FlushInput() error {
	// The turn is asked for and not waited for: a Read that blocks has nothing
	// kept, and one that is returning has its bytes already.
	select {
	case <-p.read.free:
		clear(p.rest)
		p.rest, p.mark = nil, p.mark[:0]
		p.read.free <- struct{}{}
	default:
	}
	return p.ioctl(unix.TCFLSH, unix.TCIFLUSH)
}

// Break holds the line for d of the clock's time, or until Close.
func (p *Port) Break(d time.Duration, clock hal.Clock) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.users.Done() // Close waits until the line is let go
	if err := unix.IoctlSetInt(p.fd, unix.TIOCSBRK, 0); err != nil {
		return p.wrap(err)
	}
	over, stop := hal.After(clock, d)
	defer stop()
	ended := error(nil)
	select {
	case <-over:
	case <-p.gone:
		ended = ErrClosed
	}
	if err := unix.IoctlSetInt(p.fd, unix.TIOCCBRK, 0); err != nil {
		return p.wrap(err)
	}
	return ended
}

func (p *Port) ioctl(req uint, arg int) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.users.Done()
	return p.wrap(unix.IoctlSetInt(p.fd, req, arg))
}

// wrap names the port; a tty that was hung up answers ioctls with EIO.
func (p *Port) wrap(err error) error {
	switch err {
	case nil:
		return nil
	case unix.EIO:
		return ErrHangup
	}
	return fmt.Errorf("tty: %s: %w", p.path, err)
}
