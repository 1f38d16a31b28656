package tape

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"swipewell/firmware/diagnose"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
)

// Result of running a part again.
type Result struct {
	Steps int    // that were run, the one that differs included
	Build string // that made the tape
	Rules string // then in force; "" none
	Cut   int    // events of the desk that the tape does not have
	Lost  int    // steps that did not fit
	First *Difference
}

// Difference is the first step at which now is not then.
type Difference struct {
	Step  int    // from 1
	Event string // kind of the event, with its key or code
	At    txn.Event
	Lines []Line
}

// Line is one thing that differs.
type Line struct {
	What      string // "state Phase", "effect 2 Decided", "diagnosis"
	Then, Now string // "" it is not there
}

// mostLines of a difference are told.
const mostLines = 40

// desk is what the terminal keeps beside the reducer: here, of one part.
type desk struct {
	book  *throttle.Book
	rules *throttle.Rules
}

// Run runs a part through the reducer, the rules and the diagnosis of this build. rules
// are those to ask; the tape's own event says whether any were in force.
func Run(b []byte, rules *throttle.Rules, sieve func(string) string) (res Result, err error) {
	p, err := unpack(b)
	if err != nil {
		return res, err
	}
	res = Result{Build: p.Build, Rules: p.Rules, Cut: p.Cut, Lost: p.Lost}
	n := newNames(sieve)
	n.plain = true
	var s txn.State
	if err := p.State.build(&s); err != nil {
		return res, err
	}
	d := desk{book: throttle.NewBook(0), rules: rules}
	for _, row := range p.Log {
		raw, err := hex.DecodeString(row)
		if err != nil {
			return res, ErrForeign
		}
		e, err := throttle.ParseEvent(raw)
		if err != nil {
			return res, fmt.Errorf("tape: %w", err)
		}
		d.book.Log().Add(e)
	}
	state, event, signals, rank := p.State, flat{}, flat{}, ""
	for i, st := range p.Steps {
		event, signals = event.with(st.Event), signals.with(st.Signals)
		then := state.with(st.State)
		if st.Rank != "" {
			rank = st.Rank
		}
		var e txn.Event
		if err := event.build(&e); err != nil {
			return res, err
		}
		if p.Rules != "" {
			e.Rules = d.rules
			e.Watch.Log = d.book.Log()
		}
		sig, told, err := signalsOf(signals)
		if err != nil {
			return res, err
		}
		next, fx, err := stepped(s, e)
		if err != nil {
			return res, err
		}
		res.Steps = i + 1
		lines := compare("state ", then, n.flatten(next))
		lines = append(lines, effectLines(st.Effects, n.effects(fx))...)
		if rank != "" {
			if now := rankText(diagnose.Rank(sig, told)); now != rank {
				lines = append(lines, Line{"diagnosis", rank, now})
			}
		}
		if len(lines) > 0 {
			res.First = &Difference{Step: i + 1, Event: eventText(e), At: e, Lines: lines[:min(len(lines), mostLines)]}
			return res, nil
		}
		d.note(e, fx)
		s, state = next, then
	}
	return res, nil
}

// stepped is a step on a state that a file has: one that no reducer made may be one that
// no reducer can take.
func stepped(s txn.State, e txn.Event) (next txn.State, fx []txn.Effect, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: no state of the reducer: %v", ErrForeign, r)
		}
	}()
	next, fx = txn.Step(s, e)
	return next, fx, nil
}

// note follows the desk's log, as the terminal does.
func (d desk) note(e txn.Event, fx []txn.Effect) {
	day := e.Watch.Now.Day
	for _, x := range fx {
		switch x := x.(type) {
		case txn.PutEvent:
			d.book.Note(x.Event, day)
		case txn.NoteEvent:
			d.book.Note(x.Event, day)
		}
	}
}

func eventText(e txn.Event) string {
	parts := []string{string(e.Kind)}
	for _, s := range []string{string(e.Key), string(e.Code), string(e.Reply.Kind), string(e.Reply.RC), string(e.PIN)} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if e.Kind == txn.ChipSaid {
		parts = append(parts, fmt.Sprint(e.Chip.What))
	}
	return strings.Join(parts, " ")
}

func compare(what string, then, now flat) (lines []Line) {
	paths := slices.Collect(maps.Keys(then))
	for k := range now {
		if _, ok := then[k]; !ok {
			paths = append(paths, k)
		}
	}
	sort.Strings(paths)
	for _, k := range paths {
		if then[k] != now[k] {
			lines = append(lines, Line{what + k, then[k], now[k]})
		}
	}
	return lines
}

// effectLines compares two orders of work. Where the kinds differ the first that does
// is told, else what differs inside.
func effectLines(then, now []flat) (lines []Line) {
	for i := range max(len(then), len(now)) {
		var a, b flat
		if i < len(then) {
			a = then[i]
		}
		if i < len(now) {
			b = now[i]
		}
		if a[""] != b[""] {
			return append(lines, Line{fmt.Sprintf("effect %d", i+1), brief(a), brief(b)})
		}
		lines = append(lines, compare(fmt.Sprintf("effect %d %s ", i+1, a[""]), a, b)...)
	}
	return lines
}

// brief is an effect on one line.
func brief(f flat) string {
	if f == nil {
		return ""
	}
	keys := slices.Sorted(maps.Keys(f))
	var b strings.Builder
	b.WriteString(f[""])
	for _, k := range keys {
		if k != "" && b.Len() < 160 {
			b.WriteString(" " + k + "=" + f[k])
		}
	}
	return b.String()
}

// RulesOf is the set that was in force when a part was made.
func RulesOf(b []byte) (string, error) {
	p, err := unpack(b)
	if err != nil {
		return "", err
	}
	return p.Rules, nil
}
