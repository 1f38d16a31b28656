package msr

import (
	"slices"

	"swipewell/hal"
)

// A track's characters: n data bits, least significant first, and an odd
// parity bit; ASCII is base plus the data bits. ISO7811-2, "Coded
// character set".
type coding struct {
	bits   int // data bits
	base   byte
	ss, es byte // data bits of the sentinels
}

var codings = [3]coding{
	{6, 0x20, 0x05, 0x1F}, // '%', '?'
	{4, 0x30, 0x0B, 0x0F}, // ';', '?'
	{4, 0x30, 0x0B, 0x0F},
}

// DecodeTrack reads track i (0, 1, 2 as in hal.Swipe) from the bits of a pass
// in the order in which they came, whichever way the card was drawn. The start
// sentinel is found in noise: every place is tried, in both directions. Of
// attempts that fail, the one with the most good characters is reported; bits
// without a start are FaultNoStart, silence is TrackAbsent.
func DecodeTrack(i int, bits []bool) (t hal.Track, reversed bool) {
	t, good := decodeForward(i, bits)
	if t.Fault == hal.TrackOK {
		return t, false
	}
	turned := slices.Clone(bits)
	slices.Reverse(turned)
	defer clear(turned)
	if r, n := decodeForward(i, turned); r.Fault == hal.TrackOK || n > good {
		return r, true
	}
	return t, false
}

// Fewer than minOnes ones are no card. A run of at least minRun good characters,
// three of four good, is a track; a shorter one is a chance find (zeros have
// good parity in any step), unless it ends in its end sentinel and LRC.
const (
	minOnes = 9
	minRun  = 12
)

func decodeForward(i int, bits []bool) (best hal.Track, good int) {
	best.Fault = hal.TrackAbsent
	ones := 0
	for _, b := range bits {
		if b {
			ones++
		}
	}
	if ones >= minOnes {
		best.Fault = hal.FaultNoStart
	}
	c := codings[i]
	for at := 0; at+c.bits+1 <= len(bits); at++ {
		if v, ok := c.char(bits[at:]); !ok || v != c.ss {
			continue
		}
		t, n, all := c.decode(i, bits[at:])
		if t.Fault == hal.TrackOK {
			return t, n
		}
		if n > good && (n >= minRun && n*4 >= all*3 || t.Fault == hal.FaultShort) {
			best, good = t, n
		}
	}
	return best, good
}

// char is one character; ok is its parity.
func (c coding) char(bits []bool) (v byte, ok bool) {
	ones := 0
	for k := range c.bits + 1 {
		if bits[k] {
			ones++
			if k < c.bits {
				v |= 1 << k
			}
		}
	}
	return v, ones%2 == 1
}

// maxLost is how many bad characters in a row mean that the bits are no longer
// in step, or have ended in clocking zeros.
const maxLost = 3

// decode reads characters from a start sentinel to the end sentinel and the
// LRC behind it; good of all characters had their parity. ISO7811-2,
// "Error detection": the LRC makes each column of data bits even, and its parity
// bit is its own.
func (c coding) decode(i int, bits []bool) (t hal.Track, good, all int) {
	body := make([]byte, 0, maxBody[i])
	defer func() {
		if t.Data == nil {
			clear(body)
		}
	}()
	fault := func(f hal.TrackFault) (hal.Track, int, int) {
		if good < all {
			f = hal.FaultParity // came first, and explains the rest
		}
		return hal.Track{Fault: f}, good, all
	}
	sum, lost, w := byte(0), 0, c.bits+1
	for at := 0; ; at += w {
		if at+w > len(bits) {
			return fault(hal.FaultNoEnd)
		}
		v, ok := c.char(bits[at:])
		if !ok {
			if lost++; lost == maxLost {
				// Only these were bad: the data ran out, and zeros follow.
				if all -= maxLost - 1; good == all {
					return fault(hal.FaultNoEnd)
				}
				return fault(hal.FaultParity)
			}
			all++
			continue
		}
		lost = 0
		good, all = good+1, all+1
		sum ^= v
		switch {
		case at == 0:
		case v == c.es:
			if at+2*w > len(bits) {
				return fault(hal.FaultNoEnd)
			}
			check, ok := c.char(bits[at+w:])
			switch {
			case good < all:
				return fault(hal.FaultParity)
			case !ok || check != sum:
				return fault(hal.FaultLRC)
			case len(body) == 0, i == 1 && len(body) < minTrack2:
				return fault(hal.FaultShort)
			case i == 0 && !isFormat(body[0]):
				return fault(hal.FaultForm)
			}
			return hal.Track{Data: hal.NewSecret(body)}, good, all
		case v == c.ss, len(body) == maxBody[i], i == 0 && !inAlphabet(0, c.base+v):
			return fault(hal.FaultForm)
		default:
			body = append(body, c.base+v)
		}
	}
}
