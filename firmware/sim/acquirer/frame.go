package acquirer

import (
	"bytes"
	"fmt"
)

// envelope is what stands before the message. HOST §1.1.
type envelope struct {
	tpdu   [5]byte
	header [6]byte
}

const (
	maxFrame = 2048
	minFrame = 5 + 6 + 10 // TPDU, header, MTI and bitmap
)

// unwrap splits a frame without its two bytes of length.
func unwrap(b []byte) (e envelope, msg []byte, err error) {
	if len(b) < minFrame {
		return e, nil, fmt.Errorf("%d bytes are no frame", len(b))
	}
	copy(e.tpdu[:], b)
	b = b[5:]
	// A dial monitor's block (LRI) has 33 bytes; the others carry their length
	// in two bytes of BCD behind their tag.
	for bytes.HasPrefix(b, []byte("LRI")) || bytes.HasPrefix(b, []byte("LLI")) || bytes.HasPrefix(b, []byte("LUI")) {
		n := 33
		if b[1] != 'R' {
			n = 5
			for i, c := range spread(b[3:5]) {
				n += int(c-'0') * []int{1000, 100, 10, 1}[i]
			}
		}
		if len(b) < n+6 {
			return e, nil, fmt.Errorf("a block before the header is longer than the frame")
		}
		b = b[n:]
	}
	if len(b) < 6 {
		return e, nil, fmt.Errorf("the frame ends in the header")
	}
	copy(e.header[:], b)
	for _, c := range spread(e.tpdu[:]) + spread(e.header[:]) {
		if c > '9' {
			return e, nil, fmt.Errorf("TPDU or header is not BCD")
		}
	}
	switch {
	case e.tpdu[0] != 0x60:
		err = fmt.Errorf("the TPDU begins with %02X, not 60", e.tpdu[0])
	case e.header[0] != 0x60:
		err = fmt.Errorf("the header's class is %02X, not 60", e.header[0])
	case e.header[2]&0x0F != 0:
		err = fmt.Errorf("the header of a request orders something")
	}
	return e, b[6:], err
}

// wrap makes the frame of an answer: the two addresses of the TPDU change
// places, and the header may carry an order. HOST §1.1.
func (e envelope) wrap(order byte, msg []byte) []byte {
	n := 5 + 6 + len(msg)
	out := []byte{byte(n >> 8), byte(n), e.tpdu[0], e.tpdu[3], e.tpdu[4], e.tpdu[1], e.tpdu[2]}
	h := e.header
	h[2] = h[2]&0xF0 | order&0x0F
	return append(append(out, h[:]...), msg...)
}
