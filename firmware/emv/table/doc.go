// Package table holds what an acquirer gives a terminal for chip cards: the
// public keys of certification authorities (CAPK) and the applications (AID) with
// their action codes and limits. It reads and writes their records as data
// objects, keeps them as a [Set], and makes of it what the kernel works with.
//
// Sources:
//   - B2: EMV 4.3 Book 2 §11.2 (CA public keys), Annex B3 (checksum)
//   - B3: EMV 4.3 Book 3 §10.6 (risk parameters), Annex A (data elements)
//   - B4: EMV 4.3 Book 4 §10.2 (data of a terminal)
//   - WIRE: firmware/doc/wire.md, "Tables for chip cards": the de-facto tags of the
//     UnionPay download
//
// A record is believed whole or not at all: one that is not in order is refused
// with its name (A000000333/0B) and the others are used. A key's last day comes
// from the acquirer; a key without one is kept and never used.
package table
