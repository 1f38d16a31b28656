package tlv

import "errors"

// Errors of a data object list.
var (
	ErrDOL     = errors.New("tlv: not a list of tags and lengths")
	ErrDOLLong = errors.New("tlv: the list asks for more than a command can carry")
)

// MaxDOL is the most bytes that a list may ask for: what fits one C-APDU behind
// the tag and length of template 83. B3 §5.4, §6.5.8.3.
const MaxDOL = 252

// Want is one entry of a list: a tag, and how many bytes of it. B3 §5.4.
type Want struct {
	Tag Tag
	Len int
}

// ParseDOL reads a data object list. B3 §5.4.
func ParseDOL(b []byte) ([]Want, error) {
	var list []Want
	for len(b) > 0 {
		t, n, err := readTag(b)
		if err != nil || n == len(b) {
			return nil, ErrDOL
		}
		if b[n] > MaxDOL {
			return nil, ErrDOLLong // one byte of length: B3 §5.4
		}
		list = append(list, Want{t, int(b[n])})
		b = b[n+1:]
	}
	return list, nil
}

// Asks tells whether the list names t.
func Asks(dol []byte, t Tag) bool {
	list, err := ParseDOL(dol)
	if err != nil {
		return false
	}
	for _, w := range list {
		if w.Tag == t {
			return true
		}
	}
	return false
}

// Fill builds the bytes that a list asks for; get finds a value. B3 §5.4: what
// is absent, unknown or constructed becomes zeros; too long loses its left end
// if it is numeric, else its right end; too short is filled on the left with 00
// if numeric, on the right with FF if compressed numeric, else with 00.
func Fill(dol []byte, get func(Tag) ([]byte, bool)) ([]byte, error) {
	list, err := ParseDOL(dol)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, w := range list {
		total += w.Len
	}
	if total > MaxDOL {
		return nil, ErrDOLLong
	}
	out := make([]byte, 0, total)
	for _, w := range list {
		v, ok := get(w.Tag)
		if !ok || w.Tag.Constructed() {
			v = nil
		}
		out = appendFit(out, v, w.Len, FormatOf(w.Tag), ok)
	}
	return out, nil
}

func appendFit(out, v []byte, n int, f Format, present bool) []byte {
	if len(v) >= n {
		if f == N {
			return append(out, v[len(v)-n:]...)
		}
		return append(out, v[:n]...)
	}
	pad := byte(0)
	if f == CN && present {
		pad = 0xFF
	}
	if f != N {
		out = append(out, v...)
	}
	for range n - len(v) {
		out = append(out, pad)
	}
	if f == N {
		out = append(out, v...)
	}
	return out
}
