package emv

import (
	"bytes"

	"swipewell/firmware/emv/tlv"
)

// odaMethod is how the card proves itself offline. B3 §10.3.
type odaMethod uint8

const (
	noODA odaMethod = iota
	sda
	dda
	cda
)

// authenticateData chooses the best method that card and terminal have in common
// and does it: CDA before DDA before SDA. B3 §10.3.
func (n *session) authenticateData() Output {
	caps := n.settingValue(0x9F33)[capsSecurity]
	switch {
	case n.aip(aipCDA) && caps&capCDA != 0:
		n.method = cda
		return n.prepareCDA()
	case n.aip(aipDDA) && caps&capDDA != 0:
		n.method = dda
		return n.startDDA()
	case n.aip(aipSDA) && caps&capSDA != 0:
		n.method = sda
		n.doSDA()
	default:
		n.tvr.set(NoODA)
	}
	return n.restrict()
}

// doSDA verifies the signed static application data. B2 §5.4.
func (n *session) doSDA() {
	n.tvr.set(SDASelected)
	n.tsi.set(DidODA)
	issuer, ok := n.issuerKey()
	gone := n.missing(0x93)
	static, whole := n.staticData()
	if !ok || gone || !whole {
		n.tvr.set(SDAFailed)
		return
	}
	x, ok := issuer.open(n.cardValue(0x93), 0x03, static...)
	if !ok || x[2] != 1 {
		n.tvr.set(SDAFailed)
		return
	}
	n.card.put(0x9F45, x[3:5:5]) // Data Authentication Code
}

// prepareCDA recovers the keys before GENERATE AC. If that fails the signature is
// not asked for. B2 §6.6.1, B3 §10.3.
func (n *session) prepareCDA() Output {
	if _, ok := n.iccKey(); !ok {
		n.failCDA()
	}
	return n.restrict()
}

func (n *session) failCDA() {
	n.tvr.set(CDAFailed)
	n.tsi.set(DidODA)
	n.cdaDone = true
}

// startDDA recovers the keys and asks for the signature. The DDOL, the card's or
// the terminal's, must ask for the unpredictable number. B2 §6.5.1.
func (n *session) startDDA() Output {
	n.tsi.set(DidODA)
	if _, ok := n.iccKey(); !ok {
		n.tvr.set(DDAFailed)
		return n.restrict()
	}
	ddol, ok := n.card.get(0x9F49)
	if !ok {
		if ddol, ok = n.setting(TagDDOL); !ok {
			ddol, _ = n.setting(0x9F49)
		}
	}
	data, err := tlv.Fill(ddol, n.get)
	if err != nil || !tlv.Asks(ddol, 0x9F37) {
		n.tvr.set(DDAFailed)
		return n.restrict()
	}
	n.ddol = data
	return n.send(atInternalAuth, apduInternalAuth(data))
}

// gotInternalAuth verifies the signed dynamic application data. A status that is
// not 9000 ends the session. B2 §6.5.2, B3 §10.3.
func (n *session) gotInternalAuth(r Response) Output {
	if r.SW != swOK {
		n.tvr.set(DDAFailed)
		return n.stop(CardStatus)
	}
	sig, ok := tlv.Only(r.Data, 0x80)
	if !ok {
		body, framed := tlv.Only(r.Data, 0x77)
		if !framed {
			return n.stop(CardData)
		}
		if sig, ok = tlv.Find(body, 0x9F4B); !ok {
			return n.stop(CardData)
		}
	}
	x, ok := n.icc.open(sig, 0x05, n.ddol)
	dyn, good := dynamicData(x, ok)
	if !good || len(dyn) < 1 || dyn[0] < 2 || dyn[0] > 8 || int(dyn[0]) >= len(dyn) {
		n.tvr.set(DDAFailed)
		return n.restrict()
	}
	n.card.put(0x9F4C, bytes.Clone(dyn[1:1+dyn[0]])) // ICC Dynamic Number
	return n.restrict()
}

// dynamicData is the ICC dynamic data of an opened signature. B2 §6.5.2, Table 17.
func dynamicData(x []byte, ok bool) ([]byte, bool) {
	if !ok || x[2] != 1 || int(x[3]) > len(x)-25 {
		return nil, false
	}
	return x[4 : 4+int(x[3])], true
}
