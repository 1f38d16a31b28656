package card

import (
	"bytes"

	"swipewell/hal"
)

// The most characters between the sentinels: 79 and 40 on the stripe, less
// start, end and LRC. ISO7813 §5, §6.
const (
	maxTrack1 = 76
	maxTrack2 = 37
)

// Track2 is a parsed track 2. The raw text stays in its Secret: it becomes
// DE 35, and is wiped when the sale ends. PCI 3.3.1: never kept after that.
type Track2 struct {
	PAN     PAN
	Expiry  Expiry
	Service ServiceCode
	raw     *hal.Secret
}

// ParseTrack2 reads the text between the sentinels: number, separator ('=' as
// readers write it or 'D' as DE 35 does, not both), expiry or a separator,
// service code or a separator, and discretionary data, which may be empty.
//
// It takes raw over, to be ended by Wipe; on an error raw stays the caller's.
// The error is ErrTrack, ErrPANLength or ErrPANDigits.
func ParseTrack2(raw *hal.Secret) (t Track2, err error) {
	raw.Use(func(b []byte) {
		at := bytes.IndexAny(b, "=D")
		if len(b) > maxTrack2 || at < 0 {
			err = ErrTrack
			return
		}
		var rest []byte
		if t.PAN, err = ParsePAN(b[:at]); err != nil {
			return
		}
		if t.Expiry, t.Service, rest, err = dates(b[at+1:], b[at]); err != nil {
			return
		}
		for _, c := range rest {
			if c != b[at] && (c < '0' || c > '9') {
				err = ErrTrack
			}
		}
	})
	if err != nil {
		return Track2{}, err
	}
	t.raw = raw
	return t, nil
}

// dates reads expiry and service code. Each has its full length, or a
// separator in its place if the card has none. ISO7813 §6. "0000" as an expiry
// is on some debit cards and means none as well.
func dates(b []byte, sep byte) (e Expiry, s ServiceCode, rest []byte, err error) {
	switch {
	case len(b) > 0 && b[0] == sep:
		b = b[1:]
	case len(b) < 4:
		return e, s, nil, ErrTrack
	default:
		if string(b[:4]) != "0000" {
			if e, err = ParseExpiry(string(b[:4])); err != nil {
				return e, s, nil, err
			}
		}
		b = b[4:]
	}
	switch {
	case len(b) > 0 && b[0] == sep:
		return e, "", b[1:], nil
	case len(b) < 3 || !allDigits(b[:3]):
		return e, s, nil, ErrTrack
	}
	return e, ServiceCode(b[:3]), b[3:], nil
}

// Reveal lends the raw text for DE 35, with the separator that was read ('='
// or 'D'). It is empty after Wipe and must not be kept.
func (t Track2) Reveal(fn func(track []byte)) { t.raw.Use(fn) }

// Present tells that there is a track to send.
func (t Track2) Present() bool { return t.raw.Len() > 0 }

// Wipe wipes the raw text, in every copy of t.
func (t Track2) Wipe() { t.raw.Wipe() }

// Track1 is a parsed track 1 without the cardholder's name: that is not kept
// at all, and neither is the discretionary data.
type Track1 struct {
	PAN     PAN
	Expiry  Expiry
	Service ServiceCode
}

// ParseTrack1 reads the text between the sentinels of format B: 'B', number,
// '^', name, '^', expiry or '^', service code or '^', discretionary data.
// ISO7813 §5. It does not keep raw, which the caller wipes. Errors as of
// ParseTrack2.
func ParseTrack1(raw *hal.Secret) (t Track1, err error) {
	raw.Use(func(b []byte) {
		if len(b) > maxTrack1 || len(b) == 0 || b[0] != 'B' {
			err = ErrTrack
			return
		}
		// The six-bit alphabet; '%' and '?' are its sentinels.
		for _, c := range b {
			if c < 0x20 || c > 0x5F || c == '%' || c == '?' {
				err = ErrTrack
				return
			}
		}
		number, behind, found := bytes.Cut(b[1:], []byte{'^'})
		name, fields, found2 := bytes.Cut(behind, []byte{'^'})
		if !found || !found2 || len(name) > 26 {
			err = ErrTrack
			return
		}
		if t.PAN, err = ParsePAN(number); err != nil {
			return
		}
		t.Expiry, t.Service, _, err = dates(fields, '^')
	})
	if err != nil {
		return Track1{}, err
	}
	return t, nil
}
