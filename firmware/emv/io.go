package emv

import (
	"fmt"

	"swipewell/firmware/card"
)

// Input is what may come into [Step]: the card's answers (B3 §6.3.3) and the world's.
type Input interface{ input() }

// Response is an R-APDU. B3 §6.3.3.
type Response struct {
	Data []byte
	SW   uint16 // SW1 SW2
}

// ParseResponse splits an R-APDU into data and status; shorter than two bytes is
// [Lost]. B3 §6.3.3.
func ParseResponse(b []byte) Input {
	n := len(b) - 2
	if n < 0 {
		return Lost{}
	}
	return Response{b[:n:n], uint16(b[n])<<8 | uint16(b[n+1])}
}

// Lost says that no R-APDU will come: card withdrawn, mute, or the protocol
// below gave up. B1 §10.
type Lost struct{}

// Cancel says that the cashier or the cardholder ends the sale. B4 §6.
type Cancel struct{}

// Choice answers [AskChoice]: an index of its candidates. B1 §12.4. Out of range
// is a refusal to confirm.
type Choice struct{ Index int }

// PINResult says how the entry of a PIN ended. B3 §10.5.1.
type PINResult uint8

// The ends of an entry.
const (
	PINEntered  PINResult = iota
	PINBypassed           // the cardholder or the cashier passed it over
	PINBroken             // no PIN pad, or it does not work
	PINTimeout            // nobody entered one
)

// PIN answers [AskPIN]. Handle names the entry inside the PIN pad. B3 §10.5.1.
type PIN struct {
	Result PINResult
	Handle uint64
}

// Facts answers [AskFacts] from the terminal's log of the day and its exception
// file. B3 §10.6.1, B4 §10.2.
type Facts struct {
	Logged    uint64 // minor units of earlier transactions of this card in the log. B3 §10.6.1
	Exception bool   // the card stands on the exception file. B3 §10.6 (card on exception file)
}

// Reach says how the attempt to reach the issuer ended. B3 §10.9, B4 §6.3.8.
type Reach uint8

// The ends of an attempt.
const (
	Answered Reach = iota
	// NeverSent: hostlink knows that no byte of the request left the terminal.
	// Only then may the kernel decide by the default action codes (Y3, Z3).
	NeverSent
	// NoAnswer: a byte may have left and no usable answer came. The card is asked
	// to decline, whatever the codes say, and the sale is unknown.
	NoAnswer
)

// Host answers [AskOnline]. B3 §10.9, B4 §12.2.
type Host struct {
	Reach    Reach
	Approved bool
	ARC      [2]byte  // Authorisation Response Code 8A
	AuthData []byte   // Issuer Authentication Data 91, empty if none came
	Scripts  [][]byte // the templates 71 and 72, each whole, in the order in which they came
}

func (Response) input() {}
func (Lost) input()     {}
func (Cancel) input()   {}
func (Choice) input()   {}
func (PIN) input()      {}
func (Facts) input()    {}
func (Host) input()     {}

// Format keeps what a card said out of every log. B3 Annex A: it may be track 2.
func (r Response) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "R-APDU of %d bytes, SW %04X", len(r.Data), r.SW)
}

// Output is what [Step] wants next: a command (B3 §6.3.2), an answer of the world, or
// nothing more.
type Output interface{ output() }

// Command is a C-APDU for the card; answer with [Response] or [Lost]. B3 §6.3.2.
type Command struct{ APDU []byte }

// Format shows the header only: the body of a command may hold card data.
func (c Command) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "C-APDU %X of %d bytes", c.APDU[:min(4, len(c.APDU))], len(c.APDU))
}

// Verify is the command VERIFY, whose body the PIN pad makes: a PIN block in
// format 2, plain (P2 80) or enciphered under the card's key (P2 88). Answer with
// [Response] or [Lost]. B3 §6.5.12, B2 §7.2.
type Verify struct {
	Header [4]byte // CLA INS P1 P2
	Handle uint64
	// Enciphered PIN: RSA over 7F, PIN block, Challenge and random bytes, as long
	// as Modulus. All empty for a plain PIN.
	Modulus, Exponent, Challenge []byte
}

// AskChoice wants the cardholder to choose an application, or to confirm the only
// one. Answer with [Choice]. B1 §12.4.
type AskChoice struct {
	Candidates []Candidate // in the order to show
	Confirm    bool        // there is one, and it may not be taken unasked
	Again      bool        // the one chosen before could not be used: say "try again"
}

// PINKind says what a PIN is for. B3 §10.5.
type PINKind uint8

// The kinds.
const (
	PlainPIN PINKind = iota
	EncipheredPIN
	OnlinePIN
)

// AskPIN wants a PIN from the PIN pad. Answer with [PIN]. B3 §10.5.1, §10.5.2.
type AskPIN struct {
	Kind PINKind
	Left int  // tries that are left, -1 if the card does not say
	Last bool // one try is left: B4 §6.3.4.1 wants it said
	Bad  bool // the one before was wrong
}

// AskFacts wants what the terminal's files say of the card. Answer with [Facts].
// B3 §10.6.1.
type AskFacts struct {
	PAN card.PAN
	PSN byte // PAN sequence number; 0 if the card has none
}

// AskOnline wants the issuer's answer to the ARQC; what to send is in the State.
// Answer with [Host]. B3 §10.9.
type AskOnline struct {
	PINHandle uint64 // of the online PIN, if HasPIN
	HasPIN    bool
}

func (Command) output()   {}
func (Verify) output()    {}
func (AskChoice) output() {}
func (AskPIN) output()    {}
func (AskFacts) output()  {}
func (AskOnline) output() {}
func (Outcome) output()   {}
