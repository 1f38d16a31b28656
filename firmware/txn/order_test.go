package txn

import (
	"testing"
	"time"

	"swipewell/ui/prompt"
)

// slotted is a desk whose device reads chips.
func slotted(t interface{ Fatalf(string, ...any) }) *desk {
	d := newDesk(t)
	d.s.Profile.Slot, d.s.Profile.Fallback = true, 1
	d.s.Profile.Offline = Offline{Each: 1_000_000, Total: 1_000_000, Count: 10, Age: 24 * time.Hour}
	return d
}

// ordering pays once; the answer's header orders something.
func (d *desk) ordering(n int) {
	d.toOnline(cardA)
	r := approval()
	r.Order = n
	d.do(Event{Kind: SaleDone, Reply: r})
	d.do(Event{Kind: PrintDone, ID: d.s.Durable.Last.ID})
}

func (d *desk) quiet() { d.do(Event{Kind: TimerExpired, N: d.s.Timer}) }

// TestOrders: what the header of an answer orders is downloaded once, when nobody
// stands at the desk any more. HOST §1.1.
func TestOrders(t *testing.T) {
	for _, c := range []struct {
		order int
		of    []TableSort
	}{{OrderKeys, []TableSort{KeyTable}}, {OrderApps, []TableSort{AppTable}}, {0, nil}, {6, nil}, {7, nil}} {
		d := slotted(t)
		d.ordering(c.order)
		d.want(prompt.Approved) // the customer reads it
		if _, ok := d.sentTables(); ok {
			t.Errorf("%d: the result is covered at once", c.order)
		}
		d.quiet()
		for i, of := range c.of {
			s, ok := d.sentTables()
			if !ok || s.Of != of || s.Step != TablesList {
				t.Fatalf("%d.%d: %v", c.order, i, d.fx)
			}
			d.tables(TablesFacts{})
			d.tables(TablesFacts{})
		}
		if want := map[bool]prompt.Code{true: prompt.TablesDone, false: prompt.Approved}[len(c.of) > 0]; d.s.Code != want {
			t.Errorf("%d: %v %v", c.order, d.s.Phase, d.s.Code)
		}
		d.keys("cancel")
		if d.quiet(); d.s.Phase != Ready {
			t.Errorf("%d: carried out twice: %v", c.order, d.s.Phase)
		}
	}
}

// TestOrdersWait: who goes on selling keeps an order waiting, both tables are one
// download, and a device without a slot has no use for either.
func TestOrdersWait(t *testing.T) {
	d := slotted(t)
	d.ordering(OrderKeys)
	d.keys("enter")
	d.ordering(OrderApps)
	d.keys("enter")
	d.want(prompt.Idle)
	d.quiet()
	var of []TableSort
	for {
		s, ok := d.sentTables()
		if !ok {
			break
		}
		of = append(of, s.Of)
		d.tables(TablesFacts{})
	}
	if len(of) != 4 || of[0] != KeyTable || of[3] != AppTable || d.s.Code != prompt.TablesDone {
		t.Errorf("%v %v", of, d.s.Code)
	}

	d = newDesk(t)
	d.ordering(OrderKeys)
	if d.quiet(); d.s.Phase != Result {
		t.Errorf("no slot: %v", d.s.Phase)
	}
}

// TestOrdersFail: one that fails is not repeated, the next order is let pass, and the
// one behind it counts.
func TestOrdersFail(t *testing.T) {
	for name, fail := range map[string]func(d *desk){
		"no line":    func(d *desk) { d.do(Event{Kind: TablesDone, Reply: Reply{Kind: NotSent, Code: prompt.NetBusy}}) },
		"no answer":  func(d *desk) { d.do(Event{Kind: TablesDone, Reply: Reply{Kind: NoAnswer}}) },
		"refused":    func(d *desk) { d.do(Event{Kind: TablesDone, Reply: Reply{Kind: Answered, RC: "12"}}) },
		"given up":   func(d *desk) { d.keys("cancel"); d.tables(TablesFacts{Want: 1}) },
		"unreadable": func(d *desk) { d.tables(TablesFacts{Bad: true}) },
	} {
		d := slotted(t)
		d.ordering(OrderKeys)
		d.quiet()
		fail(d)
		if d.s.Phase != Result || d.s.Code == prompt.TablesDone {
			t.Fatalf("%s: %v %v", name, d.s.Phase, d.s.Code)
		}
		d.keys("cancel")
		if d.quiet(); d.s.Phase != Ready {
			t.Errorf("%s: repeated at once", name)
		}
		for i, want := range []Phase{Result, Fetching} {
			d.ordering(OrderKeys)
			if d.quiet(); d.s.Phase != want {
				t.Errorf("%s: round %d: %v, want %v", name, i+1, d.s.Phase, want)
			}
		}
	}
}
