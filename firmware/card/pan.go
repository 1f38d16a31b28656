// Package card is the one home of cardholder data: numbers, expiry, tracks.
// What may be printed prints itself masked, also where it lies in a field that
// fmt reads by reflection; the ways out in clear are named Reveal, so that a
// search finds all of them.
//
// Sources:
//   - ISO7812: ISO/IEC 7812-1:2017, numbers and their check digit (Annex B)
//   - ISO7813: ISO/IEC 7813:2006, tracks 1 and 2, service codes
//   - HOST: firmware/doc/wire.md
//   - PCI: PCI DSS 4.0, 3.3 and 3.4 (what may be kept, what may be shown)
package card

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"swipewell/firmware/pos"
	"swipewell/hal"
)

// Errors that say what is wrong with a number or a track, and never its content.
var (
	ErrPANLength = errors.New("card: a card number has 12 to 19 digits")
	ErrPANDigits = errors.New("card: a card number has digits only")
	ErrTrack     = errors.New("card: not a bank card's track")
	ErrSealable  = errors.New("card: not what was sealed")
)

// Lengths of a number. ISO7812 §4 allows from 10; the networks here start at 12.
const (
	minPAN = 12
	maxPAN = 19
)

// PAN is a card number. Every way of formatting it shows at most the first six
// and the last four digits. It is comparable, and the zero value is no number.
//
// The digits are not in it: it is one block of AES over them, under a key that
// each process makes for itself (Conceal). So what reflection prints, what a
// freed variable or an old stack leaves in memory, and what a copy is swapped out
// with, is no number; the digits are in clear only while Reveal lends them. Equal
// numbers give equal blocks, within one process.
type PAN struct{ block [aes.BlockSize]byte }

// concealed is the process's cipher. Until Conceal it has a key that everybody
// knows: then a PAN does not print itself, and no more.
var concealed = cipherOf([16]byte{})

func cipherOf(key [16]byte) cipher.Block {
	b, err := aes.NewCipher(key[:])
	clear(key[:])
	if err != nil {
		panic(err) // sixteen bytes are a key
	}
	return b
}

// Conceal gives the process its key. It is called once, before there is a PAN:
// those made before cannot be revealed.
func Conceal(key [16]byte) { concealed = cipherOf(key) }

// ParsePAN reads 12 to 19 ASCII digits and keeps no reference to them. It
// fails with ErrPANLength or ErrPANDigits and leaves the check digit to LuhnOK.
func ParsePAN(digits []byte) (p PAN, err error) {
	if len(digits) < minPAN || len(digits) > maxPAN {
		return PAN{}, ErrPANLength
	}
	if !allDigits(digits) {
		return PAN{}, ErrPANDigits
	}
	// Length, the digits packed from the left, zeros.
	plain := make([]byte, aes.BlockSize)
	defer clear(plain)
	plain[0] = byte(len(digits))
	for i, c := range digits {
		plain[1+i/2] |= (c - '0') << (4 * (1 - i%2))
	}
	concealed.Encrypt(p.block[:], plain)
	hal.Scrub()
	return p, nil
}

// IsZero tells that there is no number.
func (p PAN) IsZero() bool { return p == PAN{} }

// Reveal lends the number in clear, nothing if there is none: for packing, sealing
// and hashing only. The digits are valid until fn returns, and then wiped; who
// copies them wipes the copy. A list of the callers is checked by a test.
func (p PAN) Reveal(fn func(digits []byte)) {
	if p.IsZero() {
		fn(nil)
		return
	}
	defer hal.Scrub()
	plain, digits := make([]byte, aes.BlockSize), make([]byte, maxPAN)
	defer clear(plain)
	defer clear(digits)
	concealed.Decrypt(plain, p.block[:])
	hal.Scrub() // the cipher has the block in a register, and fn takes a while
	n := int(plain[0])
	if n < minPAN || n > maxPAN {
		fn(nil) // of before Conceal
		return
	}
	for i := range n {
		digits[i] = '0' + plain[1+i/2]>>(4*(1-i%2))&0xF
	}
	fn(digits[:n:n])
}

// Masked is what people may see: six digits, stars, four digits. PCI 3.4.1.
func (p PAN) Masked() (m pos.MaskedPAN) {
	p.Reveal(func(d []byte) {
		if len(d) >= minPAN {
			m = pos.MaskedPAN(string(d[:6]) + strings.Repeat("*", len(d)-10) + string(d[len(d)-4:]))
		}
	})
	return m
}

// LuhnOK checks the check digit. ISO7812 Annex B. No number is not OK.
func (p PAN) LuhnOK() (ok bool) {
	p.Reveal(func(d []byte) {
		sum := 0
		for i := range d {
			v := int(d[len(d)-1-i] - '0')
			if i%2 == 1 {
				if v *= 2; v > 9 {
					v -= 9
				}
			}
			sum += v
		}
		ok = len(d) > 0 && sum%10 == 0
	})
	return ok
}

// All ways of printing show the masked form.

func (p PAN) String() string               { return string(p.Masked()) }
func (p PAN) GoString() string             { return string(p.Masked()) }
func (p PAN) Format(f fmt.State, _ rune)   { io.WriteString(f, string(p.Masked())) }
func (p PAN) MarshalText() ([]byte, error) { return []byte(p.Masked()), nil }
func (p PAN) LogValue() slog.Value         { return slog.StringValue(string(p.Masked())) }

func allDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
