package haltest

import (
	"context"
	"testing"

	"swipewell/hal"
)

// KeypadBench is a keypad and whoever presses its keys.
type KeypadBench struct {
	Keypad hal.Keypad
	// Press presses a key; the device must see them in order.
	Press func(k hal.Key)
}

// Keypad is the conformance suite of hal.Keypad.
func Keypad(t *testing.T, open func(t *testing.T) KeypadBench) {
	t.Run("Resource", func(t *testing.T) { resource(t, open(t).Keypad) })
	t.Run("KeysInOrder", func(t *testing.T) {
		b := open(t)
		keys := []hal.Key{hal.Key1, hal.Key2, hal.Key00, hal.KeyDot, hal.KeyF4, hal.KeyEnter, hal.Key0, hal.Key9, hal.KeyClear, hal.KeyCancel}
		go func() {
			for _, k := range keys {
				b.Press(k)
			}
		}()
		for i, want := range keys {
			if k, err := b.Keypad.ReadKey(limit(t)); k != want || err != nil {
				t.Fatalf("key %d: %v %v, want %v", i, k, err, want)
			}
		}
	})
	t.Run("CancelFreesReadKey", func(t *testing.T) {
		b := open(t)
		freed(t, "ReadKey", b.Keypad.ReadKey)
		go b.Press(hal.KeyEnter)
		if k, err := b.Keypad.ReadKey(limit(t)); k != hal.KeyEnter || err != nil {
			t.Errorf("after a cancelled ReadKey: %v %v", k, err)
		}
	})
}

// PINPadBench is a PIN pad and the customer at it.
type PINPadBench struct {
	PINPad hal.PINPad
	// Press presses a key. It is called only while an entry runs.
	Press func(k hal.Key)
	// Keypad is the cashier's, if it has the same keys; it must then be silent
	// during an entry. Nil leaves that test out.
	Keypad hal.Keypad
}

// PINPad is the conformance suite of hal.PINPad.
func PINPad(t *testing.T, open func(t *testing.T) PINPadBench) {
	digits := func(s string) (keys []hal.Key) {
		for _, c := range s {
			keys = append(keys, hal.Key0+hal.Key(c-'0'))
		}
		return keys
	}
	then := func(keys []hal.Key, more ...hal.Key) []hal.Key { return append(keys, more...) }
	rules := hal.PINRules{MinDigits: 4, MaxDigits: 6, MayBypass: true}
	t.Run("Resource", func(t *testing.T) { resource(t, open(t).PINPad) })
	t.Run("Entries", func(t *testing.T) {
		for _, c := range []struct {
			name  string
			keys  []hal.Key
			rules hal.PINRules
			want  hal.PINOutcome
			pin   string
		}{
			{"four digits", then(digits("1234"), hal.KeyEnter), rules, hal.PINEntered, "1234"},
			{"six digits, a seventh is not taken", then(digits("0123456"), hal.KeyEnter), rules, hal.PINEntered, "012345"},
			{"enter too early is not taken", then(then(digits("12"), hal.KeyEnter), then(digits("34"), hal.KeyEnter)...), rules, hal.PINEntered, "1234"},
			{"bypassed", []hal.Key{hal.KeyEnter}, rules, hal.PINBypassed, ""},
			{"may not be bypassed", then([]hal.Key{hal.KeyEnter}, then(digits("9876"), hal.KeyEnter)...), hal.PINRules{MinDigits: 4, MaxDigits: 12}, hal.PINEntered, "9876"},
			{"cancelled", then(digits("12345"), hal.KeyCancel), rules, hal.PINCancelled, ""},
			{"cancelled at once", []hal.Key{hal.KeyCancel}, rules, hal.PINCancelled, ""},
		} {
			b := open(t)
			most := 0
			entry := start(func() (hal.PINEntry, error) {
				return b.PINPad.Enter(limit(t), c.rules, func(n int) { most = max(most, n) })
			})
			go func() {
				for _, k := range c.keys {
					b.Press(k)
				}
			}()
			e, err := await(t, "Enter", entry)
			if err != nil || e.Outcome != c.want || e.Digits.Len() != len(c.pin) {
				t.Errorf("%s: outcome %v, %d digits, %v; want %v, %d", c.name, e.Outcome, e.Digits.Len(), err, c.want, len(c.pin))
				continue
			}
			if most > c.rules.MaxDigits || most < len(c.pin) {
				t.Errorf("%s: %d stars for %d digits", c.name, most, len(c.pin))
			}
			e.Digits.Use(func(got []byte) {
				if string(got) != c.pin {
					t.Errorf("%s: other digits", c.name)
				}
			})
			e.Digits.Wipe()
		}
	})
	t.Run("ClearTakesDigitsBack", func(t *testing.T) {
		b := open(t)
		last := -1
		entry := start(func() (hal.PINEntry, error) {
			return b.PINPad.Enter(limit(t), rules, func(n int) { last = n })
		})
		go func() {
			// Clear may take one digit or all: enough of them take all.
			for _, k := range then(digits("99"), hal.KeyClear, hal.KeyClear, hal.Key4, hal.Key3, hal.Key2, hal.Key1, hal.KeyEnter) {
				b.Press(k)
			}
		}()
		e, err := await(t, "Enter", entry)
		e.Digits.Use(func(got []byte) {
			if err != nil || string(got) != "4321" || last != 4 {
				t.Errorf("%d digits, %d stars, %v", len(got), last, err)
			}
		})
	})
	t.Run("TimedOut", func(t *testing.T) {
		b := open(t)
		ctx, cancel := hal.WithTimeout(t.Context(), real, pause)
		defer cancel()
		entry := start(func() (hal.PINEntry, error) { return b.PINPad.Enter(ctx, rules, func(int) {}) })
		if e, err := await(t, "Enter", entry); err != nil || e.Outcome != hal.PINTimedOut || e.Digits.Len() != 0 {
			t.Errorf("outcome %v, %d digits, %v", e.Outcome, e.Digits.Len(), err)
		}
	})
	t.Run("CancelFreesEnter", func(t *testing.T) {
		b := open(t)
		freed(t, "Enter", func(ctx context.Context) (hal.PINEntry, error) {
			return b.PINPad.Enter(ctx, rules, func(int) {})
		})
	})
	t.Run("KeypadIsSilent", func(t *testing.T) {
		b := open(t)
		if b.Keypad == nil {
			t.Skip("needs a keypad of the same keys")
		}
		cashier := start(func() (hal.Key, error) { return b.Keypad.ReadKey(limit(t)) })
		entry := start(func() (hal.PINEntry, error) { return b.PINPad.Enter(limit(t), rules, func(int) {}) })
		go func() {
			for _, k := range then(digits("1234"), hal.KeyEnter) {
				b.Press(k)
			}
		}()
		if e, err := await(t, "Enter", entry); err != nil || e.Digits.Len() != 4 {
			t.Errorf("%d digits, %v: the keypad took some", e.Digits.Len(), err)
		}
		select {
		case r := <-cashier:
			t.Errorf("the keypad gave a key during the entry, %v", r.err)
		default:
		}
		go b.Press(hal.KeyMenu)
		if k, err := await(t, "ReadKey", cashier); k != hal.KeyMenu || err != nil {
			t.Errorf("after the entry: %v %v", k, err)
		}
	})
}
