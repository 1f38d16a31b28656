package screen

import (
	"cmp"
	"strconv"
	"strings"

	"swipewell/ui/font"
	"swipewell/ui/prompt"
	"swipewell/ui/text"
)

const (
	dark     uint8 = 0
	lit      uint8 = 1
	barH           = 8 // of the bars at top and bottom, in the tiny letters
	monoRows       = 3 // of text between them
)

// mono lays out a one-bit page: a bar, three rows of sixteen columns, a bar
// with the code. Most important words first; nothing scrolls.
func (p *page) mono() {
	if p.Grid != nil {
		p.monoGrid()
		return
	}
	p.monoStatus()
	switch {
	case p.Input == "app":
		p.monoApps()
	case p.Page != "":
		p.monoPage()
	case p.Input == "menu" && p.Menu[0] != "":
		p.monoMenu()
	case p.Input == "choice" && p.Menu[0] != "":
		p.monoChoice()
	default:
		p.monoContent()
	}
	p.monoFooter()
}

func (p *page) monoStatus() {
	x, words := 0, []string(nil)
	if p.Status.Bars >= 0 {
		for i := range 4 {
			h := 1
			if i < p.Status.Bars {
				h = 1 + 2*i
			}
			p.fill(x+3*i, 7-h, x+3*i+2, 7, lit)
		}
		x += 15
	}
	if p.Status.Bench {
		p.fill(x, 0, x+26, 8, lit)
		p.tiny(x+2, 0, "TEST", dark)
		words = append(words, p.label("bench"))
		x += 29
	}
	if p.Status.Train {
		p.fill(x, 0, x+26, 8, lit)
		p.tiny(x+2, 0, "DEMO", dark)
		words = append(words, p.label("train"))
		x += 29
	}
	if p.Status.Queue > 0 {
		for i := range 3 { // an arrow up: to be sent
			p.fill(x+2-i, i, x+3+i, i+1, lit)
		}
		p.fill(x+2, 3, x+3, 7, lit)
		p.tiny(x+7, 0, strconv.Itoa(min(p.Status.Queue, 99)), lit)
		words = append(words, p.queue())
	}
	p.tiny(p.w-tinyPitch*len(p.Status.Clock)+1, 0, p.Status.Clock, lit)
	p.say(strings.Join(append(words, p.Status.Clock), " "))
}

// part is one paragraph of the three rows.
type part struct {
	words string
	st    style
	right bool
	star  bool // may be left out
}

func (pt part) rows(cols int) int {
	if pt.st.scale == 2 {
		return 2
	}
	return len(font.WrapTitle(pt.words, cols))
}

func (p *page) monoContent() {
	cols := p.w / 8
	parts := p.monoParts(cols)
	// Paragraphs that do not fit go from the end; the title stays.
	n, used := 0, 0
	for _, pt := range parts {
		if h := pt.rows(cols); used+h <= monoRows {
			used += h
			n++
			continue
		} else if !pt.star {
			break
		}
		n++ // an optional one is skipped when drawn
	}
	y, left, first := barH, monoRows, true
	for _, pt := range parts[:n] {
		h := pt.rows(cols)
		if h > left {
			continue
		}
		left -= h
		y = p.monoPart(pt, y, cols, first)
		first = false
	}
}

func (p *page) monoPart(pt part, y, cols int, first bool) int {
	p.say(pt.words)
	if pt.st.scale == 2 {
		x := (p.w - pt.st.width(pt.words)) / 2
		if pt.right {
			x = p.w - pt.st.width(pt.words)
		}
		p.text(x, y, pt.words, pt.st, lit)
		return y + 32
	}
	for _, r := range font.WrapTitle(pt.words, cols) {
		x := (p.w - pt.st.width(r)) / 2
		if pt.right {
			x = p.w - pt.st.width(r)
		} else if p.severity != prompt.Info && first {
			// White on a lit bar: an outcome is told from a step at a glance.
			p.fill(0, y, p.w, y+16, lit)
			p.text((p.w-pt.st.width(r))/2, y, r, pt.st, dark)
			y += 16
			continue
		}
		p.text(x, y, r, pt.st, lit)
		y += 16
	}
	return y
}

func (p *page) monoParts(cols int) []part {
	var parts []part
	add := func(s string, st style, right, optional bool) {
		if s != "" {
			parts = append(parts, part{s, st, right, optional})
		}
	}
	amount := p.amount()
	amountStyle := small
	if p.Note == "" && title.width(amount) <= p.w {
		amountStyle = style{2, 0}
	}
	words := p.msg.Small
	if words == "" {
		words = p.msg.Title + "\n" + p.msg.Next
	}
	head, rest, _ := strings.Cut(words, "\n")
	note := ""
	if p.Note != "" {
		m := text.Format(string(p.Lang), p.Note, p.NoteArgs)
		if note = m.Title; font.Columns(note) > cols && m.Small != "" { // one row rather than two
			note, _, _ = strings.Cut(m.Small, "\n")
		}
	}
	if p.Input == "name" && p.Typed != "" {
		add(p.msg.Title, small, false, false)
		add(p.Typed, style{2, 0}, true, false)
		return parts
	}
	switch p.Code {
	case prompt.Idle, prompt.Amount, prompt.Card:
		add(p.msg.Title, small, false, false)
		add(note, small, false, false)
		add(amount, amountStyle, true, false)
		return parts
	case prompt.Confirm, prompt.ConfirmKind:
		add(head, small, false, false)
		if p.msg.Body != "" { // what it is stands before how much
			amount = p.msg.Body + " " + amount
		}
		add(amount, small, true, false)
		add(p.Args.Card, small, true, true)
		return parts
	case prompt.PIN, prompt.PINMust:
		if p.Note != "" { // a PIN that was wrong stands before "enter it"
			m := text.Format(string(p.Lang), p.Note, p.NoteArgs)
			add(cmp.Or(m.Small, m.Title), small, false, false)
		} else {
			add(p.msg.Title, small, false, false)
		}
		add(amount, small, true, false)
		add(p.stars(), small, false, false)
		return parts
	}
	add(head, small, false, false)
	if p.Args.Rule == "" { // what a stop wants done stands before why it may be so
		add(note, small, false, false)
	}
	if p.Code[:min(1, len(p.Code))] == "A" && note == "" {
		add(amount, amountStyle, true, true)
	}
	for para := range strings.SplitSeq(rest, "\n") {
		add(para, small, false, false)
	}
	if p.Args.Rule != "" {
		add(note, small, false, true)
	}
	if font.Columns(amount) <= cols {
		add(amount, small, true, true)
	}
	return parts
}

func (p *page) monoFooter() {
	y := p.h - barH + 1
	code := strings.TrimSpace(string(p.Code) + " " + p.rule())
	p.tiny(0, y, code, lit)
	right := string(p.Note)
	if right == "" && p.Input != "menu" {
		right = p.Args.Card
	}
	p.tiny(p.w-tinyPitch*len(right)+1, y, right, lit)
	p.say(strings.TrimSpace(code + " " + right))
}

// monoMenu shows the selected item with its neighbours.
func (p *page) monoMenu() {
	items := p.items()
	from := max(min(p.Sel-1, len(items)-monoRows), 0)
	y := barH
	for i := from; i < min(from+monoRows, len(items)); i++ {
		on := lit
		if i == p.Sel {
			p.fill(0, y, p.w, y+16, lit)
			on = dark
		}
		p.text(0, y, items[i], small, on)
		p.say(items[i])
		y += 16
	}
}
