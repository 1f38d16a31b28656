package card

import (
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// Expiry is the month in which a card expires, YYMM; a card may have none, and
// so has the zero value. It is comparable. Beside a number it is cardholder
// data, so it prints nothing and is kept as the PAN is.
type Expiry struct{ h unique.Handle[string] }

// ParseExpiry reads four digits YYMM, "3012", with a month of 01..12;
// otherwise ErrTrack. ISO7813 §6.
func ParseExpiry(s string) (Expiry, error) {
	if len(s) != 4 || !allDigits([]byte(s)) || s[2:] < "01" || s[2:] > "12" {
		return Expiry{}, ErrTrack
	}
	return Expiry{unique.Make(s)}, nil
}

// Present tells whether the card has an expiry.
func (e Expiry) Present() bool { return e != Expiry{} }

// Reveal is YYMM in clear, "" if the card has none.
func (e Expiry) Reveal() string {
	if !e.Present() {
		return ""
	}
	return e.h.Value()
}

// ExpiredAt tells whether the card had expired in that month (year in full,
// month 1..12). A card is good to the end of its month; one without an expiry
// does not expire. The two digits mean the year within fifty of the asked one:
// there are debit cards that live for decades.
func (e Expiry) ExpiredAt(year, month int) bool {
	s := e.Reveal()
	if s == "" {
		return false
	}
	yy, mm := int(s[0]-'0')*10+int(s[1]-'0'), int(s[2]-'0')*10+int(s[3]-'0')
	// years ahead of the asked one, -49..50
	ahead := ((yy-year)%100 + 100) % 100
	if ahead > 50 {
		ahead -= 100
	}
	return ahead < 0 || ahead == 0 && mm < month
}

// All ways of printing hide whether and when.

func (e Expiry) String() string               { return "****" }
func (e Expiry) GoString() string             { return "****" }
func (e Expiry) Format(f fmt.State, _ rune)   { io.WriteString(f, "****") }
func (e Expiry) MarshalText() ([]byte, error) { return []byte("****"), nil }
func (e Expiry) LogValue() slog.Value         { return slog.StringValue("****") }

// ServiceCode is the three digits behind the expiry, "" if the card has none;
// then every question below is answered no. ISO7813 §6, table 2.
type ServiceCode string

func (s ServiceCode) digit(i int) byte {
	if len(s) != 3 {
		return 0
	}
	return s[i]
}

// Chip tells that the card has contacts and wants them used (2xx, 6xx).
func (s ServiceCode) Chip() bool { return s.digit(0) == '2' || s.digit(0) == '6' }

// Test tells that the card is for tests and not for money (9xx).
func (s ServiceCode) Test() bool { return s.digit(0) == '9' }

// OnlineOnly tells that the issuer must be asked (x2x, x4x).
func (s ServiceCode) OnlineOnly() bool { return s.digit(1) == '2' || s.digit(1) == '4' }

// PINRequired tells that the issuer wants a PIN (xx0, xx3, xx5).
func (s ServiceCode) PINRequired() bool {
	return s.digit(2) == '0' || s.digit(2) == '3' || s.digit(2) == '5'
}

// PINPreferred tells to ask for a PIN where there is a PIN pad (xx6, xx7).
func (s ServiceCode) PINPreferred() bool { return s.digit(2) == '6' || s.digit(2) == '7' }

// CashOnly tells that the card does not pay for goods (xx3 at ATMs, xx4).
func (s ServiceCode) CashOnly() bool { return s.digit(2) == '3' || s.digit(2) == '4' }
