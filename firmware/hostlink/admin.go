package hostlink

import (
	"fmt"
	"strconv"
	"time"

	"swipewell/firmware/card"
	"swipewell/firmware/iso8583"
	"swipewell/firmware/pos"
	"swipewell/firmware/txn"
)

// Echo packs a 0820/301; it has no STAN. HOST §1.4.
func (l *Line) Echo() Request { return l.admin(0x0820, 0, "301", nil) }

// SignOff packs a 0820/002.
func (l *Line) SignOff(stan pos.STAN) Request { return l.admin(0x0820, stan, "002", nil) }

// Params packs a 0800/360: the acquirer's parameters.
func (l *Line) Params() Request {
	r := l.admin(0x0800, 0, "360", nil)
	r.want.params = true
	return r
}

// Status packs a 0820/362: DE 62 is a list of code and value. HOST §1.3.
func (l *Line) Status(devices []Device) Request {
	var list []byte
	for _, d := range devices {
		v := byte('0')
		if d.OK {
			v = '1'
		}
		list = append(append(list, d.Code...), v)
	}
	return l.admin(0x0820, 0, "362", list)
}

// Device is one line of a status upload: 01 keyboard, 02 PIN pad, 03 reader, 04
// printer, 05 display.
type Device struct {
	Code string
	OK   bool
}

func (l *Line) admin(mti iso8583.MTI, stan pos.STAN, net string, de62 []byte) Request {
	m := message()
	m.Reset(mti)
	if stan != 0 {
		m.SetDigits(iso8583.DESTAN, stan.String())
	}
	l.identity(m)
	m.SetDigits(iso8583.DEBatch, "00"+"000001"+net)
	if de62 != nil {
		m.SetBytes(iso8583.DEKeys, de62)
	}
	return l.pack(m, false)
}

// parseParams reads what we know of a parameter list, code by code; a list
// that runs out of step keeps what stood before. HOST §1.3.
func parseParams(b []byte) (p txn.Params) {
	lens := map[string]int{"11": 2, "12": 2, "13": 1, "14": 14, "15": 14, "16": 14, "17": 14, "18": 1, "19": 2, "20": 1, "21": 1, "23": 1, "25": 1, "27": 2}
	for len(b) >= 2 {
		n, ok := lens[string(b[:2])]
		if !ok || len(b) < 2+n {
			return p
		}
		v, err := strconv.Atoi(string(b[2 : 2+n]))
		if err == nil {
			switch string(b[:2]) {
			case "12":
				if v >= 10 {
					p.Answer = time.Duration(v) * time.Second
				}
			case "18":
				p.TipOn = v == 1
			case "19":
				p.TipMax = v
			}
		}
		b = b[2+n:]
	}
	return p
}

// available is the first amount of DE 54 that is an available balance: account
// type 2, amount type 2, currency 3, sign 1, amount 12. HOST §1.2.
func available(s string) (minor int64, ok bool) {
	if len(s) < 20 {
		return 0, false
	}
	v, err := strconv.ParseInt(s[8:20], 10, 64)
	if err != nil {
		return 0, false
	}
	if s[7] == 'D' {
		v = -v
	}
	return v, true
}

// Settlement packs a 0500: DE 48 has the totals of both currencies, ours and a
// foreign one that is nil. HOST §1.4.
func (l *Line) Settlement(stan pos.STAN, batch pos.BatchNo, t pos.Totals) Request {
	m := message()
	m.Reset(0x0500)
	m.SetDigits(iso8583.DESTAN, stan.String())
	l.identity(m)
	half := fmt.Sprintf("%012d%03d%012d%03d0", t.Debit, t.DebitN%1000, t.Credit, t.CreditN%1000)
	m.SetDigits(iso8583.DEPrivate48, half+fmt.Sprintf("%031d", 0))
	m.SetText(iso8583.DECurrency, "156")
	m.SetDigits(iso8583.DEBatch, "00"+batch.String()+"201")
	m.SetText(iso8583.DETexts, "01 ")
	r := l.pack(m, false)
	r.want.settle = true
	return r
}

// Detail is one row of a batch upload with its number in clear.
type Detail struct {
	Row pos.Sale
	PAN card.PAN
}

// Details packs a 0320/201: up to eight rows in DE 48. HOST §1.4.
func (l *Line) Details(stan pos.STAN, batch pos.BatchNo, rows []Detail) Request {
	// 2 + 6 + 20 + 12 bytes each, made at once: growth would leave copies.
	list := fmt.Appendf(make([]byte, 0, 2+40*len(rows)), "%02d", len(rows))
	for _, d := range rows {
		list = fmt.Appendf(list, "00%s", d.Row.STAN)
		d.PAN.Reveal(func(digits []byte) {
			for range 20 - len(digits) {
				list = append(list, '0')
			}
			list = append(list, digits...)
		})
		list = fmt.Appendf(list, "%012d", d.Row.Amount.Minor+d.Row.Tip)
	}
	defer clear(list)
	return l.upload(stan, batch, "201", list)
}

// Notice packs a 0320 that is a full copy of an advice. HOST §1.4.
func (l *Line) Notice(stan pos.STAN, d Detail) Request {
	m := message()
	s := txn.SpecOf(d.Row.Kind)
	if s == nil {
		return Unpackable(fmt.Errorf("hostlink: no notice for a %s", d.Row.Kind))
	}
	defer m.Reset(0)
	m.Reset(0x0320)
	l.pan(m, d.PAN)
	m.SetDigits(iso8583.DEProcessing, s.Process)
	m.SetDigits(iso8583.DEAmount, amount12(pos.Amount{Minor: d.Row.Amount.Minor + d.Row.Tip}))
	m.SetDigits(iso8583.DESTAN, stan.String())
	m.SetDigits(iso8583.DEEntryMode, d.Row.Entry)
	m.SetDigits(iso8583.DECondition, s.Condition)
	if d.Row.RRN != "" {
		m.SetText(iso8583.DERRN, fmt.Sprintf("%-12s", d.Row.RRN))
	}
	if d.Row.AuthCode != "" {
		m.SetText(iso8583.DEAuthCode, fmt.Sprintf("%-6s", d.Row.AuthCode))
	}
	l.identity(m)
	m.SetText(iso8583.DECurrency, fmt.Sprintf("%03d", d.Row.Amount.Currency))
	m.SetDigits(iso8583.DEBatch, s.Type+d.Row.Batch.String()+"000")
	m.SetDigits(iso8583.DEOriginal, d.Row.Batch.String()+d.Row.STAN.String()+d.Row.Date())
	return l.pack(m, false)
}

// BatchEnd packs the last 0320: 207 after equal totals, 202 after an upload.
func (l *Line) BatchEnd(stan pos.STAN, batch pos.BatchNo, balanced bool, rows int) Request {
	net := "202"
	if balanced {
		net = "207"
	}
	return l.upload(stan, batch, net, fmt.Appendf(nil, "%04d", rows%10000))
}

func (l *Line) upload(stan pos.STAN, batch pos.BatchNo, net string, de48 []byte) Request {
	m := message()
	defer m.Reset(0)
	m.Reset(0x0320)
	m.SetDigits(iso8583.DESTAN, stan.String())
	l.identity(m)
	m.SetSecret(iso8583.DEPrivate48, de48)
	m.SetDigits(iso8583.DEBatch, "00"+batch.String()+net)
	return l.pack(m, false)
}
