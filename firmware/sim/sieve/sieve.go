package sieve

import (
	"encoding/binary"
	"io"
	"strings"
)

// bloomBits is the size of the first filter: with a million patterns, one window
// in thirty passes it by chance and is looked up.
const bloomBits = 25

// table finds patterns by the last w bytes of their core.
type table struct {
	w     int
	bloom []uint64
	at    map[uint64][]int32
}

func newTable(w int) *table {
	return &table{w: w, bloom: make([]uint64, 1<<(bloomBits-6)), at: map[uint64][]int32{}}
}

func mix(v uint64) uint64 { return v * 0x9E3779B97F4A7C15 >> (64 - bloomBits) }

func (t *table) add(v uint64, i int32) {
	h := mix(v)
	t.bloom[h>>6] |= 1 << (h & 63)
	t.at[v] = append(t.at[v], i)
}

// Sieve looks for the secrets of many cards in one pass. It may be used by
// several goroutines at once when it has been made.
type Sieve struct {
	ps        []pattern
	long      *table // by eight bytes
	short     *table // by five
	longest   int    // bytes around a window that a match may need
	Unsought  int    // PINs that are too short or too plain to be searched for as digits
	Plain     int    // card numbers whose end is too plain: searched for as a whole
	encodings map[Kind]map[string]bool
}

// New makes a sieve for cards.
func New(cards []Card) *Sieve {
	s := &Sieve{long: newTable(8), short: newTable(minCore), encodings: map[Kind]map[string]bool{}}
	for i, c := range cards {
		seen := map[string]bool{}
		text := func(k Kind, t string) {
			if !seen[t] {
				seen[t] = true
				s.add(k, i, textForms(t))
			}
		}
		switch n := len(c.PAN); {
		case n < 12:
		case plain(c.PAN[n-12:]) || n >= 13 && plain(c.PAN[n-13:n-1]):
			s.Plain++
			text(PAN, c.PAN)
		default:
			text(PAN, c.PAN[n-12:])
			if n >= 13 {
				text(PAN, c.PAN[n-13:n-1])
			}
		}
		for _, t := range []string{telling(c.Track2), telling(c.Track1)} {
			if t != "" {
				text(Track, t)
			}
		}
		if c.PIN == "" {
			continue
		}
		if len(c.PIN) < minPIN || plain(c.PIN) {
			s.Unsought++
		} else {
			text(PIN, c.PIN)
		}
		for _, b := range blocks(c.PIN, c.PAN) {
			if len(b) >= minCore+1 {
				s.add(Block, i, blockForms(b))
			}
		}
	}
	return s
}

func (s *Sieve) add(k Kind, number int, ps []pattern) {
	for _, p := range ps {
		n := len(p.core)
		if n < minCore {
			continue
		}
		p.kind, p.number = k, int32(number)
		p.packed = strings.HasPrefix(p.encoding, "bcd") && !strings.ContainsAny(p.encoding, ", ") || strings.HasPrefix(p.encoding, "swapped")
		i := int32(len(s.ps))
		s.ps = append(s.ps, p)
		s.longest = max(s.longest, n+2, speltRun)
		if s.encodings[k] == nil {
			s.encodings[k] = map[string]bool{}
		}
		s.encodings[k][p.encoding] = true
		if n >= 8 {
			s.long.add(load8(p.core[n-8:]), i)
		} else {
			s.short.add(load8(p.core[n-minCore:]), i)
		}
	}
}

// load8 is up to eight bytes as a number, little endian.
func load8(b string) (v uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v
}

// Patterns is how many there are.
func (s *Sieve) Patterns() int { return len(s.ps) }

// Scan searches b and calls found for each hit, with its offset in b.
func (s *Sieve) Scan(b []byte, found func(Hit)) { s.scan(b, 0, found) }

// scan leaves out hits that end within the first done bytes.
func (s *Sieve) scan(b []byte, done int, found func(Hit)) {
	const low = 1<<(8*minCore) - 1
	n := len(b)
	for i := 0; i < n; i++ {
		var v uint64
		if i+8 <= n {
			v = binary.LittleEndian.Uint64(b[i:])
			if v == 0 {
				continue
			}
			if h := mix(v); s.long.bloom[h>>6]>>(h&63)&1 != 0 {
				s.verify(s.long, v, b, i, done, found)
			}
		} else {
			if i+minCore > n {
				return
			}
			v = load8(string(b[i:n]))
		}
		v &= low
		if h := mix(v); s.short.bloom[h>>6]>>(h&63)&1 != 0 {
			s.verify(s.short, v, b, i, done, found)
		}
	}
}

// verify compares the patterns whose last bytes stand at i.
func (s *Sieve) verify(t *table, v uint64, b []byte, i, done int, found func(Hit)) {
	for _, k := range t.at[v] {
		p := &s.ps[k]
		end := i + t.w
		from := end - len(p.core)
		if from < 0 || end+int(^p.post>>7&1) <= done || string(b[from:end]) != p.core {
			continue
		}
		if p.pre >= 0 && (from == 0 || nibble(b[from-1], p.swapped) != byte(p.pre)) {
			continue
		}
		if p.post >= 0 && (end == len(b) || nibble(b[end], !p.swapped) != byte(p.post)) {
			continue
		}
		if p.whole != "" && !says(b, from, p.whole, p.lead) {
			continue
		}
		found(Hit{Kind: p.kind, Encoding: p.encoding, Number: int(p.number), Offset: int64(from - p.headOffset), Spelt: p.packed && spelt(b, from, end)})
	}
}

// says tells that the text in base64 around from says all of the bytes: the characters beside those that are
// theirs alone carry the rest of their bits. Six bytes have 48, of which seven characters show 42: beside 5,000 cards,
// forty megabytes show those by chance every other time. At an edge of b what is there has to do.
func says(b []byte, from int, whole string, lead int) bool {
	start, need := from-(lead*8+5)/6, ((lead+len(whole))*8+5)/6
	if start < 0 || start+need > len(b) {
		return true
	}
	var acc uint32
	bits, at := 0, -lead
	for _, c := range b[start : start+need] {
		v := strings.IndexByte(letters, c)
		if v < 0 {
			if v = strings.IndexByte("-_", c); v < 0 {
				return false
			}
			v += 62
		}
		if acc, bits = acc<<6|uint32(v), bits+6; bits >= 8 {
			bits -= 8
			if at >= 0 && at < len(whole) && byte(acc>>bits) != whole[at] {
				return false
			}
			at++
		}
	}
	return at >= len(whole)
}

// letters of base64, RFC 4648 §4; §5 has - and _ for the last two.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// speltRun is the shortest text in base64 that is believed to be one.
const speltRun = 64

// spelt tells that b[from:end] is a part of a long text in base64. A packed form of six bytes is six of
// its letters for one number in eighty: in forty megabytes of such text, beside 5,000 cards,
// one stands by chance every tenth time. What is in that text is looked for in base64's own forms.
func spelt(b []byte, from, end int) bool {
	kinds := 0
	letter := func(c byte) bool {
		switch {
		case c >= 'a' && c <= 'z':
			kinds |= 1
		case c >= 'A' && c <= 'Z':
			kinds |= 2
		case c >= '0' && c <= '9':
			kinds |= 4
		case c != '+' && c != '/':
			return false
		}
		return true
	}
	for _, c := range b[from:end] {
		if !letter(c) {
			return false
		}
	}
	n := end - from
	for i := from - 1; i >= 0 && from-i <= speltRun && letter(b[i]); i-- {
		n++
	}
	for i := end; i < len(b) && i-end < speltRun && letter(b[i]); i++ {
		n++
	}
	return n >= speltRun && kinds == 7
}

// nibble of a byte: the high one or the low one.
func nibble(c byte, high bool) byte {
	if high {
		return c >> 4
	}
	return c & 0xF
}

// Read searches all that r gives.
func (s *Sieve) Read(r io.Reader, found func(Hit)) (int64, error) {
	const chunk = 1 << 20
	buf := make([]byte, 0, chunk+s.longest)
	var total int64
	for {
		kept := len(buf)
		n, err := io.ReadFull(r, buf[kept:kept+chunk])
		buf = buf[:kept+n]
		s.scan(buf, kept, func(h Hit) {
			h.Offset += total - int64(kept)
			found(h)
		})
		total += int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		rest := min(len(buf), s.longest)
		copy(buf[:rest], buf[len(buf)-rest:])
		buf = buf[:rest]
	}
}

// Text searches a text.
func (s *Sieve) Text(t string, found func(Hit)) { s.Read(strings.NewReader(t), found) }
