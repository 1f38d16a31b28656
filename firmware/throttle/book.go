package throttle

import "time"

// Book is what a desk remembers: the table of cards and the log, a copy in
// memory of the store's rows. The loop owns it.
type Book struct {
	cards   *Table
	log     Log
	learned Learned
	day     int32
	took    int64 // approved that day, minor units
}

// NewBook is an empty one for so many cards; 0 means MaxCards.
func NewBook(most int) *Book { return &Book{cards: NewTable(most)} }

// Cards is how many cards are tracked.
func (b *Book) Cards() int { return b.cards.Len() }

// Log is the youngest events.
func (b *Book) Log() *Log { return &b.log }

// Learn takes what the merchant's past says.
func (b *Book) Learn(l Learned) { b.learned = l }

// Learned is what was learned last.
func (b *Book) Learned() Learned { return b.learned }

// Facts are what rules look at for a card; Desk, Limit, Grant and the flags are
// the caller's to fill in.
func (b *Book) Facts(s Scopes, now Moment) Facts {
	f := Facts{Now: now, Tags: s.Tags, Log: &b.log, Learned: b.learned}
	if !s.Key.IsZero() {
		f.Card = b.cards.Get(s.Key)
		if !b.cards.Has(s.Key) {
			_, f.Full = b.cards.room(Guard{now.At, b.learned.P95})
		}
	}
	if b.day == now.Day {
		f.DeskDay = b.took
	}
	return f
}

// Keep takes a card as a commit has it. If another had to go, gone is its key;
// full tells that the table has no room for it.
func (b *Book) Keep(c Card, now Time) (gone Key, full bool) {
	gone, ok := b.cards.Put(c, Guard{now, b.learned.P95})
	return gone, !ok
}

// Has tells whether a card is tracked.
func (b *Book) Has(k Key) bool { return b.cards.Has(k) }

// Room is what must go before a card that is not tracked fits: a key, zero if
// there is room; full if nothing may go.
func (b *Book) Room(k Key, now Time) (gone Key, full bool) {
	if b.cards.Has(k) {
		return gone, false
	}
	return b.cards.room(Guard{now, b.learned.P95})
}

// Drop forgets a card.
func (b *Book) Drop(k Key) { b.cards.Drop(k) }

// Note takes an event as a commit has it. day is that of the event.
func (b *Book) Note(e Event, day int32) {
	switch {
	case e.Outcome == Reversed:
		b.amended(e.Tags, e.Amount, Unknown, Reversed)
		return
	case e.What == Void && e.Outcome == Approved:
		b.amended(e.Tags, e.Amount, Approved, Voided)
	}
	b.log.Add(e)
	if e.Outcome == Approved && isPayment(e.What) {
		if b.day != day {
			b.day, b.took = day, 0
		}
		b.took += e.Amount
	}
}

// amended follows what became of an earlier event.
func (b *Book) amended(t Tags, amount int64, was, is Outcome) {
	if b.log.Amend(t.Card, amount, was, is) && was == Approved {
		b.took = max(b.took-amount, 0)
	}
}

// Load takes rows as they were when the device last had power: cards in any
// order, then events, the oldest first.
func (b *Book) Load(cards []Card, events []Event, zone time.Duration) {
	sortByAge(cards)
	for _, c := range cards {
		b.cards.Put(c, Guard{})
	}
	for _, e := range events {
		b.Note(e, int32((time.Duration(e.Wall)*time.Second+zone)/dayLength))
	}
}
