package keys

import (
	"fmt"

	"swipewell/firmware/card"
	"swipewell/hal"
)

// SealCard seals a card's number and expiry; aad binds it to its record.
func SealCard(ks hal.KeyStore, p card.PAN, e card.Expiry, aad []byte) ([]byte, error) {
	plain := card.AppendSealable(nil, p, e)
	defer hal.Scrub()
	defer clear(plain)
	return ks.Seal(nil, plain, aad)
}

// OpenCard is the inverse of SealCard.
func OpenCard(ks hal.KeyStore, sealed, aad []byte) (card.PAN, card.Expiry, error) {
	plain, err := ks.Open(make([]byte, 0, 64), sealed, aad)
	if err != nil {
		return card.PAN{}, card.Expiry{}, fmt.Errorf("keys: %w", err)
	}
	defer hal.Scrub()
	defer clear(plain)
	return card.ParseSealable(plain)
}
