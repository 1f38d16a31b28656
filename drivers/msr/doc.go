// Package msr reads magnetic stripes: from a head that sends ASCII tracks over
// a serial port, and from the clock and data lines of a bare head.
//
// Sources:
//   - ISO7811-2: ISO/IEC 7811-2, encoding: track 1 of 7-bit characters, tracks 2
//     and 3 of 5-bit characters, odd parity, LRC
//   - ISO7813: ISO/IEC 7813, contents of tracks 1 and 2
//
// A serial head sends one line a pass, ended by CR, LF or both, or by silence:
//
//	%<track 1>?[LRC];<track 2>?[LRC]+<track 3>?[LRC]
//
// Each track may be absent. A character whose parity failed arrives as '~'. The
// LRC, where the head sends it, is one character: for tracks 2 and 3 0x30 plus
// its four bits, for track 1 0x20 plus its six. "%E?", ";E?", "+E?" say that
// the head could not read that track. A pass drawn the wrong way may arrive
// back to front as a whole; it is turned.
package msr
