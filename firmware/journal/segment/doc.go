// Package segment is the file format of the journal: frames with a check sum
// each, so that a torn, cut or edited file shows what of it is whole and names
// the rest by its range.
//
// Sources:
//   - WIRE: doc/wire.md, the journal's files
//   - CRC32C: RFC 3720 appendix B.4
//   - ZSTD: RFC 8878
//
// A file is a chain of frames: head, batches and checkpoints, and once it is closed
// an index and a tail. A frame is 20 bytes and its payload:
//
//	FE 53 57 46 | kind 1 | flags 1 (1 = zstd) | version 2 | stored length 4 | raw length 4 | CRC32C of all before and the payload 4
//
// A batch is records, each a varint length, the record (package entry) and the
// first four bytes of the chain after it (package seal).
package segment
