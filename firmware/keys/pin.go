package keys

import (
	"fmt"

	"swipewell/firmware/card"
	"swipewell/firmware/keys/pinblock"
	"swipewell/firmware/keys/track"
	"swipewell/hal"
)

// Errors of PINBlock and EncryptTrack.
var (
	ErrPIN   = pinblock.ErrPIN
	ErrPAN   = pinblock.ErrPAN
	ErrTrack = track.ErrTrack
)

// PINFormat of DE 52.
type PINFormat = hal.PINFormat

const (
	PINFormat0 = hal.PINFormat0
	PINNoPAN   = hal.PINNoPAN
)

// PINBlock makes DE 52 under the PIK: the digits go from the entry into the key
// store, where the clear block is made and encrypted. hal.ErrKeyUse for a format
// whose block DE 52 cannot carry.
func PINBlock(ks hal.KeyStore, f PINFormat, digits *hal.Secret, p card.PAN) (block [8]byte, err error) {
	var b []byte
	p.Reveal(func(pan []byte) { b, err = ks.PINBlock(hal.SlotPIK, f, digits, pan) })
	if err != nil {
		return block, err
	}
	if len(b) != len(block) {
		return block, fmt.Errorf("%w: a PIN block of %d bytes in DE 52", hal.ErrKeyUse, len(b))
	}
	return [8]byte(b), nil
}

// EncryptTrack encrypts a track under the TDK; the result is digits A–F
// included, as DE 35 carries it then. HOST §1.2.
func EncryptTrack(ks hal.KeyStore, digits []byte) ([]byte, error) {
	return ks.EncryptTrack(hal.SlotTDK, digits)
}
