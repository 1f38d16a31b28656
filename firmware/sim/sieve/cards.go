package sieve

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
)

// bins are the issuer numbers of the cards that Cards makes, with the length of
// their numbers: the ranges of the bench's tray.
var bins = []struct {
	bin  string
	size int
}{{"622588", 19}, {"622609", 19}, {"622576", 16}, {"622622", 18}, {"411111", 16}, {"555555", 16}}

// Cards makes n cards from a seed: numbers of test ranges that pass Luhn, full
// tracks, PINs of 12 digits.
func Cards(n int, seed uint64) []Card {
	rnd := rand.New(rand.NewPCG(seed, 54321))
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = '0' + byte(rnd.IntN(10))
		}
		return string(b)
	}
	out, seen := make([]Card, 0, n), map[string]bool{}
	for len(out) < n {
		r := bins[rnd.IntN(len(bins))]
		pan := checked(r.bin + digits(r.size-len(r.bin)-1))
		if seen[pan] {
			continue
		}
		seen[pan] = true
		out = append(out, Complete(pan, digits(12), rnd))
	}
	return out
}

// Complete gives a number its tracks: expiry 3012, service code 101, and ten
// digits of discretionary data that nobody else has.
func Complete(pan, pin string, rnd *rand.Rand) Card {
	disc := fmt.Sprintf("%010d", 1_000_000_000+rnd.Int64N(9_000_000_000))
	return Card{PAN: pan, PIN: pin, Track2: pan + "=3012101" + disc, Track1: "B" + pan + "^SIEVE/TEST^3012101" + disc}
}

// checked appends the check digit. ISO 7812-1 Annex B.
func checked(body string) string {
	sum := 0
	for i := range len(body) {
		v := int(body[len(body)-1-i] - '0')
		if i%2 == 0 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return fmt.Sprint(body, (10-sum%10)%10)
}

// ReadList reads one number a line, of min to max digits; blank lines and lines
// that begin with # are skipped. The error names the line and not what it says.
func ReadList(r io.Reader, what string, min, max int) (out []string, err error) {
	sc := bufio.NewScanner(r)
	n := 0
	for sc.Scan() {
		n++
		t := strings.TrimSpace(sc.Text())
		if t == "" || t[0] == '#' {
			continue
		}
		if len(t) < min || len(t) > max || strings.Trim(t, "0123456789") != "" {
			return nil, fmt.Errorf("sieve: line %d is not a %s of %d to %d digits", n, what, min, max)
		}
		out = append(out, t)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("sieve: line %d: %w", n+1, err)
	}
	return out, nil
}
