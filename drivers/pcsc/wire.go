package pcsc

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
)

// Commands of the daemon. PCSCLITE, enum pcsc_msg_commands.
const (
	cmdEstablish  = 0x01
	cmdConnect    = 0x04
	cmdReconnect  = 0x05
	cmdDisconnect = 0x06
	cmdTransmit   = 0x09
	cmdVersion    = 0x11
	cmdStates     = 0x12
	cmdWait       = 0x13
	cmdStop       = 0x14
)

// Sizes and numbers. PCSCLITE, pcsclite.h.
const (
	major, minor   = 4, 4
	maxReaders     = 16
	nameLen        = 128
	atrLen         = 33
	stateLen       = nameLen + 3*4 + atrLen + 3 + 2*4 // of a reader: READER_STATE, with its padding
	shareExclusive = 1
	protoT0        = 1
	protoT1        = 2
	unpower        = 2 // dispositions
	resetCard      = 1
	statePresent   = 0x0004
)

// Code is an answer of the daemon, named as PC/SC names it.
type Code uint32

var codes = map[Code]string{
	0x80100006: "no memory", 0x80100009: "unknown reader", 0x8010000A: "timeout", 0x8010000B: "sharing violation",
	0x8010000C: "no smart card", 0x8010000F: "protocol mismatch", 0x80100013: "communication error", 0x80100016: "not transacted",
	0x80100017: "reader unavailable", 0x8010001D: "no service", 0x8010001E: "service stopped", 0x8010002E: "no readers available",
	0x80100066: "unresponsive card", 0x80100067: "unpowered card", 0x80100068: "reset card", 0x80100069: "removed card",
}

func (c Code) Error() string {
	if s, ok := codes[c]; ok {
		return fmt.Sprintf("pcsc: %s (%08X)", s, uint32(c))
	}
	return fmt.Sprintf("pcsc: %08X", uint32(c))
}

// The daemon's numbers are in the machine's order: it is reached by a unix
// socket only.
var order = binary.NativeEndian

// words is a message of 32-bit numbers.
func words(v ...uint32) (b []byte) {
	for _, w := range v {
		b = order.AppendUint32(b, w)
	}
	return b
}

// conn is one connection to the daemon, with its context.
type conn struct {
	c       net.Conn
	context uint32
}

// send writes a header, size and command, and what belongs to it, at once.
func (c *conn) send(cmd uint32, body, extra []byte) error {
	b := append(append(words(uint32(len(body)), cmd), body...), extra...)
	defer clear(b)
	_, err := c.c.Write(b)
	return err
}

// call sends a message and reads one of the same size, whose last number is the
// daemon's answer.
func (c *conn) call(cmd uint32, body []byte) ([]byte, error) {
	if err := c.send(cmd, body, nil); err != nil {
		return nil, err
	}
	return c.reply(len(body))
}

func (c *conn) reply(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(c.c, b); err != nil {
		return nil, err
	}
	if rv := Code(order.Uint32(b[n-4:])); rv != 0 {
		return nil, rv
	}
	return b, nil
}

// dial connects, agrees on the version and gets a context, until ctx ends.
func dial(ctx context.Context, socket string) (*conn, error) {
	var d net.Dialer
	nc, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	c := &conn{c: nc}
	_, err = c.call(cmdVersion, words(major, minor, 0))
	if err == nil {
		var b []byte
		if b, err = c.call(cmdEstablish, words(2, 0, 0)); err == nil { // scope: system
			c.context = order.Uint32(b[4:])
			return c, nil
		}
	}
	nc.Close()
	return nil, err
}

// state of one reader.
type state struct {
	name    string
	present bool
	atr     []byte
}

// states asks for those of all readers; with cmdWait the daemon also sends a
// message, of two numbers, at the next change of any.
func (c *conn) states(cmd uint32) ([]state, error) {
	if err := c.send(cmd, nil, nil); err != nil {
		return nil, err
	}
	b := make([]byte, maxReaders*stateLen)
	if _, err := io.ReadFull(c.c, b); err != nil {
		return nil, err
	}
	return parseStates(b), nil
}

func parseStates(b []byte) (all []state) {
	for ; len(b) >= stateLen; b = b[stateLen:] {
		name, _, _ := bytes.Cut(b[:nameLen], []byte{0})
		if len(name) == 0 {
			continue
		}
		const at = nameLen + 12
		n := min(int(order.Uint32(b[at+atrLen+3:])), atrLen)
		all = append(all, state{string(name), order.Uint32(b[nameLen+4:])&statePresent != 0, bytes.Clone(b[at : at+n])})
	}
	return all
}

// stopWaiting takes back what cmdWait asked for, so that the daemon does not
// write to a connection that is gone.
func (c *conn) stopWaiting() { c.call(cmdStop, words(0, 0)) }

// connect opens the card in a reader for us alone.
func (c *conn) connect(reader string) (card, protocol uint32, err error) {
	b := append(words(c.context), make([]byte, nameLen)...)
	copy(b[4:4+nameLen-1], reader)
	b, err = c.call(cmdConnect, append(b, words(shareExclusive, protoT0|protoT1, 0, 0, 0)...))
	if err != nil {
		return 0, 0, err
	}
	return order.Uint32(b[4+nameLen+8:]), order.Uint32(b[4+nameLen+12:]), nil
}

// reset resets the card without letting go of it.
func (c *conn) reset(card uint32) (protocol uint32, err error) {
	b, err := c.call(cmdReconnect, words(card, shareExclusive, protoT0|protoT1, resetCard, 0, 0))
	if err != nil {
		return 0, err
	}
	return order.Uint32(b[16:]), nil
}

// transmit exchanges bytes with the card. max is the most that is taken back.
func (c *conn) transmit(card, protocol uint32, b []byte, max uint32) ([]byte, error) {
	// handle; protocol and size of the send header; length; the same of receiving; answer
	if err := c.send(cmdTransmit, words(card, protocol, 16, uint32(len(b)), protocol, 16, max, 0), b); err != nil {
		return nil, err
	}
	head, err := c.reply(32)
	if err != nil {
		return nil, err
	}
	n := order.Uint32(head[24:])
	if n > max {
		return nil, fmt.Errorf("pcsc: an answer of %d bytes", n)
	}
	out := make([]byte, n)
	_, err = io.ReadFull(c.c, out)
	return out, err
}
