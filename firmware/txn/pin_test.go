package txn

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// atPIN is a desk at the PIN step, the card's issuer as said.
func atPIN(t *testing.T, must bool, change func(*Profile)) *desk {
	d := guarded(t)
	if change != nil {
		change(&d.s.Profile)
	}
	d.keys("5", "0", "0", "enter")
	d.do(Event{Kind: Presented, Card: cardA, Masked: "622588*********0010", Entry: pos.EntrySwipe, MustPIN: must})
	d.now += 2 * time.Second
	d.keys("enter")
	return d
}

// Who may do without a PIN: not whom the issuer or the acquirer forbids it, whatever
// the pad says.
func TestPINBypass(t *testing.T) {
	for name, c := range map[string]struct {
		must   bool
		change func(*Profile)
		bypass bool
		code   prompt.Code // of the step
		after  prompt.Code // of a pad that says "bypassed"
	}{
		"anybody":          {false, nil, true, prompt.PIN, prompt.Dialling},
		"the issuer":       {true, nil, false, prompt.PINMust, prompt.PINNeeded},
		"the acquirer":     {false, func(p *Profile) { p.NoBypass = true }, false, prompt.PINMust, prompt.PINNeeded},
		"no pad, free":     {false, func(p *Profile) { p.PINPad = false }, false, prompt.Dialling, ""},
		"no pad, demanded": {true, func(p *Profile) { p.PINPad = false }, false, prompt.PINNeeded, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := atPIN(t, c.must, c.change)
			if d.s.Code != c.code {
				t.Fatalf("%s, want %s", d.s.Code, c.code)
			}
			if c.after == "" {
				return
			}
			if !slices.Contains(d.fx, Effect(ReadPIN{Timeout: time.Minute, Bypass: c.bypass})) {
				t.Errorf("%v", d.fx)
			}
			d.do(Event{Kind: PINDone, PIN: PINBypassed})
			if d.s.Code != c.after {
				t.Errorf("after a bypass %s, want %s", d.s.Code, c.after)
			}
		})
	}
	d := atPIN(t, true, nil)
	d.do(Event{Kind: PINDone, PIN: PINCancelled})
	d.keys("5", "0", "0", "enter")
	d.do(Event{Kind: Presented, Card: cardB, Masked: "622588*********0028", Entry: pos.EntrySwipe})
	d.now += 2 * time.Second
	d.keys("enter")
	if d.s.Code != prompt.PIN {
		t.Errorf("%s: the next card is held to the rule of the last", d.s.Code)
	}
}

// A count of digits makes no sound, and any end of the step wipes what was entered.
func TestPINStep(t *testing.T) {
	d := atPIN(t, true, nil)
	for n := range 13 {
		d.do(Event{Kind: PINCounted, N: n})
		if d.s.PINLen != n || len(d.fx) != 0 {
			t.Errorf("%d digits: %v", n, d.fx)
		}
	}
	for name, e := range map[string]Event{
		"cancelled": {Kind: PINDone, PIN: PINCancelled}, "time": {Kind: PINDone, PIN: PINTimedOut}, "fault": {Kind: PINDone, PIN: PINFailed},
		"the case": {Kind: Faulted, Code: prompt.TamperOpen},
	} {
		d := atPIN(t, true, nil)
		d.do(e)
		if !orders[ForgetCard](d.fx) || d.s.PINLen != 0 || d.s.PIN || d.s.Must || orders[SendSale](d.fx) {
			t.Errorf("%s: %+v", name, d.fx)
		}
	}
}

// A chip card that is taken out before it was sent pays nothing; a striped card was
// never in the slot.
func TestCardTakenOut(t *testing.T) {
	for entry, want := range map[pos.EntryMode]prompt.Code{pos.EntryChip: prompt.CardRemoved, pos.EntrySwipe: prompt.PINMust} {
		d := guarded(t)
		d.keys("5", "0", "0", "enter")
		d.do(Event{Kind: Presented, Card: cardA, Masked: "622588*********0010", Entry: entry, MustPIN: true})
		d.now += 2 * time.Second
		d.keys("enter")
		d.do(Event{Kind: Removed})
		if d.s.Code != want || (want == prompt.CardRemoved) != orders[ForgetCard](d.fx) {
			t.Errorf("%s: %s, want %s", entry, d.s.Code, want)
		}
	}
	d := atPIN(t, false, nil)
	d.do(Event{Kind: PINDone, PIN: PINBypassed})
	d.s.Entry = string(pos.EntryChip)
	d.do(Event{Kind: Removed})
	if d.s.Phase != Online {
		t.Error("what was sent is given up")
	}
}

// The brain has no place for a digit of a PIN, of a card number or of a key: no
// secret and no bytes are anywhere in what it takes, keeps and orders.
func TestTheBrainHoldsNoSecret(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(path string, x reflect.Type)
	walk = func(path string, x reflect.Type) {
		if seen[x] || x == reflect.TypeFor[throttle.Rules]() { // rules are a file
			return
		}
		seen[x] = true
		switch {
		case x == reflect.TypeFor[hal.Secret](), x == reflect.TypeFor[[]byte]():
			t.Errorf("%s is a %s", path, x)
			return
		}
		switch x.Kind() {
		case reflect.Struct:
			for f := range x.NumField() {
				walk(path+"."+x.Field(f).Name, x.Field(f).Type)
			}
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			walk(path+"[]", x.Elem())
		}
	}
	for _, v := range []any{Event{}, State{}, PutRecord{}, PutSale{}, EditSale{}, SendSale{}, SendRecord{}, ReadPIN{}, ReadNumber{}, ReadSecret{}, ReadPart{}, Vouch{}, Log{}, PageKey{}} {
		walk(fmt.Sprintf("%T", v), reflect.TypeOf(v))
	}
	if len(seen) < 20 {
		t.Errorf("only %d types were looked at", len(seen))
	}
}
