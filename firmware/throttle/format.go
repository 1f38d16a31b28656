package throttle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field of a rule, as a file writes it.
type fieldText struct{ name, value string }

// fields are the rule in its language; a field that is not set is left out.
func (r Rule) fields() (list []fieldText) {
	add := func(name, value string) {
		if value != "" {
			list = append(list, fieldText{name, value})
		}
	}
	var on []string
	for i, n := range pointNames {
		if r.On>>i&1 == 1 {
			on = append(on, n)
		}
	}
	add("on", strings.Join(on, ", "))
	add("match", r.Match.text())
	add("window", r.Window.text())
	var ms []string
	for _, m := range r.Measure {
		ms = append(ms, m.text())
	}
	add("measure", strings.Join(ms, " and "))
	add("this", r.This.text())
	var un []string
	for i, n := range []string{"order_ref differs", "quantity keyed", "grant", "linked"} {
		if r.Unless>>i&1 == 1 {
			un = append(un, n)
		}
	}
	add("unless", strings.Join(un, ", "))
	add("action", r.Action.text())
	if f := r.Action.Override; f != NoFactors {
		add("override", "supervisor("+f.String()+")")
	}
	add("text", r.Text)
	var ev []string
	for _, e := range r.Evidence {
		ev = append(ev, e.Cause+" += "+strconv.FormatFloat(e.Nats, 'g', -1, 64))
	}
	add("evidence", strings.Join(ev, ", "))
	add("cap", capNames[r.Cap])
	if r.Why != "" {
		add("why", strconv.Quote(r.Why))
	}
	return list
}

// Format is the rule as a file writes it.
func (r Rule) Format() string {
	var b strings.Builder
	fmt.Fprintf(&b, "rule %v {\n", r.ID)
	for _, f := range r.fields() {
		fmt.Fprintf(&b, "  %s: %s\n", f.name, f.value)
	}
	b.WriteString("}\n")
	return b.String()
}

// Format is the whole set as a file writes it: what a profile or a merchant made
// of it included, without a signature.
func (r *Rules) Format() string {
	var b strings.Builder
	fmt.Fprintf(&b, "rules %s version %d\n\n", r.Name, r.Version)
	for _, c := range r.Classes {
		fmt.Fprintf(&b, "class %s { %s }\n", c.Name, strings.Join(names(c.RCs), " "))
	}
	b.WriteString("\nsettings {\n")
	for _, f := range r.Set.texts() {
		if f.value != "0s" {
			fmt.Fprintf(&b, "  %s: %s\n", f.name, f.value)
		}
	}
	b.WriteString("}\n")
	for _, x := range r.List {
		b.WriteString("\n" + x.Format())
	}
	return b.String()
}

func (m Match) text() string {
	var l []string
	set := func(name string, words []string) {
		if len(words) > 0 {
			l = append(l, name+" in {"+strings.Join(words, ", ")+"}")
		}
	}
	set("kind", names(m.Whats))
	set("outcome", names(m.Outcomes))
	set("class", m.Classes)
	set("rc", names(m.RCs))
	set("entry", names(m.Entries))
	for i, n := range sameNames {
		if m.Same>>i&1 == 1 {
			l = append(l, "same "+n)
		}
	}
	return strings.Join(append(l, m.Amount.texts()...), ", ")
}

func names[T fmt.Stringer](list []T) (out []string) {
	for _, x := range list {
		out = append(out, x.String())
	}
	return out
}

func (a Amounts) texts() (l []string) {
	if a.Min > 0 {
		l = append(l, "amount >= "+money(a.Min))
	}
	if a.Multiple > 0 {
		l = append(l, "amount multiple of "+money(a.Multiple))
	}
	if a.OfLimit > 0 {
		l = append(l, fmt.Sprintf("amount >= %d%% of limit", a.OfLimit))
	}
	if a.P90 {
		l = append(l, "amount >= p90")
	}
	if a.Matched {
		l = append(l, "amount >= matched")
	}
	return l
}

func (w Window) text() string {
	switch w.Kind {
	case Sliding:
		if w.Dur == 0 {
			return ""
		}
		return "sliding " + length(w.Dur)
	case CalendarDay:
		return "calendar day"
	case Rate:
		return fmt.Sprintf("gcra T=%s burst=%d", length(w.Rate.T), w.Rate.Burst)
	}
	return windowNames[w.Kind]
}

func (m Measure) text() string {
	op := "<="
	if m.Least {
		op = ">="
	}
	of := [...]string{"count", "sum(amount)", "distinct(card)"}[m.Of]
	switch {
	case m.Scale == OfCount:
		return fmt.Sprintf("%s %s %d%% of count", of, op, m.N)
	case m.Scale == OfMedian:
		return fmt.Sprintf("%s %s %dx median", of, op, m.N)
	case m.Of == Sum:
		return of + " " + op + " " + money(m.N)
	}
	return fmt.Sprintf("%s %s %d", of, op, m.N)
}

func (t This) text() string {
	l := t.Amount.texts()
	if t.Outside > 0 {
		l = append(l, "outside hours "+length(t.Outside))
	}
	if len(t.Entries) > 0 {
		l = append(l, "entry in {"+strings.Join(names(t.Entries), ", ")+"}")
	}
	if t.NoSale {
		l = append(l, "no sale")
	}
	return strings.Join(l, ", ")
}

func (o Order) text() string {
	switch o.Do {
	case Ask:
		return "confirm(default=VIEW)"
	case Cool:
		switch {
		case o.Dur == 0:
			return "cooldown(ladder)"
		case o.Ladder:
			return "cooldown(" + length(o.Dur) + ", ladder)"
		}
		return "cooldown(" + length(o.Dur) + ")"
	case Supervise:
		return "supervisor(" + o.Factors.String() + ")"
	case Refuse:
		return "refuse(" + [...]string{length(o.Dur), "day", "resolved", "ever"}[o.Until] + ")"
	case Lock:
		return "lock(" + length(o.Dur) + ", " + strings.Join(names(o.Entries), ", ") + ")"
	}
	return o.Do.String()
}

func money(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }

// length writes a duration as files do: 600s, 10m, 24h, 7d.
func length(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0 && d > 24*time.Hour:
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	case d%time.Second == 0:
		return strconv.Itoa(int(d/time.Second)) + "s"
	}
	return d.String()
}

// Diff says what is different in b, one line for each rule that is new or gone
// and for each field that changed.
func Diff(a, b *Rules) (lines []string) {
	for _, x := range a.List {
		if _, ok := b.Find(x.ID); !ok {
			lines = append(lines, fmt.Sprintf("- %v is gone", x.ID))
		}
	}
	for _, y := range b.List {
		x, ok := a.Find(y.ID)
		if !ok {
			lines = append(lines, fmt.Sprintf("+ %v is new: %s", y.ID, y.Action.text()))
			continue
		}
		had, has := x.fields(), y.fields()
		find := func(l []fieldText, name string) string {
			if i := slices.IndexFunc(l, func(f fieldText) bool { return f.name == name }); i >= 0 {
				return l[i].value
			}
			return "-"
		}
		for _, f := range has {
			if was := find(had, f.name); was != f.value {
				lines = append(lines, fmt.Sprintf("~ %v %s: %s -> %s", y.ID, f.name, was, f.value))
			}
		}
		for _, f := range had {
			if find(has, f.name) == "-" {
				lines = append(lines, fmt.Sprintf("~ %v %s: %s -> none", y.ID, f.name, f.value))
			}
		}
	}
	was, is := a.Set.texts(), b.Set.texts()
	for i := range is {
		if was[i] != is[i] {
			lines = append(lines, fmt.Sprintf("~ settings %s: %s -> %s", is[i].name, was[i].value, is[i].value))
		}
	}
	for _, c := range b.Classes {
		i := slices.IndexFunc(a.Classes, func(x Class) bool { return x.Name == c.Name })
		if i < 0 || !slices.Equal(a.Classes[i].RCs, c.RCs) {
			lines = append(lines, fmt.Sprintf("~ class %s: { %s }", c.Name, strings.Join(names(c.RCs), " ")))
		}
	}
	return lines
}

func (s Settings) texts() []fieldText {
	sum := func(v int64) string {
		if v == 0 {
			return "none"
		}
		return money(v)
	}
	return []fieldText{{"quantity", askedNames[s.Quantity]}, {"order_ref", askedNames[s.OrderRef]}, {"keyed", askedNames[s.Keyed]}, {"limit", sum(s.Limit)},
		{"card_day", sum(s.CardDay)}, {"terminal_day", sum(s.Desk)}, {"typo", strconv.Itoa(s.Typo)}, {"read", s.Read.String()}, {"confirm", s.Confirm.String()}}
}
