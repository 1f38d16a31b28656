// Package cardsim is the card's end of a slot, at byte level: a card that
// speaks T=0 or T=1 around any func from a command APDU to a response APDU, the
// I/O line that echoes, and a slot to put it in. It has protocol code of its
// own, so that the driver and its peer cannot be wrong together.
//
// Sources:
//   - ISO7816-3: ISO/IEC 7816-3:2006, electrical interface and protocols
//   - EMV1: EMV 4.3 Book 1, part II
//
// There are two lines. [Wire] is one in virtual time, for one goroutine: it is
// port, contacts and clock in one, counts every etu and carries parity. [Slot]
// is the master end of a pseudo-terminal with a socket for the contacts, for a
// device in another process; a pty carries no parity, so a character with wrong
// parity arrives there with one bit turned over.
package cardsim

import "time"

// Char is one character that a card sends.
type Char struct {
	B   byte
	Bad bool // with wrong parity
	// Gap is how many etu lie between the beginning of the character before it,
	// either way, and its own; 0 is the least that the protocol allows.
	Gap int
}

// Machine is what a card does on its contacts.
type Machine interface {
	// Reset gives the answer to reset, which always comes at the rate of a reset.
	Reset(warm bool) []Char
	// Receive takes one character that was over at the time at, and gives what
	// the card then sends.
	Receive(b byte, bad bool, at time.Duration) []Char
	// Line tells how the card's line runs from the next character on.
	Line() Line
}

// Line is how a card sends and what it understands.
type Line struct {
	Inverse bool
	F, D    int // clock periods and bit rate: 1 etu = F/(D·f)
	// Block is set while the card speaks T=1: 11 etu a character, 22 from the
	// terminal's last to its first; else 12 and 16.
	Block bool
}

// atReset is every card's line at its reset.
func atReset(inverse bool) Line { return Line{Inverse: inverse, F: 372, D: 1} }

// Hz is the card's clock on both lines: 9600 baud at reset.
const Hz = 3_571_200

// ETU is the line's elementary time unit.
func (l Line) ETU() time.Duration {
	return time.Duration(l.F) * time.Second / time.Duration(l.D*Hz)
}
