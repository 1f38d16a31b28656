// Package throttle decides whether a card that is presented may pay now, and if
// not, says by which rule, why, what to do and for how long. It is pure: the
// card's ring, the log of the desk, the rules and the time come in, a Decision
// comes out, and what is learned from an outcome is a row that the caller keeps
// in the same commit as the money.
//
// Sources:
//   - THROTTLE: firmware/doc/throttle.md, the rules R00–R24, their language, what each is for
//   - GCRA: ITU-T I.371 Annex A, generic cell rate algorithm (virtual scheduling)
//   - DESIGN: design §2, commit first, then act
//   - PCI: PCI DSS 4.0, 3.5.1.1 (keyed hash of the entire PAN; not to be joined with a masked one)
//
// What it holds of a card is a keyed hash of its own scope (Key), eight
// outcomes and a penalty: no number, masked or not, and no trace number by which
// the two could be joined.
//
// Time is [Time]: the device's logical time, plus the hours without power that
// the host's own clock has proved since. No clock that a person can set moves
// it, so a penalty neither ends early nor comes back.
package throttle
