package screen

// Grid is a QR code: whether each module is dark, row by row.
type Grid [][]bool

// QR codes are drawn with two pixels a module, the least that a telephone reads from glass, and
// four light modules around (ISO/IEC 18004 §9.1).
const (
	module = 2
	quiet  = 4
)

// Modules is the side of the largest code that a page shows; 0: it shows none.
func (s Size) Modules() int {
	if s.Mono {
		return 0
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
