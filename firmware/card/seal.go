package card

import (
	"crypto/sha256"

	"swipewell/firmware/pos"
)

// refScope is in front of what is hashed: a hash made for another use of the
// same key, or by a later scheme, never equals a CardRef.
const refScope = "v1|card|"

// Ref makes the CardRef of a number with a keyed hash (the key store's HMAC
// under SlotCardRef): HMAC-SHA-256 of scope and digits, cut to 16 bytes. The
// errors are hmac's.
func Ref(hmac func([]byte) ([sha256.Size]byte, error), p PAN) (ref pos.CardRef, err error) {
	var sum [sha256.Size]byte
	p.Reveal(func(digits []byte) {
		buf := append(append(make([]byte, 0, len(refScope)+maxPAN), refScope...), digits...)
		defer clear(buf)
		sum, err = hmac(buf)
	})
	if err == nil {
		copy(ref[:], sum[:])
	}
	return ref, err
}

// sealVersion is the first byte of what is sealed.
const sealVersion = 1

// maxSealable is the most bytes of what is sealed.
const maxSealable = 2 + maxPAN + 4

// AppendSealable appends the plain form that the store seals: version, number
// of digits, digits, and four digits YYMM or nothing: at most 25 bytes. The
// caller clears it after use.
func AppendSealable(dst []byte, p PAN, e Expiry) []byte {
	if cap(dst)-len(dst) < maxSealable { // no growth on the way leaves a copy
		dst = append(make([]byte, 0, len(dst)+maxSealable), dst...)
	}
	p.Reveal(func(digits []byte) {
		dst = append(dst, sealVersion, byte(len(digits)))
		dst = append(dst, digits...)
	})
	return append(dst, e.Reveal()...)
}

// ParseSealable is the inverse of AppendSealable; ErrSealable for anything else.
func ParseSealable(b []byte) (p PAN, e Expiry, err error) {
	if len(b) < 2 || b[0] != sealVersion || len(b) < 2+int(b[1]) {
		return p, e, ErrSealable
	}
	n := 2 + int(b[1])
	if p, err = ParsePAN(b[2:n]); err != nil {
		return PAN{}, e, ErrSealable
	}
	if len(b) > n {
		if e, err = ParseExpiry(string(b[n:])); err != nil {
			return PAN{}, Expiry{}, ErrSealable
		}
	}
	return p, e, nil
}
