// Package replay runs a transcript of a chip sale, a JSON file, against the
// kernel: each command that the kernel sends must be the next one of the file,
// byte for byte, and all of them must be used. It is pure; postool reads the files.
//
// Sources:
//   - EMVDOC: firmware/doc/emv.md, the schema of a transcript
//   - B2: EMV 4.3 Book 2 §7 (PIN block and its encipherment, which the PIN pad does on a device)
//   - ISO9564: ISO 9564-1:2017 §9.3.3, PIN block format 2
//   - ISO7816: ISO/IEC 7816-3:2006 §10.3 (T=0: procedure bytes, 61, 6C), for mode tpdu
//
// A PIN in a transcript belongs to a test card.
package replay
