package tlv

import "errors"

// Errors of reading. A value is never part of the text: it may be a card number.
var (
	ErrTag       = errors.New("tlv: not a tag of one to three bytes")
	ErrLength    = errors.New("tlv: not a length of one to three bytes")
	ErrTruncated = errors.New("tlv: the data end inside an object")
	ErrDepth     = errors.New("tlv: templates inside templates, too deep")
	ErrMany      = errors.New("tlv: too many objects")
)

// Limits of one list. EMV nests three deep (6F, A5, BF0C) and an R-APDU has 256
// bytes, so a card that needs more is not a bank card.
const (
	maxDepth   = 8
	maxObjects = 512
)

// Object is one data object. Value and Raw are parts of the bytes that were
// read, not copies.
type Object struct {
	Tag   Tag
	Value []byte
	Raw   []byte // tag, length and value, as they came
}

// Next reads the object at the start of b and returns what follows it. Bytes 00
// before it are skipped: B3 Annex B1 allows them before, between and after
// objects. At the end of the list ok is false and err nil.
func Next(b []byte) (o Object, rest []byte, ok bool, err error) {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	if len(b) == 0 {
		return Object{}, nil, false, nil
	}
	t, n, err := readTag(b)
	if err != nil {
		return Object{}, nil, false, err
	}
	size, m, err := readLen(b[n:])
	if err != nil {
		return Object{}, nil, false, err
	}
	at := n + m
	if size > len(b)-at {
		return Object{}, nil, false, ErrTruncated
	}
	end := at + size
	return Object{Tag: t, Value: b[at:end:end], Raw: b[:end:end]}, b[end:], true, nil
}

// readLen reads a length: one byte below 80, or 81 and 82 with one and two bytes
// behind them. B3 Annex B2. The indefinite form 80 is not allowed.
func readLen(b []byte) (size, n int, err error) {
	if len(b) == 0 {
		return 0, 0, ErrTruncated
	}
	switch c := b[0]; {
	case c < 0x80:
		return int(c), 1, nil
	case c == 0x81:
		if len(b) < 2 {
			return 0, 0, ErrTruncated
		}
		return int(b[1]), 2, nil
	case c == 0x82:
		if len(b) < 3 {
			return 0, 0, ErrTruncated
		}
		return int(b[1])<<8 | int(b[2]), 3, nil
	}
	return 0, 0, ErrLength
}

// Parse reads a whole list of objects, one level of it.
func Parse(b []byte) ([]Object, error) {
	var list []Object
	for {
		o, rest, ok, err := Next(b)
		if err != nil {
			return nil, err
		}
		if !ok {
			return list, nil
		}
		if len(list) == maxObjects {
			return nil, ErrMany
		}
		list, b = append(list, o), rest
	}
}

// Only reads b as exactly one object with the tag t and nothing behind it, not
// even padding: the shape of an answer in a template. B3 §6.5.11.4, §6.5.8.4.
func Only(b []byte, t Tag) ([]byte, bool) {
	if len(b) > 0 && b[0] == 0 {
		return nil, false
	}
	o, rest, ok, err := Next(b)
	if err != nil || !ok || o.Tag != t || len(rest) != 0 {
		return nil, false
	}
	return o.Value, true
}

// Find is the value of the first object with the tag t in one level of b. A list
// that is broken before it holds nothing.
func Find(b []byte, t Tag) ([]byte, bool) {
	for range maxObjects {
		o, rest, ok, err := Next(b)
		if err != nil || !ok {
			return nil, false
		}
		if o.Tag == t {
			return o.Value, true
		}
		b = rest
	}
	return nil, false
}

// Walk visits every object of b in the order of its bytes, a template before
// what is in it. It stops at the first error, of b or of f.
func Walk(b []byte, f func(depth int, o Object) error) error {
	left := maxObjects
	return walk(b, 0, &left, f)
}

func walk(b []byte, depth int, left *int, f func(int, Object) error) error {
	if depth == maxDepth {
		return ErrDepth
	}
	for {
		o, rest, ok, err := Next(b)
		if err != nil || !ok {
			return err
		}
		if *left--; *left < 0 {
			return ErrMany
		}
		if err := f(depth, o); err != nil {
			return err
		}
		if o.Tag.Constructed() {
			if err := walk(o.Value, depth+1, left, f); err != nil {
				return err
			}
		}
		b = rest
	}
}

// Append adds one object to dst with the shortest form of its length. It panics
// on nothing; a value over 65,535 bytes cannot be written and adds nothing.
func Append(dst []byte, t Tag, value []byte) []byte {
	n := len(value)
	if n > 0xFFFF {
		return dst
	}
	dst = t.Append(dst)
	switch {
	case n < 0x80:
		dst = append(dst, byte(n))
	case n <= 0xFF:
		dst = append(dst, 0x81, byte(n))
	default:
		dst = append(dst, 0x82, byte(n>>8), byte(n))
	}
	return append(dst, value...)
}
