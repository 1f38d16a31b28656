package tlv

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Tag is a tag of one to three bytes, as the number that its bytes make:
// 0x9F37. B3 Annex B1.
type Tag uint32

// Constructed tells that the value is itself a list of data objects: bit 6 of
// the first byte. B3 Annex B1, Table 35.
func (t Tag) Constructed() bool {
	for t > 0xFF {
		t >>= 8
	}
	return t&0x20 != 0
}

// Len is how many bytes the tag has, 1 to 3.
func (t Tag) Len() int {
	switch {
	case t <= 0xFF:
		return 1
	case t <= 0xFFFF:
		return 2
	}
	return 3
}

// Append adds the tag's bytes to dst.
func (t Tag) Append(dst []byte) []byte {
	for i := t.Len() - 1; i >= 0; i-- {
		dst = append(dst, byte(t>>(8*i)))
	}
	return dst
}

// String is the tag in hexadecimal, as the Books write it: "9F37".
func (t Tag) String() string { return fmt.Sprintf("%0*X", 2*t.Len(), uint32(t)) }

// ParseTag reads a tag written in hexadecimal: "9F37". It fails with ErrTag if
// the text is not exactly one tag.
func ParseTag(s string) (Tag, error) {
	b, err := hex.DecodeString(strings.TrimSpace(s))
	if err != nil {
		return 0, fmt.Errorf("%w: %q", ErrTag, s)
	}
	t, n, err := readTag(b)
	if err != nil || n != len(b) {
		return 0, fmt.Errorf("%w: %q", ErrTag, s)
	}
	return t, nil
}

// readTag reads the tag at the start of b and tells how many bytes it takes.
// B3 Annex B1: the low five bits all set mean that more bytes follow; in them
// bit 8 means that yet another follows. The first of them may not be 80.
func readTag(b []byte) (Tag, int, error) {
	if len(b) == 0 {
		return 0, 0, ErrTruncated
	}
	t := Tag(b[0])
	if b[0]&0x1F != 0x1F {
		return t, 1, nil
	}
	for i := 1; i < 3; i++ {
		if i == len(b) {
			return 0, 0, ErrTruncated
		}
		if i == 1 && b[1] == 0x80 {
			return 0, 0, ErrTag
		}
		t = t<<8 | Tag(b[i])
		if b[i]&0x80 == 0 {
			return t, i + 1, nil
		}
	}
	return 0, 0, ErrTag
}
