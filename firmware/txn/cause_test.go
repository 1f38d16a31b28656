package txn

import (
	"testing"

	"swipewell/ui/prompt"
)

func cause(c prompt.Code, perhaps ...prompt.Code) Cause {
	x := Cause{Code: c, Lasts: c == prompt.CauseReader || c == prompt.CauseRadio}
	copy(x.Perhaps[:], perhaps)
	return x
}

// A cause that lasts stands on the ready screen, comes and goes with the minute,
// and takes nothing away that another has put there.
func TestTickLooksAnew(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct {
		say  Cause
		hint Cause
		want prompt.Code
	}{
		{Cause{}, Cause{}, ""},
		{cause(prompt.CauseReader), Cause{}, prompt.CauseReader},
		{cause(prompt.CauseReader), cause(prompt.HintAlert), prompt.CauseReader},
		{cause(prompt.CauseRadio), Cause{}, prompt.CauseRadio},
		{Cause{}, cause(prompt.HintAlert), prompt.HintAlert},
		{cause(prompt.CauseRepeat), Cause{}, ""},
		{cause(prompt.CauseUnsure, prompt.CauseCard), Cause{}, ""},
		{Cause{}, Cause{}, ""},
	} {
		if d.do(Event{Kind: Tick, Cause: c.say, Hint: c.hint}); d.s.Note != c.want || d.s.Code != prompt.Idle {
			t.Errorf("%q beside %q: %q on %q", c.say.Code, c.hint.Code, d.s.Note, d.s.Code)
		}
	}
	d.s.Note = prompt.EntryFirst
	if d.do(Event{Kind: Tick, Cause: cause(prompt.CauseReader)}); d.s.Note != prompt.EntryFirst {
		t.Errorf("the word on a card at the wrong moment became %q", d.s.Note)
	}
	d.do(Event{Kind: KeyPressed, Key: "5"})
	if d.do(Event{Kind: Tick, Cause: cause(prompt.CauseReader)}); d.s.Note == prompt.CauseReader {
		t.Error("a cause came up under an amount that is keyed")
	}
}

// What is not clear is said where each of the two could be, and nowhere else.
func TestWhereACauseIsSaid(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(d *desk, x Cause)
		say  Cause
		want prompt.Code
	}{
		{"halt", func(d *desk, x Cause) { d.do(Event{Kind: Faulted, Code: prompt.TamperOpen, Cause: x}) }, cause(prompt.CauseTamper), prompt.CauseTamper},
		{"halt", func(d *desk, x Cause) { d.do(Event{Kind: Faulted, Code: prompt.TamperOpen, Cause: x}) }, cause(prompt.CausePeak), ""},
		{"no keys", func(d *desk, x Cause) { d.do(Event{Kind: Faulted, Code: prompt.KeyNoMaster, Cause: x}) }, cause(prompt.CauseNone), ""},
		{"typed", typedWrong, cause(prompt.CauseKeyed), prompt.CauseKeyed},
		{"typed", typedWrong, cause(prompt.CauseData), prompt.CardNumber},
		{"typed", typedWrong, Cause{}, prompt.CardNumber},
		{"unread", unread, cause(prompt.CauseUnsure, prompt.CauseCard), prompt.CauseUnsure},
		{"unread", unread, cause(prompt.CauseUnsure, prompt.CauseCard, prompt.CauseReader), prompt.CauseUnsure},
		{"unread", unread, cause(prompt.CauseUnsure, prompt.CauseCard, prompt.CauseSignal), ""},
		{"unread", unread, cause(prompt.CauseUnsure, "", prompt.CauseSignal), ""},
		{"unread", unread, cause(prompt.CauseNone), ""},
	} {
		d := newDesk(t)
		if c.do(d, c.say); d.s.Note != c.want {
			t.Errorf("%s, %q %q: %q beside %q", c.name, c.say.Code, c.say.Perhaps, d.s.Note, d.s.Code)
		}
	}
}

func typedWrong(d *desk, x Cause) {
	d.s.Phase, d.s.Keyed = Typing, 1280
	d.do(Event{Kind: TypeDone, Code: prompt.CardNumber, Cause: x})
}

func unread(d *desk, x Cause) {
	for _, k := range []Key{"1", "2", "8", "0", "enter"} {
		d.do(Event{Kind: KeyPressed, Key: k})
	}
	d.do(Event{Kind: Unreadable, Code: prompt.CardParity, Cause: x})
}
