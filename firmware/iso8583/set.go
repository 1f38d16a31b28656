package iso8583

import "fmt"

// The Set methods put a field's logical value into a message. The first value
// that does not fit is remembered, and Err and Append return it, wrapped in
// ErrField; a caller sets all fields and looks once. Setting a field again
// replaces it.

// Err is the first Set that failed since the last Reset.
func (m *Message) Err() error { return m.err }

func (m *Message) fail(de, offset int, r Reason) {
	if m.err == nil {
		m.err = fmt.Errorf("%w: %w", ErrField, m.dialect().fail(de, offset, r))
	}
}

// Unset removes a field and wipes its value.
func (m *Message) Unset(de int) {
	if m.Has(de) && m.src == nil {
		clear(m.Bytes(de))
		m.bitmap &^= bit(de)
	}
}

// room reserves the octets of a value of n digits or bytes, all 0; ok is false
// if the field cannot have it.
func (m *Message) room(de, n int, kinds ...kind) (b []byte, s *spec, ok bool) {
	s = m.dialect().spec(de)
	if s.name == "" {
		m.fail(de, 0, UnknownField)
		return nil, s, false
	}
	ok = false
	for _, k := range kinds {
		ok = ok || s.kind == k
	}
	octets := s.octets(n)
	switch {
	case !ok || m.src != nil:
		m.fail(de, 0, WrongKind)
		return nil, s, false
	case !s.allows(n):
		m.fail(de, 0, BadLength)
		return nil, s, false
	case m.used+octets > scratchSize:
		m.fail(de, 0, NoRoom)
		return nil, s, false
	}
	m.Unset(de)
	m.f[de] = place{off: uint16(m.used), octets: uint16(octets), n: uint16(n)}
	m.bitmap |= bit(de)
	b = m.scratch[m.used : m.used+octets]
	m.used += octets
	return b, s, true
}

// SetDigits sets an n or z field from ASCII digits; in a z field the separator
// is '=' or 'D'.
func (m *Message) SetDigits(de int, digits string) {
	b, s, ok := m.room(de, len(digits), kindN, kindZ)
	for i := 0; ok && i < len(digits); i++ {
		ok = m.digit(de, s, b, i, len(digits), digits[i])
	}
}

// SetSecret is SetDigits for what must leave no copy behind, as no string can: a
// card number.
func (m *Message) SetSecret(de int, digits []byte) {
	b, s, ok := m.room(de, len(digits), kindN, kindZ)
	for i := 0; ok && i < len(digits); i++ {
		ok = m.digit(de, s, b, i, len(digits), digits[i])
	}
}

// digit puts character i of n into the room b of a field.
func (m *Message) digit(de int, s *spec, b []byte, i, n int, c byte) bool {
	v := nibble(c)
	if v > 9 && (s.kind != kindZ || v != 0xD) {
		m.fail(de, i, BadDigit)
		return false
	}
	putNibble(b, s.skip(n)+i, v)
	return true
}

// SetTrack sets a z field from the text of a track: digits and separators, or
// the hex digits of an encrypted track, whose nibbles may be any. Append
// refuses those unless DE 53 says that the tracks are encrypted. HOST §1.2.
func (m *Message) SetTrack(de int, track []byte) {
	b, _, ok := m.room(de, len(track), kindZ)
	if !ok {
		return
	}
	for i, c := range track {
		v := nibble(c)
		if v > 0xF {
			m.fail(de, i, BadDigit)
			return
		}
		putNibble(b, i, v)
	}
}

// nibble is the value of a digit, '=' or A–F; 0xFF for anything else.
func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c == '=':
		return 0xD
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 0xFF
}

func putNibble(b []byte, i int, v byte) { b[i/2] |= v << (4 * (1 - i%2)) }

// SetNumber sets a fixed n field, filled with zeros at the left: an amount, a
// STAN.
func (m *Message) SetNumber(de int, v uint64) {
	size := int(m.dialect().spec(de).size)
	var digits [20]byte
	if m.dialect().spec(de).form != fixed || size > len(digits) {
		m.fail(de, 0, WrongKind)
		return
	}
	for i := size - 1; i >= 0; i-- {
		digits[i] = '0' + byte(v%10)
		v /= 10
	}
	if v > 0 {
		m.fail(de, 0, BadLength)
		return
	}
	m.SetDigits(de, string(digits[:size]))
}

// SetText sets an an or ans field.
func (m *Message) SetText(de int, s string) {
	b, row, ok := m.room(de, len(s), kindAN, kindANS, kindText)
	if !ok {
		return
	}
	copy(b, s)
	if r, off := row.text(b); r != 0 {
		m.fail(de, off, r)
	}
}

// SetBytes sets a binary field.
func (m *Message) SetBytes(de int, v []byte) {
	if b, _, ok := m.room(de, len(v), kindB); ok {
		copy(b, v)
	}
}

// ReserveMAC sets DE 64 to zeros. The bitmap then shows it, as the MAB must,
// and once the message is packed MACRegion tells where the MAC goes.
func (m *Message) ReserveMAC() { m.room(DEMAC, 8, kindB) }
