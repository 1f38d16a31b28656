package pinblock

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"swipewell/hal"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func tdes(k string) cipher.Block {
	b := unhex(k)
	c, err := des.NewTripleDESCipher(append(b, b[:8]...))
	if err != nil {
		panic(err)
	}
	return c
}

// null shows the clear block.
type null int

func (n null) BlockSize() int          { return int(n) }
func (n null) Encrypt(dst, src []byte) { copy(dst, src) }
func (n null) Decrypt(dst, src []byte) { copy(dst, src) }

// stuckAt is a broken generator.
type stuckAt struct{}

func (stuckAt) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 0xFF
	}
	return len(b), nil
}

// HOST §5.2, §5.3.
func TestVectors(t *testing.T) {
	aesKey, _ := aes.NewCipher(unhex("AF8CB133A78F8DC2D1359F18527593FB"))
	for _, c := range []struct {
		name string
		b    cipher.Block
		f    hal.PINFormat
		pin  string
		pan  string
		fill []byte
		want string
	}{
		{"format 0, clear", null(8), hal.PINFormat0, "1234", "4012345678909", nil, "041274EDCBA9876F"},
		{"format 3, clear", null(8), hal.PINFormat3, "1234", "4012345678909", []byte{0, 1, 2, 3, 4, 5, 0, 1, 2, 3}, "341274B9F9B9D35D"},
		{"format 3, bytes that would not be fair", null(8), hal.PINFormat3, "1234", "4012345678909", []byte{255, 252, 0, 253, 1, 2, 3, 4, 5, 0, 1, 254, 2, 3}, "341274B9F9B9D35D"},
		{"SM4, clear: KERRY", null(16), hal.PINSM4, "123654", "6230606601007726888", nil, "06123654FFFFFFFFFFFF99FEFF88D977"},
		{"format 1x, clear", null(8), hal.PINNoPAN, "1234", "", nil, "041234FFFFFFFFFF"},
		{"format 0, derived", tdes("807A23AD32B36D457AE91FDF927570EA"), hal.PINFormat0, "123456", "6225882116400091", nil, "710234B5A29C6D65"},
		{"hmsmock", tdes("C5A1EFDE6AD4461B72AF90946EE006AC"), hal.PINFormat0, "111111", "6226168997066875", nil, "150A4D565B4A836E"},
		{"format 4, X9.24-3", aesKey, hal.PINFormat4, "1234", "4111111111111111", unhex("2F69ADDE2E9E7ACE"), "A912150391AB65A67E52883D81CE2D15"},
	} {
		var random io.Reader
		if c.fill != nil {
			random = bytes.NewReader(c.fill)
		}
		got, err := Encrypt(c.b, c.f, []byte(c.pin), []byte(c.pan), random)
		if err != nil || !bytes.Equal(got, unhex(c.want)) {
			t.Errorf("%s: %X %v, want %s", c.name, got, err, c.want)
		}
	}
	if f := accountField([]byte("4111111111111111")); !bytes.Equal(f[:], unhex("44111111111111111000000000000000")) {
		t.Errorf("PAN field %X", f)
	}
}

func TestRefused(t *testing.T) {
	key8, key16 := tdes("C5A1EFDE6AD4461B72AF90946EE006AC"), null(16)
	noise := bytes.NewReader(make([]byte, 100))
	stuck := iotest.ErrReader(errors.New("no entropy"))
	for _, c := range []struct {
		name     string
		b        cipher.Block
		f        hal.PINFormat
		pin, pan string
		random   io.Reader
		want     error
	}{
		{"3 digits", key8, hal.PINFormat0, "123", "4012345678909", nil, ErrPIN},
		{"13 digits", key8, hal.PINFormat0, "1234567890123", "4012345678909", nil, ErrPIN},
		{"a letter", key8, hal.PINFormat0, "12a4", "4012345678909", nil, ErrPIN},
		{"a sign below 0", key8, hal.PINNoPAN, "12/4", "", nil, ErrPIN},
		{"no PIN", key8, hal.PINNoPAN, "", "", nil, ErrPIN},
		{"short number", key8, hal.PINFormat0, "1234", "401234567890", nil, ErrPAN},
		{"long number", key8, hal.PINFormat3, "1234", "40123456789012345678", noise, ErrPAN},
		{"number with a letter", key8, hal.PINFormat0, "1234", "401234567890D", nil, ErrPAN},
		{"format 4 under TDES", key8, hal.PINFormat4, "1234", "4012345678909", noise, hal.ErrKeyUse},
		{"format 0 under AES", key16, hal.PINFormat0, "1234", "4012345678909", nil, hal.ErrKeyUse},
		{"SM4's form under TDES", key8, hal.PINSM4, "1234", "4012345678909", nil, hal.ErrKeyUse},
		{"format 2", key8, '2', "1234", "4012345678909", nil, hal.ErrKeyUse},
		{"format 3 without noise", key8, hal.PINFormat3, "1234", "4012345678909", nil, ErrRandom},
		{"format 3, noise ends", key8, hal.PINFormat3, "1234", "4012345678909", bytes.NewReader([]byte{1}), ErrRandom},
		{"format 3, noise stuck at FF", key8, hal.PINFormat3, "1234", "4012345678909", stuckAt{}, ErrRandom},
		{"format 4 without noise", key16, hal.PINFormat4, "1234", "4012345678909", nil, ErrRandom},
		{"format 4, noise fails", key16, hal.PINFormat4, "1234", "4012345678909", stuck, ErrRandom},
	} {
		got, err := Encrypt(c.b, c.f, []byte(c.pin), []byte(c.pan), c.random)
		if !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %X %v", c.name, got, err)
		}
		if err != nil && c.pin != "" && (strings.Contains(err.Error(), c.pin) || c.pan != "" && strings.Contains(err.Error(), c.pan)) {
			t.Errorf("%s: the error tells what was entered: %v", c.name, err)
		}
	}
}

// What the host finds in the block is what was entered, for every length and
// number. The decoding is the test's own.
func TestTheHostFindsThePIN(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pin := rapid.StringMatching(`[0-9]{4,12}`).Draw(rt, "pin")
		pan := rapid.StringMatching(`[0-9]{13,19}`).Draw(rt, "pan")
		noise := bytes.NewReader(rapid.SliceOfN(rapid.Byte(), 400, 400).Draw(rt, "noise"))
		f := rapid.SampledFrom([]hal.PINFormat{hal.PINFormat0, hal.PINNoPAN, hal.PINFormat3}).Draw(rt, "format")
		got, err := Encrypt(null(8), f, []byte(pin), []byte(pan), noise)
		if errors.Is(err, ErrRandom) {
			return // a draw with a hundred bytes over 251
		} else if err != nil {
			rt.Fatal(err)
		}
		if f != hal.PINNoPAN {
			for i, c := range unhex("0000" + pan[len(pan)-13:len(pan)-1]) {
				got[i] ^= c
			}
		}
		s := fmt.Sprintf("%X", got)
		want := map[hal.PINFormat]string{hal.PINFormat0: "0", hal.PINNoPAN: "0", hal.PINFormat3: "3"}[f] + fmt.Sprintf("%X", len(pin)) + pin
		if !strings.HasPrefix(s, want) {
			rt.Fatalf("%s, want %s…", s, want)
		}
		fill := strings.Trim(s[len(want):], "F")
		if f == hal.PINFormat3 {
			fill = strings.Trim(s[len(want):], "ABCDEF")
		}
		if fill != "" {
			rt.Fatalf("fill %q", fill)
		}
	})
	k, _ := aes.NewCipher(make([]byte, 16))
	rapid.Check(t, func(rt *rapid.T) {
		pin := rapid.StringMatching(`[0-9]{4,12}`).Draw(rt, "pin")
		pan := rapid.StringMatching(`[0-9]{13,19}`).Draw(rt, "pan")
		noise := rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(rt, "noise")
		got, err := Encrypt(k, hal.PINFormat4, []byte(pin), []byte(pan), bytes.NewReader(noise))
		if err != nil {
			rt.Fatal(err)
		}
		k.Decrypt(got, got)
		account := unhex((fmt.Sprintf("%X", len(pan)-12) + pan + strings.Repeat("0", 32))[:32])
		for i, c := range account {
			got[i] ^= c
		}
		k.Decrypt(got, got)
		if want := (fmt.Sprintf("4%X", len(pin)) + pin + "AAAAAAAAAAAAAAAA")[:16] + fmt.Sprintf("%X", noise); fmt.Sprintf("%X", got) != want {
			rt.Fatalf("%X, want %s", got, want)
		}
	})
}
