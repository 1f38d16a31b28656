// Package tcp is a hal.Dialer over the machine's own network, plain or TLS.
//
// Sources:
//   - LINUX: tcp(7), TCP_INFO
//   - RFC8446: TLS 1.3; RFC5246: TLS 1.2
package tcp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"swipewell/hal"
)

// Opts of New. Clock is needed.
type Opts struct {
	Clock      hal.Clock
	TLS        bool
	CA         []byte // PEM: the only certificates that are believed
	ServerName string // the name in the host's certificate; default the dialled host
}

// Dialer opens sockets.
type Dialer struct {
	o     Opts
	roots *x509.CertPool
}

// ErrCA says that TLS was asked for without a usable CA.
var ErrCA = errors.New("tcp: TLS needs the CA of the host, in PEM")

// New checks the options. TLS without a pinned CA is refused.
func New(o Opts) (*Dialer, error) {
	if o.Clock == nil {
		return nil, errors.New("tcp: a clock is needed")
	}
	d := &Dialer{o: o}
	if o.TLS {
		d.roots = x509.NewCertPool()
		if !d.roots.AppendCertsFromPEM(o.CA) {
			return nil, ErrCA
		}
	}
	return d, nil
}

func (d *Dialer) String() string {
	if d.o.TLS {
		return "tcp+tls"
	}
	return "tcp"
}

// Halt has nothing to stop.
func (d *Dialer) Halt() error { return nil }

// Dial opens a connection to host:port.
func (d *Dialer) Dial(ctx context.Context, addr string) (hal.Link, error) {
	var nd net.Dialer
	c, err := nd.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, &hal.LinkError{Cause: cause(ctx, err), Err: err}
	}
	if !d.o.TLS {
		return &link{conn: c, addr: addr}, nil
	}
	name := d.o.ServerName
	if name == "" {
		name, _, _ = net.SplitHostPort(addr)
	}
	tc := tls.Client(c, &tls.Config{RootCAs: d.roots, ServerName: name, MinVersion: tls.VersionTLS12, Time: func() time.Time { return d.o.Clock.Now().Wall }})
	if err := tc.HandshakeContext(ctx); err != nil {
		c.Close()
		k := hal.CauseTLS
		if ctx.Err() != nil {
			k = hal.CauseHostSilent
		}
		return nil, &hal.LinkError{Cause: k, Err: err}
	}
	return &link{conn: tc, addr: addr}, nil
}

// cause names why a connection did not open.
func cause(ctx context.Context, err error) hal.LinkCause {
	var dns *net.DNSError
	var te interface{ Timeout() bool }
	switch {
	case ctx.Err() != nil:
		return hal.CauseHostSilent
	case errors.As(err, &dns):
		return hal.CauseDNS
	case errors.Is(err, syscall.ECONNREFUSED):
		return hal.CauseHostRefused
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETDOWN):
		return hal.CauseNoCable
	case errors.As(err, &te) && te.Timeout():
		return hal.CauseHostSilent
	}
	return hal.CauseUnknown
}

type link struct {
	conn   net.Conn
	addr   string
	closed atomic.Bool
}

func (l *link) String() string { return "tcp " + l.addr }
func (l *link) Halt() error    { return l.Close() }

// Close frees a blocked call; a second one has nothing to do.
func (l *link) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	return l.conn.Close()
}

// past is a deadline that frees a blocked call at once.
var past = time.Unix(1, 0)

// Read ends with ctx.Err when ctx does; the connection stays usable.
func (l *link) Read(ctx context.Context, p []byte) (int, error) {
	l.conn.SetReadDeadline(time.Time{})
	stop := context.AfterFunc(ctx, func() { l.conn.SetReadDeadline(past) })
	defer stop()
	n, err := l.conn.Read(p)
	return n, l.wrap(ctx, err)
}

// Write counts every byte as left once one was handed to the socket: what the
// kernel took cannot be called back.
func (l *link) Write(ctx context.Context, p []byte) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if l.closed.Load() {
		return 0, l.wrap(ctx, net.ErrClosed)
	}
	l.conn.SetWriteDeadline(time.Time{})
	stop := context.AfterFunc(ctx, func() { l.conn.SetWriteDeadline(past) })
	defer stop()
	n, err := l.conn.Write(p)
	if err != nil {
		n = len(p) // a write was begun: "none left" cannot be proven
	}
	return n, l.wrap(ctx, err)
}

// Resent is what the kernel counts of this connection.
func (l *link) Resent() (again, sent int, err error) {
	c := l.conn
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	sc, ok := c.(syscall.Conn)
	if !ok {
		return 0, 0, errors.ErrUnsupported
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return 0, 0, err
	}
	var info *unix.TCPInfo
	var ierr error
	if err := raw.Control(func(fd uintptr) { info, ierr = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }); err != nil {
		return 0, 0, err
	}
	if ierr != nil {
		return 0, 0, ierr
	}
	return int(info.Total_retrans), int(info.Segs_out), nil
}

func (l *link) wrap(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return &hal.LinkError{Cause: hal.CauseClosed, Err: err}
	}
	return &hal.LinkError{Cause: hal.CauseUnknown, Err: err}
}
