package receipt

import (
	"image"
	"math/bits"
	"strings"

	"swipewell/hal"
	"swipewell/ui/font"
)

// Text is a slip as plain text of [Columns] columns.
func Text(s hal.Slip) string {
	var b strings.Builder
	for _, l := range s.Lines {
		switch {
		case l.Style&hal.StyleRule != 0:
			b.WriteString(strings.Repeat("-", Columns))
		case l.Style&hal.StyleCenter != 0:
			cols := font.Columns(l.Text)
			b.WriteString(strings.Repeat(" ", max(Columns-cols, 0)/2) + l.Text)
		default:
			b.WriteString(strings.TrimRight(l.Text, " "))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// The paper: 58 mm, 384 dots, a column of 12 dots and a line of 24, as the
// common printers of this width have it.
const (
	PaperWidth = 384
	cellW      = PaperWidth / Columns
	cellH      = 24
	lineGap    = 6
	edge       = 16 // white above and below
)

// Image is a slip as paper: black on white, [PaperWidth] pixels wide.
func Image(s hal.Slip) image.Image {
	h := 2 * edge
	for _, l := range s.Lines {
		h += lineHeight(l.Style)
	}
	img := image.NewGray(image.Rect(0, 0, PaperWidth, h))
	for i := range img.Pix {
		img.Pix[i] = 0xFF
	}
	y := edge
	for _, l := range s.Lines {
		drawLine(img, y, l)
		y += lineHeight(l.Style)
	}
	return img
}

func lineHeight(st hal.PrintStyle) int {
	switch {
	case st&hal.StyleRule != 0:
		return 12
	case st&hal.StyleBig != 0:
		return 2*cellH + lineGap
	}
	return cellH + lineGap
}

func drawLine(img *image.Gray, y int, l hal.PrintLine) {
	if l.Style&hal.StyleRule != 0 {
		for x := range PaperWidth {
			if x%6 < 4 {
				img.Pix[(y+5)*img.Stride+x] = 0
				img.Pix[(y+6)*img.Stride+x] = 0
			}
		}
		return
	}
	k := 1
	if l.Style&hal.StyleBig != 0 {
		k = 2
	}
	x := 0
	if l.Style&hal.StyleCenter != 0 {
		x = max(PaperWidth-font.Columns(l.Text)*cellW*k, 0) / 2
	}
	for _, r := range l.Text {
		g, _ := font.Lookup(r)
		drawGlyph(img, x, y, &g, k, l.Style&hal.StyleBold != 0)
		x += g.Width / 8 * cellW * k
	}
}

// drawGlyph draws a glyph of 16 rows in a cell of 24 (or 48): three times its
// size, then the mean of each 2×2 (or the pixels as they are).
func drawGlyph(img *image.Gray, x, y int, g *font.Glyph, k int, bold bool) {
	rows := g.Scaled(3)
	if bold {
		for i := range rows {
			rows[i] |= rows[i]>>1 | rows[i]>>2
		}
	}
	step := 2 / k
	for dy := range font.MaxRows / step {
		for dx := range g.Width * 3 / step {
			n := 0
			for i := range step {
				n += bits.OnesCount64(rows[dy*step+i] << (dx * step) >> (64 - step))
			}
			if n > 0 && x+dx < PaperWidth {
				img.Pix[(y+dy)*img.Stride+x+dx] = uint8(255 - 255*n/(step*step))
			}
		}
	}
}
