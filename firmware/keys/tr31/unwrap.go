package tr31

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"swipewell/firmware/keys/key"
	"swipewell/hal"
)

// Unwrap decrypts the key under its protection key, and gives it only if the MAC
// over header and payload holds: ErrMAC. hal.ErrKeyUse if kbpk is not for this
// version; ErrPayload for a key that its header does not describe.
func (b *Block) Unwrap(kbpk key.Key) (key.Key, error) {
	if kbpk.IsZero() {
		return key.Key{}, hal.ErrNoKey
	}
	triple := kbpk.Alg() == hal.AlgTDES2 || kbpk.Alg() == hal.AlgTDES3
	if b.Version == 'D' && kbpk.Alg() != hal.AlgAES || b.Version != 'D' && !triple {
		return key.Key{}, fmt.Errorf("%w: version %c under a key of algorithm %d", hal.ErrKeyUse, b.Version, kbpk.Alg())
	}
	kbek, kbak, err := split(kbpk, b.Version)
	if err != nil {
		return key.Key{}, err
	}
	defer kbek.Wipe()
	defer kbak.Wipe()
	enc, err := kbek.Block()
	if err != nil {
		return key.Key{}, err
	}
	auth, err := kbak.Block()
	if err != nil {
		return key.Key{}, err
	}
	plain := make([]byte, len(b.payload))
	defer clear(plain)
	var sum []byte
	if b.Version == 'A' { // the MAC is over the cryptogram, the IV the begin of the header. TR31 §5.3.1
		sum = cbcMAC(auth, append(append([]byte(nil), b.head...), b.payload...))[:len(b.mac)]
		cipher.NewCBCDecrypter(enc, b.head[:8]).CryptBlocks(plain, b.payload)
	} else { // over the clear payload, and it is the IV. TR31 §5.3.2
		cipher.NewCBCDecrypter(enc, b.mac).CryptBlocks(plain, b.payload)
		bound := append(append(make([]byte, 0, len(b.head)+len(plain)), b.head...), plain...)
		sum = key.CMAC(auth, bound)
		clear(bound)
	}
	if subtle.ConstantTimeCompare(sum, b.mac) != 1 {
		return key.Key{}, &Error{len(b.head) + 2*len(b.payload), ErrMAC, "MAC"}
	}
	return b.key(plain)
}

// key takes the key out of the payload: its length in bits, the key, random fill.
func (b *Block) key(plain []byte) (key.Key, error) {
	n := int(binary.BigEndian.Uint16(plain))
	if n%8 != 0 || n/8 > len(plain)-2 {
		return key.Key{}, &Error{len(b.head), ErrPayload, fmt.Sprintf("a key of %d bits in %d bytes", n, len(plain))}
	}
	n /= 8
	alg := hal.AlgAES
	switch {
	case b.Algorithm == 'D':
		alg = hal.AlgDES
	case b.Algorithm == 'T' && n == 24:
		alg = hal.AlgTDES3
	case b.Algorithm == 'T':
		alg = hal.AlgTDES2
	}
	if !key.LengthOK(alg, n) {
		return key.Key{}, &Error{len(b.head), ErrPayload, fmt.Sprintf("algorithm %c with %d bytes", b.Algorithm, n)}
	}
	return key.New(alg, append([]byte(nil), plain[2:2+n]...))
}

// split makes the keys that encrypt and authenticate. Version A: variants, 'E' and
// 'M' over every byte; B and D: derived. TR31 §5.3.1, §5.3.2.1.
func split(kbpk key.Key, version byte) (kbek, kbak key.Key, err error) {
	if version != 'A' {
		if kbek, err = derive(kbpk, 0); err == nil {
			kbak, err = derive(kbpk, 1)
		}
		return kbek, kbak, err
	}
	vary := func(c byte) key.Key {
		k := kbpk.Clone()
		k.Use(func(b []byte) {
			for i := range b {
				b[i] ^= c
			}
		})
		return k
	}
	return vary('E'), vary('M'), nil
}

// derive is CMAC over counter, usage (0 encryption, 1 authentication), a zero,
// algorithm and length, until there are bytes enough. TR31 §5.3.2.1, table 8.
func derive(kbpk key.Key, usage uint16) (key.Key, error) {
	b, err := kbpk.Block()
	if err != nil {
		return key.Key{}, err
	}
	algorithm := uint16(kbpk.Len()/8 - 2) // 0, 1: double and triple length
	if kbpk.Alg() == hal.AlgAES {
		algorithm = uint16(kbpk.Len() / 8) // 2, 3, 4
	}
	out := make([]byte, 0, 48)
	for i := byte(1); len(out) < kbpk.Len(); i++ {
		d := binary.BigEndian.AppendUint16([]byte{i}, usage)
		d = binary.BigEndian.AppendUint16(append(d, 0), algorithm)
		out = append(out, key.CMAC(b, binary.BigEndian.AppendUint16(d, uint16(8*kbpk.Len())))...)
	}
	clear(out[kbpk.Len():])
	return key.New(kbpk.Alg(), out[:kbpk.Len()])
}

func cbcMAC(b cipher.Block, data []byte) []byte {
	out := make([]byte, len(data))
	cipher.NewCBCEncrypter(b, make([]byte, b.BlockSize())).CryptBlocks(out, data)
	return out[len(out)-b.BlockSize():]
}
