package tpdu_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/iso8583/tpdu"
)

func TestHeader(t *testing.T) {
	h, err := tpdu.Parse("6000031234")
	if err != nil {
		t.Fatal(err)
	}
	if h.NII() != 0x0003 || h.Source() != 0x1234 || h.String() != "6000031234" {
		t.Errorf("%v: to %04x from %04x", h, h.NII(), h.Source())
	}
	if s := h.Swapped(); s.String() != "6012340003" || s.Swapped() != h {
		t.Errorf("answered by %v", s)
	}
	if got := h.Append([]byte{1}); !bytes.Equal(got, []byte{1, 0x60, 0, 3, 0x12, 0x34}) {
		t.Errorf("appended as %x", got)
	}
	for _, bad := range []string{"", "60", "600003123", "60000312345", "60000312345x", "600003123A", "60000３1234"} {
		if _, err := tpdu.Parse(bad); err == nil {
			t.Errorf("%q is a TPDU", bad)
		}
	}
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		raw    string
		offset int // -1: good
	}{
		{"\x60\x00\x03\x00\x00", -1}, {"\x60\x00\x03\x00\x00\x60\x31", -1}, {"", 0}, {"\x60\x00\x03\x00", 4},
		{"\x6A\x00\x03\x00\x00", 0}, {"\x60\x00\x03\x00\xA0", 4},
	} {
		h, err := tpdu.Read([]byte(c.raw))
		var te *tpdu.Error
		switch {
		case c.offset < 0 && (err != nil || string(h[:]) != c.raw[:5]):
			t.Errorf("%x: %v, %v", c.raw, h, err)
		case c.offset >= 0 && (!errors.As(err, &te) || te.Offset != c.offset || h != tpdu.Header{}):
			t.Errorf("%x: %v, want offset %d", c.raw, err, c.offset)
		}
	}
}

func TestTextAndBytesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{10}`).Draw(t, "digits")
		h, err := tpdu.Parse(digits)
		if err != nil || h.String() != digits {
			t.Fatalf("%v, %v", h, err)
		}
		if back, err := tpdu.Read(h.Append(nil)); err != nil || back != h {
			t.Fatalf("%v, %v", back, err)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("\x60\x00\x03\x00\x00"))
	f.Add([]byte("\x60\xA0"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := tpdu.Read(raw)
		if err != nil {
			return
		}
		if !bytes.Equal(h.Append(nil), raw[:tpdu.Size]) {
			t.Errorf("%x became %v", raw, h)
		}
		if back, err := tpdu.Parse(h.String()); err != nil || back != h {
			t.Errorf("%v is read as %v, %v", h, back, err)
		}
	})
}
