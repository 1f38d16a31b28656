package emv

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // B3 §9.2.2 has no other

	"swipewell/firmware/emv/tlv"
)

// cryptogram is a GENERATE AC answer taken apart. B3 §6.5.5.4.
type cryptogram struct {
	cid     byte
	atc     []byte
	ac      []byte // nil in a signed answer
	iad     []byte
	hasIAD  bool
	signed  []byte       // 9F4B
	objects []tlv.Object // format 2 only, in the order in which they came
}

// readAC reads both formats: 80 with CID, ATC, AC and maybe IAD end to end, or 77
// with objects. A wrong length or an object that comes twice is an error. B3 §6.5.5.4.
func readAC(b []byte) (cryptogram, bool) {
	if v, ok := tlv.Only(b, 0x80); ok {
		if len(v) < 11 || len(v) > 43 {
			return cryptogram{}, false
		}
		return cryptogram{cid: v[0], atc: v[1:3], ac: v[3:11], iad: v[11:], hasIAD: len(v) > 11}, true
	}
	body, ok := tlv.Only(b, 0x77)
	if !ok {
		return cryptogram{}, false
	}
	objects, err := tlv.Parse(body)
	if err != nil || twice(objects) {
		return cryptogram{}, false
	}
	c := cryptogram{objects: objects}
	cid, ok1 := tlv.Find(body, 0x9F27)
	atc, ok2 := tlv.Find(body, 0x9F36)
	if !ok1 || !ok2 || len(cid) != 1 || len(atc) != 2 {
		return cryptogram{}, false
	}
	c.cid, c.atc = cid[0], atc
	if c.iad, c.hasIAD = tlv.Find(body, 0x9F10); len(c.iad) > 32 {
		return cryptogram{}, false
	}
	c.signed, _ = tlv.Find(body, 0x9F4B)
	ac, ok := tlv.Find(body, 0x9F26)
	if ok && len(ac) != 8 {
		return cryptogram{}, false
	}
	if ok {
		c.ac = ac
	}
	return c, c.ac != nil || len(c.signed) > 0
}

// fillCDOL fills a card risk management list with the values of now, the TC hash
// among them. B3 §9.2, §9.2.2.
func (n *session) fillCDOL(t tlv.Tag) ([]byte, bool) {
	dol := n.cardValue(t)
	if tlv.Asks(dol, 0x98) {
		tdol, own := n.card.get(0x97)
		if !own {
			tdol = n.settingValue(0x97)
			n.tvr.set(DefaultTDOL)
		}
		data, err := tlv.Fill(tdol, n.get)
		if err != nil {
			return nil, false
		}
		h := sha1.Sum(data) //nolint:gosec // as above
		n.term.put(0x98, h[:])
	}
	data, err := tlv.Fill(dol, n.get)
	n.covered = n.tvr
	return data, err == nil
}

// generateAC1 asks for the first cryptogram. CDA is asked for with a TC or an ARQC
// (and in a dry run, whose AAC proves the chain). B3 §10.7, B2 §6.6.
func (n *session) generateAC1(want byte) Output {
	data, ok := n.fillCDOL(0x8C)
	if !ok {
		return n.stop(CardData)
	}
	n.cdol1, n.askedCID = data, want
	p1 := n.withCDA(want, n.cfg.DryRun)
	return n.send(atAC1, apduGenerateAC(p1, data))
}

// withCDA adds the request for a signature to P1 where it is due.
func (n *session) withCDA(want byte, always bool) byte {
	n.requestedCDA = n.method == cda && !n.tvr.Has(CDAFailed) && (want != typeAAC || always)
	if n.requestedCDA {
		return want | askCDA
	}
	return want
}

// gotCryptogram reads an answer, proves its signature if one was asked for, and
// stores its objects. ok is false when the answer cannot be used at all. B3 §6.5.5.4.
func (n *session) gotCryptogram(r Response, second bool) (Cause, bool) {
	if r.SW != swOK {
		return CardStatus, false
	}
	c, ok := readAC(r.Data)
	if !ok {
		return CardData, false
	}
	n.cid = c.cid
	n.card.put(0x9F27, []byte{c.cid})
	n.card.put(0x9F36, bytes.Clone(c.atc))
	if c.hasIAD {
		n.card.put(0x9F10, bytes.Clone(c.iad))
	}
	switch {
	case n.requestedCDA && len(c.signed) > 0:
		n.verifyCDA(c, second)
	case c.ac == nil:
		return CardData, false // a signature that nobody asked for instead of a cryptogram
	case n.requestedCDA && c.cid&typeMask != typeAAC:
		return CardData, false // only an AAC may come unsigned. B2 §6.6.2
	default:
		n.card.put(0x9F26, bytes.Clone(c.ac))
	}
	return NoCause, true
}

// stronger tells that a card may not answer want with got: a cryptogram of more
// weight than was asked for, or the reserved type. B3 §10.8.
func stronger(got, want byte) bool {
	weight := map[byte]int{typeAAC: 0, typeARQC: 1, typeTC: 2}
	w, known := weight[got]
	return !known || w > weight[want]
}

// gotAC1 decides what the first cryptogram means. B3 §10.8.
func (n *session) gotAC1(r Response) Output {
	if c, ok := n.gotCryptogram(r, false); !ok {
		return n.stop(c)
	}
	if n.cfg.DryRun {
		return n.finish(DryRunDone, NoCause)
	}
	n.tsi.set(DidCardRisk)
	got := n.cid & typeMask
	if stronger(got, n.askedCID) {
		return n.stop(BadCryptogram)
	}
	failed := n.requestedCDA && n.tvr.Has(CDAFailed)
	switch {
	case got == typeAAC:
		n.notPerformed()
		n.term.put(0x8A, arcOfflineDeclined)
		return n.finish(DeclinedOffline, NoCause)
	case got == typeTC && failed:
		n.term.put(0x8A, arcOfflineDeclined)
		return n.finish(DeclinedOffline, BadSignature)
	case got == typeTC:
		return n.finish(ApprovedOffline, NoCause)
	case failed: // an ARQC that is not the card's: no word to the issuer. B2 §6.6.2
		n.term.put(0x8A, arcOfflineDeclined)
		return n.generateAC2(typeAAC)
	}
	return n.goOnline()
}

// notPerformed: CDA was chosen and the decline came before it could be done. B3
// §10.3, Annex C5.
func (n *session) notPerformed() {
	if n.method == cda && !n.cdaDone {
		n.tvr.set(NoODA)
	}
}

// generateAC2 asks for the last cryptogram. B3 §10.11, §9.3.
func (n *session) generateAC2(want byte) Output {
	data, ok := n.fillCDOL(0x8D)
	if !ok {
		return n.stop(CardData)
	}
	n.cdol2, n.askedCID = data, want
	return n.send(atAC2, apduGenerateAC(n.withCDA(want, false), data))
}

// gotAC2 decides what the last cryptogram means for the sale. B3 §10.11.
func (n *session) gotAC2(r Response) Output {
	if c, ok := n.gotCryptogram(r, true); !ok {
		return n.stop(c)
	}
	got := n.cid & typeMask
	if got != typeTC && got != typeAAC || stronger(got, n.askedCID) {
		return n.stop(BadCryptogram)
	}
	cause := NoCause
	if n.tvr.Has(CDAFailed) && (n.requestedCDA || n.fate == notAsked) {
		cause = BadSignature
	}
	approved := got == typeTC && cause == NoCause
	switch n.fate {
	case hostApproved:
		n.decide(Refused, cause)
		if approved {
			n.decide(ApprovedOnline, NoCause)
		}
	case hostDeclined:
		n.decide(DeclinedOnline, NoCause)
	case noAnswer:
		n.decide(UnknownFate, NoCause)
	default:
		n.decide(ApprovedOffline, NoCause)
		if !approved {
			n.decide(DeclinedOffline, cause)
			if n.fate == neverSent {
				n.term.put(0x8A, arcUnableDeclined)
			}
		}
	}
	if !approved {
		n.notPerformed()
	}
	return n.runScripts(true)
}
