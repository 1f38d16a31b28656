// Package panel is the device's side of one local socket to the virtual bench:
// display, keypad, PIN pad, lamps, sounder, printer, tamper, clock, and the
// bench's fault points. A board opens it only with bench = true.
//
// Sources:
//   - WIRE: firmware/doc/wire.md, "The panel socket", which repeats what follows
//
// The socket is a unix stream. Both ways go messages of
//
//	type (1 byte) | length (4 bytes, big endian) | payload
//
// with a payload of JSON, save for pictures, which are raw pixels. The bench
// speaks first with Hello. PIN digits cross inward only, as Key messages while
// the PIN pad is active; nothing of them is kept at either end.
package panel

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Version of this protocol; both ends must have the same.
const Version = 1

// Type of a message.
type Type byte

// From the bench to the device.
const (
	MsgHello   Type = 'H' // Hello
	MsgKey     Type = 'K' // {"key":"enter"}
	MsgAdvance Type = 'A' // Advance: jump by so much, wait until idle, say Idle
	MsgStep    Type = 'S' // {"ns":…}: move the wall alone
	MsgArm     Type = 'P' // {"points":["sent"]}: the points where the power will fail
	MsgStore   Type = 'F' // {"fault":"full"}: what the next commits meet
	MsgPaper   Type = 'R' // {"ok":true}: there is paper
	MsgTamper  Type = 'T' // {"which":"case"}
)

// From the device to the bench.
const (
	MsgReady   Type = 'h' // {"version":1,"w":320,"h":240,"mono":false}
	MsgFrame   Type = 'f' // raw pixels: RGB565 big endian, or 1 bit, rows padded to bytes
	MsgCaption Type = 'c' // hal.Caption
	MsgPIN     Type = 'p' // {"active":true}
	MsgLamp    Type = 'l' // {"name":"ready","state":"on"}
	MsgSound   Type = 's' // {"tone":1}
	MsgLine    Type = 'n' // one line of a slip: hal.PrintLine
	MsgSlip    Type = 'e' // {"cut":true}: the slip is out
	MsgIdle    Type = 'i' // Idle: the answer to Advance
	MsgPoint   Type = 'x' // {"name":"sent"}: standing still at an armed point
)

// maxPayload bounds what either end accepts: a frame of 640×480 and some.
const maxPayload = 1 << 20

// Hello is the world as it is when the device connects.
type Hello struct {
	Version int      `json:"version"`
	WallNS  int64    `json:"wall_ns"` // the bench's wall clock, Unix nanoseconds
	Points  []string `json:"points,omitempty"`
	Fault   string   `json:"fault,omitempty"`
	Paper   bool     `json:"paper"`
}

// Advance asks the device to jump its clock by NS nanoseconds and to answer
// with the same ID once it is idle.
type Advance struct {
	ID int   `json:"id"`
	NS int64 `json:"ns"`
}

// Idle says that nothing moves any more; Next is the time to the next timer,
// -1 if none is set.
type Idle struct {
	ID   int   `json:"id"`
	Next int64 `json:"next"`
}

// Small carries the one or two words that the other messages have.
type Small struct {
	Key     string   `json:"key,omitempty"`
	NS      int64    `json:"ns,omitempty"`
	Points  []string `json:"points,omitempty"`
	Fault   string   `json:"fault,omitempty"`
	OK      bool     `json:"ok,omitempty"`
	Which   string   `json:"which,omitempty"`
	Version int      `json:"version,omitempty"`
	W       int      `json:"w,omitempty"`
	H       int      `json:"h,omitempty"`
	Mono    bool     `json:"mono,omitempty"`
	Active  bool     `json:"active,omitempty"`
	Name    string   `json:"name,omitempty"`
	State   string   `json:"state,omitempty"`
	Tone    int      `json:"tone,omitempty"`
	Cut     bool     `json:"cut,omitempty"`
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

// ReadMessage reads one message.
func ReadMessage(r io.Reader) (Type, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxPayload {
		return 0, nil, fmt.Errorf("%w: a message of %d bytes", ErrWire, n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return 0, nil, fmt.Errorf("%w: cut short", ErrWire)
	}
	return Type(head[0]), b, nil
}
