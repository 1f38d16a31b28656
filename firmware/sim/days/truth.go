package days

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
)

// Truth is what an attempt is, as only the maker of the traffic knows.
type Truth uint8

const (
	// Honest: the order is not paid, and nothing of it is open.
	Honest Truth = iota
	// Repeat: the order is paid already, and is charged once more by mistake.
	Repeat
	// Reswipe: the same card again while nobody knows what became of its last try.
	Reswipe
)

var truths = [...]string{"honest", "repeat", "reswipe"}

func (t Truth) String() string { return truths[min(int(t), len(truths)-1)] }

// Answer is what the host says to an attempt, or would have said.
type Answer uint8

const (
	Approves   Answer = iota
	Declines          // with Attempt.RC
	LostBooked        // it books, and the answer is lost
	LostBefore        // the request is lost
)

// Attempt is one card presented for one order. The list of them is what every
// peer is held against.
type Attempt struct {
	At      time.Duration // throttle time of the presentation
	Day     int32         // the acquirer's
	Order   int32
	Truth   Truth
	Counted bool // not of the weeks before the count
	Card    int32
	Last4   uint16
	Chunk   uint64 // the first twelve digits
	Chip    bool
	Amount  int64         // minor units
	Ref     int32         // number of the order as keyed; 0 none
	Answer  Answer        // had it been sent
	RC      throttle.RC   // Declines
	Late    time.Duration // Repeat: since the approval

	// Undo: no attempt, but the word that all of Order was taken back, by a void or
	// by a reversal.
	Undo bool

	// What ours did.
	Action throttle.Action
	Rule   throttle.ID
	Held   bool // by the gate of an open payment
	Sent   bool
}

// charged: it was sent, and the host booked it.
func (a *Attempt) charged() bool {
	return a.Sent && (a.Answer == Approves || a.Answer == LostBooked)
}

// order is what a customer means to pay once.
type order struct {
	id     int32
	amount int64 // minor units: of one ticket times how many
	price  int64 // what is keyed
	qty    int   // tickets; 0: the shop sells none
	keyQty bool  // how many is keyed, rather than enter alone
	ref    int32 // its number; 0: it has none, or none is keyed

	state   orderState
	card    int32         // that paid, or whose payment is open
	paid    time.Duration // throttle time of the approval
	seen    seen          // what an honest customer met
	counted bool

	charges int   // that stand at the host
	net     int64 // minor units
	again   bool  // it was charged by an accidental repeat that nobody stopped
}

type orderState uint8

const (
	unpaid orderState = iota
	open              // a payment is on its way, or its reversal is
	paid
	undone // paid, and voided
)

// seen is what a purchase met, each counted once.
type seen uint8

const (
	seenAsk seen = 1 << iota
	seenNote
	seenAbsorb
	seenWait
	seenCall
	seenRefuse
	seenPassed
	seenNeedless // stopped, and the bank would have paid
)

// truth is what an attempt to pay an order with a card is.
func (o *order) truth(card int32) Truth {
	switch {
	case o.state == paid:
		return Repeat
	case o.state == open && o.card == card:
		return Reswipe
	}
	return Honest
}

// booking is one entry of the host's books.
type booking struct {
	o        *order
	amount   int64
	standing bool
}

// undo takes a booking back.
func (b *booking) undo() {
	if b.standing {
		b.standing = false
		b.o.charges--
		b.o.net -= b.amount
	}
}

// plan is what the host will make of the attempt in front of it.
type plan struct {
	answer  Answer
	rc      pos.ResponseCode
	o       *order
	trouble time.Duration // of a lost answer: how long its reversal gets none
}
