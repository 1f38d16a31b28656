// Package backup keeps what a device needs to rise again without its store: a
// checked copy of it, made nightly while it runs, and a side log to which each
// money commit is appended and synced before the store has it.
//
// Sources:
//   - DESIGN: design §2, money rules
//   - BBOLT: go.etcd.io/bbolt v1.5.0, Tx.WriteTo
//
// Files in its folder, which a board may put on a second partition
// (firmware/doc/wire.md has every byte):
//
//	copy-NNNNNNNN.db    a copy; it holds all that stands in the logs before number N
//	copy-NNNNNNNN.json  when it was made, its length and its hash; written last
//	side.last            the number of the newest log, so that one that is gone is missed
//	side-NNNNNNNN.log   a log: one for each life of posd and each copy
//
// A restore is the newest good copy and all logs from its number on, into a
// scratch file, which is judged, checked and added up before it may take the
// store's place. An entry at the end of a log that the store never took (the
// power failed between the two) is known by the next log's first number.
//
// Caveats: a log is sealed with the device's own key, so a device whose keys
// are gone (tamper) cannot be restored from it. If a tail is missing, nobody
// knows which numbers were used: the caller must jump past them.
package backup
