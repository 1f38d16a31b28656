package tty

import (
	"bytes"
	"slices"
	"testing"
)

// received plays reads of the line, cut at cut, and takes all that Read hands out.
func received(in []byte, cut int) (got []byte, bad []int) {
	p := &Port{marked: true}
	take := func(b []byte) {
		n, failed := p.unmark(b)
		got = append(got, b[:n]...)
		if failed {
			bad = append(bad, len(got)-1)
		}
	}
	for _, part := range [][]byte{in[:cut], in[cut:]} {
		take(bytes.Clone(part))
		for len(p.rest) > 0 {
			rest := p.rest
			p.rest = nil
			take(bytes.Clone(rest))
		}
	}
	return got, bad
}

// PARMRK: FF 00 x marks x, FF FF is FF; marks may be cut anywhere, and each
// bad byte is told.
func TestUnmark(t *testing.T) {
	for _, c := range []struct {
		in, want []byte
		bad      []int
	}{
		{[]byte("abc"), []byte("abc"), nil},
		{[]byte{0xFF, 0xFF, 'a'}, []byte{0xFF, 'a'}, nil},
		{[]byte{'a', 0xFF, 0x00, 'b', 'c'}, []byte("abc"), []int{1}},
		{[]byte{0xFF, 0x00, 0xFF}, []byte{0xFF}, []int{0}},
		{[]byte{0xFF, 0x00, 0x00, 'x'}, []byte{0, 'x'}, []int{0}}, // a break
		{[]byte{0xFF, 0x00, 'a', 0xFF, 0x00, 'b', 0xFF, 0xFF, 0xFF, 0x00, 'c'}, []byte{'a', 'b', 0xFF, 'c'}, []int{0, 1, 3}},
	} {
		for cut := 0; cut <= len(c.in); cut++ {
			got, bad := received(c.in, cut)
			if !bytes.Equal(got, c.want) || !slices.Equal(bad, c.bad) {
				t.Errorf("%x cut at %d: %x bad %v, want %x bad %v", c.in, cut, got, bad, c.want, c.bad)
			}
		}
	}
}

// Any bytes with any of them bad survive the marks, wherever a read cuts them.
func FuzzUnmark(f *testing.F) {
	f.Add([]byte{0xFF, 0, 'a', 0xFF}, uint64(5), 3)
	f.Fuzz(func(t *testing.T, plain []byte, badBits uint64, cut int) {
		var line []byte
		var want []int
		for i, c := range plain {
			switch {
			case badBits>>(i%64)&1 == 1:
				line = append(line, 0xFF, 0x00, c)
				want = append(want, i)
			case c == 0xFF:
				line = append(line, 0xFF, 0xFF)
			default:
				line = append(line, c)
			}
		}
		got, bad := received(line, max(0, min(cut, len(line))))
		if !bytes.Equal(got, plain) || !slices.Equal(bad, want) {
			t.Errorf("%x became %x, bad %v, want %v", plain, got, bad, want)
		}
	})
}
