package table

import (
	"errors"
	"fmt"

	"swipewell/firmware/emv/tlv"
)

// Why a record is refused. B2 §11.2, B4 §10.2.
var (
	ErrShape    = errors.New("not a list of data objects")
	ErrUnknown  = errors.New("unknown tag")
	ErrTwice    = errors.New("twice")
	ErrMissing  = errors.New("missing")
	ErrSize     = errors.New("wrong size")
	ErrValue    = errors.New("wrong value")
	ErrChecksum = errors.New("wrong checksum")
	ErrModulus  = errors.New("not a modulus of 64 to 248 bytes")
	ErrExpired  = errors.New("expired")
	ErrNoExpiry = errors.New("no last day from the acquirer")
)

// Refused is a record that is not used, by its name: RID and index of a key, as
// A000000333/0B, or an AID.
type Refused struct {
	Name string // "?" if the record does not even name itself
	Err  error
}

func (r *Refused) Error() string { return r.Name + ": " + r.Err.Error() }

func (r *Refused) Unwrap() error { return r.Err }

func refuse(name string, err error) error { return &Refused{Name: name, Err: err} }

// maxRecord bounds one record; the largest key makes under 350 bytes.
const maxRecord = 1024

// field is one data object that a record may have.
type field struct {
	min, max int // bytes
	must     bool
}

// read takes a record apart: each tag known, once, of its size, and none missing.
func read(b []byte, known map[tlv.Tag]field, order []tlv.Tag) (map[tlv.Tag][]byte, error) {
	if len(b) > maxRecord {
		return nil, fmt.Errorf("%w: %d bytes", ErrSize, len(b))
	}
	list, err := tlv.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrShape, err)
	}
	got := make(map[tlv.Tag][]byte, len(list))
	for _, o := range list {
		f, ok := known[o.Tag]
		switch _, twice := got[o.Tag]; {
		case !ok:
			return got, fmt.Errorf("%w %v", ErrUnknown, o.Tag)
		case twice:
			return got, fmt.Errorf("%v %w", o.Tag, ErrTwice)
		case len(o.Value) < f.min || len(o.Value) > f.max:
			return got, fmt.Errorf("%v: %w, %d bytes", o.Tag, ErrSize, len(o.Value))
		}
		got[o.Tag] = append([]byte{}, o.Value...)
	}
	for _, t := range order {
		if _, ok := got[t]; known[t].must && !ok {
			return got, fmt.Errorf("%v %w", t, ErrMissing)
		}
	}
	return got, nil
}

// one is the value of t if the record holds it in its size, for a name.
func one(b []byte, t tlv.Tag, min, max int) ([]byte, bool) {
	v, ok := tlv.Find(b, t)
	return v, ok && len(v) >= min && len(v) <= max
}
