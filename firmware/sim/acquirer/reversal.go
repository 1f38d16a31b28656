package acquirer

import (
	"fmt"
	"slices"
	"strings"

	"swipewell/firmware/pos"
)

// reversible kinds, HOST §1.4; the others end by repetition or not at all.
var reversible = []string{KindSale, KindVoid, KindPreauth, KindTopUp, KindPreauthVoid, KindComplete, KindCompleteVoid}

// reasons that DE 39 of a 0400 may give. HOST §1.4.
var reasons = []string{"98", "A0", "06"}

// reversal answers a 0400. The original is found by terminal, batch and STAN;
// PAN and amount must be its own. A second reversal of the same is answered 00
// again and books nothing.
func (x *exchange) reversal() message {
	if len(x.m.f[60]) < 11 {
		return x.refuse(FindValue, 60, "names no batch", "30")
	}
	if a, bad := x.fields([]int{2, 3, 4, 11, 22, 25, 39, 41, 42, 49, 60, 64}, []int{14, 23, 38, 55, 61}); bad {
		return a
	}
	if !slices.Contains(reasons, x.m.f[39]) {
		return x.refuse(FindValue, 39, "not a reason of a reversal", "30")
	}
	pan, asked := x.m.f[2], number(x.m.f[4])
	e := Entry{Kind: KindReversal, MTI: x.m.mti, TID: x.t.tid, Batch: x.batch(), STAN: pos.STAN(number(x.m.f[11])), PAN: mask(pan),
		Asked: asked, At: x.h.wall(), Process: x.m.f[3], Mode: x.m.f[22], Condition: x.m.f[25], Type60: x.m.f[60], pan: pan}
	acct := x.h.accounts[pan]
	if acct != nil {
		e.Card = acct.Name
	}
	rc := x.how.rc
	if rc == "" || approving[rc] {
		rc = x.takeBack(&e, acct)
	}
	e.RC = pos.ResponseCode(rc)
	a := x.money(e, acct, rc)
	delete(a.f, 63)
	e.RRN = pos.RRN(a.f[37])
	x.h.write(e)
	return a
}

// takeBack finds the original and books the reversal once.
func (x *exchange) takeBack(e *Entry, acct *account) string {
	b := x.h.books
	o, ok := b.find(e.key())
	if !ok || !o.Booked || !slices.Contains(reversible, o.Kind) {
		return x.h.o.NotFound
	}
	switch {
	case !o.IsPAN(e.pan):
		x.finding(FindReversal, 2, "not the original's card", x.h.o.NotFound)
		return x.h.o.NotFound
	case e.Asked != o.Asked && e.Asked != o.Amount:
		x.finding(FindReversal, 4, "not the original's amount", "64")
		return "64"
	}
	e.Orig = o.Seq
	for _, c := range []struct {
		de   int
		same bool
	}{{3, e.Process == o.Process}, {22, e.Mode == o.Mode}, {25, e.Condition == o.Condition}, {60, e.Type60 == o.Type60},
		{38, !x.m.has(38) || strings.TrimSpace(x.m.f[38]) == string(o.Auth)}} {
		if !c.same {
			x.finding(FindReversal, c.de, "not the original's", "00")
		}
	}
	x.chipReversal(o)
	switch {
	case b.reversed[o.Seq] != 0:
		return "00"
	case b.voided[o.Seq] != 0:
		return "22"
	}
	e.Booked, e.Amount, e.Net, e.Hold = true, o.Amount, -o.Net, -o.Hold
	if acct != nil {
		acct.undo(o, e.At)
	}
	return "00"
}

// undo is a clerk's hand in the books, on a supervisor's ticket: the youngest booking
// of that trace number is taken back, if no message has done so.
func (h *Host) undo(n pos.STAN) error {
	b := h.books
	for _, o := range slices.Backward(b.entries) {
		if o.STAN != n || !o.Booked || !slices.Contains(reversible, o.Kind) {
			continue
		}
		if b.reversed[o.Seq] != 0 || b.voided[o.Seq] != 0 {
			return fmt.Errorf("acquirer: %v was taken back already", n)
		}
		e := Entry{Kind: KindReversal, TID: o.TID, Batch: o.Batch, STAN: n, PAN: o.PAN, Card: o.Card, Asked: o.Asked, At: h.wall(), Process: o.Process, Mode: o.Mode,
			Condition: o.Condition, Type60: o.Type60, Orig: o.Seq, Booked: true, Amount: o.Amount, Net: -o.Net, Hold: -o.Hold, RC: "00", pan: o.pan}
		if acct := h.accounts[o.pan]; acct != nil {
			acct.undo(o, e.At)
		}
		h.write(e)
		return nil
	}
	return fmt.Errorf("acquirer: nothing is booked under %v", n)
}

// authCode is DE 38: six digits.
func (h *Host) authCode() string {
	h.auths++
	return fmt.Sprintf("%06d", (h.auths*7919+100_003)%1_000_000)
}
