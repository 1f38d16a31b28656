package keys

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"

	"swipewell/firmware/keys/pinblock"
	"swipewell/hal"
)

func TestCardPIN(t *testing.T) {
	for pin, want := range map[string]string{
		"1234":         "0020008008241234FFFFFFFFFF",
		"12345":        "00200080082512345FFFFFFFFF",
		"123456789012": "00200080082C123456789012FF",
	} {
		c, err := CardPIN{Header: [4]byte{0, 0x20, 0, 0x80}}.Command(hal.NewSecret([]byte(pin)), nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Use(func(b []byte) {
			if got := hex.EncodeToString(b); !bytes.EqualFold([]byte(got), []byte(want)) {
				t.Errorf("%s: %s, want %s", pin, got, want)
			}
		})
		c.Wipe()
	}
	for _, pin := range []string{"", "123", "1234567890123"} {
		if _, err := (CardPIN{}).Command(hal.NewSecret([]byte(pin)), nil); !errors.Is(err, pinblock.ErrPIN) {
			t.Errorf("%q: %v", pin, err)
		}
	}
}

// TestCardPINEnciphered undoes it with the private half.
func TestCardPINEnciphered(t *testing.T) {
	p, _ := new(big.Int).SetString("fef2f2c54c1d05a3be1e79e31bb2be5a4ea1ab3a6d34a12bb8ecb9ac2b0c58cb", 16)
	for !p.ProbablyPrime(20) || new(big.Int).Mod(p, big.NewInt(3)).Int64() != 2 {
		p.Add(p, big.NewInt(1))
	}
	q := new(big.Int).Add(p, big.NewInt(2))
	for !q.ProbablyPrime(20) || new(big.Int).Mod(q, big.NewInt(3)).Int64() != 2 {
		q.Add(q, big.NewInt(1))
	}
	n, one := new(big.Int).Mul(p, q), big.NewInt(1)
	d := new(big.Int).ModInverse(big.NewInt(3), new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)))
	challenge, pad := []byte("\x01\x02\x03\x04\x05\x06\x07\x08"), bytes.Repeat([]byte{0xA5}, 64)
	c := CardPIN{Header: [4]byte{0, 0x20, 0, 0x88}, Modulus: n.Bytes(), Exponent: []byte{3}, Challenge: challenge}
	apdu, err := c.Command(hal.NewSecret([]byte("2580")), bytes.NewReader(pad))
	if err != nil {
		t.Fatal(err)
	}
	apdu.Use(func(b []byte) {
		got := new(big.Int).Exp(new(big.Int).SetBytes(b[5:]), d, n).FillBytes(make([]byte, len(c.Modulus)))
		want := append(append([]byte("\x7F\x24\x25\x80\xFF\xFF\xFF\xFF\xFF"), challenge...), pad[:len(c.Modulus)-17]...)
		if !bytes.Equal(got, want) || int(b[4]) != len(c.Modulus) {
			t.Errorf("% X, want % X", got, want)
		}
	})
	if _, err := c.Command(hal.NewSecret([]byte("2580")), bytes.NewReader(pad[:5])); err == nil {
		t.Error("padded without random bytes")
	}
	c.Challenge = nil
	if _, err := c.Command(hal.NewSecret([]byte("2580")), bytes.NewReader(pad)); !errors.Is(err, hal.ErrKeyLength) {
		t.Errorf("without a challenge: %v", err)
	}
}
