package journal

import (
	"log/slog"
	"strings"
	"time"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// Event is one thing that happened.
type Event struct {
	Code   prompt.Code
	Level  slog.Level // zero is Info
	Source string     // the room or device it comes from: "txn", "link.4g"
	Tx     string     // transaction id, "" if none: context-batch-STAN
	Fields []Field
}

// Field is one named fact of an event. The set of constructors is closed, so
// that no field can carry what must not be logged. An empty value (no amount,
// no card, a count of 0, a nil error) leaves the field out.
type Field struct {
	key string
	val any // string, int64 or bool; nil: left out
}

func text(key, s string) Field {
	if s == "" {
		return Field{}
	}
	return Field{key, s}
}

// Amount in major units: "12.80".
//
//go:noinline
func Amount(key string, a pos.Amount) Field {
	if a.Currency == 0 {
		return Field{}
	}
	return text(key, a.String())
}

// Card is a masked card number. One that is not masked comes out as stars.
func Card(key string, m pos.MaskedPAN) Field {
	digits := 0
	for _, r := range m {
		if r >= '0' && r <= '9' {
			digits++
		}
	}
	if digits > 10 { // PCIDSS: first six, last four
		return text(key, stars)
	}
	return text(key, string(m))
}

// STAN, Batch, RRN and RC are the numbers by which a host knows a transaction.
func STAN(key string, s pos.STAN) Field {
	if s == 0 {
		return Field{}
	}
	return text(key, s.String())
}

// Batch is a batch number.
func Batch(key string, b pos.BatchNo) Field {
	if b == 0 {
		return Field{}
	}
	return text(key, b.String())
}

// RRN has twelve digits and would look like a card number to the sieve.
func RRN(key string, r pos.RRN) Field {
	if len(r) > 12 {
		return text(key, stars)
	}
	return text(key, word(string(r)))
}

// RC is DE 39.
func RC(key string, rc pos.ResponseCode) Field { return text(key, clip(word(string(rc)), 4)) }

// Code is a second code: the cause of the first.
func Code(key string, c prompt.Code) Field { return text(key, clip(word(string(c)), 16)) }

// Count is a number of things.
//
//go:noinline
func Count(key string, n int) Field {
	if n == 0 {
		return Field{}
	}
	return number(key, int64(n))
}

// number stars out a number that has the form of a card number.
func number(key string, n int64) Field {
	if s := digits(n); Sieve(s) != s {
		return Field{key, stars}
	}
	return Field{key, n}
}

// Duration is a length of time: "1.25s".
func Duration(key string, d time.Duration) Field {
	if d == 0 {
		return Field{}
	}
	return text(key, d.Round(time.Microsecond).String())
}

// Flag is a yes or no; a no is kept, too.
func Flag(key string, on bool) Field { return Field{key, on} }

// Word is a short word from a fixed set: a state, a cause, a device. Anything
// but letters, digits and a few signs becomes '?'.
//
//go:noinline
func Word(key, w string) Field { return text(key, Sieve(clip(word(w), 96))) }

// Err is an error's text, through the sieve, under the key "err".
func Err(err error) Field {
	if err == nil {
		return Field{}
	}
	return text("err", clip(Sieve(err.Error()), 400))
}

func word(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', strings.ContainsRune("._:/-+=,() *", r):
			return r
		}
		return '?'
	}, s)
}

// clip shortens s to n bytes, at a rune's border.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
