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
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unique"

	"swipewell/firmware/pos"
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
// The digits stand behind a handle and not in the struct: fmt does not call
// the methods of an unexported field, nor for %p or a bad verb, but prints what
// reflection shows. That is an address here.
type PAN struct{ h unique.Handle[string] }

// ParsePAN reads 12 to 19 ASCII digits and keeps no reference to them. It
// fails with ErrPANLength or ErrPANDigits and leaves the check digit to LuhnOK.
func ParsePAN(digits []byte) (PAN, error) {
	if len(digits) < minPAN || len(digits) > maxPAN {
		return PAN{}, ErrPANLength
	}
	if !allDigits(digits) {
		return PAN{}, ErrPANDigits
	}
	return PAN{unique.Make(string(digits))}, nil
}

// IsZero tells that there is no number.
func (p PAN) IsZero() bool { return p == PAN{} }

// Reveal is the number in clear, "" if there is none: for packing, sealing and
// hashing only.
func (p PAN) Reveal() string {
	if p.IsZero() {
		return ""
	}
	return p.h.Value()
}

// Masked is what people may see: six digits, stars, four digits. PCI 3.4.1.
func (p PAN) Masked() pos.MaskedPAN {
	s := p.Reveal()
	if len(s) < minPAN {
		return pos.MaskedPAN(strings.Repeat("*", len(s)))
	}
	return pos.MaskedPAN(s[:6] + strings.Repeat("*", len(s)-10) + s[len(s)-4:])
}

// LuhnOK checks the check digit. ISO7812 Annex B. No number is not OK.
func (p PAN) LuhnOK() bool {
	s, sum := p.Reveal(), 0
	for i := range len(s) {
		v := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return s != "" && sum%10 == 0
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
