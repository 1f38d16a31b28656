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

// Header is one TPDU. A host answers with the two addresses swapped; equality
// is never checked, since not every host does.
type Header [Size]byte

// Parse reads ten digits: "6000030000".
func Parse(digits string) (h Header, err error) {
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != Size {
		return h, fmt.Errorf("tpdu: %q is not ten digits", digits)
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return h, fmt.Errorf("tpdu: %q is not ten digits", digits)
		}
	}
	copy(h[:], b)
	return h, nil
}

// NII is the destination network, four digits in BCD.
func (h Header) NII() uint16 { return uint16(h[1])<<8 | uint16(h[2]) }

// Swapped is the header of an answer.
func (h Header) Swapped() Header { return Header{h[0], h[3], h[4], h[1], h[2]} }

func (h Header) String() string { return hex.EncodeToString(h[:]) }
