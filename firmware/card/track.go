package card

import (
	"bytes"

	"swipewell/hal"
)

// Track2 is a parsed track 2. The raw text stays in its Secret: it is DE 35,
// and is wiped when the sale ends.
type Track2 struct {
	PAN     PAN
	Expiry  Expiry
	Service ServiceCode
	raw     *hal.Secret
}

// maxTrack2 is the most characters between the sentinels. ISO7813 §6.
const maxTrack2 = 37

// ParseTrack2 reads the text between the sentinels: digits, a separator ('='
// or 'D'), expiry or a second separator, service code or a separator, and
// discretionary data, which may be empty. It keeps raw.
func ParseTrack2(raw *hal.Secret) (t Track2, err error) {
	raw.Use(func(b []byte) {
		if len(b) > maxTrack2 {
			err = ErrTrack
			return
		}
		at := bytes.IndexAny(b, "=D")
		if at < 0 {
			err = ErrTrack
			return
		}
		if t.PAN, err = ParsePAN(b[:at]); err != nil {
			return
		}
		rest := b[at+1:]
		t.Expiry, t.Service, err = dates(rest, "=D")
		if err != nil {
			return
		}
		for _, c := range rest {
			if (c < '0' || c > '9') && c != '=' && c != 'D' {
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

// dates reads expiry and service code; a separator in place of either means
// that the card has none. ISO7813 §6.
func dates(rest []byte, separators string) (e Expiry, s ServiceCode, err error) {
	isSep := func(b []byte) bool { return len(b) > 0 && bytes.IndexByte([]byte(separators), b[0]) >= 0 }
	switch {
	case isSep(rest):
		rest = rest[1:]
	case len(rest) >= 4:
		if e, err = ParseExpiry(string(rest[:4])); err != nil {
			return e, s, err
		}
		rest = rest[4:]
	case len(rest) > 0:
		return e, s, ErrTrack
	}
	if isSep(rest) || len(rest) < 3 {
		return e, s, nil
	}
	for _, c := range rest[:3] {
		if c < '0' || c > '9' {
			return e, s, ErrTrack
		}
	}
	return e, ServiceCode(rest[:3]), nil
}

// Reveal lends the raw text for DE 35; it must not be kept.
func (t Track2) Reveal(fn func(track []byte)) { t.raw.Use(fn) }

// Wipe wipes the raw text.
func (t Track2) Wipe() { t.raw.Wipe() }

// Track1 is a parsed track 1, format B, without the cardholder's name: that is
// not kept at all. ISO7813 §5.
type Track1 struct {
	PAN     PAN
	Expiry  Expiry
	Service ServiceCode
}

// ParseTrack1 reads the text between the sentinels and does not keep raw.
func ParseTrack1(raw *hal.Secret) (t Track1, err error) {
	raw.Use(func(b []byte) {
		if len(b) > 76 || len(b) == 0 || b[0] != 'B' {
			err = ErrTrack
			return
		}
		parts := bytes.SplitN(b[1:], []byte{'^'}, 3)
		if len(parts) != 3 {
			err = ErrTrack
			return
		}
		if t.PAN, err = ParsePAN(parts[0]); err != nil {
			return
		}
		t.Expiry, t.Service, err = dates(parts[2], "^")
	})
	if err != nil {
		return Track1{}, err
	}
	return t, nil
}
