package hal

import (
	"context"
	"time"

	"periph.io/x/conn/v3"
)

// MagReader reads the magnetic stripe, one pass at a time.
type MagReader interface {
	conn.Resource
	// ReadSwipe blocks until a card has passed. A pass that fails parity or
	// LRC is data, not an error: the Swipe says so, and err stays nil.
	ReadSwipe(ctx context.Context) (Swipe, error)
}

// TrackFault tells why a track could not be read. ISO7811-2 §10, -6.
type TrackFault uint8

const (
	TrackOK      TrackFault = iota // read, parity and LRC good
	TrackAbsent                    // nothing recorded, or the head does not read this track
	FaultParity                    // a character failed its odd parity
	FaultLRC                       // the longitudinal redundancy check failed
	FaultNoStart                   // bits, but no start sentinel
	FaultNoEnd                     // no end sentinel: the pass was cut short
	FaultShort                     // too few characters to be a card
	FaultForm                      // characters outside the track's alphabet or a broken frame
)

var trackFaults = [...]string{"ok", "absent", "parity", "lrc", "no-start", "no-end", "short", "form"}

// String is a short stable word, as logs and wire.md show it.
func (f TrackFault) String() string {
	if int(f) < len(trackFaults) {
		return trackFaults[f]
	}
	return "unknown"
}

// Track is one track of one pass.
type Track struct {
	Fault TrackFault
	// Data is the content between the sentinels, without sentinels and LRC, in
	// ASCII: track 1 with '^' as separator, tracks 2 and 3 with '='.
	// Nil unless Fault is TrackOK.
	Data *Secret
}

// Swipe is one pass of a card: tracks 1, 2, 3 at index 0, 1, 2.
type Swipe struct {
	Tracks   [3]Track
	Reversed bool    // the card went through backwards; the data is already turned
	Received Instant // when the last byte or bit of the pass arrived
	// Pace is how the card was drawn; zero where the reader does not tell.
	Pace Pace
}

// Pace of a pass: how long a bit took, and how much that varied.
type Pace struct {
	Bit    time.Duration // of a bit cell, the median; 0 unknown
	Spread int           // per cent between the slow and the fast tenth
}

// Good tells that the card went at a speed at which heads read: 10 to 120 cm/s
// at 75 bit/inch is 0.28 to 3.4 ms a bit, and no tenth of the pass was more than
// half as fast again as another. ISO7811-2 §10.
func (p Pace) Good() bool {
	return p.Bit == 0 || p.Bit >= 250*time.Microsecond && p.Bit <= 3500*time.Microsecond && p.Spread <= 60
}

// Readable tells whether track 2, which alone suffices for a sale, was read.
func (s Swipe) Readable() bool { return s.Tracks[1].Fault == TrackOK }

// Wipe wipes all tracks.
func (s Swipe) Wipe() {
	for _, t := range s.Tracks {
		t.Data.Wipe()
	}
}
