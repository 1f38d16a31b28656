package emv

import (
	"testing"

	"golang.org/x/text/encoding/charmap"
)

// Each code of each table against the library's.
func TestCodeTables(t *testing.T) {
	for i, m := range []*charmap.Charmap{
		1: charmap.ISO8859_1, charmap.ISO8859_2, charmap.ISO8859_3, charmap.ISO8859_4, charmap.ISO8859_5,
		charmap.ISO8859_6, charmap.ISO8859_7, charmap.ISO8859_8, charmap.ISO8859_9, charmap.ISO8859_10,
	} {
		if m == nil {
			continue
		}
		for c := range 256 {
			want := ""
			if r := m.DecodeByte(byte(c)); r >= 0x20 && r != 0xFFFD && (r < 0x7F || r >= 0xA0) {
				want = string(r)
			}
			if got := decode([]byte{byte(c)}, byte(i)); got != want {
				t.Errorf("ISO 8859-%d, %02X: %q, want %q", i, c, got, want)
			}
		}
	}
}
