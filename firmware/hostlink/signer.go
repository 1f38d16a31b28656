package hostlink

import (
	"errors"

	"swipewell/firmware/card"
	"swipewell/firmware/iso8583"
	"swipewell/hal"
)

// Signer makes MACs, PIN blocks and encrypted tracks; firmware/keys has them
// over the key store, and cmd/posd joins the two.
type Signer interface {
	// MAC is DE 64 over the MAB, the bytes from MTI to the last field before it.
	MAC(mab []byte) ([8]byte, error)
	// Verify tells whether mac is the MAC of mab, in constant time.
	Verify(mab, mac []byte) (bool, error)
	// PINBlock is DE 52 under the PIN key.
	PINBlock(digits *hal.Secret, pan card.PAN) ([8]byte, error)
	// EncryptTrack is DE 35 under the track key: hex digits.
	EncryptTrack(track []byte) ([]byte, error)
}

// fieldOf is the field that a codec error names, 0 if none.
func fieldOf(err error) int {
	var fe *iso8583.FieldError
	if errors.As(err, &fe) {
		return fe.Field
	}
	return 0
}
