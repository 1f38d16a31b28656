// Package pinblock makes the encrypted PIN block of DE 52, whole: a clear block
// exists only within one call. It cannot decode; that is the host's.
//
// Sources:
//   - ISO9564: ISO 9564-1:2017 §9.3 (formats 0, 3), §9.4 (format 4)
//   - HOST: firmware/doc/wire.md §1.2 (DE 53: UnionPay's 1x and 2x)
//   - KERRY: blog.csdn.net/M_Kerry/article/details/104625499, the one public sample
//     of a PIN block under SM4; banks differ, so ask
package pinblock

import (
	"crypto/cipher"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"

	"swipewell/hal"
)

// Errors that say what is wrong, and never what was entered.
var (
	ErrPIN    = errors.New("pinblock: a PIN has 4 to 12 digits")
	ErrPAN    = errors.New("pinblock: a PIN block needs a card number of 13 to 19 digits")
	ErrRandom = errors.New("pinblock: no random fill")
)

// Encrypt makes the block of pin and pan, ASCII digits, under b: 8 bytes, and 16
// in format 4. random fills formats 3 and 4. hal.ErrKeyUse if the cipher's block
// is not the format's.
func Encrypt(b cipher.Block, f hal.PINFormat, pin, pan []byte, random io.Reader) ([]byte, error) {
	if len(pin) < hal.MinPIN || len(pin) > hal.MaxPIN || !digits(pin) {
		return nil, ErrPIN
	}
	size := 8
	if f == hal.PINFormat4 || f == hal.PINSM4 {
		size = 16
	}
	if b.BlockSize() != size {
		return nil, fmt.Errorf("%w: PIN format %c in blocks of %d bytes", hal.ErrKeyUse, f, b.BlockSize())
	}
	field := make([]byte, size)
	defer clear(field)
	if f != hal.PINNoPAN && (len(pan) < 13 || len(pan) > 19 || !digits(pan)) {
		return nil, ErrPAN
	}
	var control, filler byte
	switch f {
	case hal.PINFormat0, hal.PINNoPAN, hal.PINSM4:
		filler = 0xF
	case hal.PINFormat3:
		control = 3
	case hal.PINFormat4:
		control, filler = 4, 0xA
	default:
		return nil, fmt.Errorf("%w: PIN format %q", hal.ErrKeyUse, f)
	}
	put(field, 0, control)
	put(field, 1, byte(len(pin)))
	fill := 16
	if f == hal.PINSM4 {
		fill = 32
	}
	for i := 2; i < fill; i++ {
		v := filler
		if i-2 < len(pin) {
			v = pin[i-2] - '0'
		} else if f == hal.PINFormat3 {
			var err error
			if v, err = letter(random); err != nil {
				return nil, err
			}
		}
		put(field, i, v)
	}
	switch f {
	case hal.PINFormat0, hal.PINFormat3, hal.PINSM4: // with zeros and the twelve digits before the check digit. ISO9564 §9.3.2
		for i, c := range pan[len(pan)-13 : len(pan)-1] {
			field[size-6+i/2] ^= (c - '0') << (4 * (1 - i%2))
		}
	case hal.PINFormat4: // encrypt, XOR the PAN field, encrypt. ISO9564 §9.4
		if random == nil {
			return nil, ErrRandom
		}
		if _, err := io.ReadFull(random, field[8:]); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRandom, err)
		}
		b.Encrypt(field, field)
		account := accountField(pan)
		subtle.XORBytes(field, field, account[:])
		clear(account[:])
	}
	out := make([]byte, size)
	b.Encrypt(out, field)
	return out, nil
}

// accountField is the plain text PAN field: how many digits more than twelve,
// the digits, zeros. ISO9564 §9.4.2.3.
func accountField(pan []byte) (field [16]byte) {
	put(field[:], 0, byte(len(pan)-12))
	for i, c := range pan {
		put(field[:], i+1, c-'0')
	}
	return field
}

// letter is one of A–F, all equally likely. ISO9564 §9.3.5.
func letter(random io.Reader) (byte, error) {
	if random == nil {
		return 0, ErrRandom
	}
	var b [1]byte
	for range 100 { // 252 bytes of 256 serve: this ends unless the source is broken
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return 0, fmt.Errorf("%w: %w", ErrRandom, err)
		}
		if b[0] < 252 {
			return 0xA + b[0]%6, nil
		}
	}
	return 0, ErrRandom
}

// put sets nibble i of a zeroed block.
func put(b []byte, i int, v byte) { b[i/2] |= v << (4 * (1 - i%2)) }

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
