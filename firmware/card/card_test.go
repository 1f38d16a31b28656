package card

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"swipewell/firmware/pos"
	"swipewell/hal"
)

const testPAN = "6225882116400091" // a published test number, HOST §5.2

// inClear is a number in clear.
func inClear(p PAN) (s string) {
	p.Reveal(func(b []byte) { s = string(b) })
	return s
}

func secret(s string) *hal.Secret { return hal.NewSecret([]byte(s)) }

func TestParseTrack2(t *testing.T) {
	for _, c := range []struct {
		name, in, expiry, service string
		err                       error
	}{
		{"as read", testPAN + "=30121010000012345678", "3012", "101", nil},
		{"as in DE 35", testPAN + "D30122010000", "3012", "201", nil},
		{"HOST §1.7 vector 6", "5477666265921222D250850600000126000000", "2508", "506", ErrTrack}, // 38 with its filler
		{"HOST §1.7 vector 6 without filler", "5477666265921222D25085060000012600000", "2508", "506", nil},
		{"no discretionary data", testPAN + "=3012101", "3012", "101", nil},
		{"no expiry", testPAN + "==101", "", "101", nil},
		{"no expiry, D", testPAN + "DD101", "", "101", nil},
		{"expiry of zeros", testPAN + "=000010100", "", "101", nil},
		{"no service code", testPAN + "=3012=99", "3012", "", nil},
		{"only the number", testPAN + "==" + "=", "", "", nil},
		{"a separator behind", testPAN + "=3012101=00", "3012", "101", nil},
		{"12 digits", "622588000000=3012101", "3012", "101", nil},
		{"19 digits, full", "6225880000000000010=30121010000000000", "3012", "101", nil},
		{"one too long", "6225880000000000010=301210100000000001", "", "", ErrTrack},
		{"empty", "", "", "", ErrTrack},
		{"no separator", testPAN, "", "", ErrTrack},
		{"nothing behind", testPAN + "=", "", "", ErrTrack},
		{"half an expiry", testPAN + "=30", "", "", ErrTrack},
		{"expiry and nothing behind", testPAN + "=3012", "", "", ErrTrack},
		{"half a service code", testPAN + "=301210", "", "", ErrTrack},
		{"month 13", testPAN + "=3013101", "", "", ErrTrack},
		{"month 00", testPAN + "=3000101", "", "", ErrTrack},
		{"two kinds of separator", testPAN + "=3012D00", "", "", ErrTrack},
		{"a letter behind", testPAN + "=3012101X", "", "", ErrTrack},
		{"sentinels left on", ";" + testPAN + "=3012101?", "", "", ErrPANDigits},
		{"11 digits", "62258800000=3012101", "", "", ErrPANLength},
		{"20 digits", "62258800000000000100=3012101", "", "", ErrPANLength},
		{"a letter in the number", "62258821164A0091=3012101", "", "", ErrPANDigits},
	} {
		raw := secret(c.in)
		got, err := ParseTrack2(raw)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
			continue
		}
		if raw.Len() != len(c.in) {
			t.Errorf("%s: the text changed hands wiped", c.name)
		}
		if err != nil {
			if got != (Track2{}) {
				t.Errorf("%s: data beside an error", c.name)
			}
			continue
		}
		if got.Expiry.Reveal() != c.expiry || string(got.Service) != c.service {
			t.Errorf("%s: expiry %q service %q", c.name, got.Expiry.Reveal(), got.Service)
		}
		got.Reveal(func(b []byte) {
			if string(b) != c.in {
				t.Errorf("%s: DE 35 would differ from the stripe", c.name)
			}
		})
		if got.Wipe(); raw.Len() != 0 {
			t.Errorf("%s: not wiped", c.name)
		}
	}
	if _, err := ParseTrack2(nil); !errors.Is(err, ErrTrack) {
		t.Errorf("no track at all: %v", err)
	}
}

func TestParseTrack1(t *testing.T) {
	for _, c := range []struct {
		name, in, expiry, service string
		err                       error
	}{
		{"usual", "B" + testPAN + "^ZHANG/SAN ^3012101000", "3012", "101", nil},
		{"no name", "B" + testPAN + "^^3012101", "3012", "101", nil},
		{"no expiry", "B" + testPAN + "^ZHANG/SAN^^101", "", "101", nil},
		{"no expiry, no service code", "B" + testPAN + "^ZHANG/SAN^^^123", "", "", nil},
		{"format A", "A" + testPAN + "^ZHANG/SAN^3012101", "", "", ErrTrack},
		{"one separator", "B" + testPAN + "^ZHANG/SAN", "", "", ErrTrack},
		{"cut", "B" + testPAN + "^ZHANG/SAN^30", "", "", ErrTrack},
		{"name too long", "B" + testPAN + "^" + strings.Repeat("N", 27) + "^3012101", "", "", ErrTrack},
		{"too long", "B" + testPAN + "^Z^3012101" + strings.Repeat("0", 60), "", "", ErrTrack},
		{"small letters", "B" + testPAN + "^zhang^3012101", "", "", ErrTrack},
		{"number too short", "B4111^Z^3012101", "", "", ErrPANLength},
		{"empty", "", "", "", ErrTrack},
	} {
		raw := secret(c.in)
		got, err := ParseTrack1(raw)
		if !errors.Is(err, c.err) || got.Expiry.Reveal() != c.expiry || string(got.Service) != c.service {
			t.Errorf("%s: expiry %q service %q %v", c.name, got.Expiry.Reveal(), got.Service, err)
		}
		if err == nil && inClear(got.PAN) != testPAN {
			t.Errorf("%s: another number", c.name)
		}
		raw.Wipe()
		if s := fmt.Sprintf("%+v %#v", got, got); strings.Contains(s, "ZHANG") || err == nil && got.PAN.IsZero() {
			t.Errorf("%s: the name is kept", c.name)
		}
	}
}

func TestExpiry(t *testing.T) {
	for _, c := range []struct {
		yymm        string
		year, month int
		want        bool
	}{
		{"2611", 2026, 11, false}, // good to the end of its month
		{"2611", 2026, 12, true},
		{"2610", 2026, 11, true},
		{"2512", 2026, 1, true},
		{"3012", 2026, 11, false},
		{"4912", 2026, 11, false},
		{"7612", 2026, 11, false}, // fifty years ahead
		{"7712", 2026, 11, true},  // forty-nine ago
		{"9912", 2026, 11, true},
		{"0001", 2099, 12, false}, // over the turn of a century
		{"9912", 2100, 1, true},
	} {
		e, err := ParseExpiry(c.yymm)
		if err != nil || e.ExpiredAt(c.year, c.month) != c.want {
			t.Errorf("%s at %d-%02d: %v %v", c.yymm, c.year, c.month, !c.want, err)
		}
	}
	if (Expiry{}).ExpiredAt(2026, 11) || (Expiry{}).Present() {
		t.Error("no expiry does not expire")
	}
	for _, bad := range []string{"", "301", "30123", "30A2", "3000", "3013", "0000"} {
		if _, err := ParseExpiry(bad); !errors.Is(err, ErrTrack) {
			t.Errorf("expiry %q: %v", bad, err)
		}
	}
}

// ISO7813 table 2, by rows.
func TestServiceCode(t *testing.T) {
	type answers struct{ Chip, Test, OnlineOnly, PINRequired, PINPreferred, CashOnly bool }
	for code, want := range map[ServiceCode]answers{
		"":    {},
		"101": {},
		"201": {Chip: true},
		"220": {Chip: true, OnlineOnly: true, PINRequired: true},
		"601": {Chip: true},
		"120": {OnlineOnly: true, PINRequired: true},
		"143": {OnlineOnly: true, PINRequired: true, CashOnly: true},
		"504": {CashOnly: true},
		"105": {PINRequired: true},
		"106": {PINPreferred: true},
		"607": {Chip: true, PINPreferred: true},
		"901": {Test: true},
		"2":   {}, // never parsed so; and no panic
	} {
		got := answers{code.Chip(), code.Test(), code.OnlineOnly(), code.PINRequired(), code.PINPreferred(), code.CashOnly()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", code, diff)
		}
	}
}

// holder keeps card data as a careless package would: in unexported fields,
// whose methods fmt does not call.
type holder struct {
	pan    PAN
	expiry Expiry
	data   Data
	deep   []any
	vault  *Vault
}

// printed is everything that fmt, json and slog make of v, by every verb.
func printed(t *rapid.T, v any) string {
	var out bytes.Buffer
	for _, flags := range []string{"", "+", "#", "9.3"} {
		for verb := 'A'; verb <= 'z'; verb++ {
			fmt.Fprintf(&out, "%"+flags+string(verb)+"\n", v)
		}
	}
	js, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(js)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
	return out.String()
}

// Whatever verb is used, nobody sees more than six and four digits.
func TestNoVerbShowsAPAN(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{12,19}`).Draw(t, "pan")
		p, err := ParsePAN([]byte(digits))
		if err != nil {
			t.Fatal(err)
		}
		masked := string(p.Masked())
		if want := digits[:6] + strings.Repeat("*", len(digits)-10) + digits[len(digits)-4:]; masked != want {
			t.Fatalf("masked %s, want %s", masked, want)
		}
		js, _ := json.Marshal(p)
		out := fmt.Sprintf("%v %+v %#v %s %q %d %x %X %t %g %U %c %9.2f %s", p, p, p, p, p, p, p, p, p, p, p, p, p, js)
		if rest := strings.ReplaceAll(out, masked, ""); strings.ContainsAny(rest, "0123456789") {
			t.Fatalf("digits beside the mask in %q", rest)
		}
	})
}

// The same where fmt does not call the methods: in unexported fields, for %p,
// behind a bad verb. Nine digits in a row, plain, in hex or as a list of byte
// values, include a hidden one. Fewer digits, or only 0 and 1, might be part of an
// address.
func TestNoDumpShowsAPAN(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[2-9]{12,19}`).Draw(t, "pan")
		t2, err := ParseTrack2(secret(digits + "=3012101"))
		if err != nil {
			t.Fatal(err)
		}
		p, e := t2.PAN, t2.Expiry
		d := Data{PAN: p, Expiry: e, Track2: t2}
		var v Vault
		v.Put(pos.CardRef{1}, d)
		h := holder{p, e, d, []any{p, &d}, &v}
		for _, x := range []any{p, e, t2, &t2, d, &v, v, []PAN{p}, h, &h} {
			out := printed(t, x)
			for i := range len(digits) - 8 {
				run := []byte(digits[i : i+9])
				for _, leak := range []string{string(run), hex.EncodeToString(run), strings.Trim(fmt.Sprint(run), "[]"), strings.Trim(fmt.Sprintf("%#v", run), "[]byte{}")} {
					if strings.Contains(out, leak) {
						t.Fatalf("%T shows the number", x)
					}
				}
			}
			for _, leak := range []string{"51 48 49 50", "0x33, 0x30, 0x31, 0x32", "33 30 31 32"} {
				if strings.Contains(out, leak) {
					t.Fatalf("%T shows the expiry", x)
				}
			}
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

func TestParsePAN(t *testing.T) {
	for in, want := range map[string]error{
		testPAN: nil, "622588000000": nil, "6225880000000000010": nil,
		"": ErrPANLength, "62258800000": ErrPANLength, "62258800000000000100": ErrPANLength,
		"622588 000000": ErrPANDigits, "62258800000\xb2": ErrPANDigits, "-62258800000": ErrPANDigits,
	} {
		p, err := ParsePAN([]byte(in))
		if !errors.Is(err, want) || err == nil && inClear(p) != in || p.IsZero() != (err != nil) {
			t.Errorf("%d characters: %v, want %v", len(in), err, want)
		}
	}
	if (PAN{}).Masked() != "" || inClear(PAN{}) != "" || (PAN{}).LuhnOK() {
		t.Error("no number is not nothing")
	}
}

// full is a card with a track of its own.
func full(t *testing.T, n int) (pos.CardRef, Data, *hal.Secret) {
	t.Helper()
	raw := secret(fmt.Sprintf("62258800000000%02d=3012101", n))
	t2, err := ParseTrack2(raw)
	if err != nil {
		t.Fatal(err)
	}
	return pos.CardRef{byte(n)}, Data{PAN: t2.PAN, Expiry: t2.Expiry, Track2: t2}, raw
}

func TestVaultWipes(t *testing.T) {
	var v Vault
	ref, d, raw := full(t, 1)
	v.Put(ref, d)
	v.Keep(ref)
	if got, ok := v.Get(ref); !ok || got != d || raw.Len() == 0 {
		t.Fatal("the kept card is gone")
	}
	v.Put(ref, d)
	if raw.Len() == 0 {
		t.Error("putting the same track again wiped it")
	}
	_, again, raw2 := full(t, 1)
	v.Put(ref, again)
	if raw.Len() != 0 || raw2.Len() == 0 || v.Len() != 1 {
		t.Error("the second swipe of a card does not replace the first")
	}
	v.Keep(pos.CardRef{})
	if v.Len() != 0 || raw2.Len() != 0 {
		t.Error("keep none: the track was not wiped")
	}
	v.Put(ref, Data{PAN: d.PAN}) // a keyed card has no track
	v.Drop(ref)
	v.Drop(ref)
	if _, ok := v.Get(ref); ok || v.Len() != 0 {
		t.Error("dropped and still there")
	}
}

func TestVaultHoldsAFew(t *testing.T) {
	var v Vault
	raws := make([]*hal.Secret, maxCards+2)
	for i := range raws {
		ref, d, raw := full(t, i)
		raws[i] = raw
		v.Put(ref, d)
	}
	if v.Len() != maxCards {
		t.Errorf("%d cards, want %d", v.Len(), maxCards)
	}
	for i, raw := range raws {
		if _, ok := v.Get(pos.CardRef{byte(i)}); ok != (i >= 2) || ok != (raw.Len() > 0) {
			t.Errorf("card %d: held %v, track of %d bytes", i, ok, raw.Len())
		}
	}
}

func TestRef(t *testing.T) {
	p, _ := ParsePAN([]byte(testPAN))
	var seen string
	var lent []byte
	ref, err := Ref(func(b []byte) ([32]byte, error) {
		seen, lent = string(b), b
		return sha256.Sum256(b), nil
	}, p)
	want := sha256.Sum256([]byte("v1|card|" + testPAN))
	if err != nil || seen != "v1|card|"+testPAN || !bytes.Equal(ref[:], want[:16]) {
		t.Errorf("ref %v %v", ref, err)
	}
	if strings.Trim(string(lent), "\x00") != "" {
		t.Error("the buffer with the number was not zeroed")
	}
	broken := errors.New("no key")
	if ref, err := Ref(func([]byte) ([32]byte, error) { return [32]byte{1}, broken }, p); !errors.Is(err, broken) || !ref.IsZero() {
		t.Errorf("without a key: %v %v", ref, err)
	}
}

func TestSealable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, _ := ParsePAN([]byte(rapid.StringMatching(`[0-9]{12,19}`).Draw(t, "pan")))
		var e Expiry
		if rapid.Bool().Draw(t, "has expiry") {
			e, _ = ParseExpiry(rapid.StringMatching(`[0-9]{2}(0[1-9]|1[0-2])`).Draw(t, "expiry"))
		}
		b := AppendSealable(nil, p, e)
		gp, ge, err := ParseSealable(b)
		if err != nil || gp != p || ge != e || len(b) > 25 {
			t.Fatalf("%d bytes: %v", len(b), err)
		}
		if _, _, err := ParseSealable(append(b, '0')); !errors.Is(err, ErrSealable) {
			t.Fatalf("a byte too many: %v", err)
		}
		// Cut anywhere but in front of the expiry, it is nothing.
		if n := rapid.IntRange(0, len(b)-1).Draw(t, "cut"); n != 2+int(b[1]) {
			if _, _, err := ParseSealable(b[:n]); !errors.Is(err, ErrSealable) {
				t.Fatalf("cut: %v", err)
			}
		}
	})
	for _, bad := range []string{"", "\x01", "\x02\x0c622588000000", "\x01\x0b62258800000", "\x01\x0c6225880000003000", "\x01\x00"} {
		if _, _, err := ParseSealable([]byte(bad)); !errors.Is(err, ErrSealable) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParseTrack2(f *testing.F) {
	for _, s := range []string{testPAN + "=30121010000012345678", testPAN + "D3012101", testPAN + "==" + "=", "=", "", testPAN + "=3012"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ParseTrack2(hal.NewSecret(bytes.Clone(b)))
		if err != nil {
			if got != (Track2{}) {
				t.Error("data beside an error")
			}
			return
		}
		// What was accepted is a number, one separator, and its fields again.
		rest := string(b[len(inClear(got.PAN))+1:])
		if len(b) > maxTrack2 || !strings.HasPrefix(string(b), inClear(got.PAN)) || !strings.HasPrefix(rest, got.Expiry.Reveal()) || len(rest) < 2 {
			t.Error("the fields are not in the track")
		}
		if strings.Contains(rest, "=") && strings.Contains(rest, "D") || strings.Trim(rest, "=D0123456789") != "" {
			t.Error("a character that no track 2 has")
		}
		got.Reveal(func(raw []byte) {
			if !bytes.Equal(raw, b) {
				t.Error("the raw text changed")
			}
		})
	})
}

func FuzzParseTrack1(f *testing.F) {
	for _, s := range []string{"B" + testPAN + "^ZHANG/SAN ^3012101000", "B" + testPAN + "^^^^", "B^^", "", "B" + testPAN + "^N^3012"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ParseTrack1(hal.NewSecret(bytes.Clone(b)))
		if err != nil {
			if got != (Track1{}) {
				t.Error("data beside an error")
			}
			return
		}
		if len(b) > maxTrack1 || !strings.HasPrefix(string(b), "B"+inClear(got.PAN)+"^") || !strings.Contains(string(b), got.Expiry.Reveal()+string(got.Service)) {
			t.Error("the fields are not in the track")
		}
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
