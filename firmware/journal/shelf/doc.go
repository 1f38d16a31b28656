// Package shelf keeps the segments of one stream of a journal in a folder: it
// appends, seals, closes and packs them, and takes the oldest away.
//
// Sources:
//   - ADR33: doc/adr/0033-journal-seal.md
//   - WIRE: doc/wire.md, the journal's files
//   - FLASHLOGS: flash_logs §3, batches and wear
//
// A folder holds NNNNNNNN.seg, one for each era (each start of the program begins one),
// seal.key (one sector: what signs next), root (the public key of the first era),
// gone (signed removals) and, where errors must find room on a full disk, reserve.
package shelf
