// Package keys has the algorithms that stand on a hal.KeyStore: session keys
// from DE 62, message authentication, PIN blocks, track encryption, and the
// seal of what the store keeps. Key bytes stay in the KeyStore; here are only
// data and cryptograms.
//
// Sources:
//   - HOST: firmware/doc/wire.md §1.2 (tracks), §1.5 (MAC), §1.6 (DE 62)
//   - X9.9, X9.19: ANSI X9.9-1986, X9.19-1996 = ISO 9797-1 algorithms 1 and 3
//   - ISO9564: ISO 9564-1:2017, PIN block format 0
package keys

import (
	"errors"
	"fmt"

	"swipewell/firmware/card"
	"swipewell/hal"
)

// Errors that tell a wrong message from a wrong key.
var (
	ErrWorkingKeys = errors.New("keys: DE 62 has not 24, 40, 56, 60 or 84 bytes")
	ErrPIN         = errors.New("keys: a PIN has 4 to 12 digits")
	ErrPAN         = errors.New("keys: a PIN block needs a card number of 13 digits or more")
	ErrTrack       = errors.New("keys: a track to encrypt is longer than that")
)

// ParseWorkingKeys splits DE 62 of a sign-on into the keys it carries: PIK and
// MAK, each with a check value of four bytes, and TDK in the two longest
// forms. HOST §1.6. In the forms of 40 and 60 bytes the slot of the MAK has 16
// bytes and may hold a single-length key followed by eight zero bytes: zeros
// as cryptogram stand for "no second half" (vector 4).
func ParseWorkingKeys(de62 []byte) ([]hal.KeyImport, error) {
	var size int // of one key slot
	slots := []hal.KeySlot{hal.SlotPIK, hal.SlotMAK}
	switch len(de62) {
	case 24:
		size = 8
	case 40:
		size = 16
	case 56:
		size = 24
	case 60, 84:
		size = len(de62)/3 - 4
		slots = append(slots, hal.SlotTDK)
	default:
		return nil, fmt.Errorf("%w: %d", ErrWorkingKeys, len(de62))
	}
	var out []hal.KeyImport
	for i, slot := range slots {
		b := de62[i*(size+4) : (i+1)*(size+4)]
		k := hal.KeyImport{Slot: slot, Under: hal.SlotTMK, Cryptogram: b[:size], KCV: b[size:]}
		if slot == hal.SlotMAK && size == 16 && allZero(b[8:16]) {
			k.Cryptogram = b[:8]
		}
		k.Alg = map[int]hal.KeyAlg{8: hal.AlgDES, 16: hal.AlgTDES2, 24: hal.AlgTDES3}[len(k.Cryptogram)]
		out = append(out, k)
	}
	return out, nil
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// ImportWorkingKeys takes the keys of a sign-on in one durable step, or none:
// a single wrong check value leaves everything as it was.
func ImportWorkingKeys(ks hal.KeyStore, de62 []byte) error {
	ks62, err := ParseWorkingKeys(de62)
	if err != nil {
		return err
	}
	if err := ks.Import(ks62); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	return nil
}

// SealCard seals a card's number and expiry; aad binds it to its record.
func SealCard(ks hal.KeyStore, p card.PAN, e card.Expiry, aad []byte) ([]byte, error) {
	plain := card.AppendSealable(make([]byte, 0, 32), p, e)
	defer clear(plain)
	return ks.Seal(nil, plain, aad)
}

// OpenCard is the inverse of SealCard.
func OpenCard(ks hal.KeyStore, sealed, aad []byte) (card.PAN, card.Expiry, error) {
	plain, err := ks.Open(make([]byte, 0, 64), sealed, aad)
	if err != nil {
		return card.PAN{}, card.Expiry{}, fmt.Errorf("keys: %w", err)
	}
	defer clear(plain)
	return card.ParseSealable(plain)
}
