package sieve

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// plant is a way to leave a text or a block somewhere, made by other means than
// the patterns are.
type plant struct {
	name  string
	leave func(secret []byte) []byte
}

// shift gives a hex text with so many foreign digits before it, as bytes.
func shift(before int, digits string) []byte {
	s := strings.Repeat("7", before) + digits
	if len(s)%2 == 1 {
		s += "7"
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, "=", "D"))
	if err != nil {
		return nil
	}
	return b
}

func swap(b []byte) []byte {
	b = slices.Clone(b)
	for i, c := range b {
		b[i] = c<<4 | c>>4
	}
	return b
}

// bytePlants are for whatever is bytes: a text's, or a block's.
func bytePlants() (ps []plant) {
	ps = []plant{
		{"as it is", func(b []byte) []byte { return b }},
		{"hex", func(b []byte) []byte { return fmt.Appendf(nil, "%x", b) }},
		{"HEX", func(b []byte) []byte { return fmt.Appendf(nil, "%X", b) }},
		{"list", func(b []byte) []byte { return fmt.Append(nil, b) }},
		{"JSON list", func(b []byte) []byte {
			n := make([]int, len(b))
			for i, c := range b {
				n[i] = int(c)
			}
			out, _ := json.Marshal(n)
			return out
		}},
	}
	for lead := range 3 {
		for name, enc := range map[string]*base64.Encoding{"base64": base64.StdEncoding, "base64url": base64.URLEncoding} {
			ps = append(ps, plant{fmt.Sprintf("%s+%d", name, lead), func(b []byte) []byte {
				return []byte(enc.EncodeToString(slices.Concat([]byte("xyz")[:lead], b, []byte("~~"))))
			}})
		}
	}
	return ps
}

// digitPlants are for what is digits.
func digitPlants() (ps []plant) {
	for before := range 2 {
		ps = append(ps, plant{fmt.Sprintf("bcd+%d", 4*before), func(b []byte) []byte { return shift(before, string(b)) }},
			plant{fmt.Sprintf("swapped+%d", 4*before), func(b []byte) []byte { return swap(shift(before, string(b))) }})
	}
	for lead := range 3 {
		ps = append(ps, plant{fmt.Sprintf("bcd, base64+%d", lead), func(b []byte) []byte {
			return []byte(base64.StdEncoding.EncodeToString(append([]byte("xyz")[:lead], shift(0, string(b))...)))
		}})
	}
	return append(ps,
		plant{"bcd, hex", func(b []byte) []byte { return fmt.Appendf(nil, "%x", shift(0, string(b))) }},
		plant{"bcd, list", func(b []byte) []byte { return fmt.Append(nil, shift(0, string(b))) }},
		plant{"utf-16", func(b []byte) []byte {
			return slices.Concat([]byte(strings.Join(strings.Split(string(b), ""), "\x00")), []byte{0})
		}},
		plant{"backwards", func(b []byte) []byte { b = slices.Clone(b); slices.Reverse(b); return b }})
}

// SelfTest leaves one secret of each kind in each form in the midst of noise and
// must find each; and it leaves masked forms, which it must not find. It returns
// how many it planted.
func (s *Sieve) SelfTest(cards []Card, seed uint64) (planted int, missed []string) {
	rnd := rand.New(rand.NewPCG(seed, 7))
	noise := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return b
	}
	seek := func(k Kind, number int, name string, left []byte) {
		planted++
		hit := false
		// Over the edge of what Read takes at a time, too.
		at := []int{0, 3, 1<<20 - len(left)/2}[planted%3]
		s.Read(bytes.NewReader(slices.Concat(noise(at), left, noise(9))), func(h Hit) {
			hit = hit || h.Kind == k && h.Number == number && h.Offset >= int64(at)-1 && h.Offset <= int64(at+len(left))
		})
		if !hit {
			missed = append(missed, fmt.Sprintf("%s, %s", k, name))
		}
	}
	for _, i := range probes(cards) {
		c := cards[i]
		texts := map[Kind]string{PAN: c.PAN, Track: c.Track2}
		if len(c.PIN) == 12 && !plain(c.PIN) { // a shorter one has not all forms
			texts[PIN] = c.PIN
		}
		for _, k := range []Kind{PAN, Track, PIN} {
			if t := texts[k]; t != "" && (k != Track || telling(t) != "") {
				ps := bytePlants()
				if k != PAN || !bare(t) {
					ps = append(ps, digitPlants()...)
				}
				for _, p := range ps {
					seek(k, i, p.name, p.leave([]byte(t)))
				}
			}
		}
		for _, b := range blocks(c.PIN, c.PAN) {
			if len(b) <= minCore {
				continue
			}
			for _, p := range append(bytePlants(), plant{"swapped", swap}) {
				seek(Block, i, p.name, p.leave(b))
			}
		}
		n := len(c.PAN)
		for _, masked := range []string{c.PAN[:6] + strings.Repeat("*", n-10) + c.PAN[n-4:], "****" + c.PAN[n-4:], c.PAN[:6]} {
			s.Text(masked, func(h Hit) { missed = append(missed, fmt.Sprintf("a masked form was taken for a %s", h.Kind)) })
		}
	}
	return planted, missed
}

// probes are the cards that are planted: the first whose number has every form, and
// the first of those with a PIN that has; where there is none, the first card.
func probes(cards []Card) (out []int) {
	whole, pin := -1, -1
	for i, c := range cards {
		if bare(c.PAN) {
			continue
		}
		if whole < 0 {
			whole = i
		}
		if len(c.PIN) == 12 && !plain(c.PIN) {
			pin = i
			break
		}
	}
	for _, i := range []int{whole, pin} {
		if i >= 0 && !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	if len(out) == 0 && len(cards) > 0 {
		out = []int{0}
	}
	return out
}
