// Package ymodem receives files by YMODEM, so that any terminal program can send
// a bundle: blocks of 128 and 1024 bytes, CRC-16, batches, and YMODEM-g.
//
// Sources:
//   - YM: C. Forsberg, "XMODEM/YMODEM Protocol Reference", 1988-10-14
//   - LRZSZ: lrzsz 0.12.21, lsz.c and lrb.c: what sb sends and waits for
//
// The receiver drives: it asks with C (or G), answers each block with ACK or NAK,
// the first end of a file with NAK and the second with ACK, so that a byte turned
// into EOT ends nothing. A block whose length is whole and whose CRC is wrong is
// asked for again at once; only when the beginning of a block is lost does it wait
// for silence.
package ymodem
