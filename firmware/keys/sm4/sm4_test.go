package sm4

import (
	"bytes"
	"crypto/cipher"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

var gmKey = unhex("0123456789ABCDEF FEDCBA9876543210")

// GM Annex A.1 and A.2: one block, and a block encrypted a million times.
func TestAnnexA(t *testing.T) {
	c, err := NewCipher(gmKey)
	if err != nil {
		t.Fatal(err)
	}
	b := bytes.Clone(gmKey)
	c.Encrypt(b, b)
	if !bytes.Equal(b, unhex("681EDF34D206965E86B3E94F536E4246")) {
		t.Fatalf("A.1: %X", b)
	}
	c.Decrypt(b, b)
	if !bytes.Equal(b, gmKey) {
		t.Errorf("A.1 back: %X", b)
	}
	if testing.Short() {
		return
	}
	for range 1_000_000 {
		c.Encrypt(b, b)
	}
	if !bytes.Equal(b, unhex("595298C7C6FD271F0402F804C33D3F66")) {
		t.Errorf("A.2: %X", b)
	}
}

// RFC 8998 Appendix A.1: SM4-GCM, which runs the block through another mode.
func TestRFC8998(t *testing.T) {
	c, err := NewCipher(gmKey)
	if err != nil {
		t.Fatal(err)
	}
	a, err := cipher.NewGCM(c)
	if err != nil {
		t.Fatal(err)
	}
	plain := unhex("AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDDEEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA")
	got := a.Seal(nil, unhex("00001234567800000000ABCD"), plain, unhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2"))
	want := unhex("17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D" + "83DE3541E4C2B58177E065A9BF7B62EC")
	if !bytes.Equal(got, want) {
		t.Errorf("%X", got)
	}
}

func TestKeyLength(t *testing.T) {
	for n := range 40 {
		if _, err := NewCipher(make([]byte, n)); (err == nil) != (n == 16) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, p := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key"), rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "block")
		c, _ := NewCipher(k)
		b := make([]byte, 16)
		c.Encrypt(b, p)
		c.Decrypt(b, b)
		if !bytes.Equal(b, p) {
			t.Fatal("not the inverse")
		}
	})
}

func TestPrintsNothing(t *testing.T) {
	c, _ := NewCipher(gmKey)
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%d", "%s", "%q"} {
		if out := fmt.Sprintf(verb, c); out != "[sm4]" {
			t.Errorf("%s: %s", verb, out)
		}
	}
}
