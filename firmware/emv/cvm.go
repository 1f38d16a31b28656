package emv

import "bytes"

// CVM codes, bits 6 to 1 of the first byte of a rule. B3 Annex C3, Table 39.
const (
	cvmFail          = 0x00
	cvmPlainPIN      = 0x01
	cvmOnlinePIN     = 0x02
	cvmPlainPINSign  = 0x03
	cvmEncPIN        = 0x04
	cvmEncPINSign    = 0x05
	cvmSignature     = 0x1E
	cvmNone          = 0x1F
	cvmNoneDone      = 0x3F // in the results: no CVM performed. B4 §6.3.4.5
	cvmCode          = 0x3F
	cvmTryNext       = 0x40 // bit 7: apply the next rule if this one fails
	cvmResultUnknown = 0x00 // B4 Annex A4, Table 33
	cvmResultFailed  = 0x01
	cvmResultOK      = 0x02
)

// condition codes: B3 Annex C3, Table 40.
const (
	ifAlways = iota
	ifUnattendedCash
	ifNotCash // neither unattended cash nor manual cash nor cashback
	ifSupported
	ifManualCash
	ifCashback
	ifUnderX // in the application's currency
	ifOverX
	ifUnderY
	ifOverY
)

// cvmList is a CVM List taken apart. B3 §10.5, Annex C3.
type cvmList struct {
	x, y  uint64 // binary, in the application's currency
	rules [][2]byte
}

// readCVMList reads tag 8E: two amounts of four bytes and pairs of bytes; false
// if it is not that. B3 §10.5.
func readCVMList(b []byte) (cvmList, bool) {
	if len(b) < 8 || len(b)%2 != 0 {
		return cvmList{}, false
	}
	l := cvmList{x: number(b[:4]), y: number(b[4:8])}
	for b = b[8:]; len(b) > 0; b = b[2:] {
		l.rules = append(l.rules, [2]byte{b[0], b[1]})
	}
	return l, true
}

func (n *session) cvmResults(code, condition, result byte) {
	n.term.put(0x9F34, []byte{code, condition, result})
}

// verifyCardholder runs the CVM list if the card has cardholder verification. B3 §10.5.
func (n *session) verifyCardholder() Output {
	b, ok := n.card.get(0x8E)
	switch {
	case !n.aip(aipCVM):
		n.cvmResults(cvmNoneDone, 0, 0)
		return n.afterVerification()
	case !ok:
		n.tvr.set(ICCDataMissing) // B3 §7.5
		n.cvmResults(cvmNoneDone, 0, 0)
		return n.afterVerification()
	}
	l, ok := readCVMList(b)
	if !ok {
		return n.stop(CardData)
	}
	if len(l.rules) == 0 {
		n.cvmResults(cvmNoneDone, 0, 0)
		return n.afterVerification()
	}
	n.rule = 0
	n.cvmResults(cvmNoneDone, 0, cvmResultFailed) // stands if no rule applies. B4 §6.3.4.5
	return n.nextRule()
}

func (n *session) rules() cvmList {
	l, _ := readCVMList(n.cardValue(0x8E))
	return l
}

// nextRule goes down the list. A rule whose condition is not met is passed over:
// it has not failed. B3 §10.5, Figure 9.
func (n *session) nextRule() Output {
	l := n.rules()
	for ; n.rule < len(l.rules); n.rule++ {
		code, condition := l.rules[n.rule][0], l.rules[n.rule][1]
		if !n.applies(l, code, condition) {
			continue
		}
		n.cvmResults(code, condition, cvmResultFailed)
		ok, out := n.perform(code & cvmCode)
		if out != nil {
			return out
		}
		if ok {
			return n.cvmEnds(true)
		}
		if code&cvmTryNext == 0 {
			return n.cvmEnds(false)
		}
	}
	return n.cvmEnds(false)
}

// ruleEnds goes on behind a rule that had to ask. B3 §10.5.
func (n *session) ruleEnds(ok bool) Output {
	l := n.rules()
	if ok || l.rules[n.rule][0]&cvmTryNext == 0 {
		return n.cvmEnds(ok)
	}
	n.rule++
	return n.nextRule()
}

// cvmEnds sets the bits of the whole. B3 §10.5, §10.5.5.
func (n *session) cvmEnds(ok bool) Output {
	if !ok {
		n.tvr.set(CVFailed)
		n.signature = false
	}
	n.tsi.set(DidCVM)
	return n.afterVerification()
}

// succeed writes the result of a rule that did its work: unknown where the
// terminal cannot judge it. B4 §6.3.4.5.
func (n *session) succeed(result byte) bool {
	r := bytes.Clone(n.settingValue(0x9F34))
	n.cvmResults(r[0], r[1], result)
	return true
}

// applies checks the condition of a rule. B3 Annex C3, Table 40.
func (n *session) applies(l cvmList, code, condition byte) bool {
	amount, _ := digits(n.settingValue(0x9F02))
	unattendedCash := n.isCash() && n.unattended()
	manualCash := n.isCash() && !n.unattended()
	switch condition {
	case ifAlways:
		return true
	case ifUnattendedCash:
		return unattendedCash
	case ifNotCash:
		return !unattendedCash && !manualCash && !n.isCashback()
	case ifSupported:
		return n.supports(code & cvmCode)
	case ifManualCash:
		return manualCash
	case ifCashback:
		return n.isCashback()
	case ifUnderX:
		return n.ownCurrency() && amount < l.x
	case ifOverX:
		return n.ownCurrency() && amount > l.x
	case ifUnderY:
		return n.ownCurrency() && amount < l.y
	case ifOverY:
		return n.ownCurrency() && amount > l.y
	}
	return false // reserved, or a payment system's own
}

// ownCurrency: X and Y count only in the application's currency. B3 §10.5.
func (n *session) ownCurrency() bool {
	c, ok := n.card.get(0x9F42)
	return ok && bytes.Equal(c, n.settingValue(0x5F2A))
}

// methods: the capabilities that a CVM needs, byte 2 of 9F33. B4 Annex A2, Table 26.
var methods = map[byte]byte{
	cvmPlainPIN: capPlainPIN, cvmOnlinePIN: capOnlinePIN, cvmPlainPINSign: capPlainPIN | capSignature,
	cvmEncPIN: capEnciphered, cvmEncPINSign: capEnciphered | capSignature, cvmSignature: capSignature, cvmNone: capNoCVM,
}

func (n *session) supports(code byte) bool {
	need, known := methods[code]
	return code == cvmFail || known && n.settingValue(0x9F33)[capsCVM]&need == need
}

// perform does one method, or asks for what it needs (out is not nil then). B3
// §10.5.1 to §10.5.5.
func (n *session) perform(code byte) (ok bool, out Output) {
	need, known := methods[code]
	switch {
	case code == cvmFail:
		return false, nil
	case !known:
		n.tvr.set(UnknownCVM)
		return false, nil
	case !n.supports(code):
		if pins := need & (capPlainPIN | capOnlinePIN | capEnciphered); pins&n.settingValue(0x9F33)[capsCVM] != pins {
			n.tvr.set(PINPadMissing)
		}
		return false, nil
	}
	switch code {
	case cvmNone:
		return n.succeed(cvmResultOK), nil
	case cvmSignature:
		n.signature = true
		return n.succeed(cvmResultUnknown), nil
	case cvmOnlinePIN:
		return n.onlinePIN()
	}
	return n.offlinePIN(code == cvmEncPIN || code == cvmEncPINSign)
}
