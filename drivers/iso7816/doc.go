// Package iso7816 is a slot for cards with contacts: a serial port on the I/O
// line and GPIO lines on the others. It resets a card, reads its answer, speaks
// T=0 or T=1 with it and hands APDUs through.
//
// Sources:
//   - EMV1: EMV 4.3 Book 1, Application Independent ICC to Terminal Interface,
//     part II; where its successor (EMV Level 1 Contact Interface, 1.0) is wider,
//     EMVL1 is cited
//   - ISO7816-3: ISO/IEC 7816-3:2006, electrical interface and protocols
//   - ISO7816-4: ISO/IEC 7816-4, command and response APDUs
//
// # Times
//
// Times come in elementary time units: 1 etu = F/(D·f), 372 clock periods at
// reset, 104 µs at f = 3.5712 MHz, which is 9600 baud. Each wait is the
// standard's plus [Opts].Slack, because a UART's FIFO and a scheduler stand
// between the line and this program. They are counted on hal.Clock.
//
// # Bounds
//
// Whatever a card sends, PowerUp and Transmit end: each wait has its time, each
// APDU has [Opts].Limit over all, and what a card may ask for again and again
// (60, 61, 6C, R-blocks, S-blocks) is counted. A card that breaks a rule gets
// its contacts deactivated, except after a parity error; see [Slot.Transmit].
//
// # Parity
//
// The T=0 error signal (ISO7816-3 §7.3) is given within half a character's
// guard time, which only a smart-card UART can do. On this one a parity error
// during the answer to reset ends in the warm reset that EMV1 §8 asks for; in
// a T=0 exchange it ends the exchange with hal.ChipParity, the contacts stay
// active, and the next PowerUp is a warm reset, once. T=1 asks for the block
// again.
package iso7816
