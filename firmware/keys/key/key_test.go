package key

import (
	"bytes"
	"crypto/des"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"pgregory.net/rapid"

	"swipewell/hal"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func must(alg hal.KeyAlg, s string) Key {
	k, err := New(alg, unhex(s))
	if err != nil {
		panic(err)
	}
	return k
}

// Whatever holds a key, and however it is printed or marshalled, no byte shows.
func TestNothingOfAKeyIsWritten(t *testing.T) {
	const text = "K3yBytesK3yBytes" // 4B 33 79 42 79 74 65 73
	k, err := New(hal.AlgTDES2, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		hidden Key
		ptr    *Key
		Open   Key
		list   []any
		m      map[string]Key
	}
	h := holder{k, &k, k, []any{k, &k}, map[string]Key{"x": k}}
	leaks := []string{"K3yB", "4b337942", "4B337942", "4b 33 79", "75 51 121", "0x4b, 0x33", "\\x4b\\x33", "SzN5Qnl0", "113 63 171", "1001011 110011", "U+004B U+0033"}
	look := func(how, out string) {
		t.Helper()
		for _, leak := range leaks {
			if strings.Contains(out, leak) {
				t.Fatalf("%s shows the key: %s", how, out)
			}
		}
	}
	for _, v := range []any{k, &k, h, &h, []Key{k}, [1]Key{k}, map[string]Key{"x": k}, struct{ any }{k}} {
		for _, flag := range []string{"", "+", "#", " ", "0", "-", "# ", "+#"} {
			for verb := '!'; verb <= 'z'; verb++ {
				look(fmt.Sprintf("%T by %%%s%c", v, flag, verb), fmt.Sprintf("%"+flag+string(verb), v))
			}
		}
		look("Sprint", fmt.Sprint(v))
		look("Sprintln", fmt.Sprintln(v))
		look("Errorf", fmt.Errorf("%w: %v", ErrPrivate, v).Error())
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "k", v, slog.Group("g", "k", v))
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "k", v)
		look("slog", log.String())
	}
	for name, marshal := range map[string]func(any) ([]byte, error){
		"json": json.Marshal,
		"xml":  xml.Marshal,
		"toml": func(v any) ([]byte, error) {
			var b bytes.Buffer
			err := toml.NewEncoder(&b).Encode(struct{ K any }{v})
			return b.Bytes(), err
		},
		"gob": func(v any) ([]byte, error) {
			var b bytes.Buffer
			err := gob.NewEncoder(&b).Encode(v)
			return b.Bytes(), err
		},
		"text":   func(v any) ([]byte, error) { return v.(interface{ MarshalText() ([]byte, error) }).MarshalText() },
		"binary": func(v any) ([]byte, error) { return v.(interface{ MarshalBinary() ([]byte, error) }).MarshalBinary() }, // CBOR libraries use it
	} {
		for _, v := range []any{k, &k} {
			if out, err := marshal(v); err == nil {
				t.Errorf("%s of %T works: %q", name, v, out)
			}
		}
		if name == "json" || name == "xml" || name == "gob" {
			out, err := marshal(struct{ Open Key }{k})
			if err == nil {
				t.Errorf("%s of a struct that holds one works", name)
			}
			look(name, string(out))
		}
	}
}

func TestKeysAreNotComparedByAccident(t *testing.T) {
	if reflect.TypeFor[Key]().Comparable() {
		t.Error("== compiles")
	}
	a, b := must(hal.AlgAES, "000102030405060708090A0B0C0D0E0F"), must(hal.AlgAES, "000102030405060708090A0B0C0D0E0F")
	if reflect.DeepEqual(a, b) {
		t.Error("reflect.DeepEqual looks inside")
	}
	c, d := must(hal.AlgSM4, "000102030405060708090A0B0C0D0E0F"), must(hal.AlgAES, "000102030405060708090A0B0C0D0E0E")
	if !a.Same(b) || a.Same(c) || a.Same(d) || a.Same(Key{}) {
		t.Error("Same")
	}
}

func TestWipe(t *testing.T) {
	raw := unhex("000102030405060708090A0B0C0D0E0F")
	k, _ := New(hal.AlgAES, raw)
	own := k.Clone()
	copied := k
	k.Wipe()
	k.Wipe()
	if !bytes.Equal(raw, make([]byte, 16)) || !copied.IsZero() || copied.Len() != 0 {
		t.Error("not wiped")
	}
	if own.Len() != 16 || !own.Same(must(hal.AlgAES, "000102030405060708090A0B0C0D0E0F")) {
		t.Error("a clone went with it")
	}
	if _, err := k.Block(); !errors.Is(err, hal.ErrNoKey) {
		t.Errorf("a wiped key encrypts: %v", err)
	}
	if (Key{}).Clone().Len() != 0 || (Key{}).KCV() != [4]byte{} {
		t.Error("something out of nothing")
	}
	(Key{}).Wipe()
}

func TestLengths(t *testing.T) {
	for alg := range hal.KeyAlg(8) {
		for n := range 40 {
			_, err := New(alg, make([]byte, n))
			want := map[hal.KeyAlg][]int{1: {8}, 2: {16}, 3: {24}, 4: {16}, 5: {16, 24, 32}}[alg]
			ok := false
			for _, w := range want {
				ok = ok || w == n
			}
			if (err == nil) != ok || err != nil && !errors.Is(err, hal.ErrKeyLength) {
				t.Errorf("algorithm %d, %d bytes: %v", alg, n, err)
			}
		}
	}
}

// HOST §1.7 vector 4; TR-31 vectors of openemv/tr31; GB/T 32907 zeros by openssl.
func TestCheckValues(t *testing.T) {
	for _, c := range []struct {
		alg      hal.KeyAlg
		key, kcv string
	}{
		{hal.AlgTDES2, "807A23AD32B36D457AE91FDF927570EA", "8D0A74B8C5EF66C6"},
		{hal.AlgDES, "5BB5C72CD00B7338", "AB7153CA985B10C2"},
		{hal.AlgTDES2, "1FA1F7CEC798D91545DA8AE0C7796BD9", "FF5087"},
		{hal.AlgTDES2, "3F419E1CB7079442AA37474C2EFBF8B8", "57C409"},
		{hal.AlgAES, "000102030405060708090A0B0C0D0E0F", "C6A13B37878F5B826F4F8162A1C8D879"},
		{hal.AlgSM4, "0123456789ABCDEFFEDCBA9876543210", "2677F46B09C122CC975533105BD4A22A"},
	} {
		k := must(c.alg, c.key)
		v, err := k.CheckValue()
		if err != nil || !bytes.HasPrefix(v, unhex(c.kcv)) {
			t.Errorf("%s: %X %v, want %s", c.key, v, err, c.kcv)
		}
		for n := range len(v) + 1 {
			if err := k.Verify(v[:n]); (err == nil) != (n >= 3) {
				t.Errorf("%d bytes of the check value: %v", n, err)
			}
		}
		v[2] ^= 1
		if err := k.Verify(v[:3]); !errors.Is(err, hal.ErrKCV) {
			t.Errorf("a wrong check value: %v", err)
		}
	}
	// A working key under an SM4 master key, as a bank's sign-on sent it
	// (blog.csdn.net/M_Kerry/article/details/104625499).
	tmk, _ := must(hal.AlgSM4, "1234567890ABCDEFABCDEF0987654321").Block()
	wk := unhex("3D66234C49E4296FF9C78D8BACBD6A76")
	tmk.Decrypt(wk, wk)
	if k, _ := New(hal.AlgSM4, wk); k.Verify(unhex("861E83E31FAEBF10")) != nil {
		t.Errorf("SM4 working key: check value %X", k.KCV())
	}
	for _, c := range [][2]string{
		{"3F419E1CB7079442AA37474C2EFBF8B8", "08793E"},
		{"BE19E6A07A760F10EF8E83A226B63AAD141F463FDDD4F47DB244B4023EC3CACC", "0A00E3"},
	} {
		if v, err := must(hal.AlgAES, c[0]).CheckValueCMAC(); err != nil || !bytes.HasPrefix(v, unhex(c[1])) {
			t.Errorf("by CMAC: %X %v, want %s", v, err, c[1])
		}
	}
}

// SP800-38B Appendix D (D.1, D.4, D.5).
func TestCMAC(t *testing.T) {
	msg := unhex("6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710")
	for _, c := range []struct {
		alg  hal.KeyAlg
		key  string
		n    int
		want string
	}{
		{hal.AlgAES, "2B7E151628AED2A6ABF7158809CF4F3C", 0, "BB1D6929E95937287FA37D129B756746"},
		{hal.AlgAES, "2B7E151628AED2A6ABF7158809CF4F3C", 16, "070A16B46B4D4144F79BDD9DD04A287C"},
		{hal.AlgAES, "2B7E151628AED2A6ABF7158809CF4F3C", 40, "DFA66747DE9AE63030CA32611497C827"},
		{hal.AlgAES, "2B7E151628AED2A6ABF7158809CF4F3C", 64, "51F0BEBF7E3B9D92FC49741779363CFE"},
		{hal.AlgTDES3, "8AA83BF8CBDA10620BC1BF19FBB6CD58BC313D4A371CA8B5", 0, "B7A688E122FFAF95"},
		{hal.AlgTDES3, "8AA83BF8CBDA10620BC1BF19FBB6CD58BC313D4A371CA8B5", 8, "8E8F293136283797"},
		{hal.AlgTDES3, "8AA83BF8CBDA10620BC1BF19FBB6CD58BC313D4A371CA8B5", 20, "743DDBE0CE2DC2ED"},
		{hal.AlgTDES3, "8AA83BF8CBDA10620BC1BF19FBB6CD58BC313D4A371CA8B5", 32, "33E6B1092400EAE5"},
		{hal.AlgTDES2, "4CF15134A2850DD58A3D10BA80570D38", 0, "BD2EBF9A3BA00361"},
		{hal.AlgTDES2, "4CF15134A2850DD58A3D10BA80570D38", 20, "62DD1B471902BD4E"},
	} {
		b, err := must(c.alg, c.key).Block()
		if err != nil {
			t.Fatal(err)
		}
		if got := CMAC(b, msg[:c.n]); !bytes.Equal(got, unhex(c.want)) {
			t.Errorf("%s, %d bytes: %X, want %s", c.key, c.n, got, c.want)
		}
	}
}

func TestParity(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, "key")
		before := bytes.Clone(b)
		SetOddParity(b)
		k, _ := New(hal.AlgTDES2, bytes.Clone(b))
		if !k.OddParity() {
			rt.Fatal("even")
		}
		x, _ := des.NewCipher(before[:8])
		y, _ := des.NewCipher(b[:8])
		p, q := make([]byte, 8), make([]byte, 8)
		if x.Encrypt(p, p); true {
			y.Encrypt(q, q)
		}
		if !bytes.Equal(p, q) {
			rt.Fatal("parity changed the cipher")
		}
		bit := rapid.IntRange(0, 127).Draw(rt, "bit")
		b[bit/8] ^= 1 << (bit % 8)
		if k, _ = New(hal.AlgTDES2, b); k.OddParity() {
			rt.Fatal("one bit changed and not noticed")
		}
	})
	if !must(hal.AlgAES, "00000000000000000000000000000000").OddParity() {
		t.Error("an AES key has parity")
	}
}

// Every weak and semi-weak key is one: E(k1, E(k2, x)) = x for a k2 of the list.
func TestWeakKeysAreWeak(t *testing.T) {
	for i := range weak {
		a, _ := des.NewCipher(weak[i][:])
		pair := false
		for j := range weak {
			b, _ := des.NewCipher(weak[j][:])
			x := []byte("swipewel")
			a.Encrypt(x, x)
			b.Encrypt(x, x)
			pair = pair || string(x) == "swipewel"
		}
		if !pair {
			t.Errorf("row %d, %X, is not weak", i, weak[i])
		}
	}
}

func TestWeakKeysAreRefused(t *testing.T) {
	for _, c := range []struct {
		alg         hal.KeyAlg
		key         string
		bad, master bool // refused by Degenerate, by Strong
	}{
		{hal.AlgTDES2, "CA5D92598DCA48CE8A4C76361A9269E9", false, false},
		{hal.AlgTDES2, "00000000000000000000000000000000", true, true},
		{hal.AlgTDES2, "0101010101010101CA5D92598DCA48CE", true, true},
		{hal.AlgTDES2, "CA5D92598DCA48CE01FE01FE01FE01FE", true, true},
		{hal.AlgTDES2, "CA5D92598DCA48CE00FF00FF00FF00FF", true, true},  // as above without its parity
		{hal.AlgTDES2, "CA5D92598DCA48CECA5D92598DCA48CE", false, true}, // single DES
		{hal.AlgTDES2, "CA5D92598DCA48CECB5D92598DCA48CE", false, true}, // and with another parity
		{hal.AlgTDES3, "CA5D92598DCA48CE8A4C76361A9269E9CA5D92598DCA48CE", false, false},
		{hal.AlgTDES3, "CA5D92598DCA48CE8A4C76361A9269E98A4C76361A9269E9", false, true},
		{hal.AlgDES, "CA5D92598DCA48CE", false, true},
		{hal.AlgDES, "1F1F1F1F0E0E0E0E", true, true},
		{hal.AlgSM4, "00000000000000000000000000000000", true, true},
		{hal.AlgAES, "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", true, true},
		{hal.AlgAES, "CA5D92598DCA48CECA5D92598DCA48CE", false, false},
	} {
		k := must(c.alg, c.key)
		if err := k.Degenerate(); errors.Is(err, hal.ErrKeyWeak) != c.bad || (err != nil) != c.bad {
			t.Errorf("%s Degenerate: %v", c.key, err)
		}
		if err := k.Strong(); errors.Is(err, hal.ErrKeyWeak) != c.master {
			t.Errorf("%s Strong: %v", c.key, err)
		}
	}
}

func TestCombine(t *testing.T) {
	a, b := must(hal.AlgTDES2, "0123456789ABCDEFFEDCBA9876543210"), must(hal.AlgTDES2, "CB7ED73E0461852174 90CCAE6CC65BF9")
	tmk, err := Combine(a, b)
	if err != nil || !tmk.Same(must(hal.AlgTDES2, "CA5D92598DCA48CE8A4C76361A9269E9")) {
		t.Fatalf("%v", err)
	}
	if a.Len() != 16 || !a.Same(must(hal.AlgTDES2, "0123456789ABCDEFFEDCBA9876543210")) {
		t.Error("a component changed")
	}
	zero := must(hal.AlgTDES2, "00000000000000000000000000000000")
	half := must(hal.AlgTDES2, "CB7ED73E04618521348128C1FB9E7ADE") // a^half has equal halves
	for name, c := range map[string]struct {
		parts []Key
		want  error
	}{
		"one":             {[]Key{a}, hal.ErrKeyWeak},
		"none":            {nil, hal.ErrKeyWeak},
		"the same twice":  {[]Key{a, a.Clone()}, hal.ErrKeyWeak},
		"two of three":    {[]Key{a, b, a.Clone()}, hal.ErrKeyWeak}, // the second alone would be the key
		"zeros":           {[]Key{a, zero}, hal.ErrKeyWeak},
		"equal halves":    {[]Key{a, half}, hal.ErrKeyWeak},
		"other length":    {[]Key{a, must(hal.AlgTDES3, "CA5D92598DCA48CE8A4C76361A9269E9CA5D92598DCA48CE")}, hal.ErrKeyLength},
		"other algorithm": {[]Key{a, must(hal.AlgSM4, "CB7ED73E046185217490CCAE6CC65BF9")}, hal.ErrKeyLength},
		"no key":          {[]Key{{}, {}}, hal.ErrKeyLength},
	} {
		if k, err := Combine(c.parts...); !errors.Is(err, c.want) || !k.IsZero() {
			t.Errorf("%s: %v", name, err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		draw := func(name string) []byte { return rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, name) }
		x, y, z := draw("x"), draw("y"), draw("z")
		mk := func(b []byte) Key { k, _ := New(hal.AlgAES, bytes.Clone(b)); return k }
		one, err1 := Combine(mk(x), mk(y), mk(z))
		two, err2 := Combine(mk(z), mk(x), mk(y))
		if (err1 == nil) != (err2 == nil) || err1 == nil && !one.Same(two) {
			rt.Fatal("the order matters")
		}
	})
}

func TestHalves(t *testing.T) {
	k := must(hal.AlgTDES2, "0123456789ABCDEFFEDCBA9876543210")
	l, err1 := k.Left()
	r, err2 := k.Right()
	if err1 != nil || err2 != nil || !l.Same(must(hal.AlgDES, "0123456789ABCDEF")) || !r.Same(must(hal.AlgDES, "FEDCBA9876543210")) {
		t.Error("halves", err1, err2)
	}
	if _, err := l.Right(); !errors.Is(err, hal.ErrKeyUse) {
		t.Errorf("the right half of a single key: %v", err)
	}
	if _, err := must(hal.AlgAES, "0123456789ABCDEFFEDCBA9876543210").Left(); !errors.Is(err, hal.ErrKeyUse) {
		t.Errorf("half an AES key: %v", err)
	}
}
