package report

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// sparks are the eighths of a cell.
var sparks = []rune("▁▂▃▄▅▆▇█")

// spark is a row of cells, one a value; below 0 there is none.
func spark(vs []int, top int) string {
	var b strings.Builder
	for _, v := range vs {
		switch {
		case v < 0:
			b.WriteByte(' ')
		case v == 0:
			b.WriteRune('·')
		default:
			b.WriteRune(sparks[min((v*len(sparks)-1)/max(top, 1), len(sparks)-1)])
		}
	}
	return b.String()
}

// cells is a bar of n of top.
func cells(n, top, width int) string { return strings.Repeat("█", max(1, n*width/max(top, 1))) }

func pad(s string, n int) string {
	cols := 0
	for _, r := range s {
		if cols++; r >= 0x2e80 {
			cols++
		}
	}
	return s + strings.Repeat(" ", max(n-cols, 0))
}

// Text writes the plots for a terminal of eighty columns.
func (r *Report) Text(w io.Writer, lang string) {
	head := func(key string) { fmt.Fprintf(w, "%s  (%s)\n", word(lang, key), word(lang, key+"-sub")) }
	none := func() { fmt.Fprintln(w, "  "+word(lang, "none")) }

	fmt.Fprintf(w, "%s  (10 %%, %s, 90 %%, %s, n)\n", word(lang, "stages"), word(lang, "median"), word(lang, "most"))
	longest := time.Duration(0)
	for _, l := range r.stages {
		_, p50, _, _ := spread(l)
		longest = max(longest, p50)
	}
	if longest == 0 {
		none()
	}
	for _, k := range stageOrder {
		if l := r.stages[k]; len(l) > 0 {
			p10, p50, p90, most := spread(l)
			fmt.Fprintf(w, "  %s%9s %9s %9s %9s %5d  %s\n", pad(word(lang, k), 14), short(p10), short(p50), short(p90), short(most), len(l),
				strings.TrimRight(cells(int(p50/time.Microsecond), int(longest/time.Microsecond), 16), " "))
		}
	}
	const axis = "  0     6     12    18"
	line := func(name string, vs []int, top int) {
		fmt.Fprintf(w, "  %s  %s %d\n", spark(vs, top), name, top)
	}
	_, mid, _ := r.signals()
	head("signal")
	line("31 =", mid[:], 31)
	fmt.Fprintln(w, axis)
	head("swipes")
	top := 0
	for h := range r.swipes {
		top = max(top, r.swipes[h], r.stops[h])
	}
	line(word(lang, "swiped"), r.swipes[:], top)
	line(word(lang, "stop"), r.stops[:], top)
	fmt.Fprintln(w, axis)
	for _, x := range []struct {
		key  string
		rows []row
	}{{"declines", ranked(r.classes)}, {"readers", ranked(r.readers)}} {
		head(x.key)
		if len(x.rows) == 0 {
			none()
		}
		for _, y := range x.rows {
			fmt.Fprintf(w, "  %s%5d  %s\n", pad(y.name, 20), y.n, cells(y.n, x.rows[0].n, 40))
		}
	}
	head("queue")
	ds, deepest, last := r.depths(60), 0, 0
	for i, d := range ds {
		if d < 0 {
			ds[i] = last
		}
		last = ds[i]
		deepest = max(deepest, last)
	}
	line("", ds, deepest)
}
