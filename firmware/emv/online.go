package emv

import "bytes"

// goOnline asks for the issuer's word; a terminal that has no line is unable to
// go online. B3 §10.9, §10.8.
func (n *session) goOnline() Output {
	if n.offlineOnly() {
		n.fate = neverSent
		return n.unable()
	}
	n.fate = asked
	n.at = atHost
	return AskOnline{PINHandle: n.pinHandle, HasPIN: n.hasPIN}
}

// gotHost takes the answer, or its absence. B3 §10.9.
//
// The Book lets a terminal that got no answer decide by the default codes. Here
// only if no byte left: else the issuer may have booked, a TC would pay a second
// time for what the reversal takes back, and so the card is asked to decline.
func (n *session) gotHost(h Host) Output {
	n.host = h
	switch h.Reach {
	case NeverSent:
		n.fate = neverSent
		return n.unable()
	case Answered:
	default:
		n.fate = noAnswer
		n.term.put(0x8A, arcUnableDeclined)
		return n.generateAC2(typeAAC)
	}
	n.fate = hostDeclined
	if h.Approved {
		n.fate = hostApproved
	}
	n.term.put(0x8A, []byte{h.ARC[0], h.ARC[1]})
	n.scripts = readScripts(h.Scripts)
	if len(h.AuthData) == 0 {
		return n.runScripts(false)
	}
	if len(h.AuthData) < 8 || len(h.AuthData) > 16 { // B3 §6.5.4.3
		n.tvr.set(IssuerAuthFailed)
		n.tsi.set(DidIssuerAuth)
		return n.runScripts(false)
	}
	n.term.put(0x91, bytes.Clone(h.AuthData))
	if !n.aip(aipIssuerAuth) {
		return n.runScripts(false) // the card takes it in CDOL2, or not at all
	}
	return n.send(atExternalAuth, apduExternalAuth(h.AuthData))
}

// gotExternalAuth: any status but 9000 is a failed issuer authentication; it is
// done at most once. B3 §10.9, §6.5.4.5.
func (n *session) gotExternalAuth(r Response) Output {
	n.tsi.set(DidIssuerAuth)
	if r.SW != swOK {
		n.tvr.set(IssuerAuthFailed)
	}
	return n.runScripts(false)
}

// complete asks for the last cryptogram: a TC if the issuer approved. B3 §10.9.
func (n *session) complete() Output {
	if n.fate == hostApproved {
		return n.generateAC2(typeTC)
	}
	return n.generateAC2(typeAAC)
}
