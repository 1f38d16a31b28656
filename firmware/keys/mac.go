package keys

import (
	"encoding/hex"
	"fmt"
	"strings"

	"swipewell/hal"
)

// MACAlg is how a profile makes DE 64.
type MACAlg string

const (
	MACECB  MACAlg = "ecb"      // UnionPay, Q/CUP 009
	MACX99  MACAlg = "x9.9"     // single DES, CBC
	MACX919 MACAlg = "x9.19"    // ISO 9797-1 algorithm 3
	MACCBC  MACAlg = "3des-cbc" // CBC under the whole key
)

// MAC is DE 64 over a MAB, zero-padded to whole blocks. HOST §1.5.
func MAC(ks hal.KeyStore, alg MACAlg, mab []byte) (mac [8]byte, err error) {
	switch alg {
	case MACECB, "":
		return macECB(ks, mab)
	case MACX99:
		return macCBC(ks, mab, ks.EncryptLeft, ks.EncryptLeft)
	case MACX919:
		return macCBC(ks, mab, ks.EncryptLeft, ks.EncryptBlocks)
	case MACCBC:
		return macCBC(ks, mab, ks.EncryptBlocks, ks.EncryptBlocks)
	}
	return mac, fmt.Errorf("keys: no MAC algorithm %q", alg)
}

// macECB: XOR of all blocks, written as 16 hex characters; the first eight
// encrypted, XORed with the last eight, encrypted again; the first eight hex
// characters of that. HOST §1.5.
func macECB(ks hal.KeyStore, mab []byte) (mac [8]byte, err error) {
	var x [8]byte
	for i, b := range mab {
		x[i%8] ^= b
	}
	hexed := strings.ToUpper(hex.EncodeToString(x[:]))
	var block [8]byte
	copy(block[:], hexed[:8])
	if err = ks.EncryptBlocks(hal.SlotMAK, block[:], block[:]); err != nil {
		return mac, err
	}
	for i := range block {
		block[i] ^= hexed[8+i]
	}
	if err = ks.EncryptBlocks(hal.SlotMAK, block[:], block[:]); err != nil {
		return mac, err
	}
	copy(mac[:], strings.ToUpper(hex.EncodeToString(block[:4])))
	return mac, nil
}

type encrypt func(slot hal.KeySlot, dst, src []byte) error

// macCBC chains with each and finishes with last.
func macCBC(_ hal.KeyStore, mab []byte, each, last encrypt) (mac [8]byte, err error) {
	n := max(1, (len(mab)+7)/8)
	for i := range n {
		for j := range 8 {
			if k := i*8 + j; k < len(mab) {
				mac[j] ^= mab[k]
			}
		}
		step := each
		if i == n-1 {
			step = last
		}
		if err = step(hal.SlotMAK, mac[:], mac[:]); err != nil {
			return mac, err
		}
	}
	return mac, nil
}
