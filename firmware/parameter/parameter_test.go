package parameter

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"swipewell/firmware/signature"
)

func keyOf(name string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(sum[:])
}

func known() []ed25519.PublicKey {
	pub, _ := keyOf("acquirer").Public().(ed25519.PublicKey)
	return []ed25519.PublicKey{pub}
}

const whole = `version = 7
terminal = "20260001"

[merchant]
name = "城南分店"
name_en = "South"

[service]
phone = "400-000-0000"
contract = "SW-2026-0017"

[acquirer]
hosts = ["pos.example.com:8583", "10.0.0.2:8583"]
answer_timeout = "60s"
dial_timeout = "30s"
idle_close = "1m"
card_timeout = "60s"
confirm_timeout = "30s"
pin_timeout = "60s"
`

func TestLoad(t *testing.T) {
	signed := signature.Sign(whole, keyOf("acquirer"))
	p, err := Load(signed, known(), "20260001", 6)
	if err != nil || p.Version != 7 || *p.Merchant.Name != "城南分店" || p.KeyID == "" || p.Acquirer.PINTimeout.Minutes() != 1 {
		t.Fatalf("%+v %v", p, err)
	}
	sign := func(text string) string { return signature.Sign(text, keyOf("acquirer")) }
	for _, c := range []struct {
		name, text string
		have       int
		want       Reason
		what       string
	}{
		{"not signed", whole, 0, Unsigned, ""},
		{"a stranger", signature.Sign(whole, keyOf("stranger")), 0, Key, ""},
		{"changed", strings.Replace(signed, "城南", "城北", 1), 0, Forged, ""},
		{"half a signature", signed[:len(signed)-9] + "\n", 0, Forged, ""},
		{"the same again", signed, 7, Older, "version 7, and 7"},
		{"older", signed, 8, Older, ""},
		{"another device", sign(strings.Replace(whole, "20260001", "20260002", 1)), 0, Other, "20260002"},
		{"no version", sign("[merchant]\nname = \"x\"\n"), 0, Value, "version"},
		{"an unknown field", sign("version = 8\n[acquirer]\nmac = \"ecb\"\n"), 0, Unknown, "acquirer.mac"},
		{"keys", sign("version = 8\n[[parameters.key]]\nname = \"me\"\n"), 0, Unknown, "parameters"},
		{"not TOML", sign("version = \n"), 0, Form, "line 1"},
		{"large", sign("version = 8\n#" + strings.Repeat("x", MaxFile)), 0, Form, "KiB"},
		{"a time too short", sign("version = 8\n[acquirer]\nanswer_timeout = \"9s\"\n"), 0, Value, "answer_timeout"},
		{"a time too long", sign("version = 8\n[acquirer]\npin_timeout = \"11m\"\n"), 0, Value, "pin_timeout"},
		{"a time below nothing", sign("version = 8\n[acquirer]\ndial_timeout = \"-30s\"\n"), 0, Value, "dial_timeout"},
		{"no host", sign("version = 8\n[acquirer]\nhosts = []\n"), 0, Value, "hosts"},
		{"a host without a port", sign("version = 8\n[acquirer]\nhosts = [\"pos.example.com\"]\n"), 0, Value, "host:port"},
		{"a port that is none", sign("version = 8\n[acquirer]\nhosts = [\"pos.example.com:99999\"]\n"), 0, Value, "host:port"},
		{"a host with a line in it", sign("version = 8\n[acquirer]\nhosts = [\"a\\nb:1\"]\n"), 0, Value, "host:port"},
		{"an empty name", sign("version = 8\n[merchant]\nname = \"\"\n"), 0, Value, "merchant.name"},
		{"a name for the printer's ESC", sign("version = 8\n[merchant]\nname = \"a\\u001bm\"\n"), 0, Value, "merchant.name"},
		{"a name too long", sign("version = 8\n[merchant]\nname = \"" + strings.Repeat("店", 41) + "\"\n"), 0, Value, "merchant.name"},
	} {
		p, err := Load(c.text, known(), "20260001", c.have)
		var r *Refusal
		if !errors.As(err, &r) || p != nil || r.Reason != c.want || !strings.Contains(r.What, c.what) {
			t.Errorf("%s: %+v, %v", c.name, p, err)
			continue
		}
		if s := err.Error(); !strings.HasPrefix(s, r.Reason.Code()+": ") || !strings.Contains(s, "; ") {
			t.Errorf("%s: %q has no code, or does not say what to do", c.name, s)
		}
	}
	if _, err := Load(signed, nil, "20260001", 0); err == nil {
		t.Error("a device that knows no key believed it")
	}
}

// Each reason has a code of its own, words and what to do.
func TestReasons(t *testing.T) {
	codes := map[string]bool{}
	for r := Form; r <= Write; r++ {
		x := reasons[r]
		if x[0] == "" || x[1] == "" || x[2] == "" || codes[x[0]] {
			t.Errorf("%d: %v", r, x)
		}
		codes[x[0]] = true
	}
}

// Any text: what is not signed by a known key is never taken, and no text makes the
// parser fall over.
func FuzzLoad(f *testing.F) {
	f.Add(whole)
	f.Add(signature.Sign(whole, keyOf("acquirer")))
	f.Add("version = 1\n[acquirer]\nhosts = [\"[::1]:1\"]\nsignature ed25519 00000000 AAAA\n")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := Load(text, known(), "20260001", 0); err == nil {
			body, line := signature.Split(text)
			again := signature.Sign(body, keyOf("acquirer"))
			if _, want := signature.Split(again); strings.TrimSpace(want) != line {
				t.Fatalf("taken without the signature: %+v", p)
			}
		}
		// The same text signed: it is read, or refused with a reason.
		p, err := Load(signature.Sign(text, keyOf("acquirer")), known(), "20260001", 0)
		var r *Refusal
		if (err == nil) == errors.As(err, &r) || err == nil && p.Version < 1 {
			t.Fatalf("%+v %v", p, err)
		}
	})
}
