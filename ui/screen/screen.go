package screen

import (
	"image"
	"slices"
	"strconv"
	"strings"

	"swipewell/ui/prompt"
	"swipewell/ui/text"
)

// Size is a display: pixels, and whether a pixel is one bit.
type Size struct {
	W, H int
	Mono bool
}

// The displays that are drawn for. Another size of the same kind is laid out
// by the same rules; what does not fit is left out from the bottom.
var (
	Color320 = Size{W: 320, H: 240}
	Mono128  = Size{W: 128, H: 64, Mono: true}
)

// Frame is one drawn screen.
type Frame struct {
	// Image is *image.RGBA, all pixels opaque; for a one-bit display
	// *image.Gray with 0xFF for a lit pixel and 0 for a dark one.
	Image image.Image
	// Lines are the texts on it, top to bottom, one a paragraph: a text that
	// the picture wraps is one line here. The first is the status bar, the last
	// begins with the message code.
	Lines []string
}

// Render draws a view. It is a pure function: the same view and size give the
// same frame.
func Render(v View, s Size) Frame {
	p := draw(v, s)
	if s.Mono {
		return Frame{Image: p.gray(), Lines: p.lines}
	}
	return Frame{Image: p.rgba(), Lines: p.lines}
}

func draw(v View, s Size) *page {
	if v.Lang != EN {
		v.Lang = ZH
	}
	p := &page{View: v, msg: text.Format(string(v.Lang), v.Code, v.Args), canvas: newCanvas(s.W, s.H)}
	if e, ok := prompt.Lookup(v.Code); ok {
		p.severity = e.Severity
	}
	if s.Mono {
		p.mono()
	} else {
		p.colour()
	}
	return p
}

// page is a screen while it is drawn.
type page struct {
	View
	*canvas
	msg      text.Message
	severity prompt.Severity
	lines    []string
}

func (p *page) say(s string) {
	if s = strings.TrimSpace(s); s != "" {
		p.lines = append(p.lines, s)
	}
}

// rule is the rule that the screen speaks of, "" if its words have it already: a
// stop always names its rule, however little room there is.
func (p *page) rule() string {
	r := p.Args.Rule
	if r == "" || p.Code == "" || p.Code[0] != 'T' && p.Code != prompt.Duplicate || slices.ContainsFunc(p.lines, func(s string) bool { return strings.Contains(s, r) }) {
		return ""
	}
	return r
}

func (p *page) label(key string) string { return text.Label(string(p.Lang), key) }

// amount is the sum that the screen shows large, "" for none.
func (p *page) amount() string {
	switch {
	case p.Page != "", p.Input == "choice":
		return ""
	case p.Typed != "" && (p.Input == "number" || p.Input == "name"):
		return p.Typed
	case p.Typed != "" && p.Input == "amount":
		return "¥" + p.Typed
	case p.Code == prompt.Idle || p.Code == prompt.Amount:
		return "¥0.00"
	case p.Args.Amount == "" || strings.Contains(p.msg.Title, p.Args.Amount):
		return ""
	case len(p.Code) < 2:
		return ""
	}
	switch p.Code {
	case prompt.StatusPage, prompt.Reversed, prompt.AmountLimit, prompt.RuleView:
		return "" // the sum is part of the sentence
	}
	switch p.Code[0] {
	case 'P', 'A', 'D', 'N', 'T':
		return "¥" + p.Args.Amount
	case 'F': // with a card at fault the sale goes on
		if p.Input == "card" {
			return "¥" + p.Args.Amount
		}
	}
	return ""
}

// card is the masked number beside the amount, "" where the sentence has it.
func (p *page) card() string {
	switch {
	case p.pin(), p.Code == prompt.Confirm, p.Code == prompt.ConfirmKind, p.Code == prompt.Duplicate, p.Code == prompt.Preparing, p.Code == prompt.Dialling, p.Code == prompt.Waiting:
		return p.Args.Card
	case p.Code != "" && strings.ContainsRune("ADNT", rune(p.Code[0])) && !strings.Contains(p.msg.Body, p.Args.Card):
		return p.Args.Card
	}
	return ""
}

// pin tells whether this is the step at which the customer keys a PIN.
func (p *page) pin() bool { return p.Code == prompt.PIN || p.Code == prompt.PINMust }

// stars stand for the digits of a PIN; the pad counts them, the screen never
// knows more.
func (p *page) stars() string {
	if p.Typed != "" && p.Input == "pin" {
		return p.Typed
	}
	return strings.Repeat("*", min(max(p.Args.N, 0), 12))
}

// queue is the mark of records that wait to be sent.
func (p *page) queue() string {
	if p.Status.Queue <= 0 {
		return ""
	}
	s := p.label("queue") + strconv.Itoa(min(p.Status.Queue, 999))
	if o := p.Status.Offline; o.Sum != "" && p.w >= 320 {
		s += " ¥" + o.Sum + " " + strconv.Itoa(min(o.Hours, 999)) + "h"
	}
	return s
}

// noteText is the second message in one paragraph: what, and what to do.
func (p *page) noteText() string {
	if p.Note == "" {
		return ""
	}
	m := text.Format(string(p.Lang), p.Note, p.NoteArgs)
	s := m.Title
	if p.NoteArgs.Card != "" && !strings.Contains(s, p.NoteArgs.Card) {
		s += " " + p.NoteArgs.Card
	}
	if r := p.NoteArgs.Rule; r != "" && !strings.Contains(s, r) {
		s += " " + r
	}
	if m.Next != "" {
		if p.Lang == ZH {
			s += "。" + m.Next
		} else {
			s += ". " + m.Next
		}
	}
	return s
}

// items are the menu's labels, numbered.
func (p *page) items() []string {
	var out []string
	for i, c := range p.Menu {
		if c == "" {
			break
		}
		out = append(out, strconv.Itoa(i+1)+" "+text.Get(string(p.Lang), c).Title)
	}
	return out
}
