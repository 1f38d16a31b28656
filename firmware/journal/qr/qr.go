// Package qr carries a piece of the log through a camera: entries, packed, in a row of QR codes,
// when neither cable nor stick is at hand.
//
// Sources:
//   - QR: ISO/IEC 18004, versions, alphanumeric mode
//   - BASE45: RFC 9285, bytes in the alphabet of that mode
//   - ADR42: doc/adr/0042-ways-out.md
//
// A code's text is "SWQ1.ID.K.N." and base45: ID is the CRC-32 of all that is carried, in hex, K of
// N counts from 1. Whatever reads them, in whatever order, gives texts; Join makes the bytes of
// them. The bytes are zstd over entries, a line of JSON each, as the service socket has them.
package qr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	rsc "rsc.io/qr"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/segment"
)

// Grid is a code: whether each module is dark, row by row.
type Grid [][]bool

// headRoom is what the head of a text takes at most.
const headRoom = len("SWQ1.00000000.99.99.")

// capacity is how many characters of the alphanumeric mode a code of so many modules holds at
// level L (QR table 7), by version from 1 on.
var capacity = [...]int{25, 47, 77, 114, 154, 195, 224, 279, 335, 395, 468, 535, 619, 667, 758, 854, 938, 1046, 1153, 1249}

// Fits is how many characters a square of so many modules holds.
func Fits(modules int) int {
	n := 0
	for v, c := range capacity {
		if 17+4*(v+1) <= modules {
			n = c
		}
	}
	return n
}

// most is how many codes a person reads.
const most = 99

// Texts divides bytes into texts of at most so many characters.
func Texts(b []byte, chars int) ([]string, error) {
	per := (chars - headRoom) / 3 * 2
	if per <= 0 {
		return nil, errors.New("qr: the display is too small for a code")
	}
	n := max((len(b)+per-1)/per, 1)
	if n > most {
		return nil, fmt.Errorf("qr: %d codes are too many", n)
	}
	id := crc32.ChecksumIEEE(b)
	var out []string
	for k := range n {
		out = append(out, fmt.Sprintf("SWQ1.%08X.%d.%d.%s", id, k+1, n, encode45(b[min(k*per, len(b)):min((k+1)*per, len(b))])))
	}
	return out, nil
}

// Draw makes a text's code.
func Draw(text string) (Grid, error) {
	c, err := rsc.Encode(text, rsc.L)
	if err != nil {
		return nil, fmt.Errorf("qr: %w", err)
	}
	g := make(Grid, c.Size)
	for y := range g {
		g[y] = make([]bool, c.Size)
		for x := range g[y] {
			g[y][x] = c.Black(x, y)
		}
	}
	return g, nil
}

// Join puts texts together, in whatever order they come and how often. What is missing is named.
func Join(texts []string) ([]byte, error) {
	var id string
	var parts [][]byte
	for _, t := range texts {
		if t = strings.Trim(t, "\r\n\t"); strings.TrimSpace(t) == "" {
			continue
		}
		f := strings.SplitN(t, ".", 5)
		if len(f) != 5 || f[0] != "SWQ1" {
			return nil, fmt.Errorf("qr: not a part of a log: %.24q", t)
		}
		k, kerr := strconv.Atoi(f[2])
		n, nerr := strconv.Atoi(f[3])
		if kerr != nil || nerr != nil || k < 1 || k > n || n > most {
			return nil, fmt.Errorf("qr: part %q of %q", f[2], f[3])
		}
		if parts == nil {
			id, parts = f[1], make([][]byte, n)
		}
		if f[1] != id || n != len(parts) {
			return nil, fmt.Errorf("qr: parts of two logs: %s and %s", id, f[1])
		}
		b, err := decode45(f[4])
		if err != nil {
			return nil, fmt.Errorf("qr: part %d: %w", k, err)
		}
		parts[k-1] = append([]byte{}, b...)
	}
	if parts == nil {
		return nil, errors.New("qr: no parts")
	}
	var missing []string
	for k, p := range parts {
		if p == nil {
			missing = append(missing, strconv.Itoa(k+1))
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("qr: of %d parts these are missing: %s", len(parts), strings.Join(missing, ", "))
	}
	b := bytes.Join(parts, nil)
	if want, err := strconv.ParseUint(id, 16, 32); err != nil || crc32.ChecksumIEEE(b) != uint32(want) {
		return nil, errors.New("qr: the parts do not make the log that was shown")
	}
	return b, nil
}

// Pack is entries as they are carried.
func Pack(es []entry.Entry) ([]byte, error) {
	var b bytes.Buffer
	for _, e := range es {
		raw, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		b.Write(append(raw, '\n'))
	}
	return segment.Pack(nil, b.Bytes()), nil
}

// PackLast packs as many of the youngest entries as so many codes of so many characters hold.
func PackLast(es []entry.Entry, codes, chars int) (b []byte, n int, err error) {
	room := codes * ((chars - headRoom) / 3 * 2)
	low, high := 0, len(es)
	for low < high { // the largest n that fits
		n := (low + high + 1) / 2
		if b, err = Pack(es[len(es)-n:]); err != nil {
			return nil, 0, err
		}
		if len(b) <= room {
			low = n
		} else {
			high = n - 1
		}
	}
	b, err = Pack(es[len(es)-low:])
	return b, low, err
}

// Unpack is the inverse of Pack.
func Unpack(b []byte) (es []entry.Entry, err error) {
	raw, err := segment.Unpack(nil, b)
	if err != nil {
		return nil, fmt.Errorf("qr: %w", err)
	}
	for line := range bytes.Lines(raw) {
		var e entry.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return es, fmt.Errorf("qr: %w", err)
		}
		es = append(es, e)
	}
	return es, nil
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// encode45 is BASE45 §4.
func encode45(b []byte) string {
	var s strings.Builder
	for ; len(b) >= 2; b = b[2:] {
		n := int(b[0])<<8 | int(b[1])
		s.WriteByte(alphabet[n%45])
		s.WriteByte(alphabet[n/45%45])
		s.WriteByte(alphabet[n/2025])
	}
	if len(b) == 1 {
		s.WriteByte(alphabet[b[0]%45])
		s.WriteByte(alphabet[b[0]/45])
	}
	return s.String()
}

var errBase45 = errors.New("not base45")

func decode45(s string) (b []byte, err error) {
	for len(s) > 0 {
		n, mul, most := 0, 1, min(len(s), 3)
		if most == 1 {
			return nil, errBase45
		}
		for i := range most {
			d := strings.IndexByte(alphabet, s[i])
			if d < 0 {
				return nil, errBase45
			}
			n, mul = n+d*mul, mul*45
		}
		switch {
		case most == 3 && n <= 0xffff:
			b = append(b, byte(n>>8), byte(n))
		case most == 2 && n <= 0xff:
			b = append(b, byte(n))
		default:
			return nil, errBase45
		}
		s = s[most:]
	}
	return b, nil
}
