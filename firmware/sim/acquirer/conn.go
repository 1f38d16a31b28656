package acquirer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"swipewell/firmware/pos"
)

// conn is one connection of a terminal.
type conn struct {
	h    *Host
	c    net.Conn
	mu   sync.Mutex // one answer at a time
	gone atomic.Bool
}

// listen accepts connections until the listener closes.
func (h *Host) listen(ln net.Listener) {
	h.mu.Lock()
	h.ln = ln
	h.mu.Unlock()
	h.conns.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			k := &conn{h: h, c: c}
			h.mu.Lock()
			if h.ln != ln { // went down meanwhile
				h.mu.Unlock()
				c.Close()
				continue
			}
			h.open[k] = true
			h.note(Event{What: "connect"})
			h.conns.Go(k.run)
			h.mu.Unlock()
			h.flush()
		}
	})
}

// cut resets the connection: what is under way is lost, as when a host dies.
func (k *conn) cut() {
	if t, ok := k.c.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	k.close()
}

func (k *conn) close() {
	k.gone.Store(true)
	k.c.Close()
}

// Attach gives a way into the host without a network: serve hands it one frame
// (TPDU to DE 64) and returns once the host has dealt with it; what the host
// says is written to c, at once or when its clock has come to it.
func (h *Host) Attach(c net.Conn) (serve func(frame []byte)) {
	k := &conn{h: h, c: c}
	return func(frame []byte) {
		k.request(frame)
		h.flush()
	}
}

// run reads frames until the connection ends. A frame that cannot be one ends
// it: behind a wrong length nothing can be found again.
func (k *conn) run() {
	defer func() {
		k.close()
		k.h.mu.Lock()
		delete(k.h.open, k)
		k.h.note(Event{What: "disconnect"})
		k.h.mu.Unlock()
		k.h.flush()
	}()
	for {
		frame, err := readFrame(k.c)
		if err != nil {
			k.h.mu.Lock()
			switch {
			case errors.Is(err, errFrame):
				k.h.find(Finding{Name: FindFrame, Detail: err.Error()})
			case errors.Is(err, io.ErrUnexpectedEOF):
				k.h.find(Finding{Name: FindCutFrame})
			}
			k.h.mu.Unlock()
			return
		}
		ok := k.request(frame)
		clear(frame)
		k.h.flush()
		if !ok {
			return
		}
	}
}

var errFrame = errors.New("a frame's length")

func readFrame(r io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(size[:]))
	if n < minFrame || n > maxFrame {
		return nil, fmt.Errorf("%w is %d", errFrame, n)
	}
	frame := make([]byte, n)
	_, err := io.ReadFull(r, frame)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return frame, err
}

// request takes one frame through the host and sends what is to be sent; false
// closes the connection.
func (k *conn) request(frame []byte) bool {
	h := k.h
	h.mu.Lock()
	env, raw, err := unwrap(frame)
	if err != nil {
		h.find(Finding{Name: FindFrame, Detail: err.Error()})
		h.mu.Unlock()
		return false
	}
	mti := mtiOf(raw)
	h.seen[mti]++
	manner := h.manners.take(mti)
	x := &exchange{h: h, raw: raw, out: manner}
	x.m, err = decode(raw)
	h.note(Event{What: "request", MTI: mti, TID: x.m.f[41], STAN: x.m.f[11], Answer: manner.odd()})
	if manner.how == answerSilent {
		h.mu.Unlock()
		k.closeLater()
		return true
	}
	x.how = h.decisions.take(mti)
	var a message
	if err != nil {
		a, err = x.unreadable(err)
	} else {
		a = x.serve()
	}
	if err != nil { // not even a terminal to answer
		h.mu.Unlock()
		return true
	}
	send := x.finish(env, a, manner)
	h.mu.Unlock()
	k.deliver(send, manner)
	return true
}

// unreadable answers what does not parse with 30, if the terminal can be told.
func (x *exchange) unreadable(cause error) (message, error) {
	var w *wireError
	if !errors.As(cause, &w) {
		return message{}, cause
	}
	x.t = x.h.terminals[pos.TerminalID(x.m.f[41])]
	if x.m.mti == "" || x.t == nil {
		x.finding(FindParse, w.field, w.Error(), "")
		return message{}, cause
	}
	return x.refuse(FindParse, w.field, w.Error(), "30"), nil
}

// odd is the manner if it is not normal, for a log.
func (o order) odd() string {
	if o.how == answerNormal {
		return ""
	}
	return o.how
}

// finish packs an answer, with its MAC if the terminal has a key, and does to
// it what the manner says. Admin messages carry no MAC.
func (x *exchange) finish(env envelope, a message, manner order) []byte {
	h := x.h
	if manner.how == answerWrongSTAN && a.f[11] != "" {
		a.f[11] = fmt.Sprintf("%06d", number(a.f[11])%999_999+1)
	}
	signed := a.mti[:2] != "08" && x.t != nil && x.t.keys != nil
	if signed {
		a.f[64] = "00000000"
	}
	raw, err := encode(a)
	if err != nil {
		x.finding(FindOwnMistake, 0, err.Error(), "")
		return nil
	}
	if signed {
		copy(raw[len(raw)-8:], x.t.keys.mac(h.o.MAC, raw[:len(raw)-8]))
	}
	switch manner.how {
	case answerBadMAC:
		if signed { // another character of the same alphabet
			at := len(raw) - 1 - h.dice.IntN(8)
			raw[at] = hexDigits[(uint8(raw[at]&0x0F)+1)%10]
		}
	case answerGarbage: // no MTI has such a first byte
		for i := range raw {
			raw[i] = byte(h.dice.Uint32())
		}
		raw[0] |= 0xA0
	case answerMangle:
		raw[h.dice.IntN(len(raw))] ^= 1 << h.dice.IntN(8)
	}
	var digit byte
	if a.mti[:2] != "08" && manner.how != answerLost { // an order rides on a payment's answer that is sent
		digit, h.headerOrder = h.headerOrder, 0
	}
	h.note(Event{What: "answer", MTI: a.mti, TID: a.f[41], STAN: a.f[11], RC: a.f[39], Answer: manner.odd()})
	return env.wrap(digit, raw)
}

// deliver sends an answer in its manner.
func (k *conn) deliver(send []byte, manner order) {
	switch manner.how {
	case answerLost:
		k.closeLater()
	case answerLate:
		k.h.o.Clock.AfterFunc(manner.delay, func() { k.write(send) })
	case answerDuplicate:
		k.write(append(append([]byte(nil), send...), send...))
	default:
		k.write(send)
	}
}

// closeLater ends a connection on which an answer will never come.
func (k *conn) closeLater() { k.h.o.Clock.AfterFunc(k.h.o.LostClose, k.close) }

// write sends bytes if the connection is still there.
func (k *conn) write(b []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := net.ErrClosed
	if !k.gone.Load() {
		_, err = k.c.Write(b)
	}
	k.h.stir.Add(1)
	if err != nil {
		k.h.mu.Lock()
		k.h.find(Finding{Name: FindUndeliver})
		k.h.mu.Unlock()
		k.h.flush()
	}
}
