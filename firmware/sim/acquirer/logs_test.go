package acquirer

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
)

// piece is DE 62 as the document has it.
func piece(id uint32, n, of int, data string) string {
	b := binary.BigEndian.AppendUint32([]byte{'1'}, id)
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	b = binary.BigEndian.AppendUint16(b, uint16(of))
	sum := crc32.ChecksumIEEE([]byte(string(b) + data))
	return string(binary.BigEndian.AppendUint32(b, sum)) + data
}

func TestLogPiece(t *testing.T) {
	p, err := parseLogPiece(piece(0xDEADBEEF, 2, 3, "bytes"))
	if err != nil || p != (logPiece{0xDEADBEEF, 2, 3, "bytes"}) {
		t.Fatalf("%+v %v", p, err)
	}
	good := piece(1, 1, 1, "x")
	for what, s := range map[string]string{
		"nothing": "", "no bytes": good[:13], "another form": "2" + good[1:], "a bit": good[:13] + "y", "a number": good[:6] + "\x02" + good[7:],
		"piece 0": piece(1, 0, 1, "x"), "behind the last": piece(1, 2, 1, "x"), "of none": piece(1, 0, 0, "x"), "too many": piece(1, 1, mostPieces+1, "x"),
	} {
		if _, err := parseLogPiece(s); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
}

func FuzzLogPiece(f *testing.F) {
	f.Add([]byte(piece(1, 1, 1, "x")))
	f.Add([]byte(piece(7, 3, 9, strings.Repeat("y", 480))))
	f.Add([]byte("1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parseLogPiece(string(b))
		if err != nil {
			return
		}
		if piece(p.id, p.n, p.of, p.data) != string(b) {
			t.Errorf("%+v is not what was read", p)
		}
	})
}
