package screen

import (
	"encoding/binary"
	"image"
	"math/bits"

	"swipewell/ui/font"
)

// canvas is a picture of palette indices, one byte a pixel.
type canvas struct {
	w, h    int
	pix     []uint8
	clipped bool // a glyph did not lie on the canvas whole: a fault of the layout
}

func newCanvas(w, h int) *canvas { return &canvas{w: w, h: h, pix: make([]uint8, w*h)} }

// fill paints x0 ≤ x < x1, y0 ≤ y < y1, as far as it lies on the canvas.
//
//go:noinline
func (c *canvas) fill(x0, y0, x1, y1 int, ink uint8) {
	x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, c.w), min(y1, c.h)
	if x0 >= x1 {
		return
	}
	for y := y0; y < y1; y++ {
		row := c.pix[y*c.w+x0 : y*c.w+x1]
		for i := range row {
			row[i] = ink
		}
	}
}

// round is fill with its four corners taken off.
func (c *canvas) round(x0, y0, x1, y1 int, ink uint8) {
	c.fill(x0+2, y0, x1-2, y0+1, ink)
	c.fill(x0+1, y0+1, x1-1, y0+2, ink)
	c.fill(x0, y0+2, x1, y1-2, ink)
	c.fill(x0+1, y1-2, x1-1, y1-1, ink)
	c.fill(x0+2, y1-1, x1-2, y1, ink)
}

// style of a text: how many pixels a pixel of the font becomes (1, 2, 3), and
// how many further pixels its strokes are widened by.
type style struct{ scale, bold int }

var (
	small  = style{1, 0}
	strong = style{1, 1}
	title  = style{2, 1}
	huge   = style{3, 2}
)

// text draws s with its upper left corner at x, y and gives the x behind it.
func (c *canvas) text(x, y int, s string, st style, ink uint8) int {
	for _, r := range s {
		g, _ := font.Lookup(r)
		c.glyph(x, y, &g, st, ink)
		x += g.Width * st.scale
	}
	return x
}

// width of s in pixels.
func (st style) width(s string) int { return font.Columns(s) * 8 * st.scale }

func (c *canvas) glyph(x, y int, g *font.Glyph, st style, ink uint8) {
	rows := g.Scaled(st.scale)
	c.clipped = c.clipped || x < 0 || y < 0 || x+g.Width*st.scale > c.w || y+font.Height*st.scale > c.h
	n := font.Height * st.scale
	for i := range n {
		row := rows[i]
		for b := st.bold; b > 0; b-- {
			row |= row >> 1
		}
		if row == 0 || y+i < 0 || y+i >= c.h {
			continue
		}
		line := c.pix[(y+i)*c.w : (y+i+1)*c.w]
		for row != 0 {
			at := bits.LeadingZeros64(row)
			if px := x + at; px >= 0 && px < c.w {
				line[px] = ink
			}
			row &^= 1 << (63 - at)
		}
	}
}

// rgba is the picture in the colours of the palette.
func (c *canvas) rgba() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, c.w, c.h))
	for i, ink := range c.pix {
		binary.BigEndian.PutUint32(img.Pix[4*i:], palette[ink&15])
	}
	return img
}

// gray is the picture with every ink but 0 lit.
func (c *canvas) gray() *image.Gray {
	img := image.NewGray(image.Rect(0, 0, c.w, c.h))
	for i, ink := range c.pix {
		if ink != 0 {
			img.Pix[i] = 0xFF
		}
	}
	return img
}
