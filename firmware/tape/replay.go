package tape

import (
	"encoding/hex"
	"errors"
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

// Player runs parts again, one behind the other.
type Player struct {
	desk
	n       *names
	s       txn.State
	state   flat
	event   flat
	signals flat
	rank    string
	last    string // the Sum of the part before; "" none
	head    Result // what the first part said of itself
	named   bool   // rules were in force then
	differs bool
}

// NewPlayer makes one. rules are those to ask, where any were in force then.
func NewPlayer(rules *throttle.Rules, sieve func(string) string) *Player {
	n := newNames(sieve)
	n.plain = true
	return &Player{desk: desk{rules: rules}, n: n}
}

// ErrGap says that the part before is not there: a part that goes on cannot be run alone.
var ErrGap = errors.New("tape: the part before this one is missing")

// Run runs one part through the reducer, the rules and the diagnosis of this build.
func Run(b []byte, rules *throttle.Rules, sieve func(string) string) (Result, error) {
	return NewPlayer(rules, sieve).Run(b)
}

// Run runs the next part. One that goes on behind a difference is not run: Steps is 0.
func (x *Player) Run(b []byte) (res Result, err error) {
	p, err := unpack(b)
	if err != nil {
		return res, err
	}
	if p.Prev == "" {
		if err := x.begin(p); err != nil {
			return res, err
		}
	} else if p.Prev != x.last {
		return res, ErrGap
	}
	x.last = sum(b)
	res = x.head
	res.Lost = p.Lost
	if x.differs {
		return res, nil
	}
	for i, st := range p.Steps {
		lines, e, err := x.step(st)
		res.Steps = i + 1
		if err != nil {
			return res, err
		}
		if len(lines) > 0 {
			res.First = &Difference{Step: i + 1, Event: eventText(e), At: e, Lines: lines[:min(len(lines), mostLines)]}
			x.differs = true
			return res, nil
		}
	}
	return res, nil
}

// begin takes a part that stands alone.
func (x *Player) begin(p *part) error {
	x.head, x.named, x.differs = Result{Build: p.Build, Rules: p.Rules, Cut: p.Cut}, p.Rules != "", false
	x.s, x.state, x.event, x.signals, x.rank, x.last = txn.State{}, p.State, flat{}, flat{}, "", ""
	if err := p.State.build(&x.s); err != nil {
		return err
	}
	x.book = throttle.NewBook(0)
	for _, row := range p.Log {
		raw, err := hex.DecodeString(row)
		if err != nil {
			return ErrForeign
		}
		e, err := throttle.ParseEvent(raw)
		if err != nil {
			return fmt.Errorf("tape: %w", err)
		}
		x.book.Log().Add(e)
	}
	return nil
}

// step runs one step and says what differs.
func (x *Player) step(st step) (lines []Line, e txn.Event, err error) {
	x.event, x.signals = x.event.with(st.Event), x.signals.with(st.Signals)
	then := x.state.with(st.State)
	if st.Rank != "" {
		x.rank = st.Rank
	}
	if err := x.event.build(&e); err != nil {
		return nil, e, err
	}
	if x.named {
		e.Rules = x.rules
		e.Watch.Log = x.book.Log()
	}
	sig, told, err := signalsOf(x.signals)
	if err != nil {
		return nil, e, err
	}
	next, fx, err := stepped(x.s, e)
	if err != nil {
		return nil, e, err
	}
	lines = compare("state ", then, x.n.flatten(next))
	lines = append(lines, effectLines(st.Effects, x.n.effects(fx))...)
	if x.rank != "" {
		if now := rankText(diagnose.Rank(sig, told)); now != x.rank {
			lines = append(lines, Line{"diagnosis", x.rank, now})
		}
	}
	x.note(e, fx)
	x.s, x.state = next, then
	return lines, e, nil
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
	for _, x := range fx { // rows of the commit first, then what runs after it
		if x, ok := x.(txn.PutEvent); ok {
			d.book.Note(x.Event, day)
		}
	}
	for _, x := range fx {
		if x, ok := x.(txn.NoteEvent); ok {
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
