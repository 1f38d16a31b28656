package care

import (
	"slices"
	"strings"
	"testing"
)

// at is a Tuesday noon, Unix seconds.
const at int64 = monday + 86400 + 12*3600

// TestAlertLife: raised once, counted, queued until its route takes it, open until
// a person says so; two things are two alerts, and so is the same thing an hour
// later.
func TestAlertLife(t *testing.T) {
	var b Bus
	a, fresh, drop := b.Raise("rule", "rule.R14", Acquirer, 2, at, "R14", "1")
	if !fresh || drop != 0 || a.N != 1 || a.No() != "A-0001" || a.Count != 1 || !a.Open() || a.Route != Acquirer || a.Grave != 2 {
		t.Fatalf("%+v %v %d", a, fresh, drop)
	}
	if a, fresh, _ = b.Raise("rule", "rule.R14", Acquirer, 2, at+3599, "R14", "2"); fresh || a.N != 1 || a.Count != 2 || a.At != at || a.Last != at+3599 || a.Facts[1] != "2" {
		t.Errorf("within an hour: %+v %v", a, fresh)
	}
	if a, fresh, _ = b.Raise("rule", "rule.R15", Acquirer, 2, at+3599, "R15", "1"); !fresh || a.N != 2 {
		t.Errorf("another rule: %+v %v", a, fresh)
	}
	if a, fresh, _ = b.Raise("tamper", "rule.R14", Security, 3, at+3600); !fresh || a.N != 3 {
		t.Errorf("another kind: %+v %v", a, fresh)
	}
	// The hour counts from the last time, not from the first.
	if _, fresh, _ = b.Raise("rule", "rule.R14", Acquirer, 2, at+3599+3599); fresh {
		t.Error("an hour from the first time, not from the last")
	}
	if a, fresh, _ = b.Raise("rule", "rule.R14", Acquirer, 2, at+3599+3599+3600); !fresh || a.N != 4 {
		t.Errorf("an hour later: %+v %v", a, fresh)
	}
	if n := len(b.Waiting()); n != 4 || b.OpenN() != 4 {
		t.Errorf("%d wait, %d are open", n, b.OpenN())
	}
	// Its route takes it: a receipt, and still open; taking it twice is one receipt.
	if a, ok := b.Take(2, at+7300); !ok || a.Taken != at+7300 || !a.Open() {
		t.Errorf("%+v %v", a, ok)
	}
	if a, _ := b.Take(2, at+9999); a.Taken != at+7300 {
		t.Errorf("a second receipt: %+v", a)
	}
	if _, ok := b.Take(77, at); ok {
		t.Error("an alert that is none")
	}
	if w := b.Waiting(); len(w) != 3 || slices.ContainsFunc(w, func(a Alert) bool { return a.N == 2 }) {
		t.Errorf("%+v", w)
	}
	// A person sees the oldest first, and only once.
	for i, n := range []int{1, 2, 3, 4} {
		if a, ok := b.Ack(at+int64(i), 7); !ok || a.N != n || a.By != 7 || a.Open() {
			t.Errorf("%+v %v, want number %d", a, ok, n)
		}
	}
	if _, ok := b.Ack(at, 7); ok || b.OpenN() != 0 {
		t.Error("acknowledged twice")
	}
	// What a person has seen is delivered all the same.
	if len(b.Waiting()) != 3 {
		t.Error("a seen alert left the queue")
	}
	// As it was kept, so it is again, in whatever order the rows come.
	list := b.All()
	slices.Reverse(list)
	var c Bus
	c.Load(list)
	if !slices.EqualFunc(c.All(), b.All(), func(x, y Alert) bool {
		return x.N == y.N && x.Last == y.Last && x.Taken == y.Taken && x.Acked == y.Acked
	}) {
		t.Error("a bus loaded from its rows differs")
	}
	if a, _, _ := c.Raise("odd", "x", Merchant, 1, at+100_000); a.N != 5 {
		t.Errorf("after a start numbers go on from %d", a.N)
	}
}

// TestEscalation: fifteen minutes unacknowledged make an alert graver, once, and
// the acquirer hears of a merchant's.
func TestEscalation(t *testing.T) {
	for _, c := range []struct {
		route, to    Route
		grave, after int
	}{{Merchant, Acquirer, 1, 2}, {Maintenance, Maintenance, 2, 3}, {Security, Security, 3, 3}, {Acquirer, Acquirer, 2, 3}} {
		var b Bus
		b.Raise("odd", "k", c.route, c.grave, at)
		b.Take(1, at+1)
		if got := b.Due(at + 15*60 - 1); len(got) != 0 {
			t.Errorf("%s: early: %+v", c.route, got)
		}
		got := b.Due(at + 15*60)
		if len(got) != 1 || got[0].Route != c.to || got[0].Grave != c.after || !got[0].Raised {
			t.Errorf("%s: %+v", c.route, got)
			continue
		}
		if len(b.Waiting()) != 1 {
			t.Errorf("%s: nobody is told anew", c.route)
		}
		if got := b.Due(at + 3600); len(got) != 0 {
			t.Errorf("%s: escalated twice: %+v", c.route, got)
		}
	}
	var b Bus
	b.Raise("odd", "k", Merchant, 1, at)
	b.Ack(at+14*60, 1)
	if got := b.Due(at + 3600); len(got) != 0 {
		t.Errorf("seen in time and escalated: %+v", got)
	}
}

// TestAlertsThatWaitStay: when there are too many, what is done with goes, the
// oldest first; what waits for somebody stays.
func TestAlertsThatWaitStay(t *testing.T) {
	var b Bus
	for i := range mostAlert {
		b.Raise("odd", num(i), Merchant, 1, at)
	}
	b.Take(50, at)
	b.Take(90, at)
	for range 100 { // the first hundred are seen
		b.Ack(at, 1)
	}
	for i, want := range []int{50, 90} {
		if _, _, drop := b.Raise("odd", "more"+num(i), Merchant, 1, at); drop != want {
			t.Errorf("%d went, want %d", drop, want)
		}
	}
	if _, _, drop := b.Raise("odd", "last", Merchant, 1, at); drop != 1 || len(b.All()) != mostAlert {
		t.Errorf("%d went of %d", drop, len(b.All()))
	}
}

// TestTicket: what a customer says, what the device knows, what became of the
// money, and when somebody is told.
func TestTicket(t *testing.T) {
	for _, c := range []struct {
		sort   int
		fate   string
		closed bool
	}{{1, FatePaid, true}, {1, FateOpen, false}, {2, FateReversed, true}, {3, FatePaid, false}, {2, FateNone, true}} {
		var d Desk
		x, drop := d.Open(Ticket{At: at, Sort: c.sort, Fate: c.fate, Amount: 12800})
		if drop != 0 || (x.Closed != 0) != c.closed || x.N != 1 || x.No() != "F261124-0001" {
			t.Errorf("sort %d %s: %+v", c.sort, c.fate, x)
		}
	}
	var d Desk
	x, _ := d.Open(Ticket{At: at, Sort: 1, Fate: FateOpen, STAN: "000007", Amount: 12800, Card: "1234",
		Chain: []Step{{At: at - 60, What: "step.unknown", Amount: 12800}}})
	other, _ := d.Open(Ticket{At: at, Sort: 3, Fate: FatePaid})
	if open, late := d.OpenN(at + SLA); open != 2 || late != 0 {
		t.Errorf("%d open, %d late", open, late)
	}
	if _, late := d.OpenN(at + SLA + 1); late != 2 {
		t.Errorf("%d late after a day", late)
	}
	// While the reversal is open nothing changes and nobody is told a fate.
	asked := 0
	if got := d.Learn(at+60, func(Ticket) string { asked++; return FateOpen }); len(got) != 0 || asked != 1 {
		t.Errorf("%+v, asked %d times", got, asked)
	}
	if _, ok := d.News(); ok {
		t.Error("news of what is open")
	}
	if !says(x.Lines(), FateOpen, "128.00") || says(x.Lines(), FateReversed, "128.00") {
		t.Errorf("%v", x.Lines())
	}
	got := d.Learn(at+300, func(Ticket) string { return FateReversed })
	if len(got) != 1 || got[0].Fate != FateReversed || got[0].Closed != at+300 || got[0].Told != 0 {
		t.Fatalf("%+v", got)
	}
	if !says(got[0].Lines(), FateReversed, "128.00") || !says(got[0].Lines(), "step.unknown", clock(at-60)) {
		t.Errorf("%v", got[0].Lines())
	}
	news, ok := d.News()
	if !ok || news.N != x.N {
		t.Fatalf("%+v %v", news, ok)
	}
	d.Tell(x.N, at+400)
	if _, ok = d.News(); ok {
		t.Error("told twice")
	}
	// A settled fate is not asked again; a person's word closes the last one.
	d.Learn(at+900, func(Ticket) string { t.Error("asked for a fate that is settled"); return FatePaid })
	if y, ok := d.Close(at + 1000); !ok || y.N != other.N {
		t.Errorf("%+v %v", y, ok)
	}
	if _, ok := d.Close(at + 1001); ok {
		t.Error("closed twice")
	}
	// Open tickets outlive closed ones.
	for range mostTickets {
		if _, drop := d.Open(Ticket{At: at, Sort: 1, Fate: FateOpen}); drop > other.N {
			t.Fatalf("%d went, which is open", drop)
		}
	}
}

// says tells whether a page has a line with a value.
func says(page []Line, key, value string) bool {
	return slices.ContainsFunc(page, func(l Line) bool {
		return l.Key == key && (value == "" || slices.ContainsFunc(l.A, func(a string) bool { return strings.Contains(a, value) }))
	})
}
