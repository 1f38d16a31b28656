// Package tape keeps what the reducer was told of one transaction, so that a desk can
// run it again: with the build of today, and with other rules.
//
// Sources:
//   - ADR39: doc/adr/0039-tape.md, what is kept and why it suffices
//   - DESIGN: design §1, txn.Step is total and pure
//   - PCIDSS: PCI DSS 3.4, at most the first six and last four digits are kept
//
// A part holds the state before its first step and the youngest events of the desk, or
// the name of the part that it goes on behind; then for each step the event with its
// facts, the state behind it, the effects, and what the diagnosis looked at. State, event
// and signals are flat maps, of which a step keeps what has changed.
//
// Redaction is by type, not by field: every pos.CardRef, throttle.Key and tag of a card or
// its first digits becomes a number of its own that is good within one tape; DE 55
// becomes its length; free text passes a sieve. So nothing on a tape leads to another
// tape, to the store or to the name of a card in the journal.
package tape
