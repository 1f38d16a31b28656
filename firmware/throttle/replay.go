package throttle

import (
	"encoding/binary"
	"time"
)

// Trial is one attempt of the past under a set.
type Trial struct {
	Event    Event
	Decision Decision
}

// Flags of a payment's event, in N: what a rule may look at beside its amount.
const (
	FlagOrder    = 1 << iota // it had an order reference
	FlagQuantity             // the cashier had keyed how many
	FlagLinked               // it referred to an original
)

// Replay asks a set about every attempt of a history, in order, each with what
// the device then knew. It is the same Decide that the device asks. What cannot
// be known afterwards is left out: a grant, a lock of a way of entry, a pace. A
// payment that the set would have stopped still counts for those after it: it was
// made.
func (r *Rules) Replay(events []Event, learned Learned, zone time.Duration, f func(Trial)) {
	b := NewBook(0)
	b.Learn(learned)
	form := uint16(0)
	for _, e := range events {
		local := time.Duration(e.Wall)*time.Second + zone
		now := Moment{At: e.At, Day: int32(local / dayLength), Minute: int32((local/time.Minute + 3*24*60) % (7 * 24 * 60))}
		var key Key
		if e.Tags.Card != 0 {
			binary.BigEndian.PutUint64(key[:], e.Tags.Card)
		}
		scopes := Scopes{Key: key, Tags: e.Tags}
		on, tried := PreSale, isPayment(e.What) && e.Outcome != Reversed || e.What == Stopped || e.What == Absorbed
		what := e.What
		switch e.What {
		case Stopped, Absorbed:
			what = Sale
		case Refund:
			on, tried = OnRefund, e.Outcome != Reversed
		case Void:
			on, tried = OnVoid, e.Outcome != Reversed
		}
		if tried {
			form++
			facts := b.Facts(scopes, now)
			facts.Limit = r.Set.Limit
			d := r.Decide(Attempt{On: on, What: what, Amount: e.Amount, Op: e.Op, Entry: e.Entry, Form: form, Order: e.N&FlagOrder != 0, Qty: e.N&FlagQuantity != 0,
				Linked: e.N&FlagLinked != 0 || e.What == Completion}, facts)
			f(Trial{e, d})
			if d.Changed && !d.Cooled.Key.IsZero() {
				b.Keep(d.Cooled, now.At)
			}
		}
		// The history goes on as it was.
		if !key.IsZero() {
			c := b.cards.Get(key)
			switch {
			case e.Outcome == Reversed:
				c = c.Amend(e.Amount, Unknown, Reversed, now.Day)
			case e.What == Void && e.Outcome == Approved:
				c = c.Amend(e.Amount, Approved, Voided, now.Day)
			case isPayment(e.What):
				c = c.Add(Seen{At: e.At, Amount: e.Amount, Outcome: e.Outcome, RC: e.RC, Op: e.Op, Kind: e.What}, now.Day)
			}
			if c.Key.IsZero() {
				c.Key = key
			}
			b.Keep(c, now.At)
		}
		b.Note(e, now.Day)
	}
}

// Tried is what a set would have done over a history.
type Tried struct {
	Attempts int            `json:"attempts"`
	From, To int64          `json:"-"`    // Unix seconds
	Hits     map[string]int `json:"hits"` // of each rule
	Actions  map[string]int `json:"actions"`
}

// Try counts what a set would have done.
func (r *Rules) Try(events []Event, learned Learned, zone time.Duration) (t Tried, stops []bool) {
	t.Hits, t.Actions = map[string]int{}, map[string]int{}
	r.Replay(events, learned, zone, func(x Trial) {
		t.Attempts++
		if t.From == 0 {
			t.From = x.Event.Wall
		}
		t.To = x.Event.Wall
		for _, h := range x.Decision.Hits[:x.Decision.HitCount] {
			t.Hits[h.ID.String()]++
		}
		t.Actions[x.Decision.Action.String()]++
		stops = append(stops, x.Decision.Action.Stops())
	})
	return t, stops
}

// Compare tells how many attempts b would have stopped that a let pass, and the
// other way round.
func Compare(a, b []bool) (more, less int) {
	for i := range min(len(a), len(b)) {
		switch {
		case b[i] && !a[i]:
			more++
		case a[i] && !b[i]:
			less++
		}
	}
	return more, less
}
