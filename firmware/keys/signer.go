package keys

import (
	"swipewell/firmware/card"
	"swipewell/hal"
)

// Signer joins a key store and the algorithms: it makes what a message needs of
// them. A Signer without a store has no key.
type Signer struct {
	Keys hal.KeyStore
	Alg  MACAlg
}

// MAC is DE 64 over the MAB. HOST §1.5.
func (s Signer) MAC(mab []byte) ([8]byte, error) {
	if s.Keys == nil {
		return [8]byte{}, hal.ErrNoKey
	}
	return MAC(s.Keys, s.Alg, mab)
}

// Verify tells whether mac is DE 64 of an answer.
func (s Signer) Verify(mab, mac []byte) (bool, error) {
	if s.Keys == nil {
		return false, hal.ErrNoKey
	}
	return Verify(s.Keys, s.Alg, mab, mac)
}

// PINBlock is DE 52 under the PIN key.
func (s Signer) PINBlock(digits *hal.Secret, p card.PAN) ([8]byte, error) {
	if s.Keys == nil {
		return [8]byte{}, hal.ErrNoKey
	}
	return PINBlock(s.Keys, PINFormat0, digits, p)
}

// EncryptTrack is DE 35 under the track key.
func (s Signer) EncryptTrack(track []byte) ([]byte, error) {
	if s.Keys == nil {
		return nil, hal.ErrNoKey
	}
	return EncryptTrack(s.Keys, track)
}
