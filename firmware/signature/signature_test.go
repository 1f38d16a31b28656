package signature_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/signature"
)

func key(seed byte) (ed25519.PublicKey, ed25519.PrivateKey) {
	k := ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize)))
	return k.Public().(ed25519.PublicKey), k
}

func TestVerify(t *testing.T) {
	pub, priv := key(1)
	other, _ := key(2)
	text := signature.Sign("version = 1\nname = \"a\"\n", priv)
	all := []ed25519.PublicKey{other, pub}
	for _, c := range []struct {
		name, text string
		keys       []ed25519.PublicKey
		want       error
	}{
		{"good", text, all, nil},
		{"spaces behind", text + " \r\n\n", all, nil},
		{"unsigned", "version = 1\n", all, signature.ErrUnsigned},
		{"another key", text, []ed25519.PublicKey{other}, signature.ErrUnknownKey},
		{"one byte", strings.Replace(text, "= 1", "= 2", 1), all, signature.ErrSignature},
		{"a line behind", text + "# more\n", all, signature.ErrUnsigned},
		{"cut", text[:len(text)-20], all, signature.ErrSignature},
		{"a word too many", strings.TrimSpace(text) + " x\n", all, signature.ErrSignature},
	} {
		id, err := signature.Verify(c.text, c.keys)
		if !errors.Is(err, c.want) || err == nil && id != signature.KeyID(pub) {
			t.Errorf("%s: %q %v", c.name, id, err)
		}
	}
	if n := signature.Line(text); n != 3 {
		t.Errorf("line %d", n)
	}
	if signature.Sign(text, priv) != text {
		t.Error("signing twice changes it")
	}
	if k, err := signature.Key(base64.StdEncoding.EncodeToString(pub) + "\n"); err != nil || !k.Equal(pub) {
		t.Error(k, err)
	}
	if _, err := signature.Key("AAAA"); err == nil {
		t.Error("three bytes are a key")
	}
}

// TestAnyChange: no other text passes with the signature of this one.
func TestAnyChange(t *testing.T) {
	pub, priv := key(1)
	rapid.Check(t, func(t *rapid.T) {
		text := signature.Sign(rapid.String().Draw(t, "text"), priv)
		body, _ := signature.Split(text)
		i := rapid.IntRange(0, len(body)-1).Draw(t, "at")
		bad := []byte(text)
		bad[i] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		if _, err := signature.Verify(string(bad), []ed25519.PublicKey{pub}); err == nil {
			t.Fatalf("byte %d of %q", i, text)
		}
	})
}
