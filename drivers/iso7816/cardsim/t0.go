package cardsim

import (
	"bytes"
	"time"
)

// card0 is a T=0 card. ISO7816-3 §10.
type card0 struct {
	c    *Card
	in   []byte // header, then data
	left []byte // waits for GET RESPONSE, without status
	sw   [2]byte
	// A command answered with 6C: the same again is not carried out twice.
	head [4]byte
	kept []byte
}

func newCard0(c *Card) *card0 { return &card0{c: c} }

func (t *card0) receive(b byte, bad bool, _ time.Duration) []Char {
	t.in = append(t.in, b)
	switch n := len(t.in); {
	case bad: // asks for nothing again: the error signal is not simulated
		t.in = nil
		return nil
	case n < 5:
		return nil
	case n == 5:
		return t.header()
	case n < 5+int(t.in[4]):
		if t.c.o.ByteWise {
			return t.answer([]byte{^t.in[1]})
		}
		return nil
	}
	return t.answer(t.command())
}

// header answers five bytes: with the answer, or with the wish for data.
func (t *card0) header() []Char {
	var head [4]byte
	copy(head[:], t.in)
	switch p3 := t.in[4]; {
	case head[1] == 0xC0:
		return t.answer(t.response(int(p3)))
	case t.c.o.Outgoing(head):
		return t.answer(t.outgoing(head, int(p3)))
	case p3 == 0:
		return t.answer(t.command())
	}
	if t.c.o.ByteWise {
		return t.answer([]byte{^head[1]})
	}
	return t.answer(head[1:2])
}

// answer puts what the knobs say before what is to be sent.
func (t *card0) answer(b []byte) []Char {
	if b == nil {
		return nil
	}
	nulls := t.c.o.Nulls
	if nulls < 0 {
		nulls = 100_000
	}
	out := append(chars(bytes.Repeat([]byte{0x60}, nulls)), chars(b)...)
	if len(out) > 0 {
		out[0].Gap = t.c.o.Delay
	}
	return out
}

// command carries out a case 1 or 3 command, and keeps what it brings.
func (t *card0) command() []byte {
	capdu := t.in
	if capdu[4] == 0 {
		capdu = capdu[:4]
	}
	r := t.c.ask(capdu)
	t.in, t.kept = nil, nil
	if r == nil {
		return nil
	}
	data, sw := r[:len(r)-2], r[len(r)-2:]
	t.left, t.sw = data, [2]byte(sw)
	switch {
	case len(data) == 0:
		return sw
	case sw[0] == 0x62 || sw[0] == 0x63:
		return sw // data waits behind a warning
	}
	return t.waits()
}

func (t *card0) waits() []byte {
	n := len(t.left)
	if m := t.c.o.Most61; m > 0 {
		n = min(n, m)
	}
	return []byte{0x61, byte(n)}
}

// response is GET RESPONSE.
func (t *card0) response(le int) []byte {
	ins := t.in[1]
	t.in = nil
	if len(t.left) == 0 {
		return []byte{0x69, 0x85}
	}
	n := int(t.waits()[1]-1)&0xFF + 1
	if (le-1)&0xFF+1 != n {
		return []byte{0x6C, byte(n)}
	}
	out := append([]byte{ins}, t.left[:n]...)
	t.left = t.left[n:]
	if len(t.left) > 0 {
		return append(out, t.waits()...)
	}
	if t.sw[0] == 0x62 || t.sw[0] == 0x63 {
		return append(out, 0x90, 0x00) // the warning was said before
	}
	return append(out, t.sw[0], t.sw[1])
}

// outgoing is a case 2 command.
func (t *card0) outgoing(head [4]byte, le int) []byte {
	r := t.kept
	if r == nil || head != t.head {
		r = t.c.ask(append([]byte(nil), t.in...))
	}
	ins := t.in[1]
	t.in, t.kept = nil, nil
	if r == nil {
		return nil
	}
	data, sw := r[:len(r)-2], r[len(r)-2:]
	switch {
	case len(data) == 0:
		return sw
	case (le-1)&0xFF+1 != len(data):
		t.head, t.kept = head, r
		return []byte{0x6C, byte(len(data))}
	}
	out := []byte{}
	if t.c.o.ByteWise {
		for _, b := range data {
			out = append(out, ^ins, b)
		}
	} else {
		out = append(append(out, ins), data...)
	}
	return append(out, sw...)
}
