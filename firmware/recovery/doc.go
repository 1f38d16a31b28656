// Package recovery seals what the outbox holds of money to the acquirer's public
// key, so that it outlives the device's own keys: after tamper the images are
// exported, opened on the acquirer's desk, and settled by ticket.
//
// Sources:
//   - RFC9180: HPKE, base mode; DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM
//   - WIRE: firmware/doc/wire.md §11, the image and the export
//
// A sealed image is secret; it does not prove who sealed it, since anybody may have
// the public key. The acquirer compares it with its own books.
package recovery
