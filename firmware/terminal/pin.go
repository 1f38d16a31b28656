package terminal

import (
	"time"

	"swipewell/firmware/care"
	"swipewell/firmware/txn"
	"swipewell/hal"
)

// entry is the PIN of the sale in front of us: being entered, or entered and not
// yet in its block. The digits stay in their Secret from the pad to the key store.
type entry struct {
	digits *hal.Secret
	stop   func() // ends the entry that is under way; nil: none is
	n      int    // which entry it is: one that was given up says no more
	began  time.Duration
}

// ISO9564 §8.1: a PIN has four to twelve digits.
const minPIN, maxPIN = 4, 12

// readPIN activates the pad. The loop hears how many digits there are, and how it
// ended.
func (t *Terminal) readPIN(x txn.ReadPIN) {
	t.forgetPIN()
	ctx, cancel := hal.WithTimeout(t.ctx, t.clock, x.Timeout)
	n := t.pin.n
	t.pin.stop, t.pin.began = cancel, t.clock.Now().Boot
	t.o.Spawn(func() {
		defer cancel()
		e, err := t.board.PINPad.Enter(ctx, hal.PINRules{MinDigits: minPIN, MaxDigits: maxPIN, MayBypass: x.Bypass}, func(stars int) {
			t.post(func() {
				if n == t.pin.n {
					t.handle(txn.Event{Kind: txn.PINCounted, N: stars})
				}
			})
		})
		out := pinOutcome(e)
		if err != nil {
			out = txn.PINFailed
			if hal.TimedOut(ctx) {
				out = txn.PINTimedOut
			}
		}
		if out != txn.PINEntered {
			e.Digits.Wipe()
			e.Digits = nil
		}
		if !t.post(func() { t.enteredPIN(n, e.Digits, out) }) {
			e.Digits.Wipe()
		}
	})
}

// pinOutcome is the pad's word; an entry of a length that is none failed.
func pinOutcome(e hal.PINEntry) txn.PINOutcome {
	switch e.Outcome {
	case hal.PINEntered:
		if n := e.Digits.Len(); n >= minPIN && n <= maxPIN {
			return txn.PINEntered
		}
	case hal.PINBypassed:
		return txn.PINBypassed
	case hal.PINCancelled:
		return txn.PINCancelled
	case hal.PINTimedOut:
		return txn.PINTimedOut
	}
	return txn.PINFailed
}

// enteredPIN takes the end of entry n, unless it was given up meanwhile.
func (t *Terminal) enteredPIN(n int, digits *hal.Secret, out txn.PINOutcome) {
	if n != t.pin.n || t.state.Phase != txn.EnteringPIN {
		digits.Wipe()
		return
	}
	t.pin.digits, t.pin.stop = digits, nil
	if out == txn.PINEntered {
		t.care.stages.Add(care.StagePIN, t.clock.Now().Boot-t.pin.began)
	}
	t.handle(txn.Event{Kind: txn.PINDone, PIN: out})
}

// forgetPIN wipes what was entered and gives the keys back.
func (t *Terminal) forgetPIN() {
	t.pin.n++
	if t.pin.stop != nil {
		t.pin.stop()
	}
	t.pin.digits.Wipe()
	t.pin.digits, t.pin.stop = nil, nil
}
