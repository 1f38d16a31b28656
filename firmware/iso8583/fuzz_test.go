package iso8583_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	. "swipewell/firmware/iso8583"
)

func seeds() [][]byte {
	return [][]byte{unhex(honest), unhex(vector2 + "3841394539314238"), unhex(vector3)[13:], unhex(vector5Full)[13:],
		unhex(vector6)[13:], unhex(strings.Replace(vector6, "8811", "8819", 1))[13:], unhex("0810 0000000000000004 0000")}
}

// Whatever is taken packs to the same bytes: as it was parsed, and built anew
// from the values that were read. Whatever is refused names a place inside.
func FuzzParse(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var m, built Message
		if err := UnionPay.Parse(&m, raw); err != nil {
			var fe *FieldError
			if !errors.As(err, &fe) || fe.Offset < 0 || fe.Offset > len(raw) || fe.Reason == 0 || fe.Error() == "" {
				t.Fatalf("refused with %#v", err)
			}
			return
		}
		again, err := UnionPay.Append(nil, &m)
		if err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("%X packs to %X, %v", raw, again, err)
		}
		fill(&built, m.MTI, values(&m))
		again, err = UnionPay.Append(again[:0], &built)
		var fe *FieldError
		if errors.As(err, &fe) && fe.Reason == NoRoom {
			return // parsing has no bound but the frame's; building has one
		}
		if err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("%X is built as %X, %v", raw, again, err)
		}
		if mab, mac, ok := MACRegion(raw); ok != m.Has(DEMAC) || ok && (!bytes.Equal(mac, m.Bytes(DEMAC)) || len(mab)+8 != len(raw)) {
			t.Fatal("the MAC is somewhere else")
		}
	})
}

// A frame that is taken frames to the same bytes, and a stream is never read
// beyond what it announced.
func FuzzFrame(f *testing.F) {
	for _, v := range []string{vector3, vector5Full, vector6, "0000", "FFFF",
		"0037 6000030000" + lri + "603100311307 0800 0000000000000000", "0014 6000030000" + lli + "603100311307 0800"} {
		f.Add(unhex(v))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		body, rest, err := NextFrame(stream)
		if err != nil || body == nil {
			if !bytes.Equal(rest, stream) {
				t.Fatal("bytes were lost")
			}
			return
		}
		if len(body)+LengthSize+len(rest) != len(stream) || len(body) > MaxFrame {
			t.Fatalf("%d bytes: a body of %d, %d left", len(stream), len(body), len(rest))
		}
		frame, err := ParseFrame(body)
		if err != nil {
			var fe *FieldError
			if !errors.As(err, &fe) || fe.Offset > len(body) || fe.Field != 0 {
				t.Fatalf("refused with %#v", err)
			}
			return
		}
		if again := frame.Append(nil); !bytes.Equal(again, stream[:LengthSize+len(body)]) {
			t.Fatalf("%X frames to %X", stream, again)
		}
	})
}
