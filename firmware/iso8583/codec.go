package iso8583

import "encoding/binary"

// headSize is MTI and bitmap.
const headSize = 2 + 8

// Parse reads raw, from the MTI to the last byte, into m. It keeps slices of
// raw and allocates nothing. After an error m is empty. ISO8583 §4, HOST §1.2.
func (d *Dialect) Parse(m *Message, raw []byte) error {
	m.Reset(0)
	m.d = d
	if len(raw) < headSize {
		return d.fail(0, len(raw), Truncated)
	}
	mti, bitmap := MTI(binary.BigEndian.Uint16(raw)), binary.BigEndian.Uint64(raw[2:])
	if !mti.Valid() {
		return d.fail(0, 0, BadMTI)
	}
	if bitmap>>63 != 0 {
		return d.fail(1, 2, SecondBitmap)
	}
	at := headSize
	for de, b := 0, bitmap; b != 0; {
		de, b = pop(b)
		next, err := d.field(m, raw, de, at)
		if err != nil {
			return err
		}
		at = next
	}
	if at != len(raw) {
		return d.fail(0, at, TrailingBytes)
	}
	m.MTI, m.bitmap, m.src = mti, bitmap, raw
	if de, off := m.badTrack(); de != 0 {
		at = int(m.f[de].off) + off
		m.Reset(0)
		return d.fail(de, at, BadDigit)
	}
	return nil
}

// field reads one field at an offset and returns where the next one begins.
func (d *Dialect) field(m *Message, raw []byte, de, at int) (int, error) {
	s := &d.f[de]
	if s.name == "" {
		return 0, d.fail(de, at, UnknownField)
	}
	n, start := int(s.size), at
	if s.form != fixed {
		if at+int(s.form) > len(raw) {
			return 0, d.fail(de, at, Truncated)
		}
		n = 0
		for _, b := range raw[at : at+int(s.form)] {
			if !isBCD(b) {
				return 0, d.fail(de, at, BadLength)
			}
			n = n*100 + int(b>>4)*10 + int(b&0xF)
		}
		if n > int(s.size) {
			return 0, d.fail(de, at, BadLength)
		}
		at += int(s.form)
	}
	octets := s.octets(n)
	if at+octets > len(raw) {
		return 0, d.fail(de, start, Truncated)
	}
	if r, off := s.valid(raw[at:at+octets], n); r != 0 {
		return 0, d.fail(de, at+off, r)
	}
	m.f[de] = place{off: uint16(at), octets: uint16(octets), n: uint16(n)}
	return at + octets, nil
}

func isBCD(b byte) bool { return b <= 0x99 && b&0xF <= 9 }

// valid checks an encoded value against its attribute; off is where it fails.
// The alphabet of a track waits for DE 53: see badTrack.
func (s *spec) valid(v []byte, n int) (r Reason, off int) {
	if !s.packed() {
		return s.text(v)
	}
	whole, base := v, 0 // the bytes that carry two digits
	if n%2 == 1 {
		last := len(v) - 1
		switch {
		case s.right && v[0]>>4 != 0:
			return BadPad, 0
		case s.right && v[0] > 9:
			return BadDigit, 0
		case s.right:
			whole, base = v[1:], 1
		case v[last]&0xF != 0:
			return BadPad, last
		}
	}
	if s.kind == kindZ {
		return 0, 0
	}
	for i, b := range whole {
		if !isBCD(b) {
			return BadDigit, base + i
		}
	}
	return 0, 0
}

// text checks the bytes of a value that is not packed.
func (s *spec) text(v []byte) (r Reason, off int) {
	switch s.kind {
	case kindAN:
		for i, c := range v {
			if c != ' ' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				return BadCharacter, i
			}
		}
	case kindANS:
		for i, c := range v {
			if c < 0x20 || c > 0x7E {
				return BadCharacter, i
			}
		}
	}
	return 0, 0
}

// badTrack finds a nibble that is neither digit nor separator in a track that
// is not encrypted; de is 0 if all is well. HOST §1.2.
func (m *Message) badTrack() (de, off int) {
	if !m.Has(DETrack2) && !m.Has(DETrack3) || m.TracksEncrypted() {
		return 0, 0
	}
	for _, de := range [...]int{DETrack2, DETrack3} {
		for i, b := range m.Bytes(de) {
			if hi, lo := b>>4, b&0xF; hi > 9 && hi != 0xD || lo > 9 && lo != 0xD {
				return de, i
			}
		}
	}
	return 0, 0
}

// Append packs m behind dst: MTI, bitmap, fields in order. It allocates only
// if dst has no room. What Append makes, Parse takes; the first Set that did
// not fit is its error, and dst is then returned as it was.
func (d *Dialect) Append(dst []byte, m *Message) ([]byte, error) {
	switch {
	case m.err != nil:
		return dst, m.err
	case !m.MTI.Valid():
		return dst, d.fail(0, 0, BadMTI)
	case m.dialect() != d:
		return dst, d.fail(0, 0, WrongKind)
	}
	need := headSize
	for de, b := 0, m.bitmap; b != 0; {
		de, b = pop(b)
		need += int(d.f[de].form) + int(m.f[de].octets)
	}
	start := len(dst)
	if cap(dst)-start < need {
		dst = append(make([]byte, 0, start+need), dst...)
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(m.MTI))
	dst = binary.BigEndian.AppendUint64(dst, m.bitmap)
	bad, off := m.badTrack()
	for de, b := 0, m.bitmap; b != 0; {
		de, b = pop(b)
		n := int(m.f[de].n)
		switch d.f[de].form {
		case ll:
			dst = append(dst, bcd(n))
		case lll:
			dst = append(dst, bcd(n/100), bcd(n%100))
		}
		if de == bad {
			off += len(dst) - start
			clear(dst[start:])
			return dst[:start], d.fail(de, off, BadDigit)
		}
		dst = append(dst, m.Bytes(de)...)
	}
	return dst, nil
}

func bcd(n int) byte { return byte(n/10<<4 | n%10) }

// MACRegion splits a raw message that ends in DE 64 into the MAB, from the MTI
// to the last byte before it, exactly as on the wire, and the eight bytes of
// the MAC. Both are slices of raw: writing mac writes the message. ok is false
// if the message has no DE 64. It is meant for what Parse took or Append made.
// HOST §1.5.
func MACRegion(raw []byte) (mab, mac []byte, ok bool) {
	if len(raw) < headSize+8 || raw[9]&1 == 0 {
		return nil, nil, false
	}
	at := len(raw) - 8
	return raw[:at:at], raw[at:], true
}
