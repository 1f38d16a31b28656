// Package query reads a journal: which entries fit, by index where there is
// one, in the order of their numbers, and if none does, which condition was in the way.
//
// Sources:
//   - FLASHLOGS: flash_logs §3, the habits of journalctl
package query

import (
	"bytes"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/segment"
	"swipewell/ui/prompt"
)

// Filter picks entries; its zero value picks all.
type Filter struct {
	Last     int         `json:"last,omitempty"`      // only the last so many of what fits
	Since    time.Time   `json:"since,omitzero"`      // by the wall clock
	Until    time.Time   `json:"until,omitzero"`      // by the wall clock
	AfterSeq uint64      `json:"after_seq,omitempty"` // younger than this one: a cursor
	Tx       string      `json:"tx,omitempty"`        // a transaction's id, or the end of it: its STAN
	Code     prompt.Code `json:"code,omitempty"`      // a code, or the beginning of one: "F-NET"
	Source   string      `json:"source,omitempty"`    // "link" is link and link.4g
	Level    string      `json:"level,omitempty"`     // this one and graver ones
	Boot     string      `json:"boot,omitempty"`      // the beginning of a start's id; "0" the last one, "-1" the one before …
	Grep     string      `json:"grep,omitempty"`      // an expression over [Line]
	Card     string      `json:"card,omitempty"`      // a card's name: the transactions in which it occurs
	Cause    string      `json:"cause,omitempty"`     // a family of causes: "NET"
}

// Line is what Grep looks at: level, code, source, transaction, message and fields.
func Line(e *entry.Entry) string { return e.Line() }

// plan is a filter made ready.
type plan struct {
	Filter
	grep    *regexp.Regexp
	literal []byte // the whole of Grep, if it has no signs
	found   bool   // records are searched before they are parsed
	needles [][]byte
	levels  uint32
	txs     map[string]bool // of a card
	boot    string
}

func (f Filter) plan() (*plan, error) {
	p := &plan{Filter: f, boot: f.Boot}
	if f.Grep != "" {
		var err error
		if p.grep, err = regexp.Compile(f.Grep); err != nil {
			return nil, fmt.Errorf("--grep: %w", err)
		}
		if regexp.QuoteMeta(f.Grep) == f.Grep {
			p.literal = []byte(f.Grep)
		}
		for _, n := range needles(f.Grep) {
			p.needles = append(p.needles, []byte(n))
		}
	}
	if f.Tx != "" {
		p.needles = append(p.needles, []byte(f.Tx))
	}
	if f.Level != "" {
		p.levels = segment.AtLeast(strings.ToUpper(f.Level))
	}
	return p, nil
}

// needles are runs of letters and digits that every line that fits has, and
// each of which stands in one piece in its record.
func needles(expr string) (out []string) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	re = re.Simplify()
	parts := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		parts = re.Sub
	}
	for _, r := range parts {
		if r.Op != syntax.OpLiteral || r.Flags&syntax.FoldCase != 0 {
			continue
		}
		for _, run := range strings.FieldsFunc(string(r.Rune), func(r rune) bool { return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') }) {
			level := slices.ContainsFunc([]string{"DEBUG", "INFO", "WARN", "ERROR"}, func(l string) bool { return strings.Contains(l, run) })
			if len(run) > 1 && !level { // a level is no text in a record
				out = append(out, run)
			}
		}
	}
	return out
}

// Fits tells whether an entry is picked by what it says itself: Last, Card and
// a counted Boot are no matter of one entry.
func (f Filter) Fits(e *entry.Entry) bool {
	p, err := f.plan()
	return err == nil && p.fits(e)
}

// Matcher is Fits made ready, for many entries.
func (f Filter) Matcher() (func(*entry.Entry) bool, error) {
	p, err := f.plan()
	if err != nil {
		return nil, err
	}
	return p.fits, nil
}

func (p *plan) fits(e *entry.Entry) bool {
	f := &p.Filter
	if e.Seq <= f.AfterSeq || !f.Since.IsZero() && e.Wall.Before(f.Since) || !f.Until.IsZero() && e.Wall.After(f.Until) {
		return false
	}
	if f.Tx != "" && e.Tx != f.Tx && !strings.HasSuffix(e.Tx, "-"+f.Tx) || !strings.HasPrefix(string(e.Code), string(f.Code)) {
		return false
	}
	if f.Source != "" && e.Source != f.Source && !strings.HasPrefix(e.Source, f.Source+".") {
		return false
	}
	if p.levels != 0 && segment.LevelBit(e.Level)&p.levels == 0 || p.boot != "" && !strings.HasPrefix(e.Boot, p.boot) {
		return false
	}
	if f.Card != "" && e.Ref != f.Card && !(e.Tx != "" && p.txs[e.Tx]) {
		return false
	}
	if f.Cause != "" && !hasCause(e, f.Cause) {
		return false
	}
	return f.Grep == "" || p.found || p.grepped([]byte(Line(e)))
}

// grepped tells that a line has what is searched for.
func (p *plan) grepped(line []byte) bool {
	if p.literal != nil {
		return bytes.Contains(line, p.literal)
	}
	return p.grep.Match(line)
}

// hasCause: the family stands in the code, or in a code that a field names.
func hasCause(e *entry.Entry, cause string) bool {
	in := func(s string) bool {
		parts := strings.Split(s, "-")
		return strings.EqualFold(s, cause) || len(parts) > 1 && strings.EqualFold(parts[1], cause) ||
			len(s) > len(cause) && s[len(cause)] == '-' && strings.EqualFold(s[:len(cause)], cause)
	}
	if in(string(e.Code)) {
		return true
	}
	for _, f := range e.Fields {
		if s, ok := f.Value.(string); ok && (f.Key == "why" || f.Key == "cause" || f.Key == "code" || f.Key == "text") && in(s) {
			return true
		}
	}
	return false
}

// want is what the index can do of it.
func (p *plan) want() segment.Want {
	w := segment.Want{After: p.AfterSeq, Levels: p.levels}
	if !p.Since.IsZero() {
		w.From = p.Since.UnixMilli()
	}
	if !p.Until.IsZero() {
		w.To = max(p.Until.UnixMilli(), 1)
	}
	if p.Tx != "" {
		w.Marks = []uint32{segment.Mark(p.Tx)}
	}
	if p.Card != "" {
		marks := []uint32{segment.Mark(p.Card)}
		for tx := range p.txs {
			marks = append(marks, segment.Mark(tx))
		}
		if w.Marks == nil {
			w.Marks = marks
		}
	}
	if p.Code != "" {
		w.Code = func(c string) bool { return strings.HasPrefix(c, string(p.Code)) }
	}
	if p.Source != "" {
		w.Source = func(s string) bool { return s == p.Source || strings.HasPrefix(s, p.Source+".") }
	}
	return w
}
