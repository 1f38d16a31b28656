package emv

import "swipewell/firmware/emv/tlv"

// Cryptogram types, bits 8 and 7 of the Cryptogram Information Data. B3 §6.5.5.4,
// Table 14.
const (
	typeAAC  = 0x00
	typeTC   = 0x40
	typeARQC = 0x80
	typeMask = 0xC0
	askCDA   = 0x10 // P1: CDA signature requested. B3 §6.5.5.2
)

// Authorisation response codes that the terminal makes. B4 Annex A6, Table 35.
var (
	arcOfflineApproved = []byte("Y1")
	arcOfflineDeclined = []byte("Z1")
	arcUnableApproved  = []byte("Y3")
	arcUnableDeclined  = []byte("Z3")
)

// codes are the issuer's and the terminal's action codes of one sort. The
// issuer's are all 1 when absent, for denial all 0; the terminal's all 0. B3 §10.7.
func (n *session) codes(iac, tac tlv.Tag) TVR {
	var m TVR
	if v, ok := n.card.get(iac); ok {
		copy(m[:], v)
	} else if iac != 0x9F0E {
		m = TVR{0xFF, 0xFF, 0xFF, 0xFF, 0xFF}
	}
	for i, b := range n.settingValue(tac) {
		m[i] |= b
	}
	return m
}

// analyse is terminal action analysis: denial first, then online, or default
// where the issuer cannot be reached. B3 §10.7.
func (n *session) analyse() Output {
	switch {
	case n.cfg.DryRun, n.tvr.meets(n.codes(0x9F0E, TagTACDenial)):
		n.term.put(0x8A, arcOfflineDeclined)
		return n.generateAC1(typeAAC)
	case n.offlineOnly():
		if n.tvr.meets(n.codes(0x9F0D, TagTACDefault)) {
			n.term.put(0x8A, arcOfflineDeclined)
			return n.generateAC1(typeAAC)
		}
	case n.onlineOnly(), n.tvr.meets(n.codes(0x9F0F, TagTACOnline)):
		return n.generateAC1(typeARQC)
	}
	n.term.put(0x8A, arcOfflineApproved)
	return n.generateAC1(typeTC)
}

// unable decides when no byte of the request left the terminal: the default
// codes, and for a terminal that is online only always a decline. B3 §10.7.
func (n *session) unable() Output {
	if n.onlineOnly() || n.tvr.meets(n.codes(0x9F0D, TagTACDefault)) {
		n.term.put(0x8A, arcUnableDeclined)
		return n.generateAC2(typeAAC)
	}
	n.term.put(0x8A, arcUnableApproved)
	return n.generateAC2(typeTC)
}
