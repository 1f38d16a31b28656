package sieve

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// minCore is the fewest whole bytes that a pattern may have, minBase64 the fewest
// behind a base64 form: fewer would be found by chance.
const (
	minCore   = 5
	minBase64 = 6
)

// minPIN is the shortest PIN that is searched for as digits: nine of them are the
// fraction of a second in a log. minPacked is the fewest digits of a packed form.
const (
	minPIN    = 10
	minPacked = 12
)

// plain tells that digits are such as stand everywhere by chance: nearly all the
// same, or a long run of one, as numbers of test ranges have.
func plain(s string) bool {
	seen, run, longest := map[byte]bool{}, 0, 0
	for i := range len(s) {
		seen[s[i]] = true
		if run++; i > 0 && s[i] != s[i-1] {
			run = 1
		}
		longest = max(longest, run)
	}
	return len(seen) < 4 || longest > 5
}

// bare tells that even the whole of a number, as 4111111111111111, stands in memory
// by chance once it is packed: bytes of ones are everywhere. It is looked for as text.
func bare(pan string) bool {
	seen := map[rune]bool{}
	for _, c := range pan {
		seen[c] = true
	}
	return len(seen) < 4
}

// pattern is what is looked for: whole bytes, and where a packed form begins or
// ends in the middle of a byte, that nibble. swapped: the nibbles of each byte
// are, so that the first digit of a byte is its low nibble.
type pattern struct {
	core       string
	pre, post  int8 // value of the nibble beside the core; -1 none
	swapped    bool
	packed     bool   // two digits a byte: of twelve, only six bytes
	whole      string // of a form in base64: all bytes, of which the core has the whole characters
	lead       int    // and how many bytes stand before them in their group of three
	kind       Kind
	encoding   string
	number     int32
	headOffset int // of the match's start before the core: 1 if there is a pre
}

// nibbles of a text: digits, and D for a separator; ok is false for a letter.
func nibbles(s string) (n []byte, ok bool) {
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9':
			n = append(n, c-'0')
		case c == '=' || c == 'D':
			n = append(n, 0xD)
		default:
			return nil, false
		}
	}
	return n, true
}

// packed is a pattern of nibbles that begin on a byte, or in its middle.
func packed(n []byte, middle, swapped bool) (p pattern) {
	p.pre, p.post, p.swapped = -1, -1, swapped
	if middle {
		p.pre, n = int8(n[0]), n[1:]
		p.headOffset = 1
	}
	if len(n)%2 == 1 {
		p.post, n = int8(n[len(n)-1]), n[:len(n)-1]
	}
	b := make([]byte, len(n)/2)
	for i := range b {
		hi, lo := n[2*i], n[2*i+1]
		if swapped {
			hi, lo = lo, hi
		}
		b[i] = hi<<4 | lo
	}
	p.core = string(b)
	return p
}

// base64Forms are the characters that b gives at each of the three alignments,
// whatever stands around it, in both alphabets.
func base64Forms(b []byte) (out []string) {
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for lead := range 3 {
			all := enc.EncodeToString(append(make([]byte, lead), b...))
			from := (lead*8 + 5) / 6      // the first character that is all b's
			to := (lead + len(b)) * 8 / 6 // behind the last
			out = append(out, all[from:to])
		}
	}
	return out
}

// list is how fmt and JSON write bytes as numbers.
func list(b []byte, sep string) string {
	var s []string
	for _, c := range b {
		s = append(s, fmt.Sprint(c))
	}
	return strings.Join(s, sep)
}

// forms gives every pattern of some bytes: as they are, hex, base64, lists.
func forms(name string, b []byte) (ps []pattern) {
	add := func(enc, core string) {
		ps = append(ps, pattern{core: core, pre: -1, post: -1, encoding: enc})
	}
	if len(b) >= minCore {
		add(name, string(b))
	}
	add(name+", hex", hex.EncodeToString(b))
	add(name+", HEX", strings.ToUpper(hex.EncodeToString(b)))
	if len(b) >= minBase64 {
		for i, f := range base64Forms(b) {
			add(fmt.Sprintf("%s, base64+%d", name, i%3), f)
			ps[len(ps)-1].whole, ps[len(ps)-1].lead = string(b), i%3
		}
	}
	add(name+", list", list(b, " "))
	add(name+", JSON list", list(b, ","))
	return ps
}

// textForms are all forms of a text.
func textForms(s string) (ps []pattern) {
	ps = forms("ascii", []byte(s))
	utf16, back := make([]byte, 0, 2*len(s)), []byte(nil)
	for i := range len(s) {
		utf16 = append(utf16, s[i], 0)
		back = append(back, s[len(s)-1-i])
	}
	ps = append(ps, pattern{core: string(utf16[:len(utf16)-1]), pre: -1, post: -1, encoding: "utf-16"},
		pattern{core: string(back), pre: -1, post: -1, encoding: "backwards"})
	n, ok := nibbles(s)
	if !ok || len(n) < minPacked || bare(s) {
		return ps
	}
	for _, x := range []struct {
		name            string
		middle, swapped bool
	}{{"bcd", false, false}, {"bcd+4", true, false}, {"swapped", false, true}, {"swapped+4", true, true}} {
		p := packed(n, x.middle, x.swapped)
		p.encoding = x.name
		ps = append(ps, p)
		if x.swapped || len(p.core) < minBase64 {
			continue
		}
		for _, f := range forms(x.name, []byte(p.core)) {
			if strings.Contains(f.encoding, "base64") || strings.Contains(f.encoding, "list") {
				ps = append(ps, f)
			}
		}
	}
	return ps
}

// blockForms are all forms of a binary block.
func blockForms(b []byte) []pattern {
	ps := forms("binary", b)
	swapped := make([]byte, len(b))
	for i, c := range b {
		swapped[i] = c<<4 | c>>4
	}
	return append(ps, pattern{core: string(swapped), pre: -1, post: -1, encoding: "swapped"})
}

// blocks are the clear PIN blocks, as far as they are no random. ISO9564 §9.
func blocks(pin, pan string) (out [][]byte) {
	if len(pin) < 4 || len(pin) > 12 {
		return nil
	}
	body := fmt.Sprintf("%X%s", len(pin), pin)
	fill := func(head, with string, size int) []byte {
		s := head + body
		for len(s) < size {
			s += with
		}
		b, err := hex.DecodeString(s)
		if err != nil {
			return nil
		}
		return b
	}
	out = append(out, fill("1", "", 2+len(pin)), fill("4", "A", 16))
	if len(pan) >= 13 {
		b := fill("0", "F", 16)
		account, err := hex.DecodeString("0000" + pan[len(pan)-13:len(pan)-1])
		if err == nil && len(b) == 8 {
			for i := range b {
				b[i] ^= account[i]
			}
			out = append(out, b)
		}
	}
	return out
}

// telling is the part of a track that only this card has: the end of its
// discretionary data.
func telling(track string) string {
	at := strings.LastIndexAny(track, "=D^")
	if at < 0 || len(track)-at-1 < 7+6 { // expiry, service code, and too little behind
		return ""
	}
	rest := track[at+1:]
	return rest[max(4, len(rest)-13):]
}
