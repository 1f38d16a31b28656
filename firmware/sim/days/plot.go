package days

import (
	"fmt"
	"math"
	"strings"
)

// The picture: how many honest purchases are interrupted (a logarithmic axis,
// zero at its left end) against how many accidental repeats come to notice.
const (
	plotW, plotH               = 980, 620
	plotL, plotR, plotT, plotB = 70, 30, 64, 64
	plotMin, plotMax           = 0.02, 400.0 // of 1,000; less than the least stands at it
	letter                     = 6.3         // width of one of a label, about
	small                      = 6.0         // of one of the line below it
)

type mark struct {
	x, y   float64 // of the picture
	label  string
	note   string
	shape  string // SVG, with %[1]f and %[2]f for the place
	strong bool
}

func plotX(per float64) float64 {
	v := math.Log(math.Max(per, plotMin)/plotMin) / math.Log(plotMax/plotMin)
	return plotL + math.Min(v, 1)*(plotW-plotL-plotR)
}

// plotY leaves some room below 0 %, for the labels there.
func plotY(percent float64) float64 {
	return plotH - plotB - (percent-plotLow)/(100-plotLow)*(plotH-plotT-plotB)
}

const plotLow = -7.0

const (
	ourShape    = `<circle cx="%[1]f" cy="%[2]f" r="8" fill="#0b6e4f"/>`
	firmShape   = `<circle cx="%[1]f" cy="%[2]f" r="7" fill="#fff" stroke="#0b6e4f" stroke-width="2.5"/>`
	asksShape   = `<circle cx="%[1]f" cy="%[2]f" r="6" fill="#2b5fa8"/>`
	refuseShape = `<rect x="%[1]f" y="%[2]f" width="11" height="11" transform="translate(-5.5 -5.5)" fill="#b3402a"/>`
)

// Plot draws ours and each peer as an SVG.
func Plot(total Result) string {
	all := total.All()
	ours := total.Per(total.Interrupted())
	marks := []mark{
		{plotX(ours), plotY(Percent(all.Surfaced(), all.Count)), "Swipewell", held(total.Held, total.Reswipes), ourShape, true},
		{plotX(ours), plotY(Percent(all.Surfaced()-all.Shown, all.Count)), "Swipewell, notes not counted", "", firmShape, true},
	}
	for i := range total.Peers {
		p := &total.Peers[i]
		shape := asksShape
		if p.Refuses {
			shape = refuseShape
		}
		n := p.All()
		marks = append(marks, mark{plotX(p.Per(p.Interrupted())), plotY(Percent(n.Surfaced(), n.Count)), p.Name, held(p.Held, p.Reswipes), shape, false})
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="DejaVu Sans, Noto Sans, sans-serif" font-size="12">`+"\n", plotW, plotH)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", plotW, plotH)
	text(&b, plotL, 26, "start", 16, "#111", "Accidental repeats that come to notice, against honest purchases interrupted")
	text(&b, plotL, 45, "start", 12, "#555", fmt.Sprintf("%s honest purchases on %s days, %s accidental repeats, %s re-swipes after a lost answer; simulated traffic, the same for all",
		grouped(total.Payments), grouped(total.Days), grouped(all.Count), grouped(total.Reswipes)))
	axes(&b)
	place(&b, marks)
	legend(&b)
	b.WriteString("</svg>\n")
	return b.String()
}

func held(n, of int) string { return fmt.Sprintf("re-swipes held %.0f %%", Percent(n, of)) }

// grouped is a number with a comma at each thousand.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func text(b *strings.Builder, x, y float64, anchor string, size float64, fill, s string) {
	s = strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(s)
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%.1f" fill="%s">%s</text>`+"\n", x, y, anchor, size, fill, s)
}

func line(b *strings.Builder, x1, y1, x2, y2 float64, style string) {
	fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" %s/>`+"\n", x1, y1, x2, y2, style)
}

func axes(b *strings.Builder) {
	const grid = `stroke="#e4e4e4"`
	for p := 0.0; p <= 100; p += 20 {
		line(b, plotL, plotY(p), plotW-plotR, plotY(p), grid)
		text(b, plotL-8, plotY(p)+4, "end", 12, "#333", fmt.Sprintf("%.0f %%", p))
	}
	for _, v := range []float64{0.05, 0.1, 0.3, 1, 3, 10, 30, 100, 300} {
		line(b, plotX(v), plotY(plotLow), plotX(v), plotY(100), grid)
		text(b, plotX(v), plotY(plotLow)+18, "middle", 12, "#333", fmt.Sprint(v))
	}
	text(b, plotL, plotY(plotLow)+18, "middle", 12, "#333", "0")
	text(b, (plotL+plotW-plotR)/2, plotH-22, "middle", 12, "#333", "honest purchases interrupted, of 1,000 (logarithmic)")
	const goal = `stroke="#0b6e4f" stroke-dasharray="5 4"`
	line(b, plotX(MostAsked), plotY(100), plotX(MostAsked), plotY(plotLow), goal)
	line(b, plotL, plotY(LeastSurfaced), plotW-plotR, plotY(LeastSurfaced), goal)
	text(b, plotX(MostAsked)+5, plotY(14), "start", 11, "#0b6e4f", "goal: questions ≤ 3")
	fmt.Fprintf(b, `<text transform="translate(18 %.1f) rotate(-90)" text-anchor="middle" fill="#333">accidental repeats surfaced</text>`+"\n", plotY(50))
	text(b, plotL+4, plotY(LeastSurfaced)+13, "start", 11, "#0b6e4f", "goal ≥ 97 %")
}

func legend(b *strings.Builder) {
	x, y := float64(plotW-plotR-170), plotY(0)-62
	fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="166" height="56" fill="#fff" stroke="#ccc"/>`+"\n", x, y)
	fmt.Fprintf(b, asksShape+"\n", x+14, y+18)
	text(b, x+26, y+22, "start", 12, "#333", "asks the cashier")
	fmt.Fprintf(b, refuseShape+"\n", x+14, y+40)
	text(b, x+26, y+44, "start", 12, "#333", "refuses")
}

// box is where a label stands.
type box struct{ x, y, w, h float64 }

func (a box) hits(o box) bool {
	return a.x < o.x+o.w && o.x < a.x+a.w && a.y < o.y+o.h && o.y < a.y+a.h
}

// place draws the marks, each with its label at the first side where it covers
// nothing.
func place(b *strings.Builder, marks []mark) {
	var taken []box
	for _, m := range marks {
		taken = append(taken, box{m.x - 8, m.y - 8, 16, 16})
	}
	for k, m := range marks {
		w, h := max(letter*float64(len([]rune(m.label))), small*float64(len([]rune(m.note)))), 28.0
		if m.note == "" {
			h = 14
		}
		sides := []struct {
			at     box
			anchor string
		}{
			{box{m.x + 12, m.y - h/2, w, h}, "start"}, {box{m.x - 12 - w, m.y - h/2, w, h}, "end"},
			{box{m.x - 4, m.y - h - 11, w, h}, "start"}, {box{m.x - 4, m.y + 11, w, h}, "start"},
			{box{m.x + 12, m.y - h - 6, w, h}, "start"}, {box{m.x + 12, m.y + 6, w, h}, "start"},
			{box{m.x - 12 - w, m.y - h - 6, w, h}, "end"}, {box{m.x - 12 - w, m.y + 6, w, h}, "end"},
			{box{m.x + 44, m.y - h - 4, w, h}, "start"}, {box{m.x - 4, m.y - h - 28, w, h}, "start"}, {box{m.x - 4, m.y + 28, w, h}, "start"},
		}
		best := sides[0]
		for _, s := range sides {
			free := s.at.x > plotL && s.at.x+s.at.w < plotW && s.at.y > plotT-18 && s.at.y+s.at.h < plotH-plotB
			for i, t := range taken {
				free = free && (i == k || !s.at.hits(t)) // its own mark may touch it
			}
			if free {
				best = s
				break
			}
		}
		taken = append(taken, best.at)
		x := best.at.x
		if best.anchor == "end" {
			x += best.at.w
		}
		fill := "#222"
		if m.strong {
			fill = "#0b6e4f"
		}
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#fff" fill-opacity="0.85"/>`+"\n", best.at.x-1, best.at.y, w-4, h)
		text(b, x, best.at.y+11, best.anchor, 12, fill, m.label)
		if m.note != "" {
			text(b, x, best.at.y+24, best.anchor, 10.5, "#777", m.note)
		}
	}
	for _, m := range marks { // above every label
		fmt.Fprintf(b, m.shape+"\n", m.x, m.y)
	}
}
