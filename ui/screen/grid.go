package screen

import "strings"

// Grid is a QR code: whether each module is dark, row by row.
type Grid [][]bool

// QR codes are drawn with two pixels a module on a colour display, whose pixels are about 0.15 mm wide,
// and with one on a one-bit display, whose pixels are about 0.4 mm; with four light modules around
// (ISO/IEC 18004 §9.1).
const (
	module = 2
	quiet  = 4
)

// Modules is the side of the largest code that a page shows; 0: it shows none.
func (s Size) Modules() int {
	if s.Mono {
		return max(min(s.H, s.W/2)-2*quiet, 0)
	}
	return max(min(s.H-statusH-footerH-gridTitle, s.W/2)/module-2*quiet, 0)
}

// gridTitle is what a title takes above a code.
const gridTitle = 31

// grid draws a code on the left and what is said of it beside.
func (p *page) grid(y, foot int) {
	side := (len(*p.Grid) + 2*quiet) * module
	p.fill(0, y, p.w, foot, white)
	for r, row := range *p.Grid {
		for c, dark := range row {
			if dark {
				x, y := (c+quiet)*module, y+(r+quiet)*module
				p.fill(x, y, x+module, y+module, ink)
			}
		}
	}
	at := y + 8
	for _, row := range pageRows(p.Page, max(p.w-side-margin, 16)/8) {
		p.text(side, at, row, small, ink)
		at += leading
	}
	p.say(p.Page)
}

// monoGrid draws a code over the height of a one-bit display, light modules lit, and beside it what
// the bars and the page say.
func (p *page) monoGrid() {
	side := len(*p.Grid) + 2*quiet
	p.fill(0, 0, side, p.h, lit)
	top := (p.h - len(*p.Grid)) / 2
	for r, row := range *p.Grid {
		for c, on := range row {
			if on {
				p.fill(c+quiet, top+r, c+quiet+1, top+r+1, dark)
			}
		}
	}
	x := side + 3
	var words []string
	mark := func(sign, label string) {
		p.fill(x, 0, x+26, 8, lit)
		p.tiny(x+2, 0, sign, dark)
		words = append(words, p.label(label))
		x += 29
	}
	if p.Status.Bench {
		mark("TEST", "bench")
	}
	if p.Status.Train {
		mark("DEMO", "train")
	}
	p.say(strings.Join(words, " "))
	y := barH
	for _, row := range pageRows(p.Page, (p.w-side-3)/8) {
		if y+16 > p.h-barH {
			break
		}
		p.text(side+3, y, row, small, lit)
		p.say(row)
		y += 16
	}
	p.tiny(side+3, p.h-barH+1, string(p.Code), lit)
	p.say(string(p.Code))
}
