// Package flashsim is a terminal at the far end of a service cable, for the tests
// and the measurements of package flash: update's own slots and inbox and
// flashwire's own device behind a pseudo-terminal whose bytes take the time that
// they take on a wire.
//
// Sources:
//   - WIRE: firmware/doc/wire.md, "The flash frames"
//   - PTY: pty(7): a pseudo-terminal has no speed; it keeps up to 64 KiB on the way
//
// The wire runs in the time of the clock that it is given: with the machine's own,
// what is measured is real. A byte takes 10 bits of the device's rate; a port that
// is set to another rate, and one above what the cable carries, gives garbage.
package flashsim
