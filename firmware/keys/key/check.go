package key

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"math/bits"

	"swipewell/hal"
)

// CheckValue is E(key, zeros), one block; hosts and custodians use its first
// three or four bytes. HOST §1.6, X9.24 Annex A (for DES keys).
func (k Key) CheckValue() ([]byte, error) {
	b, err := k.Block()
	if err != nil {
		return nil, err
	}
	out := make([]byte, b.BlockSize())
	b.Encrypt(out, out)
	return out, nil
}

// CheckValueCMAC is the CMAC of one block of zeros, of which five bytes are
// shown: the check value of AES keys by X9.24 Annex A.
func (k Key) CheckValueCMAC() ([]byte, error) {
	b, err := k.Block()
	if err != nil {
		return nil, err
	}
	return CMAC(b, make([]byte, b.BlockSize())), nil
}

// KCV is the first four bytes of CheckValue, zeros if there is no key.
func (k Key) KCV() (kcv [4]byte) {
	if v, err := k.CheckValue(); err == nil {
		copy(kcv[:], v)
	}
	return kcv
}

// Verify compares given, the first bytes of a check value, with the key's own;
// hal.ErrKCV if it differs, or has fewer than three bytes.
func (k Key) Verify(given []byte) error {
	own, err := k.CheckValue()
	if err != nil {
		return err
	}
	if len(given) < 3 || len(given) > len(own) || subtle.ConstantTimeCompare(own[:len(given)], given) != 1 {
		return hal.ErrKCV
	}
	return nil
}

// OddParity tells whether every byte of a DES key has an odd number of ones.
// A key without it works all the same (the cipher ignores the bit), so this is
// a warning to the custodian: one digit may be mistyped. Other keys have none.
func (k Key) OddParity() bool {
	odd := true
	k.Use(func(b []byte) {
		for _, c := range b {
			odd = odd && bits.OnesCount8(c)%2 == 1
		}
	})
	return odd || !k.IsDES()
}

// SetOddParity turns the lowest bit of each byte so that its ones are odd.
func SetOddParity(b []byte) {
	for i, c := range b {
		if bits.OnesCount8(c)%2 == 0 {
			b[i] = c ^ 1
		}
	}
}

// Degenerate refuses what no honest source makes, with hal.ErrKeyWeak: one byte
// all over, or a DES key with a weak or semi-weak part (SP800-67r1 §3.4.2).
func (k Key) Degenerate() (err error) {
	k.Use(func(b []byte) {
		if len(b) > 0 && bytes.Count(b, b[:1]) == len(b) {
			err = fmt.Errorf("%w: the same byte all over", hal.ErrKeyWeak)
			return
		}
		for i := 0; k.IsDES() && i < len(b); i += 8 {
			if weakDES(b[i : i+8]) {
				err = fmt.Errorf("%w: part %d is a weak DES key", hal.ErrKeyWeak, i/8+1)
				return
			}
		}
	})
	return err
}

// Strong is Degenerate, and refuses triple DES that is single DES: a part equal
// to its neighbour. A master key must pass; a working key whose two halves are
// equal is a host's way of writing a single-length key (HOST §1.7 vector 3).
func (k Key) Strong() error {
	if err := k.Degenerate(); err != nil {
		return err
	}
	if k.alg == hal.AlgDES {
		return fmt.Errorf("%w: single DES", hal.ErrKeyWeak)
	}
	var err error
	k.Use(func(b []byte) {
		for i := 8; k.IsDES() && i+8 <= len(b); i += 8 {
			if sameDES(b[i-8:i], b[i:i+8]) {
				err = fmt.Errorf("%w: parts %d and %d are equal", hal.ErrKeyWeak, i/8, i/8+1)
			}
		}
	})
	return err
}

// sameDES compares two DES keys without their parity bits.
func sameDES(a, b []byte) bool {
	var diff byte
	for i := range a {
		diff |= (a[i] ^ b[i]) &^ 1
	}
	return diff == 0
}

// weak are the 4 weak and 12 semi-weak keys of DES: four patterns of a byte,
// each half of the key made of one or two of them. SP800-67r1 §3.4.2.
var weak = [16][8]byte{
	{0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01}, {0xFE, 0xFE, 0xFE, 0xFE, 0xFE, 0xFE, 0xFE, 0xFE},
	{0xE0, 0xE0, 0xE0, 0xE0, 0xF1, 0xF1, 0xF1, 0xF1}, {0x1F, 0x1F, 0x1F, 0x1F, 0x0E, 0x0E, 0x0E, 0x0E},
	{0x01, 0xFE, 0x01, 0xFE, 0x01, 0xFE, 0x01, 0xFE}, {0xFE, 0x01, 0xFE, 0x01, 0xFE, 0x01, 0xFE, 0x01},
	{0x1F, 0xE0, 0x1F, 0xE0, 0x0E, 0xF1, 0x0E, 0xF1}, {0xE0, 0x1F, 0xE0, 0x1F, 0xF1, 0x0E, 0xF1, 0x0E},
	{0x01, 0xE0, 0x01, 0xE0, 0x01, 0xF1, 0x01, 0xF1}, {0xE0, 0x01, 0xE0, 0x01, 0xF1, 0x01, 0xF1, 0x01},
	{0x1F, 0xFE, 0x1F, 0xFE, 0x0E, 0xFE, 0x0E, 0xFE}, {0xFE, 0x1F, 0xFE, 0x1F, 0xFE, 0x0E, 0xFE, 0x0E},
	{0x01, 0x1F, 0x01, 0x1F, 0x01, 0x0E, 0x01, 0x0E}, {0x1F, 0x01, 0x1F, 0x01, 0x0E, 0x01, 0x0E, 0x01},
	{0xE0, 0xFE, 0xE0, 0xFE, 0xF1, 0xFE, 0xF1, 0xFE}, {0xFE, 0xE0, 0xFE, 0xE0, 0xFE, 0xF1, 0xFE, 0xF1},
}

func weakDES(b []byte) bool {
	for i := range weak {
		if sameDES(weak[i][:], b) {
			return true
		}
	}
	return false
}
