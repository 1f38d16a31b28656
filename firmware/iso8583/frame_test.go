package iso8583_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	. "swipewell/firmware/iso8583"
	"swipewell/firmware/iso8583/tpdu"
)

// Blocks: an LRI as a dial-up terminal sends it (HOST §1.1), caller, called and
// twelve bytes of times; LLI and LUI by their length.
var (
	lri = "4C5249 001C 0000000000000000 0000000000000000 580009490006000000320001"
	lui = "4C5549 0023" + strings.Repeat("00", 0x23)
	lli = "4C4C49 0002 AABB"
)

func TestFrame(t *testing.T) {
	const head, tail = "6000030000", "603100311307 0800 0000000000000000"
	for _, c := range []struct {
		name, blocks string
	}{{"plain", ""}, {"LRI", lri}, {"LUI", lui}, {"all", lri + lli + lui}} {
		raw := unhex(head + c.blocks + tail)
		f, err := ParseFrame(raw)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if f.TPDU.NII() != 0x0003 || !bytes.Equal(f.Blocks, unhex(c.blocks)) || f.Header.String() != "603100311307" || len(f.Message) != 10 {
			t.Errorf("%s: %v, %d bytes of blocks", c.name, f, len(f.Blocks))
		}
		again := f.Append(nil)
		if body, rest, err := NextFrame(again); err != nil || len(rest) != 0 || !bytes.Equal(body, raw) {
			t.Errorf("%s: re-framed differently", c.name)
		}
	}
}

func TestFrameLies(t *testing.T) {
	const head, tail = "6000030000", "603100311307 0800 0000000000000000"
	for _, c := range []struct {
		name, raw string
		offset    int
		reason    Reason
	}{
		{"empty", "", 0, Truncated},
		{"half a TPDU", "600003", 3, Truncated},
		{"a letter in the TPDU", "60000A0000" + tail, 2, BadFrame},
		{"a letter in the header", head + "6031003113F7", 10, BadFrame},
		{"half a header", head + "603100", 8, Truncated},
		{"an unknown block", head + "4C5858 0000" + tail, 5, BadFrame},
		{"LRI of another length", head + "4C5249 001D" + tail, 8, BadLength},
		{"LRI cut short", head + "4C5249 001C 00", 11, Truncated},
		{"a block without length", head + "4C5549 00", 9, Truncated},
		{"a block longer than the frame", head + lri + "4C5549 0100" + tail, 5 + 33 + 5 + 16, Truncated},
		{"blocks and no header", head + lri, 5 + 33, Truncated},
	} {
		_, err := ParseFrame(unhex(c.raw))
		var fe *FieldError
		if !errors.As(err, &fe) || fe.Field != 0 || fe.Offset != c.offset || fe.Reason != c.reason {
			t.Errorf("%s: got %v, want %v at %d", c.name, err, c.reason, c.offset)
		}
	}
}

// A stream is cut where its lengths say, however it arrives.
func TestNextFrame(t *testing.T) {
	one, two := unhex(vector3), unhex(vector5Full)
	stream := append(append([]byte(nil), one...), two...)
	var buf []byte
	var got [][]byte
	for _, b := range stream {
		buf = append(buf, b)
		body, rest, err := NextFrame(buf)
		if err != nil {
			t.Fatal(err)
		}
		if body != nil {
			got = append(got, append([]byte(nil), body...))
			buf = append(buf[:0], rest...)
		}
	}
	if len(got) != 2 || len(buf) != 0 || !bytes.Equal(got[0], one[2:]) || !bytes.Equal(got[1], two[2:]) {
		t.Errorf("%d frames, %d bytes left", len(got), len(buf))
	}
	for _, bad := range []string{"0000", "0801", "FFFF"} {
		if _, _, err := NextFrame(unhex(bad)); err == nil {
			t.Errorf("%s: a length of 0 or over %d was taken", bad, MaxFrame)
		}
	}
	if body, _, err := NextFrame(unhex("0800")); body != nil || err != nil {
		t.Error("the largest frame is not waited for")
	}
}

// AppendFrame has two bytes for the length; no message of the dialect needs more.
func TestEveryMessageFitsAFrame(t *testing.T) {
	if n := UnionPay.Most() + HeaderSize + tpdu.Size; n > 0xFFFF {
		t.Errorf("a message may have %d bytes", n)
	}
}

func TestHeader(t *testing.T) {
	h, err := ParseHeader("603112320072")
	if err != nil {
		t.Fatal(err)
	}
	if h.AppClass() != ApplicationBankCard || h.Version() != 31 || h.State() != 1 || h.Processing() != OrderStatus || h.SubVersion() != 320072 {
		t.Errorf("%v: class %d version %d state %d order %d sub-version %d", h, h.AppClass(), h.Version(), h.State(), h.Processing(), h.SubVersion())
	}
	if g := h.WithState(0).WithProcessing(OrderSignOn); g.String() != "603103320072" {
		t.Errorf("%v", g)
	}
	if g := h.WithProcessing(OrderParameters).WithProcessing(OrderCAPK).WithState(0).WithState(1); g.String() != "603114320072" {
		t.Errorf("%v: an order adds up", g)
	}
	for _, bad := range []string{"", "60", "60311232007", "6031123200722", "60311232007A", "60311232007x"} {
		if _, err := ParseHeader(bad); err == nil {
			t.Errorf("%q is a header", bad)
		}
	}
}

func TestFramePrintsItsEnvelope(t *testing.T) {
	f, m := open(t, unhex(vector5Full))
	const want = "6000060000 603100311003, 415 bytes"
	for _, verb := range []string{"%v", "%s", "%+v", "%#v", "%x", "%d", "%q"} {
		if got := fmt.Sprintf(verb, f); got != want {
			t.Errorf("%s: %s", verb, got)
		}
	}
	_ = m
}
