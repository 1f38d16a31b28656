package panel_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"swipewell/drivers/panel"
)

func TestReadMessageEnds(t *testing.T) {
	m := panel.AppendMessage(nil, panel.MsgKey, []byte{3})
	if _, _, err := panel.ReadMessage(bytes.NewReader(nil)); err != io.EOF {
		t.Errorf("between two messages: %v", err)
	}
	for n := 1; n < len(m); n++ {
		if _, _, err := panel.ReadMessage(bytes.NewReader(m[:n])); !errors.Is(err, panel.ErrWire) {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
}

// The bytes of wire.md.
func TestWireFormat(t *testing.T) {
	for _, tc := range []struct {
		typ  panel.Type
		v    any
		want string
	}{
		{panel.MsgHello, panel.Hello{Version: 2, WallNS: 7, BootNS: 5, Paper: true}, "H\x00\x00\x002" + `{"version":2,"wall_ns":7,"boot_ns":5,"paper":true}`},
		{panel.MsgAdvance, panel.Advance{ID: 1, NS: 2}, "A\x00\x00\x00\x0f" + `{"id":1,"ns":2}`},
		{panel.MsgIdle, panel.Idle{ID: 1, Next: -1, Stir: 9}, "i\x00\x00\x00\x1c" + `{"id":1,"next":-1,"stir":9}`},
	} {
		got, err := panel.AppendJSON(nil, tc.typ, tc.v)
		if err != nil || string(got[5:]) != tc.want[5:] || got[0] != tc.want[0] {
			t.Errorf("%q %v, want %q", got, err, tc.want)
		}
		if n := int(got[3])<<8 | int(got[4]); n != len(got)-5 {
			t.Errorf("length %d of %d", n, len(got)-5)
		}
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add(panel.AppendMessage(nil, panel.MsgKey, []byte{3}))
	f.Add(panel.AppendMessage(nil, panel.MsgFrame, make([]byte, 5000)))
	f.Add([]byte{'K', 0xFF, 0xFF, 0xFF, 0xFF})
	f.Add([]byte{'K', 0, 0x0F, 0xFF, 0xFF, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		typ, payload, err := panel.ReadMessage(bytes.NewReader(b))
		if err == nil && !bytes.HasPrefix(b, panel.AppendMessage(nil, typ, payload)) {
			t.Error("does not re-pack")
		}
		if err != nil && err != io.EOF && !errors.Is(err, panel.ErrWire) {
			t.Errorf("an error without a name: %v", err)
		}
	})
}

func FuzzParseFrame(f *testing.F) {
	f.Add(8, 8, true, []byte{0, 1, 0, 2, 0xAA, 0x55})
	f.Add(2, 2, false, []byte{0, 0, 0, 1, 1, 2, 3, 4})
	f.Add(320, 240, false, []byte{0xFF, 0xFF, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, w, h int, mono bool, b []byte) {
		if w < 1 || h < 1 || w > 2048 || h > 2048 {
			return
		}
		s := panel.Size{W: w, H: h, Mono: mono}
		r, err := panel.ParseFrame(s, b)
		if err != nil {
			if !errors.Is(err, panel.ErrWire) {
				t.Errorf("an error without a name: %v", err)
			}
			return
		}
		whole := make([]byte, s.Stride()*h)
		if n := copy(whole[r.Y*s.Stride():], r.Pix); n != len(r.Pix) {
			t.Errorf("%d of %d bytes fit the picture", n, len(r.Pix))
		}
	})
}

// Unknown members of a message are for a later version.
func TestUnknownMembersAreIgnored(t *testing.T) {
	var s panel.Small
	if err := json.Unmarshal([]byte(`{"id":4,"later":[1]}`), &s); err != nil || s.ID != 4 {
		t.Errorf("%+v %v", s, err)
	}
}
