package txn

import "swipewell/firmware/pos"

// OrderSignOn is the processing requirement 3 in a response header: sign on
// again after this transaction. HOST §1.1.
const OrderSignOn = 3

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
