package iso8583_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	. "swipewell/firmware/iso8583"
)

func TestTypeBatch(t *testing.T) {
	for _, c := range []struct {
		name, digits string
		want         TypeBatch
	}{
		{"type and batch, vector 6", "22000001", TypeBatch{Type: "22", Batch: "000001"}},
		{"sign-on", "00000001003", TypeBatch{Type: "00", Batch: "000001", Network: "003"}},
		{"sale, vector 5", "22000024000600", TypeBatch{Type: "22", Batch: "000024", Network: "000", Capability: "6", Chip: "0", Partial: "0"}},
		{"an acquirer's network code", "2200000111160", TypeBatch{Type: "22", Batch: "000001", Network: "111", Capability: "6", Chip: "0"}},
		{"points", "22000001000501048", TypeBatch{Type: "22", Batch: "000001", Network: "000", Capability: "5", Chip: "0", Partial: "1", Account: "048"}},
		{"more than the norm, vector 3", "2600000100060000000", TypeBatch{Type: "26", Batch: "000001", Network: "000", Capability: "6", Chip: "0", Partial: "0", Account: "000", Own: "00"}},
		{"nothing", "", TypeBatch{}},
	} {
		got, err := ParseTypeBatch(c.digits)
		if d := cmp.Diff(c.want, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", c.name, err, d)
		}
		if back, err := got.Digits(); err != nil || back != c.digits {
			t.Errorf("%s: joins to %q, %v", c.name, back, err)
		}
	}
}

func TestSubfieldLies(t *testing.T) {
	typeBatch := func(s string) error { _, err := ParseTypeBatch(s); return err }
	joinType := func(v TypeBatch) error { _, err := v.Digits(); return err }
	original := func(s string) error { _, err := ParseOriginal(s); return err }
	joinOriginal := func(v Original) error { _, err := v.Digits(); return err }
	security := func(s string) error { _, err := ParseSecurity(s); return err }
	balance := func(s string) error { _, err := ParseBalance(s); return err }
	joinBalance := func(v Balance) error { _, err := v.Text(); return err }
	texts := func(s string) error { _, err := ParseTexts(s); return err }
	joinTexts := func(v Texts) error { _, err := v.Text(); return err }
	for _, c := range []struct {
		name   string
		err    error
		field  int
		offset int
		reason Reason
	}{
		{"batch cut short", typeBatch("2200001"), 60, 2, BadLength},
		{"account cut short", typeBatch("2200000100050104"), 60, 14, BadLength},
		{"letter in the batch", typeBatch("22000A01"), 60, 5, BadDigit},
		{"gap before the network", joinType(TypeBatch{Type: "22", Network: "000"}), 60, 2, BadLength},
		{"a batch of five digits", joinType(TypeBatch{Type: "22", Batch: "00001"}), 60, 2, BadLength},
		{"own digits behind a gap", joinType(TypeBatch{Type: "22", Batch: "000001", Own: "9"}), 60, 8, BadLength},
		{"letter in a type", joinType(TypeBatch{Type: "2B"}), 60, 1, BadDigit},
		{"STAN cut short", original("00000100001"), 61, 6, BadLength},
		{"more than an original has", original(strings.Repeat("0", 30)), 61, 29, BadLength},
		{"gap before the date", joinOriginal(Original{Batch: "000001", Date: "1123"}), 61, 6, BadLength},
		{"security too short", security("26"), 53, 2, BadLength},
		{"security with a letter", security("26X0000000000000"), 53, 2, BadDigit},
		{"no such PIN format", security("3600000000000000"), 53, 0, BadValue},
		{"tracks neither 0 nor 1", security("2620000000000000"), 53, 2, BadValue},
		{"the rest is not 0", security("2610000000000001"), 53, 15, BadValue},
		{"balance too short", balance("0001156C"), 54, 8, BadLength},
		{"balance with a letter", balance("0001156C00000000128O"), 54, 19, BadDigit},
		{"balance with no sign", balance("00011560000000001280"), 54, 7, BadValue},
		{"balance beyond twelve digits", joinBalance(Balance{Account: "00", Kind: "01", Currency: "156", Minor: 1e12}), 54, 0, BadLength},
		{"no organisation", texts("CU"), 63, 0, BadLength},
		{"organisation of two letters", joinTexts(Texts{Org: "CU"}), 63, 0, BadLength},
		{"issuer's text of 21", joinTexts(Texts{Org: "CUP", Issuer: strings.Repeat("x", 21)}), 63, 3, BadLength},
	} {
		var fe *FieldError
		if !errors.As(c.err, &fe) || fe.Field != c.field || fe.Offset != c.offset || fe.Reason != c.reason {
			t.Errorf("%s: got %v, want DE %d at %d: %v", c.name, c.err, c.field, c.offset, c.reason)
		}
	}
}

func TestOriginal(t *testing.T) {
	for digits, want := range map[string]Original{
		"000001000002":                  {Batch: "000001", STAN: "000002"},
		"0000010000021123":              {Batch: "000001", STAN: "000002", Date: "1123"},
		"0000000000000000":              {Batch: "000000", STAN: "000000", Date: "0000"},
		"00000100000211230112345678901": {Batch: "000001", STAN: "000002", Date: "1123", AuthMode: "01", Institution: "12345678901"},
	} {
		got, err := ParseOriginal(digits)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", digits, err, d)
		}
		if back, err := got.Digits(); err != nil || back != digits {
			t.Errorf("%s joins to %q, %v", digits, back, err)
		}
	}
}

func TestTexts(t *testing.T) {
	full := Texts{Org: "CUP", Issuer: "ISSUER SAYS YES     ", UnionPay: "\xD2\xF8\xC1\xAA OK             ", Acquirer: "TEL 95516"}
	full.UnionPay += strings.Repeat(" ", 20-len(full.UnionPay))
	text, err := full.Text()
	if err != nil || len(text) != 3+20+20+9 {
		t.Fatalf("%q, %v", text, err)
	}
	got, err := ParseTexts(text)
	if d := cmp.Diff(full, got); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	if d := cmp.Diff([]string{"ISSUER SAYS YES", "OK", "TEL 95516"}, got.Lines()); d != "" {
		t.Error(d)
	}
	if s, err := (Texts{Org: "01 "}).Text(); err != nil || s != "01 " {
		t.Errorf("the operator is %q, %v", s, err)
	}
	if s, err := (Texts{Org: "CUP", Acquirer: "x"}).Text(); err != nil || s != "CUP"+strings.Repeat(" ", 40)+"x" {
		t.Errorf("only the last text: %q, %v", s, err)
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "  A  B ": "A B", "\x00\x1B[2JX": "[2JX", "A\x7FB": "A B",
		"\xD2\xF8\xC1\xAA": "", "A\xC4\x41B": "A B", "A\xFF": "A", "\x81": "", "\x81\x20x": "x",
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestInstitutions(t *testing.T) {
	for in, want := range map[string][2]string{
		"03050000   01020000    ": {"03050000", "01020000"}, "0305": {"0305", ""}, "": {"", ""},
	} {
		if i, a := Institutions(in); i != want[0] || a != want[1] {
			t.Errorf("%q: issuer %q, acquirer %q", in, i, a)
		}
	}
}

func TestSecurity(t *testing.T) {
	for digits, want := range map[string]Security{
		"2600000000000000": {PIN: PINWithPAN, Algorithm: TDES},
		"2610000000000000": {PIN: PINWithPAN, Algorithm: TDES, Tracks: true},
		"1000000000000000": {PIN: PINWithoutPAN, Algorithm: DES},
		"0610000000000000": {Algorithm: TDES, Tracks: true},
		"2310000000000000": {PIN: PINWithPAN, Algorithm: SM4, Tracks: true},
	} {
		if got, err := ParseSecurity(digits); err != nil || got != want || got.Digits() != digits {
			t.Errorf("%s: %+v, %v; joins to %s", digits, got, err, got.Digits())
		}
	}
}

func TestBalance(t *testing.T) {
	for text, want := range map[string]Balance{
		"0001156C000000001280": {Account: "00", Kind: "01", Currency: "156", Minor: 1280},
		"0002156D999999999999": {Account: "00", Kind: "02", Currency: "156", Minor: -999999999999},
	} {
		got, err := ParseBalance(text)
		if back, berr := got.Text(); err != nil || got != want || back != text || berr != nil {
			t.Errorf("%s: %+v, %v; joins to %s, %v", text, got, err, back, berr)
		}
	}
}

// What splits, joins to the same; what joins, splits to the same.
func TestSplitJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{0,40}`).Draw(t, "digits")
		if v, err := ParseTypeBatch(digits); err == nil {
			if back, err := v.Digits(); err != nil || back != digits {
				t.Fatalf("DE 60 joins to %q, %v", back, err)
			}
		}
		if v, err := ParseOriginal(digits); err == nil {
			if back, err := v.Digits(); err != nil || back != digits {
				t.Fatalf("DE 61 joins to %q, %v", back, err)
			}
		}
		text := string(rapid.SliceOfN(rapid.Byte(), 3, 163).Draw(t, "text"))
		v, err := ParseTexts(text)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := v.Text(); err != nil || back != text {
			t.Fatalf("DE 63 joins to %q, %v", back, err)
		}
		if p := Printable(text); strings.IndexFunc(p, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 || strings.Contains(p, "  ") {
			t.Fatalf("printable: %q", p)
		}
	})
}
