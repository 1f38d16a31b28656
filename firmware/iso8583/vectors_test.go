package iso8583_test

import (
	"bytes"
	"crypto/des"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "swipewell/firmware/iso8583"
)

// The published messages of HOST §1.7.
const (
	vector2 = `0200 302004C020C09811 000000 000000000051 001834 0210 00 06 32 4392260009942820D131210112008439
		3136363838303134 303030303030303030303030303031 313536 ACF46E73838A82F9 2600000000000000 0008 22000001`
	vector3 = `007F 6000030000 603210320072 0200 3020048000C08015 000000 000000001234 000002 0300 99 3030303030303031
		393532373138313832323137383735 313536 0019 26000001000600000000 0043 5F01123238343431323334353637383930313233345F
		03063136303033365F04063230303832365C023031 4233413039324145`
	vector6 = `007B 6000160000 602200000000 0200 7020048020C08811 16 5477666265921222 000000 000000014959 555556 0220 00
		37 5477666265921222D250850600000126000000 3333333333333333 323232323232323232323232323232 313536 1000000000000000
		0008 22000001 0015 0000010010000010 3133394343433842`
)

// vector5Full is the chip sale, 426 bytes, as its author printed it.
const vector5Full = `
01 AA 60 00 06 00 00 60 31 00 31 10 03 02 00 70 24 06 C0 20 C1 9A 31 16 62 24 24 29 00
00 01 13 00 00 00 00 00 00 00 00 01 00 04 03 28 06 07 10 00 00 00 12 34 62 24 24 29 00
00 01 13 D2 80 62 01 39 49 03 10 13 31 30 30 30 30 30 31 39 38 35 30 31 30 30 30 38 32
34 31 30 30 30 32 00 01 00 31 35 36 D1 EE F4 19 D0 AE 26 09 26 00 00 00 00 00 00 00 01
39 9F 26 08 95 BB E3 72 27 1D DA 7C 9F 27 01 80 9F 10 13 07 01 01 03 A0 00 00 01 0A 01
00 00 00 00 00 ED 53 8F E4 9F 37 04 7F 9F 34 9E 9F 36 02 01 57 95 05 00 00 00 00 00 9A
03 19 08 30 9C 01 00 9F 02 06 00 00 00 00 00 01 5F 2A 02 01 56 82 02 7C 00 9F 1A 02 01
56 9F 03 06 00 00 00 00 00 00 9F 33 03 E0 E1 C8 9F 35 01 22 9F 1E 08 31 30 30 30 30 30
31 39 84 08 A0 00 00 03 33 01 01 02 9F 09 02 00 8C 9F 41 04 00 00 04 03 01 53 31 32 32
30 38 39 38 36 30 36 31 37 30 38 30 30 30 32 35 38 33 39 39 33 31 33 31 31 48 46 54 31
37 30 38 30 33 30 31 31 34 31 34 32 30 31 39 30 38 33 30 30 39 33 34 33 35 31 35 30 32
30 30 31 37 32 32 42 44 33 30 2E 36 32 31 35 35 35 2C 31 31 34 2E 33 36 31 39 35 34 41
32 36 30 30 31 30 32 30 32 30 32 31 36 30 30 30 30 32 39 30 32 31 30 30 31 35 37 30 38
30 33 30 36 30 30 30 31 31 33 30 34 30 38 30 34 32 34 37 32 39 32 30 35 30 38 48 37 30
36 32 38 30 31 00 14 22 00 00 24 00 06 00 38 46 36 35 31 42 32 36`

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// open takes a vector from its length to its fields.
func open(t testing.TB, raw []byte) (Frame, *Message) {
	t.Helper()
	body, rest, err := NextFrame(raw)
	if err != nil || body == nil || len(rest) != 0 {
		t.Fatalf("NextFrame: %d bytes, %d left, %v", len(body), len(rest), err)
	}
	f, err := ParseFrame(body)
	if err != nil {
		t.Fatal(err)
	}
	m := new(Message)
	if err := UnionPay.Parse(m, f.Message); err != nil {
		t.Fatal(err)
	}
	return f, m
}

// values are the fields of a message by number, digits, text or hex.
func values(m *Message) map[int]string {
	out := map[int]string{}
	for de := range m.Fields {
		packed, _, _, binary, _, _, _ := UnionPay.Row(de)
		switch {
		case packed:
			out[de] = m.Digits(de)
		case binary:
			out[de] = fmt.Sprintf("%X", m.Bytes(de))
		default:
			out[de] = m.Text(de)
		}
	}
	return out
}

func TestVectors(t *testing.T) {
	for _, c := range []struct {
		name, raw, tpdu, header string
		want                    map[int]string
	}{
		{"vector 3, admin with MAC", vector3, "6000030000", "603210320072", map[int]string{
			3: "000000", 4: "000000001234", 11: "000002", 22: "030", 25: "99", 41: "00000001", 42: "952718182217875", 49: "156",
			60: "2600000100060000000", 62: "5F01123238343431323334353637383930313233345F03063136303033365F04063230303832365C023031",
			64: "4233413039324145"}},
		{"vector 5, chip sale", vector5Full, "6000060000", "603100311003", map[int]string{
			2: "6224242900000113", 3: "000000", 4: "000000000001", 11: "000403", 14: "2806", 22: "071", 23: "000", 25: "00", 26: "12",
			35: "6224242900000113=28062013949031013", 41: "10000019", 42: "850100082410002", 48: "0", 49: "156",
			52: "D1EEF419D0AE2609", 53: "2600000000000000", 55: field5(55, 139), 59: field5(59, 153), 60: "22000024000600", 64: "3846363531423236"}},
		{"vector 6, with the bitmap put right", strings.Replace(vector6, "8811", "8819", 1), "6000160000", "602200000000", map[int]string{
			2: "5477666265921222", 3: "000000", 4: "000000014959", 11: "555556", 22: "022", 25: "00", 35: "5477666265921222=25085060000012600000",
			41: "33333333", 42: "222222222222222", 49: "156", 53: "1000000000000000", 60: "22000001", 61: "000001001000001", 64: "3133394343433842"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := unhex(c.raw)
			f, m := open(t, raw)
			if f.TPDU.String() != c.tpdu || f.Header.String() != c.header || m.MTI != 0x0200 {
				t.Errorf("envelope %v, MTI %v", f, m.MTI)
			}
			if d := cmp.Diff(c.want, values(m)); d != "" {
				t.Error(d)
			}
			packed, err := UnionPay.Append(nil, m)
			if err != nil || !bytes.Equal(packed, f.Message) {
				t.Errorf("re-packed differently, %v", err)
			}
			if again := AppendFrame(nil, f.TPDU, f.Header, packed); !bytes.Equal(again, raw) {
				t.Error("re-framed differently")
			}
			if built := build(t, m.MTI, values(m)); !bytes.Equal(built, f.Message) {
				t.Error("built from its values it differs")
			}
		})
	}
}

// field5 is a field of vector 5 by its published length; there is only one
// place in the message where it can stand.
func field5(de, n int) string {
	raw := unhex(vector5Full)
	at := map[int]int{55: bytes.Index(raw, unhex("0139 9F26")), 59: bytes.Index(raw, unhex("0153 31"))}[de] + 2
	return fmt.Sprintf("%X", raw[at:at+n])
}

type fataler interface {
	Helper()
	Fatal(...any)
}

// build packs a message from logical values.
func build(t fataler, mti MTI, values map[int]string) []byte {
	t.Helper()
	var m Message
	fill(&m, mti, values)
	raw, err := UnionPay.Append(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func fill(m *Message, mti MTI, values map[int]string) {
	m.Reset(mti)
	for de, v := range values {
		packed, track, _, binary, _, _, _ := UnionPay.Row(de)
		switch {
		case track:
			m.SetTrack(de, []byte(v))
		case packed:
			m.SetDigits(de, v)
		case binary:
			m.SetBytes(de, unhex(v))
		default:
			m.SetText(de, v)
		}
	}
}

// Vector 6 as published: its bitmap hides DE 61, which the body has. What
// stands where DE 64 should is then taken for it, and the rest is left over.
func TestVector6BitmapLies(t *testing.T) {
	body := unhex(vector6)[LengthSize:]
	f, err := ParseFrame(body)
	if err != nil {
		t.Fatal(err)
	}
	var m Message
	err = UnionPay.Parse(&m, f.Message)
	var fe *FieldError
	if !errors.As(err, &fe) || fe.Reason != TrailingBytes || fe.Field != 0 {
		t.Fatalf("got %v, want trailing bytes", err)
	}
	// DE 64 would be the 8 bytes behind DE 60; DE 61 has 2+8, so 10 are left.
	if want := len(f.Message) - 10; fe.Offset != want {
		t.Errorf("offset %d, want %d", fe.Offset, want)
	}
	if m.Has(DEPAN) || m.MTI != 0 {
		t.Error("a message that was refused is not empty")
	}
}

// Vector 3 whole: the MAB is found where the MAC says it is. The arithmetic is
// firmware/keys' own; this is a second one, by HOST §1.5.
func TestVector3MAB(t *testing.T) {
	f, m := open(t, unhex(vector3))
	mab, mac, ok := MACRegion(f.Message)
	if !ok || string(mac) != "B3A092AE" || m.Text(DEMAC) != "B3A092AE" {
		t.Fatalf("MAC %q, %v", mac, ok)
	}
	if got := ecbMAC(t, "0723C80DB5F4CD3D", mab); got != "B3A092AE" {
		t.Errorf("MAC over the MAB is %s", got)
	}
}

// Vector 2 is published as a MAB; with room for the MAC it is a message.
func TestVector2MAB(t *testing.T) {
	raw := append(unhex(vector2), "8A9E91B8"...)
	var m Message
	if err := UnionPay.Parse(&m, raw); err != nil {
		t.Fatal(err)
	}
	if m.Digits(DETrack2) != "4392260009942820=131210112008439" || m.Digits(DEEntryMode) != "021" || m.Digits(DEBatch) != "22000001" {
		t.Errorf("fields are %v", &m)
	}
	mab, _, ok := MACRegion(raw)
	if got := ecbMAC(t, "C24A8FB57AA20123", mab); !ok || got != "8A9E91B8" {
		t.Errorf("MAC over the MAB is %s", got)
	}
}

func ecbMAC(t *testing.T, key string, mab []byte) string {
	t.Helper()
	block, err := des.NewCipher(unhex(key))
	if err != nil {
		t.Fatal(err)
	}
	var x [8]byte
	for i, b := range mab {
		x[i%8] ^= b
	}
	h := fmt.Appendf(nil, "%X", x)
	block.Encrypt(x[:], h[:8])
	for i := range x {
		x[i] ^= h[8+i]
	}
	block.Encrypt(x[:], x[:])
	return fmt.Sprintf("%X", x)[:8]
}

// Vector 4 is a DE 62: it comes out of an 0810 as it went in.
func TestVector4Keys(t *testing.T) {
	de62 := unhex("6701EAD6A9AD51E51AA406E2C27FCFA9 8D0A74B8 B651F9E9BACE9AE1 0000000000000000 AB7153CA")
	raw := append(unhex("0810 0000000000000004 0040"), de62...)
	var m Message
	if err := UnionPay.Parse(&m, raw); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.Bytes(DEKeys), de62) || m.Len(DEKeys) != 40 {
		t.Errorf("%d bytes", m.Len(DEKeys))
	}
}
