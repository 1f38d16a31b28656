// Package tlv reads and writes the BER-TLV data objects of chip cards, builds
// the byte string that a data object list (DOL) asks for, and knows every tag of
// the contact application by name, format, length and origin.
//
// Sources:
//   - B3: EMV 4.3 Book 3, Annex B (BER-TLV rules), §5.4 (DOL), §4.3 (formats), Annex A (data elements)
//   - B1: EMV 4.3 Book 1, Annex B
//   - ISO7816: ISO/IEC 7816-4:2013 §5.2.2 (tags of one to three bytes, lengths)
//
// A card is not trusted: every function is total, looks at each byte a bounded
// number of times, allocates no more than its input, and never panics.
package tlv
