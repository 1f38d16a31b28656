package txn

import (
	"time"

	"swipewell/firmware/pos"
)

// Processing requirements in a response header, to be carried out after this
// transaction. HOST §1.1.
const (
	OrderStatus = 2 // upload the status
	OrderSignOn = 3 // sign on again
	OrderKeys   = 4 // download the keys for chip cards
	OrderApps   = 5 // download the applications for chip cards
)

// Wanted is what the host has ordered of the tables and nobody has begun yet.
type Wanted struct {
	Keys, Apps bool
	Skip       bool // the last order failed: the next one is let pass
}

// orderWait is how long nobody must have touched the desk before an order that takes
// the screen is carried out.
const orderWait = 10 * time.Second

// ordered notes what the host has ordered in the header of an answer: carried out
// once, after the present transaction; after one that failed, an order is let pass.
func (m *machine) ordered(r Reply) {
	w := &m.Wanted
	switch r.Order {
	case OrderSignOn:
		m.WantSignOn = true
	case OrderStatus:
		m.orderedStatus()
	case OrderKeys, OrderApps:
		if w.Skip || !m.Profile.Slot {
			w.Skip = false
			return
		}
		w.Keys, w.Apps = w.Keys || r.Order == OrderKeys, w.Apps || r.Order == OrderApps
		m.awaitQuiet()
	}
}

// awaitQuiet waits for a desk at which nobody stands, if something is ordered.
func (m *machine) awaitQuiet() {
	if (m.Wanted.Keys || m.Wanted.Apps) && (m.Phase == Ready || m.Phase == Result) {
		m.arm(orderWait)
	}
}

// carryOut begins what was ordered.
func (m *machine) carryOut() {
	switch w := &m.Wanted; {
	case !w.Keys && !w.Apps:
	case m.Work != WorkNone: // the outbox is at the line
		m.awaitQuiet()
	default:
		m.fetchTables(w.Keys, w.Apps)
		m.Tables.Ordered = true
		w.Keys, w.Apps = false, false
	}
}

// verdictKind is what an answer's DE 39 means for money. HOST §2.
type verdictKind uint8

const (
	vDeclined verdictKind = iota // final: nothing was booked
	vApproved
	vNoProof // no proof that nothing was booked: the reversal goes out
	vKeys    // MAC, PIN key or sign-on state is off
)

// verdict classes DE 39 as money rule 4 and HOST §2 do. An unknown code is a
// refusal: under a valid MAC the host's word that it did not approve.
func verdict(rc pos.ResponseCode) verdictKind {
	switch rc {
	case "00", "10", "11", "A2", "A4", "A5", "A6":
		return vApproved
	case "06", "09", "68", "96", "98":
		return vNoProof
	case "A0", "77", "88", "97", "99", "A7":
		return vKeys
	}
	return vDeclined
}

// macGood tells whether the answer may be believed. Only a profile can say
// that a host sends no MAC, and then a wrong one is still wrong.
func (m *machine) macGood(r Reply, v verdictKind) bool {
	switch r.MAC {
	case MACValid:
		return true
	case MACMissing:
		return m.Profile.NoMAC || m.Profile.NoMACDeclines && v != vApproved
	}
	return false
}
