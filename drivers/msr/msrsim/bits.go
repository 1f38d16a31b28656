package msrsim

import (
	"math/rand/v2"
	"slices"
)

// format of a track's characters: data bits, and the ASCII of zero.
type format struct {
	bits       int
	base       byte
	start, end byte // data bits of the sentinels
}

// formats by ISO7811-2, "Coded character set": '%' ';' and '?' less the base.
var formats = [3]format{{6, 0x20, 0x05, 0x1F}, {4, 0x30, 0x0B, 0x0F}, {4, 0x30, 0x0B, 0x0F}}

// encode gives the data bits of a whole track: start sentinel, content, end
// sentinel, LRC.
func encode(i int, body string) []byte {
	f := formats[i]
	out := append(make([]byte, 0, len(body)+3), f.start)
	for _, c := range []byte(body) {
		out = append(out, (c-f.base)&(1<<f.bits-1))
	}
	out = append(out, f.end)
	check := byte(0)
	for _, v := range out {
		check ^= v
	}
	return append(out, check)
}

// Bits is track i (0, 1, 2) as it stands on the stripe, sentinels and LRC
// included, without the clocking zeros around it: each character least
// significant bit first, then its odd parity.
func Bits(i int, body string) []bool {
	var out []bool
	for _, v := range encode(i, body) {
		parity := true
		for k := range formats[i].bits {
			one := v>>k&1 == 1
			out = append(out, one)
			parity = parity != one
		}
		out = append(out, parity)
	}
	return out
}

// clocking zeros stand at both ends of a stripe.
const clocking = 20

// Stripe is what a bare head gives for one pass over track i, clocking zeros
// included. The qualities do to the bits what they say of a serial head.
func Stripe(i int, body string, q Quality, seed uint64) []bool {
	rnd := rand.New(rand.NewPCG(seed, 9))
	if q == Short {
		body = body[:min(len(body), shortBody)]
	}
	b := Bits(i, body)
	width := formats[i].bits + 1
	switch q {
	case LRC: // two bits of the LRC, so that its own parity still holds
		b[len(b)-width] = !b[len(b)-width]
		b[len(b)-width+1] = !b[len(b)-width+1]
	case Parity:
		middle := len(b) / width / 2 * width
		b[middle] = !b[middle]
	}
	out := slices.Concat(make([]bool, clocking), b, make([]bool, clocking))
	switch q {
	case Reverse:
		slices.Reverse(out)
	case Noise:
		junk := make([]bool, 5+rnd.IntN(40))
		for k := range junk {
			junk[k] = rnd.IntN(2) == 0
		}
		out = append(junk, out...)
	}
	return out
}
