package flashwire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Type of a frame.
type Type uint8

const (
	Hello  Type = 1  // host: who is there? JSON
	Info   Type = 2  // device: JSON
	Open   Type = 3  // host: a bundle comes; JSON
	Opened Type = 4  // device: from this offset; JSON
	Data   Type = 5  // host: index 4, order 2, bytes
	Poll   Type = 6  // host: order 2; an Ack, please
	Ack    Type = 7  // device: base 4, seen 2, one bit for each frame behind base
	Done   Type = 8  // device: what was asked by Open, Try, Restart or Note is done; its number
	Failed Type = 9  // device: JSON, a code and a sentence
	Try    Type = 10 // host: start it on trial at the next boot
	Rate   Type = 11 // host: baud 4; the device answers at the old rate, then both change
	Probe  Type = 12 // host, and back from the device: 256 bytes at the new rate
	Keep   Type = 13 // host: the new rate is good

	Restart Type = 14 // host: start again, so that the trial begins
	Note    Type = 15 // host: what was done here and by whom, for the journal; JSON

	Have Type = 16 // host: which of these blocks are there? index 2, bits 1, image's size 4, first 8 bytes of each sum
	Has  Type = 17 // device: index 2, one bit for each
)

// MaxData bytes in a frame of data.
const MaxData = 1024

// maxBody is the longest frame before stuffing.
const maxBody = 1 + 6 + MaxData + 4

// ErrFrame is a frame that was damaged.
var ErrFrame = errors.New("flashwire: a damaged frame")

// AppendFrame adds a frame: zero, stuffed type, body and CRC-32, zero. WIRE.
func AppendFrame(b []byte, t Type, body ...[]byte) []byte {
	raw := make([]byte, 1, maxBody)
	raw[0] = byte(t)
	for _, p := range body {
		raw = append(raw, p...)
	}
	raw = binary.BigEndian.AppendUint32(raw, crc32.ChecksumIEEE(raw))
	return append(stuff(append(b, 0), raw), 0)
}

// stuff adds b without zeros: each run of up to 254 other bytes behind its length
// plus one. COBS.
func stuff(out, b []byte) []byte {
	at := len(out)
	out = append(out, 1)
	for _, c := range b {
		if c != 0 {
			out = append(out, c)
			out[at]++
			if out[at] < 255 {
				continue
			}
		}
		at = len(out)
		out = append(out, 1)
	}
	return out
}

// unstuff gives what was stuffed; it works in place.
func unstuff(b []byte) ([]byte, error) {
	out := b[:0]
	for i := 0; i < len(b); {
		n := int(b[i])
		if n == 0 || i+n > len(b) {
			return nil, ErrFrame
		}
		out = append(out, b[i+1:i+n]...)
		i += n
		if n < 255 && i < len(b) {
			out = append(out, 0)
		}
	}
	return out, nil
}

// Frame that came.
type Frame struct {
	Type Type
	Body []byte
}

// Splitter finds frames on a line that also carries text.
type Splitter struct {
	buf  []byte
	in   bool // behind a zero
	Bad  int  // frames that were damaged
	Text []byte
}

// Feed takes bytes of the line. Text that it meets outside frames is added to
// Text. good is called for each frame, bad for each damaged one.
func (s *Splitter) Feed(b []byte, good func(Frame), bad func()) {
	for _, c := range b {
		switch {
		case c != 0 && !s.in:
			s.Text = append(s.Text, c)
		case c != 0:
			if len(s.buf) <= maxBody+8 {
				s.buf = append(s.buf, c)
				continue
			}
			s.in, s.buf = false, s.buf[:0] // no frame is that long: a lost zero
			s.Bad++
			bad()
		case !s.in || len(s.buf) == 0:
			s.in, s.buf = true, s.buf[:0]
		default:
			f, err := parse(s.buf)
			s.in, s.buf = false, s.buf[:0]
			if err != nil {
				// The zero may have been the next frame's first.
				s.in = true
				s.Bad++
				bad()
				continue
			}
			good(f)
		}
	}
}

// Pending tells whether a frame has begun and not ended.
func (s *Splitter) Pending() bool { return s.in && len(s.buf) > 0 }

// Flush ends a frame that goes on no more. What is text was text all the time,
// behind a zero that noise made; anything else was damaged.
func (s *Splitter) Flush() {
	if s.Pending() {
		if isText(s.buf) {
			s.Text = append(s.Text, s.buf...)
		} else {
			s.Bad++
		}
	}
	s.in, s.buf = false, s.buf[:0]
}

// isText tells whether somebody may have typed these bytes.
func isText(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool {
		return !unicode.IsPrint(r) && !strings.ContainsRune("\r\n\t\b\x7f\x1b\x03\x04\x06\x15", r)
	})
}

func parse(b []byte) (Frame, error) {
	raw, err := unstuff(b)
	if err != nil || len(raw) < 5 {
		return Frame{}, ErrFrame
	}
	body := raw[:len(raw)-4]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(raw[len(body):]) {
		return Frame{}, ErrFrame
	}
	return Frame{Type(body[0]), append([]byte(nil), body[1:]...)}, nil
}
