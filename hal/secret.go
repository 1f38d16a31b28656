package hal

import (
	"fmt"
	"io"
	"log/slog"
	"runtime"
)

// redacted is all that a Secret ever prints.
const redacted = "[secret]"

// Secret holds bytes that must not be printed, logged, marshalled or kept: a
// track, PIN digits, a key. Every way of formatting it yields "[secret]".
// The owner calls Wipe when done; the zero value is an empty secret.
//
// The bytes stand behind a function: fmt does not call the methods of an
// unexported field, and a bad verb prints what reflection shows. Of a function
// that is an address, at any depth.
type Secret struct{ held func() *[]byte }

// NewSecret takes over b: the caller must not keep or change it.
func NewSecret(b []byte) *Secret { return &Secret{func() *[]byte { return &b }} }

// Len is the number of bytes held; 0 after Wipe and for a nil Secret.
func (s *Secret) Len() int {
	if s == nil || s.held == nil {
		return 0
	}
	return len(*s.held())
}

// Use lends the bytes to fn. They are valid only until fn returns.
func (s *Secret) Use(fn func(b []byte)) {
	defer Scrub()
	if s == nil || s.held == nil {
		fn(nil)
		return
	}
	fn(*s.held())
}

// Wipe overwrites the bytes and forgets them. Safe to call twice and on nil.
func (s *Secret) Wipe() {
	if s == nil || s.held == nil {
		return
	}
	b := s.held()
	clear(*b)
	*b = nil
	Scrub()
}

// String, GoString, Format, MarshalText, MarshalJSON and LogValue all hide.
func (s *Secret) String() string               { return redacted }
func (s *Secret) GoString() string             { return redacted }
func (s *Secret) Format(f fmt.State, _ rune)   { io.WriteString(f, redacted) }
func (s *Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (s *Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (s *Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }

// scrubbed is what Scrub copies, and where to; size is a variable so that the copy
// is the runtime's own.
var (
	scrubbed  [256]byte
	scrubSize = len(scrubbed)
)

// Scrub puts zeros where the copying of a secret leaves it: in the vector
// registers. A copy of 17 to 256 bytes goes through them, and there its last bytes
// stay until the thread copies something else of that size; a signal meanwhile
// writes all registers to the thread's signal stack, where nobody wipes them. It
// is called by what lends, packs or wipes secrets, at its end.
func Scrub() {
	var to [256]byte
	copy(to[:scrubSize], scrubbed[:scrubSize])
	runtime.KeepAlive(&to)
}

// AppendWiping is append for bytes that must leave no copy behind: what it has
// outgrown is overwritten.
func AppendWiping(dst, more []byte) []byte {
	if len(dst)+len(more) <= cap(dst) {
		return append(dst, more...)
	}
	out := append(append(make([]byte, 0, 2*(len(dst)+len(more))), dst...), more...)
	clear(dst)
	return out
}
