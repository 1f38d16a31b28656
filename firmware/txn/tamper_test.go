package txn

import (
	"testing"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// A terminal whose case was opened is out of use for good: the open request becomes a
// record for people, nothing is sent or sold any more, and only a ticket closes it.
func TestTampered(t *testing.T) {
	d := newDesk(t)
	d.toOnline(cardA)
	in := d.s.Durable.Open
	again := func(code prompt.Code) {
		d.s = New(d.s.Durable)
		d.do(Event{Kind: Booted, Profile: profile, Code: code})
	}
	again(prompt.TamperOpen)
	for i := range 3 {
		if !d.s.Durable.Tampered || d.s.Phase != Halted || d.s.Code != prompt.TamperOpen || d.s.Durable.Open.Open() {
			t.Fatalf("life %d: %v %v %+v", i, d.s.Phase, d.s.Code, d.s.Durable.Open)
		}
		if r, ok := d.rows[in.ID]; !ok || r.State != pos.RecordQueued {
			t.Fatalf("life %d: its record: %+v", i, r)
		}
		for _, e := range []Event{{Kind: KeyPressed, Key: "1"}, {Kind: KeyPressed, Key: "enter"}, {Kind: KeyPressed, Key: "menu"}, {Kind: Presented, Card: cardB}, {Kind: OutboxDue}, {Kind: Mended}, {Kind: Tick},
			{Kind: SaleDone, Reply: approval()}} {
			d.do(e)
			_, sale := has[SendSale](d.fx)
			_, record := has[SendRecord](d.fx)
			_, signOn := has[SendSignOn](d.fx)
			if sale || record || signOn || d.s.Phase != Halted || len(d.sales) != 0 {
				t.Fatalf("life %d, %s: sends, or sells: %v", i, e.Kind, d.fx)
			}
		}
		again("") // nobody says so but the store
	}
	d.do(Event{Kind: Closed, Record: d.rows[in.ID], Reason: "ticket 1"})
	if len(d.rows) != 0 || d.s.Durable.Reversals != 0 || d.s.Phase != Halted {
		t.Errorf("closed: %d left, %v", len(d.rows), d.s.Phase)
	}
}
