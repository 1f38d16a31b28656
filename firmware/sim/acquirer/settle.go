package acquirer

import (
	"fmt"
	"slices"
	"strings"

	"swipewell/firmware/pos"
)

// dayTotals is one terminal's open batch as the books have it: debits and
// credits. What was reversed or voided counts nowhere; a tip counts with the
// debits and is no payment of its own.
type dayTotals struct {
	debitN, creditN int
	debit, credit   int64
}

func (h *Host) totals(t pos.TerminalID, batch pos.BatchNo) (d dayTotals) {
	b := h.books
	for _, e := range b.entries {
		if e.TID != t || e.Batch != batch || !e.Booked || b.reversed[e.Seq] != 0 || b.voided[e.Seq] != 0 {
			continue
		}
		switch e.Kind {
		case KindSale, KindOffline, KindComplete, KindCompleteAdvice:
			d.debitN++
			d.debit += e.Net
		case KindTip, KindAdjust:
			if b.reversed[e.Orig] == 0 && b.voided[e.Orig] == 0 {
				d.debit += e.Net
			}
		case KindRefund:
			d.creditN++
			d.credit += e.Amount
		}
	}
	return d
}

// field is 31 digits of DE 48. HOST §1.4, 0500.
func (d dayTotals) field(code byte) string {
	return fmt.Sprintf("%012d%03d%012d%03d%c", d.debit, d.debitN%1000, d.credit, d.creditN%1000, code)
}

// settlement answers a 0500: its answer has no DE 39.
func (x *exchange) settlement() message {
	if a, bad := x.fields([]int{11, 41, 42, 48, 49, 60, 63}, nil); bad {
		return a
	}
	t60, theirs := x.m.f[60], x.m.f[48]
	if len(t60) != 11 || t60[:2] != "00" || t60[8:] != "201" {
		return x.refuse(FindValue, 60, "not a settlement's", "30")
	}
	if len(theirs) != 62 {
		return x.refuse(FindValue, 48, fmt.Sprintf("%d digits, not 62", len(theirs)), "30")
	}
	ours := x.h.totals(x.t.tid, x.batch())
	swapped := x.h.swapTotals
	code := byte('2')
	if theirs[:30] == ours.field('0')[:30] && strings.Trim(theirs[31:], "0") == "" {
		code = '1'
	}
	if x.h.settle != 0 {
		code = x.h.settle
		if x.h.settleLeft > 0 {
			if x.h.settleLeft--; x.h.settleLeft == 0 {
				x.h.settle, x.h.swapTotals = 0, false
			}
		}
	}
	x.t.balance = code
	if code == '2' {
		x.finding(FindTotals, 48, fmt.Sprintf("theirs %s, ours %s", theirs[:30], ours.field('0')[:30]), "")
	}
	a := x.answer("00")
	delete(a.f, 39)
	shown := ours
	if swapped {
		shown = dayTotals{ours.creditN, ours.debitN, ours.credit, ours.debit}
	}
	a.f[48] = shown.field(code) + strings.Repeat("0", 30) + string(code)
	return a
}

// upload answers a 0320: rows and notices are held against the books, and the
// batch end closes the batch.
func (x *exchange) upload() message {
	t60 := x.m.f[60]
	if len(t60) < 11 {
		return x.refuse(FindValue, 60, "names no batch", "30")
	}
	switch code := t60[8:11]; {
	case t60[:2] != "00":
		return x.notice()
	case code == "201":
		return x.details()
	case code == "203", code == "204", code == "205", code == "206":
		return x.chipUpload(code)
	case code == "202", code == "207":
		if a, bad := x.fields([]int{11, 41, 42, 48, 60}, nil); bad {
			return a
		}
		// A batch end that is repeated finds the batch closed already.
		if x.t.batch == x.batch() {
			x.chipsUploaded()
			x.t.batch = x.batch() % 999_999
			x.t.batch++
		}
		return x.answer("00")
	}
	return x.refuse(FindKind, 60, "no such upload", "40")
}

// details are up to eight rows in DE 48.
func (x *exchange) details() message {
	if a, bad := x.fields([]int{11, 41, 42, 48, 60}, nil); bad {
		return a
	}
	d := x.m.f[48]
	const row = 2 + 6 + 20 + 12
	if len(d) < 2 || len(d) != 2+int(number(d[:2]))*row || number(d[:2]) > 8 {
		return x.refuse(FindValue, 48, "rows do not fill the field", "30")
	}
	for d = d[2:]; d != ""; d = d[row:] {
		e, ok := x.h.books.find(key{x.t.tid, x.batch(), pos.STAN(number(d[2:8]))})
		amount := number(d[28:40])
		switch {
		case !ok || !e.Booked || x.h.books.reversed[e.Seq] != 0 || x.h.books.voided[e.Seq] != 0:
			x.finding(FindTotals, 48, "a row that the books lack: "+d[2:8], "")
		case !e.IsPAN(strings.TrimLeft(d[8:28], "0")):
			x.finding(FindTotals, 48, "a row of another card: "+d[2:8], "")
		case e.Net+x.h.books.tips[e.Seq] != amount:
			x.finding(FindTotals, 48, "a row of another amount: "+d[2:8], "")
		}
	}
	return x.answer("00")
}

// notice is a full copy of an advice.
func (x *exchange) notice() message {
	if a, bad := x.fields([]int{2, 3, 4, 11, 22, 25, 41, 42, 49, 60, 61}, []int{14, 37, 38, 63}); bad {
		return a
	}
	if len(x.m.f[61]) < 12 {
		return x.refuse(FindValue, 61, "names no row", "30")
	}
	e, ok := x.h.books.find(key{x.t.tid, pos.BatchNo(number(x.m.f[61][:6])), pos.STAN(number(x.m.f[61][6:12]))})
	if !ok || !e.Booked {
		x.finding(FindTotals, 61, "a notice that the books lack", "")
	}
	return x.answer("00")
}

// parameters is what a 0800/360 is told, HOST §1.3: code and value, in order.
func (h *Host) parameters() string {
	codes := make([]string, 0, len(h.params))
	for c := range h.params {
		codes = append(codes, c)
	}
	slices.Sort(codes)
	var s strings.Builder
	for _, c := range codes {
		s.WriteString(c + h.params[c])
	}
	return s.String()
}

// commandParam is "param 12=45 18=1".
func (h *Host) commandParam(args []string) error {
	for _, a := range args {
		c, v, ok := strings.Cut(a, "=")
		if !ok || len(c) != 2 || strings.Trim(c+v, "0123456789") != "" {
			return fmt.Errorf("acquirer: param CODE=VALUE…, as 12=45")
		}
		if h.params == nil {
			h.params = map[string]string{}
		}
		h.params[c] = v
	}
	return nil
}

// commandSettle forces the next code of a 0510.
func (h *Host) commandSettle(args []string) error {
	rest, o, err := flags(args)
	if err != nil {
		return err
	}
	code, ok := map[string]byte{"normal": 0, "balanced": '1', "unbalanced": '2', "error": '3', "swapped": 's'}[strings.Join(rest, " ")]
	if !ok {
		return fmt.Errorf("acquirer: settle normal|balanced|unbalanced|error|swapped [-n N]")
	}
	h.swapTotals = code == 's'
	if code == 's' {
		code = '2'
	}
	h.settle, h.settleLeft = code, o.left
	return nil
}
