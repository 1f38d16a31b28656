package iso8583

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"

	"swipewell/firmware/iso8583/tpdu"
)

// Header is the message header (报文头), n12 in six bytes. HOST §1.1.
type Header [6]byte

// State is 0 in service and 1 in test.
func (h Header) State() int { return int(h[2] >> 4) }

// Processing is the host's order to the terminal in an answer: 0 none, 1
// download parameters, 2 upload status, 3 sign on again, 4 download CAPK, 5
// download AID, 6 update, 7 blacklist.
func (h Header) Processing() int { return int(h[2] & 0x0F) }

// Frame is one frame without its length.
type Frame struct {
	TPDU    tpdu.Header
	Header  Header
	Message []byte // MTI to the end, a slice of the raw frame
}

// Optional blocks between TPDU and header, HOST §0.6 and §1.1: a dial monitor
// block of 33 bytes, and blocks that carry their own length behind a tag.
var (
	lriTag = []byte{'L', 'R', 'I', 0x00, 0x1C}
	lliTag = []byte("LLI")
	luiTag = []byte("LUI")
)

const lriSize = 33

// ParseFrame splits what follows the two bytes of length.
func ParseFrame(raw []byte) (Frame, error) {
	var f Frame
	if len(raw) < tpdu.Size {
		return f, UnionPay.fail(0, len(raw), Truncated)
	}
	copy(f.TPDU[:], raw)
	at := tpdu.Size
	for {
		rest := raw[at:]
		switch {
		case bytes.HasPrefix(rest, lriTag):
			if len(rest) < lriSize {
				return f, UnionPay.fail(0, at, Truncated)
			}
			at += lriSize
			continue
		case bytes.HasPrefix(rest, lliTag), bytes.HasPrefix(rest, luiTag):
			if len(rest) < 5 || rest[3]>>4 > 9 || rest[3]&15 > 9 || rest[4]>>4 > 9 || rest[4]&15 > 9 {
				return f, UnionPay.fail(0, at, BadFrame)
			}
			n := int(rest[3]>>4)*1000 + int(rest[3]&15)*100 + int(rest[4]>>4)*10 + int(rest[4]&15)
			if len(rest) < 5+n {
				return f, UnionPay.fail(0, at, Truncated)
			}
			at += 5 + n
			continue
		}
		break
	}
	if len(raw) < at+len(f.Header) {
		return f, UnionPay.fail(0, len(raw), Truncated)
	}
	copy(f.Header[:], raw[at:])
	for i, b := range f.Header {
		if b>>4 > 9 || b&0x0F > 9 {
			return f, UnionPay.fail(0, at+i, BadFrame)
		}
	}
	f.Message = raw[at+len(f.Header):]
	return f, nil
}

// AppendFrame appends length, TPDU, header and message.
func AppendFrame(dst []byte, t tpdu.Header, h Header, message []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(tpdu.Size+len(h)+len(message)))
	dst = append(dst, t[:]...)
	dst = append(dst, h[:]...)
	return append(dst, message...)
}

// ParseHeader reads twelve digits: "603100311003".
func ParseHeader(digits string) (h Header, err error) {
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != len(h) {
		return h, UnionPay.fail(0, 0, BadFrame)
	}
	copy(h[:], b)
	return h, nil
}
