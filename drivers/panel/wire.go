// Package panel is the device's side of one local socket to the virtual bench:
// display, keypad, PIN pad, lamps, sounder, printer, tamper switch, clock, and
// the bench's fault points. A board opens it only with bench = true.
//
// Sources:
//   - WIRE: firmware/doc/wire.md, "The panel socket", which repeats what follows
//   - PERIPH: periph.io/x/conn/v3/display, the display's interface
//   - ISO9564: ISO 9564-1:2017, what a PIN entry device may and must not do
//
// # The panel socket
//
// A unix stream socket that the bench listens on and the device connects to;
// one device at a time, and a new one replaces a dead one. Both ways go messages
//
//	type     1 byte, an ASCII letter of the two tables below
//	length   4 bytes, big endian: bytes of payload, at most 1 MiB
//	payload
//
// JSON payloads are UTF-8 objects; unknown members are ignored, unknown types
// are skipped. u8 and u16 are unsigned, big endian; key codes are [hal.Key]
// (1..10 = digits 0..9, 11 = 00, 12 = dot, 13 = enter, 14 = cancel, 15 = clear,
// 16 = menu, 17 = up, 18 = down, 19..22 = F1..F4). Times are nanoseconds.
//
// From the bench to the device:
//
//	H hello    {"version":2,"wall_ns":…,"boot_ns":…,"points":["sent"],"fault":"full","paper":true}
//	           the first message: protocol version, wall clock (Unix), boottime since
//	           the power came, armed points, what commits meet, paper in the printer
//	K key      u8 key code, pressed on the keypad
//	D PIN key  u8 key code, pressed while the bench knows the PIN pad to be active
//	J jump     {"ns":…}                 move wall and boottime forward; no answer
//	A advance  {"id":1,"ns":…,"seen":…} the same, wait until idle, answer i
//	S step     {"ns":…}                 move the wall alone, either way
//	W wall     {"wall_ns":…}            set the wall
//	P points   {"points":["sent"]}      the points where the power will fail; none disarms
//	F fault    {"fault":"eio"}          what the next commits meet: "", full, readonly, eio
//	R paper    {"ok":false}             paper in the printer, or none
//	r printed  {"id":1,"cause":""}      the answer to e or n: "" the slip is out, else
//	           paper-out, cover-open, hot, fault: the slip is torn
//	T tamper   {"which":"case"}         the case was opened
//	Q ping     {"id":1}                 answered by q once all before it has been taken
//
// From the device to the bench:
//
//	h ready    {"version":2,"w":320,"h":240,"mono":false}: the answer to H
//	f frame    y u16 | rows u16 | pixels of these rows, whole rows from the left:
//	           16 bits a pixel RRRRRGGGGGGBBBBB, or on a one-bit display 1 bit a pixel,
//	           most significant first, 1 = lit, each row starting on a byte.
//	           The first frame has all rows; later ones only those that changed
//	c caption  hal.Caption, after the frame that it belongs to
//	p PIN      u8: 1 the PIN pad takes the keys now, 0 no more
//	l lamp     {"name":"ready","state":"on"}
//	s sound    u8 tone: 0 key, 1 good, 2 bad, 3 attention
//	n line     {"id":1,"text":"…","style":0}: one line of slip 1, as it comes out
//	e slip     {"id":1,"cut":true}: the end of slip 1; answered by r
//	i idle     {"id":1,"next":…,"stir":…,"busy":false}: nothing moves any more; time to
//	           the next timer (-1: none is set); busy: patience ran out first
//	x point    {"name":"sent"}: standing still at an armed point, for ever
//	q pong     {"id":1}
//	W wall     {"wall_ns":…}: the device has set its wall clock
//
// Order of boot: H, h, then anything. A version that differs ends the
// connection. When the socket ends, the power is off: the device stops.
//
// A PIN crosses inward only, as K or D messages while the PIN pad is active; the
// keypad is silent then, and a D with a digit that arrives when the pad is no longer
// active is dropped, so that no digit of a PIN ever becomes one of an amount. Neither
// end keeps, lists or logs them, and both wipe what held them.
//
// Idle: after a jump the device waits until its probe says not busy and nothing
// has stirred (timers fired, keys taken, frames drawn, the probe's own count) for
// 4 ms, at most 2 s. With "seen" equal to the stir of an earlier answer and
// nothing busy it answers at once.
package panel

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Version of this protocol; both ends must have the same.
const Version = 2

// Type of a message.
type Type byte

// From the bench to the device.
const (
	MsgHello   Type = 'H' // Hello
	MsgKey     Type = 'K' // one byte
	MsgPINKey  Type = 'D' // one byte
	MsgJump    Type = 'J' // Small.NS
	MsgAdvance Type = 'A' // Advance
	MsgStep    Type = 'S' // Small.NS
	MsgWall    Type = 'W' // Small.WallNS
	MsgArm     Type = 'P' // Small.Points
	MsgStore   Type = 'F' // Small.Fault
	MsgPaper   Type = 'R' // Small.OK
	MsgPrinted Type = 'r' // Printed
	MsgTamper  Type = 'T' // Small.Which
	MsgPing    Type = 'Q' // Small.ID
)

// From the device to the bench.
const (
	MsgReady   Type = 'h' // Ready
	MsgFrame   Type = 'f' // raw
	MsgCaption Type = 'c' // hal.Caption
	MsgPIN     Type = 'p' // one byte
	MsgLamp    Type = 'l' // Small.Name, .State
	MsgSound   Type = 's' // one byte
	MsgLine    Type = 'n' // Line
	MsgSlip    Type = 'e' // SlipEnd
	MsgIdle    Type = 'i' // Idle
	MsgPoint   Type = 'x' // Small.Name
	MsgPong    Type = 'q' // Small.ID
)

// maxPayload bounds what either end accepts: a frame of 640×480 and some.
const maxPayload = 1 << 20

// headLen is type and length.
const headLen = 5

// Hello is the world as it is when the device connects.
type Hello struct {
	Version int      `json:"version"`
	WallNS  int64    `json:"wall_ns"` // the bench's wall clock, Unix nanoseconds
	BootNS  int64    `json:"boot_ns"` // since the power came
	Points  []string `json:"points,omitempty"`
	Fault   string   `json:"fault,omitempty"`
	Paper   bool     `json:"paper"`
}

// Ready is the device's answer to Hello.
type Ready struct {
	Version int  `json:"version"`
	W       int  `json:"w"`
	H       int  `json:"h"`
	Mono    bool `json:"mono"`
}

// Advance asks the device to jump its clock by NS nanoseconds and to answer
// with the same ID once it is idle.
type Advance struct {
	ID   int    `json:"id"`
	NS   int64  `json:"ns"`
	Seen uint64 `json:"seen,omitempty"` // the stir of an earlier answer
}

// Idle says that nothing moves any more.
type Idle struct {
	ID   int    `json:"id"`
	Next int64  `json:"next"` // time to the next timer; -1 if none is set
	Stir uint64 `json:"stir"` // changes whenever anything moved
	Busy bool   `json:"busy,omitempty"`
}

// Line is one line of a slip.
type Line struct {
	ID    int    `json:"id"`
	Text  string `json:"text"`
	Style uint8  `json:"style,omitempty"`
}

// SlipEnd is the end of a slip.
type SlipEnd struct {
	ID  int  `json:"id"`
	Cut bool `json:"cut,omitempty"`
}

// Printed is the bench's word on a slip; Cause is hal.PrinterCause's, "" = out.
type Printed struct {
	ID    int    `json:"id"`
	Cause string `json:"cause,omitempty"`
}

// Small carries the one or two words that the other messages have.
type Small struct {
	ID     int      `json:"id,omitempty"`
	NS     int64    `json:"ns,omitempty"`
	WallNS int64    `json:"wall_ns,omitempty"`
	Points []string `json:"points,omitempty"`
	Fault  string   `json:"fault,omitempty"`
	OK     bool     `json:"ok,omitempty"`
	Which  string   `json:"which,omitempty"`
	Name   string   `json:"name,omitempty"`
	State  string   `json:"state,omitempty"`
}

// ErrWire says that the other end does not keep the protocol.
var ErrWire = errors.New("panel: not the panel protocol")

// AppendMessage appends one message.
func AppendMessage(dst []byte, t Type, payload []byte) []byte {
	dst = append(dst, byte(t))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload)))
	return append(dst, payload...)
}

// AppendJSON appends one message with a JSON payload.
func AppendJSON(dst []byte, t Type, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return dst, fmt.Errorf("panel: %w", err)
	}
	return AppendMessage(dst, t, b), nil
}

// ReadMessage reads one message. A stream that ends between two messages gives
// io.EOF, one that ends inside a message or breaks the rules ErrWire.
//
// It reads nothing ahead: a buffer of its own would keep PIN digits.
func ReadMessage(r io.Reader) (Type, []byte, error) {
	var head [headLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("%w: cut short in a head", ErrWire)
		}
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxPayload {
		return 0, nil, fmt.Errorf("%w: a message of %d bytes", ErrWire, n)
	}
	// Grow with what arrives: a length alone must not cost a megabyte.
	const first = 4096
	b := make([]byte, min(n, first))
	if _, err := io.ReadFull(r, b); err != nil {
		return 0, nil, fmt.Errorf("%w: cut short: %v", ErrWire, err)
	}
	if n > first {
		whole := make([]byte, n)
		copy(whole, b)
		if _, err := io.ReadFull(r, whole[first:]); err != nil {
			return 0, nil, fmt.Errorf("%w: cut short: %v", ErrWire, err)
		}
		b = whole
	}
	return Type(head[0]), b, nil
}

// FrameRows is the part of a picture that a frame message carries.
type FrameRows struct {
	Y, Rows int
	Pix     []byte
}

// Stride is the bytes of one row of a display.
func (s Size) Stride() int {
	if s.Mono {
		return (s.W + 7) / 8
	}
	return 2 * s.W
}

// ParseFrame checks a frame's payload against the size of the display. Pix
// points into payload.
func ParseFrame(s Size, payload []byte) (FrameRows, error) {
	if len(payload) < 4 {
		return FrameRows{}, fmt.Errorf("%w: a frame of %d bytes", ErrWire, len(payload))
	}
	f := FrameRows{Y: int(binary.BigEndian.Uint16(payload)), Rows: int(binary.BigEndian.Uint16(payload[2:])), Pix: payload[4:]}
	if f.Y+f.Rows > s.H || len(f.Pix) != f.Rows*s.Stride() {
		return FrameRows{}, fmt.Errorf("%w: rows %d to %d with %d bytes on a display of %d×%d", ErrWire, f.Y, f.Y+f.Rows, len(f.Pix), s.W, s.H)
	}
	return f, nil
}
