package card

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // B2 Annex B3
)

var cidOf = map[string]byte{"AAC": 0x00, "TC": 0x40, "ARQC": 0x80, "RFU": 0xC0}

// generate: GENERATE AC, first and second. B3 §6.5.5, B2 §6.6, §8.1.
func (c *Card) generate(p1 byte, data []byte) []byte {
	if !c.started || c.acs == 2 {
		return sw(0x6985)
	}
	dol := c.p.CDOL1
	if c.acs == 1 {
		dol = c.p.CDOL2
	}
	v := split(unhex(dol), data)
	if v == nil {
		return sw(0x6700)
	}
	c.acs++
	cid := c.decide(p1&0xC0, v)
	ac := c.cryptogram(v, cid)
	if cid == 0x80 {
		c.arqc = ac
	}
	signed := p1&0x10 != 0 && c.icc != nil && (cid != 0x00 || c.p.SignAAC)
	var hashed []byte
	if c.acs == 1 {
		c.cdol1 = append([]byte(nil), data...)
		hashed = append(append(hashed, c.pdol...), c.cdol1...)
	} else {
		hashed = append(append(append(hashed, c.pdol...), c.cdol1...), data...)
	}
	return c.answer(cid, ac, v["9F37"], hashed, signed)
}

// answer writes the cryptogram in the format that is due.
func (c *Card) answer(cid byte, ac, un, hashed []byte, signed bool) []byte {
	atc := []byte{byte(c.atc >> 8), byte(c.atc)}
	iad := c.iad(cid)
	if !signed {
		if c.p.Format2 {
			return ok(tlv("77", encode([]object{{"9F27", []byte{cid}}, {"9F36", atc}, {"9F26", ac}, {"9F10", iad}})))
		}
		return ok(tlv("80", append(append(append([]byte{cid}, atc...), ac...), iad...)))
	}
	before := encode([]object{{"9F27", []byte{cid}}, {"9F36", atc}})
	behind := encode([]object{{"9F10", iad}})
	h := sha1.Sum(append(append(append([]byte(nil), hashed...), before...), behind...)) //nolint:gosec // as above
	num := c.number()
	dyn := append(append([]byte{byte(len(num))}, num...), cid)
	dyn = append(append(dyn, ac...), h[:]...)
	sig := c.icc.signData(append([]byte{5, 1, byte(len(dyn))}, dyn...), un)
	body := append(append(before, tlv("9F4B", sig)...), behind...)
	return ok(tlv("77", body))
}

// decide is the card's risk management. B3 §10.8.
func (c *Card) decide(asked byte, v map[string][]byte) byte {
	forced := c.p.Answer1
	if c.acs == 2 {
		forced = c.p.Answer2
	}
	if cid, set := cidOf[forced]; set {
		return cid
	}
	if c.appBlocked {
		return 0x00
	}
	if c.acs == 2 {
		c.checkInCDOL(v)
		if asked == 0x40 && c.p.NeedIssuer && !c.proven {
			return 0x00
		}
		if v["8A"] != nil && v["8A"][0] != 'Y' && v["8A"][0] != 'Z' {
			c.lastOnline = c.atc
		}
		return asked & 0x40
	}
	if asked == 0x40 && amount(v["9F02"]) > c.p.OfflineMax {
		return 0x80
	}
	return asked
}

func amount(b []byte) int64 {
	var n int64
	for _, c := range b {
		n = n*100 + int64(c>>4)*10 + int64(c&15)
	}
	return n
}

// iad is the issuer application data of the cryptogram version. CVN 10 and 01:
// length 06 or 07, key index, version, CVR. CVN 18: the same with an issuer part.
func (c *Card) iad(cid byte) []byte {
	cvr := []byte{0x03, 0x80 | cid>>2&0x30, 0, 0}
	if c.acs == 2 {
		cvr[1] = cid & 0xC0
	}
	if c.pinOK {
		cvr[1] |= 0x04
	}
	if c.scriptFail {
		cvr[2] |= 0x08
	}
	switch c.p.CVN {
	case "01":
		return append(append([]byte{0x07, 0x01, 0x01}, cvr...), 0x01)
	case "18":
		return append([]byte{0x06, 0x01, 0x12}, cvr...)
	}
	return append([]byte{0x06, 0x01, 0x0A}, cvr...)
}

// acKey is the key of this transaction's cryptograms.
func (c *Card) acKey() Key { return ACKey(c.p.CVN, c.mkAC, []byte{byte(c.atc >> 8), byte(c.atc)}) }

// ACKey is the key of a transaction's cryptograms by cryptogram version: the card's
// own in version 10, else derived from the counter. B2 Annex A1.3, PBOC §8.1.3.
func ACKey(cvn string, mk Key, atc []byte) Key {
	switch cvn {
	case "01":
		return SessionKeyPBOC(mk, atc)
	case "18":
		return SessionKey(mk, append(append([]byte(nil), atc...), 0, 0, 0, 0, 0, 0))
	}
	return mk
}

// covered are the objects under a cryptogram, in their order. B2 §8.1.1.
var covered = []struct {
	tag string
	n   int
}{{"9F02", 6}, {"9F03", 6}, {"9F1A", 2}, {"95", 5}, {"5F2A", 2}, {"9A", 3}, {"9C", 1}, {"9F37", 4}}

// Cryptogram is the cryptogram over the terminal's values (as the card got them),
// AIP, ATC and issuer application data, by version. B2 §8.1.
func Cryptogram(cvn string, sk Key, values map[string][]byte, aip, atc, iad []byte) []byte {
	var d []byte
	for _, w := range covered {
		v := make([]byte, w.n)
		copy(v, values[w.tag])
		d = append(d, v...)
	}
	d = append(append(d, aip...), atc...)
	switch cvn {
	case "18":
		return MAC(sk, append(d, iad...), 2)
	case "01":
		return MAC(sk, append(d, iad[3:7]...), 2)
	}
	return MAC(sk, append(d, iad[3:7]...), 1)
}

func (c *Card) cryptogram(v map[string][]byte, cid byte) []byte {
	return Cryptogram(c.p.CVN, c.acKey(), v, unhex(c.p.AIP), []byte{byte(c.atc >> 8), byte(c.atc)}, c.iad(cid))
}

// external: EXTERNAL AUTHENTICATE, at most once. B3 §6.5.4, B2 §8.2.
func (c *Card) external(data []byte) []byte {
	if c.authTried || c.acs != 1 || c.arqc == nil {
		return sw(0x6985)
	}
	c.authTried = true
	if !c.issuerIs(data) {
		return sw(0x6300)
	}
	c.proven = true
	return sw(0x9000)
}

// issuerIs checks the issuer's answer by the method of the cryptogram version:
// method 2 for version 18, else method 1.
func (c *Card) issuerIs(data []byte) bool {
	if c.arqc == nil {
		return false
	}
	if c.p.CVN == "18" {
		return len(data) >= 8 && bytes.Equal(data[:4], ARPC2(c.acKey(), c.arqc, data[4:8], data[8:]))
	}
	return len(data) == 10 && bytes.Equal(data[:8], ARPC1(c.acKey(), c.arqc, [2]byte(data[8:10])))
}

// checkInCDOL takes the issuer's answer out of CDOL2, where a card has no
// EXTERNAL AUTHENTICATE. B3 §10.9.
func (c *Card) checkInCDOL(v map[string][]byte) {
	d := v["91"]
	if d == nil || c.authTried {
		return
	}
	if c.p.CVN == "18" {
		d = d[:8]
	}
	c.proven = c.issuerIs(d)
}
