package acquirer

import (
	"fmt"
	"strings"
)

// form of a field: how its characters stand on the wire. HOST §1.2.
type form byte

const (
	digits  form = 'n' // two to a byte, BCD
	nibbles form = 'z' // as digits; the separator is nibble D, an encrypted track has any
	letters form = 'a' // ASCII letters, digits, blank
	text    form = 's' // any byte
	opaque  form = 'b' // any byte
)

// shape of one field. A fixed field has no length bytes; a variable one has
// one (LL) or two (LLL) of BCD, which count digits for n and z, else bytes.
type shape struct {
	form   form
	size   int // fixed: exact; variable: the most
	prefix int // length bytes
	right  bool
}

// shapes is the dialect, written down from HOST §1.2 a second time.
var shapes = map[int]shape{
	2: {digits, 19, 1, false}, 3: {digits, 6, 0, false}, 4: {digits, 12, 0, false}, 11: {digits, 6, 0, false},
	12: {digits, 6, 0, false}, 13: {digits, 4, 0, false}, 14: {digits, 4, 0, false}, 15: {digits, 4, 0, false},
	22: {digits, 3, 0, false}, 23: {digits, 3, 0, true}, 25: {digits, 2, 0, false}, 26: {digits, 2, 0, false},
	32: {digits, 11, 1, false}, 35: {nibbles, 37, 1, false}, 36: {nibbles, 104, 2, false},
	37: {letters, 12, 0, false}, 38: {letters, 6, 0, false}, 39: {letters, 2, 0, false},
	41: {text, 8, 0, false}, 42: {text, 15, 0, false}, 44: {text, 25, 1, false}, 48: {digits, 322, 2, false},
	49: {letters, 3, 0, false}, 52: {opaque, 8, 0, false}, 53: {digits, 16, 0, false}, 54: {letters, 20, 2, false},
	55: {opaque, 255, 2, false}, 58: {opaque, 999, 2, false}, 59: {opaque, 999, 2, false}, 60: {digits, 40, 2, false},
	61: {digits, 40, 2, false}, 62: {opaque, 512, 2, false}, 63: {text, 163, 2, false}, 64: {opaque, 8, 0, false},
}

// message is one message in the clear: n and z fields as characters (nibbles A
// to F as letters), the others as their bytes.
type message struct {
	mti string
	f   map[int]string
}

func (m message) has(de int) bool { _, ok := m.f[de]; return ok }

// wireError is what is wrong with a message: the field (0: the message
// itself) and the offset, never the content.
type wireError struct {
	field, at int
	why       string
}

func (e *wireError) Error() string {
	if e.field == 0 {
		return fmt.Sprintf("%s at offset %d", e.why, e.at)
	}
	return fmt.Sprintf("DE %d at offset %d: %s", e.field, e.at, e.why)
}

// mtiOf reads the first two bytes, "" if they are no digits.
func mtiOf(raw []byte) string {
	if len(raw) < 2 {
		return ""
	}
	s := spread(raw[:2])
	if strings.ContainsAny(s, "ABCDEF") {
		return ""
	}
	return s
}

// decode reads a message from MTI to its last byte. On an error it returns
// what stood before it, so that the refusal can name its terminal.
func decode(raw []byte) (message, error) {
	m := message{f: map[int]string{}}
	if m.mti = mtiOf(raw); m.mti == "" {
		return m, &wireError{0, 0, "no MTI"}
	}
	if len(raw) < 10 {
		return m, &wireError{0, len(raw), "ends in the bitmap"}
	}
	if raw[2]&0x80 != 0 {
		return m, &wireError{1, 2, "a second bitmap"}
	}
	rest, at := raw[10:], 10
	for de := 2; de <= 64; de++ {
		if raw[2+(de-1)/8]&(0x80>>((de-1)%8)) == 0 {
			continue
		}
		s, ok := shapes[de]
		if !ok {
			return m, &wireError{de, at, "not in the dialect"}
		}
		v, used, why := s.take(rest)
		if why != "" {
			return m, &wireError{de, at, why}
		}
		m.f[de] = v
		rest, at = rest[used:], at+used
	}
	if len(rest) != 0 {
		return m, &wireError{0, at, fmt.Sprintf("%d bytes that the bitmap does not announce", len(rest))}
	}
	return m, nil
}

// take reads one value from the front of b; why is "" if it is right.
func (s shape) take(b []byte) (v string, used int, why string) {
	n := s.size
	if s.prefix > 0 {
		if len(b) < s.prefix {
			return "", 0, "ends in its length"
		}
		n = 0
		for _, c := range spread(b[:s.prefix]) {
			if c > '9' {
				return "", 0, "its length is no number"
			}
			n = n*10 + int(c-'0')
		}
		if n > s.size {
			return "", 0, fmt.Sprintf("length %d, at most %d", n, s.size)
		}
		used = s.prefix
	}
	width := n
	if s.packed() {
		width = (n + 1) / 2
	}
	if len(b) < used+width {
		return "", 0, "ends inside the field"
	}
	body := b[used : used+width]
	used += width
	if !s.packed() {
		if s.form == letters && strings.ContainsFunc(string(body), notLetter) {
			return "", 0, "a character that is no letter or digit"
		}
		return string(body), used, ""
	}
	v = spread(body)
	if n%2 == 1 {
		pad := v[len(v)-1]
		if s.right {
			pad, v = v[0], v[1:]
		} else {
			v = v[:len(v)-1]
		}
		if pad != '0' {
			return "", 0, "the filler is not 0"
		}
	}
	if s.form == digits && strings.ContainsAny(v, "ABCDEF") {
		return "", 0, "a nibble that is no digit"
	}
	return v, used, ""
}

func (s shape) packed() bool { return s.form == digits || s.form == nibbles }

func notLetter(r rune) bool {
	return r != ' ' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// encode packs m; the fields of f decide the bitmap. An error is a bug here.
func encode(m message) ([]byte, error) {
	out := append(pack(m.mti), make([]byte, 8)...)
	for de := 2; de <= 64; de++ {
		v, ok := m.f[de]
		if !ok {
			continue
		}
		s, known := shapes[de]
		if !known || len(v) > s.size || s.prefix == 0 && len(v) != s.size {
			return nil, fmt.Errorf("acquirer: DE %d does not take %d characters", de, len(v))
		}
		out[2+(de-1)/8] |= 0x80 >> ((de - 1) % 8)
		if s.prefix > 0 {
			out = append(out, pack(fmt.Sprintf("%0*d", 2*s.prefix, len(v)))...)
		}
		switch {
		case !s.packed():
			out = append(out, v...)
		case len(v)%2 == 1 && s.right:
			out = append(out, pack("0"+v)...)
		case len(v)%2 == 1:
			out = append(out, pack(v+"0")...)
		default:
			out = append(out, pack(v)...)
		}
	}
	return out, nil
}

const hexDigits = "0123456789ABCDEF"

// spread writes each nibble as a hex digit.
func spread(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		s.WriteByte(hexDigits[c>>4])
		s.WriteByte(hexDigits[c&15])
	}
	return s.String()
}

// pack is the inverse of spread for an even number of hex digits; '=' is the
// separator nibble too. What is no hex digit packs as 0.
func pack(s string) []byte {
	out := make([]byte, len(s)/2)
	for i := range 2 * len(out) {
		v := strings.IndexByte(hexDigits, s[i])
		if s[i] == '=' {
			v = 0xD
		}
		out[i/2] |= byte(max(v, 0)) << (4 * (1 - i%2))
	}
	return out
}
