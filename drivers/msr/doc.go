// Package msr reads magnetic stripes: from a head that sends ASCII tracks over
// a serial port, and from the clock and data lines of a bare head.
//
// Sources:
//   - ISO7811-2: ISO/IEC 7811-2, magnetic stripe, low coercivity (part 6 says the
//     same of high coercivity). Editions number their clauses differently, so
//     they are cited by heading: "Coded character set", "Nominal bit density",
//     "Error detection"
//   - ISO7813: ISO/IEC 7813, contents of tracks 1 and 2, cited likewise
//
// # What a serial head sends
//
// One line a pass, ended by CR, LF or both, or by silence ([Opts].Gap):
//
//	%<track 1>?[LRC];<track 2>?[LRC]+<track 3>?[LRC] CR LF
//
//	'%' ';' '+'  start sentinels of tracks 1, 2, 3 (25, 3B, 2B hex); '+' is the
//	             heads' own name for track 3's, which on the stripe is track 2's
//	'?'          end sentinel (3F)
//	track 1      up to 76 of the characters 20..5F but '%' and '?'
//	tracks 2, 3  up to 37 and 104 of '0'..'9' ':' '<' '=' '>' (30..3E but 3B)
//	'~'          (7E) stands for a character that failed its odd parity
//	LRC          one character, if the head sends it: for track 1 20 hex plus its
//	             six data bits, for tracks 2 and 3 30 hex plus its four; '~' if it
//	             failed its own parity. It is the exclusive or of the data bits
//	             of all characters from start to end sentinel, both included
//	"%E?" ";E?" "+E?"  the head could not read that track, and does not say why
//	";?"         nothing is recorded on that track; it may be left out as a whole
//
// A head that only passes on what it sees sends a card drawn the wrong way back
// to front, the line as a whole; it is turned, and the swipe says so. Bytes
// before, between and behind the tracks are noise and skipped; so is a line
// without any track. What does not fit into 512 bytes is reported once as a
// broken form, and the next card is read.
//
// # What a bare head sends
//
// See [TTL] for the lines and [DecodeTrack] for the bits.
package msr
