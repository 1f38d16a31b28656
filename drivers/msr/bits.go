package msr

import (
	"slices"

	"swipewell/hal"
)

// A track's characters: n data bits, least significant first, and an odd
// parity bit; ASCII is base plus the data bits. ISO7811-2 §8.2, tables 5, 6.
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

// DecodeTrack reads track i (0, 1, 2) from the bits of a pass, either way
// round. It finds the start sentinel in noise: the place from which the most
// characters are good counts, and a start from which all are good at once.
func DecodeTrack(i int, bits []bool) (t hal.Track, reversed bool) {
	fwd := decodeForward(codings[i], i, bits)
	if fwd.Fault == hal.TrackOK {
		return fwd, false
	}
	back := slices.Clone(bits)
	slices.Reverse(back)
	if b := decodeForward(codings[i], i, back); b.Fault == hal.TrackOK {
		return b, true
	}
	return fwd, false
}

// rank orders faults by how much of a card was seen: the furthest attempt is
// what a person is told.
func rank(f hal.TrackFault) int {
	return slices.Index([]hal.TrackFault{hal.TrackAbsent, hal.FaultNoStart, hal.FaultForm, hal.FaultShort, hal.FaultNoEnd, hal.FaultParity, hal.FaultLRC}, f)
}

func decodeForward(c coding, i int, bits []bool) hal.Track {
	best := hal.Track{Fault: hal.TrackAbsent}
	ones := 0
	for _, b := range bits {
		if b {
			ones++
		}
	}
	if ones > 8 {
		best.Fault = hal.FaultNoStart
	}
	for at := 0; at+c.bits+1 <= len(bits); at++ {
		if v, ok := c.char(bits[at:]); !ok || v != c.ss {
			continue
		}
		t, n := c.decode(i, bits[at:])
		if t.Fault == hal.TrackOK {
			return t
		}
		// A sentinel by chance breaks off after a few characters; only a run
		// that looks like a track is worth reporting.
		if n >= 5 && rank(t.Fault) > rank(best.Fault) {
			best = t
		}
	}
	return best
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

// decode reads characters from a start sentinel to the end sentinel and the
// LRC behind it; n counts the good ones. ISO7811-2 §10: the LRC is even parity
// of each column, its own parity bit is that of the character.
func (c coding) decode(i int, bits []bool) (t hal.Track, n int) {
	var body []byte
	defer func() {
		if t.Data == nil {
			clear(body)
		}
	}()
	sum, w := byte(0), c.bits+1
	for at := 0; ; at += w {
		if at+w > len(bits) {
			return hal.Track{Fault: hal.FaultNoEnd}, n
		}
		v, ok := c.char(bits[at:])
		if !ok {
			return hal.Track{Fault: hal.FaultParity}, n
		}
		n++
		sum ^= v
		switch {
		case at == 0:
		case v == c.es:
			if at+2*w > len(bits) {
				return hal.Track{Fault: hal.FaultNoEnd}, n
			}
			lrc, ok := c.char(bits[at+w:])
			switch {
			case !ok || lrc != sum:
				return hal.Track{Fault: hal.FaultLRC}, n
			case len(body) == 0, i == 1 && len(body) < minTrack2:
				return hal.Track{Fault: hal.FaultShort}, n
			}
			return hal.Track{Data: hal.NewSecret(body)}, n
		case v == c.ss:
			return hal.Track{Fault: hal.FaultForm}, n
		default:
			body = append(body, c.base+v)
			if len(body) > 107 {
				return hal.Track{Fault: hal.FaultForm}, n
			}
		}
	}
}

// EncodeTrack is the inverse of DecodeTrack: the bits of a track with its
// sentinels and LRC, without clocking zeros. Simulators and tests draw cards
// with it.
func EncodeTrack(i int, body string) []bool {
	c := codings[i]
	var out []bool
	put := func(v byte) {
		ones := 0
		for k := range c.bits {
			b := v>>k&1 == 1
			out = append(out, b)
			if b {
				ones++
			}
		}
		out = append(out, ones%2 == 0)
	}
	sum := c.ss ^ c.es
	put(c.ss)
	for _, ch := range []byte(body) {
		v := (ch - c.base) & (1<<c.bits - 1)
		sum ^= v
		put(v)
	}
	put(c.es)
	put(sum)
	return out
}
