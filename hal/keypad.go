package hal

import (
	"context"

	"periph.io/x/conn/v3"
)

// Key is one key of the device.
type Key uint8

const (
	KeyNone Key = iota
	Key0
	Key1
	Key2
	Key3
	Key4
	Key5
	Key6
	Key7
	Key8
	Key9
	Key00
	KeyDot
	KeyEnter
	KeyCancel
	KeyClear
	KeyMenu
	KeyUp
	KeyDown
	KeyF1
	KeyF2
	KeyF3
	KeyF4
)

var keyNames = [...]string{"none", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "00", "dot",
	"enter", "cancel", "clear", "menu", "up", "down", "f1", "f2", "f3", "f4"}

// String is the key's name as scripts and the panel socket write it.
func (k Key) String() string {
	if int(k) < len(keyNames) {
		return keyNames[k]
	}
	return "none"
}

// ParseKey is the inverse of String; ok is false for an unknown name.
func ParseKey(name string) (Key, bool) {
	for i, n := range keyNames[1:] {
		if n == name {
			return Key(i + 1), true
		}
	}
	return KeyNone, false
}

// Digit is 0..9 for a digit key and ok = false for any other.
func (k Key) Digit() (d int, ok bool) {
	if k >= Key0 && k <= Key9 {
		return int(k - Key0), true
	}
	return 0, false
}

// Keypad gives the keys that the cashier presses.
type Keypad interface {
	conn.Resource
	// ReadKey blocks for the next key. While a PINPad of the same keys is
	// active, it is silent.
	ReadKey(ctx context.Context) (Key, error)
}

// PINRules say what a PIN entry accepts.
type PINRules struct {
	MinDigits, MaxDigits int  // 4..12 (ISO 9564-1 §8.1)
	MayBypass            bool // Enter on an empty entry means: no PIN
}

// PINOutcome tells how a PIN entry ended.
type PINOutcome uint8

const (
	PINEntered  PINOutcome = iota // digits are in the entry
	PINBypassed                   // the customer pressed Enter on an empty entry
	PINCancelled
	PINTimedOut
)

// PINEntry is the result of one entry. Digits is nil unless PINEntered; its
// one reader is the key store's caller, who wipes it.
type PINEntry struct {
	Outcome PINOutcome
	Digits  *Secret
}

// PINPad takes a PIN. Digits go to the caller's PINEntry and nowhere else.
type PINPad interface {
	conn.Resource
	// Enter blocks until the customer is done or ctx ends (PINTimedOut if the
	// clock ended it). count is called with the number of digits so far, and
	// with no more than that: the screen shows as many stars.
	Enter(ctx context.Context, rules PINRules, count func(n int)) (PINEntry, error)
}
