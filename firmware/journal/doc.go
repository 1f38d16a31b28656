// Package journal is the device's log: what happened, as facts with a code, a
// transaction id and typed fields, sealed, in a folder of bounded size.
//
// Sources:
//   - DESIGN: design §2; the journal is also how a field engineer replays a day
//   - FLASHLOGS: flash_logs §3, what logs on devices get wrong
//   - ISO7812: ISO/IEC 7812-1 annex B, the Luhn check digit
//   - PCIDSS: PCI DSS 3.4, at most the first six and last four digits are shown
//   - ADR33: doc/adr/0033-journal-seal.md; ADR 0041 judges removals
//
// A card number, a track, a PIN or a key cannot be logged: a [Field] is made by
// constructors that take the safe type only ([Card] takes a pos.MaskedPAN), and
// whatever free text remains (an error, a line of log/slog) passes a sieve that
// stars out what looks like a card number or a track. The name of a card (a [Ref])
// has an entry of its own, which takes nothing else.
//
// Record never blocks and never fails: entries go through a queue to one writer,
// which writes a batch at once for an error or a money commit and else within two
// seconds. What could not be kept (a full disk, a full queue) is counted, and the count
// is told when it works again. Entries of WARN and ERROR are a stream of their own: with
// bounds and, on a full disk, room of their own.
//
// Packages below: entry (one fact), segment (the file format), seal (chain and keys),
// shelf (a folder of segments), query, verify, export, fetch (an export over a line that breaks), qr
// (over a camera), otlp (for other tools), kmsg (the kernel's messages).
//
// An entry as a line, on standard error and on the service socket:
//
//	{"seq":7,"t":"2026-03-01T14:03:22.120+08:00","boot":"5f0c91aa","up":8211,"log":91822,"lvl":"INFO",
//	 "code":"E-TXN-04","src":"txn","tx":"cup-000001-000123","f":{"amount":"12.80","card":"622588******1234","rc":"00"}}
//
// seq counts over all boots; t is the wall clock, which may be wrong; up (since
// the process began) and log (the device's logical time) are milliseconds and
// never run backwards within a boot.
package journal
