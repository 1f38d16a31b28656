package acquirer

import (
	"fmt"
	"strings"

	"swipewell/firmware/pos"
)

// The classes of a chip's uploads. HOST §1.4: 203 and 205 (behind a batch that did not
// balance) carry the TCs of good sales; 204 and 206 what failed, and what the card
// approved without believing its issuer.
func goodUpload(code string) bool { return code == "203" || code == "205" }

// chipUpload answers a 0320 of the chip batch: the cryptogram must be the card's, and the
// sale one that the books have once.
func (x *exchange) chipUpload(code string) message {
	if a, bad := x.fields([]int{2, 4, 11, 22, 41, 42, 55, 60, 62}, []int{3, 14, 23, 25, 32, 37, 38, 49, 64}); bad {
		return a
	}
	o, err := readTLV(x.m.f[55])
	if err != nil {
		return x.refuse(FindChip, 55, err.Error(), "30")
	}
	if why := o.needs(chipMust, chipMay, afterwards); why != "" {
		return x.refuse(FindChip, 55, why, "30")
	}
	if why := x.uploadHead(code); why != "" {
		return x.refuse(FindUpload, 62, why, "30")
	}
	balanced := code == "203" || code == "204"
	if x.t.balance != 0 && balanced != (x.t.balance == '1') {
		x.finding(FindUpload, 60, code+" does not fit to the settlement's answer", "00")
	}
	acct := x.h.accounts[x.m.f[2]]
	if acct == nil || acct.chip == nil {
		x.finding(FindUpload, 2, "not a card with a chip", "00")
		return x.answer("00")
	}
	up := &chipSale{pan: x.m.f[2], psn: x.m.f[23], data: o}
	switch {
	case goodUpload(code) && o["9F27"][0]&0xC0 != 0x40:
		x.finding(FindCryptogram, 55, fmt.Sprintf("9F27 is %02X, not that of a TC", o["9F27"][0]), "00")
	case !up.verify(acct.chip):
		x.finding(FindCryptogram, 55, "9F26 is not this card's over these values", "00")
	default:
		x.h.checks.tcs++
	}
	if why := x.uploaded(code, up); why != "" {
		x.finding(FindUpload, 55, why, "00")
	}
	return x.answer("00")
}

// uploadHead checks DE 62: its kind, organisation, reserve, amount, currency and, of the
// failed, two characters more.
func (x *exchange) uploadHead(code string) string {
	v, kind, size := x.m.f[62], "61", 21
	if !goodUpload(code) {
		kind, size = "71", 23
	}
	switch {
	case len(v) != size:
		return fmt.Sprintf("%d bytes, not %d", len(v), size)
	case v[:2] != kind, v[4:6] != "00", v[18:21] != fmt.Sprint(pos.CNY):
		return "not the head of this upload"
	case v[6:18] != x.m.f[4]:
		return "its amount is not DE 4"
	case v[2:4] != "00" && v[2:4] != "01":
		return "no organisation"
	}
	return ""
}

// authFailed tells that the card did not believe its issuer. B3 Annex C5.
func (o objects) authFailed() bool { return o["95"][4]&0x40 != 0 }

// uploaded holds an upload against its sale and marks it.
func (x *exchange) uploaded(code string, up *chipSale) string {
	s := x.h.chips.sale(x.t.tid, x.batch(), up.pan, up.data["9F36"])
	if s == nil {
		if goodUpload(code) {
			return "a sale that the books lack"
		}
		return "" // what was declined offline never came here
	}
	e, ok := x.h.books.find(s.key)
	good := goodUpload(code)
	if v := up.data["DF31"]; v != nil {
		if why := x.scriptsReported(s, v, x.h.accounts[s.pan]); why != "" {
			return why
		}
	}
	same := string(x.raw)
	switch {
	case s.upload == same:
		x.finding(FindDuplicate, 55, "the same upload again", "00")
		return ""
	case s.upload != "":
		return "STAN " + s.key.stan.String() + " was uploaded before"
	}
	s.upload = same
	switch {
	case s.psn != up.psn:
		return "DE 23 is not the original's"
	case string(s.data["9F37"]) != string(up.data["9F37"]), string(s.data["9F02"]) != string(up.data["9F02"]):
		return "9F37 or 9F02 is not the original's"
	case !good:
		if ok && x.h.stands(e) && up.data["9F27"][0]&0xC0 == 0x40 && !up.data.authFailed() {
			return "a good sale among the failed"
		}
		return ""
	case !ok || !e.Booked:
		return "a TC of a sale that was not approved"
	case number(x.m.f[4]) != e.Amount && number(x.m.f[4]) != e.Asked:
		return "not the books' amount"
	case up.data.authFailed():
		return "the card did not believe its issuer: it belongs to the failed"
	}
	return ""
}

// stands tells that an entry is booked and nothing took it back.
func (h *Host) stands(e Entry) bool {
	return e.Booked && h.books.reversed[e.Seq] == 0 && h.books.voided[e.Seq] == 0
}

// chipsUploaded is the last look at a batch's chips: each standing online sale was
// uploaded, and the result of each script that went out with one was told. An offline
// sale's TC came with its advice already.
func (x *exchange) chipsUploaded() {
	var missing, untold []string
	for _, s := range x.h.chips.sales {
		if s.key.tid != x.t.tid || s.key.batch != x.batch() {
			continue
		}
		e, ok := x.h.books.find(s.key)
		if !ok || !x.h.stands(e) {
			continue
		}
		if e.Kind == KindSale && s.upload == "" {
			missing = append(missing, s.key.stan.String())
		}
		if len(s.scripts) > 0 && s.sent && !s.reported {
			untold = append(untold, s.key.stan.String())
		}
	}
	if len(missing) > 0 {
		x.finding(FindUpload, 60, "never uploaded: STAN "+strings.Join(missing, " "), "")
	}
	if len(untold) > 0 {
		x.finding(FindScript, 60, "no result of the script to STAN "+strings.Join(untold, " "), "")
	}
}
