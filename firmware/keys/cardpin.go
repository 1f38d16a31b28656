package keys

import (
	"bytes"
	"fmt"
	"io"
	"math/big"

	"swipewell/firmware/keys/pinblock"
	"swipewell/hal"
)

// CardPIN is the command by which a card verifies a PIN itself: VERIFY with a block
// in format 2, in clear, or under the card's public key. EMV 4.3 Book 3 §6.5.12,
// Book 2 §7.2; ISO 9564-1:2017 §9.3.3.
type CardPIN struct {
	Header    [4]byte // CLA INS P1 P2
	Modulus   []byte  // empty: in clear
	Exponent  []byte
	Challenge []byte // 8 bytes of the card
}

// Command is the APDU. It is a secret until the card has it, and its owner wipes
// it. random pads an enciphered block.
func (c CardPIN) Command(pin *hal.Secret, random io.Reader) (apdu *hal.Secret, err error) {
	pin.Use(func(digits []byte) {
		if len(digits) < hal.MinPIN || len(digits) > hal.MaxPIN {
			err = pinblock.ErrPIN
			return
		}
		size := 8
		if len(c.Modulus) > 0 {
			size = len(c.Modulus)
		}
		out := make([]byte, 5+size)
		copy(out, c.Header[:])
		out[4] = byte(size)
		if len(c.Modulus) == 0 {
			format2(out[5:], digits)
		} else if err = c.encipher(out[5:], digits, random); err != nil {
			clear(out)
			return
		}
		apdu = hal.NewSecret(out)
	})
	return apdu, err
}

// format2 is control and length, the digits, F. ISO9564 §9.3.3.
func format2(block, digits []byte) {
	copy(block, bytes.Repeat([]byte{0xFF}, 8))
	block[0] = 0x20 | byte(len(digits))
	for i, d := range digits {
		if i%2 == 0 {
			block[1+i/2] = d<<4 | 0xF
		} else {
			block[1+i/2] = block[1+i/2]&0xF0 | d&0xF
		}
	}
}

// encipher is RSA over 7F, block, challenge and random bytes. B2 §7.2, steps 2 and 3.
func (c CardPIN) encipher(dst, digits []byte, random io.Reader) error {
	if len(dst) < 17+8 || len(c.Challenge) != 8 || len(c.Exponent) == 0 {
		return fmt.Errorf("%w: a key of %d bytes", hal.ErrKeyLength, len(dst))
	}
	plain := make([]byte, len(dst))
	defer clear(plain)
	plain[0] = 0x7F
	format2(plain[1:9], digits)
	copy(plain[9:], c.Challenge)
	if _, err := io.ReadFull(random, plain[17:]); err != nil {
		return fmt.Errorf("keys: padding of a PIN: %w", err)
	}
	m := new(big.Int).SetBytes(plain)
	defer clear(m.Bits())
	new(big.Int).Exp(m, new(big.Int).SetBytes(c.Exponent), new(big.Int).SetBytes(c.Modulus)).FillBytes(dst)
	return nil
}
