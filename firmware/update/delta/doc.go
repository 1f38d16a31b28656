// Package delta makes and applies byte-level differences between two builds:
// what moved is copied from the old build with small corrections, what is new
// stands in the patch. [Make] runs on a desk, [Reader] on the device, with random
// access to the old build and 32 KiB of memory.
//
// Sources:
//   - BSDIFF: C. Percival, "Naive differences of executable code", 2003: the
//     matching with its corrections
//   - SAIS: G. Nong, S. Zhang, W. H. Chan, "Two efficient algorithms for linear
//     time suffix array construction", IEEE Trans. Comput. 60(10), 2011
//   - WIRE: firmware/doc/wire.md, "A bundle"
//
// A patch is a row of steps until the new build is complete:
//
//	seek   svarint  how far the place in the old build jumps; it begins at 0
//	add    uvarint  bytes that are old bytes plus corrections
//	extra  uvarint  bytes that are new
//	add bytes of corrections (new minus old, modulo 256), extra bytes
//
// Corrections are mostly zero: a patch is meant to be compressed as a whole.
package delta
