package acquirer

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"swipewell/firmware/pos"
	chipcard "swipewell/firmware/sim/card"
)

// issuerUsage are the words behind "issuer".
const issuerUsage = `issuer arpc right|wrong|none [-n N] | issuer approve [RC] [-n N] | issuer decline RC [-n N] | issuer normal | ` +
	`issuer script block|unblock|card-block|pin-unblock|pin-change DIGITS|put-data TAG=HEX|update-record SFI.N=HEX|bad-mac|off [71|72]`

// issuing is how the cards' issuers answer chips.
type issuing struct {
	arpc     string // "", wrong, none
	arpcLeft int    // answers left; 0: until changed
	decision order  // rc "" for none
	scripts  []scriptOrder
	ids      uint32
}

// Issuing is how the issuers answer chips now.
type Issuing struct {
	ARPC     string   // right, wrong, none
	Decision string   // the code that they answer whatever is wrong, "" none
	Scripts  []string // that go with the next answer: "block 72"
}

// Issuing tells it.
func (h *Host) Issuing() Issuing {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := Issuing{ARPC: cmp.Or(h.issuer.arpc, "right"), Decision: h.issuer.decision.rc}
	for _, s := range h.issuer.scripts {
		out.Scripts = append(out.Scripts, s.what+" "+s.template)
	}
	return out
}

// scriptOrder is a script that goes with the next answer to a chip.
type scriptOrder struct {
	what        string
	template    string // 71, 72
	ins, p1, p2 byte
	data        []byte
	spoil       bool
	pin         string // that a pin-change sets
}

// sentScript is one that was sent.
type sentScript struct {
	what string
	id   [4]byte
	pin  string
}

// maxScripts is the most that all scripts of an answer may take. B3 §10.10.
const maxScripts = 128

// commandIssuer is "issuer …".
func (h *Host) commandIssuer(args []string) error {
	rest, o, err := flags(args)
	if err != nil {
		return err
	}
	wrong := fmt.Errorf("acquirer: %s", issuerUsage)
	if len(rest) == 0 {
		return wrong
	}
	switch word, words := rest[0], rest[1:]; {
	case word == "normal" && len(words) == 0:
		h.issuer = issuing{ids: h.issuer.ids}
	case word == "arpc" && len(words) == 1 && (words[0] == "right" || words[0] == "wrong" || words[0] == "none"):
		h.issuer.arpc, h.issuer.arpcLeft = words[0], o.left
	case word == "approve" && len(words) <= 1:
		o.rc = strings.ToUpper(strings.Join(append(words, "00")[:1], ""))
		if !approving[o.rc] {
			return fmt.Errorf("acquirer: %s does not approve; see issuer decline", o.rc)
		}
		h.issuer.decision = o
	case word == "decline" && len(words) == 1 && len(words[0]) == 2 && !strings.ContainsFunc(words[0], notLetter):
		if o.rc = strings.ToUpper(words[0]); approving[o.rc] {
			return fmt.Errorf("acquirer: %s approves; see issuer approve", o.rc)
		}
		h.issuer.decision = o
	case word == "script" && len(words) == 1 && words[0] == "off":
		h.issuer.scripts = nil
	case word == "script":
		s, err := readScript(words)
		if err != nil {
			return err
		}
		size := 0
		for _, other := range append(h.issuer.scripts, s) {
			size += other.size()
		}
		if size > maxScripts {
			return fmt.Errorf("acquirer: the scripts of an answer take up to %d bytes, these %d", maxScripts, size)
		}
		h.issuer.scripts = append(h.issuer.scripts, s)
	default:
		return wrong
	}
	return nil
}

// readScript reads the words behind "issuer script".
func readScript(words []string) (s scriptOrder, err error) {
	wrong := fmt.Errorf("acquirer: %s", issuerUsage)
	s.template = "72"
	if n := len(words); n > 1 && (words[n-1] == "71" || words[n-1] == "72") {
		s.template, words = words[n-1], words[:n-1]
	}
	if len(words) == 0 {
		return s, wrong
	}
	s.what = words[0]
	plain := map[string]scriptOrder{
		"block": {ins: 0x1E}, "unblock": {ins: 0x18}, "card-block": {ins: 0x16}, "pin-unblock": {ins: 0x24}, "bad-mac": {ins: 0x1E, spoil: true},
	}
	if p, ok := plain[s.what]; ok && len(words) == 1 {
		p.what, p.template = s.what, s.template
		return p, nil
	}
	if len(words) != 2 {
		return s, wrong
	}
	name, value, _ := strings.Cut(words[1], "=")
	switch s.what {
	case "pin-change":
		if n := len(words[1]); n < 4 || n > 12 || strings.Trim(words[1], "0123456789") != "" {
			return s, fmt.Errorf("acquirer: issuer script pin-change takes 4 to 12 digits")
		}
		s.ins, s.p2, s.pin = 0x24, 2, words[1]
		s.data = pack(fmt.Sprintf("2%X%s", len(words[1]), words[1]+"FFFFFFFFFFFFFF")[:16])
		return s, nil
	case "put-data":
		tag, err := hex.DecodeString(name)
		if err != nil || len(tag) < 1 || len(tag) > 2 {
			return s, wrong
		}
		s.ins, s.p2 = 0xDA, tag[len(tag)-1]
		if len(tag) == 2 {
			s.p1 = tag[0]
		}
	case "update-record":
		sfi, no, _ := strings.Cut(name, ".")
		f, err1 := strconv.Atoi(sfi)
		n, err2 := strconv.Atoi(no)
		if err1 != nil || err2 != nil || f < 1 || f > 30 || n < 1 || n > 255 {
			return s, wrong
		}
		s.ins, s.p1, s.p2 = 0xDC, byte(n), byte(f<<3|4)
	default:
		return s, wrong
	}
	if s.data, err = hex.DecodeString(value); err != nil || len(s.data) == 0 {
		return s, wrong
	}
	return s, nil
}

// size is what the script takes in an answer: template, identifier 9F18, command 86.
func (s scriptOrder) size() int {
	n := len(s.data)
	if s.pin != "" {
		n = 16 // enciphered
	}
	return 2 + 7 + 2 + 5 + n + 8
}

// decide is the issuer's word on order, if there is one for a request of this MTI.
func (i *issuing) decide(mti string) string {
	if i.decision.rc == "" {
		return ""
	}
	for _, p := range i.decision.mtis {
		if !matches(p, mti) {
			continue
		}
		rc := i.decision.rc
		if i.decision.left > 0 {
			if i.decision.left--; i.decision.left == 0 {
				i.decision = order{}
			}
		}
		return rc
	}
	return ""
}

// proof is DE 55 of an answer: 91 and the scripts that are due. A code that approves
// with a reservation is 00 to the card. HOST §2, B2 §8.2, B3 §10.10.
func (x *exchange) proof(acct *account, s *chipSale, rc string) string {
	i, card := &x.h.issuer, chipcard.IssuerOf(*acct.chip)
	psn := acct.chip.PSN
	if psn == "" {
		psn = "00"
	}
	if approving[rc] {
		rc = "00"
	}
	out := ""
	how := i.arpc
	if i.arpcLeft > 0 {
		if i.arpcLeft--; i.arpcLeft == 0 {
			i.arpc = ""
		}
	}
	if how != "none" {
		data := bytes.Clone(card.Answer(s.pan, psn, s.data["9F36"], s.data["9F26"], [2]byte([]byte(rc))))
		if how == "wrong" {
			data[0] ^= 0x01
		}
		out = object("91", data)
	}
	for _, o := range i.scripts {
		i.ids++
		sent := sentScript{what: o.what, pin: o.pin}
		binary.BigEndian.PutUint32(sent.id[:], i.ids)
		c := card.Command(s.pan, psn, s.data["9F26"], o.ins, o.p1, o.p2, o.data)
		if o.spoil {
			c[len(c)-1] ^= 0x01
		}
		out += string(chipcard.Script(o.template, sent.id[:], c))
		s.scripts = append(s.scripts, sent)
	}
	i.scripts = nil
	return out
}

// scriptResult answers a 0620: what became of the scripts of an answer. Nothing is
// booked. HOST §1.4, B3 §10.10.
func (x *exchange) scriptResult() message {
	if a, bad := x.fields([]int{2, 3, 4, 11, 22, 41, 42, 49, 55, 60, 61, 64}, []int{14, 23, 25, 32, 37, 38}); bad {
		return a
	}
	t60, t61 := x.m.f[60], x.m.f[61]
	switch {
	case len(t60) < 11 || t60[:2] != "00" || t60[8:11] != "951":
		return x.refuse(FindValue, 60, "not a script result's", "30")
	case len(t61) < 12:
		return x.refuse(FindValue, 61, "does not name an original", "30")
	}
	o, err := readTLV(x.m.f[55])
	if err != nil {
		return x.refuse(FindChip, 55, err.Error(), "30")
	}
	if why := o.needs(resultMust, resultMay); why != "" {
		return x.refuse(FindChip, 55, why, "30")
	}
	s := x.h.chips.by[key{x.t.tid, pos.BatchNo(number(t61[:6])), pos.STAN(number(t61[6:12]))}]
	say := func(de int, detail string) { x.finding(FindScript, de, detail, "00") }
	switch {
	case s == nil:
		say(61, "names no sale of a chip")
		return x.answer("25")
	case x.m.f[2] != s.pan:
		say(2, "not the original's card")
	case number(x.m.f[4]) != s.asked:
		say(4, "not the original's amount")
	case x.m.has(23) && x.m.f[23] != s.psn:
		say(23, "not the original's")
	case !bytes.Equal(o["9F36"], s.data["9F36"]):
		say(55, "9F36 is not the original's")
	case !bytes.Equal(o["9F37"], s.data["9F37"]):
		say(55, "9F37 is not the original's")
	default:
		if why := x.scriptsReported(s, o["DF31"], x.h.accounts[s.pan]); why != "" {
			say(55, why)
		}
	}
	return x.answer("00")
}

// scriptsReported holds results, five bytes each, against the scripts that were sent,
// and gives a PIN that the card has taken to its account.
func (x *exchange) scriptsReported(s *chipSale, results []byte, acct *account) string {
	first := !s.reported
	s.reported = true
	if len(results) != 5*len(s.scripts) {
		return fmt.Sprintf("DF31 has %d bytes for %d scripts", len(results), len(s.scripts))
	}
	for n, sent := range s.scripts {
		r := results[5*n : 5*n+5]
		switch {
		case !bytes.Equal(r[1:], sent.id[:]):
			return fmt.Sprintf("DF31: result %d names another script", n+1)
		case r[0]>>4 > 2, r[0]>>4 == 2 && r[0]&15 != 0:
			return fmt.Sprintf("DF31: result %d is %02X", n+1, r[0])
		case r[0]>>4 == 2 && sent.pin != "" && acct != nil && first:
			acct.PIN, acct.tries = sent.pin, 0
		}
		if first {
			x.h.note(Event{What: "script", MTI: x.m.mti, TID: x.m.f[41], STAN: x.m.f[11], Detail: fmt.Sprintf("%s: %02X", sent.what, r[0])})
		}
	}
	return ""
}
