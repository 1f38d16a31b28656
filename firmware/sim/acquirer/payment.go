package acquirer

import (
	"fmt"
	"slices"
	"strings"

	"swipewell/firmware/pos"
)

// kind is one row of HOST §1.4.
type kind struct {
	name    string
	process string // DE 3
	needs   []int  // beside what all payments need
	may     []int
	card    bool // a card is presented: DE 22, 26, 35, 52, 53 are checked
	funds   bool // limits and balance are checked
	refers  bool // DE 61 names an original
}

// Fields that all payments carry, and those that belong to a presented card.
var (
	always    = []int{3, 11, 22, 25, 41, 42, 49, 60, 64}
	presented = []int{2, 14, 23, 26, 35, 36, 52, 53, 55, 59}
)

// kinds by MTI, DE 60.1 and DE 25.
var kinds = map[string]kind{
	"0200/22/00": {name: KindSale, process: "000000", needs: []int{4}, card: true, funds: true},
	"0200/23/00": {name: KindVoid, process: "200000", needs: []int{4, 37, 61}, may: []int{38}, card: true, refers: true},
	"0220/25/00": {name: KindRefund, process: "200000", needs: []int{4, 37, 61, 63}, may: []int{38}, card: true, refers: true},
	"0100/10/06": {name: KindPreauth, process: "030000", needs: []int{4}, card: true, funds: true},
	"0100/10/60": {name: KindTopUp, process: "030000", needs: []int{4, 38, 61}, card: true, funds: true},
	"0100/11/06": {name: KindPreauthVoid, process: "200000", needs: []int{4, 61}, may: []int{38}, card: true, refers: true},
	"0200/20/06": {name: KindComplete, process: "000000", needs: []int{4, 38, 61}, card: true, refers: true},
	"0200/21/06": {name: KindCompleteVoid, process: "200000", needs: []int{4, 37, 61}, may: []int{38}, card: true, refers: true},
	"0220/24/06": {name: KindCompleteAdvice, process: "000000", needs: []int{4, 38, 61}, card: true, refers: true},
	"0200/01/00": {name: KindBalance, process: "310000", card: true},
	"0220/30/00": {name: KindOffline, process: "000000", needs: []int{4}, may: []int{38, 61, 63}, card: true, funds: true},
	"0220/32/00": {name: KindAdjust, process: "000000", needs: []int{4, 61}, may: []int{37, 38, 63}, card: true, refers: true},
	"0220/36/00": {name: KindOffline, process: "000000", needs: []int{4, 55}, may: []int{38, 61, 63}, card: true, funds: true},
	"0220/34/00": {name: KindTip, process: "000000", needs: []int{4, 48, 61}, may: []int{37, 38, 63}, card: true, refers: true},
}

// payment answers 0100, 0200 and 0220.
func (x *exchange) payment() message {
	k, a, bad := x.form()
	if bad {
		return a
	}
	c, a, bad := x.cardData(k)
	if bad {
		return a
	}
	chip, a, bad := x.field55(k)
	if bad {
		return a
	}
	pin, a, bad := x.pin(c)
	if bad {
		return a
	}
	e := Entry{Kind: k.name, MTI: x.m.mti, TID: x.t.tid, Batch: x.batch(), STAN: pos.STAN(number(x.m.f[11])), PAN: mask(c.pan),
		Asked: number(x.m.f[4]), At: x.h.wall(), Process: x.m.f[3], Mode: x.m.f[22], Condition: x.m.f[25], Type60: x.m.f[60], pan: c.pan}
	if old, used := x.h.books.find(e.key()); used {
		if x.m.mti == "0220" && !old.Booked {
			// What was refused is refused again: 94 would say that it is booked.
			return x.money(e, x.h.accounts[c.pan], string(old.RC))
		}
		return x.refuse(FindDuplicate, 11, "terminal, batch and STAN were used before", "94")
	}
	acct := x.h.accounts[c.pan]
	if acct != nil {
		e.Card = acct.Name
	}
	var orig Entry
	rc, forced := x.how.rc, false
	var s *chipSale
	chipRC := ""
	if chip != nil && acct != nil {
		s = &chipSale{key: e.key(), card: acct.Name, pan: c.pan, psn: x.m.f[23], asked: e.Asked, data: chip, offline: x.m.mti == "0220",
			sent: x.out.how == answerNormal || x.out.how == answerDuplicate}
		chipRC = x.chipVerdict(acct, k, s)
		if own := x.h.issuer.decide(x.m.mti); rc == "" && own != "" {
			rc, forced = own, approving[own]
		}
	}
	if rc == "" || approving[rc] {
		if acct == nil {
			rc = "14"
		} else if own := x.verdict(acct, k, c, pin, &e, &orig); own != "" && !forced {
			rc = own
		} else if chipRC != "" && !forced {
			rc = chipRC
		} else if rc == "" {
			rc = "00"
		}
	}
	e.RC = pos.ResponseCode(rc)
	if approving[rc] && k.name != KindBalance {
		x.book(&e, acct, orig)
	}
	a = x.money(e, acct, rc)
	if k.name == KindBalance && approving[rc] {
		// Account type 10, available balance 02. HOST §1.2.
		sign, left := "C", acct.left()
		if left < 0 {
			sign, left = "D", -left
		}
		a.f[54] = fmt.Sprintf("1002156%s%012d", sign, left)
	}
	if s != nil {
		if acct.chip != nil && !s.offline && s.proven {
			if v := x.proof(acct, s, rc); v != "" {
				a.f[55] = v
			}
		}
		x.h.chips.keep(s)
	}
	e.RRN = pos.RRN(a.f[37])
	x.h.write(e)
	return a
}

// form checks MTI, DE 3, 25 and 60 against the table, and then the fields.
func (x *exchange) form() (k kind, a message, bad bool) {
	t60 := x.m.f[60]
	if len(t60) < 11 {
		return k, x.refuse(FindValue, 60, fmt.Sprintf("%d digits, a payment has 11 or more", len(t60)), "30"), true
	}
	k, ok := kinds[x.m.mti+"/"+t60[:2]+"/"+x.m.f[25]]
	if !ok {
		return k, x.refuse(FindKind, 60, "MTI, DE 25 and 60.1 name no transaction", "12"), true
	}
	if a, bad = x.fields(slices.Concat(always, k.needs), slices.Concat(presented, k.may)); bad {
		return k, a, true
	}
	switch {
	case t60[:2] == "36" && x.m.f[22][:min(2, len(x.m.f[22]))] != "05":
		return k, x.refuse(FindValue, 22, "a chip's offline sale is read by the chip", "30"), true
	case x.m.f[3] != k.process:
		return k, x.refuse(FindValue, 3, "not the processing code of a "+k.name, "30"), true
	case t60[8:11] != "000":
		return k, x.refuse(FindValue, 60, "60.3 of a payment is 000", "30"), true
	case x.m.f[49] != fmt.Sprint(pos.CNY):
		return k, x.refuse(FindValue, 49, "not 156", "30"), true
	case number(x.m.f[11]) == 0:
		return k, x.refuse(FindValue, 11, "STAN 000000", "30"), true
	case number(t60[2:8]) == 0:
		return k, x.refuse(FindValue, 60, "batch 000000", "30"), true
	case k.refers && len(x.m.f[61]) < 12, k.name == KindTopUp && x.m.f[61] != strings.Repeat("0", 16):
		return k, x.refuse(FindValue, 61, "does not name an original", "30"), true
	}
	return k, a, false
}

func (x *exchange) batch() pos.BatchNo { return pos.BatchNo(number(x.m.f[60][2:8])) }

// verdict is the DE 39 of a request that is in order, "" if it is approved.
func (x *exchange) verdict(acct *account, k kind, c cardData, pin string, e, orig *Entry) string {
	if rc := x.cardVerdict(acct, k, c, pin); rc != "" {
		return rc
	}
	if k.refers {
		return x.related(k, e, orig)
	}
	switch {
	case k.name == KindBalance:
		return ""
	case e.Asked == 0:
		return "13"
	case k.funds && x.m.f[60][:2] == "36": // the issuer is bound by its card's word
		return ""
	case k.funds:
		return acct.funds(e.Asked, x.h.wall())
	}
	return ""
}

// related finds the original that a void, refund, completion or tip names,
// and checks that the two fit. HOST §1.4, §2.
func (x *exchange) related(k kind, e, orig *Entry) string {
	of := map[string][]string{
		KindVoid: {KindSale, KindOffline}, KindRefund: {KindSale, KindOffline, KindComplete, KindCompleteAdvice},
		KindPreauthVoid: {KindPreauth}, KindComplete: {KindPreauth}, KindCompleteAdvice: {KindPreauth},
		KindCompleteVoid: {KindComplete}, KindTip: {KindSale, KindOffline, KindComplete}, KindAdjust: {KindOffline},
	}[k.name]
	b := x.h.books
	o, ok := b.find(key{x.t.tid, pos.BatchNo(number(x.m.f[61][:6])), pos.STAN(number(x.m.f[61][6:12]))})
	if strings.Trim(x.m.f[61][:12], "0") == "" { // the terminal knows the slip only
		date := ""
		if len(x.m.f[61]) >= 16 && x.m.f[61][12:16] != "0000" {
			date = x.m.f[61][12:16]
		}
		o, ok = b.findBy(e.pan, x.m.f[37], strings.TrimSpace(x.m.f[38]), date)
	}
	if !ok || !o.Booked || !o.IsPAN(e.pan) || b.reversed[o.Seq] != 0 {
		return "25"
	}
	*orig, e.Orig = o, o.Seq
	same := func(de int, want string) bool {
		return !x.m.has(de) || strings.TrimSpace(x.m.f[de]) == strings.TrimSpace(want)
	}
	switch {
	case !slices.Contains(of, o.Kind), b.voided[o.Seq] != 0:
		return "12"
	case !same(37, string(o.RRN)), !same(38, string(o.Auth)):
		return "25"
	case (k.name == KindVoid || k.name == KindCompleteVoid) && o.Batch != e.Batch:
		return "12" // same batch only
	case (k.name == KindVoid || k.name == KindCompleteVoid || k.name == KindPreauthVoid) && e.Asked != o.Amount:
		return "64"
	case k.name == KindRefund && b.refunded[o.Seq]+e.Asked > o.Amount:
		return "64"
	case (k.name == KindComplete || k.name == KindCompleteAdvice) && e.Asked > o.Amount*115/100:
		return "61" // 115 % of what is held
	case k.name == KindTip && len(x.m.f[48]) != 12:
		return "30"
	}
	return ""
}

// book moves the money of an approved request.
func (x *exchange) book(e *Entry, acct *account, orig Entry) {
	e.Booked, e.Amount = true, e.Asked
	if x.how.amount > 0 && x.how.amount < e.Asked {
		e.Amount = x.how.amount
	}
	switch e.Kind {
	case KindSale, KindOffline:
		e.Net = e.Amount
	case KindTip:
		e.Amount = number(x.m.f[48])
		e.Net = e.Amount
	case KindAdjust:
		e.Net = e.Amount - orig.Amount - x.h.books.adjusted[orig.Seq]
	case KindPreauth, KindTopUp:
		e.Hold = e.Amount
	case KindComplete, KindCompleteAdvice:
		e.Net, e.Hold = e.Amount, -orig.Hold
	case KindPreauthVoid:
		e.Hold = -orig.Hold
	default: // void, refund, void of a completion
		e.Net = -e.Amount
	}
	e.Auth = pos.AuthCode(x.h.authCode())
	if v := strings.TrimSpace(x.m.f[38]); e.Kind == KindOffline && v != "" {
		e.Auth = pos.AuthCode(v) // given by voice
	}
	acct.apply(e.Net, e.Hold, e.Kind == KindSale, e.At)
}

// money completes the answer to a payment. HOST §1.4.
func (x *exchange) money(e Entry, acct *account, rc string) message {
	a := x.answer(rc)
	a.f[2] = e.pan
	a.f[15] = x.h.wall().In(pos.CST).Format("0102")
	a.f[44] = fmt.Sprintf("%-11s%-11s", issuer, institution)
	org := "CUP"
	if acct != nil {
		a.f[14] = acct.Expiry
		org = acct.Org()
	}
	a.f[63] = org
	if x.h.text != "" {
		a.f[63] += fmt.Sprintf("%-60s", x.h.text)
	}
	if e.Auth != "" {
		a.f[38] = string(e.Auth)
	}
	if rc == "10" && e.Booked {
		a.f[4] = fmt.Sprintf("%012d", e.Amount)
	}
	return a
}

// write adds an entry to the books.
func (h *Host) write(e Entry) {
	e, err := h.books.add(e)
	if err != nil {
		h.find(Finding{Name: FindOwnMistake, MTI: e.MTI, TID: e.TID, STAN: e.STAN.String(), Detail: err.Error()})
	}
	h.note(Event{What: "book", MTI: e.MTI, TID: string(e.TID), STAN: e.STAN.String(), RC: string(e.RC), Entry: &e})
}
