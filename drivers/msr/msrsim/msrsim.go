// Package msrsim is the head's end of the wire: it writes what a serial stripe
// reader sends when a card is drawn, well or badly, and makes the bits that a
// bare head gives. It has an encoder of its own, so that the driver and its
// peer cannot be wrong together.
//
// Sources:
//   - ISO7811-2: ISO/IEC 7811-2, "Coded character set", "Error detection"
//   - MSR: the package comment of drivers/msr, what a serial head sends
package msrsim

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
)

// Tracks is what is on a card, without sentinels and LRC; "" is an empty track.
// It is test data only.
type Tracks struct{ Track1, Track2, Track3 string }

// String hides what is on the card.
func (Tracks) String() string { return "[tracks]" }

// GoString hides it from %#v as well.
func (Tracks) GoString() string { return "[tracks]" }

// Quality of a pass.
type Quality string

// The damage is done to track 2, the one that counts; the others stay whole.
const (
	Clean   Quality = ""        // read
	LRC     Quality = "lrc"     // the check character is wrong: hal.FaultLRC
	Parity  Quality = "parity"  // a character in the middle failed: hal.FaultParity
	Short   Quality = "short"   // six characters and a good end: hal.FaultShort
	Reverse Quality = "reverse" // drawn the wrong way: read, and said to be reversed
	Noise   Quality = "noise"   // junk before the start sentinel: read
)

// Qualities lists them all.
var Qualities = []Quality{Clean, LRC, Parity, Short, Reverse, Noise}

// shortBody is how much of track 2 a short pass has.
const shortBody = 6

// Head writes passes to a serial line. It may be used by several goroutines.
type Head struct {
	w   io.Writer
	mu  sync.Mutex
	rnd *rand.Rand
}

// NewHead writes to w; seed makes its noise.
func NewHead(w io.Writer, seed uint64) *Head {
	return &Head{w: w, rnd: rand.New(rand.NewPCG(seed, 7))}
}

// Swipe draws a card once: one line with LRCs, ended by CR LF, in one Write.
func (h *Head) Swipe(card Tracks, q Quality) error {
	if !slices.Contains(Qualities, q) {
		return fmt.Errorf("msrsim: no quality %q", q)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var line []byte
	if q == Noise {
		line = h.junk()
	}
	for i, body := range []string{card.Track1, card.Track2, card.Track3} {
		if body != "" {
			line = appendTrack(line, i, body, q)
		}
	}
	if q == Reverse {
		slices.Reverse(line)
	}
	line = append(line, '\r', '\n')
	defer clear(line)
	if _, err := h.w.Write(line); err != nil {
		return fmt.Errorf("msrsim: %w", err)
	}
	return nil
}

// appendTrack writes one track as MSR has it.
func appendTrack(dst []byte, i int, body string, q Quality) []byte {
	if i != 1 {
		q = Clean
	}
	if q == Short {
		body = body[:min(len(body), shortBody)]
	}
	chars := encode(i, body)
	sentinel := [3]byte{'%', ';', '+'}[i]
	for k, v := range chars {
		c := formats[i].base + v
		switch {
		case k == 0:
			c = sentinel
		case q == Parity && k == len(chars)/2:
			c = '~'
		case q == LRC && k == len(chars)-1:
			c = formats[i].base + v ^ 0x05
		}
		dst = append(dst, c)
	}
	return dst
}

// junk is what a scratched lead-in gives: characters of any kind, start
// sentinels among them.
func (h *Head) junk() []byte {
	const chars = "!#&'()*,-./0123456789;%+<>@[]~"
	b := make([]byte, 8+h.rnd.IntN(16))
	for i := range b {
		b[i] = chars[h.rnd.IntN(len(chars))]
	}
	return b
}
