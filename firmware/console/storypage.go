package console

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/emv/tlv"
	"swipewell/firmware/iso8583"
	"swipewell/firmware/journal"
	"swipewell/ui/prompt"
	"swipewell/ui/text"
)

// page is a story in the making: its entries, sorted into what a reader asks.
type page struct {
	w     io.Writer
	o     Look
	first journal.Entry
}

// writePage prints the entries of a story: what the cashier saw, each exchange, the
// stages, what was thought, and the rest as a log.
func writePage(w io.Writer, o Look, s Story) {
	if len(s.Entries) == 0 {
		return
	}
	p := &page{w: w, o: o, first: s.Entries[0]}
	by := map[prompt.Code][]journal.Entry{}
	var talk, rest []journal.Entry
	ref := ""
	for _, e := range s.Entries {
		by[e.Code] = append(by[e.Code], e)
		switch e.Code {
		case prompt.LogSent, prompt.LogAnswer:
			talk = append(talk, e)
		case prompt.LogPath, prompt.LogScreen, prompt.LogTape, prompt.LogCause:
		case prompt.LogCardRef:
			ref = e.Ref
		default:
			rest = append(rest, e)
		}
	}
	p.saw(by[prompt.LogPath], by[prompt.LogScreen])
	p.talk(talk)
	p.stages(by[prompt.LogPath], by[prompt.LogAnswer], by[prompt.LogChip])
	p.chip(by[prompt.LogChip])
	p.rules(by[prompt.LogPath], by[prompt.LogDecision])
	p.cause(by[prompt.LogCause])
	p.head("story-log")
	p.log(rest)
	if n := len(s.Entries); n > 1 && p.first.Boot == s.Entries[n-1].Boot {
		fmt.Fprintf(w, "%s: %s\n", label(o.Lang, "story-took"), (s.Entries[n-1].Up - p.first.Up).Round(time.Millisecond))
	}
	if ref != "" {
		fmt.Fprintf(w, "%s: %s\n", label(o.Lang, "story-card"), ref)
	}
	if len(by[prompt.LogTape]) > 0 {
		fmt.Fprintln(w, label(o.Lang, "story-tape"))
	}
}

func (p *page) head(key string) { fmt.Fprintln(p.w, "\n"+label(p.o.Lang, key)) }

// since is how long after the first entry: by the clock that never jumps.
func (p *page) since(e journal.Entry) time.Duration {
	if p.first.Boot == e.Boot {
		return e.Up - p.first.Up
	}
	return e.Logical - p.first.Logical
}

func (p *page) at(e journal.Entry) string {
	return fmt.Sprintf("%s  +%9s", e.Wall.In(zoneOf(p.o.Zone)).Format("15:04:05.000"), p.since(e).Round(time.Millisecond))
}

func (p *page) screen(at string, code, note prompt.Code, e journal.Entry) {
	line := "  " + pad(at, 26) + pad(string(code), 9) + text.Format(p.o.Lang, code, args(e)).Title
	if note != "" {
		line += "  + " + string(note) + " " + text.Format(p.o.Lang, note, args(e)).Title
	}
	fmt.Fprintln(p.w, line)
}

func str(e journal.Entry, key string) string {
	s, _ := e.Get(key).(string)
	return s
}

// saw tells the screens: those before the intent by the seconds of the form.
func (p *page) saw(paths, screens []journal.Entry) {
	if len(paths)+len(screens) == 0 {
		return
	}
	p.head("story-saw")
	for _, e := range paths {
		for _, s := range strings.Fields(str(e, "screens")) {
			codes, at, _ := strings.Cut(s, "@")
			code, note, _ := strings.Cut(codes, "/")
			p.screen(at+" s", prompt.Code(code), prompt.Code(note), e)
		}
	}
	for _, e := range screens {
		p.screen(p.at(e), prompt.Code(str(e, "screen")), prompt.Code(str(e, "note")), e)
	}
}

// talk tells each message, decoded and masked.
func (p *page) talk(es []journal.Entry) {
	if len(es) == 0 {
		return
	}
	p.head("story-talk")
	for _, e := range es {
		word, arrow := "story-sent", "->"
		if e.Code == prompt.LogAnswer {
			word, arrow = "story-answered", "<-"
			if end := str(e, "end"); end != "" {
				word = "story-" + end
			}
		}
		line := "  " + p.at(e) + "  " + arrow + " " + label(p.o.Lang, word)
		if mti := str(e, "mti"); mti != "" {
			line += " " + mti
		}
		if why := prompt.Code(str(e, "why")); why != "" {
			line += ": " + Explain(p.o.Lang, why)
		}
		if e.Get("broken") == true {
			line += ", " + label(p.o.Lang, "story-broken")
		}
		if m := str(e, "mac"); m != "" {
			line += ", MAC " + m
		}
		fmt.Fprintln(p.w, line)
		for _, f := range e.Fields {
			de, err := strconv.Atoi(strings.TrimPrefix(f.Key, "de"))
			v, ok := f.Value.(string)
			if err != nil || !ok || !strings.HasPrefix(f.Key, "de") {
				continue
			}
			fmt.Fprintf(p.w, "      DE %-2d %s %s\n", de, pad(iso8583.UnionPay.Name(de), 28), fieldText(de, v))
		}
	}
}

// fieldText is a field's value; the tags of DE 55 with their names.
func fieldText(de int, v string) string {
	if de != iso8583.DEICC {
		return v
	}
	words := strings.Fields(v)
	var names []string
	for _, w := range words[min(1, len(words)):] {
		n, err := strconv.ParseUint(w, 16, 32)
		if e, ok := tlv.Lookup(tlv.Tag(n)); err == nil && ok {
			w += " " + e.Name
		}
		names = append(names, w)
	}
	if len(names) == 0 {
		return v
	}
	const column = 42 // of the value, and lines of some eighty cells
	out, width := words[0], 0
	for i, n := range names {
		switch {
		case i == 0 || width+len(n) > 70:
			out += "\n" + strings.Repeat(" ", column)
			width = 0
		default:
			out += ", "
		}
		out += n
		width += len(n) + 2
	}
	return out
}

// stageKeys of an exchange.
var stageKeys = []string{"dial", "send", "wait"}

// stages are the times of each part.
func (p *page) stages(paths, answers, chips []journal.Entry) {
	var lines []string
	add := func(name, took string) {
		if took != "" {
			lines = append(lines, "  "+pad(name, 26)+took)
		}
	}
	for _, e := range paths {
		for _, f := range e.Fields {
			switch f.Key {
			case "kind", "entry", "screens", "rules":
				continue
			}
			if v, ok := f.Value.(string); ok {
				add(label(p.o.Lang, f.Key), v)
			}
		}
	}
	for _, e := range chips {
		add(label(p.o.Lang, "story-chip"), str(e, "took"))
	}
	for _, e := range answers {
		var parts []string
		for _, k := range stageKeys {
			if v := str(e, k); v != "" {
				parts = append(parts, label(p.o.Lang, k)+" "+v)
			}
		}
		if by := str(e, "by"); by != "" {
			parts = append(parts, "("+by+")")
		}
		name := str(e, "mti")
		if end := str(e, "end"); end != "" {
			name = label(p.o.Lang, "story-"+end)
		}
		add(name, strings.Join(parts, "  "))
	}
	if len(lines) > 0 {
		p.head("story-stages")
		fmt.Fprintln(p.w, strings.Join(lines, "\n"))
	}
}

func (p *page) chip(es []journal.Entry) {
	if len(es) > 0 {
		p.head("story-chip")
	}
	for _, e := range es {
		fmt.Fprintln(p.w, "  "+p.at(e)+"  "+e.Text())
	}
}

func (p *page) rules(paths, decisions []journal.Entry) {
	var lines []string
	for _, e := range paths {
		if r := str(e, "rules"); r != "" {
			lines = append(lines, "  "+r)
		}
	}
	for _, e := range decisions {
		lines = append(lines, "  "+p.at(e)+"  "+e.Text())
	}
	if len(lines) > 0 {
		p.head("story-rules")
		fmt.Fprintln(p.w, strings.Join(lines, "\n"))
	}
}

// cause tells what was thought, with each piece of evidence.
func (p *page) cause(es []journal.Entry) {
	if len(es) == 0 {
		return
	}
	p.head("story-cause")
	for _, e := range es {
		sure := "story-unsure"
		if e.Get("sure") == true {
			sure = "story-sure"
		}
		fmt.Fprintf(p.w, "  %s  %s %v%% (%s)\n", p.at(e), Explain(p.o.Lang, prompt.Code(str(e, "why"))), e.Get("percent"), label(p.o.Lang, sure))
		for _, f := range e.Fields {
			if len(f.Key) == 2 && f.Key[0] == 'e' {
				fmt.Fprintf(p.w, "      %v\n", f.Value)
			}
		}
	}
}

// log prints the other entries, one a line.
func (p *page) log(es []journal.Entry) {
	for i, e := range es {
		step := time.Duration(0)
		if i > 0 && es[i-1].Boot == e.Boot {
			step = e.Up - es[i-1].Up
		}
		if i > 0 && es[i-1].Boot != e.Boot {
			fmt.Fprintln(p.w, "  ── "+label(p.o.Lang, "story-boot")+" ──")
		}
		line := "  " + p.at(e) + "  " + pad(string(e.Code), 8) + " " + words1(p.o.Lang, e)
		if t := e.Text(); t != "" {
			line += "  " + t
		}
		if why := prompt.Code(str(e, "why")); why != "" {
			if t := text.Get(p.o.Lang, why).Title; t != string(why) && t != "" {
				line += "  (" + text.Format(p.o.Lang, why, args(e)).Title + ")"
			}
		}
		if step > time.Second {
			line += "  ← " + step.Round(10*time.Millisecond).String()
		}
		fmt.Fprintln(p.w, line)
	}
}
