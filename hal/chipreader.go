package hal

import (
	"context"

	"periph.io/x/conn/v3"
)

// ChipReader is the slot for cards with contacts, at the APDU level. One
// PowerUp or Transmit at a time; WaitCard, Present and PowerDown may be called
// at any time. What the card answers, or fails to, comes as *ChipError.
type ChipReader interface {
	conn.Resource
	// Present reads the slot's card-present switch.
	Present() (bool, error)
	// WaitCard blocks until the card-present switch equals present.
	WaitCard(ctx context.Context, present bool) error
	// PowerUp activates the contacts and resets the card; with the contacts
	// active already it is a warm reset. ISO7816-3 §6.2, §8.
	PowerUp(ctx context.Context) (Reset, error)
	// Transmit exchanges one APDU; the answer, with SW1 SW2, is appended to dst.
	// An error leaves dst as it was and, unless it is [ChipParity], the contacts
	// inactive.
	Transmit(ctx context.Context, dst, capdu []byte) ([]byte, error)
	// PowerDown ends a Transmit that is under way and deactivates the contacts.
	// ISO7816-3 §6.4.
	PowerDown() error
}

// Reset is what a card answered to its reset.
type Reset struct {
	ATR      []byte // TS to TCK, in the direct convention: TS of an inverse card is 3F
	Protocol int    // 0 or 1: T=0, T=1
	Warm     bool   // the answer came only at the warm reset
}

// ChipCause says why a card in the slot cannot be used.
type ChipCause uint8

const (
	ChipUnknown  ChipCause = iota
	ChipMute               // no answer in the time that it has: no chip, the wrong way round, dead
	ChipShorted            // the I/O line cannot be moved: metal in the slot, a broken card
	ChipParity             // a character failed its parity and could not be asked for again; see PowerUp
	ChipRefused            // its answer to reset is outside the rules
	ChipProtocol           // it broke the transmission protocol
	ChipRemoved            // it was withdrawn, or there is none
	ChipDevice             // the reader itself failed
)

var chipCauses = [...]string{"unknown", "mute", "shorted", "parity", "refused", "protocol", "removed", "device"}

// String is a short stable word for logs.
func (c ChipCause) String() string {
	if int(c) < len(chipCauses) {
		return chipCauses[c]
	}
	return "unknown"
}

// ChipError is the world's answer to PowerUp or Transmit. It never holds bytes
// of a command or of its data.
type ChipError struct {
	Cause ChipCause
	Err   error // what lies beneath; may be nil
}

func (e *ChipError) Error() string {
	s := "chip: " + e.Cause.String()
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *ChipError) Unwrap() error { return e.Err }
