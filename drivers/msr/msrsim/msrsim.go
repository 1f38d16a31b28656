// Package msrsim is the head's end of the wire: it writes what a serial stripe
// reader sends when a card is drawn, well or badly.
//
// Sources:
//   - the format is that of package msr
package msrsim

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"swipewell/drivers/msr"
)

// Tracks is what is on a card, without sentinels; "" is an empty track. It is
// test data only.
type Tracks struct{ Track1, Track2, Track3 string }

// String hides what is on the card.
func (Tracks) String() string { return "[tracks]" }

// Quality of a pass.
type Quality string

const (
	Clean   Quality = ""
	LRC     Quality = "lrc"     // track 2's check character is wrong: unreadable
	Parity  Quality = "parity"  // a character of track 2 failed: unreadable
	Short   Quality = "short"   // the card was pulled out: track 2 ends early, unreadable
	Reverse Quality = "reverse" // drawn the wrong way: read, and turned
	Noise   Quality = "noise"   // junk before the stripe: read
)

// Qualities lists them all.
var Qualities = []Quality{Clean, LRC, Parity, Short, Reverse, Noise}

// Head writes passes to a serial line.
type Head struct {
	w   io.Writer
	rnd *rand.Rand
}

// NewHead writes to w; seed makes its noise.
func NewHead(w io.Writer, seed uint64) *Head {
	return &Head{w: w, rnd: rand.New(rand.NewPCG(seed, 7))}
}

// Swipe draws a card once.
func (h *Head) Swipe(t Tracks, q Quality) error {
	if !slices.Contains(Qualities, q) {
		return fmt.Errorf("msrsim: no quality %q", q)
	}
	line := h.line(t, q)
	switch q {
	case Reverse:
		slices.Reverse(line)
	case Noise:
		line = append(h.junk(), line...)
	}
	_, err := h.w.Write(append(line, '\r', '\n'))
	clear(line)
	return err
}

func (h *Head) line(t Tracks, q Quality) []byte {
	var out []byte
	if t.Track1 != "" && q != Parity {
		out = append(append(append(out, '%'), t.Track1...), '?', msr.LRC(0, []byte(t.Track1)))
	}
	body := []byte(t.Track2)
	lrc := msr.LRC(1, body)
	switch q {
	case LRC:
		lrc = 0x30 + (lrc - 0x30) ^ 0x05
	case Parity:
		body[len(body)/2] = '~'
	case Short:
		body = body[:6]
		lrc = msr.LRC(1, body)
	}
	if len(body) > 0 {
		out = append(append(append(out, ';'), body...), '?', lrc)
	}
	if t.Track3 != "" {
		out = append(append(append(out, '+'), t.Track3...), '?', msr.LRC(2, []byte(t.Track3)))
	}
	return out
}

// junk is what a scratched lead-in gives: characters of any kind, a sentinel
// or two among them.
func (h *Head) junk() []byte {
	const chars = "!#&'()*,-./0123456789;%<>@[]"
	b := make([]byte, 8+h.rnd.IntN(16))
	for i := range b {
		b[i] = chars[h.rnd.IntN(len(chars))]
	}
	return append(b, '!')
}
