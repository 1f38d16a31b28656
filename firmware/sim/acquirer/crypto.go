package acquirer

import (
	"crypto/cipher"
	"crypto/des"
	"fmt"
	"io"
	"math/bits"
	"strings"

	"swipewell/firmware/keys/sm4"
)

// secret is key material. It prints nothing.
type secret []byte

func (secret) String() string             { return "[key]" }
func (secret) Format(f fmt.State, _ rune) { io.WriteString(f, "[key]") }

// cipherOf makes the block cipher of a key of 8, 16 or 24 bytes.
func cipherOf(k secret) cipher.Block {
	var b cipher.Block
	var err error
	switch len(k) {
	case 8:
		b, err = des.NewCipher(k)
	case 16:
		b, err = des.NewTripleDESCipher(append(append(secret(nil), k...), k[:8]...))
	default:
		b, err = des.NewTripleDESCipher(k)
	}
	if err != nil { // lengths are checked where keys come in
		panic(fmt.Sprintf("acquirer: a key of %d bytes", len(k)))
	}
	return b
}

// ecb runs f over each block of src.
func ecb(f func(dst, src []byte), src []byte) []byte {
	out := make([]byte, len(src))
	for i := 0; i+8 <= len(src); i += 8 {
		f(out[i:i+8], src[i:i+8])
	}
	return out
}

// MAC algorithms, HOST §1.5.
const (
	macECB  = "ecb"
	macX99  = "x9.9"
	macX919 = "x9.19"
	macCBC  = "3des-cbc"
)

// macOf is DE 64 over the bytes from MTI to DE 63.
func macOf(alg string, k secret, mab []byte) string {
	padded := append([]byte(nil), mab...)
	for len(padded)%8 != 0 || len(padded) == 0 {
		padded = append(padded, 0)
	}
	switch alg {
	case macX99:
		return string(chain(cipherOf(k[:8]), padded))
	case macCBC:
		return string(chain(cipherOf(k), padded))
	case macX919:
		// Single DES up to the last block, then decrypt right, encrypt left.
		mac := chain(cipherOf(k[:8]), padded)
		if len(k) >= 16 {
			cipherOf(k[8:16]).Decrypt(mac, mac)
			cipherOf(k[:8]).Encrypt(mac, mac)
		}
		return string(mac)
	}
	// ECB: fold to eight bytes, write them in hex, and encrypt the halves.
	var fold [8]byte
	for i, c := range padded {
		fold[i%8] ^= c
	}
	hex, k8 := spread(fold[:]), cipherOf(k)
	first := ecb(k8.Encrypt, []byte(hex[:8]))
	for i := range first {
		first[i] ^= hex[8+i]
	}
	return spread(ecb(k8.Encrypt, first))[:8]
}

func chain(b cipher.Block, padded []byte) []byte {
	out := make([]byte, len(padded))
	cipher.NewCBCEncrypter(b, make([]byte, 8)).CryptBlocks(out, padded)
	return out[len(out)-8:]
}

// checkValue is the first four bytes of the encrypted zeros.
func checkValue(k secret) []byte { return ecb(cipherOf(k).Encrypt, make([]byte, 8))[:4] }

// workingKeys are what a sign-on hands out.
type workingKeys struct {
	pik, mak, tdk secret
	sm4           bool // of form 005: each of 16 bytes
}

// newKey draws a key of n bytes with odd parity.
func newKey(r io.Reader, n int) (secret, error) {
	k := make(secret, n)
	if _, err := io.ReadFull(r, k); err != nil {
		return nil, fmt.Errorf("acquirer: keys: %w", err)
	}
	for i := range k {
		if bits.OnesCount8(k[i])%2 == 0 {
			k[i] ^= 1
		}
	}
	return k, nil
}

// drawKeys draws the keys of one network code. HOST §1.3, §1.6: 001 single
// DES, 003 double, 004 with a track key. doubleMAK: the MAK fills its slot of
// 16 bytes; else it is single, followed by zeros.
func drawKeys(r io.Reader, code string, doubleMAK bool) (w workingKeys, err error) {
	size, mak := 16, 8
	switch {
	case code == "005":
		mak, w.sm4 = 16, true
	case code == "001":
		size = 8
	case doubleMAK:
		mak = 16
	}
	if w.pik, err = newKey(r, size); err != nil {
		return w, err
	}
	if w.mak, err = newKey(r, mak); err != nil {
		return w, err
	}
	if code == "004" {
		w.tdk, err = newKey(r, size)
	}
	return w, err
}

// bundle is DE 62: each key under the master key, and its check value.
func (w workingKeys) bundle(tmk secret) string {
	var out []byte
	for _, k := range []secret{w.pik, w.mak, w.tdk} {
		if k == nil {
			continue
		}
		slot := make([]byte, len(w.pik)) // a shorter key leaves zeros behind it
		check := checkValue(k)
		if w.sm4 {
			sm4Of(tmk).Encrypt(slot, k)
			check = make([]byte, 16)
			sm4Of(k).Encrypt(check, check)
		} else {
			copy(slot, ecb(cipherOf(tmk).Encrypt, k))
		}
		out = append(append(out, slot...), check[:4]...)
	}
	return string(out)
}

// sm4Of is the cipher of a key of form 005; the block cipher is the program's, as
// DES is the library's: its standard's own vectors hold it.
func sm4Of(k secret) cipher.Block {
	b, err := sm4.NewCipher(k)
	if err != nil { // lengths are checked where keys come in
		panic(fmt.Sprintf("acquirer: an SM4 key of %d bytes", len(k)))
	}
	return b
}

// mac is DE 64 under the session's MAC key. HOST §1.5: CBC, the left eight bytes, with
// SM4; else the algorithm of this host.
func (w workingKeys) mac(alg string, mab []byte) string {
	if !w.sm4 {
		return macOf(alg, w.mak, mab)
	}
	b := append([]byte(nil), mab...)
	for len(b)%16 != 0 || len(b) == 0 {
		b = append(b, 0)
	}
	cipher.NewCBCEncrypter(sm4Of(w.mak), make([]byte, 16)).CryptBlocks(b, b)
	return string(b[len(b)-16 : len(b)-8])
}

// openPIN decrypts DE 52 and returns the PIN; ok is false if what comes out
// is no PIN block of this format. withPAN is format 0 of ISO9564 §9.3.2; else
// the plain field (UnionPay 1x). HOST §1.2.
func openPIN(pik secret, block, pan string, withPAN bool) (pin string, ok bool) {
	clear := ecb(cipherOf(pik).Decrypt, []byte(block))
	if withPAN {
		if len(pan) < 13 {
			return "", false
		}
		for i, c := range pack("0000" + pan[len(pan)-13:len(pan)-1]) {
			clear[i] ^= c
		}
	}
	s := spread(clear)
	n := strings.IndexByte(hexDigits, s[1])
	if s[0] != '0' || n < 4 || n > 12 {
		return "", false
	}
	pin, fill := s[2:2+n], s[2+n:]
	if strings.ContainsAny(pin, "ABCDEF") || strings.Trim(fill, "F") != "" {
		return "", false
	}
	return pin, true
}

// openTrack decrypts the eight bytes before the last of a track. HOST §1.2.
func openTrack(tdk secret, track string) (string, bool) {
	from := len(track) - 17
	if len(track)%2 == 0 {
		from--
	}
	if from < 0 {
		return "", false
	}
	inner := ecb(cipherOf(tdk).Decrypt, pack(track[from:from+16]))
	return strings.TrimRight(track[:from]+spread(inner)+track[from+16:], "F"), true
}
