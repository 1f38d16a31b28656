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

// maxBody is what fits between the sentinels: the 79, 40 and 107 characters of
// a track (ISO7811-2) less both sentinels and the LRC.
var maxBody = [3]int{76, 37, 104}

var starts = [3]byte{'%', ';', '+'}

// inAlphabet tells whether c may stand between the sentinels of track i.
// ISO7811-2, "Coded character set".
func inAlphabet(i int, c byte) bool {
	switch {
	case c == badChar:
		return true
	case i == 0:
		return c >= 0x20 && c <= 0x5F && c != '%' && c != '?'
	}
	return c >= 0x30 && c <= 0x3E && c != ';'
}

// ranked orders faults by how much of a card was seen: of several attempts at
// a track, the furthest is what a person is told.
var ranked = []hal.TrackFault{hal.TrackAbsent, hal.FaultNoStart, hal.FaultForm, hal.FaultShort, hal.FaultNoEnd, hal.FaultParity, hal.FaultLRC, hal.TrackOK}

func rank(f hal.TrackFault) int { return slices.Index(ranked, f) }

// ParseLine reads one pass, without its line end. pass is false if the line
// holds nothing like a track: noise, not a card. A pass that came back to front
// is turned. Received is not set.
func ParseLine(line []byte) (s hal.Swipe, pass bool) {
	s, n, pass := parseForward(line)
	if s.Readable() {
		return s, true
	}
	turned := slices.Clone(line)
	hal.Scrub() // the copy is in the registers, and reading it takes a while
	slices.Reverse(turned)
	defer clear(turned)
	r, back, _ := parseForward(turned)
	// Also a pass that cannot be read either way is turned, if it shows more of
	// a track 2 so. Two or three characters may do that by chance.
	if r.Readable() || back > n && back >= minTrack2 {
		s.Wipe()
		r.Reversed = true
		return r, true
	}
	r.Wipe()
	return s, pass
}

// parseForward also tells how many characters of track 2 it saw.
func parseForward(line []byte) (s hal.Swipe, chars int, pass bool) {
	for i := range s.Tracks {
		t, n, seen := findTrack(line, i)
		s.Tracks[i] = t
		pass = pass || seen
		if i == 1 {
			chars = n
		}
	}
	return s, chars, pass
}

// findTrack looks for the best that a line has of one track: read, else the
// fault of the attempt that got furthest, and how many characters that had.
func findTrack(line []byte, i int) (best hal.Track, chars int, seen bool) {
	best.Fault = hal.TrackAbsent
	for at, c := range line {
		if c != starts[i] {
			continue
		}
		t, n, ok := track(line[at:], i)
		if ok && t.Fault == hal.TrackOK {
			return t, n, true
		}
		if ok && rank(t.Fault) >= rank(best.Fault) {
			best, chars, seen = t, n, true
		}
	}
	if !seen && i == 1 && headless(line) {
		return hal.Track{Fault: hal.FaultNoStart}, 0, true
	}
	return best, chars, seen
}

// headless: the characters of a track 2, its separator among them, up to an
// end sentinel, and no start sentinel.
func headless(line []byte) bool {
	for end, c := range line {
		if c != '?' {
			continue
		}
		from := end
		for from > 0 && inAlphabet(1, line[from-1]) {
			from--
		}
		if end-from >= minTrack2 && bytes.IndexByte(line[from:end], '=') >= 0 {
			return true
		}
	}
	return false
}

// track reads one track at its start sentinel; n is how many characters it
// has. ok is false if what follows is no track at all, such as a start sentinel
// within noise, or an LRC that looks like one.
func track(b []byte, i int) (t hal.Track, n int, ok bool) {
	end := 1
	for end < len(b) && inAlphabet(i, b[end]) {
		end++
	}
	body := b[1:end]
	fault := func(f hal.TrackFault) (hal.Track, int, bool) { return hal.Track{Fault: f}, len(body), true }
	switch {
	case gaveUp(b, i):
		return fault(hal.FaultParity)
	case end == len(b):
		t.Fault = hal.FaultNoEnd
		return t, len(body), len(body) > 0 && (i != 0 || isFormat(body[0]))
	case b[end] != '?':
		t.Fault = hal.FaultForm
		// Another track's start right behind the body: only the end is missing.
		if slices.Contains(starts[:], b[end]) && len(body) >= minTrack2 {
			t.Fault = hal.FaultNoEnd
		}
		// Short runs are noise, unless both sentinels are there.
		between, _, closed := bytes.Cut(b[end:], []byte{'?'})
		return t, len(body), len(body) >= minTrack2 || closed && len(body) > 0 && !bytes.ContainsAny(between, "%;+")
	case len(body) == 0:
		return fault(hal.TrackAbsent)
	case bytes.IndexByte(body, badChar) >= 0:
		return fault(hal.FaultParity)
	case len(body) > maxBody[i], i == 0 && !isFormat(body[0]):
		return fault(hal.FaultForm)
	case i == 1 && len(body) < minTrack2:
		return fault(hal.FaultShort)
	}
	if c, sent := lrcSent(i, b[end+1:]); sent && c != lrc(i, body) {
		return fault(hal.FaultLRC)
	}
	data := hal.NewSecret(slices.Clone(body))
	hal.Scrub()
	return hal.Track{Data: data}, len(body), true
}

// isFormat: track 1 begins with a format code. ISO7813, track 1.
func isFormat(c byte) bool { return c >= 'A' && c <= 'Z' }

// gaveUp: the head's own word for a track that it could not read.
func gaveUp(b []byte, i int) bool {
	return len(b) >= 3 && b[0] == starts[i] && b[1] == 'E' && b[2] == '?'
}

// lrcSent tells whether the head sends an LRC behind this track. The character
// may look like a start sentinel, so what follows it decides.
func lrcSent(i int, rest []byte) (c byte, sent bool) {
	if len(rest) == 0 {
		return 0, false
	}
	c = rest[0]
	base, mask := alphabet(i)
	switch {
	case c == badChar:
		return c, true // failed its own parity, so it matches nothing
	case c < base || c > base+mask:
		return 0, false // no LRC of this track looks so
	case !slices.Contains(starts[:], c):
		return c, true
	case len(rest) == 1 || slices.Contains(starts[:], rest[1]):
		return c, true
	}
	return 0, false
}

// alphabet of a track: the ASCII of data bits 0, and the data bits.
func alphabet(i int) (base, mask byte) {
	if i == 0 {
		return 0x20, 0x3F
	}
	return 0x30, 0x0F
}

// lrc is the check character of track i over its content and both sentinels,
// as a head sends it. ISO7811-2, "Error detection", LRC.
func lrc(i int, body []byte) byte {
	base, mask := alphabet(i)
	start := starts[i]
	if i == 2 {
		start = starts[1] // on the stripe, track 3 is coded as track 2
	}
	sum := (start - base) ^ ('?' - base)
	for _, c := range body {
		sum ^= c - base
	}
	return base + sum&mask
}
