package days

import (
	"cmp"
	"fmt"
	"slices"
)

// Per is so many of 1,000 honest purchases.
func (r *Result) Per(n int) float64 { return 1000 * float64(n) / float64(max(r.Payments, 1)) }

// Interrupted are honest purchases that did not go straight through: asked
// about, shown an earlier result, or stopped. Notes are not among them: nobody
// presses a key more.
func (r *Result) Interrupted() int { return r.Asked + r.Absorbed + r.Stops() }

// Interrupted are honest purchases that a peer asked about or refused.
func (r *PeerResult) Interrupted() int { return r.Asked + r.Refused }

// Per is so many of 1,000 honest purchases.
func (r *PeerResult) Per(n int) float64 { return 1000 * float64(n) / float64(max(r.Payments, 1)) }

// Percent is n of so many; of nothing it is all.
func Percent(n, of int) float64 {
	if of == 0 {
		return 100
	}
	return 100 * float64(n) / float64(of)
}

// CauseCount is how many honest purchases met what one rule did.
type CauseCount struct {
	Cause
	Count int `json:"count"`
}

// Ranked lists causes, the most frequent first.
func Ranked(m map[Cause]int) (out []CauseCount) {
	for c, n := range m {
		out = append(out, CauseCount{c, n})
	}
	slices.SortFunc(out, func(a, b CauseCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Action, b.Action))
	})
	return out
}

// The goals. THROTTLE §5, and stricter: waits and calls for a supervisor count
// as refusals. What the bank would have refused as well is none of ours, and
// neither is R01, which §5 leaves out.
const (
	MostAsked       = 3.0  // of 1,000, all shops
	MostAskedTicket = 15.0 // of 1,000, the ticket profile
	MostRefused     = 0.05 // of 1,000, all shops
	MostNeedless    = 0.05 // of 1,000, all shops: waits and calls as well
	LeastSurfaced   = 97.0 // per cent of accidental repeats
	LeastHeld       = 100.0
)

// Goal is one of them, and what came of it.
type Goal struct {
	Name  string  `json:"name"`
	Got   float64 `json:"got"`
	Want  float64 `json:"want"`
	Least bool    `json:"least"` // at least, rather than at most
	Met   bool    `json:"met"`
}

func atMost(name string, got, want float64) Goal {
	return Goal{Name: name, Got: got, Want: want, Met: got <= want}
}

func atLeast(name string, got, want float64) Goal {
	return Goal{Name: name, Got: got, Want: want, Least: true, Met: got >= want}
}

// Goals holds results against the goals. Those of all shops together are judged
// only where all were lived through: one shop alone may be above or below.
func Goals(shops []Result, total Result) (out []Goal) {
	whole := len(shops) == len(Shops)
	if whole {
		out = append(out, atMost("questions of 1000", total.Per(total.Asked), MostAsked))
	}
	for i := range shops {
		if r := &shops[i]; r.Profile == "ticket" {
			out = append(out, atMost("questions of 1000, ticket", r.Per(r.Asked), MostAskedTicket))
		}
	}
	if whole {
		all := total.All()
		out = append(out, atMost("refusals of 1000", total.Per(total.Refused), MostRefused),
			atMost("needless stops of 1000, waits too", total.Per(total.Needless), MostNeedless),
			atLeast("repeats surfaced, %", Percent(all.Surfaced(), all.Count), LeastSurfaced))
	}
	return append(out, atLeast("re-swipes after no answer held, %", Percent(total.Held, total.Reswipes), LeastHeld),
		atMost("orders charged twice by a lost answer", float64(total.Double), 0))
}

// NotBetter says in what a peer is as good as ours or better; "" if ours is
// better on both axes: fewer honest purchases interrupted, and more repeats
// surfaced.
func NotBetter(total *Result, p *PeerResult) string {
	ours, theirs := total.All(), p.All()
	a, b := total.Per(total.Interrupted()), p.Per(p.Interrupted())
	x, y := Percent(ours.Surfaced(), ours.Count), Percent(theirs.Surfaced(), theirs.Count)
	firm := Percent(ours.Surfaced()-ours.Shown, ours.Count)
	text := ""
	add := func(s string) {
		if text != "" {
			text += "; "
		}
		text += s
	}
	if b <= a {
		add(fmt.Sprintf("interrupts less (%.2f)", b))
	}
	switch {
	case y >= x:
		add(fmt.Sprintf("surfaces more (%.1f %%)", y))
	case y >= firm:
		add(fmt.Sprintf("surfaces more than we do without notes (%.1f %%)", firm))
	}
	return text
}
