package panel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"swipewell/drivers/panel"
	"swipewell/drivers/panel/panelsim"
	"swipewell/hal"
)

var usual = hal.PINRules{MinDigits: 4, MaxDigits: 12, MayBypass: true}

type entered struct {
	hal.PINEntry
	counts []int
	err    error
}

// enter starts a PIN entry and waits until the bench knows.
func enter(t *testing.T, s *panelsim.Server, p *panel.Panel, ctx context.Context, rules hal.PINRules) <-chan entered {
	t.Helper()
	done := make(chan entered, 1)
	go func() {
		var e entered
		e.PINEntry, e.err = p.PINPad().Enter(ctx, rules, func(n int) { e.counts = append(e.counts, n) })
		done <- e
	}()
	until(t, s, "PIN pad", func(v panelsim.View) bool { return v.PINActive })
	return done
}

func TestPINEntry(t *testing.T) {
	const en, cl, ca = hal.KeyEnter, hal.KeyClear, hal.KeyCancel
	d := func(s string) (ks []hal.Key) {
		for _, c := range s {
			ks = append(ks, hal.Key0+hal.Key(c-'0'))
		}
		return ks
	}
	join := func(parts ...[]hal.Key) (ks []hal.Key) {
		for _, p := range parts {
			ks = append(ks, p...)
		}
		return ks
	}
	k := func(ks ...hal.Key) []hal.Key { return ks }
	for _, tc := range []struct {
		name   string
		rules  hal.PINRules
		keys   []hal.Key
		out    hal.PINOutcome
		digits string
		counts []int
	}{
		{"plain", usual, join(d("1345"), k(en)), hal.PINEntered, "1345", []int{1, 2, 3, 4}},
		{"too short at first", usual, join(d("134"), k(en), d("5"), k(en)), hal.PINEntered, "1345", []int{1, 2, 3, 4}},
		{"corrected", usual, join(d("12"), k(cl), d("345"), k(en)), hal.PINEntered, "1345", []int{1, 2, 1, 2, 3, 4}},
		{"no more than the most", hal.PINRules{MinDigits: 4, MaxDigits: 6}, join(d("12345678"), k(en)), hal.PINEntered, "123456", []int{1, 2, 3, 4, 5, 6}},
		{"zero is a digit", usual, join(d("0000"), k(en)), hal.PINEntered, "0000", []int{1, 2, 3, 4}},
		{"other keys are nothing", usual, join(k(hal.Key00, hal.KeyDot, hal.KeyMenu, hal.KeyF1, cl), d("9876"), k(en)), hal.PINEntered, "9876", []int{1, 2, 3, 4}},
		{"cancelled", usual, join(d("12"), k(ca)), hal.PINCancelled, "", []int{1, 2}},
		{"bypassed", usual, k(en), hal.PINBypassed, "", nil},
		{"bypassed after a second thought", usual, join(d("1"), k(cl, en)), hal.PINBypassed, "", []int{1, 0}},
		{"no bypass", hal.PINRules{MinDigits: 4, MaxDigits: 12}, join(k(en), d("1111"), k(en)), hal.PINEntered, "1111", []int{1, 2, 3, 4}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, p := both(t, panel.Size{})
			done := enter(t, s, p, t.Context(), tc.rules)
			for _, key := range tc.keys {
				if err := s.Key(key); err != nil {
					t.Fatal(err)
				}
			}
			e := in(t, "end of the entry", done)
			if e.err != nil || e.Outcome != tc.out {
				t.Fatalf("outcome %v, %v", e.Outcome, e.err)
			}
			if d := cmp.Diff(tc.counts, e.counts); d != "" {
				t.Error(d)
			}
			if (e.Digits == nil) != (tc.digits == "") {
				t.Errorf("digits: %v", e.Digits)
			}
			e.Digits.Use(func(b []byte) {
				if string(b) != tc.digits {
					t.Errorf("%d digits, and not those", len(b))
				}
			})
			until(t, s, "pad off", func(v panelsim.View) bool { return !v.PINActive })
		})
	}
}

// While the PIN pad is active the keypad is silent; afterwards it has its keys
// again.
func TestPINIsSilent(t *testing.T) {
	s, p := both(t, panel.Size{})
	keys := make(chan hal.Key, 20)
	go func() {
		for {
			k, err := p.Keypad().ReadKey(context.Background())
			if err != nil {
				return
			}
			keys <- k
		}
	}()
	done := enter(t, s, p, t.Context(), usual)
	for _, k := range []hal.Key{hal.Key1, hal.Key3, hal.Key4, hal.Key5, hal.KeyEnter} {
		s.Key(k)
	}
	in(t, "end of the entry", done).Digits.Wipe()
	until(t, s, "pad off", func(v panelsim.View) bool { return !v.PINActive })
	s.Key(hal.KeyMenu)
	if k := in(t, "key", keys); k != hal.KeyMenu {
		t.Error("the keypad got a key of the PIN")
	}
}

// A digit that was typed for the pad and comes when the pad is done is dropped.
func TestLatePINDigits(t *testing.T) {
	sock := filepath.Join(t.TempDir(), "p.sock")
	ln, err := net.Listen("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		b, _ := panel.AppendJSON(nil, panel.MsgHello, panel.Hello{Version: panel.Version})
		for _, k := range []hal.Key{hal.Key9, hal.Key0, hal.Key00, hal.KeyEnter} {
			b = panel.AppendMessage(b, panel.MsgPINKey, []byte{byte(k)})
		}
		c.Write(b)
		io.Copy(io.Discard, c)
	}()
	p, err := panel.Open(panel.Opts{Socket: sock})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if k, err := p.Keypad().ReadKey(t.Context()); k != hal.KeyEnter || err != nil {
		t.Errorf("the keypad got a digit of the PIN, or %v", err)
	}
}

// Nothing of a PIN can be seen in the bench's view of the world.
func TestPINIsNotKept(t *testing.T) {
	s, p := both(t, panel.Size{})
	before, _ := s.View()
	done := enter(t, s, p, t.Context(), usual)
	for _, k := range []hal.Key{hal.Key2, hal.Key7, hal.Key1, hal.Key8, hal.KeyEnter} {
		s.Key(k)
	}
	e := in(t, "end of the entry", done)
	e.Digits.Wipe()
	after := until(t, s, "pad off", func(v panelsim.View) bool { return !v.PINActive })
	before.Version, after.Version = 0, 0
	if d := cmp.Diff(fmt.Sprintf("%+v", before), fmt.Sprintf("%+v", after)); d != "" {
		t.Error("the entry left a trace in the bench's view")
	}
	if text := fmt.Sprintf("%v %+v %#v", e.PINEntry, e.PINEntry, e.Digits); strings.Contains(text, "2718") {
		t.Error("the entry prints its digits")
	}
}

// Keys that were pressed before the pad was active are no PIN.
func TestPINDropsWhatCameBefore(t *testing.T) {
	s, p := both(t, panel.Size{})
	s.Key(hal.Key1)
	s.Key(hal.Key2)
	s.Settle(t.Context())
	done := enter(t, s, p, t.Context(), usual)
	s.Key(hal.KeyEnter)
	if e := in(t, "end of the entry", done); e.Outcome != hal.PINBypassed {
		t.Errorf("outcome %v: old keys were taken", e.Outcome)
	}
}

func TestPINEnds(t *testing.T) {
	s, p := both(t, panel.Size{})
	clock := hal.NewSteppedClock(nil, noon)
	ctx, cancel := hal.WithTimeout(t.Context(), clock, time.Minute)
	defer cancel()
	done := enter(t, s, p, ctx, usual)
	s.Key(hal.Key1)
	clock.Jump(time.Minute)
	if e := in(t, "end of the entry", done); e.Outcome != hal.PINTimedOut || e.Digits != nil || e.err != nil {
		t.Errorf("time-out: %+v", e)
	}
	until(t, s, "pad off", func(v panelsim.View) bool { return !v.PINActive })
	done = enter(t, s, p, t.Context(), usual)
	s.Key(hal.Key1)
	s.Cut()
	if e := in(t, "end of the entry", done); !errors.Is(e.err, panel.ErrGone) || e.Digits != nil {
		t.Errorf("power cut: %+v", e)
	}
}

// A key pressed when the screen asks for a PIN and the pad is not active yet
// waits for it: no digit of a PIN reaches the keypad.
func TestKeyWaitsForThePad(t *testing.T) {
	s, p := both(t, panel.Size{W: 8, H: 8})
	p.Display().(hal.Captioner).Caption(hal.Caption{Code: "P-PIN-01", Input: "pin"})
	p.Display().Draw(p.Display().Bounds(), blank(8, 8), blank(8, 8).Bounds().Min)
	until(t, s, "PIN screen", func(v panelsim.View) bool { return v.Caption.Input == "pin" })
	pressed := make(chan error, 1)
	go func() { pressed <- s.Key(hal.KeyEnter) }()
	done := enter(t, s, p, t.Context(), usual)
	if err := in(t, "key", pressed); err != nil {
		t.Fatal(err)
	}
	if e := in(t, "end of the entry", done); e.Outcome != hal.PINBypassed {
		t.Errorf("outcome %v", e.Outcome)
	}
}
