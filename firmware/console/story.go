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
)

// Story is one transaction as a page: what the device knows of it.
type Story struct {
	Entries []journal.Entry
	Sales   []pos.Sale
	Records []pos.Record
	After   []journal.Entry // outcomes of later transactions that refer to this one
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
				for _, a := range s.After {
					if w := prompt.Code(str(a, "why")); a.Code == prompt.LogOutcome && strings.HasPrefix(string(w), "A-") {
						return label(lang, "fate-undone") + " " + a.Tx + " " + Explain(lang, w)
					}
				}
				return label(lang, "fate-approved")
			}
			if strings.HasPrefix(why, "D-") {
				return label(lang, "fate-declined") + " " + Explain(lang, prompt.Code(why))
			}
			if strings.HasPrefix(why, "U-") {
				return label(lang, "fate-waits") + " " + Explain(lang, prompt.Code(why))
			}
			return label(lang, "fate-outcome") + " " + Explain(lang, prompt.Code(why))
		}
	}
	return label(lang, "fate-unknown")
}

// ID is the whole id of the transaction, "" if no entry has it.
func (s Story) ID() string {
	for _, e := range s.Entries {
		if e.Tx != "" {
			return e.Tx
		}
	}
	return ""
}

// WriteStory prints one.
func WriteStory(w io.Writer, o Look, id string, s Story) {
	lang := o.Lang
	slices.SortStableFunc(s.Entries, func(a, b journal.Entry) int { return cmp.Compare(a.Seq, b.Seq) })
	id = cmp.Or(s.ID(), id)
	fmt.Fprintln(w, label(lang, "story")+" "+id)
	for _, r := range s.Sales {
		WriteItem(w, lang, r)
	}
	for _, r := range s.Records {
		WriteItem(w, lang, r)
	}
	fmt.Fprintln(w, label(lang, "fate")+": "+s.fate(lang))
	writePage(w, o, s)
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

// Refers finds, among the entries of what led to intents, those that refer to a
// transaction: a void, a refund.
func Refers(paths []journal.Entry, id string) (txs []string) {
	for _, e := range paths {
		if o := str(e, "orig"); o != "" && strings.HasSuffix(id, "-"+o) && e.Tx != "" && e.Tx != id {
			txs = append(txs, e.Tx)
		}
	}
	return txs
}
