package acquirer

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// HOST §1.7 vectors 3 and 6 (corrected), each with its length.
const (
	vector3 = "007F 6000030000 603210320072 0200 3020048000C08015 000000 000000001234 000002 0300 99 3030303030303031" +
		"393532373138313832323137383735 313536 0019 26000001000600000000 0043 5F01123238343431323334353637383930313233345F0306313630303336" +
		"5F04063230303832365C023031 4233413039324145"
	vector6 = "007B 6000160000 602200000000 0200 7020048020C08811 16 5477666265921222 000000 000000014959 555556 0220 00" +
		"37 5477666265921222D250850600000126000000 3333333333333333 323232323232323232323232323232 313536 1000000000000000" +
		"0008 22000001 0015 0000010010000010 3133394343433842"
)

func TestDecodeVectors(t *testing.T) {
	env, raw, err := unwrap(unhex(vector3)[2:])
	if err != nil || env.header != [6]byte{0x60, 0x32, 0x10, 0x32, 0x00, 0x72} {
		t.Fatalf("%v %x", err, env.header)
	}
	m, err := decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]string{3: "000000", 4: "000000001234", 11: "000002", 22: "030", 25: "99", 41: "00000001", 42: "952718182217875",
		49: "156", 60: "2600000100060000000", 62: m.f[62], 64: "B3A092AE"}
	if d := cmp.Diff(want, m.f); d != "" {
		t.Error(d)
	}
	if len(m.f[62]) != 43 {
		t.Errorf("DE 62 has %d bytes", len(m.f[62]))
	}
	if again, err := encode(m); err != nil || !strings.EqualFold(hex.EncodeToString(again), hex.EncodeToString(raw)) {
		t.Errorf("packs as %x (%v)", again, err)
	}

	// Vector 6 says 60, 64 and holds 61 too: as published it must not parse,
	// corrected it must. Its track has 37 digits, so its filler is 0.
	_, raw, err = unwrap(unhex(vector6)[2:])
	if err != nil {
		t.Fatal(err)
	}
	var we *wireError
	if _, err = decode(raw); !errors.As(err, &we) || we.field != 0 {
		t.Errorf("the bitmap that lies: %v", err)
	}
	raw[2+7] |= 0x08
	if m, err = decode(raw); err != nil {
		t.Fatal(err)
	}
	if m.f[35] != "5477666265921222D25085060000012600000" || m.f[61] != "000001001000001" || m.f[60] != "22000001" {
		t.Errorf("track, 60, 61: %q %q", m.f[60], m.f[61])
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := unhex("0200 3000000000000000 000000 000000001234")
	if _, err := decode(good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, raw string
		field     int
	}{
		{"MTI", "0A00 3000000000000000 000000 000000001234", 0},
		{"short", "0200 30", 0},
		{"second bitmap", "0200 B000000000000000 000000 000000001234", 1},
		{"no such field", "0200 0400000000000000 00", 6},
		{"trailing", "0200 3000000000000000 000000 000000001234 00", 0},
		{"cut", "0200 3000000000000000 000000 0000000012", 4},
		{"no digit", "0200 3000000000000000 0000A0 000000001234", 3},
		{"length over", "0200 4000000000000000 20 62258800000000000190", 2},
		{"length no number", "0200 4000000000000000 1A 6225880000000000", 2},
		{"filler", "0200 4000000000000000 19 622588000000000001 91", 2},
		{"filler of DE 22", "0200 0000040000000000 0211", 22},
		{"filler of DE 23", "0200 0000020000000000 1001", 23},
		{"letters", "0200 0000000002000000 3021", 39},
		{"cut length", "0200 0000000000000010 00", 60},
	} {
		_, err := decode(unhex(c.raw))
		var we *wireError
		if !errors.As(err, &we) || we.field != c.field {
			t.Errorf("%s: %v, want field %d", c.name, err, c.field)
		}
	}
}

func TestUnwrap(t *testing.T) {
	msg := "0800 0000000000000000"
	lri := "4C5249001C" + strings.Repeat("00", 28)
	for _, c := range []struct {
		name, frame string
		ok          bool
	}{
		{"plain", "6000030000 603100311307" + msg, true},
		{"LRI", "6000030000" + lri + "603100311307" + msg, true},
		{"LRI and LUI", "6000030000" + lri + "4C55490002 4142 603100311307" + msg, true},
		{"LUI too long", "6000030000 4C55490099 4142 603100311307" + msg, false},
		{"TPDU not 60", "6100030000 603100311307" + msg, false},
		{"TPDU not BCD", "600003000A 603100311307" + msg, false},
		{"header class", "6000030000 613100311307" + msg, false},
		{"a request that orders", "6000030000 603103311307" + msg, false},
		{"short", "6000030000", false},
	} {
		_, raw, err := unwrap(unhex(c.frame))
		if (err == nil) != c.ok || c.ok && hex.EncodeToString(raw) != "08000000000000000000" {
			t.Errorf("%s: %v %x", c.name, err, raw)
		}
	}
	env, _, _ := unwrap(unhex("6000030012 603110311307" + msg))
	if got := fmt.Sprintf("%X", env.wrap(3, []byte{0x08, 0x10})); got != "000D60001200036031133113070810" {
		t.Errorf("an answer's frame is %s", got)
	}
}

// Whatever fits the table comes back as it was packed.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := message{mti: "0210", f: map[int]string{}}
		for de, s := range shapes {
			if !rapid.Bool().Draw(t, fmt.Sprint("has ", de)) {
				continue
			}
			n := s.size
			if s.prefix > 0 {
				n = rapid.IntRange(0, s.size).Draw(t, "n")
			}
			set := map[form]string{digits: "0123456789", nibbles: "0123456789ABCDEF", letters: "AZaz09 ", text: "\x00A\xff", opaque: "\x00\xff7"}[s.form]
			var v []byte
			for range n {
				v = append(v, rapid.SampledFrom([]byte(set)).Draw(t, "c"))
			}
			m.f[de] = string(v)
		}
		raw, err := encode(m)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(m.f, back.f); d != "" {
			t.Fatal(d)
		}
	})
}

// What decodes packs to the same bytes: there is one form of each message.
func FuzzDecode(f *testing.F) {
	for _, v := range []string{vector3, vector6} {
		_, raw, _ := unwrap(unhex(v)[2:])
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := decode(raw)
		if err != nil {
			return
		}
		again, err := encode(m)
		if err != nil || string(again) != string(raw) {
			t.Fatalf("%x packs as %x (%v)", raw, again, err)
		}
	})
}

func FuzzUnwrap(f *testing.F) {
	f.Add(unhex(vector3)[2:])
	f.Add(unhex("6000030000 4C55490002 4142 603100311307 0800 0000000000000000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if env, raw, err := unwrap(b); err == nil && len(env.wrap(0, raw)) > len(b)+2 {
			t.Fatal("an answer grew")
		}
	})
}
