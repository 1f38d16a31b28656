package emv

import (
	"bytes"

	"swipewell/firmware/emv/tlv"
)

// initiate starts application processing: TVR and TSI are zero, the PDOL is
// filled, GET PROCESSING OPTIONS goes out. B3 §10.1.
func (n *session) initiate() Output {
	n.tvr, n.tsi = TVR{}, TSI{}
	n.term = list{}
	n.term.put(0x9F37, n.txn.UN[:])
	n.term.put(0x9F06, n.cfg.Apps[n.app].AID)
	if n.txn.ForceOnline {
		n.tvr.set(ForcedOnline)
	}
	data, err := tlv.Fill(n.cardValue(0x9F38), n.get)
	if err != nil {
		return n.stop(CardData)
	}
	n.pdol = data
	return n.send(atGPO, apduGPO(data))
}

// gotGPO reads AIP and AFL. 6985 takes the application off the list and goes back
// to the choice; any other status ends the session. B3 §10.1, §6.5.8.4.
func (n *session) gotGPO(r Response) Output {
	switch {
	case r.SW == swConditions:
		n.drop()
		return n.choose()
	case r.SW != swOK:
		return n.stop(CardStatus)
	}
	aip, locator, ok := readGPO(r.Data)
	if !ok {
		return n.stop(CardData)
	}
	files, ok := readAFL(locator)
	if !ok {
		return n.stop(CardData)
	}
	n.card.put(0x82, bytes.Clone(aip))
	n.card.put(0x94, bytes.Clone(locator))
	n.files, n.record = files, files[0].first
	n.auth, n.noAuth = nil, false
	return n.readNext()
}

// readGPO takes both formats apart. B3 §6.5.8.4.
func readGPO(b []byte) (aip, locator []byte, ok bool) {
	if v, ok := tlv.Only(b, 0x80); ok {
		if len(v) < 6 {
			return nil, nil, false
		}
		return v[:2], v[2:], true
	}
	v, ok := tlv.Only(b, 0x77)
	if !ok {
		return nil, nil, false
	}
	objects, err := tlv.Parse(v)
	if err != nil || twice(objects) {
		return nil, nil, false
	}
	aip, ok1 := tlv.Find(v, 0x82)
	locator, ok2 := tlv.Find(v, 0x94)
	return aip, locator, ok1 && ok2 && len(aip) == 2
}

// twice tells that one tag occurs more than once. B3 §10.2.
func twice(objects []tlv.Object) bool {
	for i, o := range objects {
		for _, p := range objects[:i] {
			if p.Tag == o.Tag {
				return true
			}
		}
	}
	return false
}

// aip reads a bit of byte 1 of the Application Interchange Profile. B3 Annex C1.
func (n *session) aip(mask byte) bool {
	v := n.cardValue(0x82)
	return len(v) == 2 && v[0]&mask != 0
}
