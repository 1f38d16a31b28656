package screen

import (
	"fmt"
	"image/color"
	"strings"
	"testing"

	"rsc.io/qr"

	"swipewell/ui/prompt"
)

// TestGrid: the largest code of a display stands on it whole, light around, and the words beside.
func TestGrid(t *testing.T) {
	for _, size := range sizes {
		side := 17 + (size.Modules()-17)/4*4
		var code *qr.Code
		for n := 20; n < 1300; n++ {
			c, err := qr.Encode(strings.Repeat("SWQ1.0A:", n)[:n], qr.L)
			if err != nil {
				t.Fatal(err)
			}
			if c.Size > side {
				break
			}
			code = c
		}
		if code == nil || code.Size != side {
			t.Fatalf("%v: no code of %d modules", size, side)
		}
		g := make(Grid, side)
		for y := range g {
			g[y] = make([]bool, side)
			for x := range g[y] {
				g[y][x] = code.Black(x, y)
			}
		}
		for _, lang := range langs {
			page := map[Lang]string{ZH: "1/16\n扫描后按\n数字键", EN: "1/16\nScan,\nkey 0-9"}[lang]
			f := Render(View{Code: prompt.PageLog, Input: "page", Page: page, Grid: &g, Lang: lang, Status: onAir}, size)
			name := fmt.Sprintf("grid-%s-%dx%d", lang, size.W, size.H)
			t.Run(name, func(t *testing.T) {
				goldenPicture(t, name, f.Image)
				px := module
				if size.Mono {
					px = 1
				}
				isDark := func(x, y int) bool {
					return color.GrayModel.Convert(f.Image.At(x, y)).(color.Gray).Y < 0x80
				}
				y0 := -1
				for y := 0; y < size.H && y0 < 0; y++ { // the first row of a finder, seven modules wide
					run := true
					for m := range 7 {
						run = run && isDark((quiet+m)*px, y)
					}
					if run && !isDark((quiet-1)*px, y) && !isDark((quiet+7)*px, y) {
						y0 = y
					}
				}
				if y0 < 0 {
					t.Fatal("no finder")
				}
				for y := range side + quiet {
					for x := range side + 2*quiet {
						in := x >= quiet && x < side+quiet && y < side
						if want := in && g[min(y, side-1)][min(max(x-quiet, 0), side-1)]; isDark(x*px, y0+y*px) != want && y0+y*px < size.H {
							t.Fatalf("module %d,%d: dark %v", x-quiet, y, !want)
						}
					}
				}
				for _, w := range append(strings.Fields(page), string(prompt.PageLog)) {
					if !strings.Contains(strings.Join(f.Lines, " "), w) {
						t.Errorf("%q is not in %q", w, f.Lines)
					}
				}
			})
		}
	}
}
