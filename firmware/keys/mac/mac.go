// Package mac makes the message authentication codes that hosts ask for, under
// a key that it is lent.
//
// Sources:
//   - HOST: firmware/doc/wire.md §1.5 (Q/CUP 009 and what acquirers use instead)
//   - X9.9, X9.19: ANSI X9.9-1986, X9.19-1996 = ISO 9797-1 algorithms 1 and 3, padding 1
//   - SP800-38B: NIST, CMAC
package mac

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"

	"swipewell/firmware/keys/key"
	"swipewell/hal"
)

// Size of every MAC: DE 64.
const Size = 8

// Sum is the MAC of data, padded with zeros to whole blocks (CMAC: by its own
// rule). hal.ErrKeyUse if the key is not for this algorithm.
func Sum(alg hal.MACAlg, k key.Key, data []byte) (mac [Size]byte, err error) {
	if k.IsZero() {
		return mac, hal.ErrNoKey
	}
	if wants := map[hal.MACAlg]bool{hal.MACECB: k.IsDES(), hal.MACX99: k.IsDES(), hal.MACX919: k.IsDES(), hal.MACCBC: k.IsDES(),
		hal.MACSM4CBC: k.Alg() == hal.AlgSM4, hal.MACCMAC: k.Alg() == hal.AlgAES || k.IsDES()}; !wants[alg] {
		return mac, fmt.Errorf("%w: MAC algorithm %q", hal.ErrKeyUse, alg)
	}
	whole, err := k.Block()
	if err != nil {
		return mac, err
	}
	switch alg {
	case hal.MACECB:
		return ecb(whole, data), nil
	case hal.MACCMAC:
		copy(mac[:], key.CMAC(whole, data))
	case hal.MACCBC, hal.MACSM4CBC:
		copy(mac[:], chain(whole, whole, data))
	default: // X9.9, X9.19: single DES up to the last block, and for X9.19 the whole key on that
		left, err := k.Left()
		if err != nil {
			return mac, err
		}
		defer left.Wipe()
		each, err := left.Block()
		if err != nil {
			return mac, err
		}
		last := each
		if alg == hal.MACX919 {
			last = whole
		}
		copy(mac[:], chain(each, last, data))
	}
	return mac, nil
}

// Equal compares two MACs in a time that does not depend on them.
func Equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// ecb: the XOR of all blocks, written as 16 hex characters; the first eight
// encrypted, XORed with the last eight, encrypted again; the first eight hex
// characters of that. HOST §1.5.
func ecb(b cipher.Block, data []byte) (mac [Size]byte) {
	var x [8]byte
	for i, c := range data {
		x[i%8] ^= c
	}
	hexed := strings.ToUpper(hex.EncodeToString(x[:]))
	copy(x[:], hexed[:8])
	b.Encrypt(x[:], x[:])
	for i := range x {
		x[i] ^= hexed[8+i]
	}
	b.Encrypt(x[:], x[:])
	copy(mac[:], strings.ToUpper(hex.EncodeToString(x[:4])))
	return mac
}

// chain is CBC with each, the last block with last; no data is one block of zeros.
func chain(each, last cipher.Block, data []byte) []byte {
	n := each.BlockSize()
	x := make([]byte, n)
	for {
		m := min(n, len(data))
		subtle.XORBytes(x, x, data[:m])
		if data = data[m:]; len(data) == 0 {
			last.Encrypt(x, x)
			return x
		}
		each.Encrypt(x, x)
	}
}
