package tr31

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/keys/key"
	"swipewell/hal"
)

func must(alg hal.KeyAlg, s string) key.Key {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	k, err := key.New(alg, b)
	if err != nil {
		panic(err)
	}
	return k
}

func hexKey(k key.Key) (s string) {
	k.Use(func(b []byte) { s = fmt.Sprintf("%X", b) })
	return s
}

// TR31 A.7 and payShield blocks, from openemv/tr31 test/tr31_decrypt_test.c.
var vectors = []struct {
	name  string
	kbpk  key.Key
	block string
	head  Header
	want  string
}{
	{"payShield A", must(hal.AlgTDES2, "EFE0853B256B583D868F251CE99EA1D9"), "A0072K0TN00N0000F40D5672C6D0EC86F860BA88D44D00F0CA9A8CE8CD2F640287A9A9EB",
		Header{'A', "K0", 'T', 'N', "00", 'N', nil}, "5DB50B454F8389ADCE573BE50861F2BF"},
	{"payShield B", must(hal.AlgTDES2, "EFE0853B256B583D868F251CE99EA1D9"), "B0080K0TN00N00001C414014375212C24995E405B5EE052CB92B67F455EA2680F6751088F9F1C228",
		Header{'B', "K0", 'T', 'N', "00", 'N', nil}, "5DB50B454F8389ADCE573BE50861F2BF"},
	{"A.7.2.1", must(hal.AlgTDES2, "89E88CF7931444F334BD7547FC3F380C"), "A0072P0TE00E0000F5161ED902807AF26F1D62263644BD24192FDB3193C730301CEE8701",
		Header{'A', "P0", 'T', 'E', "00", 'E', nil}, "F039121BEC83D26B169BDCD5B22AAF8F"},
	{"A.7.2.2", must(hal.AlgTDES2, "DD7515F2BFC17F85CE48F3CA25CB21F6"), "B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E",
		Header{'B', "P0", 'T', 'E', "00", 'E', nil}, "3F419E1CB7079442AA37474C2EFBF8B8"},
	{"A.7.3.2, with a KSN", must(hal.AlgTDES2, "1D22BF32387C600AD97F9B97A51311AC"), "B0104B0TX12S0100KS1800604B120F9292800000BB68BE8680A400D9191AD4ECE45B6E6C0D21C4738A52190E248719E24B433627",
		Header{'B', "B0", 'T', 'X', "12", 'S', []Optional{{"KS", "00604B120F9292800000"}}}, "E8BC63E5479455E26577F715D587FE68"},
	{"A.7.4", must(hal.AlgAES, "88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6"), "D0112P0AE00E0000B82679114F470F540165EDFBF7E250FCEA43F810D215F8D207E2E417C07156A27E8E31DA05F7425509593D03A457DC34",
		Header{'D', "P0", 'A', 'E', "00", 'E', nil}, "3F419E1CB7079442AA37474C2EFBF8B8"},
	{"payShield D", must(hal.AlgAES, strings.Repeat("41", 32)), "D0112B0TN00N000037DB9B046B7B0048785690759580ABC3B9842AB4BB7717B49E92528E575785D8123559376A2553B27BE94F054F4E971C",
		Header{'D', "B0", 'T', 'N', "00", 'N', nil}, "1FA1F7CEC798D91545DA8AE0C7796BD9"},
	{"payShield D, AES-256", must(hal.AlgAES, strings.Repeat("41", 32)), "D0144D0AN00N0000127862F945C2DED04530FAF7CDBC8B0BA10C7AA79BD5E0C2C5D6AC173BF588E4B19ACF1357178D50EA0AB193228E13958304FC6149632DFDCADF3A5B3D57E814",
		Header{'D', "D0", 'A', 'N', "00", 'N', nil}, "BE19E6A07A760F10EF8E83A226B63AAD141F463FDDD4F47DB244B4023EC3CACC"},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		b, err := Parse([]byte(v.block))
		if err != nil {
			t.Errorf("%s: %v", v.name, err)
			continue
		}
		if !reflect.DeepEqual(b.Header, v.head) {
			t.Errorf("%s: header %+v", v.name, b.Header)
		}
		k, err := b.Unwrap(v.kbpk)
		if err != nil || hexKey(k) != v.want {
			t.Errorf("%s: %s %v", v.name, hexKey(k), err)
		}
	}
}

// One changed character anywhere, and there is no key.
func TestNoCharacterMayChange(t *testing.T) {
	for _, v := range vectors {
		for i := range v.block {
			for _, c := range []byte("0123456789ABCDEFPTNS~") {
				raw := []byte(v.block)
				if raw[i] == c {
					continue
				}
				raw[i] = c
				b, err := Parse(raw)
				if err != nil {
					var at *Error
					if !errors.As(err, &at) || at.At < 0 || at.At > len(raw) {
						t.Fatalf("%s: %v has no place", v.name, err)
					}
					continue
				}
				if k, err := b.Unwrap(v.kbpk); err == nil || !k.IsZero() {
					t.Fatalf("%s: byte %d as %c: a key", v.name, i, c)
				}
			}
		}
	}
}

func TestRefused(t *testing.T) {
	good := vectors[3].block // B
	with := func(at int, s string) string { return good[:at] + s + good[at+len(s):] }
	for _, c := range []struct {
		name, block string
		want        error
		at          int
	}{
		{"empty", "", ErrLength, 0},
		{"15 characters", good[:15], ErrLength, 15},
		{"version C", "C0072K0TN00N0000C9B875FF7A5316BF221C09ED52080DE0B45632A4EA9CE87699CB565E", ErrVersion, 0},
		{"version C with a KSN", "C0096B0TX12S0100KS1800604B120F9292800000BFB9B689CB567E66FC3FEE5AD5F52161FC6545B9D60989015D02155C", ErrVersion, 0},
		{"version E", with(0, "E"), ErrVersion, 0},
		{"longer than said", good + "00", ErrLength, 1},
		{"shorter than said", good[:len(good)-2], ErrLength, 1},
		{"length not digits", with(1, "00A0"), ErrLength, 1},
		{"a byte over ASCII", with(20, "\xFF"), ErrHeader, 20},
		{"usage", with(5, "p0"), ErrHeader, 5},
		{"HMAC key", with(7, "H"), ErrHeader, 7},
		{"AES key under Triple DES", with(7, "A"), ErrHeader, 7},
		{"mode", with(8, "Q"), ErrHeader, 8},
		{"component", with(9, "c1"), ErrHeader, 9},
		{"exportability", with(11, "X"), ErrHeader, 11},
		{"optional number", with(12, "0A"), ErrHeader, 12},
		{"reserved", with(14, "01"), ErrHeader, 14},
		{"optional missing", "B0080P0TE00E010094B4" + good[20:], ErrOptional, 18},
		{"lower-case payload", with(16, "94b4"), ErrPayload, 18},
		{"payload not hex", with(16, "94G4"), ErrPayload, 18},
		{"half a block", "B0072P0TE00E0000" + good[16:72], ErrPayload, 16},
		{"MAC only", "B0032P0TE00E0000" + good[16:32], ErrPayload, 16},
		{"header only", "B0016P0TE00E0000", ErrPayload, 16},
		{"optional off the block", "B0036P0TE00E0100TS05X00000000000000", ErrLength, 1},
		{"optional cut", "B0018P0TE00E0100KS", ErrOptional, 16},
		{"optional longer than the block", "B0024P0TE00E0100KSFF0000", ErrOptional, 18},
		{"optional shorter than itself", "B0024P0TE00E0100KS030000", ErrOptional, 18},
		{"optional with a length of length", "B0024P0TE00E0100KS000300", ErrOptional, 20},
		{"optional ends off a block", "B0060P0TE00E0100KS0A000000" + strings.Repeat("0", 34), ErrOptional, 26},
		{"optional twice", "B0064P0TE00E0200KS080000KS080000" + strings.Repeat("0", 32), ErrOptional, 24},
	} {
		_, err := Parse([]byte(c.block))
		var e *Error
		if !errors.Is(err, c.want) || !errors.As(err, &e) || e.At != c.at {
			t.Errorf("%s: %v, want %v at %d", c.name, err, c.want, c.at)
		}
	}
	b, _ := Parse([]byte(good))
	for name, k := range map[string]key.Key{"AES": must(hal.AlgAES, strings.Repeat("41", 16)), "single DES": must(hal.AlgDES, strings.Repeat("41", 8)), "SM4": must(hal.AlgSM4, strings.Repeat("41", 16))} {
		if _, err := b.Unwrap(k); !errors.Is(err, hal.ErrKeyUse) {
			t.Errorf("version B under %s: %v", name, err)
		}
	}
	d, _ := Parse([]byte(vectors[5].block))
	if _, err := d.Unwrap(must(hal.AlgTDES2, "DD7515F2BFC17F85CE48F3CA25CB21F6")); !errors.Is(err, hal.ErrKeyUse) {
		t.Errorf("version D under TDES: %v", err)
	}
	if _, err := d.Unwrap(key.Key{}); !errors.Is(err, hal.ErrNoKey) {
		t.Errorf("no key: %v", err)
	}
	if _, err := b.Unwrap(must(hal.AlgTDES2, "DD7515F2BFC17F85CE48F3CA25CB21F7")); err != nil {
		t.Errorf("a parity bit of the key counts: %v", err) // derived by CMAC under TDES: it does not
	}
	if _, err := b.Unwrap(must(hal.AlgTDES2, "DD7515F2BFC17F85CE48F3CA25CB21F4")); !errors.Is(err, ErrMAC) {
		t.Errorf("another key: %v", err)
	}
}

// wrap is the sender's side, written from TR31 §5.3 and sharing nothing with Unwrap
// but CMAC: version B under 16 or 24 bytes, D under 16, 24 or 32.
func wrap(version byte, kbpk []byte, head string, bits int, k, fill []byte) string {
	var mk func([]byte) cipher.Block
	n, table := 16, map[int]string{16: "00020080", 24: "000300C0", 32: "00040100"}
	if mk = func(b []byte) cipher.Block { c, _ := aes.NewCipher(b); return c }; version == 'B' {
		n, table = 8, map[int]string{16: "00000080", 24: "000100C0"}
		mk = func(b []byte) cipher.Block {
			c, _ := des.NewTripleDESCipher(append(b[:len(b):len(b)], b[:24-len(b)]...))
			return c
		}
	}
	sub := func(usage string) (out []byte) {
		for i := 1; len(out) < len(kbpk); i++ {
			d, _ := hex.DecodeString(fmt.Sprintf("%02X%s00%s", i, usage, table[len(kbpk)]))
			out = append(out, key.CMAC(mk(kbpk), d)...)
		}
		return out[:len(kbpk)]
	}
	plain := append([]byte{byte(bits >> 8), byte(bits)}, k...)
	plain = append(plain, fill...)
	plain = append(plain, make([]byte, (n-len(plain)%n)%n)...)
	h := fmt.Sprintf("%c%04d%s", version, 5+len(head)+2*len(plain)+2*n, head)
	sum := key.CMAC(mk(sub("0001")), append([]byte(h), plain...))
	cipher.NewCBCEncrypter(mk(sub("0000")), sum).CryptBlocks(plain, plain)
	return h + fmt.Sprintf("%X%X", plain, sum)
}

func TestWhatWasWrappedComesOut(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		version := rapid.SampledFrom([]byte("BD")).Draw(rt, "version")
		sizes, alg := []int{16, 24}, hal.AlgTDES2
		if version == 'D' {
			sizes, alg = []int{16, 24, 32}, hal.AlgAES
		}
		size := rapid.SampledFrom(sizes).Draw(rt, "size")
		if version == 'B' && size == 24 {
			alg = hal.AlgTDES3
		}
		kbpk := rapid.SliceOfN(rapid.Byte(), size, size).Draw(rt, "kbpk")
		n := rapid.SampledFrom([]int{8, 16, 24, 0, 7, 15, 32}).Draw(rt, "key length")
		k := rapid.SliceOfN(rapid.Byte(), n, n).Draw(rt, "key")
		letter := rapid.SampledFrom([]string{"D", "T"}).Draw(rt, "algorithm")
		opt := rapid.SampledFrom([]string{"0000", "0100KS10FFFF98765432", "0200KS0C00000000TS04", "0100XX00020010ABCDEF", "0100KS0A000000"}).Draw(rt, "optional")
		fill := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, "fill")
		block := wrap(version, kbpk, "P0"+letter+"E00E"+opt, 8*n, k, fill)
		b, err := Parse([]byte(block))
		if len(opt)%8 != 4 {
			if !errors.Is(err, ErrOptional) {
				rt.Fatalf("%s: %v", block, err)
			}
			return
		}
		if err != nil {
			rt.Fatal(err)
		}
		pk, _ := key.New(alg, bytes.Clone(kbpk))
		got, err := b.Unwrap(pk)
		fits := letter == "D" && n == 8 || letter == "T" && (n == 16 || n == 24)
		if fits != (err == nil) || err != nil && !errors.Is(err, ErrPayload) {
			rt.Fatalf("%s of %d bytes: %v", letter, n, err)
		}
		if fits && hexKey(got) != fmt.Sprintf("%X", k) {
			rt.Fatal("another key")
		}
	})
	// A length that lies, under a MAC that holds.
	kbpk := []byte("0123456789abcdef")
	for _, bits := range []int{129, 65535, 8 * 15, 8 * 31} {
		b, err := Parse([]byte(wrap('B', kbpk, "P0TE00E0000", bits, make([]byte, 16), nil)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Unwrap(must(hal.AlgTDES2, fmt.Sprintf("%X", kbpk))); !errors.Is(err, ErrPayload) {
			t.Errorf("%d bits: %v", bits, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, v := range vectors {
		f.Add([]byte(v.block))
	}
	f.Add([]byte("B0064P0TE00E0200KS000200080000KS080000" + strings.Repeat("0", 32)))
	tdes, aes := must(hal.AlgTDES2, "89E88CF7931444F334BD7547FC3F380C"), must(hal.AlgAES, strings.Repeat("41", 32))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := Parse(raw)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.At < 0 || e.At > len(raw) {
				t.Errorf("%v has no place in %d bytes", err, len(raw))
			}
			return
		}
		size := len(b.head)
		for _, o := range b.Optional {
			size -= 4 + len(o.Data)
		}
		if size < headerLen || len(raw) != len(b.head)+2*len(b.payload)+2*len(b.mac) || !bytes.HasPrefix(raw, b.head) {
			t.Error("the parts are not the whole")
		}
		for _, k := range []key.Key{tdes, aes} {
			if got, err := b.Unwrap(k); err == nil {
				for _, v := range vectors {
					if string(raw) == v.block {
						return
					}
				}
				t.Errorf("a block nobody made: %d bytes", got.Len())
			}
		}
	})
}
