// Package seal proves that nobody edited a journal: each entry is chained to
// the one before it, checkpoints are signed, and a key that has signed is gone.
//
// Sources:
//   - ADR33: doc/adr/0033-journal-seal.md
//   - FSS: Marson, Poettering, "Practical Secure Logging", the idea of keys that move on
//   - ED25519: RFC 8032
//   - SHA256: FIPS 180-4
//
// Of each segment of a journal, an era, a [Cert] names the first entry's place in the
// chain and the public key of its first checkpoint; the era before it signed
// that. A [Checkpoint] names the chain's value after an entry and the public
// key of the next one; the key in force signed it, and was then replaced by its hash.
// So whoever takes the device has keys for what comes, and none for what was;
// and whoever knows the first public key can check everything since.
package seal
