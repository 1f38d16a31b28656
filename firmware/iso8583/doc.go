// Package iso8583 is the codec of the acquirer's dialect: a table of fields, a
// parser that allocates nothing, and a packer that allocates at most once. It
// is strict both ways: trailing bytes, a length that does not fit, a bitmap
// that lies, a nibble that is no digit are errors that name the field and the
// offset, and never its content.
//
// Sources:
//   - ISO8583: ISO 8583:1987, 64-bit map only
//   - HOST: firmware/doc/wire.md, the UnionPay dialect (Q/CUP 009), §1.1–§1.5
//   - PCI: PCI DSS 4.0, 3.3 and 3.4 (what may be shown)
//
// A message is parsed in place and re-packs to the same bytes: DE 64 is made
// over the bytes as they stand on the wire, so nothing may be re-sorted.
//
// From the outside in: [NextFrame] cuts a stream, [ParseFrame] a frame,
// [Dialect.Parse] a message; [ParseTypeBatch], [ParseOriginal] and their like
// split a field. What goes out walks the same way back.
package iso8583
