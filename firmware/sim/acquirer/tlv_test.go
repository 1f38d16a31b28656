package acquirer

import (
	"bytes"
	"strings"
	"testing"
)

func TestReadTLV(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"", ""}, {"9505" + "0000008000", "95=0000008000"}, {"9F2701809F3602" + "0001", "9F27=80 9F36=0001"}, {"9500", "95="},
		{"958105" + "0000008000", "95=0000008000"}, {"9582000100", "95=00"}, {"DF813101FF", "DF8131=FF"}, {"7002" + "9500", "70=9500"},
	} {
		o, err := readTLV(string(pack(row.in)))
		var got []string
		for _, tag := range sorted(o) {
			got = append(got, tag+"="+upper(o[tag]))
		}
		if err != nil || strings.Join(got, " ") != row.want {
			t.Errorf("%s: %v %v", row.in, got, err)
		}
	}
	for in, why := range map[string]string{
		"9F": "no tag at offset 0", "9F80": "no tag at offset 0", "9F808000": "no tag at offset 0", "95": "95 ends before its length", "9F27": "9F27 ends before its length",
		"9580": "95 has no length", "9583000001": "95 has no length", "958200": "95 has no length", "9581": "95 has no length", "950100" + "950100": "95 is there twice",
		"9502" + "00": "95 ends behind the field", "00": "filler at offset 0", "950100" + "00": "filler at offset 3", "FF0100": "filler at offset 0",
	} {
		if _, err := readTLV(string(pack(in))); err == nil || err.Error() != why {
			t.Errorf("%s: %v, want %s", in, err, why)
		}
	}
}

// What is read, written again, is read the same, and no value is in an error.
func FuzzReadTLV(f *testing.F) {
	for _, s := range []string{"9F2701809F36020001", "9582000100", "DF813101FF", "9F80808000", "00", "9581FF"} {
		f.Add(pack(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := readTLV(string(b))
		if err != nil {
			if len(err.Error()) > 60 {
				t.Error(err)
			}
			return
		}
		again := ""
		for _, tag := range sorted(o) {
			if len(o[tag]) > 0xFF {
				return
			}
			again += object(tag, o[tag])
		}
		p, err := readTLV(again)
		if err != nil || len(p) != len(o) {
			t.Fatalf("%v: %d objects of %d", err, len(p), len(o))
		}
		for tag, v := range o {
			if !bytes.Equal(p[tag], v) {
				t.Errorf("%s: %d bytes of %d", tag, len(p[tag]), len(v))
			}
		}
	})
}
