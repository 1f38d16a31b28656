package tty

import (
	"bytes"
	"testing"
)

// PARMRK: FF 00 x marks x, FF FF is FF; marks may be cut anywhere.
func TestUnmark(t *testing.T) {
	for _, c := range []struct {
		in   []byte
		want []byte
		bad  int // offset of the first bad byte over the whole, -1 none
	}{
		{[]byte("abc"), []byte("abc"), -1},
		{[]byte{0xFF, 0xFF, 'a'}, []byte{0xFF, 'a'}, -1},
		{[]byte{'a', 0xFF, 0x00, 'b', 'c'}, []byte("abc"), 1},
		{[]byte{0xFF, 0x00, 0xFF}, []byte{0xFF}, 0},
	} {
		for cut := 0; cut <= len(c.in); cut++ {
			p := &Port{marked: true}
			var got []byte
			bad := -1
			for _, part := range [][]byte{c.in[:cut], c.in[cut:]} {
				b := bytes.Clone(part)
				n, at := p.unmark(b)
				if at >= 0 && bad < 0 {
					bad = len(got) + at
				}
				got = append(got, b[:n]...)
			}
			if !bytes.Equal(got, c.want) || bad != c.bad {
				t.Errorf("%x cut at %d: %x bad %d, want %x bad %d", c.in, cut, got, bad, c.want, c.bad)
			}
		}
	}
}
