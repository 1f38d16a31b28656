package days

import "time"

// Peer is what another product does about the same card again. Stop is pure: it
// looks at what the peer has let through, the oldest first, and says whether
// this attempt is stopped.
type Peer struct {
	Name    string
	Refuses bool // what it stops it refuses; else it asks
	Stop    func(past []Attempt, a Attempt) bool
}

// Peers, by their defaults. What they are told is what they would know: a server
// has never heard of a request that was lost, a terminal has. Where a source
// leaves open what an earlier attempt must have come to, the reading is the one
// that stops fewer honest payments.
var Peers = []Peer{
	// AN: the same card, amount and invoice within two minutes, whatever the first
	// came to ("if the original transaction was declined …").
	{"Authorize.net 120 s", true, func(past []Attempt, a Attempt) bool {
		return some(past, a.At-120*time.Second, func(p Attempt) bool { return same(p, a) && p.Answer != LostBefore })
	}},
	// BT, PF: amount, card and order the same within 30 s; Portico compares with
	// what was approved, and so is Braintree read.
	{"Braintree, Portico 30 s", true, func(past []Attempt, a Attempt) bool {
		return some(past, a.At-30*time.Second, func(p Attempt) bool { return same(p, a) && booked(p) })
	}},
	// HEL: successful transactions within five minutes, card, name and amount the
	// same; Tempus has the same window. An order number changes nothing.
	{"Helcim, Tempus 5 min", true, func(past []Attempt, a Attempt) bool {
		return some(past, a.At-5*time.Minute, func(p Attempt) bool { return p.Card == a.Card && p.Amount == a.Amount && booked(p) })
	}},
	// CLV: a card with the same last four digits within an hour, any amount.
	{"Clover 1 h, last four", false, func(past []Attempt, a Attempt) bool {
		return some(past, a.At-time.Hour, func(p Attempt) bool { return p.Last4 == a.Last4 && booked(p) })
	}},
	// PAX: the most recent transaction on the device has this card and amount. It
	// saw the request of a lost answer leave; a refusal is not in its batch.
	{"PAX, last transaction", false, func(past []Attempt, a Attempt) bool {
		return last(past, func(p Attempt) bool { return p.Answer != Declines && !p.Undo }, func(p Attempt) bool { return p.Card == a.Card && p.Amount == a.Amount })
	}},
	// TST: two payments in a row on one chip card, any amount.
	{"Toast, back to back", false, func(past []Attempt, a Attempt) bool {
		return last(past, func(p Attempt) bool { return p.Answer != Declines && !p.Undo }, func(p Attempt) bool { return p.Card == a.Card && a.Chip })
	}},
	// ADY: six attempts on the first twelve digits within six hours; here it
	// refuses, though there it adds to a score.
	{"Adyen 12 digits, 6 in 6 h", true, func(past []Attempt, a Attempt) bool {
		return number(past, a.At-6*time.Hour, func(p Attempt) bool { return p.Chunk == a.Chunk && p.Answer != LostBefore }) >= 6
	}},
	// CN, "same card >2/5 min": the third payment within five minutes.
	{"CN, 3rd in 5 min", true, func(past []Attempt, a Attempt) bool {
		return number(past, a.At-5*time.Minute, func(p Attempt) bool { return p.Card == a.Card && booked(p) }) >= 2
	}},
	// CN, "same card, same terminal": half an hour between two payments.
	{"CN, 30 min apart", true, func(past []Attempt, a Attempt) bool {
		return some(past, a.At-30*time.Minute, func(p Attempt) bool { return p.Card == a.Card && booked(p) })
	}},
	// CN, five payments a card and day.
	{"CN, 5 a day", true, func(past []Attempt, a Attempt) bool {
		return number(past, a.At-day, func(p Attempt) bool { return p.Card == a.Card && p.Day == a.Day && booked(p) }) >= 5
	}},
}

// same: what a server compares; a number that was keyed and differs makes it
// another transaction.
func same(p, a Attempt) bool { return p.Card == a.Card && p.Amount == a.Amount && p.Ref == a.Ref }

// booked: it stands at the host.
func booked(p Attempt) bool { return (p.Answer == Approves || p.Answer == LostBooked) && !p.Undo }

// number counts the attempts after a time for which is holds.
func number(past []Attempt, after time.Duration, is func(Attempt) bool) (n int) {
	for i := len(past) - 1; i >= 0 && past[i].At > after; i-- {
		if is(past[i]) {
			n++
		}
	}
	return n
}

// some tells whether is holds for an attempt after a time.
func some(past []Attempt, after time.Duration, is func(Attempt) bool) bool {
	for i := len(past) - 1; i >= 0 && past[i].At > after; i-- {
		if is(past[i]) {
			return true
		}
	}
	return false
}

// last tells whether is holds for the youngest attempt that is kept.
func last(past []Attempt, kept, is func(Attempt) bool) bool {
	for i := len(past) - 1; i >= 0; i-- {
		if kept(past[i]) {
			return is(past[i])
		}
	}
	return false
}
