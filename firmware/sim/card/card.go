package card

import (
	"bytes"
	"errors"
	"maps"
)

// Card is one simulated card. It is not safe for two callers at once.
type Card struct {
	p       Profile
	records []record
	icc     *RSAKey
	pinKey  *RSAKey
	mkAC    Key
	mkSMI   Key
	mkSMC   Key

	seen map[string]int // commands so far, by instruction

	// What power does not take away.
	atc, lastOnline int
	tries           int
	pin             string
	appBlocked      bool
	cardBlocked     bool

	// Of this session.
	selected   bool
	started    bool
	pdol       []byte
	cdol1      []byte
	challenge  []byte
	acs        int
	arqc       []byte
	proven     bool
	authTried  bool
	pinOK      bool
	next       int
	scriptFail bool
}

// New personalises a card.
func New(p Profile) (*Card, error) {
	c := &Card{p: p, seen: map[string]int{}, atc: p.ATC, lastOnline: p.LastOnline, tries: p.Tries, pin: p.PIN, appBlocked: p.AppBlocked}
	if c.tries == 0 {
		c.tries = 3
	}
	var imk [3]Key
	for i, s := range []string{p.IMKAC, p.IMKSMI, p.IMKSMC} {
		if copy(imk[i][:], unhex(s)) != 16 {
			return nil, errors.Join(ErrProfile, errors.New("issuer master keys have 16 bytes"))
		}
	}
	derive := MasterKeyA
	if p.OptionB {
		derive = MasterKeyB
	}
	c.mkAC, c.mkSMI, c.mkSMC = derive(imk[0], p.PAN, p.PSN), derive(imk[1], p.PAN, p.PSN), derive(imk[2], p.PAN, p.PSN)
	if err := c.build(); err != nil {
		return nil, err
	}
	return c, nil
}

// Copy is a card that from here on lives its own life; files and keys are shared.
func (c *Card) Copy() *Card {
	d := *c
	d.seen = maps.Clone(c.seen)
	return &d
}

// Reset is power off and on: what the session knew is gone.
func (c *Card) Reset() {
	c.selected, c.started, c.pdol, c.cdol1, c.challenge, c.acs = false, false, nil, nil, nil, 0
	c.arqc, c.proven, c.authTried, c.pinOK, c.next, c.scriptFail = nil, false, false, false, 0, false
}

// Profile is what the card was made of.
func (c *Card) Profile() Profile { return c.p }

// Tries are the PIN tries that are left.
func (c *Card) Tries() int { return c.tries }

// Blocked tells whether a script has blocked the application.
func (c *Card) Blocked() bool { return c.appBlocked || c.cardBlocked }

// Proven tells whether the issuer proved itself in this session.
func (c *Card) Proven() bool { return c.proven }

var instructions = map[byte]string{
	0xA4: "SELECT", 0xB2: "READ RECORD", 0xA8: "GPO", 0xCA: "GET DATA", 0x84: "CHALLENGE", 0x20: "VERIFY",
	0x88: "INTERNAL", 0x82: "EXTERNAL", 0xAE: "GENERATE AC",
	0x1E: "SCRIPT", 0x18: "SCRIPT", 0x16: "SCRIPT", 0x24: "SCRIPT", 0xDC: "SCRIPT", 0xDA: "SCRIPT",
}

func sw(n uint16) []byte { return []byte{byte(n >> 8), byte(n)} }

func ok(data []byte) []byte { return append(append([]byte(nil), data...), 0x90, 0x00) }

// Transmit answers one C-APDU; nil is no answer at all. B3 §6.3.
func (c *Card) Transmit(capdu []byte) []byte {
	if len(capdu) < 4 {
		return sw(0x6700)
	}
	name := instructions[capdu[1]]
	c.seen[name]++
	for _, f := range c.p.Faults {
		if f.On != name || f.Nth != 0 && f.Nth != c.seen[name] {
			continue
		}
		switch {
		case f.Mute:
			return nil
		case f.Answer != "":
			return unhex(f.Answer)
		case f.SW != "":
			return unhex(f.SW)
		}
		r := c.do(capdu)
		at := f.Flip - 1
		if f.Flip < 0 {
			at = len(r) - 2 + f.Flip
		}
		if at >= 0 && at < len(r)-2 {
			r[at] ^= 1
		}
		return r
	}
	return c.do(capdu)
}

func (c *Card) do(capdu []byte) []byte {
	var data []byte
	if len(capdu) > 5 {
		n := int(capdu[4])
		if len(capdu) < 5+n {
			return sw(0x6700)
		}
		data = capdu[5 : 5+n]
	}
	p1, p2 := capdu[2], capdu[3]
	if c.cardBlocked && capdu[1] != 0xA4 {
		return sw(0x6985)
	}
	switch capdu[1] {
	case 0xA4:
		return c.selectFile(data, p2)
	case 0xB2:
		return c.readRecord(p2>>3, p1)
	case 0xCA:
		return c.getData(uint16(p1)<<8 | uint16(p2))
	case 0x84:
		if capdu[0] == 0x00 {
			c.challenge = MAC(c.mkAC, []byte{byte(c.atc >> 8), byte(c.atc), byte(c.seen["CHALLENGE"])}, 2)
			return ok(c.challenge)
		}
	}
	if !c.selected {
		return sw(0x6985)
	}
	switch capdu[1] {
	case 0xA8:
		return c.options(data)
	case 0x20:
		return c.verify(p2, data)
	case 0x88:
		return c.internal(data)
	case 0x82:
		return c.external(data)
	case 0xAE:
		return c.generate(p1, data)
	case 0x1E, 0x18, 0x16, 0x24, 0xDC, 0xDA:
		return c.script(capdu, data)
	}
	return sw(0x6D00)
}

const pseName = "1PAY.SYS.DDF01"

type application struct {
	aid, label, pri string
	whole           bool // has the files
}

func (c *Card) applications() []application {
	list := []application{{c.p.AID, c.p.Label, c.p.Priority, true}}
	for _, a := range c.p.More {
		list = append(list, application{a.AID, a.Label, a.Priority, a.Same})
	}
	return list
}

// selectFile: by whole name, or by its beginning and then the next. B1 §11.3.
func (c *Card) selectFile(name []byte, p2 byte) []byte {
	c.reopen(p2)
	if c.cardBlocked {
		return sw(0x6A81)
	}
	if string(name) == pseName {
		if !c.p.PSE {
			return sw(0x6A82)
		}
		props := tlv("88", []byte{1})
		if c.p.Languages != "" {
			props = append(props, tlv("5F2D", []byte(c.p.Languages))...)
		}
		return ok(tlv("6F", append(tlv("84", name), tlv("A5", props)...)))
	}
	list := c.applications()
	start := 0
	if p2 == 2 {
		start = c.next
	}
	for i := start; i < len(list); i++ {
		aid := unhex(list[i].aid)
		if !bytes.HasPrefix(aid, name) {
			continue
		}
		c.next = i + 1
		c.selected = list[i].whole
		r := ok(c.fci(list[i]))
		if c.selected && c.appBlocked {
			r[len(r)-2], r[len(r)-1] = 0x62, 0x83
		}
		return r
	}
	return sw(0x6A82)
}

// reopen forgets the application that was open; the list goes on if P2 asks for the next.
func (c *Card) reopen(p2 byte) {
	next := c.next
	c.Reset()
	if p2 == 2 {
		c.next = next
	}
}

// entry is what a directory or an FCI tells of an application. B1 §12.2.3.
func (c *Card) entry(a application) []byte {
	out := tlv("50", []byte(a.label))
	if a.pri != "" {
		out = append(out, tlv("87", unhex(a.pri))...)
	}
	if a.aid == c.p.AID && c.p.Preferred != "" {
		out = append(append(out, tlv("9F12", unhex(c.p.Preferred))...), tlv("9F11", unhex(c.p.CodeTable))...)
	}
	return out
}

func (c *Card) fci(a application) []byte {
	props := c.entry(a)
	if a.whole {
		if c.p.PDOL != "" {
			props = append(props, tlv("9F38", unhex(c.p.PDOL))...)
		}
		if c.p.Languages != "" {
			props = append(props, tlv("5F2D", []byte(c.p.Languages))...)
		}
	}
	return tlv("6F", append(tlv("84", unhex(a.aid)), tlv("A5", props)...))
}

// readRecord: the directory while nothing is selected, else the files. B3 §6.5.11.
func (c *Card) readRecord(sfi, no byte) []byte {
	if !c.selected {
		list := c.applications()
		if sfi != 1 || no == 0 || int(no) > len(list) {
			return sw(0x6A83)
		}
		a := list[no-1]
		return ok(tlv("70", tlv("61", append(tlv("4F", unhex(a.aid)), c.entry(a)...))))
	}
	if r := c.read(sfi, no); r != nil {
		return ok(r)
	}
	return sw(0x6A83)
}

// getData: B3 §6.5.7.
func (c *Card) getData(tag uint16) []byte {
	switch tag {
	case 0x9F36:
		return ok(tlv("9F36", []byte{byte(c.atc >> 8), byte(c.atc)}))
	case 0x9F13:
		return ok(tlv("9F13", []byte{byte(c.lastOnline >> 8), byte(c.lastOnline)}))
	case 0x9F17:
		return ok(tlv("9F17", []byte{byte(c.tries)}))
	}
	return sw(0x6A88)
}

// options: B3 §6.5.8.
func (c *Card) options(data []byte) []byte {
	if c.started {
		return sw(0x6985)
	}
	if len(data) < 2 || data[0] != 0x83 {
		return sw(0x6A80)
	}
	body := data[2:]
	if data[1] == 0x81 {
		body = data[3:]
	}
	if split(unhex(c.p.PDOL), body) == nil {
		return sw(0x6700)
	}
	c.started, c.pdol = true, append([]byte(nil), body...)
	c.atc++
	aip := unhex(c.p.AIP)
	if c.p.Format2 {
		return ok(tlv("77", append(tlv("82", aip), tlv("94", c.afl())...)))
	}
	return ok(tlv("80", append(aip, c.afl()...)))
}

// internal: B3 §6.5.9, B2 §6.5.
func (c *Card) internal(data []byte) []byte {
	if c.icc == nil || !c.started {
		return sw(0x6985)
	}
	num := c.number()
	head := append([]byte{5, 1, byte(len(num) + 1), byte(len(num))}, num...)
	sig := c.icc.signData(head, data)
	if c.p.Format2 {
		return ok(tlv("77", tlv("9F4B", sig)))
	}
	return ok(tlv("80", sig))
}

// number is the ICC dynamic number of this transaction.
func (c *Card) number() []byte {
	return MAC(c.mkAC, []byte{0xD7, byte(c.atc >> 8), byte(c.atc)}, 2)
}
