package iso8583

import "math/bits"

// scratchSize holds every field of a request that a terminal builds.
const scratchSize = 2048

// place is where a field's encoded value stands, without its length bytes.
type place struct {
	off, octets uint16
	n           uint16 // digits for n and z, else bytes
}

// Message is one message: either parsed, and then its values are slices of the
// raw bytes, or built with the Set methods, and then they stand in a buffer of
// its own. The zero value is ready for either, on the stack too. A message that
// was parsed is not changed by Set; Reset it first. It must not be copied while
// a slice of it is in use, and it prints itself masked.
type Message struct {
	MTI     MTI
	d       *Dialect // nil: UnionPay
	bitmap  uint64   // bit 64-de
	f       [65]place
	src     []byte // parsed: the raw message
	scratch [scratchSize]byte
	used    int
	err     error // the first Set that failed
}

// Reset empties the message and wipes what it held of its own.
func (m *Message) Reset(mti MTI) {
	clear(m.scratch[:m.used])
	m.MTI, m.bitmap, m.src, m.used, m.err = mti, 0, nil, 0, nil
}

// Begin resets m to build a message of this dialect.
func (d *Dialect) Begin(m *Message, mti MTI) {
	m.Reset(mti)
	m.d = d
}

func (m *Message) dialect() *Dialect {
	if m.d == nil {
		return UnionPay
	}
	return m.d
}

func bit(de int) uint64 { return 1 << (64 - de) }

// pop takes the lowest field number off a bitmap.
func pop(b uint64) (de int, rest uint64) {
	de = bits.LeadingZeros64(b) + 1
	return de, b &^ bit(de)
}

// Has tells whether a field is there.
func (m *Message) Has(de int) bool { return de >= 2 && de <= 64 && m.bitmap&bit(de) != 0 }

// Fields yields the number of each field that is there, in order.
func (m *Message) Fields(yield func(de int) bool) {
	for de, b := 0, m.bitmap; b != 0; {
		if de, b = pop(b); !yield(de) {
			return
		}
	}
}

// Len is the length of a field: digits for n and z, else bytes; 0 if not there.
func (m *Message) Len(de int) int {
	if !m.Has(de) {
		return 0
	}
	return int(m.f[de].n)
}

// Bytes are the encoded octets of a field without its length, nil if it is not
// there. They stay valid until the message is reset or the raw bytes change.
func (m *Message) Bytes(de int) []byte {
	if !m.Has(de) {
		return nil
	}
	p, from := &m.f[de], m.src
	if from == nil {
		from = m.scratch[:]
	}
	end := p.off + p.octets
	return from[p.off:end:end]
}

// Text is an an, ans or b field as a string of its bytes; "" if not there.
func (m *Message) Text(de int) string { return string(m.Bytes(de)) }

// AppendDigits appends an n or z field as ASCII: digits, '=' for the separator
// nibble D, and A–F for the nibbles of an encrypted track. Other fields, and
// those that are not there, append nothing.
func (m *Message) AppendDigits(dst []byte, de int) []byte {
	v, s, n := m.Bytes(de), m.dialect().spec(de), m.Len(de)
	if !s.packed() {
		return dst
	}
	for i := s.skip(n); n > 0; i, n = i+1, n-1 {
		b := v[i/2]
		if i%2 == 0 {
			b >>= 4
		}
		dst = append(dst, "0123456789ABC=EF"[b&0xF])
	}
	return dst
}

// Digits is AppendDigits as a string; "" if the field is not there.
func (m *Message) Digits(de int) string {
	var buf [40]byte
	return string(m.AppendDigits(buf[:0], de))
}

// Number is an n field of at most 19 digits as a number; ok is false if it is
// not there, has more, or is no number.
func (m *Message) Number(de int) (v uint64, ok bool) {
	n := m.Len(de)
	if n == 0 || n > 19 || m.dialect().spec(de).kind != kindN {
		return 0, false
	}
	var buf [19]byte
	for _, c := range m.AppendDigits(buf[:0], de) {
		v = v*10 + uint64(c-'0')
	}
	return v, true
}

// TracksEncrypted tells that the nibbles of DE 35 and 36 are a cryptogram: the
// third digit of DE 53 is 1. HOST §1.2.
func (m *Message) TracksEncrypted() bool {
	v := m.Bytes(DESecurity)
	return len(v) == 8 && v[1]>>4 == 1
}
