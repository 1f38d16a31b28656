package acquirer

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"swipewell/firmware/pos"
	chipcard "swipewell/firmware/sim/card"
)

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func upper(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// chipSale is what a request's chip said, kept by terminal, batch and trace number.
type chipSale struct {
	key      key
	card     string // its name
	pan      string
	psn      string // DE 23
	asked    int64
	data     objects
	offline  bool // an advice: the terminal's decision
	proven   bool // its cryptogram is right
	scripts  []sentScript
	sent     bool   // the answer went out as it should
	reported bool   // the scripts' result came
	upload   string // the batch upload that had it, "" none
}

// chips is what the issuers know of their cards' chips.
type chips struct {
	sales []*chipSale
	last  map[string]int    // by PAN: the youngest counter that came online
	used  map[string]bool   // PAN and counter
	uns   map[string]string // unpredictable number → trace number
	by    map[key]*chipSale
}

func newChips() chips {
	return chips{last: map[string]int{}, used: map[string]bool{}, uns: map[string]string{}, by: map[key]*chipSale{}}
}

// sale finds a chip sale of a terminal's batch by card and counter.
func (c *chips) sale(t pos.TerminalID, b pos.BatchNo, pan string, atc []byte) *chipSale {
	for _, s := range slices.Backward(c.sales) {
		if s.key.tid == t && s.key.batch == b && s.pan == pan && bytes.Equal(s.data["9F36"], atc) {
			return s
		}
	}
	return nil
}

// field55 reads DE 55 of a payment; nil if there is none, or none that is checked.
func (x *exchange) field55(k kind) (o objects, a message, bad bool) {
	raw, ok := x.m.f[55]
	mode := x.m.f[22][:2]
	switch {
	case !ok:
		return nil, a, false
	case mode != "05" && mode != "07" && mode != "95":
		return nil, x.refuse(FindUnexpected, 55, "of a card that was not read by its chip", "30"), true
	}
	o, err := readTLV(raw)
	switch {
	case err != nil:
		return nil, x.refuse(FindChip, 55, err.Error(), "30"), true
	case k.refers:
		return nil, a, false // the original's chip spoke for it
	}
	may := []map[string]place{chipMay}
	if x.m.mti == "0220" {
		may = append(may, afterwards)
	}
	if why := o.needs(chipMust, may...); why != "" {
		return nil, x.refuse(FindChip, 55, why, "30"), true
	}
	return o, a, false
}

// chipVerdict is what the issuer says of a chip's data, "" if it approves of them. All
// that is wrong is a finding; the first decides.
func (x *exchange) chipVerdict(acct *account, k kind, s *chipSale) (rc string) {
	say := func(name string, de int, code, detail string) {
		x.finding(name, de, detail, code)
		if rc == "" {
			rc = code
		}
	}
	if acct.chip == nil {
		say(FindChip, 55, "34", "of a card without a chip")
		return rc
	}
	o := s.data
	if why := x.consistent(k, acct, s); why != "" {
		say(FindChip, 55, "30", why)
	}
	if why := x.verified(o); why != "" {
		say(FindChip, 55, "30", why)
	}
	want, name := byte(0x80), "an ARQC"
	if s.offline {
		want, name = 0x40, "a TC"
	}
	if o["9F27"][0]&0xC0 != want {
		say(FindCryptogram, 55, "30", fmt.Sprintf("9F27 is %02X, not that of %s", o["9F27"][0], name))
	}
	if s.proven = s.verify(acct.chip); !s.proven {
		say(FindCryptogram, 55, "34", "9F26 is not this card's over these values")
	} else if s.offline {
		x.h.checks.tcs++
	} else {
		x.h.checks.arqcs++
	}
	if why := x.h.chips.fresh(s); why != "" {
		say(FindATC, 55, "34", why)
	}
	return rc
}

// verify checks the cryptogram with the issuer's keys. B2 §8.1.
func (s *chipSale) verify(p *chipcard.Profile) bool {
	psn := "00"
	if len(s.psn) == 3 {
		psn = s.psn[1:]
	}
	return chipcard.IssuerOf(*p).Verify(s.pan, psn, s.data["9F26"], s.data)
}

// fresh: a counter that rises online, that an offline sale has for itself, and a
// number that never came. It learns them.
func (c *chips) fresh(s *chipSale) string {
	atc := int(s.data["9F36"][0])<<8 | int(s.data["9F36"][1])
	id, un := fmt.Sprintf("%s/%d", s.pan, atc), string(s.data["9F37"])
	was, seen := c.uns[un]
	used := c.used[id]
	c.used[id], c.uns[un] = true, s.key.stan.String()
	switch {
	case used:
		return fmt.Sprintf("counter 9F36 %d came before", atc)
	case !s.offline && atc <= c.last[s.pan]:
		return fmt.Sprintf("counter 9F36 is %d after %d", atc, c.last[s.pan])
	}
	if !s.offline {
		c.last[s.pan] = atc
	}
	if seen {
		return "9F37 is that of STAN " + was
	}
	return ""
}

// consistent compares DE 55 with the message around it and with the card.
func (x *exchange) consistent(k kind, acct *account, s *chipSale) string {
	o, p := s.data, acct.chip
	amount := fmt.Sprintf("%012d", number(x.m.f[4]))
	aids := []string{p.AID}
	for _, a := range p.More {
		aids = append(aids, a.AID)
	}
	switch {
	case upper(o["9F02"]) != amount:
		return "9F02 is not DE 4"
	case strings.Trim(upper(o["9F03"]), "0123456789") != "":
		return "9F03 is no amount"
	case upper(o["5F2A"]) != "0"+x.m.f[49]:
		return "5F2A is not DE 49"
	case upper(o["9F1A"]) != "0156":
		return "9F1A is not this country"
	case o["9C"][0] != 0 && upper(o["9C"]) != k.process[:2]:
		return "9C is not DE 3's"
	case upper(o["82"]) != p.AIP:
		return "82 is not the card's"
	case o["84"] != nil && !slices.Contains(aids, upper(o["84"])):
		return "84 is not the card's"
	case p.PSN != "" && s.psn != "0"+p.PSN:
		return "DE 23 is not the card's sequence number"
	case p.PSN == "" && strings.Trim(s.psn, "0") != "":
		return "DE 23 of a card without a sequence number"
	}
	day, err := time.ParseInLocation("060102", upper(o["9A"]), pos.CST)
	if err != nil {
		return "9A is no date"
	}
	apart, most := x.h.wall().Sub(day), 48*time.Hour // the day itself ends 24 h behind its beginning
	if s.offline {
		most = 32 * 24 * time.Hour
	}
	if apart < -24*time.Hour || apart > most {
		return "9A is not of these days"
	}
	return ""
}

// verified compares what DE 55 says of the cardholder's verification with itself and
// with DE 52. B3 Annex C5, B4 Annex A4.
func (x *exchange) verified(o objects) string {
	tvr, r, pin := o["95"], o["9F34"], x.m.has(52)
	switch {
	case pin != (tvr[2]&0x04 != 0):
		return "TVR byte 3 bit 3 (online PIN entered) does not fit to DE 52"
	case r == nil:
		return ""
	case pin != (r[0]&0x3F == 0x02 && r[2] != 0x01):
		return "9F34 does not fit to DE 52"
	case r[2] > 2, (r[2] == 0x01) != (tvr[2]&0x80 != 0):
		return "9F34 does not fit to TVR byte 3 bit 8"
	}
	return ""
}

// keep remembers a chip's sale.
func (c *chips) keep(s *chipSale) {
	c.sales = append(c.sales, s)
	c.by[s.key] = s
}

// chipReversal compares a reversal with the chip data of its original. HOST §1.4.
func (x *exchange) chipReversal(o Entry) {
	s := x.h.chips.by[o.key()]
	raw, has := x.m.f[55]
	say := func(de int, detail string) { x.finding(FindReversal, de, detail, "00") }
	switch {
	case s == nil:
		if has && o.Mode[:2] != "05" {
			say(55, "of a card that was not read by its chip")
		}
		return
	case !has:
		say(55, "not there: 95 and 9F10 of a chip's sale are wanted")
		return
	case x.m.f[23] != s.psn:
		say(23, "not the original's")
	}
	d, err := readTLV(raw)
	if err != nil {
		say(55, err.Error())
		return
	}
	if why := d.needs(reversalMust, reversalMay); why != "" {
		say(55, why)
		return
	}
	if v := d["9F36"]; v != nil && !bytes.Equal(v, s.data["9F36"]) {
		say(55, "9F36 is not the original's")
	}
	if v := d["DF31"]; v != nil {
		if why := x.scriptsReported(s, v, x.h.accounts[s.pan]); why != "" {
			say(55, why)
		}
	}
}
