package iso7816

import (
	"context"
	"errors"
	"fmt"

	"swipewell/hal"
)

// maxData is the most data of a response APDU: Le is one byte, 00 says 256.
// EMV1 §9.4.2.
const maxData = 256

// ErrAPDU says that a command APDU cannot be sent: a bug of who made it.
var ErrAPDU = errors.New("iso7816: no command APDU")

// command is a command APDU taken apart. ISO7816-4 §5.1, short form only.
type command struct {
	head   [4]byte
	data   []byte
	le     int // 0: none is expected; 256: as much as there is
	caseNo int // 1..4
}

func parseCommand(b []byte) (c command, err error) {
	if len(b) < 4 {
		return c, fmt.Errorf("%w: %d bytes", ErrAPDU, len(b))
	}
	copy(c.head[:], b)
	if c.head[1]&0xF0 == 0x60 || c.head[1]&0xF0 == 0x90 {
		return c, fmt.Errorf("%w: INS %02X would be taken for a status", ErrAPDU, c.head[1])
	}
	le := func(v byte) int { return (int(v)-1)&0xFF + 1 }
	switch n := len(b) - 4; {
	case n == 0:
		c.caseNo = 1
	case n == 1:
		c.caseNo, c.le = 2, le(b[4])
	case b[4] > 0 && n == 1+int(b[4]):
		c.caseNo, c.data = 3, b[5:]
	case b[4] > 0 && n == 2+int(b[4]):
		c.caseNo, c.data, c.le = 4, b[5:5+int(b[4])], le(b[len(b)-1])
	default:
		return c, fmt.Errorf("%w: Lc = %02X with %d bytes behind it", ErrAPDU, b[4], n-1)
	}
	return c, nil
}

// CheckCommand refuses what is no command APDU in the short form, with ErrAPDU.
func CheckCommand(capdu []byte) error {
	_, err := parseCommand(capdu)
	return err
}

// A TPDU is one T=0 exchange: a header whose P3 is the length of data, or what
// is expected; the answer is data and SW1 SW2.
type TPDU func(ctx context.Context, tpdu []byte) (data []byte, sw1, sw2 byte, err error)

// MapT0 exchanges one APDU by T=0 commands: the four cases, 61xx answered by
// GET RESPONSE, 6Cxx by the same command with its right length, and a warning
// before the data, whose status is kept. The answer is appended to dst.
// EMV1 §9.3.1 and Annex A; ISO7816-3 §12.2.
//
// A card is asked again only while it makes progress: one 6Cxx a command, at
// least one byte of data a GET RESPONSE, 256 bytes in all.
func MapT0(ctx context.Context, dst, capdu []byte, send TPDU) ([]byte, error) {
	c, err := parseCommand(capdu)
	if err != nil {
		return dst, err
	}
	tpdu := append(make([]byte, 0, 5+len(c.data)), c.head[:]...)
	switch c.caseNo {
	case 1:
		tpdu = append(tpdu, 0)
	case 2:
		tpdu = append(tpdu, byte(c.le))
	default:
		tpdu = append(append(tpdu, byte(len(c.data))), c.data...)
	}
	defer clear(tpdu[5:])
	x := t0map{send: send, data: make([]byte, 0, maxData)}
	defer func() { clear(x.data) }()
	sw1, sw2, err := x.ask(ctx, tpdu, c.caseNo == 2)
	// A warning stands for the whole answer, whatever GET RESPONSE says after it.
	var warned [2]byte
	if err == nil && c.caseNo == 4 && (sw1 == 0x62 || sw1 == 0x63) {
		warned = [2]byte{sw1, sw2}
		want := byte(0)
		if sw1 == 0x62 && sw2 >= 0x02 && sw2 <= 0x80 {
			want = sw2 // ISO7816-4 §5.1.3: so many bytes wait
		}
		sw1, sw2, err = x.response(ctx, want)
	}
	for err == nil && sw1 == 0x61 {
		before := len(x.data)
		if sw1, sw2, err = x.response(ctx, sw2); err == nil && sw1 == 0x61 && len(x.data) == before {
			return dst, protocol("61 again, and no data")
		}
	}
	switch {
	case err != nil:
		return dst, err
	case warned[0] != 0:
		sw1, sw2 = warned[0], warned[1]
	}
	return append(append(dst, x.data...), sw1, sw2), nil
}

type t0map struct {
	send TPDU
	data []byte
}

// ask sends a command; outgoing tells that P3 is an Le, which 6Cxx corrects.
func (x *t0map) ask(ctx context.Context, tpdu []byte, outgoing bool) (sw1, sw2 byte, err error) {
	data, sw1, sw2, err := x.send(ctx, tpdu)
	if err == nil && outgoing && sw1 == 0x6C && len(data) == 0 {
		again := append([]byte(nil), tpdu...)
		defer clear(again)
		again[4] = sw2
		data, sw1, sw2, err = x.send(ctx, again)
	}
	if err != nil {
		return 0, 0, err
	}
	if len(x.data)+len(data) > maxData {
		return 0, 0, protocol("an answer of more than 256 bytes")
	}
	x.data = append(x.data, data...)
	clear(data)
	return sw1, sw2, nil
}

// response is GET RESPONSE. EMV1 §9.3.1.3.
func (x *t0map) response(ctx context.Context, n byte) (sw1, sw2 byte, err error) {
	return x.ask(ctx, []byte{0x00, 0xC0, 0x00, 0x00, n}, true)
}

// protocol is a card that broke the rules of transmission.
func protocol(format string, args ...any) error {
	return &hal.ChipError{Cause: hal.ChipProtocol, Err: fmt.Errorf(format, args...)}
}
