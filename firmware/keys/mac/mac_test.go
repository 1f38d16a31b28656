package mac

import (
	"bytes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/keys/key"
	"swipewell/hal"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func des(s string) key.Key {
	b := unhex(s)
	k, err := key.New(map[int]hal.KeyAlg{8: hal.AlgDES, 16: hal.AlgTDES2, 24: hal.AlgTDES3}[len(b)], b)
	if err != nil {
		panic(err)
	}
	return k
}

func other(alg hal.KeyAlg, s string) key.Key {
	k, err := key.New(alg, unhex(s))
	if err != nil {
		panic(err)
	}
	return k
}

// HOST §1.7 vectors 1–3, §5.3; RFC 4493 for CMAC.
func TestVectors(t *testing.T) {
	whole := unhex("0200 3020048000C08015 000000 000000001234 000002 0300 99 3030303030303031 393532373138313832323137383735 313536 0019 26000001000600000000 0043 5F01123238343431323334353637383930313233345F03063136303033365F04063230303832365C023031")
	for _, c := range []struct {
		name string
		alg  hal.MACAlg
		k    key.Key
		data []byte
		want []byte
	}{
		{"HOST 1", hal.MACECB, des("2222222222222222"), unhex("1234567890ABCDEFABCDEF1234567890"), []byte("E267B6E2")},
		{"HOST 2", hal.MACECB, des("C24A8FB57AA20123"), unhex("0200302004C020C09811000000000000000051001834021000063243922600 09942820D1312101120084393136363838303134303030303030303030303030303031313536ACF46E73838A82F9260000000000000000082200000100 00000000"), []byte("8A9E91B8")},
		{"HOST 3", hal.MACECB, des("0723C80DB5F4CD3D"), whole, []byte("B3A092AE")},
		{"HOST 3 doubled", hal.MACECB, des("0723C80DB5F4CD3D0723C80DB5F4CD3D"), whole, []byte("B3A092AE")},
		{"X9.9", hal.MACX99, des("0123456789ABCDEF"), []byte("7654321 Now is the time for "), unhex("F1D30F6849312CA4")},
		{"X9.19", hal.MACX919, des("0123456789ABCDEFFEDCBA9876543210"), []byte("Now is the time for all "), unhex("A1C72E74EA3FA9B6")},
		{"X9.19 padded", hal.MACX919, des("0123456789ABCDEFFEDCBA9876543210"), []byte("Now is the time for it"), unhex("2E2B1428CC78254F")},
		{"CMAC AES", hal.MACCMAC, other(hal.AlgAES, "2B7E151628AED2A6ABF7158809CF4F3C"), unhex("6BC1BEE22E409F96E93D7E117393172A"), unhex("070A16B46B4D4144")},
		{"CMAC TDES", hal.MACCMAC, des("8AA83BF8CBDA10620BC1BF19FBB6CD58BC313D4A371CA8B5"), unhex("6BC1BEE22E409F96"), unhex("8E8F293136283797")},
		// one block of GB/T 32907 A.1 is a CBC-MAC of one block
		{"SM4", hal.MACSM4CBC, other(hal.AlgSM4, "0123456789ABCDEFFEDCBA9876543210"), unhex("0123456789ABCDEFFEDCBA9876543210"), unhex("681EDF34D206965E")},
	} {
		got, err := Sum(c.alg, c.k, c.data)
		if err != nil || !bytes.Equal(got[:], c.want) {
			t.Errorf("%s: %X %v, want %X", c.name, got, err, c.want)
		}
	}
}

// The CBC forms equal the last block of crypto/cipher's CBC.
func TestCBC(t *testing.T) {
	for alg, k := range map[hal.MACAlg]key.Key{hal.MACCBC: des("0123456789ABCDEFFEDCBA9876543210"), hal.MACSM4CBC: other(hal.AlgSM4, "0123456789ABCDEFFEDCBA9876543210"), hal.MACX99: des("0123456789ABCDEF")} {
		rapid.Check(t, func(rt *rapid.T) {
			data := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(rt, "data")
			b, _ := k.Block()
			n := b.BlockSize()
			padded := append(bytes.Clone(data), make([]byte, (n-len(data)%n)%n)...)
			if len(padded) == 0 {
				padded = make([]byte, n)
			}
			cipher.NewCBCEncrypter(b, make([]byte, n)).CryptBlocks(padded, padded)
			if got, err := Sum(alg, k, data); err != nil || !bytes.Equal(got[:], padded[len(padded)-n:][:8]) {
				rt.Fatalf("%s: %X %v", alg, got, err)
			}
		})
	}
}

func TestAKeyForAnotherAlgorithm(t *testing.T) {
	all := []hal.MACAlg{hal.MACECB, hal.MACX99, hal.MACX919, hal.MACCBC, hal.MACSM4CBC, hal.MACCMAC, "", "md5"}
	for k, ok := range map[*key.Key][]hal.MACAlg{
		ptr(des("0123456789ABCDEFFEDCBA9876543210")):               {hal.MACECB, hal.MACX99, hal.MACX919, hal.MACCBC, hal.MACCMAC},
		ptr(other(hal.AlgSM4, "0123456789ABCDEFFEDCBA9876543210")): {hal.MACSM4CBC},
		ptr(other(hal.AlgAES, "0123456789ABCDEFFEDCBA9876543210")): {hal.MACCMAC},
	} {
		for _, alg := range all {
			_, err := Sum(alg, *k, []byte("x"))
			fits := false
			for _, o := range ok {
				fits = fits || o == alg
			}
			if fits != (err == nil) || err != nil && !errors.Is(err, hal.ErrKeyUse) {
				t.Errorf("%q with a key of algorithm %d: %v", alg, k.Alg(), err)
			}
		}
	}
	if _, err := Sum(hal.MACECB, key.Key{}, nil); !errors.Is(err, hal.ErrNoKey) {
		t.Errorf("no key: %v", err)
	}
}

func ptr(k key.Key) *key.Key { return &k }

func TestEqual(t *testing.T) {
	if !Equal([]byte("12345678"), []byte("12345678")) || Equal([]byte("12345678"), []byte("12345679")) || Equal([]byte("1234"), []byte("12345678")) {
		t.Error("Equal")
	}
}
