package keys

import (
	"crypto/subtle"

	"swipewell/hal"
)

// MACAlg is how a profile makes DE 64. HOST §1.5.
type MACAlg = hal.MACAlg

const (
	MACECB  = hal.MACECB
	MACX99  = hal.MACX99
	MACX919 = hal.MACX919
	MACCBC  = hal.MACCBC
	MACSM4  = hal.MACSM4CBC
	MACCMAC = hal.MACCMAC
)

// MAC is DE 64 over a MAB under the MAC key; an empty algorithm is UnionPay's.
func MAC(ks hal.KeyStore, alg MACAlg, mab []byte) ([8]byte, error) {
	if alg == "" {
		alg = MACECB
	}
	return ks.MAC(hal.SlotMAK, alg, hal.Request, mab)
}

// Verify tells whether mac is that of an answer, in a time that does not depend
// on how much of it is right.
func Verify(ks hal.KeyStore, alg MACAlg, mab, mac []byte) (bool, error) {
	own, err := MAC(ks, alg, mab)
	return err == nil && subtle.ConstantTimeCompare(own[:], mac) == 1, err
}
