package iso8583

import (
	"errors"
	"fmt"
	"math/bits"
)

// MTI is a message type in BCD: 0x0200.
type MTI uint16

// Response is the MTI that answers m: +10.
func (m MTI) Response() MTI { return m + 0x10 }

func (m MTI) String() string { return fmt.Sprintf("%04x", uint16(m)) }

// scratchSize holds every field of a request that a terminal builds.
const scratchSize = 2048

// place is where a field's encoded value stands, without its length bytes.
type place struct {
	off, octets uint16
	n           uint16 // digits for n and z, else bytes
}

// Message is one message: either parsed, and then its values are slices of the
// raw bytes, or built with the Set methods, and then they stand in a buffer of
// its own. The zero value after Reset is ready to build. It must not be copied
// while a slice of it is in use.
type Message struct {
	MTI     MTI
	bitmap  uint64 // bit 64-de
	f       [65]place
	src     []byte // parsed: the raw message
	scratch [scratchSize]byte
	used    int
	err     error // the first Set that failed
}

// Reset empties the message.
func (m *Message) Reset(mti MTI) {
	clear(m.scratch[:m.used])
	m.MTI, m.bitmap, m.src, m.used, m.err = mti, 0, nil, 0, nil
}

// Has tells whether a field is there.
func (m *Message) Has(de int) bool { return de >= 2 && de <= 64 && m.bitmap&bit(de) != 0 }

func bit(de int) uint64 { return 1 << (64 - de) }

// Fields calls f for each field that is there, in order.
func (m *Message) Fields(f func(de int)) {
	for b := m.bitmap; b != 0; {
		de := bits.LeadingZeros64(b) + 1
		b &^= bit(de)
		f(de)
	}
}

// Bytes are the encoded octets of a field, nil if it is not there. They stay
// valid until the message is reset or the raw bytes change.
func (m *Message) Bytes(de int) []byte {
	if !m.Has(de) {
		return nil
	}
	p := m.f[de]
	if m.src != nil {
		return m.src[p.off : p.off+p.octets]
	}
	return m.scratch[p.off : p.off+p.octets]
}

// Text is an an, ans or b field as a string of its bytes; "" if not there.
func (m *Message) Text(de int) string { return string(m.Bytes(de)) }

// AppendDigits appends an n or z field as ASCII, the separator as '='.
func (m *Message) AppendDigits(dst []byte, d *Dialect, de int) []byte {
	v := m.Bytes(de)
	n, skip := int(m.f[de].n), 0
	if s := d.f[de]; s.ll == 0 && n%2 == 1 && !s.left {
		skip = 1 // right-aligned: a filler nibble stands before it
	}
	for i := skip; v != nil && i < n+skip; i++ {
		b := v[i/2]
		if i%2 == 0 {
			b >>= 4
		}
		if b &= 0x0F; b == 0x0D {
			dst = append(dst, '=')
		} else {
			dst = append(dst, '0'+b)
		}
	}
	return dst
}

// Digits is AppendDigits of a UnionPay message as a string.
func (m *Message) Digits(de int) string { return string(m.AppendDigits(nil, UnionPay, de)) }

// Number is a numeric field as a number; ok is false if it is not there.
func (m *Message) Number(de int) (v uint64, ok bool) {
	if !m.Has(de) {
		return 0, false
	}
	var buf [24]byte
	for _, c := range m.AppendDigits(buf[:0], UnionPay, de) {
		v = v*10 + uint64(c-'0')
	}
	return v, true
}

// ErrField says that a value cannot be put into a field: a bug of the caller.
var ErrField = errors.New("iso8583: value does not fit the field")

func (m *Message) fail(de int) {
	if m.err == nil {
		m.err = fmt.Errorf("%w: DE %d", ErrField, de)
	}
}

// room reserves octets for a field.
func (m *Message) room(de, n, octets int) []byte {
	if m.used+octets > scratchSize || m.src != nil {
		m.fail(de)
		return nil
	}
	m.f[de] = place{off: uint16(m.used), octets: uint16(octets), n: uint16(n)}
	m.bitmap |= bit(de)
	b := m.scratch[m.used : m.used+octets]
	m.used += octets
	return b
}

// fits checks a value's length against the table.
func (d *Dialect) fits(de, n int) bool {
	s := d.f[de]
	return s.name != "" && (s.ll == 0 && n == int(s.size) || s.ll > 0 && n <= int(s.size))
}

// SetDigits sets an n or z field from ASCII digits; the separator may be '='
// or 'D'. The first value that does not fit is remembered and returned by Append.
func (m *Message) SetDigits(de int, s string) { m.setDigits(UnionPay, de, s) }

func (m *Message) setDigits(d *Dialect, de int, s string) {
	sp := d.f[de]
	if !d.fits(de, len(s)) || sp.kind != kindN && sp.kind != kindZ {
		m.fail(de)
		return
	}
	b := m.room(de, len(s), sp.octets(len(s)))
	clear(b)
	at := 0
	if sp.ll == 0 && len(s)%2 == 1 && !sp.left {
		at = 1
	}
	for i := 0; i < len(s) && b != nil; i++ {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case sp.kind == kindZ && (c == '=' || c == 'D'):
			c = 0x0D
		default:
			m.fail(de)
			return
		}
		if (at+i)%2 == 0 {
			c <<= 4
		}
		b[(at+i)/2] |= c
	}
}

// SetTrack sets a z field from the text of a track: digits and separators, or
// the hex digits of an encrypted track (HOST §1.2), whose nibbles may be any.
func (m *Message) SetTrack(de int, track []byte) {
	sp := UnionPay.f[de]
	if !UnionPay.fits(de, len(track)) || sp.kind != kindZ {
		m.fail(de)
		return
	}
	b := m.room(de, len(track), sp.octets(len(track)))
	clear(b)
	for i := 0; i < len(track) && b != nil; i++ {
		c := track[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c == '=':
			c = 0x0D
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			m.fail(de)
			return
		}
		b[i/2] |= c << (4 * (1 - i%2))
	}
}

// SetText sets an an or ans field.
func (m *Message) SetText(de int, s string) {
	sp := UnionPay.f[de]
	if !UnionPay.fits(de, len(s)) || sp.kind != kindAN && sp.kind != kindANS {
		m.fail(de)
		return
	}
	copy(m.room(de, len(s), len(s)), s)
	if sp.kind == kindAN {
		for i := range len(s) {
			if !alnum(s[i]) {
				m.fail(de)
			}
		}
	}
}

// SetBytes sets a binary field.
func (m *Message) SetBytes(de int, v []byte) {
	if !UnionPay.fits(de, len(v)) || UnionPay.f[de].kind != kindB {
		m.fail(de)
		return
	}
	copy(m.room(de, len(v), len(v)), v)
}

func alnum(c byte) bool {
	return c == ' ' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
