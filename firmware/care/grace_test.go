package care

import (
	"testing"

	"swipewell/firmware/throttle"
)

func TestGrace(t *testing.T) {
	const now = 1_795_492_800
	id := throttle.MakeID(2, 2)
	confirm := func(g *Grace, n int, ago int64) {
		for i := range n {
			g.Add(throttle.Event{What: throttle.Confirm, Rule: id, Wall: now - ago - int64(i)})
		}
	}
	var g Grace
	confirm(&g, 19, 86400)
	confirm(&g, 40, 31*86400) // too long ago
	g.Add(throttle.Event{What: throttle.Override, Rule: id, Wall: now})
	if got := g.Lines(now, 0); len(got) != 0 {
		t.Errorf("19 times: %v", got)
	}
	confirm(&g, 1, 10)
	got := g.Lines(now, 0)
	if len(got) != 1 || got[0].Key != "rules.grace" || got[0].A[0] != id.String() || got[0].A[1] != "20" {
		t.Errorf("20 times: %v", got)
	}
	if got := g.Lines(now, 1); len(got) != 0 {
		t.Errorf("with a complaint: %v", got)
	}
	confirm(&g, 2*graceMost, 5)
	if len(g.list) != graceMost {
		t.Errorf("%d are kept", len(g.list))
	}
	d := Desk{}
	d.Load([]Ticket{{N: 1, Sort: 1, At: now - 100}, {N: 2, Sort: 2, At: now}, {N: 3, Sort: 1, At: now - 40*86400}})
	if n := d.Complaints(now - 30*86400); n != 1 {
		t.Errorf("%d complaints", n)
	}
}
