// Package bundle is what an update travels in: a signed manifest and the build
// itself, packed, as a whole and as differences from builds that devices have.
// [Make] runs on a desk; [ReadHead] and [Unpack] on the device, which believes
// nothing that the manifest's hashes do not cover.
//
// Sources:
//   - RFC8032: RFC 8032, Ed25519
//   - WIRE: firmware/doc/wire.md, "A bundle"
//
// What is signed are the manifest's bytes; it holds the hash of the image, of
// each of its blocks, and of each piece of each payload. So bytes are checked
// before the unpacker sees them, and again before they are written.
package bundle
