package acquirer

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// objects are the data objects of a field 55 by tag, in hexadecimal. B3 Annex B.
type objects map[string][]byte

// readTLV reads a list of data objects: tags of one to three bytes, lengths in the
// definite form, nothing twice and nothing between them. The error names offsets and
// tags, never a value.
func readTLV(s string) (objects, error) {
	out := objects{}
	for at := 0; at < len(s); {
		end := at + 1
		if s[at]&0x1F == 0x1F {
			for more := true; more; end++ {
				if end == len(s) || end == at+3 {
					return nil, fmt.Errorf("no tag at offset %d", at)
				}
				more = s[end]&0x80 != 0
			}
		}
		if s[at] == 0 || s[at] == 0xFF {
			return nil, fmt.Errorf("filler at offset %d", at)
		}
		tag := strings.ToUpper(hex.EncodeToString([]byte(s[at:end])))
		if end == len(s) {
			return nil, fmt.Errorf("%s ends before its length", tag)
		}
		size := int(s[end])
		end++
		if size >= 0x80 {
			n := size & 0x7F
			if n < 1 || n > 2 || end+n > len(s) {
				return nil, fmt.Errorf("%s has no length", tag)
			}
			size = 0
			for range n {
				size = size<<8 | int(s[end])
				end++
			}
		}
		if end+size > len(s) {
			return nil, fmt.Errorf("%s ends behind the field", tag)
		}
		if _, twice := out[tag]; twice {
			return nil, fmt.Errorf("%s is there twice", tag)
		}
		out[tag] = []byte(s[end : end+size])
		at = end + size
	}
	return out, nil
}

// object writes one data object. B3 Annex B2.
func object(tag string, value []byte) string {
	n := len(value)
	size := string([]byte{byte(n)})
	if n > 0x7F {
		size = string([]byte{0x81, byte(n)})
	}
	return string(pack(tag)) + size + string(value)
}

// place is what a data object of a message must be.
type place struct{ least, most int }

// HOST §1.4: the objects of field 55.
var (
	// chipMust are in every request, advice and upload of a chip.
	chipMust = map[string]place{"9F26": {8, 8}, "9F27": {1, 1}, "9F10": {7, 32}, "9F37": {4, 4}, "9F36": {2, 2}, "95": {5, 5}, "9A": {3, 3}, "9C": {1, 1},
		"9F02": {6, 6}, "5F2A": {2, 2}, "82": {2, 2}, "9F1A": {2, 2}, "9F03": {6, 6}, "9F33": {3, 3}}
	chipMay = map[string]place{"9F34": {3, 3}, "9F35": {1, 1}, "9F1E": {8, 8}, "84": {5, 16}, "9F09": {2, 2}, "9F41": {2, 4}, "9F63": {16, 16}, "9F74": {6, 6}}
	// afterwards may be there too once GENERATE AC 2 is over, or was offline.
	afterwards = map[string]place{"8A": {2, 2}, "DF31": {5, 100}}

	reversalMust = map[string]place{"95": {5, 5}, "9F10": {7, 32}}
	reversalMay  = map[string]place{"9F1E": {8, 8}, "9F36": {2, 2}, "DF31": {5, 100}}

	resultMust = map[string]place{"9F33": {3, 3}, "95": {5, 5}, "9F37": {4, 4}, "9F10": {7, 32}, "9F26": {8, 8}, "9F36": {2, 2}, "82": {2, 2}, "DF31": {5, 100},
		"9F1A": {2, 2}, "9A": {3, 3}}
	resultMay = map[string]place{"9F1E": {8, 8}}
)

// needs tells what is missing, misshaped or out of place, "" if nothing.
func (o objects) needs(must map[string]place, may ...map[string]place) string {
	for _, tag := range sorted(must) {
		if _, ok := o[tag]; !ok {
			return tag + " is not there"
		}
	}
	for _, tag := range sorted(o) {
		p, ok := must[tag]
		for _, m := range may {
			if q, here := m[tag]; here {
				p, ok = q, true
			}
		}
		switch n := len(o[tag]); {
		case !ok:
			return tag + " does not belong there"
		case n < p.least || n > p.most:
			return fmt.Sprintf("%s has %d bytes", tag, n)
		}
	}
	return ""
}
