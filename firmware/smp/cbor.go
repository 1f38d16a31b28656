package smp

import (
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"
)

// Of CBOR this needs maps with text keys, numbers, text, bytes, booleans and
// arrays. Measured in a binary for arm: a general library 590 kB; all of update,
// SMP with this, YMODEM and the flash frames together 197 kB. The tests hold the
// two against each other.

// Limits of a request.
const (
	maxDepth = 4
	maxItems = 256
)

var errCBOR = errors.New("smp: not CBOR that a request may have")

// Major types. CBOR §3.1.
const (
	majUint = iota
	majNegative
	majBytes
	majText
	majArray
	majMap
	majTag
	majSimple
)

func appendHead(b []byte, major byte, n uint64) []byte {
	switch m := major << 5; {
	case n < 24:
		return append(b, m|byte(n))
	case n <= math.MaxUint8:
		return append(b, m|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, m|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, m|26), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, m|27), n)
	}
}

// object is a map of CBOR.
type object map[string]any

// appendValue adds v: an object (by sorted keys), []object, []string, string,
// []byte, bool, int64, int or uint64. Anything else is null.
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case object:
		b = appendHead(b, majMap, uint64(len(v)))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			b = appendValue(append(appendHead(b, majText, uint64(len(k))), k...), v[k])
		}
	case []object:
		b = appendHead(b, majArray, uint64(len(v)))
		for _, x := range v {
			b = appendValue(b, x)
		}
	case []string:
		b = appendHead(b, majArray, uint64(len(v)))
		for _, x := range v {
			b = appendValue(b, x)
		}
	case string:
		b = append(appendHead(b, majText, uint64(len(v))), v...)
	case []byte:
		b = append(appendHead(b, majBytes, uint64(len(v))), v...)
	case bool:
		if v {
			return append(b, majSimple<<5|21)
		}
		return append(b, majSimple<<5|20)
	case int:
		return appendValue(b, int64(v))
	case int64:
		if v < 0 {
			return appendHead(b, majNegative, uint64(-1-v))
		}
		return appendHead(b, majUint, uint64(v))
	case uint64:
		return appendHead(b, majUint, v)
	default:
		b = append(b, majSimple<<5|22)
	}
	return b
}

// cborParser reads one item after another; after a failure it gives nil.
type cborParser struct {
	b     []byte
	items int
	bad   bool
}

// parseObject reads a map, all of b; an empty b and null are an empty map.
func parseObject(b []byte) (object, error) {
	if len(b) == 0 || len(b) == 1 && b[0] == majSimple<<5|22 {
		return object{}, nil
	}
	p := &cborParser{b: b}
	o, ok := p.value(0).(object)
	if p.bad || !ok || len(p.b) > 0 {
		return nil, errCBOR
	}
	return o, nil
}

func (p *cborParser) take(n uint64) []byte {
	if p.bad || n > uint64(len(p.b)) {
		p.bad = true
		return nil
	}
	b := p.b[:n]
	p.b = p.b[n:]
	return b
}

// head gives major type and number; open is a length that is not told (CBOR §3.2).
func (p *cborParser) head() (major byte, n uint64, open bool) {
	b := p.take(1)
	if b == nil {
		return 0, 0, false
	}
	major, n = b[0]>>5, uint64(b[0]&31)
	switch {
	case n < 24:
	case n <= 27:
		var v uint64
		for _, x := range p.take(1 << (n - 24)) {
			v = v<<8 | uint64(x)
		}
		n = v
	case n == 31 && (major == majArray || major == majMap):
		open = true
	default:
		p.bad = true
	}
	return major, n, open
}

func (p *cborParser) value(depth int) any {
	if p.items++; depth > maxDepth || p.items > maxItems {
		p.bad = true
		return nil
	}
	major, n, open := p.head()
	switch major {
	case majUint:
		return n
	case majNegative:
		if n > math.MaxInt64 {
			p.bad = true
		}
		return -1 - int64(n&math.MaxInt64)
	case majBytes:
		return append([]byte{}, p.take(n)...)
	case majText:
		return string(p.take(n))
	case majArray:
		list := []any{}
		for i := uint64(0); !p.bad && (open && !p.end() || !open && i < n); i++ {
			list = append(list, p.value(depth+1))
		}
		return list
	case majMap:
		o := object{}
		for i := uint64(0); !p.bad && (open && !p.end() || !open && i < n); i++ {
			k, ok := p.value(depth + 1).(string)
			if _, twice := o[k]; !ok || twice {
				p.bad = true
				return nil
			}
			o[k] = p.value(depth + 1)
		}
		return o
	case majSimple:
		if n == 20 || n == 21 {
			return n == 21
		}
		return nil // null, or a float that no request has
	}
	p.bad = true // a tag
	return nil
}

// end takes the break behind an item whose length was not told.
func (p *cborParser) end() bool {
	if len(p.b) > 0 && p.b[0] == 0xFF {
		p.b = p.b[1:]
		return true
	}
	return false
}

// query reads fields of a request; one of another type makes it bad.
type query struct {
	o   object
	bad string
}

func field[T any](q *query, name string) (v T, there bool) {
	x, there := q.o[name]
	if !there {
		return v, false
	}
	v, ok := x.(T)
	if !ok && q.bad == "" {
		q.bad = name
	}
	return v, ok
}

func (q *query) text(name string) string   { v, _ := field[string](q, name); return v }
func (q *query) number(name string) uint64 { v, _ := field[uint64](q, name); return v }
func (q *query) bytes(name string) []byte  { v, _ := field[[]byte](q, name); return v }
func (q *query) flag(name string) bool     { v, _ := field[bool](q, name); return v }

func (q *query) texts(name string) (list []string) {
	v, _ := field[[]any](q, name)
	for _, x := range v {
		s, ok := x.(string)
		if !ok && q.bad == "" {
			q.bad = name
		}
		list = append(list, s)
	}
	return list
}

func (q *query) err() error {
	if q.bad != "" {
		return problem(CodeInvalid, "the field "+q.bad+" is of another type")
	}
	return nil
}
