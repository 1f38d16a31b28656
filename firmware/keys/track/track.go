// Package track encrypts a magnetic track for DE 35 and 36, in its digits: the
// length stays.
//
// Source:
//   - HOST: firmware/doc/wire.md §1.2 (track encryption, DE 53 d3 = 1)
package track

import (
	"crypto/cipher"
	"errors"
	"fmt"

	"swipewell/hal"
)

// Max is the digits of the longest track: track 3.
const Max = 104

// ErrTrack says that what should be encrypted is no track.
var ErrTrack = errors.New("track: not up to 104 digits and separators")

// Encrypt takes ASCII digits and separators ('=' or 'D') and gives hex digits:
// of the packed digits the eight bytes before the last byte are encrypted. A
// track of fewer than 17 digits is padded with F. HOST §1.2, which knows this
// for 8-byte blocks only: hal.ErrKeyUse for another cipher.
func Encrypt(b cipher.Block, track []byte) ([]byte, error) {
	if b.BlockSize() != 8 {
		return nil, fmt.Errorf("%w: tracks in blocks of %d bytes", hal.ErrKeyUse, b.BlockSize())
	}
	const hexDigits = "0123456789ABCDEF"
	if len(track) > Max {
		return nil, ErrTrack
	}
	nibbles := make([]byte, 0, Max+2)
	for _, c := range track {
		switch {
		case c == '=' || c == 'D':
			nibbles = append(nibbles, 0x0D)
		case c >= '0' && c <= '9':
			nibbles = append(nibbles, c-'0')
		default:
			clear(nibbles)
			return nil, ErrTrack
		}
	}
	for len(nibbles) < 17 {
		nibbles = append(nibbles, 0x0F)
	}
	from := len(nibbles) - 17 // odd: [n-17, n-1)
	if len(nibbles)%2 == 0 {
		from--
	}
	var block [8]byte
	for i := range 16 {
		block[i/2] |= nibbles[from+i] << (4 * (1 - i%2))
	}
	b.Encrypt(block[:], block[:])
	for i := range 16 {
		nibbles[from+i] = block[i/2] >> (4 * (1 - i%2)) & 0x0F
	}
	for i := range nibbles {
		nibbles[i] = hexDigits[nibbles[i]]
	}
	return nibbles, nil
}
