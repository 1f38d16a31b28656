// Package card is the one home of cardholder data: numbers, expiry, tracks.
// What may be printed prints itself masked; the ways out in clear are named
// Reveal, so that they can be found.
//
// Sources:
//   - ISO7812: ISO/IEC 7812-1, numbers and their check digit (Annex B)
//   - ISO7813: ISO/IEC 7813:2006, tracks 1 and 2
//   - HOST: firmware/doc/wire.md
//   - PCI: PCI DSS 4.0, 3.3 and 3.4 (what may be kept, what may be shown)
package card

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"swipewell/firmware/pos"
)

// Errors that say what is wrong with a number or a track, and never its content.
var (
	ErrPANLength = errors.New("card: a card number has 12 to 19 digits")
	ErrPANDigits = errors.New("card: a card number has digits only")
	ErrTrack     = errors.New("card: not a bank card's track")
	ErrSealable  = errors.New("card: not what was sealed")
)

// PAN is a card number. Every way of formatting it shows at most the first six
// and the last four digits.
type PAN struct {
	d [19]byte
	n uint8
}

// ParsePAN reads 12 to 19 ASCII digits. ISO7812 §4.
func ParsePAN(digits []byte) (PAN, error) {
	var p PAN
	if len(digits) < 12 || len(digits) > 19 {
		return p, ErrPANLength
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return p, ErrPANDigits
		}
	}
	p.n = uint8(copy(p.d[:], digits))
	return p, nil
}

// IsZero tells that there is no number.
func (p PAN) IsZero() bool { return p.n == 0 }

// Reveal is the number in clear: for packing, sealing and hashing only.
func (p PAN) Reveal() string { return string(p.d[:p.n]) }

// Masked is what people may see.
func (p PAN) Masked() pos.MaskedPAN {
	if p.n < 12 {
		return pos.MaskedPAN(strings.Repeat("*", int(p.n)))
	}
	s := p.d[:p.n]
	return pos.MaskedPAN(string(s[:6]) + strings.Repeat("*", len(s)-10) + string(s[len(s)-4:]))
}

// LuhnOK checks the check digit. ISO7812 Annex B.
func (p PAN) LuhnOK() bool {
	sum := 0
	for i := range int(p.n) {
		v := int(p.d[int(p.n)-1-i] - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return p.n > 0 && sum%10 == 0
}

func (p PAN) String() string               { return string(p.Masked()) }
func (p PAN) GoString() string             { return string(p.Masked()) }
func (p PAN) Format(f fmt.State, _ rune)   { io.WriteString(f, string(p.Masked())) }
func (p PAN) MarshalText() ([]byte, error) { return []byte(p.Masked()), nil }
func (p PAN) LogValue() slog.Value         { return slog.StringValue(string(p.Masked())) }

// Expiry is YYMM; a track may have none.
type Expiry struct {
	yy, mm uint8
	ok     bool
}

// ParseExpiry reads "3012". ISO7813 §6.
func ParseExpiry(s string) (Expiry, error) {
	if len(s) != 4 {
		return Expiry{}, ErrTrack
	}
	var v [4]uint8
	for i := range 4 {
		if s[i] < '0' || s[i] > '9' {
			return Expiry{}, ErrTrack
		}
		v[i] = s[i] - '0'
	}
	return Expiry{yy: v[0]*10 + v[1], mm: v[2]*10 + v[3], ok: true}, nil
}

// Present tells whether the card has an expiry.
func (e Expiry) Present() bool { return e.ok }

// Reveal is YYMM in clear, "" if the card has none.
func (e Expiry) Reveal() string {
	if !e.ok {
		return ""
	}
	return string([]byte{'0' + e.yy/10, '0' + e.yy%10, '0' + e.mm/10, '0' + e.mm%10})
}

// An expiry is cardholder data beside a PAN: it prints nothing.
func (e Expiry) String() string               { return "****" }
func (e Expiry) Format(f fmt.State, _ rune)   { io.WriteString(f, "****") }
func (e Expiry) MarshalText() ([]byte, error) { return []byte("****"), nil }

// ServiceCode is the three digits behind the expiry; "" if absent. ISO7813 §6.
type ServiceCode string

// Chip tells that the card has contacts and prefers them (2xx, 6xx).
func (s ServiceCode) Chip() bool { return s != "" && (s[0] == '2' || s[0] == '6') }
