package card

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/pos"
	"swipewell/hal"
)

const testPAN = "6225882116400091" // a published test number, HOST §5.2

func secret(s string) *hal.Secret { return hal.NewSecret([]byte(s)) }

func TestParseTrack2(t *testing.T) {
	for _, c := range []struct {
		in, expiry, service string
		err                 error
	}{
		{testPAN + "=30121010000012345678", "3012", "101", nil},
		{testPAN + "D30122010000", "3012", "201", nil},
		{testPAN + "=3012101", "3012", "101", nil}, // no discretionary data
		{testPAN + "==101", "", "101", nil},        // no expiry
		{testPAN + "===", "", "", nil},             // nothing but the number
		{testPAN + "=", "", "", nil},
		{testPAN, "", "", ErrTrack},
		{"622588=30121010000", "", "", ErrPANLength},
		{"62258821164A0091=3012101", "", "", ErrPANDigits},
		{testPAN + "=30", "", "", ErrTrack},
		{testPAN + "=3012101X", "", "", ErrTrack},
		{testPAN + "=" + strings.Repeat("1", 21), "", "", ErrTrack}, // too long
	} {
		got, err := ParseTrack2(secret(c.in))
		if !errors.Is(err, c.err) || got.Expiry.Reveal() != c.expiry || string(got.Service) != c.service {
			t.Errorf("case %q…: expiry %q service %q err %v", c.in[16:], got.Expiry.Reveal(), got.Service, err)
		}
	}
	if !ServiceCode("201").Chip() || !ServiceCode("620").Chip() || ServiceCode("101").Chip() || ServiceCode("").Chip() {
		t.Error("service code: 2xx and 6xx are chip cards")
	}
}

func TestParseTrack1DropsTheName(t *testing.T) {
	got, err := ParseTrack1(secret("B" + testPAN + "^ZHANG/SAN ^3012101000"))
	if err != nil || got.Expiry.Reveal() != "3012" || got.Service != "101" || got.PAN.Reveal() != testPAN {
		t.Errorf("%v %v", got, err)
	}
	if s := fmt.Sprintf("%+v", got); strings.Contains(s, "ZHANG") {
		t.Error("the name is kept")
	}
}

// Whatever verb is used, nobody sees more than six and four digits.
func TestNoVerbShowsAPAN(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{12,19}`).Draw(t, "pan")
		p, err := ParsePAN([]byte(digits))
		if err != nil {
			t.Fatal(err)
		}
		e, _ := ParseExpiry("3012")
		t2, _ := ParseTrack2(secret(digits + "=3012101"))
		js, _ := json.Marshal(map[string]any{"p": p, "e": e, "t": t2, "d": Data{PAN: p, Expiry: e, Track2: t2}})
		out := string(js)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			out += fmt.Sprintf(verb, p) + fmt.Sprintf(verb, e) + fmt.Sprintf(verb, Data{PAN: p, Expiry: e, Track2: t2}) + fmt.Sprintf(verb, &t2)
		}
		if strings.Contains(out, digits[:7]) || strings.Contains(out, digits[len(digits)-5:]) && digits[len(digits)-5] != '*' {
			t.Fatalf("more than 6 + 4 digits shown")
		}
		if strings.Contains(out, "3012") && !strings.Contains(string(p.Masked()), "3012") {
			t.Fatalf("the expiry is shown")
		}
	})
}

func TestLuhn(t *testing.T) {
	for digits, want := range map[string]bool{"4111111111111111": true, "4111111111111112": false, "6226168997066875": false, "5500005555555559": true} {
		p, err := ParsePAN([]byte(digits))
		if err != nil || p.LuhnOK() != want {
			t.Errorf("%v: Luhn %v, want %v", p, p.LuhnOK(), want)
		}
	}
}

func TestVaultWipes(t *testing.T) {
	var v Vault
	raw := secret(testPAN + "=3012101")
	t2, _ := ParseTrack2(raw)
	v.Put(pos.CardRef{1}, Data{PAN: t2.PAN, Track2: t2})
	v.Keep(pos.CardRef{1})
	if _, ok := v.Get(pos.CardRef{1}); !ok || raw.Len() == 0 {
		t.Fatal("kept card is gone")
	}
	v.Keep(pos.CardRef{})
	if v.Len() != 0 || raw.Len() != 0 {
		t.Error("the track was not wiped")
	}
}

func TestSealableRoundTrip(t *testing.T) {
	for _, exp := range []string{"3012", ""} {
		p, _ := ParsePAN([]byte(testPAN))
		var e Expiry
		if exp != "" {
			e, _ = ParseExpiry(exp)
		}
		gp, ge, err := ParseSealable(AppendSealable(nil, p, e))
		if err != nil || gp != p || ge != e {
			t.Errorf("expiry %v: %v", exp != "", err)
		}
	}
}

func FuzzParseTrack2(f *testing.F) {
	for _, s := range []string{testPAN + "=30121010000012345678", testPAN + "==", "=", "", testPAN + "D"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ParseTrack2(hal.NewSecret(append([]byte(nil), b...)))
		if err == nil && (got.PAN.IsZero() || len(b) > maxTrack2) {
			t.Error("accepted without a number, or too long")
		}
		ParseTrack1(hal.NewSecret(append([]byte(nil), b...)))
	})
}

func FuzzParseSealable(f *testing.F) {
	p, _ := ParsePAN([]byte(testPAN))
	f.Add(AppendSealable(nil, p, Expiry{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, e, err := ParseSealable(b); err == nil && string(AppendSealable(nil, p, e)) != string(b) {
			t.Error("does not seal to the same bytes")
		}
	})
}
