package screen

import (
	"strings"

	"swipewell/ui/font"
	"swipewell/ui/prompt"
	"swipewell/ui/text"
)

// Inks of the colour screen.
const (
	paper uint8 = iota
	ink
	muted
	bar
	white
	blue
	green
	amber
	red
	crimson
	line
	noteFill
	noteInk
	tint
	benchFill
	chosen
)

// palette is RGBA. The bands are dark enough for white text (contrast 4.5:1
// and more), amber carries dark text.
var palette = [16]uint32{
	paper: 0xF7F8FAFF, ink: 0x17202BFF, muted: 0x5B6773FF, bar: 0x18222EFF, white: 0xFFFFFFFF,
	blue: 0x1D5AA6FF, green: 0x14793FFF, amber: 0xF5B400FF, red: 0xC8321EFF, crimson: 0x960C24FF,
	line: 0xD3D9E0FF, noteFill: 0xFFF0C2FF, noteInk: 0x4A3A00FF, tint: 0xE7EDF5FF, benchFill: 0xE4572EFF, chosen: 0x1D5AA6FF,
}

const (
	statusH = 24
	footerH = 22
	margin  = 12
	leading = 20 // of text in the font's own size
)

// band is the colour behind the title, by severity, and the text's on it.
func band(s prompt.Severity) (fill, on uint8) {
	switch s {
	case prompt.Good:
		return green, white
	case prompt.Warning:
		return amber, ink
	case prompt.Bad:
		return red, white
	case prompt.Critical:
		return crimson, white
	}
	return blue, white
}

// colour lays the page out: status bar, title band, content, next step, note,
// footer with the code.
func (p *page) colour() {
	p.statusBar()
	foot := p.h - footerH
	y := p.titleBand(statusH, foot)
	switch {
	case p.Input == "app":
		p.appList(y, foot)
	case p.Grid != nil:
		p.grid(y, foot)
	case p.Page != "":
		p.paged(y, foot)
	case p.Input == "menu" && p.Menu[0] != "":
		p.menu(y, foot)
	case p.Input == "choice" && p.Menu[0] != "":
		p.choice(y, foot)
	default:
		p.content(y, foot)
	}
	p.footer(foot)
}

func (p *page) statusBar() {
	p.fill(0, 0, p.w, statusH, bar)
	x, words := margin, []string(nil)
	if p.Status.Bars >= 0 {
		for i := range 4 {
			on := line
			if i >= p.Status.Bars {
				on = muted
			}
			p.fill(x+5*i, 17-3*i-2, x+5*i+4, 18, on)
		}
		if p.Status.Bars == 0 { // no signal: a stroke through the bars
			for i := range 18 {
				p.fill(x+i, 4+i*13/18, x+i+2, 6+i*13/18, benchFill)
			}
		}
		x += 28
	}
	if p.Status.Bench {
		x = p.pill(x, p.label("bench"), benchFill, white)
		words = append(words, p.label("bench"))
	}
	if p.Status.Train {
		x = p.pill(x, p.label("train"), blue, white)
		words = append(words, p.label("train"))
	}
	if q := p.queue(); q != "" {
		p.pill(x, q, amber, ink)
		words = append(words, q)
	}
	p.text(p.w-margin-small.width(p.Status.Clock), 4, p.Status.Clock, small, white)
	p.say(strings.Join(append(words, p.Status.Clock), " "))
}

func (p *page) pill(x int, s string, fill, on uint8) int {
	w := small.width(s)
	p.round(x, 2, x+w+10, 22, fill)
	p.text(x+5, 4, s, small, on)
	return x + w + 16
}

// titleBand draws the title, two rows at most at double size, and in Chinese
// the English title below it where there is room.
func (p *page) titleBand(y, foot int) int {
	fill, on := band(p.severity)
	st := title
	rows := font.WrapTitle(p.msg.Title, (p.w-2*margin)/(8*st.scale))
	if len(rows) > 2 {
		st = strong
		rows = font.Wrap(p.msg.Title, (p.w-2*margin)/8)
	}
	if p.Page != "" || p.Input == "menu" && p.Menu[0] != "" {
		st, rows = strong, font.Wrap(p.msg.Title, (p.w-2*margin)/8)
		rows = rows[:min(len(rows), 1)]
	}
	if h := 12 + len(rows)*(17*st.scale+2); len(rows) == 2 && st == title && p.Note != "" && p.Args.Rule != "" && !p.fits(y+h, foot) {
		// What was not sent, by which rule, and why outrank the size of the title.
		st, rows = strong, font.Wrap(p.msg.Title, (p.w-2*margin)/8)
	}
	pitch := 17*st.scale + 2
	h := 12 + len(rows)*pitch
	sub := ""
	if p.Lang == ZH && st == title && p.Input != "choice" {
		sub = text.Format(text.EN, p.Code, p.Args).Title
		if font.Columns(sub) > (p.w-2*margin)/8 || !p.fits(y+h+18, foot) {
			sub = ""
		}
	}
	if sub != "" {
		h += 18
	}
	p.fill(0, y, p.w, y+h, fill)
	if p.severity == prompt.Critical { // hazard marks: told apart without colours
		for x := 0; x < p.w; x += 24 {
			p.fill(x, y+h, x+12, y+h+4, crimson)
		}
	}
	at := y + 7
	for _, r := range rows {
		p.text(margin, at, r, st, on)
		at += pitch
	}
	p.say(p.msg.Title)
	if sub != "" {
		p.text(margin, at-1, sub, small, on)
		p.say(sub)
	}
	if p.severity == prompt.Critical {
		h += 4
	}
	return y + h
}

// block is a part of the content with its height.
type block struct {
	h    int
	draw func(y int)
}

// fits tells whether all the content has room between y and foot.
func (p *page) fits(y, foot int) bool {
	room := foot - y - p.body().h - p.next().h - p.note().h
	return room >= 0 && (p.amount() == "" || p.figures(room).h > 0)
}

// content fills y..foot: figures and body from the top, next step and note
// from the bottom. What is least needed goes first: figures shrink, then the
// body of a step goes, then the end of any other body.
func (p *page) content(y, foot int) {
	body, next, note := p.body(), p.next(), p.note()
	room := foot - y - next.h - note.h
	figures := p.figures(room - body.h)
	noBody := figures.h == 0 && p.Note != "" && (p.severity == prompt.Info || p.Input == "card" && p.Args.Rule == "")
	if noBody { // on a step's screen, and while a card is wanted, the amount outranks the explanation
		body.h = 0
		figures = p.figures(room)
	}
	spare := max(room-body.h-figures.h, 0)
	top := y + min(spare/3, 14)
	if figures.h > 0 {
		figures.draw(top)
		top += figures.h + min(spare/3, 8)
	}
	if !noBody {
		p.drawBody(top, foot-next.h-note.h)
	}
	if next.h > 0 {
		next.draw(foot - note.h - next.h)
	}
	if note.h > 0 {
		note.draw(foot - note.h)
	}
}

// figures are the amount as large as there is room for, the card beside or
// below it, and the stars of a PIN.
func (p *page) figures(room int) block {
	amount, card := p.amount(), p.card()
	if amount == "" {
		return block{}
	}
	if card != "" {
		card = p.label("card") + " " + card
	}
	for _, st := range []style{huge, title, strong} {
		for _, beside := range []bool{true, false} {
			h := 16*st.scale + 8
			if st == strong {
				h = 20
			}
			w := st.width(amount) + st.bold
			switch {
			case card == "" && !beside:
				continue
			case beside:
				w += small.width(card) + margin
			default:
				h += leading
			}
			if p.pin() {
				h += 38
			}
			if w <= p.w-2*margin && h <= room {
				return block{h, func(y int) { p.drawFigures(y, amount, card, st, beside) }}
			}
		}
	}
	return block{}
}

func (p *page) drawFigures(y int, amount, card string, st style, beside bool) {
	on := ink
	if p.Code == prompt.Idle && p.Typed == "" {
		on = muted // nothing is keyed yet
	}
	p.text(p.w-margin-st.width(amount)-st.bold, y+4, amount, st, on)
	p.say(amount)
	y += 16*st.scale + 8
	switch {
	case card == "":
	case beside:
		p.text(margin, y-18-4*st.scale, card, small, muted)
		p.say(card)
	default:
		p.text(p.w-margin-small.width(card), y-2, card, small, muted)
		p.say(card)
		y += leading
	}
	if !p.pin() {
		return
	}
	stars := p.stars()
	p.round(margin, y, p.w-margin, y+34, muted)
	p.round(margin+1, y+1, p.w-margin-1, y+33, white)
	w := 18*len(stars) - 8
	for i := range len(stars) {
		p.dot((p.w-w)/2+18*i, y+12)
	}
	p.say(stars)
}

// dot is one star of a PIN: a disc of 10 pixels.
func (p *page) dot(x, y int) {
	for i, in := range [10]int{3, 1, 1, 0, 0, 0, 0, 1, 1, 3} {
		p.fill(x+in, y+i, x+10-in, y+i+1, ink)
	}
}

func (p *page) body() block {
	rows := font.Wrap(p.msg.Body, (p.w-2*margin)/8)
	if len(rows) == 0 {
		return block{}
	}
	return block{h: leading*len(rows) + 6}
}

// drawBody draws the rows of the body that end above limit. Only the words of
// an issuer and the name of a faulty file or device, which come last, can be
// too long; they are cut with an ellipsis.
func (p *page) drawBody(y, limit int) {
	y += 4
	for para := range strings.SplitSeq(p.msg.Body, "\n") {
		rows := font.Wrap(para, (p.w-2*margin)/8)
		fit := max((limit-y)/leading, 0)
		if cut := fit < len(rows); cut && fit > 0 {
			rows = rows[:fit]
			rows[fit-1] = strings.TrimRight(font.Wrap(rows[fit-1], (p.w-2*margin)/8-2)[0], " ,.") + "…"
			para = strings.Join(rows, " ")
		} else if cut {
			return
		}
		for _, r := range rows {
			p.text(margin, y, r, small, ink)
			y += leading
		}
		p.say(para)
	}
}

// next is the step that somebody takes now, behind a pointer in the colour of
// the band.
func (p *page) next() block {
	if strings.HasPrefix(string(p.Note), "F-PRN") && p.severity == prompt.Good {
		return block{} // "take the slip" is not what to do now; the note says it
	}
	rows := font.Wrap(p.msg.Next, (p.w-2*margin-20)/8)
	if len(rows) == 0 {
		return block{}
	}
	fill, _ := band(p.severity)
	return block{leading*len(rows) + 8, func(y int) {
		p.fill(0, y, p.w, y+leading*len(rows)+8, tint)
		p.fill(0, y, 4, y+leading*len(rows)+8, fill)
		for i := range 7 { // the pointer
			p.fill(margin+i, y+7+i, margin+i+1, y+20-i, fill)
		}
		for i, r := range rows {
			p.text(margin+16, y+6+leading*i, r, strong, ink)
		}
		p.say(p.msg.Next)
	}}
}

func (p *page) note() block {
	s := p.noteText()
	rows := font.Wrap(s, (p.w-2*margin)/8)
	if len(rows) == 0 {
		return block{}
	}
	rows = rows[:min(len(rows), 3)]
	h := leading*len(rows) + 6
	return block{h, func(y int) {
		p.fill(0, y, p.w, y+h, noteFill)
		p.fill(0, y, p.w, y+1, amber)
		for i, r := range rows {
			p.text(margin, y+5+leading*i, r, small, noteInk)
		}
		p.say(s)
	}}
}

func (p *page) footer(y int) {
	p.fill(0, y, p.w, y+1, line)
	p.fill(0, y+1, p.w, p.h, white)
	code, right := string(p.Code), ""
	if r := p.rule(); r != "" {
		code += " " + p.label("rule") + r
	}
	switch {
	case p.Input == "choice":
		right = p.msg.Next
		if p.Note != "" { // the codes of both first: whoever is called asks for them
			code += " " + string(p.Note)
			if small.width(code)+small.width(right) > p.w-3*margin {
				right = ""
			}
		}
	case p.Input == "app":
	case p.Page != "":
		right = p.label("key-page")
	case p.Note != "":
		right = string(p.Note)
	case p.Input == "amount" || p.Input == "ack":
		right = p.label("key-lang")
	}
	p.text(margin, y+4, code, small, muted)
	p.text(p.w-margin-small.width(right), y+4, right, small, muted)
	p.say(strings.TrimSpace(code + " " + right))
}

func (p *page) menu(y, foot int) {
	items := p.items()
	y = p.list(items, y+3, min((foot-y-4)/max(len(items), 1), 26))
	if next := p.next(); next.h > 0 && y+next.h <= foot {
		next.draw(foot - next.h)
	}
}

// choice is a question: what it is about, then the answers; the first is what
// enter takes.
func (p *page) choice(y, foot int) {
	items := p.items()
	note := p.note()
	pitch := 22
	top := foot - note.h - pitch*len(items) - 4
	p.drawBody(y, top)
	p.fill(0, top, p.w, top+1, line)
	p.list(items, top+3, pitch)
	if note.h > 0 {
		note.draw(foot - note.h)
	}
}

// list draws numbered items; it gives the y behind them.
func (p *page) list(items []string, y, pitch int) int {
	for i, it := range items {
		on := ink
		if i == p.Sel {
			p.round(4, y, p.w-4, y+pitch-1, chosen)
			on = white
		}
		p.text(margin, y+(pitch-17)/2, it, small, on)
		p.say(it)
		y += pitch
	}
	return y
}
