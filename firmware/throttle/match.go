package throttle

import (
	"math/bits"
	"time"
)

// tally is what a window held.
type tally struct {
	n              int
	sum            int64
	newest, second Seen
	nth            Time // of the event without which the measure would not hold
	want           int  // its place, the newest at 1
	cards          [distinctMost]uint64
	distinct       int
}

// distinctMost is how many different cards are told apart; more count as so
// many.
const distinctMost = 24

func (t *tally) add(s Seen, card uint64) {
	t.n++
	t.sum += s.Amount
	switch t.n {
	case 1:
		t.newest = s
	case 2:
		t.second = s
	}
	if t.n == t.want {
		t.nth = s.At
	}
	if t.distinct == distinctMost {
		return
	}
	for _, c := range t.cards[:t.distinct] {
		if c == card {
			return
		}
	}
	t.cards[t.distinct] = card
	t.distinct++
}

// isPayment: what a predicate without a kind means.
func isPayment(w What) bool {
	return w == Sale || w == PreAuth || w == Completion || w == Offline
}

// want is how many events a rule's count needs.
func (x *Rule) want() int {
	n := 1
	for _, c := range x.Measure {
		if c.Of == Count && c.Least {
			n = max(int(c.N), 1)
		}
	}
	return n
}

// since is where a rule's window begins: (since, now].
func (x *Rule) since(f *Facts) Time {
	switch {
	case x.Window.Kind == Sliding:
		return f.Now.At - x.Window.Dur
	case x.Window.Kind == CalendarDay && f.Now.Minute >= 0:
		return f.Now.At - time.Duration(f.Now.Minute%(24*60)+1)*time.Minute
	}
	return -1
}

// ring collects what matches among the card's own outcomes, the newest first.
func (r *Rules) ring(m *tally, x *Rule, a *Attempt, f *Facts) {
	since := x.since(f)
	for i := range f.Card.Len() {
		s := f.Card.At(i)
		if s.At <= since {
			break
		}
		if x.what>>s.Kind&1 == 1 && x.outcome>>s.Outcome&1 == 1 && r.rightCode(x, s) && r.rightAmount(x, a, f, s.Amount) {
			m.add(s, f.Tags.Card)
		}
	}
}

// rightCode: the code is of the classes or the list that the rule names.
func (r *Rules) rightCode(x *Rule, s Seen) bool {
	return x.codes == 0 || s.Outcome == Declined && r.codes[rcIndex(s.RC)]&x.codes != 0
}

func (r *Rules) rightAmount(x *Rule, a *Attempt, f *Facts, amount int64) bool {
	return (x.Match.Same&SameAmount == 0 || amount == a.Amount) && x.Match.Amount.fits(amount, 0, f) && (!x.This.Amount.Matched || a.Amount >= amount)
}

// scanner reads the log once for all rules that ask it: each event is laid
// against all of them with a few bits.
type scanner struct {
	asked   uint64 // slots of rules that want to know
	active  uint64 // of these, whose window is not passed yet
	since   [maxSlots]Time
	place   [maxSlots]uint8
	used    int
	tallies [scanMost]tally
}

const (
	maxSlots = 48
	// scanMost is how many rules may ask the log at one point.
	scanMost = 16
)

func (s *scanner) want(x *Rule, f *Facts) {
	if s.used == scanMost {
		return // build refuses such a set
	}
	s.asked |= 1 << x.slot
	s.active |= 1 << x.slot
	s.since[x.slot] = x.since(f)
	s.place[x.slot] = uint8(s.used)
	s.tallies[s.used].want = x.want()
	s.used++
}

func (s *scanner) tally(x *Rule) *tally { return &s.tallies[s.place[x.slot]] }

// scan goes through the log, the youngest first, until every window is passed.
func (r *Rules) scan(s *scanner, a *Attempt, f *Facts) {
	if f.Just.What != NoWhat {
		r.lay(s, &f.Just, a, f)
	}
	young, old := f.Log.halves()
	for _, half := range [...][]Event{young, old} {
		for i := len(half) - 1; i >= 0 && s.active != 0; i-- {
			r.lay(s, &half[i], a, f)
		}
	}
	for m := s.asked & r.daily; m != 0; m &= m - 1 {
		x := &r.List[r.slots[bits.TrailingZeros64(m)]]
		n, sum := f.Card.Today(f.Now.Day) // exact, however long the day
		t := s.tally(x)
		t.n, t.sum = max(t.n, n), max(t.sum, sum)
	}
}

// lay lays one event against the rules that are still active.
func (r *Rules) lay(s *scanner, e *Event, a *Attempt, f *Facts) {
	m := s.active & r.byWhat[e.What][e.Outcome]
	if e.Outcome == Declined {
		m &= r.byCode[rcIndex(e.RC)]
	} else {
		m &^= r.coded
	}
	if e.Tags.Card != f.Tags.Card {
		m &^= r.same[0]
	}
	if e.Tags.Bin8 != f.Tags.Bin8 || e.Tags.Bin8 == 0 {
		m &^= r.same[1]
	}
	if e.Amount != a.Amount {
		m &^= r.same[2]
	}
	if e.Op != a.Op {
		m &^= r.same[3]
	}
	if e.N != a.Form {
		m &^= r.same[4]
	}
	for ; m != 0; m &= m - 1 {
		slot := bits.TrailingZeros64(m)
		if e.At <= s.since[slot] {
			s.active &^= 1 << slot // older ones are out as well
			continue
		}
		if r.picky>>slot&1 == 1 {
			x := &r.List[r.slots[slot]]
			if len(x.Match.Entries) > 0 && !contains(x.Match.Entries, e.Entry) || !r.rightAmount(x, a, f, e.Amount) {
				continue
			}
		}
		t := &s.tallies[s.place[slot]]
		t.add(Seen{At: e.At, Amount: e.Amount, Outcome: e.Outcome, RC: e.RC, Op: e.Op, Kind: e.What}, e.Tags.Card)
		if t.distinct == distinctMost && r.List[r.slots[slot]].few() {
			s.active &^= 1 << slot // so many cards are not few, and older events make them no fewer
		}
	}
}

// few tells that a rule is about few cards: with more than are told apart it can
// no longer fire.
func (x *Rule) few() bool {
	for _, m := range x.Measure {
		if m.Of == DistinctCards && !m.Least {
			return true
		}
	}
	return false
}

// rcIndex is a small number for DE 39: 36 signs each, and one for all others.
func rcIndex(rc RC) int {
	return int(sign[rc[0]])*37 + int(sign[rc[1]])
}

const rcCount = 37 * 37

var sign = func() (t [256]uint8) {
	for i := range t {
		switch c := byte(i); {
		case c >= '0' && c <= '9':
			t[i] = c - '0'
		case c >= 'A' && c <= 'Z':
			t[i] = c - 'A' + 10
		default:
			t[i] = 36
		}
	}
	return t
}()
