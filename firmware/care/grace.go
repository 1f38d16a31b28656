package care

import (
	"slices"

	"swipewell/firmware/throttle"
)

// Grace counts how often people confirmed what a rule asked about, made of the
// history alone. What is confirmed again and again, and never complained of, may be
// asked about too often: that is said, and nothing changes by itself.
// THROTTLE §3.5.
type Grace struct {
	list []graceRow
}

type graceRow struct {
	wall int64
	rule throttle.ID
}

const (
	graceDays = 30
	graceMin  = 20
	graceMost = 512
)

// Add takes an event.
func (g *Grace) Add(e throttle.Event) {
	if e.What != throttle.Confirm || e.Rule == 0 || !sane(e.Wall) {
		return
	}
	if g.list = append(g.list, graceRow{e.Wall, e.Rule}); len(g.list) > graceMost {
		g.list = slices.Delete(g.list, 0, len(g.list)-graceMost)
	}
}

// Lines are the suggestions, by rule; complaints is how many customers have said in
// the same time that they were charged twice.
func (g *Grace) Lines(wall int64, complaints int) (page []Line) {
	if complaints > 0 {
		return nil
	}
	counts := map[throttle.ID]int{}
	var ids []throttle.ID
	for _, r := range g.list {
		if r.wall > wall-graceDays*86400 && r.wall <= wall {
			if counts[r.rule]++; counts[r.rule] == 1 {
				ids = append(ids, r.rule)
			}
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		if n := counts[id]; n >= graceMin {
			page = append(page, say("rules.grace", id.String(), num(n)))
		}
	}
	return page
}

// Complaints counts the tickets of customers who say that they were charged twice.
func (d *Desk) Complaints(since int64) (n int) {
	for _, t := range d.list {
		if t.Sort == 1 && t.At > since {
			n++
		}
	}
	return n
}
