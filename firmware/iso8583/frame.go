package iso8583

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"swipewell/firmware/iso8583/tpdu"
)

const (
	// LengthSize is the length before a frame: big-endian, binary, not counting
	// itself. A synchronous modem's link layer has none. HOST §1.1.
	LengthSize = 2
	// MaxFrame bounds what a peer may announce: no message of the dialect that
	// a terminal has use for comes near it.
	MaxFrame = 2048
)

// Frame is one frame without its length.
type Frame struct {
	TPDU    tpdu.Header
	Blocks  []byte // LRI, LLI, LUI blocks as they stand between TPDU and header; mostly none
	Header  Header
	Message []byte // MTI to the end
}

// A Frame prints its envelope only: the message holds card data.
func (f Frame) String() string {
	return fmt.Sprintf("%v %v, %d bytes", f.TPDU, f.Header, len(f.Message))
}

// Format is String for every verb.
func (f Frame) Format(s fmt.State, _ rune) { io.WriteString(s, f.String()) }

// NextFrame splits the first whole frame, without its length, off what has
// been read of a stream: rest follows it. body is nil while bytes are missing.
// The error says that the peer announced nothing or more than MaxFrame; the
// stream cannot be followed any further.
func NextFrame(buf []byte) (body, rest []byte, err error) {
	if len(buf) < LengthSize {
		return nil, buf, nil
	}
	n := int(binary.BigEndian.Uint16(buf))
	if n == 0 || n > MaxFrame {
		return nil, buf, UnionPay.fail(0, 0, BadLength)
	}
	if len(buf) < LengthSize+n {
		return nil, buf, nil
	}
	return buf[LengthSize : LengthSize+n : LengthSize+n], buf[LengthSize+n:], nil
}

// Blocks for the acquirer's network that may stand between TPDU and header: a
// tag of three letters, a length of two bytes, binary, and so many bytes. LRI,
// the dial monitor, always has 28. HOST §1.1. None can be taken for a
// header, since its first byte is BCD.
const (
	tagLRI    = "LRI"
	tagLLI    = "LLI"
	tagLUI    = "LUI"
	blockHead = 3 + 2
	lriLength = 0x1C
)

// blocks is how many bytes of blocks raw begins with; off says where the error
// is.
func blocks(raw []byte) (n, off int, r Reason) {
	for len(raw) >= n+3 {
		b := raw[n:]
		tag := string(b[:3])
		if tag != tagLRI && tag != tagLLI && tag != tagLUI {
			break
		}
		if len(b) < blockHead {
			return 0, len(raw), Truncated
		}
		size := int(binary.BigEndian.Uint16(b[3:]))
		if tag == tagLRI && size != lriLength {
			return 0, n + 3, BadLength
		}
		if len(b) < blockHead+size {
			return 0, len(raw), Truncated
		}
		n += blockHead + size
	}
	return n, 0, 0
}

// ParseFrame splits what follows the two bytes of length. The slices of the
// Frame are slices of raw. What it refuses is a *FieldError of field 0.
func ParseFrame(raw []byte) (f Frame, err error) {
	if f.TPDU, err = tpdu.Read(raw); err != nil {
		var te *tpdu.Error
		if errors.As(err, &te) && te.Offset < len(raw) {
			return Frame{}, UnionPay.fail(0, te.Offset, BadFrame)
		}
		return Frame{}, UnionPay.fail(0, len(raw), Truncated)
	}
	at := tpdu.Size
	n, off, r := blocks(raw[at:])
	if r != 0 {
		return Frame{}, UnionPay.fail(0, at+off, r)
	}
	if n > 0 {
		f.Blocks = raw[at : at+n : at+n]
	}
	at += n
	if f.Header, err = readHeader(raw[at:], at); err != nil {
		return Frame{}, err
	}
	f.Message = raw[at+HeaderSize:]
	return f, nil
}

// Append appends the whole frame with its length.
func (f Frame) Append(dst []byte) []byte {
	n := tpdu.Size + len(f.Blocks) + HeaderSize + len(f.Message)
	dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	dst = f.TPDU.Append(dst)
	dst = append(dst, f.Blocks...)
	dst = append(dst, f.Header[:]...)
	return append(dst, f.Message...)
}

// AppendFrame appends length, TPDU, header and message.
func AppendFrame(dst []byte, t tpdu.Header, h Header, message []byte) []byte {
	return Frame{TPDU: t, Header: h, Message: message}.Append(dst)
}
