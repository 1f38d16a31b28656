package panel

import (
	"context"

	"swipewell/hal"
)

// keyQueue holds keys that nobody has read yet, in place: no growth leaves a
// copy of a digit behind, and a taken key is wiped. The zero value is empty.
type keyQueue struct {
	ring     [64]hal.Key
	first, n int
}

// push drops the key if 64 wait: nobody is reading.
func (q *keyQueue) push(k hal.Key) {
	if q.n < len(q.ring) {
		q.ring[(q.first+q.n)%len(q.ring)] = k
		q.n++
	}
}

func (q *keyQueue) pop(k *hal.Key) bool {
	if q.n == 0 {
		return false
	}
	*k, q.ring[q.first] = q.ring[q.first], hal.KeyNone
	q.first = (q.first + 1) % len(q.ring)
	q.n--
	return true
}

func (q *keyQueue) wipe() { *q = keyQueue{} }

// pressed takes a key from the bench. A digit that was meant for a PIN and comes
// too late is dropped: it must not turn up in an amount.
func (p *Panel) pressed(k hal.Key, forPIN bool) {
	if k == hal.KeyNone || k > hal.KeyF4 {
		return
	}
	digit := k <= hal.Key00
	p.update(func() {
		if p.pin || !forPIN || !digit {
			p.keys.push(k)
		}
	})
}

type keypad struct{ p *Panel }

func (k keypad) String() string { return "panel keypad" }
func (k keypad) Halt() error    { return nil }

// ReadKey is silent while the PIN pad is active.
func (k keypad) ReadKey(ctx context.Context) (key hal.Key, err error) {
	err = k.p.wait(ctx, func() bool { return !k.p.pin && k.p.keys.pop(&key) })
	return key, err
}

type pinpad struct{ p *Panel }

func (d pinpad) String() string { return "panel PIN pad" }
func (d pinpad) Halt() error    { return nil }

// Enter takes the keys until the customer is done. Digits go into the entry, as
// ASCII, and nowhere else; the buffer has its full size from the start. Keys
// pressed before the pad was active are no PIN and are dropped. ISO9564 §6.
func (d pinpad) Enter(ctx context.Context, rules hal.PINRules, count func(int)) (hal.PINEntry, error) {
	p := d.p
	p.claim(true)
	defer p.claim(false)
	digits := make([]byte, 0, rules.MaxDigits)
	keep := false
	defer func() {
		if !keep {
			clear(digits[:cap(digits)])
		}
	}()
	for {
		var k hal.Key
		if err := p.wait(ctx, func() bool { return p.keys.pop(&k) }); err != nil {
			if hal.TimedOut(ctx) {
				return hal.PINEntry{Outcome: hal.PINTimedOut}, nil
			}
			return hal.PINEntry{}, err
		}
		v, isDigit := k.Digit()
		switch {
		case isDigit && len(digits) < rules.MaxDigits:
			digits = append(digits, '0'+byte(v))
		case k == hal.KeyClear && len(digits) > 0:
			digits[len(digits)-1] = 0
			digits = digits[:len(digits)-1]
		case k == hal.KeyCancel:
			return hal.PINEntry{Outcome: hal.PINCancelled}, nil
		case k == hal.KeyEnter && len(digits) == 0 && rules.MayBypass:
			return hal.PINEntry{Outcome: hal.PINBypassed}, nil
		case k == hal.KeyEnter && len(digits) > 0 && len(digits) >= rules.MinDigits:
			keep = true
			return hal.PINEntry{Outcome: hal.PINEntered, Digits: hal.NewSecret(digits)}, nil
		default:
			continue
		}
		if count != nil {
			count(len(digits))
		}
	}
}

// claim gives the keys to the PIN pad or back to the keypad.
func (p *Panel) claim(on bool) {
	b := []byte{0}
	p.update(func() {
		p.pin = on
		p.keys.wipe()
	})
	if on {
		b[0] = 1
	}
	p.sendRaw(MsgPIN, b)
}
