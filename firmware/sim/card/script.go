package card

import "bytes"

// scriptKey: B2 §9.2.1, the key of this session's scripts.
func scriptKey(mk Key, arqc []byte) Key { return SessionKey(mk, arqc) }

// script: a command of the issuer under its MAC. B3 §6.5.1 to §6.5.3, §6.5.10, B2 §9.
func (c *Card) script(capdu, data []byte) []byte {
	if capdu[0] != 0x84 || c.arqc == nil {
		return sw(0x6985)
	}
	if len(data) < 8 {
		return sw(0x6987)
	}
	body, mac := data[:len(data)-8], data[len(data)-8:]
	if !bytes.Equal(mac, ScriptMAC(scriptKey(c.mkSMI, c.arqc), capdu[:5], nil, body)) {
		c.scriptFail = true
		return sw(0x6988)
	}
	switch capdu[1] {
	case 0x1E:
		c.appBlocked = true
	case 0x18:
		c.appBlocked = false
	case 0x16:
		c.cardBlocked = true
	case 0x24:
		return c.changePIN(capdu[3], body)
	case 0xDC, 0xDA:
		if len(body) == 0 {
			return sw(0x6A80)
		}
	}
	return sw(0x9000)
}

// changePIN: P2 0 gives the tries back; 2 also sets a new PIN. B3 §6.5.10.
func (c *Card) changePIN(p2 byte, body []byte) []byte {
	if p2 == 2 {
		b := scriptDecipher(scriptKey(c.mkSMC, c.arqc), body)
		if len(b) != 8 || b[0]>>4 != 2 {
			return sw(0x6A80)
		}
		n := int(b[0] & 15)
		pin := hexOf(b[1:])
		if n < 4 || n > 12 {
			return sw(0x6A80)
		}
		c.pin = pin[:n]
	}
	c.tries = max(c.p.Tries, 3)
	return sw(0x9000)
}

// Issuer is the half of an issuer that answers for cards of one set of master
// keys: it checks cryptograms, makes answers and scripts.
type Issuer struct {
	AC, SMI, SMC Key
	OptionB      bool
	CVN          string
}

// IssuerOf is the issuer of a card.
func IssuerOf(p Profile) Issuer {
	i := Issuer{OptionB: p.OptionB, CVN: p.CVN}
	copy(i.AC[:], unhex(p.IMKAC))
	copy(i.SMI[:], unhex(p.IMKSMI))
	copy(i.SMC[:], unhex(p.IMKSMC))
	return i
}

func (i Issuer) master(imk Key, pan, psn string) Key {
	if i.OptionB {
		return MasterKeyB(imk, pan, psn)
	}
	return MasterKeyA(imk, pan, psn)
}

// Verify checks a cryptogram over the values of field 55. B2 §8.1.
func (i Issuer) Verify(pan, psn string, ac []byte, values map[string][]byte) bool {
	iad := values["9F10"]
	if len(values["9F36"]) != 2 || len(values["82"]) != 2 || len(iad) < 7 {
		return false
	}
	sk := ACKey(i.CVN, i.master(i.AC, pan, psn), values["9F36"])
	return bytes.Equal(ac, Cryptogram(i.CVN, sk, values, values["82"], values["9F36"], iad))
}

// Answer is the issuer authentication data 91 for an ARQC. B2 §8.2.
func (i Issuer) Answer(pan, psn string, atc, arqc []byte, arc [2]byte) []byte {
	sk := ACKey(i.CVN, i.master(i.AC, pan, psn), atc)
	if i.CVN == "18" {
		csu := []byte{0, 0, 0, 0}
		return append(ARPC2(sk, arqc, csu, nil), csu...)
	}
	return append(ARPC1(sk, arqc, arc), arc[:]...)
}

// Command is one script command 86 with its MAC. A PIN change enciphers its data.
// B2 §9.
func (i Issuer) Command(pan, psn string, arqc []byte, ins, p1, p2 byte, data []byte) []byte {
	if ins == 0x24 && len(data) > 0 {
		data = ScriptEncipher(scriptKey(i.master(i.SMC, pan, psn), arqc), data)
	}
	head := []byte{0x84, ins, p1, p2, byte(len(data) + 8)}
	mac := ScriptMAC(scriptKey(i.master(i.SMI, pan, psn), arqc), head, nil, data)
	return append(append(head, data...), mac...)
}

// Script is a template 71 or 72 around commands. B3 §10.10.
func Script(tag string, id []byte, commands ...[]byte) []byte {
	var body []byte
	if len(id) == 4 {
		body = tlv("9F18", id)
	}
	for _, c := range commands {
		body = append(body, tlv("86", c)...)
	}
	return tlv(tag, body)
}
