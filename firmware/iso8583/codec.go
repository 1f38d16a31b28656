package iso8583

import (
	"encoding/binary"
	"math/bits"
)

// headSize is MTI and bitmap.
const headSize = 2 + 8

// Parse reads raw, from the MTI to the last byte, into m. It keeps slices of
// raw and allocates nothing. ISO8583 §4, HOST §1.2.
func (d *Dialect) Parse(m *Message, raw []byte) error {
	m.bitmap, m.src, m.err = 0, nil, nil
	if len(raw) < headSize {
		return d.fail(0, len(raw), Truncated)
	}
	for i, b := range raw[:2] {
		if b>>4 > 9 || b&0x0F > 9 {
			return d.fail(0, i, BadMTI)
		}
	}
	mti, bitmap := MTI(binary.BigEndian.Uint16(raw)), binary.BigEndian.Uint64(raw[2:])
	if bitmap>>63 != 0 {
		return d.fail(1, 2, SecondBitmap)
	}
	at := headSize
	for b := bitmap; b != 0; {
		de := bits.LeadingZeros64(b) + 1
		b &^= bit(de)
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
	return nil
}

// field reads one field at an offset and returns where the next one begins.
func (d *Dialect) field(m *Message, raw []byte, de, at int) (int, error) {
	s := &d.f[de]
	if s.name == "" {
		return 0, d.fail(de, at, UnknownField)
	}
	n := int(s.size)
	if s.ll > 0 {
		if at+int(s.ll) > len(raw) {
			return 0, d.fail(de, at, Truncated)
		}
		n = 0
		for _, b := range raw[at : at+int(s.ll)] {
			if b>>4 > 9 || b&0x0F > 9 {
				return 0, d.fail(de, at, BadLength)
			}
			n = n*100 + int(b>>4)*10 + int(b&0x0F)
		}
		if n > int(s.size) {
			return 0, d.fail(de, at, BadLength)
		}
		at += int(s.ll)
	}
	octets := s.octets(n)
	if at+octets > len(raw) {
		return 0, d.fail(de, at, Truncated)
	}
	if r, off := s.valid(raw[at:at+octets], n); r != 0 {
		return 0, d.fail(de, at+off, r)
	}
	m.f[de] = place{off: uint16(at), octets: uint16(octets), n: uint16(n)}
	return at + octets, nil
}

// valid checks a value against its alphabet; off is where it fails.
func (s *spec) valid(v []byte, n int) (r Reason, off int) {
	switch s.kind {
	case kindN, kindZ:
		first, last := 0, n // nibbles that carry digits
		if n%2 == 1 && s.ll == 0 && !s.left {
			first, last = 1, n+1
		}
		for i := range 2 * len(v) {
			b := v[i/2]
			if i%2 == 0 {
				b >>= 4
			}
			b &= 0x0F
			switch {
			case i < first || i >= last:
				if b != 0 {
					return BadPad, i / 2
				}
			case b > 9 && (s.kind == kindN || b != 0x0D):
				return BadDigit, i / 2
			}
		}
	case kindAN:
		for i, c := range v {
			if !alnum(c) {
				return BadCharacter, i
			}
		}
	}
	return 0, 0
}

// Append packs m behind dst: MTI, bitmap, fields in order. It allocates only
// if dst has no room. The first Set that did not fit is its error.
func (d *Dialect) Append(dst []byte, m *Message) ([]byte, error) {
	if m.err != nil {
		return dst, m.err
	}
	need := headSize
	m.Fields(func(de int) { need += int(d.f[de].ll) + int(m.f[de].octets) })
	if cap(dst)-len(dst) < need {
		grown := make([]byte, len(dst), len(dst)+need)
		copy(grown, dst)
		dst = grown
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(m.MTI))
	dst = binary.BigEndian.AppendUint64(dst, m.bitmap)
	for b := m.bitmap; b != 0; {
		de := bits.LeadingZeros64(b) + 1
		b &^= bit(de)
		n := int(m.f[de].n)
		switch d.f[de].ll {
		case 1:
			dst = append(dst, bcd(n))
		case 2:
			dst = append(dst, bcd(n/100), bcd(n%100))
		}
		dst = append(dst, m.Bytes(de)...)
	}
	return dst, nil
}

func bcd(n int) byte { return byte(n/10%10<<4 | n%10) }

// MACRegion splits a raw message that ends in DE 64 into the MAB, from the MTI
// to the last byte before it, exactly as on the wire, and the eight bytes of
// the MAC. ok is false if the message has no DE 64. HOST §1.5.
func MACRegion(raw []byte) (mab, mac []byte, ok bool) {
	if len(raw) < headSize+8 || raw[9]&1 == 0 {
		return nil, nil, false
	}
	return raw[:len(raw)-8], raw[len(raw)-8:], true
}
