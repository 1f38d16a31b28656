package keys

import (
	"swipewell/firmware/card"
	"swipewell/hal"
)

// PINFormat of DE 52.
type PINFormat byte

const (
	PINFormat0     PINFormat = '0' // ISO9564 format 0; UnionPay's 2x (DE 53, first digit 2)
	PINNoPAN       PINFormat = '1' // UnionPay's 1x: the PIN field alone
	pinFiller                = 0x0F
	pinMin, pinMax           = 4, 12
)

// PINBlock makes DE 52 under the PIK: `0 | length | digits | F…`, XORed for
// format 0 with `0000` and the twelve digits of the number before its check
// digit. ISO9564 §9.3.2. The clear block exists only within this call.
func PINBlock(ks hal.KeyStore, f PINFormat, digits *hal.Secret, p card.PAN) (block [8]byte, err error) {
	var clearBlock [8]byte
	defer clear(clearBlock[:])
	digits.Use(func(d []byte) {
		if len(d) < pinMin || len(d) > pinMax {
			err = ErrPIN
			return
		}
		put := func(i int, v byte) { clearBlock[i/2] |= v << (4 * (1 - i%2)) }
		put(1, byte(len(d)))
		for i := 2; i < 16; i++ {
			v := byte(pinFiller)
			if i-2 < len(d) {
				if v = d[i-2] - '0'; v > 9 {
					err = ErrPIN
					return
				}
			}
			put(i, v)
		}
	})
	if err != nil {
		return block, err
	}
	if f == PINFormat0 {
		pan := p.Reveal()
		if len(pan) < 13 {
			return block, ErrPAN
		}
		for i, c := range []byte(pan[len(pan)-13 : len(pan)-1]) {
			clearBlock[(i+4)/2] ^= (c - '0') << (4 * (1 - i%2))
		}
	}
	return block, ks.EncryptBlocks(hal.SlotPIK, block[:], clearBlock[:])
}

// EncryptTrack encrypts a track under the TDK: of its packed digits the eight
// bytes before the last byte, ECB; the length stays. A track of fewer than 17
// digits is padded with F. HOST §1.2. The result is digits A–F included, as
// DE 35 carries it then.
func EncryptTrack(ks hal.KeyStore, track []byte) ([]byte, error) {
	const hexDigits = "0123456789ABCDEF"
	n := len(track)
	if n > 104 {
		return nil, ErrTrack
	}
	nibbles := make([]byte, 0, 106)
	for _, c := range track {
		switch {
		case c == '=' || c == 'D':
			nibbles = append(nibbles, 0x0D)
		case c >= '0' && c <= '9':
			nibbles = append(nibbles, c-'0')
		default:
			return nil, ErrTrack
		}
	}
	for len(nibbles) < 17 {
		nibbles = append(nibbles, 0x0F)
	}
	from := len(nibbles) - 17 // odd: [n-17, n-1)
	if len(nibbles)%2 == 0 {
		from = len(nibbles) - 18
	}
	var block [8]byte
	for i := range 16 {
		block[i/2] |= nibbles[from+i] << (4 * (1 - i%2))
	}
	if err := ks.EncryptBlocks(hal.SlotTDK, block[:], block[:]); err != nil {
		return nil, err
	}
	for i := range 16 {
		nibbles[from+i] = block[i/2] >> (4 * (1 - i%2)) & 0x0F
	}
	for i := range nibbles {
		nibbles[i] = hexDigits[nibbles[i]]
	}
	return nibbles, nil
}
