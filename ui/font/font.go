// Package font is the one strike of all screens and slips: 16 pixels high,
// ASCII and Latin 8 wide, everything of GB 2312 16 wide. Printer paper counts
// the same way, so [Columns] serves both.
//
// Sources, cited by short name:
//   - UNIFONT: GNU Unifont 15, unifont.hex; licence in LICENSE.unifont
//   - GB2312: GB 2312-80, the list in gb2312.txt
package font

//go:generate go run gen/main.go

import _ "embed"

// Height of every glyph, in pixels.
const Height = 16

//go:embed unifont.bin
var file string // a string: it stays in the binary's read-only pages

// Head of unifont.bin, see gen/main.go.
const headSize = 4 + 8 + 2 + 2

var (
	narrowN = int(file[12])<<8 | int(file[13])
	wideN   = int(file[14])<<8 | int(file[15])
	bits    = headSize + 2*(narrowN+wideN) // where the glyphs begin
)

// Glyph is one character: rows from the top; in a row the leftmost pixel is
// bit 15. A narrow glyph uses bits 15..8.
type Glyph struct {
	Rows  [Height]uint16
	Width int // 8 or 16
}

// Lookup gives the glyph of r. A character that the font lacks is drawn as an
// empty box of its width, and ok is false.
func Lookup(r rune) (g Glyph, ok bool) {
	if i, found := search(r, 0, narrowN); found {
		at := bits + i*Height
		for y := range g.Rows {
			g.Rows[y] = uint16(file[at+y]) << 8
		}
		g.Width = 8
		return g, true
	}
	if i, found := search(r, narrowN, narrowN+wideN); found {
		at := bits + narrowN*Height + (i-narrowN)*2*Height
		for y := range g.Rows {
			g.Rows[y] = uint16(file[at+2*y])<<8 | uint16(file[at+2*y+1])
		}
		g.Width = 16
		return g, true
	}
	return box, false
}

// Has tells whether the font draws r.
func Has(r rune) bool {
	if _, ok := search(r, 0, narrowN); ok {
		return true
	}
	_, ok := search(r, narrowN, narrowN+wideN)
	return ok
}

// box stands for a character that is not there.
var box = func() Glyph {
	g := Glyph{Width: 16}
	for y := 1; y < Height-1; y++ {
		g.Rows[y] = 0x4002
	}
	g.Rows[1], g.Rows[Height-2] = 0x7FFE, 0x7FFE
	return g
}()

// search looks for r among the ascending code points lo..hi-1 of the index.
func search(r rune, lo, hi int) (int, bool) {
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		at := headSize + 2*mid
		switch c := rune(file[at])<<8 | rune(file[at+1]); {
		case c == r:
			return mid, true
		case c < r:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return 0, false
}

// RuneColumns is the width of r in half-width columns: 1 or 2.
func RuneColumns(r rune) int {
	if r < 0x7F {
		return 1
	}
	if _, narrow := search(r, 0, narrowN); narrow {
		return 1
	}
	return 2
}

// Columns is the width of s in half-width columns of 8 pixels.
func Columns(s string) int {
	n := 0
	for _, r := range s {
		n += RuneColumns(r)
	}
	return n
}
