package hostlink

import (
	"encoding/hex"
	"fmt"

	"swipewell/firmware/card"
	"swipewell/firmware/iso8583"
	"swipewell/firmware/pos"
)

// icc sets DE 23 and 55 of a chip's message.
func icc(m *iso8583.Message, c pos.Chip) error {
	if c.ICC == "" {
		return nil
	}
	b, err := hex.DecodeString(c.ICC)
	if err != nil {
		return fmt.Errorf("hostlink: DE 55: %w", err)
	}
	if c.PSN != "" {
		m.SetDigits(iso8583.DEPANSequence, c.PSN)
	}
	m.SetBytes(iso8583.DEICC, b)
	return nil
}

// script packs a 0620: what became of the issuer's scripts. HOST §1.4.
func (l *Line) script(r pos.Record, p card.PAN) Request {
	m := message()
	defer m.Reset(0)
	m.Reset(0x0620)
	l.pan(m, p)
	m.SetDigits(iso8583.DEProcessing, r.Process)
	m.SetDigits(iso8583.DEAmount, amount12(r.Amount))
	m.SetDigits(iso8583.DESTAN, r.STAN.String())
	m.SetDigits(iso8583.DEEntryMode, r.Entry)
	if r.Orig.RRN != "" {
		m.SetText(iso8583.DERRN, fmt.Sprintf("%-12s", r.Orig.RRN))
	}
	if r.Orig.Auth != "" {
		m.SetText(iso8583.DEAuthCode, fmt.Sprintf("%-6s", r.Orig.Auth))
	}
	l.identity(m)
	m.SetText(iso8583.DECurrency, fmt.Sprintf("%03d", r.Amount.Currency))
	if err := icc(m, r.Chip); err != nil {
		return Unpackable(err)
	}
	m.SetDigits(iso8583.DEBatch, r.Type60)
	m.SetDigits(iso8583.DEOriginal, r.Orig.Batch.String()+r.Orig.STAN.String()+fmt.Sprintf("%04s", r.Orig.Date))
	return l.pack(m, true)
}

// ChipRow packs a 0320 of one row with its cryptogram, under the number of the
// row itself: approved by both, or approved by the issuer whom the card did not
// believe. HOST §1.4, 203–206.
func (l *Line) ChipRow(d Detail, balanced bool) Request {
	m := message()
	defer m.Reset(0)
	m.Reset(0x0320)
	l.pan(m, d.PAN)
	amount := pos.Amount{Minor: d.Row.Amount.Minor + d.Row.Tip}
	m.SetDigits(iso8583.DEAmount, amount12(amount))
	m.SetDigits(iso8583.DESTAN, d.Row.STAN.String())
	m.SetDigits(iso8583.DEEntryMode, d.Row.Entry)
	l.identity(m)
	if err := icc(m, d.Row.Chip); err != nil {
		return Unpackable(err)
	}
	org := "00" // of UnionPay
	head, tail, net := "61", "", 203
	if d.Row.Chip.AuthFailed {
		head, tail, net = "71", fmt.Sprintf("%-2.2s", d.Row.RC), 204
	}
	if !balanced {
		net += 2
	}
	m.SetBytes(iso8583.DEKeys, fmt.Appendf(nil, "%s%s00%s%03d%s", head, org, amount12(amount), d.Row.Amount.Currency, tail))
	m.SetDigits(iso8583.DEBatch, fmt.Sprintf("00%s%03d", d.Row.Batch, net))
	return l.pack(m, false)
}
