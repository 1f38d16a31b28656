// Package vpcdsim is a card at the other end of a virtual reader: of
// drivers/vpcd, or of the vpcd driver of a real pcscd.
//
// Sources:
//   - VPCD: the package comment of drivers/vpcd
package vpcdsim

import (
	"encoding/binary"
	"io"
	"net"
	"sync"

	"golang.org/x/sys/unix"
)

// Card is a card that is put in.
type Card struct {
	conn net.Conn
	done chan struct{}
	once sync.Once
}

// Dial puts a card with this ATR in the reader at addr; reset is told of each
// power-up and may be nil.
func Dial(addr string, atr []byte, app func(capdu []byte) []byte, reset func()) (*Card, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return Serve(c, atr, app, reset), nil
}

// Serve is Dial on a connection that is open already.
func Serve(c net.Conn, atr []byte, app func(capdu []byte) []byte, reset func()) *Card {
	k := &Card{conn: c, done: make(chan struct{})}
	go func() {
		defer close(k.done)
		defer c.Close()
		for {
			b, err := read(c)
			if err != nil {
				return
			}
			var out []byte
			switch {
			case len(b) == 1 && b[0] == 4:
				out = atr
			case len(b) == 1 && (b[0] == 1 || b[0] == 2):
				if reset != nil {
					reset()
				}
				continue
			case len(b) <= 1:
				continue
			default:
				if out = app(b); out == nil {
					continue // a card that has gone silent
				}
			}
			if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...)); err != nil {
				return
			}
		}
	}()
	return k
}

// read takes a message that came in one write or in two: without TCP_QUICKACK
// after each read the second would wait 40 ms for its acknowledgement.
func read(c net.Conn) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return nil, err
	}
	quick(c)
	b := make([]byte, binary.BigEndian.Uint16(head[:]))
	_, err := io.ReadFull(c, b)
	quick(c)
	return b, err
}

func quick(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		if raw, err := t.SyscallConn(); err == nil {
			raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) })
		}
	}
}

// Remove takes the card out, also while it thinks.
func (k *Card) Remove() {
	k.once.Do(func() { k.conn.Close() })
}
