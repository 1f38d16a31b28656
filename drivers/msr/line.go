package msr

import (
	"bytes"
	"slices"

	"swipewell/hal"
)

// maxLine bounds one pass: three tracks of 79, 40 and 107 characters, and noise.
const maxLine = 512

// badChar stands for a character that failed its parity.
const badChar = '~'

// minTrack2 is the least that can be a card: 12 digits and a separator.
const minTrack2 = 13

var starts = [3]byte{'%', ';', '+'}

// inAlphabet tells whether c may stand between the sentinels of track i.
// ISO7811-2 tables 5 and 6.
func inAlphabet(i int, c byte) bool {
	if c == badChar {
		return true
	}
	if i == 0 {
		return c >= 0x20 && c <= 0x5F && c != '%' && c != '?'
	}
	return c >= '0' && c <= '9' || c == '=' || c == ':' || c == '<' || c == '>'
}

// ParseLine reads one pass. Noise around the tracks is skipped; a pass that
// came back to front is turned.
func ParseLine(line []byte) hal.Swipe {
	s := parseForward(line)
	if s.Readable() {
		return s
	}
	turned := slices.Clone(line)
	slices.Reverse(turned)
	if r := parseForward(turned); r.Readable() {
		s.Wipe()
		r.Reversed = true
		clear(turned)
		return r
	}
	clear(turned)
	return s
}

func parseForward(line []byte) hal.Swipe {
	var s hal.Swipe
	for i := range s.Tracks {
		s.Tracks[i] = findTrack(line, i)
	}
	return s
}

// findTrack looks for the best that a line has of one track: read, else the
// fault of the last attempt at it.
func findTrack(line []byte, i int) hal.Track {
	best := hal.Track{Fault: hal.TrackAbsent}
	for at := 0; at < len(line); at++ {
		if line[at] != starts[i] {
			continue
		}
		t, ok := track(line[at:], i)
		if t.Fault == hal.TrackOK {
			best.Data.Wipe()
			return t
		}
		if ok {
			best = t
		}
	}
	if best.Fault == hal.TrackAbsent && i == 1 && headless(line) {
		best.Fault = hal.FaultNoStart
	}
	return best
}

// headless: digits and an end sentinel, and nothing before them that starts a track.
func headless(line []byte) bool {
	end := bytes.IndexByte(line, '?')
	if end < minTrack2 {
		return false
	}
	n := 0
	for _, c := range line[:end] {
		if c >= '0' && c <= '9' || c == '=' {
			n++
		}
	}
	return n >= minTrack2
}

// track reads one track at its start sentinel. ok is false if what follows is
// no track at all, such as a start sentinel within noise.
func track(b []byte, i int) (t hal.Track, ok bool) {
	end := 1
	for end < len(b) && inAlphabet(i, b[end]) {
		end++
	}
	body := b[1:end]
	if end == len(b) {
		return hal.Track{Fault: hal.FaultNoEnd}, len(body) > 0
	}
	if b[end] == 'E' && len(body) == 0 && end+1 < len(b) && b[end+1] == '?' || i == 0 && string(body) == "E" && b[end] == '?' {
		return hal.Track{Fault: hal.FaultParity}, true // the head itself gave up
	}
	if b[end] != '?' {
		// Another track's sentinel right behind the body: the end is missing.
		if (b[end] == ';' || b[end] == '+') && len(body) >= minTrack2 {
			return hal.Track{Fault: hal.FaultNoEnd}, true
		}
		return hal.Track{Fault: hal.FaultForm}, len(body) >= minTrack2
	}
	switch {
	case bytes.IndexByte(body, badChar) >= 0:
		return hal.Track{Fault: hal.FaultParity}, true
	case i == 1 && len(body) < minTrack2:
		return hal.Track{Fault: hal.FaultShort}, true
	case len(body) == 0:
		return hal.Track{Fault: hal.TrackAbsent}, true
	}
	if c, sent := lrcSent(b[end+1:]); sent && c != LRC(i, body) {
		return hal.Track{Fault: hal.FaultLRC}, true
	}
	return hal.Track{Data: hal.NewSecret(slices.Clone(body))}, true
}

// lrcSent tells whether the head sends an LRC behind this track. The character
// may look like a start sentinel, so what follows it decides.
func lrcSent(rest []byte) (c byte, sent bool) {
	if len(rest) == 0 || rest[0] == '\r' || rest[0] == '\n' {
		return 0, false
	}
	isStart := func(c byte) bool { return c == ';' || c == '+' || c == '%' }
	if !isStart(rest[0]) {
		return rest[0], rest[0] >= 0x20 && rest[0] <= 0x5F
	}
	if len(rest) == 1 || rest[1] == '\r' || rest[1] == '\n' || isStart(rest[1]) {
		return rest[0], true
	}
	return 0, false
}

// LRC is the check character of track i (0, 1, 2) over its content and both
// sentinels, as a head sends it. ISO7811-2 §10.
func LRC(i int, body []byte) byte {
	base, mask := byte(0x30), byte(0x0F)
	if i == 0 {
		base, mask = 0x20, 0x3F
	}
	sum := (starts[i] - sentinelBase(i)) ^ ('?' - sentinelBase(i))
	if i == 2 {
		sum = 0x0B ^ 0x0F // track 3 is encoded as track 2; '+' is the head's name for its sentinel
	}
	for _, c := range body {
		sum ^= c - sentinelBase(i)
	}
	return base + sum&mask
}

func sentinelBase(i int) byte {
	if i == 0 {
		return 0x20
	}
	return 0x30
}
