// Package store keeps what must survive a power cut, in one bbolt file: the
// terminal's state, the outbox with its sealed card data, and the batches. One
// [Store.Commit] is one bbolt Update: all of a step, or nothing of it.
//
// Sources:
//   - BBOLT: go.etcd.io/bbolt v1.5.0, file format version 2
//   - DESIGN: design §2 (money rules, commit first), §6 (what bbolt does when a file is damaged)
//   - FSYNC: "Can Applications Recover from fsync Failures?", USENIX ATC 2020
//
// Files in the data directory (firmware/doc/wire.md has every byte):
//
//	state.db     the bbolt file
//	store.id     the id of the store; as long as it is there, a missing state.db is a loss, never a first start
//	store.clean  written by a clean Close, removed by Open: a hash of state.db as it was left
//	store.lock   held by the process that has the store open
//
// Buckets, all at the root so that the small ones live inline in the root page:
//
//	meta             schema, id, seq (money commits so far)
//	state            txn: what txn keeps, opaque JSON
//	outbox/N         a class of records with its own order (1 reversals, 2 script results, 3 advices, 4 uploads)
//	velocity         what is remembered of each card, by a key that no other bucket has
//	history          what happened at the desk, numbered
//	orders, care     what an order has paid; what pages beside selling keep
//	tables           keys and applications for chip cards that were downloaded
//	batch/CTX/NNNNNN the rows of one batch, in the order of their STAN
//
// bbolt guards its two meta pages with a checksum and nothing else. So each
// value starts with a CRC-32C over bucket, key and payload, and each bucket's
// sequence is the number of its keys: a flipped bit or a lost row is found by
// [Store.Check], which also runs bbolt's own check.
//
// Caveats: a file that was damaged can make bbolt panic, hang, or take all
// memory, so Open lets a child process with limits ([Judge]) read it first,
// unless the hash of a clean Close still fits. After a failed commit the store
// refuses everything: what the kernel holds and what the flash holds may differ
// (FSYNC), so close it, and Open reads again what the flash has.
package store
