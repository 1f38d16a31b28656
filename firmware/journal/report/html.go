package report

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
	"time"

	"swipewell/firmware/pos"
)

// style of the page: one file, both schemes of colour.
const style = `:root{color-scheme:light dark;--bg:#fcfcfb;--card:#fff;--ink:#1b1b19;--dim:#63625c;--line:#e4e3de;--a:#2a6fbb;--b:#d9730d;--soft:#b9d3ee}
@media(prefers-color-scheme:dark){:root{--bg:#161615;--card:#1f1f1d;--ink:#ecebe6;--dim:#a3a199;--line:#383733;--a:#6aa9ea;--b:#f0954a;--soft:#2c4a68}}
*{box-sizing:border-box}body{margin:0;padding:28px 20px 40px;background:var(--bg);color:var(--ink);font:14px/1.45 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif}
main{max-width:1120px;margin:0 auto}h1{font-size:22px;margin:0 0 2px}h2{font-size:15px;margin:0}p{margin:0;color:var(--dim)}
.tiles{display:flex;flex-wrap:wrap;gap:12px;margin:18px 0}.tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 16px;min-width:132px}
.tile b{display:block;font-size:22px;font-weight:600;font-variant-numeric:tabular-nums}.tile span{color:var(--dim);font-size:12.5px}
.grid{columns:2 430px;column-gap:14px}
section{break-inside:avoid;margin-bottom:14px;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px}section p{font-size:12.5px;margin-bottom:8px}
svg{display:block;width:100%;height:auto;font-size:12px}text{fill:var(--ink)}.d{fill:var(--dim)}.g{stroke:var(--line)}.a{fill:var(--a)}.b{fill:var(--b)}.s{fill:var(--soft)}.l{stroke:var(--a);stroke-width:2;fill:none}.m{stroke:var(--ink);stroke-width:2}
.key i{display:inline-block;width:10px;height:10px;border-radius:2px;margin:0 5px 0 12px}.key i:first-child{margin-left:0}`

const width, left, right = 520, 118, 56

// page writes the file.
type page struct {
	w    io.Writer
	r    *Report
	lang string
	err  error
}

func (p *page) put(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *page) word(key string) string { return html.EscapeString(word(p.lang, key)) }

// HTML writes the report as one file. name is what it is of: a terminal, a file.
func (r *Report) HTML(w io.Writer, lang, name string) error {
	p := &page{w: w, r: r, lang: lang}
	zone := r.Zone
	if zone == nil {
		zone = pos.CST
	}
	p.put("<!doctype html>\n<html lang=%q><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>%s</title>\n<style>%s</style></head><body><main>\n",
		lang, p.word("title"), style)
	p.put("<h1>%s</h1><p>%s &nbsp; %s – %s &nbsp; %d %s</p>\n", p.word("title"), html.EscapeString(name), r.From.In(zone).Format("2006-01-02 15:04"), r.To.In(zone).Format("2006-01-02 15:04"),
		r.Entries, p.word("entries"))
	stops := 0
	for _, n := range r.stops {
		stops += n
	}
	share := "–"
	if r.payments > 0 {
		share = fmt.Sprintf("%.0f %%", 100*float64(r.approved)/float64(r.payments))
	}
	wait := "–"
	if _, mid, _, most := spread(r.stages["wait"]); most > 0 {
		wait = short(mid)
	}
	p.put("<div class=tiles>")
	for _, x := range [][2]string{{fmt.Sprint(r.payments), "payments"}, {share, "approved"}, {fmt.Sprint(r.unknown), "unknown"}, {fmt.Sprint(stops), "stopped"}, {wait, "wait50"}} {
		p.put("<div class=tile><b>%s</b><span>%s</span></div>", x[0], p.word(x[1]))
	}
	p.put("</div><div class=grid>\n")
	p.section("stages", p.stages)
	p.section("signal", p.signal)
	p.section("declines", func() { p.bars(ranked(r.classes), "a") })
	p.section("swipes", p.swipes)
	p.section("readers", func() { p.bars(ranked(r.readers), "b") })
	p.section("queue", func() { p.queue(zone) })
	p.put("</div></main></body></html>\n")
	return p.err
}

func (p *page) section(key string, draw func()) {
	p.put("<section><h2>%s</h2><p>%s</p>", p.word(key), p.word(key+"-sub"))
	draw()
	p.put("</section>\n")
}

func (p *page) none() { p.put("<p>%s</p>", p.word("none")) }

func (p *page) svg(height int) {
	p.put("<svg viewBox=\"0 0 %d %d\" role=img>", width, height)
}

// short is a length of time in three digits.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

// stages: a bar from the tenth to nine tenths for each, on a logarithmic axis.
func (p *page) stages() {
	var keys []string
	for _, k := range stageOrder {
		if len(p.r.stages[k]) > 0 {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		p.none()
		return
	}
	const rowH, lo, hi = 24, -3.0, 2.0 // 1 ms to 100 s
	x := func(d time.Duration) float64 {
		v := math.Log10(max(d.Seconds(), 1e-3))
		return left + (min(max(v, lo), hi)-lo)/(hi-lo)*(width-left-right-14)
	}
	h := len(keys)*rowH + 24
	p.svg(h)
	for e, name := range []string{"1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s"} {
		at := x(time.Duration(math.Pow10(e) * 1e6))
		p.put("<line class=g x1=%.1f x2=%.1f y1=0 y2=%d /><text class=d x=%.1f y=%d text-anchor=middle>%s</text>", at, at, h-18, at, h-4, name)
	}
	for i, k := range keys {
		p10, p50, p90, most := spread(p.r.stages[k])
		y := i * rowH
		p.put("<g><title>%s: 10 %% %s, %s %s, 90 %% %s, %s %s, %d</title>", p.word(k), short(p10), p.word("median"), short(p50), short(p90), p.word("most"), short(most), len(p.r.stages[k]))
		p.put("<text x=%d y=%d text-anchor=end>%s</text>", left-10, y+16, p.word(k))
		p.put("<rect class=s x=%.1f y=%d width=%.1f height=12 rx=3 /><line class=m x1=%.1f x2=%.1f y1=%d y2=%d />", x(p10), y+6, max(x(p90)-x(p10), 3), x(p50), x(p50), y+4, y+20)
		p.put("<circle class=d cx=%.1f cy=%d r=2.5 /><text class=d x=%d y=%d text-anchor=end>%s</text></g>", x(most), y+12, width-2, y+16, short(p50))
	}
	p.put("</svg>")
}

// hours draws the axis of a day under a plot of height h, which begins at x0.
func (p *page) hours(x func(h float64) float64, h int) {
	for t := 0; t <= 24; t += 4 {
		p.put("<text class=d x=%.1f y=%d text-anchor=middle>%02d</text>", x(float64(t)), h+16, t)
	}
}

// level draws a line of the grid with its number.
func (p *page) level(y float64, x0, x1 float64, text string) {
	p.put("<line class=g x1=%.1f x2=%.1f y1=%.1f y2=%.1f /><text class=d x=%.1f y=%.1f text-anchor=end>%s</text>", x0, x1, y, y, x0-6, y+4, text)
}

// plot is the inside of a plot with an axis at its left.
const plotX, plotH, plotW = 34.0, 150, width - 44.0

func dayX(h float64) float64 { return plotX + h/24*plotW }

// signal: each hour a bar from the lowest to the highest, and the median.
func (p *page) signal() {
	low, mid, high := p.r.signals()
	any := false
	for _, m := range mid {
		any = any || m >= 0
	}
	if !any {
		p.none()
		return
	}
	y := func(v int) float64 { return 8 + (plotH-8)*(1-float64(v)/31) }
	p.svg(plotH + 22)
	for _, v := range []int{0, 10, 20, 31} {
		p.level(y(v), plotX, plotX+plotW, fmt.Sprint(v))
	}
	for h := range mid {
		if mid[h] < 0 {
			continue
		}
		a, w := dayX(float64(h))+3, plotW/24-6
		p.put("<g><title>%02d:00 CSQ %d, %d, %d</title><rect class=s x=%.1f y=%.1f width=%.1f height=%.1f rx=3 /><line class=m x1=%.1f x2=%.1f y1=%.1f y2=%.1f /></g>",
			h, low[h], mid[h], high[h], a, y(high[h])-2, w, y(low[h])-y(high[h])+4, a, a+w, y(mid[h]), y(mid[h]))
	}
	p.hours(dayX, plotH)
	p.put("</svg>")
}

// bars lists kinds by how often.
func (p *page) bars(rows []row, class string) {
	if len(rows) == 0 {
		p.none()
		return
	}
	const rowH = 24
	p.svg(len(rows)*rowH + 4)
	for i, x := range rows {
		y, w := i*rowH, float64(width-left-right)*float64(x.n)/float64(rows[0].n)
		p.put("<text x=%d y=%d text-anchor=end>%s</text><rect class=%s x=%d y=%d width=%.1f height=14 rx=3 /><text class=d x=%.1f y=%d>%d</text>",
			left-10, y+16, html.EscapeString(x.name), class, left, y+5, max(w, 3), left+max(w, 3)+6, y+16, x.n)
	}
	p.put("</svg>")
}

// nice is the least of 1, 2, 5, 10 … that is not below n.
func nice(n int) int {
	for step := 1; ; step *= 10 {
		for _, k := range []int{1, 2, 5} {
			if k*step >= n {
				return k * step
			}
		}
	}
}

// swipes: two bars an hour.
func (p *page) swipes() {
	most := 0
	for h := range p.r.swipes {
		most = max(most, p.r.swipes[h], p.r.stops[h])
	}
	if most == 0 {
		p.none()
		return
	}
	p.put("<p class=key><i style=\"background:var(--a)\"></i>%s<i style=\"background:var(--b)\"></i>%s</p>", p.word("swiped"), p.word("stop"))
	top := nice(most)
	y := func(v int) float64 { return 8 + (plotH-8)*(1-float64(v)/float64(top)) }
	p.svg(plotH + 22)
	p.level(y(0), plotX, plotX+plotW, "0")
	p.level(y(top), plotX, plotX+plotW, fmt.Sprint(top))
	if top%2 == 0 {
		p.level(y(top/2), plotX, plotX+plotW, fmt.Sprint(top/2))
	}
	w := plotW/24/2 - 3
	for h := range p.r.swipes {
		for i, n := range []int{p.r.swipes[h], p.r.stops[h]} {
			if n > 0 {
				p.put("<rect class=%s x=%.1f y=%.1f width=%.1f height=%.1f rx=2><title>%02d:00 %d</title></rect>", [...]string{"a", "b"}[i], dayX(float64(h))+2+float64(i)*(w+2), y(n), w, y(0)-y(n), h, n)
			}
		}
	}
	p.hours(dayX, plotH)
	p.put("</svg>")
}

// queue: steps over the time of the log; between two messages it is as it was.
func (p *page) queue(zone *time.Location) {
	const n = 120
	if len(p.r.queue) == 0 {
		p.none()
		return
	}
	ds, most := p.r.depths(n), 0
	for _, d := range ds {
		most = max(most, d)
	}
	top := nice(max(most, 2))
	y := func(v int) float64 { return 8 + (plotH-8)*(1-float64(v)/float64(top)) }
	p.svg(plotH + 22)
	p.level(y(0), plotX, plotX+plotW, "0")
	p.level(y(top), plotX, plotX+plotW, fmt.Sprint(top))
	var b strings.Builder
	last := 0
	for i, d := range ds {
		if d >= 0 {
			last = d
		}
		a := plotX + float64(i)/n*plotW
		fmt.Fprintf(&b, "%c%.1f %.1fH%.1f", "ML"[min(i, 1)], a, y(last), a+plotW/n)
	}
	p.put("<path class=l d=\"%s\"/>", b.String())
	form := "15:04"
	if p.r.To.Sub(p.r.From) > 36*time.Hour {
		form = "01-02 15:04"
	}
	for i := range 5 {
		at := p.r.From.Add(time.Duration(i) * p.r.To.Sub(p.r.From) / 4)
		p.put("<text class=d x=%.1f y=%d text-anchor=%s>%s</text>", plotX+float64(i)/4*plotW, plotH+16, [...]string{"start", "middle", "middle", "middle", "end"}[i], at.In(zone).Format(form))
	}
	p.put("</svg>")
}
