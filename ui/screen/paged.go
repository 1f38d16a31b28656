package screen

import (
	"strings"

	"swipewell/ui/font"
)

// pageRows are the lines of a page, wrapped to so many columns.
func pageRows(text string, cols int) (out []string) {
	for para := range strings.SplitSeq(text, "\n") {
		rows := font.Wrap(para, cols)
		if len(rows) == 0 {
			rows = []string{""}
		}
		out = append(out, rows...)
	}
	return out
}

// visible is how many lines of a page a display shows, and how wide they are.
func (s Size) visible() (rows, cols int) {
	if s.Mono {
		return monoRows, s.W / 8
	}
	return (s.H - statusH - footerH - 31) / leading, (s.W - 2*margin) / 8
}

// Scroll is how far a page can be scrolled: its lines less those that show.
func (s Size) Scroll(text string) int {
	rows, cols := s.visible()
	return max(len(pageRows(text, cols))-rows, 0)
}

// paged draws a page, and a bar where there is more of it.
func (p *page) paged(y, foot int) {
	if p.Help && p.Guide {
		y = p.pictures(y)
	}
	rows := pageRows(p.Page, (p.w-2*margin)/8)
	fit := max((foot-y-6)/leading, 1)
	top := min(max(p.Line, 0), max(len(rows)-fit, 0))
	at := y + 5
	for _, r := range rows[top:min(top+fit, len(rows))] {
		p.text(margin, at, r, small, ink)
		p.say(r)
		at += leading
	}
	if len(rows) > fit {
		h := foot - y - 8
		from := y + 4 + h*top/len(rows)
		p.fill(p.w-6, y+4, p.w-3, foot-4, line)
		p.fill(p.w-6, from, p.w-3, from+max(h*fit/len(rows), 8), muted)
	}
}

// monoPage shows three lines of a page.
func (p *page) monoPage() {
	rows := pageRows(p.Page, p.w/8)
	top := min(max(p.Line, 0), max(len(rows)-monoRows, 0))
	y := barH
	for _, r := range rows[top:min(top+monoRows, len(rows))] {
		p.text(0, y, r, small, lit)
		p.say(r)
		y += 16
	}
}

// monoChoice is a question in three rows: what, when, and the answer that is
// chosen; up and down go through them.
func (p *page) monoChoice() {
	words := p.msg.Small
	if words == "" {
		words = p.msg.Title
	}
	y := barH
	for i, para := range strings.Split(words, "\n") {
		if i == monoRows-1 {
			break
		}
		row := font.WrapTitle(para, p.w/8)[0]
		p.text(0, y, row, small, lit)
		p.say(row)
		y += 16
	}
	items := p.items()
	y = barH + 32
	p.fill(0, y, p.w, y+16, lit)
	at := min(max(p.Sel, 0), len(items)-1)
	p.text(0, y, font.WrapTitle(items[at], p.w/8)[0], small, dark)
	for _, it := range items {
		p.say(it)
	}
}

// pictures are the three steps of a sale: keys, card, slip. THROTTLE §1 C12.
func (p *page) pictures(y int) int {
	const h, w = 62, 84
	gap := (p.w - 3*w) / 4
	for i := range 3 {
		x := gap + i*(w+gap)
		p.round(x, y+4, x+w, y+h, line)
		p.round(x+1, y+5, x+w-1, y+h-1, white)
		cx, cy := x+w/2, y+30
		switch i {
		case 0: // a keypad
			for r := range 3 {
				for c := range 3 {
					p.fill(cx-22+16*c, cy-18+13*r, cx-10+16*c, cy-9+13*r, blue)
				}
			}
		case 1: // a card through a slot
			p.fill(cx-30, cy+8, cx+30, cy+18, muted)
			p.round(cx-20, cy-20, cx+20, cy+8, blue)
			p.fill(cx-20, cy-13, cx+20, cy-7, ink)
			for k := range 7 { // which way
				p.fill(cx+24+k, cy-6+k-3, cx+25+k, cy-6-k+10, green)
			}
		case 2: // a slip with a tick
			p.fill(cx-14, cy-20, cx+14, cy+18, paper)
			p.fill(cx-14, cy-20, cx-13, cy+18, muted)
			p.fill(cx+13, cy-20, cx+14, cy+18, muted)
			for k := range 3 {
				p.fill(cx-9, cy-14+6*k, cx+9, cy-12+6*k, muted)
			}
			for k := range 5 {
				p.fill(cx-8+k, cy+6+k, cx-5+k, cy+8+k, green)
			}
			for k := range 9 {
				p.fill(cx-4+k, cy+10-k, cx-1+k, cy+12-k, green)
			}
		}
		p.text(x+4, y+6, string(rune('1'+i)), strong, ink)
	}
	return y + h + 2
}
