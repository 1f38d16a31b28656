package days

import (
	"testing"
	"time"
)

// Each peer by its own window, key and memory.
func TestPeers(t *testing.T) {
	at := func(s float64, change func(*Attempt)) Attempt {
		a := Attempt{At: 30*day + time.Duration(s*float64(time.Second)), Day: 30, Card: 1, Last4: 77, Chunk: 622_200_000_001, Chip: true, Amount: 1280, Counted: true}
		if change != nil {
			change(&a)
		}
		return a
	}
	other := func(a *Attempt) { a.Card, a.Last4, a.Chunk = 2, 78, 622_200_000_002 }
	sibling := func(a *Attempt) { a.Card, a.Last4 = 2, 78 } // the same twelve digits
	tail := func(a *Attempt) { a.Card, a.Chunk = 2, 622_200_000_002 }
	dearer := func(a *Attempt) { a.Amount++ }
	declined := func(a *Attempt) { a.Answer = Declines }
	gone := func(a *Attempt) { a.Answer = LostBefore }
	half := func(a *Attempt) { a.Answer = LostBooked }
	taken := func(a *Attempt) { a.Undo = true }
	billed := func(a *Attempt) { a.Ref = 9 }
	striped := func(a *Attempt) { a.Chip = false }
	yesterday := func(a *Attempt) { a.Day-- }
	list := func(n int, step float64) (out []Attempt) {
		for i := range n {
			out = append(out, at(float64(i)*step, nil))
		}
		return out
	}
	one := func(change func(*Attempt)) []Attempt { return []Attempt{at(0, change)} }
	for _, c := range []struct {
		peer string
		what string
		past []Attempt
		a    Attempt
		stop bool
	}{
		{"Authorize.net 120 s", "within", one(nil), at(119, nil), true},
		{"Authorize.net 120 s", "after", one(nil), at(120, nil), false},
		{"Authorize.net 120 s", "another amount", one(nil), at(5, dearer), false},
		{"Authorize.net 120 s", "another card", one(other), at(5, nil), false},
		{"Authorize.net 120 s", "a refusal counts", one(declined), at(5, nil), true},
		{"Authorize.net 120 s", "another invoice", one(billed), at(5, nil), false},
		{"Authorize.net 120 s", "it never arrived", one(gone), at(5, nil), false},
		{"Authorize.net 120 s", "it arrived, the answer did not", one(half), at(5, nil), true},
		{"Braintree, Portico 30 s", "within", one(nil), at(29, nil), true},
		{"Braintree, Portico 30 s", "after", one(nil), at(30, nil), false},
		{"Braintree, Portico 30 s", "a refusal does not count", one(declined), at(5, nil), false},
		{"Braintree, Portico 30 s", "voided", one(taken), at(5, nil), false},
		{"Braintree, Portico 30 s", "another order", one(nil), at(5, billed), false},
		{"Helcim, Tempus 5 min", "within", one(nil), at(299, nil), true},
		{"Helcim, Tempus 5 min", "after", one(nil), at(300, nil), false},
		{"Helcim, Tempus 5 min", "an order number changes nothing", one(nil), at(5, billed), true},
		{"Helcim, Tempus 5 min", "another amount", one(nil), at(5, dearer), false},
		{"Clover 1 h, last four", "another amount", one(nil), at(3599, dearer), true},
		{"Clover 1 h, last four", "another card with that tail", one(tail), at(60, nil), true},
		{"Clover 1 h, last four", "another tail", one(sibling), at(60, nil), false},
		{"Clover 1 h, last four", "after", one(nil), at(3600, nil), false},
		{"PAX, last transaction", "the last one", one(nil), at(7200, nil), true},
		{"PAX, last transaction", "somebody in between", append(one(nil), at(5, other)), at(10, nil), false},
		{"PAX, last transaction", "a refusal in between", append(one(nil), at(5, func(a *Attempt) { other(a); declined(a) })), at(10, nil), true},
		{"PAX, last transaction", "no answer", one(gone), at(10, nil), true},
		{"PAX, last transaction", "another amount", one(nil), at(10, dearer), false},
		{"Toast, back to back", "another amount", one(nil), at(10, dearer), true},
		{"Toast, back to back", "somebody in between", append(one(nil), at(5, other)), at(10, nil), false},
		{"Toast, back to back", "a stripe", one(nil), at(10, striped), false},
		{"Adyen 12 digits, 6 in 6 h", "the sixth", list(5, 60), at(400, nil), false},
		{"Adyen 12 digits, 6 in 6 h", "the seventh", list(6, 60), at(400, nil), true},
		{"Adyen 12 digits, 6 in 6 h", "a sibling's", list(6, 60), at(400, sibling), true},
		{"Adyen 12 digits, 6 in 6 h", "one is too old", list(6, 60), at(6*3600, nil), false},
		{"CN, 3rd in 5 min", "the second", list(1, 60), at(100, nil), false},
		{"CN, 3rd in 5 min", "the third", list(2, 60), at(100, dearer), true},
		{"CN, 3rd in 5 min", "one is too old", list(2, 60), at(300, nil), false},
		{"CN, 30 min apart", "another amount", one(nil), at(1799, dearer), true},
		{"CN, 30 min apart", "after", one(nil), at(1800, nil), false},
		{"CN, 30 min apart", "a refusal", one(declined), at(5, nil), false},
		{"CN, 5 a day", "the fifth", list(4, 3600), at(15_000, nil), false},
		{"CN, 5 a day", "the sixth", list(5, 3600), at(20_000, nil), true},
		{"CN, 5 a day", "one was yesterday", append(one(yesterday), list(4, 3600)...), at(20_000, nil), false},
	} {
		found := false
		for _, p := range Peers {
			if p.Name != c.peer {
				continue
			}
			found = true
			if got := p.Stop(c.past, c.a); got != c.stop {
				t.Errorf("%s, %s: stopped %v", c.peer, c.what, got)
			}
		}
		if !found {
			t.Errorf("there is no %s", c.peer)
		}
	}
}

// judge: an honest order counts once, a repeat is no honest order, and what a
// peer lets pay needs no further try.
func TestJudge(t *testing.T) {
	n := int32(0)
	var trace []Attempt
	add := func(s float64, order int32, truth Truth, answer Answer) *Attempt {
		n++
		trace = append(trace, Attempt{At: day + time.Duration(s*float64(time.Second)), Day: 1, Order: order, Card: 1, Amount: 100, Chip: true, Counted: true, Truth: truth, Answer: answer})
		return &trace[len(trace)-1]
	}
	add(0, 1, Honest, Approves)
	add(20, 1, Repeat, Approves).Late = 20 * time.Second // stopped by whoever has 30 s
	add(25, 2, Honest, Approves)                         // an honest second one
	add(28, 2, Honest, Approves)                         // ours had stopped it; a peer that let it pay sees it no more
	add(4000, 3, Honest, LostBooked)
	add(4010, 3, Reswipe, Approves)
	trace = append(trace, Attempt{At: day + 4020*time.Second, Order: 3, Undo: true})
	add(4030, 3, Honest, Approves)
	find := func(name string) PeerResult {
		for _, r := range ComparePeers(trace) {
			if r.Name == name {
				return r
			}
		}
		t.Fatalf("no %s", name)
		return PeerResult{}
	}
	r := find("Braintree, Portico 30 s")
	if all := r.All(); r.Payments != 3 || r.Refused != 1 || all.Count != 1 || all.Stopped != 1 || r.Reswipes != 1 || r.Held != 1 || r.Booked != 1 || r.BookHeld != 1 || r.Double != 0 {
		t.Errorf("%+v", r)
	}
	r = find("PAX, last transaction")
	if all := r.All(); r.Asked != 2 || r.Refused != 0 || all.Asked != 1 || r.Held != 1 {
		t.Errorf("%+v", r)
	}
	r = find("CN, 5 a day")
	if all := r.All(); r.Interrupted() != 0 || all.Surfaced() != 0 || r.Held != 0 || r.Double != 1 {
		t.Errorf("%+v", r)
	}
}
