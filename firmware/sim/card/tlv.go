package card

import (
	"encoding/hex"
	"strings"
)

// object is one data object of the card's files.
type object struct {
	tag   string // hexadecimal, upper case
	value []byte
}

// tlv writes one object. B3 Annex B.
func tlv(tag string, value []byte) []byte {
	out := unhex(tag)
	switch n := len(value); {
	case n < 0x80:
		out = append(out, byte(n))
	case n < 0x100:
		out = append(out, 0x81, byte(n))
	default:
		out = append(out, 0x82, byte(n>>8), byte(n))
	}
	return append(out, value...)
}

func encode(list []object) []byte {
	var out []byte
	for _, o := range list {
		out = append(out, tlv(o.tag, o.value)...)
	}
	return out
}

// unhex reads hexadecimal that Check has proven; anything else is empty.
func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		return nil
	}
	return b
}

func hexOf(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// want is one entry of a DOL.
type want struct {
	tag string
	n   int
}

// readDOL takes a DOL apart. B3 §5.4.
func readDOL(b []byte) []want {
	var list []want
	for len(b) > 1 {
		n := 1
		if b[0]&0x1F == 0x1F {
			for n < len(b) && n < 3 {
				n++
				if b[n-1]&0x80 == 0 {
					break
				}
			}
		}
		if n >= len(b) {
			return list
		}
		list = append(list, want{hexOf(b[:n]), int(b[n])})
		b = b[n+1:]
	}
	return list
}

// split cuts the data of a command by its DOL; nil if the length is another.
func split(dol, data []byte) map[string][]byte {
	m := map[string][]byte{}
	for _, w := range readDOL(dol) {
		if w.n > len(data) {
			return nil
		}
		m[w.tag], data = data[:w.n], data[w.n:]
	}
	if len(data) != 0 {
		return nil
	}
	return m
}
