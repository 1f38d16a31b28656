package iso8583

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
)

// A Message prints masked, whatever the verb: the fields a log may have, the
// first six and last four digits of the card number, and of all others only
// their length. A field that the table does not name is one of those. PCI 3.4.

// AppendDescription appends a message for people and logs:
//
//	0200 DE 2 PAN 622588******0091 | DE 35 track 2 [37 hidden]
func (m *Message) AppendDescription(dst []byte) []byte {
	dst = append(dst, m.MTI.String()...)
	sep := " DE "
	for de := range m.Fields {
		dst = append(dst, sep...)
		dst = append(m.appendLabel(dst, de), ' ')
		dst = m.appendMasked(dst, de)
		sep = " | DE "
	}
	return dst
}

func (m *Message) appendLabel(dst []byte, de int) []byte {
	dst = append(strconv.AppendInt(dst, int64(de), 10), ' ')
	return append(dst, m.dialect().Name(de)...)
}

// appendMasked appends what may be seen of a field.
func (m *Message) appendMasked(dst []byte, de int) []byte {
	s := m.dialect().spec(de)
	switch {
	case s.view == shown && s.packed():
		return m.AppendDigits(dst, de)
	case s.view == shown:
		return append(dst, m.Bytes(de)...)
	case s.view == firstSix && m.Len(de) >= 12:
		at := len(dst)
		dst = m.AppendDigits(dst, de)
		for i := at + 6; i < len(dst)-4; i++ {
			dst[i] = '*'
		}
		return dst
	}
	return fmt.Appendf(dst, "[%d hidden]", m.Len(de))
}

// Describe is AppendDescription as a string.
func Describe(m *Message) string { return string(m.AppendDescription(nil)) }

// The methods below have a value receiver: a copy prints masked as well.

func (m Message) String() string { return Describe(&m) }

// Format is Describe for every verb.
func (m Message) Format(f fmt.State, _ rune) { io.WriteString(f, Describe(&m)) }

// MarshalText is Describe: what is marshalled by mistake is masked.
func (m Message) MarshalText() ([]byte, error) { return m.AppendDescription(nil), nil }

// LogValue is a group of the MTI and one attribute a field: "DE 2 PAN".
func (m Message) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("mti", m.MTI.String())}
	for de := range m.Fields {
		label := m.appendLabel([]byte("DE "), de)
		attrs = append(attrs, slog.String(string(label), string(m.appendMasked(nil, de))))
	}
	return slog.GroupValue(attrs...)
}
