package terminal_test

import (
	"image"
	"image/color"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/role"
	"swipewell/firmware/sim/stage"
	"swipewell/firmware/terminal"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// glass is a display that hears the words.
type glass struct{ last hal.Caption }

func (*glass) String() string                                       { return "glass" }
func (*glass) Halt() error                                          { return nil }
func (*glass) ColorModel() color.Model                              { return color.GrayModel }
func (*glass) Bounds() image.Rectangle                              { return image.Rect(0, 0, 128, 64) }
func (*glass) Draw(image.Rectangle, image.Image, image.Point) error { return nil }
func (g *glass) Caption(c hal.Caption) error                        { g.last = c; return nil }

// hotel are the rules of a merchant that types card numbers.
func hotel(t *testing.T) *throttle.Rules {
	r, err := throttle.Default().WithProfile("hotel")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Where what is keyed is a secret, the caption says so, for whoever carries the keys;
// nowhere else, and no digit is in its words.
func TestCaptionSaysWhatIsSecret(t *testing.T) {
	g, pad := &glass{}, &customer{out: hal.PINCancelled}
	var at hal.Caption // during the PIN entry
	pad.during = func() { at = g.last }
	h, err := stage.New(stage.Opts{Dir: t.TempDir(), Seed: 1, Wires: []stage.NamedWire{{Name: "a", Wire: &wire{}}}, Wall: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
		Board: func(b *hal.Board) { b.PINPad, b.Display = pad, g }, Profile: func(p *txn.Profile) { p.Staff = 2 },
		Rules: hotel(t), Term: func(o *terminal.Opts) {
			o.Staff = []role.Person{stage.Boss, {Number: 91, Role: role.Technician, Hash: "4321"}}
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	if err := h.Do(func() { err = h.Boot() }); err != nil {
		t.Fatal(err)
	}
	look := func(code prompt.Code, secret bool) {
		t.Helper()
		if g.last.Code != string(code) || g.last.Secret != secret {
			t.Errorf("%s secret %v, want %s %v", g.last.Code, g.last.Secret, code, secret)
		}
		for _, l := range g.last.Lines {
			if secret && (strings.Contains(l, "7890") || strings.Contains(l, "6225")) {
				t.Errorf("%q shows what is keyed", l)
			}
		}
	}
	press := func(keys ...txn.Key) {
		t.Helper()
		if err := h.Press(keys...); err != nil {
			t.Fatal(err)
		}
	}
	look(prompt.Idle, false)
	press("menu", "9", "1", "9", "0")
	look(prompt.NameNumber, false)
	press("enter", "7", "8", "9", "0")
	look(prompt.NamePIN, true)
	press("cancel", "1", "0", "0", "enter", "enter") // no order reference
	look(prompt.Card, false)
	press("f3", "6", "2", "2", "5")
	look(prompt.KeyNumber, true)
	press("cancel", "cancel", "cancel")
	press("menu", "9", "6", "4", "2", "9", "0", "enter", "1", "2", "3", "4", "enter", "7", "8", "9", "0")
	look(prompt.KeyPart, true)
	press(stage.Digits("12345678901234567890123456789012")...)
	press("enter")
	look(prompt.KeyPartCheck, false)
	press("cancel", "enter")
	card, _ := h.Host.Card("cup-pin-1")
	press("1", "0", "0", "enter", "enter")
	if err := h.Swipe(card, hal.TrackOK); err != nil {
		t.Fatal(err)
	}
	if err := h.Wait(2 * time.Second); err != nil {
		t.Fatal(err)
	}
	press("enter")
	if at.Code != string(prompt.PINMust) || !at.Secret {
		t.Errorf("at the PIN step: %s secret %v", at.Code, at.Secret)
	}
}
