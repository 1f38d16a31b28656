package font

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// rows reads the list of the standard: characters by row (qu).
func rows(t testing.TB) map[int][]rune {
	t.Helper()
	f, err := os.Open("gb2312.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[int][]rune{}
	for in := bufio.NewScanner(f); in.Scan(); {
		no, cells, ok := strings.Cut(in.Text(), " ")
		if n, err := strconv.Atoi(no); ok && err == nil {
			out[n] = []rune(cells)
		}
	}
	return out
}

// TestListIsTheStandard holds the list to what GB2312 says of itself: 682
// symbols, 3755 hanzi of level 1, 3008 of level 2, and some cells known by
// heart.
func TestListIsTheStandard(t *testing.T) {
	list := rows(t)
	count := func(from, to int) (n int) {
		seen := map[rune]bool{}
		for r := from; r <= to; r++ {
			for _, c := range list[r] {
				if c != ' ' && !seen[c] {
					seen[c] = true
					n++
				}
			}
		}
		return n
	}
	for _, c := range []struct{ from, to, want int }{{1, 9, 682}, {16, 55, 3755}, {56, 87, 3008}, {10, 15, 0}, {88, 94, 0}} {
		if got := count(c.from, c.to); got != c.want {
			t.Errorf("rows %d–%d hold %d characters, want %d", c.from, c.to, got, c.want)
		}
	}
	for _, c := range []struct {
		row, cell int
		want      rune
	}{{16, 1, '啊'}, {54, 48, '中'}, {25, 90, '国'}, {55, 89, '座'}, {56, 1, '亍'}, {87, 94, '齄'}, {3, 16, '０'}, {1, 2, '、'}, {9, 4, '─'}} {
		if got := list[c.row][c.cell-1]; got != c.want {
			t.Errorf("cell %02d-%02d is %c, want %c", c.row, c.cell, got, c.want)
		}
	}
}

// TestCoversGB2312: each character has ink (save the space) and is 16 wide.
func TestCoversGB2312(t *testing.T) {
	n := 0
	for _, row := range rows(t) {
		for _, r := range row {
			if r == ' ' {
				continue
			}
			n++
			g, ok := Lookup(r)
			if !ok || g.Width != 16 || RuneColumns(r) != 2 {
				t.Errorf("%c U+%04X: found %v, width %d, columns %d", r, r, ok, g.Width, RuneColumns(r))
			}
			if blank := g.Rows == [Height]uint16{}; blank != (r == '\u3000') {
				t.Errorf("U+%04X: blank = %v", r, blank)
			}
		}
	}
	if n != 7445 {
		t.Errorf("%d characters, want 7445", n)
	}
}

// TestGlyphsDiffer: no two hanzi share a picture, so none stands for another.
func TestGlyphsDiffer(t *testing.T) {
	seen := map[[Height]uint16]rune{}
	for no, row := range rows(t) {
		if no < 16 {
			continue
		}
		for _, r := range row {
			g, _ := Lookup(r)
			if old, ok := seen[g.Rows]; ok && old != r {
				t.Errorf("%c and %c look the same", old, r)
			}
			seen[g.Rows] = r
		}
	}
}

func TestASCII(t *testing.T) {
	for r := ' '; r < 0x7F; r++ {
		g, ok := Lookup(r)
		if !ok || g.Width != 8 || RuneColumns(r) != 1 || (g.Rows == [Height]uint16{}) != (r == ' ') {
			t.Errorf("%q: found %v, width %d", r, ok, g.Width)
		}
		for _, row := range g.Rows {
			if row&0xFF != 0 {
				t.Errorf("%q is wider than 8", r)
			}
		}
	}
	for _, r := range "¥…—·€▶✓" {
		if !Has(r) {
			t.Errorf("%c is missing", r)
		}
	}
}

func TestAbsent(t *testing.T) {
	for _, r := range []rune{0, '\n', 0x1F600, 0xFFFF, -1, 'ក'} {
		if g, ok := Lookup(r); ok || Has(r) || g.Rows == [Height]uint16{} {
			t.Errorf("U+%04X: found %v", r, ok)
		}
	}
}

func TestLicenceIsBeside(t *testing.T) {
	b, err := os.ReadFile("LICENSE.unifont")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []string{"GNU Unifont", "SIL OPEN FONT LICENSE", "Version 1.1", "Paul Hardy", "Qianqian Fang"} {
		if !strings.Contains(string(b), w) {
			t.Errorf("the licence lacks %q", w)
		}
	}
}

// TestWrap: nothing is lost but blanks, and no row is too wide.
func TestWrap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.SampledFrom([]rune("ab ,。请勿重刷(12)\n"))).Draw(t, "s")
		cols := rapid.IntRange(2, 40).Draw(t, "cols")
		got := Wrap(s, cols)
		for _, row := range got {
			if Columns(row) > cols {
				t.Errorf("%q is %d columns wide, not %d", row, Columns(row), cols)
			}
		}
		strip := strings.NewReplacer(" ", "", "\n", "").Replace
		if strip(strings.Join(got, "")) != strip(s) {
			t.Errorf("Wrap(%q, %d) = %q", s, cols, got)
		}
	})
}

func TestWrapCases(t *testing.T) {
	for _, c := range []struct {
		s     string
		cols  int
		want  string
		title bool
	}{
		{"DO NOT SWIPE AGAIN", 16, "DO NOT SWIPE|AGAIN", false},
		{"请勿重刷,请叫主管", 8, "请勿重|刷,请叫|主管", false},
		{"上笔已成功,补打签购单", 16, "上笔已成功,|补打签购单", true},
		{"一\n\n二", 8, "一|二", false},
		{"ABCDEFGH", 4, "ABCD|EFGH", false},
		{"a请。", 3, "a|请|。", false}, // no room for both: the stop must stand somewhere
	} {
		got := Wrap(c.s, c.cols)
		if c.title {
			got = WrapTitle(c.s, c.cols)
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%q in %d columns: %q, want %q", c.s, c.cols, got, c.want)
		}
	}
}

// TestScaled: a full block stays full, an empty one empty, and a scaled glyph
// keeps about its share of ink.
func TestScaled(t *testing.T) {
	for _, r := range "请8测A密" {
		g, _ := Lookup(r)
		ink := func(rows [MaxRows]uint64) (n int) {
			for _, row := range rows {
				for ; row != 0; row &= row - 1 {
					n++
				}
			}
			return n
		}
		one := ink(g.Scaled(1))
		for scale := 2; scale <= 3; scale++ {
			rows := g.Scaled(scale)
			if n := ink(rows); n < one*scale*scale*8/10 || n > one*scale*scale*12/10 {
				t.Errorf("%c ×%d: %d pixels of ink, from %d", r, scale, n, one)
			}
			for y, row := range rows {
				if y >= Height*scale && row != 0 || row<<(g.Width*scale) != 0 {
					t.Errorf("%c ×%d: ink outside of the cell", r, scale)
				}
			}
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	for b.Loop() {
		Lookup('签')
	}
}
