// Package tpdu is the five bytes before a message that route it to a host.
//
// Sources:
//   - HOST: firmware/doc/wire.md, §1.1: `60 | dest NII(4) | source(4)`, n10 BCD
package tpdu

import (
	"encoding/hex"
	"fmt"
)

// Size of a TPDU in bytes.
const Size = 5

// Header is one TPDU: its kind (60), the destination NII and the source, each
// address four digits in BCD. A host answers with the two addresses swapped;
// equality is never checked, since not every host does.
type Header [Size]byte

// Error says at which byte a TPDU is wrong; it has fewer bytes than that, or a
// nibble there that is no digit.
type Error struct{ Offset int }

func (e *Error) Error() string { return fmt.Sprintf("tpdu: not ten BCD digits at offset %d", e.Offset) }

// Parse reads ten digits of text: "6000030000".
func Parse(digits string) (h Header, err error) {
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != Size {
		return h, fmt.Errorf("tpdu: %q is not ten digits", digits)
	}
	if h, err = Read(b); err != nil {
		return h, fmt.Errorf("tpdu: %q is not ten digits", digits)
	}
	return h, nil
}

// Read takes the first five bytes of raw; more may follow. The error is an
// *Error.
func Read(raw []byte) (h Header, err error) {
	if len(raw) < Size {
		return h, &Error{len(raw)}
	}
	for i, b := range raw[:Size] {
		if b > 0x99 || b&0xF > 9 {
			return h, &Error{i}
		}
	}
	return Header(raw), nil
}

// Append appends the five bytes.
func (h Header) Append(dst []byte) []byte { return append(dst, h[:]...) }

// NII is the destination network, four digits in BCD: 0x0003.
func (h Header) NII() uint16 { return uint16(h[1])<<8 | uint16(h[2]) }

// Source is the other address, four digits in BCD.
func (h Header) Source() uint16 { return uint16(h[3])<<8 | uint16(h[4]) }

// Swapped is the header of an answer.
func (h Header) Swapped() Header { return Header{h[0], h[3], h[4], h[1], h[2]} }

func (h Header) String() string { return hex.EncodeToString(h[:]) }
