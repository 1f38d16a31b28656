// Package pos holds the value types of the field, small, comparable and free
// of I/O: amounts, numbers of messages, identities, references.
//
// Sources:
//   - ISO8583: ISO 8583:1987, data elements (DE)
//   - ISO4217: currency codes
//   - HOST: the host protocol in firmware/doc/wire.md
package pos
