package track

import (
	"bytes"
	"crypto/cipher"
	"crypto/des"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/keys/sm4"
	"swipewell/hal"
)

func tdk() cipher.Block {
	k, _ := hex.DecodeString("807A23AD32B36D457AE91FDF927570EA")
	b, err := des.NewTripleDESCipher(append(k, k[:8]...))
	if err != nil {
		panic(err)
	}
	return b
}

// HOST §1.2: a derived sample.
func TestSample(t *testing.T) {
	for _, in := range []string{"6225882116400091D0509567890123456", "6225882116400091=0509567890123456"} {
		got, err := Encrypt(tdk(), []byte(in))
		if err != nil || string(got) != "622588211640009145C3822EAB55562B6" {
			t.Errorf("%s %v", got, err)
		}
	}
}

// The host gets back what went in, and nothing but 16 digits has changed.
func TestTheHostFindsTheTrack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := rapid.StringMatching(`[0-9=]{0,104}`).Draw(rt, "track")
		got, err := Encrypt(tdk(), []byte(in))
		if err != nil {
			rt.Fatal(err)
		}
		want := strings.ReplaceAll(in, "=", "D")
		for len(want) < 17 {
			want += "F"
		}
		from := len(want) - 17
		if len(want)%2 == 0 {
			from--
		}
		block, err := hex.DecodeString(string(got[from : from+16]))
		if err != nil || len(got) != len(want) {
			rt.Fatalf("%s %v", got, err)
		}
		tdk().Decrypt(block, block)
		if back := string(got[:from]) + strings.ToUpper(hex.EncodeToString(block)) + string(got[from+16:]); back != want {
			rt.Fatalf("%s, want %s", back, want)
		}
	})
}

func TestRefused(t *testing.T) {
	for _, in := range []string{strings.Repeat("1", 105), "6225X", "1234\x00", "６225"} {
		if got, err := Encrypt(tdk(), []byte(in)); !errors.Is(err, ErrTrack) || got != nil {
			t.Errorf("%q: %s %v", in, got, err)
		} else if strings.Contains(err.Error(), in) {
			t.Error("the error tells the track")
		}
	}
	b, _ := sm4.NewCipher(bytes.Repeat([]byte{1, 2}, 8))
	if _, err := Encrypt(b, []byte("6225")); !errors.Is(err, hal.ErrKeyUse) {
		t.Errorf("under SM4: %v", err)
	}
}
