// Package sieve searches bytes for card numbers, tracks, PINs and clear PIN
// blocks that are known, in every form in which a program might leave them:
// text, packed decimal, hex, base64, swapped nibbles, lists of byte values.
//
// What is searched for is the telling part of each secret, so that a piece is
// found too and a masked form is not:
//
//	pan     its last 12 digits, and the 12 before the check digit (as a PIN block
//	        has them); a mask leaves six and four. Where those are nearly all one
//	        digit, which memory has everywhere, the whole number; and one such as
//	        4111111111111111 as text only
//	track   the end of the discretionary data, where a card has its CVV: up to
//	        13 characters behind the expiry
//	pin     all its digits, if it has 12; of 10 and 11 not in packed forms; a shorter
//	        one, or 111111111111, would be found by chance, and is searched for as
//	        its blocks
//	        A packed form within a text of 64 letters and more in base64 is counted, and is no find
//	block   the clear PIN blocks of format 0 (8 bytes), of format 4 and of the
//	        form without a PAN (their fixed first bytes)
//
// Sources:
//   - PCI: PCI DSS 4.0, 3.3 (never kept), 3.4 and 3.5 (masked, unreadable)
//   - ISO9564: ISO 9564-1:2017 §9, PIN blocks
//   - ISO7813: ISO/IEC 7813:2006, tracks
package sieve

// Kind of a secret.
type Kind string

// The kinds.
const (
	PAN   Kind = "pan"
	Track Kind = "track"
	PIN   Kind = "pin"
	Block Kind = "pin block"
)

// Hit is a secret that was found. It does not say which digits.
type Hit struct {
	Kind     Kind   `json:"kind"`
	Encoding string `json:"encoding"`
	Number   int    `json:"number"` // of the card, from 0
	Offset   int64  `json:"offset"`
	// Spelt: it is a packed form inside a long text in base64, where it stands by chance.
	Spelt bool `json:"spelt,omitempty"`
}

// Card is what one customer brings.
type Card struct {
	PAN    string
	Track1 string // between the sentinels; "" none
	Track2 string
	PIN    string // "" none
}
