//go:build amd64 || arm64 || riscv64

// The oracle, moov v0.26.1, does not compile for 32-bit machines.

package iso8583_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	moov "github.com/moov-io/iso8583"
	"github.com/moov-io/iso8583/encoding"
	"github.com/moov-io/iso8583/field"
	"github.com/moov-io/iso8583/prefix"
	"pgregory.net/rapid"

	. "swipewell/firmware/iso8583"
)

// hexTrack is the encoder moov lacks: packed nibbles with the separator D, on
// the left; moov takes decimal digits only.
type hexTrack struct{}

func (hexTrack) Encode(src []byte) ([]byte, error) {
	s := strings.ReplaceAll(string(src), "=", "D")
	if len(s)%2 == 1 {
		s += "0"
	}
	return hex.DecodeString(s)
}

func (hexTrack) Decode(src []byte, n int) ([]byte, int, error) {
	size := (n + 1) / 2
	if len(src) < size {
		return nil, 0, errors.New("short")
	}
	s := strings.ToUpper(hex.EncodeToString(src[:size]))[:n]
	return []byte(strings.ReplaceAll(s, "D", "=")), size, nil
}

// moovSpec is HOST §1.2 said a second time, in moov's words and not from our
// table.
func moovSpec() *moov.MessageSpec {
	str := func(n int, enc encoding.Encoder, p prefix.Prefixer) field.Field {
		return field.NewString(&field.Spec{Length: n, Enc: enc, Pref: p})
	}
	bin := func(n int, p prefix.Prefixer) field.Field {
		return field.NewBinary(&field.Spec{Length: n, Enc: encoding.Binary, Pref: p})
	}
	n, left, asc := encoding.BCD, encoding.LBCD, encoding.ASCII
	fix, ll, lll := prefix.BCD.Fixed, prefix.BCD.LL, prefix.BCD.LLL
	return &moov.MessageSpec{Fields: map[int]field.Field{
		0:  str(4, n, fix),
		1:  field.NewBitmap(&field.Spec{Length: 8, Enc: encoding.Binary, Pref: prefix.Binary.Fixed, DisableAutoExpand: true}),
		2:  str(19, left, ll),
		3:  str(6, n, fix),
		4:  str(12, n, fix),
		11: str(6, n, fix),
		12: str(6, n, fix),
		13: str(4, n, fix),
		14: str(4, n, fix),
		15: str(4, n, fix),
		22: str(3, left, fix),
		23: str(3, n, fix),
		25: str(2, n, fix),
		26: str(2, n, fix),
		32: str(11, left, ll),
		35: str(37, hexTrack{}, ll),
		36: str(104, hexTrack{}, lll),
		37: str(12, asc, prefix.ASCII.Fixed),
		38: str(6, asc, prefix.ASCII.Fixed),
		39: str(2, asc, prefix.ASCII.Fixed),
		41: str(8, asc, prefix.ASCII.Fixed),
		42: str(15, asc, prefix.ASCII.Fixed),
		44: str(25, asc, ll),
		48: str(322, left, lll),
		49: str(3, asc, prefix.ASCII.Fixed),
		52: bin(8, prefix.Binary.Fixed),
		53: str(16, n, fix),
		54: str(20, asc, lll),
		55: bin(255, lll),
		58: bin(999, lll),
		59: bin(999, lll),
		60: str(40, left, lll),
		61: str(29, left, lll),
		62: bin(512, lll),
		63: str(163, encoding.Binary, lll), // GBK: any byte
		64: bin(8, prefix.Binary.Fixed),
	}}
}

// moovValues are a message's fields as moov reads them, binary ones in hex.
func moovValues(m *moov.Message) (map[int]string, error) {
	out := map[int]string{}
	for de, f := range m.GetFields() {
		if de < 2 {
			continue
		}
		s, err := f.String()
		if err != nil {
			return nil, err
		}
		out[de] = strings.ToUpper(s)
		if _, ok := f.(*field.Binary); !ok {
			out[de] = s
		}
	}
	return out, nil
}

// Random messages: what we pack moov reads alike, and what moov packs is byte
// by byte what we pack.
func TestOracle(t *testing.T) {
	spec := moovSpec()
	rapid.Check(t, func(t *rapid.T) {
		mti, want := drawMessage(t)
		for de, v := range want {
			if v == "" {
				delete(want, de) // moov leaves an empty field out when it packs
			}
		}
		var m Message
		fill(&m, mti, want)
		raw, err := UnionPay.Append(nil, &m)
		if err != nil {
			t.Fatal(err)
		}
		theirs := moov.NewMessage(spec)
		if err := theirs.Unpack(raw); err != nil {
			t.Fatalf("moov refuses what we pack: %v", err)
		}
		got, err := moovValues(theirs)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("moov reads %v, meant %v", got, want)
		}

		theirs = moov.NewMessage(spec)
		theirs.MTI(mti.String())
		for de, v := range want {
			if _, ok := spec.Fields[de].(*field.Binary); ok {
				err = theirs.BinaryField(de, unhex(v))
			} else {
				err = theirs.Field(de, v)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		packed, err := theirs.Pack()
		if err != nil {
			t.Fatalf("moov packs not: %v", err)
		}
		if !bytes.Equal(packed, raw) {
			t.Fatalf("moov packs\n%X, we\n%X", packed, raw)
		}
	})
}

// Damaged messages: what moov refuses we refuse. The other way we are the
// stricter ones (fillers, trailing bytes, alphabets).
func TestOracleOnDamage(t *testing.T) {
	spec := moovSpec()
	rapid.Check(t, func(t *rapid.T) {
		mti, values := drawMessage(t)
		raw := build(t, mti, values)
		at := rapid.IntRange(2, len(raw)-1).Draw(t, "at")
		raw[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		var m Message
		ours := UnionPay.Parse(&m, raw)
		theirs := moov.NewMessage(spec).Unpack(raw)
		if ours == nil && theirs != nil {
			t.Fatalf("we take what moov refuses: %v\n%X", theirs, raw)
		}
	})
}

// The published messages, too.
func TestOracleVectors(t *testing.T) {
	for _, v := range []string{vector3, vector5Full, strings.Replace(vector6, "8811", "8819", 1)} {
		f, m := open(t, unhex(v))
		theirs := moov.NewMessage(moovSpec())
		if err := theirs.Unpack(f.Message); err != nil {
			t.Fatal(err)
		}
		got, err := moovValues(theirs)
		if err != nil {
			t.Fatal(err)
		}
		if ours := values(m); fmt.Sprint(got) != fmt.Sprint(ours) {
			t.Errorf("moov reads %v, we %v", got, ours)
		}
		if packed, err := theirs.Pack(); err != nil || !bytes.Equal(packed, f.Message) {
			t.Errorf("moov re-packs %X, %v", packed, err)
		}
	}
}
