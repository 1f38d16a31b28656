package key

import "crypto/cipher"

// CMAC is the MAC of msg under a cipher of 8- or 16-byte blocks, one block long.
// SP800-38B §6.2. (As the name of a key's use it is AES-CMAC or TDES-CMAC.)
func CMAC(b cipher.Block, msg []byte) []byte {
	n := b.BlockSize()
	k1 := make([]byte, n)
	b.Encrypt(k1, k1)
	double(k1)
	mac := make([]byte, n)
	for len(msg) > n {
		xor(mac, msg[:n])
		b.Encrypt(mac, mac)
		msg = msg[n:]
	}
	xor(mac, msg)
	if len(msg) < n {
		mac[len(msg)] ^= 0x80
		double(k1)
	}
	xor(mac, k1)
	b.Encrypt(mac, mac)
	clear(k1)
	return mac
}

// double multiplies by x in GF(2^8n): SP800-38B §5.3 has the two constants.
func double(b []byte) {
	r := byte(0x87)
	if len(b) == 8 {
		r = 0x1B
	}
	carry := b[0] >> 7
	for i := range b[:len(b)-1] {
		b[i] = b[i]<<1 | b[i+1]>>7
	}
	b[len(b)-1] = b[len(b)-1]<<1 ^ r*carry
}

func xor(dst, src []byte) {
	for i, c := range src {
		dst[i] ^= c
	}
}
