package emv

import (
	"bytes"

	"swipewell/firmware/emv/tlv"
)

// maxVerify is the most VERIFY commands of one transaction. A PIN try counter
// has four bits in 63Cx: a card that allows more does not count. B3 §6.5.12.5.
const maxVerify = 15

// passedOver: once bypassed, the PIN stays bypassed for later rules. B4 §6.3.4.3.
func (n *session) passedOver() bool {
	if n.bypassed {
		n.tvr.set(PINNotEntered)
	}
	return n.bypassed
}

// onlinePIN asks for a PIN that the issuer verifies. B3 §10.5.2.
func (n *session) onlinePIN() (bool, Output) {
	if n.passedOver() {
		return false, nil
	}
	n.at = atPIN
	return false, AskPIN{Kind: OnlinePIN, Left: -1}
}

// offlinePIN starts the PIN that the card verifies: the key first if it is
// enciphered, then the try counter. B3 §10.5.1, B2 §7.1.
func (n *session) offlinePIN(enciphered bool) (bool, Output) {
	if n.passedOver() || n.tvr.Has(PINTryLimit) {
		return false, nil
	}
	n.pinKey = rsaKey{}
	if enciphered {
		k, ok := n.pinEncipherment()
		if !ok {
			return false, nil
		}
		n.pinKey = k
	}
	return false, n.send(atTryCounter, apduGetData(0x9F17))
}

// gotTryCounter: a counter of 0 is a PIN that cannot be tried; a card that does
// not tell is asked by VERIFY. B3 §10.5.1.
func (n *session) gotTryCounter(r Response) Output {
	if v, ok := tlv.Only(r.Data, 0x9F17); r.SW == swOK && ok && len(v) == 1 {
		n.card.put(0x9F17, bytes.Clone(v))
		n.pinTries = int(v[0])
		if v[0] == 0 {
			n.tvr.set(PINTryLimit)
			return n.ruleEnds(false)
		}
	}
	return n.askPIN()
}

func (n *session) askPIN() Output {
	n.at = atPIN
	kind := PlainPIN
	if n.pinKey.ok() {
		kind = EncipheredPIN
	}
	return AskPIN{Kind: kind, Left: n.pinTries, Last: n.pinTries == 1, Bad: n.pinBad}
}

// gotPIN: what came of the entry. B3 §10.5.1, §10.5.2; B4 §6.3.4.
func (n *session) gotPIN(p PIN) Output {
	switch p.Result {
	case PINEntered:
	case PINBypassed:
		n.bypassed = true
		n.tvr.set(PINNotEntered)
		return n.ruleEnds(false)
	case PINBroken:
		n.tvr.set(PINPadMissing)
		return n.ruleEnds(false)
	case PINTimeout:
		return n.stop(TimedOut)
	default:
		return n.stop(WrongInput)
	}
	n.pinHandle = p.Handle
	if n.rules().rules[n.rule][0]&cvmCode == cvmOnlinePIN {
		n.hasPIN = true
		n.tvr.set(OnlinePINEntered)
		n.succeed(cvmResultUnknown)
		return n.ruleEnds(true)
	}
	if n.pinKey.ok() {
		return n.send(atChallenge, apduChallenge())
	}
	return n.verify(Verify{Header: [4]byte{0x00, 0x20, 0x00, 0x80}, Handle: p.Handle})
}

// verify sends VERIFY through the PIN pad. It counts as a command. B3 §6.5.12.
func (n *session) verify(v Verify) Output {
	if n.verifies++; n.verifies > maxVerify {
		return n.stop(CardStatus)
	}
	if out, ok := n.send(atVerify, nil).(Outcome); ok {
		return out
	}
	return v
}

// gotChallenge: without eight unpredictable bytes of the card the enciphered PIN
// has failed. B2 §7.2, step 1.
func (n *session) gotChallenge(r Response) Output {
	if r.SW != swOK || len(r.Data) != 8 {
		return n.ruleEnds(false)
	}
	return n.verify(Verify{
		Header: [4]byte{0x00, 0x20, 0x00, 0x88}, Handle: n.pinHandle,
		Modulus: n.pinKey.mod, Exponent: n.pinKey.exp, Challenge: bytes.Clone(r.Data),
	})
}

// gotVerify: 63Cx asks again while tries are left; 63C0, 6983 and 6984 are the
// end of the tries; a status that the Book does not foresee ends the session.
// B3 §10.5.1, §6.5.12.5.
func (n *session) gotVerify(r Response) Output {
	switch {
	case r.SW == swOK:
		code := n.rules().rules[n.rule][0] & cvmCode
		if code == cvmPlainPINSign || code == cvmEncPINSign {
			n.signature = true
			n.succeed(cvmResultUnknown)
		} else {
			n.succeed(cvmResultOK)
		}
		return n.ruleEnds(true)
	case r.SW == 0x63C0, r.SW == swAuthBlocked, r.SW == swDataInvalid:
		n.pinTries = 0
		n.tvr.set(PINTryLimit)
		return n.ruleEnds(false)
	case r.SW&0xFFF0 == 0x63C0:
		n.pinTries, n.pinBad = int(r.SW&15), true
		return n.askPIN()
	}
	return n.stop(CardStatus)
}
