// Package acquirer is a simulated acquirer behind a TCP listener: accounts,
// limits, keys and books, and on command every fault that a real one has. It
// packs, parses, MACs and opens PIN blocks with code of its own and shares none
// with the terminal, so that both ends cannot be wrong together: what a
// terminal gets wrong is answered as a real host would answer it (30, A0, 99,
// 03, 97 …) and kept as a named [Finding].
//
// Sources:
//   - HOST: firmware/doc/wire.md, the UnionPay dialect (Q/CUP 009, Q/CUP 006.6)
//   - ISO8583: ISO 8583:1987
//   - ISO7812, ISO7813: ISO/IEC 7812-1 (check digit), ISO/IEC 7813:2006 (tracks)
//   - ISO9564: ISO 9564-1:2017, PIN block format 0
//   - X9.9, X9.19: ANSI X9.9-1986, X9.19-1996 = ISO 9797-1 algorithms 1 and 3
//
// The books are append-only. What a terminal should have been told does not
// matter to them: they say what the cards were charged.
package acquirer

// The bench's terminal. The master key is the published one of HOST §1.7
// vector 4: it protects test cards on a loopback socket and nothing else.
const (
	BenchTMK = "CA5D92598DCA48CE8A4C76361A9269E9"
	BenchTID = "20260001"
	BenchMID = "898100012340001"
)

// institution is our own number, DE 32 and DE 44.2; issuer stands in DE 44.1.
const (
	institution = "48021000"
	issuer      = "03040000"
)
