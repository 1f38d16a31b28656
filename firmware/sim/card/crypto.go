package card

import (
	"crypto/des"  //nolint:gosec // what the cards of the field use
	"crypto/sha1" //nolint:gosec // as above
	"math/bits"
)

// Key is a two-key triple DES key. Those in this tree are test keys.
type Key [16]byte

// tdes enciphers one block.
func (k Key) tdes(block []byte) []byte {
	c, err := des.NewTripleDESCipher(append(append([]byte(nil), k[:]...), k[:8]...)) //nolint:gosec // as above
	if err != nil {
		return make([]byte, 8)
	}
	out := make([]byte, 8)
	c.Encrypt(out, block)
	return out
}

func xor(a, b []byte) []byte {
	out := make([]byte, len(a))
	for i := range a {
		out[i] = a[i] ^ b[i]
	}
	return out
}

func odd(b []byte) Key {
	var k Key
	copy(k[:], b)
	for i, c := range k {
		if bits.OnesCount8(c)%2 == 0 {
			k[i] = c ^ 1
		}
	}
	return k
}

func bcd(digits string) []byte {
	if len(digits)%2 != 0 {
		digits = "0" + digits
	}
	return unhex(digits)
}

// MasterKeyA derives a card's key from an issuer's: PAN and sequence number (two
// digits), the right sixteen of them. B2 Annex A1.4.1.
func MasterKeyA(imk Key, pan, psn string) Key {
	d := "0000000000000000" + pan + psn
	return diversify(imk, bcd(d[len(d)-16:]))
}

func diversify(imk Key, y []byte) Key {
	return odd(append(imk.tdes(y), imk.tdes(xor(y, []byte{255, 255, 255, 255, 255, 255, 255, 255}))...))
}

// MasterKeyB is MasterKeyA for numbers over 16 digits: the decimal digits of a
// SHA-1 hash, then its letters as 0 to 5. B2 Annex A1.4.2.
func MasterKeyB(imk Key, pan, psn string) Key {
	if len(pan) <= 16 {
		return MasterKeyA(imk, pan, psn)
	}
	h := sha1.Sum(bcd(pan + psn)) //nolint:gosec // as above
	text := hexOf(h[:])
	var d []byte
	for _, c := range []byte(text) {
		if c <= '9' && len(d) < 16 {
			d = append(d, c)
		}
	}
	for _, c := range []byte(text) {
		if c > '9' && len(d) < 16 {
			d = append(d, c-'A'+'0')
		}
	}
	return diversify(imk, unhex(string(d)))
}

// SessionKey is the common session key derivation. r is ATC and six bytes 00 for
// cryptograms, the ARQC for scripts. B2 Annex A1.3.1.
func SessionKey(mk Key, r []byte) Key {
	a, b := append([]byte(nil), r...), append([]byte(nil), r...)
	a[2], b[2] = 0xF0, 0x0F
	return odd(append(mk.tdes(a), mk.tdes(b)...))
}

// SessionKeyPBOC is the derivation of cryptogram version 01: ATC and its
// complement, right-justified. PBOC §8.1.3.
func SessionKeyPBOC(mk Key, atc []byte) Key {
	a := append(make([]byte, 6), atc...)
	b := append(make([]byte, 6), ^atc[0], ^atc[1])
	return odd(append(mk.tdes(a), mk.tdes(b)...))
}

// SessionKeyVisaScript is the key of scripts of cryptogram version 10: the card's
// key, each half changed by the counter or its complement. B2 §9.2.1 leaves it to the scheme.
func SessionKeyVisaScript(mk Key, atc []byte) Key {
	a, b := mk[:8], mk[8:]
	var k Key
	copy(k[:8], xor(a, append(make([]byte, 6), atc...)))
	copy(k[8:], xor(b, append(make([]byte, 6), ^atc[0], ^atc[1])))
	return odd(k[:])
}

// MAC is ISO 9797-1 algorithm 3 with DES, eight bytes; method 2 pads with 80.
// B2 Annex A1.2.
func MAC(k Key, data []byte, method int) []byte {
	d := append([]byte(nil), data...)
	if method == 2 {
		d = append(d, 0x80)
	}
	for len(d)%8 != 0 || len(d) == 0 {
		d = append(d, 0)
	}
	left, err1 := des.NewCipher(k[:8]) //nolint:gosec // as above
	right, err2 := des.NewCipher(k[8:])
	if err1 != nil || err2 != nil {
		return make([]byte, 8)
	}
	x := make([]byte, 8)
	for ; len(d) > 0; d = d[8:] {
		left.Encrypt(x, xor(x, d[:8]))
	}
	right.Decrypt(x, x)
	left.Encrypt(x, x)
	return x
}

// ARPC1 is an issuer's answer by method 1. B2 §8.2.1.
func ARPC1(sk Key, arqc []byte, arc [2]byte) []byte {
	return sk.tdes(xor(arqc, append(arc[:], 0, 0, 0, 0, 0, 0)))
}

// ARPC2 is an issuer's answer by method 2: csu are the four bytes of the Card
// Status Update, prop up to eight of the issuer's own. B2 §8.2.2.
func ARPC2(sk Key, arqc, csu, prop []byte) []byte {
	return MAC(sk, append(append(append([]byte(nil), arqc...), csu...), prop...), 2)[:4]
}

// ScriptMAC is the eight-byte MAC of a script command: header, what chains it
// (nothing, or ATC and ARQC), then its data. B2 §9.2.
func ScriptMAC(sk Key, header, chain, data []byte) []byte {
	return MAC(sk, append(append(append([]byte(nil), header...), chain...), data...), 2)
}

// ScriptEncipher hides the data of a script command: triple DES in CBC mode, zero
// start, padding method 2. B2 §9.3.
func ScriptEncipher(sk Key, data []byte) []byte {
	d := append(append([]byte(nil), data...), 0x80)
	for len(d)%8 != 0 {
		d = append(d, 0)
	}
	x, out := make([]byte, 8), []byte{}
	for ; len(d) > 0; d = d[8:] {
		x = sk.tdes(xor(x, d[:8]))
		out = append(out, x...)
	}
	return out
}

// scriptDecipher undoes ScriptEncipher; nil if the padding is not there.
func scriptDecipher(k Key, data []byte) []byte {
	c, err := des.NewTripleDESCipher(append(append([]byte(nil), k[:]...), k[:8]...)) //nolint:gosec // as above
	if err != nil || len(data)%8 != 0 {
		return nil
	}
	x, out := make([]byte, 8), []byte{}
	for ; len(data) > 0; data = data[8:] {
		y := make([]byte, 8)
		c.Decrypt(y, data[:8])
		out = append(out, xor(y, x)...)
		x = data[:8]
	}
	for i := len(out) - 1; i >= 0; i-- {
		switch out[i] {
		case 0:
		case 0x80:
			return out[:i]
		default:
			return nil
		}
	}
	return nil
}
