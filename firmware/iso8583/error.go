package iso8583

import (
	"errors"
	"fmt"
)

// Reason is what is wrong with a message.
type Reason uint8

const (
	Truncated     Reason = iota + 1 // the message ends inside this field
	TrailingBytes                   // bytes are left that the bitmap does not announce
	BadLength                       // a length that is no number, or that the field may not have
	BadDigit                        // a nibble that is no digit of this field
	BadPad                          // the filler nibble is not 0
	BadCharacter                    // a byte outside the field's alphabet
	UnknownField                    // the bitmap announces a field the dialect does not have
	SecondBitmap                    // bit 1: this dialect has 64 bits
	BadMTI                          // not four digits, not of ISO 8583:1987, or of no class
	BadFrame                        // TPDU, block or header around the message
	WrongKind                       // a Set method that does not belong to the field's attribute
	NoRoom                          // more fields than one message can hold
	BadValue                        // digits that mean nothing in this field
)

var reasons = [...]string{"", "truncated", "trailing bytes", "bad length", "not a digit", "filler not 0", "bad character",
	"unknown field", "second bitmap", "bad MTI", "bad frame", "wrong kind of value", "no room", "no such value"}

func (r Reason) String() string { return reasons[min(int(r), len(reasons)-1)] }

// FieldError names the field and the offset of what is wrong, and shows
// nothing of the content. Field 0 is the message itself, or the frame.
// Offset counts bytes of what was parsed or packed; from a Set method it counts
// characters of the value, from a sub-field's Parse the digits or bytes of it.
type FieldError struct {
	Field  int
	Name   string
	Offset int
	Reason Reason
}

func (e *FieldError) Error() string {
	switch {
	case e.Field == 0:
		return fmt.Sprintf("iso8583: %s at offset %d", e.Reason, e.Offset)
	case e.Name == "":
		return fmt.Sprintf("iso8583: DE %d at offset %d: %s", e.Field, e.Offset, e.Reason)
	}
	return fmt.Sprintf("iso8583: DE %d (%s) at offset %d: %s", e.Field, e.Name, e.Offset, e.Reason)
}

// ErrField says that a value cannot be put into a field: a bug of the caller,
// not the world's answer. It wraps the *FieldError that says which and why.
var ErrField = errors.New("iso8583: value does not fit the field")

func (d *Dialect) fail(de, offset int, r Reason) error {
	return &FieldError{Field: de, Name: d.Name(de), Offset: offset, Reason: r}
}
