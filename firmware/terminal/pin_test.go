package terminal_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"swipewell/firmware/sim/stage"
	"swipewell/firmware/terminal"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// customer is a PIN pad at which somebody enters these digits.
type customer struct {
	digits string
	out    hal.PINOutcome
	during func() // what happens meanwhile; nil nothing
	rules  []hal.PINRules
	given  *hal.Secret // the last entry
	ctx    context.Context
}

func (*customer) String() string { return "a customer" }
func (*customer) Halt() error    { return nil }

func (c *customer) Enter(ctx context.Context, r hal.PINRules, count func(int)) (hal.PINEntry, error) {
	c.rules, c.ctx = append(c.rules, r), ctx
	for n := range c.digits {
		count(n + 1)
	}
	if c.during != nil {
		c.during()
	}
	c.given = hal.NewSecret([]byte(c.digits))
	return hal.PINEntry{Outcome: c.out, Digits: c.given}, nil
}

// atPad is a terminal with a customer at its pad.
func atPad(t *testing.T, c *customer) (*stage.House, string) {
	t.Helper()
	dir := t.TempDir()
	h, err := stage.New(stage.Opts{Dir: dir, Seed: 1, Wires: []stage.NamedWire{{Name: "a", Wire: &wire{}}}, Wall: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
		Board: func(b *hal.Board) { b.PINPad = c }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	if err := h.Do(func() {
		if err := h.Boot(); err != nil {
			t.Fatal(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return h, dir
}

func sell(t *testing.T, h *stage.House, name string) {
	t.Helper()
	card, ok := h.Host.Card(name)
	if !ok {
		t.Fatal("no card " + name)
	}
	for _, err := range []error{h.Press("1", "2", "8", "0", "enter"), h.Swipe(card, hal.TrackOK), h.Wait(2 * time.Second), h.Press("enter"), h.Wait(10 * time.Second)} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A PIN goes from the pad into its block: the host opens it, and no digit is in the
// state, in the store or in an entry afterwards.
func TestPINGoesIntoItsBlock(t *testing.T) {
	c := &customer{digits: "864209753124"}
	h, dir := atPad(t, c)
	if err := h.Host.DefineCard("long", "pin="+c.digits, "service=120"); err != nil {
		t.Fatal(err)
	}
	sell(t, h, "long")
	if s := h.State(); s.Code != prompt.Approved && s.Code != prompt.ApprovedConfirm {
		t.Fatalf("%s", s.Code)
	}
	if out, err := h.Host.Command("checks"); err != nil || !bytes.Contains([]byte(out), []byte("PIN blocks opened 1")) {
		t.Errorf("%s %v", out, err)
	}
	if want := (hal.PINRules{MinDigits: 4, MaxDigits: 12}); !slices.Equal(c.rules, []hal.PINRules{want}) {
		t.Errorf("rules %+v", c.rules)
	}
	if c.given.Len() != 0 {
		t.Error("the digits were not wiped")
	}
	if f := h.Host.Findings(); len(f) != 0 {
		t.Errorf("%v", f)
	}
	if s := fmt.Sprintf("%+v", h.State()); bytes.Contains([]byte(s), []byte(c.digits)) {
		t.Error("the state has the PIN")
	}
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			if b, _ := os.ReadFile(path); bytes.Contains(b, []byte(c.digits)) {
				t.Errorf("%s has the PIN", path)
			}
		}
		return nil
	})
}

// An entry that was given up says no more: its digits are wiped, and the next card
// pays nothing with them.
func TestPINOfASaleThatEnded(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(h *stage.House)
		code prompt.Code
	}{
		"the case was opened": {func(h *stage.House) { h.Term.Fault(prompt.TamperOpen) }, prompt.TamperOpen},
		"it went by":          {func(*stage.House) {}, prompt.Cancelled},
	} {
		t.Run(name, func(t *testing.T) {
			pad := &customer{digits: "123456", out: hal.PINCancelled}
			var h *stage.House
			if c.code == prompt.TamperOpen {
				pad.out = hal.PINEntered
			}
			pad.during = func() { c.end(h) }
			h, _ = atPad(t, pad)
			sell(t, h, "cup-pin-1")
			if s := h.State(); s.Code != c.code || s.PINLen != 0 {
				t.Errorf("%s, %d stars", s.Code, s.PINLen)
			}
			if pad.given.Len() != 0 || pad.ctx.Err() == nil {
				t.Errorf("%d digits are kept; the pad's time ended: %v", pad.given.Len(), pad.ctx.Err())
			}
			if n := h.Host.Seen("0200"); n != 0 {
				t.Errorf("%d sales were sent", n)
			}
		})
	}
}

// A key of the PIN step that the pad did not take is no event: the brain does not
// hear of it.
func TestKeysAtThePINStep(t *testing.T) {
	heard := func(keys ...txn.Key) (n int) {
		pad := &customer{digits: "123456", out: hal.PINCancelled}
		h, err := stage.New(stage.Opts{Dir: t.TempDir(), Seed: 1, Wires: []stage.NamedWire{{Name: "a", Wire: &wire{}}}, Wall: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
			Board: func(b *hal.Board) { b.PINPad = pad }, Term: func(o *terminal.Opts) { o.Rand = func() uint32 { n++; return 1 } }}) // drawn for every event
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		pad.during = func() {
			for _, k := range keys {
				h.Term.Press(k)
			}
		}
		if err := h.Do(func() { err = h.Boot() }); err != nil {
			t.Fatal(err)
		}
		sell(t, h, "cup-pin-1")
		return n
	}
	if none, some := heard(), heard("7", "4", "enter"); none == 0 || none != some {
		t.Errorf("%d events without keys, %d with", none, some)
	}
}

// A pad that does not keep the rules sends nothing.
func TestPadThatBreaksTheRules(t *testing.T) {
	for name, c := range map[string]struct {
		pad  customer
		code prompt.Code
	}{
		"three digits":           {customer{digits: "123"}, prompt.Internal},
		"thirteen":               {customer{digits: "1234567890123"}, prompt.Internal},
		"bypassed what must not": {customer{out: hal.PINBypassed}, prompt.PINNeeded},
	} {
		h, _ := atPad(t, &c.pad)
		sell(t, h, "cup-pin-1")
		if s := h.State(); s.Code != c.code || h.Host.Seen("0200") != 0 || c.pad.given.Len() != 0 {
			t.Errorf("%s: %s, sent %d, %d digits kept", name, s.Code, h.Host.Seen("0200"), c.pad.given.Len())
		}
	}
}

// What is keyed while a PIN is being checked is taken for a digit of a PIN: it goes
// nowhere.
func TestKeysWhileAPINIsChecked(t *testing.T) {
	var held []func()
	hold := false
	h, err := stage.New(stage.Opts{Dir: t.TempDir(), Seed: 1, Wires: []stage.NamedWire{{Name: "a", Wire: &wire{}}}, Wall: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
		Term: func(o *terminal.Opts) {
			o.Spawn = func(f func()) {
				if hold {
					held = append(held, f)
					return
				}
				f()
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(h.Do(func() { must(h.Boot()) }))
	must(h.Press("menu", "9", "1", "9", "0", "enter", "1", "2", "3", "4"))
	if s := h.State(); s.Name.Digits != 4 || s.Typed != "" || s.Keyed != 0 {
		t.Errorf("%d digits, typed %q, keyed %d", s.Name.Digits, s.Typed, s.Keyed)
	}
	hold = true
	must(h.Press("enter"))
	before := h.State()
	must(h.Press("5", "6", "00", "f4", "menu"))
	if after := h.State(); after != before || len(held) != 1 {
		t.Errorf("keys went past the check: %s, %d checks", after.Phase, len(held))
	}
	must(h.Do(held[0]))
	if s := h.State(); s.Durable.Operator != 90 {
		t.Errorf("operator %d, %s", s.Durable.Operator, s.Code)
	}
	hold = false
	must(h.Press("enter", "7"))
	if s := h.State(); s.Keyed != 7 {
		t.Errorf("keyed %d: the keys do not come back", s.Keyed)
	}
}
