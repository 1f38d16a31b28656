package card

import (
	"crypto/sha256"

	"swipewell/firmware/pos"
)

// Data is what the vault holds of one card.
type Data struct {
	PAN    PAN
	Expiry Expiry
	Track2 Track2
}

// Vault maps a CardRef to its card, in memory only, for as long as a sale
// needs it. It belongs to one goroutine. The zero value is empty.
type Vault struct{ m map[pos.CardRef]Data }

// Put takes a card over; what was there for the same ref is wiped.
func (v *Vault) Put(ref pos.CardRef, d Data) {
	if v.m == nil {
		v.m = map[pos.CardRef]Data{}
	}
	if old, ok := v.m[ref]; ok && old.Track2.raw != d.Track2.raw {
		old.Track2.Wipe()
	}
	v.m[ref] = d
}

// Get is the card of a ref.
func (v *Vault) Get(ref pos.CardRef) (Data, bool) {
	d, ok := v.m[ref]
	return d, ok
}

// Keep wipes every card but one; a zero ref keeps none.
func (v *Vault) Keep(ref pos.CardRef) {
	for r, d := range v.m {
		if r != ref {
			d.Track2.Wipe()
			delete(v.m, r)
		}
	}
}

// Len is the number of cards held.
func (v *Vault) Len() int { return len(v.m) }

// Ref makes the CardRef of a number with a keyed hash: HMAC-SHA-256 over a
// scope tag and the PAN, cut to 16 bytes. The tag keeps keys of other scopes
// from being joined with this one.
func Ref(hmac func([]byte) ([sha256.Size]byte, error), p PAN) (ref pos.CardRef, err error) {
	buf := append([]byte("v1|card|"), p.d[:p.n]...)
	sum, err := hmac(buf)
	clear(buf)
	if err == nil {
		copy(ref[:], sum[:])
	}
	return ref, err
}

// sealVersion is the first byte of what is sealed.
const sealVersion = 1

// AppendSealable appends the plain form that the store seals: version, length
// and digits of the PAN, and YYMM or nothing. The caller clears it after use.
func AppendSealable(dst []byte, p PAN, e Expiry) []byte {
	dst = append(dst, sealVersion, p.n)
	dst = append(dst, p.d[:p.n]...)
	return append(dst, e.Reveal()...)
}

// ParseSealable is the inverse of AppendSealable.
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
