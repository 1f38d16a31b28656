package console

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
	"swipewell/ui/text"
)

// Story is one transaction as a page: what the device knows of it.
type Story struct {
	Entries []journal.Entry
	Sales   []pos.Sale
	Records []pos.Record
}

// whoActs says who can mend what a code says; "" if nobody must.
func whoActs(lang string, c prompt.Code) string {
	e, ok := prompt.Lookup(c)
	if !ok || e.Actor == prompt.Nobody {
		return ""
	}
	return label(lang, "who-"+[...]string{"nobody", "cashier", "customer", "supervisor", "technician", "acquirer"}[e.Actor])
}

// fate is what became of the money, as far as the device knows.
func (s Story) fate(lang string) string {
	if len(s.Records) > 0 {
		r := s.Records[0]
		if r.State == pos.RecordArmed {
			return label(lang, "fate-open")
		}
		return label(lang, "fate-"+string(r.State)) + " (" + label(lang, r.Class.String()) + ")"
	}
	if len(s.Sales) > 0 {
		return label(lang, "fate-booked") + " " + label(lang, "row-"+string(s.Sales[0].State))
	}
	for i := len(s.Entries) - 1; i >= 0; i-- {
		switch e := s.Entries[i]; e.Code {
		case prompt.LogReversed:
			return label(lang, "fate-reversed")
		case prompt.LogDropped:
			return label(lang, "fate-dropped")
		case prompt.LogUnresolved, prompt.LogRefused:
			return label(lang, "fate-unresolved")
		case prompt.LogClosed:
			return label(lang, "fate-closed")
		case prompt.LogOutcome:
			why, _ := e.Get("why").(string)
			if c, ok := prompt.Lookup(prompt.Code(why)); ok && c.Severity == prompt.Good {
				return label(lang, "fate-approved")
			}
			if strings.HasPrefix(why, "D-") {
				return label(lang, "fate-declined") + " " + Explain(lang, prompt.Code(why))
			}
			return label(lang, "fate-outcome") + " " + Explain(lang, prompt.Code(why))
		}
	}
	return label(lang, "fate-unknown")
}

// WriteStory prints one.
func WriteStory(w io.Writer, o Look, id string, s Story) {
	lang := o.Lang
	slices.SortStableFunc(s.Entries, func(a, b journal.Entry) int { return cmp.Compare(a.Seq, b.Seq) })
	if len(s.Entries) > 0 {
		for _, e := range s.Entries {
			if e.Tx != "" {
				id = e.Tx
				break
			}
		}
	}
	fmt.Fprintln(w, label(lang, "story")+" "+id)
	for _, r := range s.Sales {
		WriteItem(w, lang, r)
	}
	for _, r := range s.Records {
		WriteItem(w, lang, r)
	}
	fmt.Fprintln(w, label(lang, "fate")+": "+s.fate(lang))
	var ref journal.Entry
	for i, e := range s.Entries {
		if e.Ref != "" {
			ref = e
			continue
		}
		// Times within a boot are of the clock that never jumps.
		since, step := time.Duration(0), time.Duration(0)
		if first := s.Entries[0]; first.Boot == e.Boot {
			since = e.Up - first.Up
		} else {
			since = e.Logical - first.Logical
		}
		if i > 0 && s.Entries[i-1].Boot == e.Boot {
			step = e.Up - s.Entries[i-1].Up
		}
		mark := ""
		if i > 0 && s.Entries[i-1].Boot != e.Boot {
			mark = "  ── " + label(lang, "story-boot") + " ──\n"
		}
		fmt.Fprint(w, mark)
		line := fmt.Sprintf("  %s  +%8s  %s %s", e.Wall.In(zoneOf(o.Zone)).Format("15:04:05.000"), since.Round(time.Millisecond), pad(string(e.Code), 8), words1(lang, e))
		if t := e.Text(); t != "" {
			line += "  " + t
		}
		if why, ok := e.Get("why").(string); ok {
			if t := text.Get(lang, prompt.Code(why)).Title; t != why && t != "" {
				line += "  (" + text.Format(lang, prompt.Code(why), args(e)).Title + ")"
			}
		}
		if step > time.Second {
			line += "  ← " + step.Round(10*time.Millisecond).String()
		}
		fmt.Fprintln(w, line)
	}
	if n := len(s.Entries); n > 1 && s.Entries[0].Boot == s.Entries[n-1].Boot {
		fmt.Fprintf(w, "%s: %s\n", label(lang, "story-took"), (s.Entries[n-1].Up - s.Entries[0].Up).Round(time.Millisecond))
	}
	if ref.Ref != "" {
		fmt.Fprintf(w, "%s: %s\n", label(lang, "story-card"), ref.Ref)
	}
}

func zoneOf(z *time.Location) *time.Location {
	if z == nil {
		return pos.CST
	}
	return z
}

// Top counts what fails.
type Top struct {
	codes, causes, sources map[string]int
	hours                  [24]int
	n, seen                int
}

// Add takes an entry; what fails is what is grave, and each outcome that is not good.
func (t *Top) Add(zone *time.Location, e journal.Entry) {
	if t.codes == nil {
		t.codes, t.causes, t.sources = map[string]int{}, map[string]int{}, map[string]int{}
	}
	t.seen++
	why, _ := e.Get("why").(string)
	bad := e.Level == "WARN" || e.Level == "ERROR"
	for _, c := range [...]string{string(e.Code), why} {
		p, ok := prompt.Lookup(prompt.Code(c))
		if bad = bad || ok && p.Severity >= prompt.Warning && e.Code != prompt.LogAlert; ok && p.Severity >= prompt.Warning {
			t.causes[c]++
		}
	}
	if !bad {
		return
	}
	t.n++
	t.codes[string(e.Code)]++
	t.sources[e.Source]++
	t.hours[e.Wall.In(zoneOf(zone)).Hour()]++
}

// Write prints the counts: what fails most, where and when.
func (t *Top) Write(w io.Writer, o Look, most int) {
	fmt.Fprintf(w, "%d %s, %d %s\n", t.seen, label(o.Lang, "log-entries"), t.n, label(o.Lang, "top-bad"))
	for _, g := range []struct {
		key string
		m   map[string]int
	}{{"top-causes", t.causes}, {"top-codes", t.codes}, {"top-sources", t.sources}} {
		if len(g.m) == 0 {
			continue
		}
		fmt.Fprintln(w, label(o.Lang, g.key))
		var names []string
		for n := range g.m {
			names = append(names, n)
		}
		slices.SortFunc(names, func(a, b string) int { return cmp.Or(g.m[b]-g.m[a], cmp.Compare(a, b)) })
		top := g.m[names[0]]
		for _, n := range names[:min(most, len(names))] {
			words := n
			if _, ok := prompt.Lookup(prompt.Code(n)); ok {
				words = Explain(o.Lang, prompt.Code(n))
				if who := whoActs(o.Lang, prompt.Code(n)); who != "" {
					words += " [" + who + "]"
				}
			}
			fmt.Fprintf(w, "%7d  %s  %s\n", g.m[n], pad(bar(g.m[n], top, 20), 20), words)
		}
	}
	if t.n == 0 {
		return
	}
	fmt.Fprintln(w, label(o.Lang, "top-hours"))
	top := slices.Max(t.hours[:])
	for h, n := range t.hours {
		if n > 0 {
			fmt.Fprintf(w, "%7d  %s  %02d:00\n", n, pad(bar(n, top, 20), 20), h)
		}
	}
}

// bar is n of top as a plot of width cells.
func bar(n, top, width int) string {
	return strings.Repeat("#", max(1, n*width/max(top, 1)))
}
