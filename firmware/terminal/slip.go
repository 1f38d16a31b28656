package terminal

import (
	"encoding/hex"
	"fmt"
	"slices"

	"swipewell/firmware/emv/tlv"
	"swipewell/firmware/pos"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/receipt"
)

// slip is a row of the batch as paper.
func (t *Terminal) slip(row pos.Sale, copied, again bool) hal.Slip {
	return receipt.Sale(receipt.Data{
		Lang: string(t.state.Durable.Lang), Merchant: t.o.Merchant, Bench: t.board.Bench != nil, Train: t.o.Train, Kind: string(row.Kind),
		Amount: pos.Fen(max(row.Amount.Minor, row.Tip)).String(), Asked: row.Asked.String(), Card: string(row.Masked), Entry: row.Entry,
		Batch: row.Batch.String(), STAN: row.STAN.String(), RRN: string(row.RRN), Auth: string(row.AuthCode), RC: string(row.RC),
		Time: wallText(row.At), Orig: origText(row.Orig), State: string(row.State),
		Org: row.Org, Issuer: row.Issuer, HostText: row.Host, PINUsed: row.PINUsed, Delayed: copied, Reprint: again, Chip: chipSlip(row.Chip),
	})
}

// chipSlip is what a slip says of the chip, out of what its row keeps. EMV 4.3 Book 4
// §11.4, Annex A4.
func chipSlip(c pos.Chip) receipt.Chip {
	data, err := hex.DecodeString(c.ICC)
	if err != nil || len(data) == 0 {
		return receipt.Chip{}
	}
	of := func(t tlv.Tag) []byte { v, _ := tlv.Find(data, t); return v }
	text := func(t tlv.Tag) string { return fmt.Sprintf("%X", of(t)) }
	x := receipt.Chip{Label: c.Label, AID: c.AID, TVR: text(0x95), TSI: c.TSI, ATC: text(0x9F36), AC: text(0x9F26), CVM: receipt.ByNothing}
	const failed = 1
	r := of(0x9F34)
	pin := len(r) == 3 && r[2] != failed && slices.Contains([]byte{1, 2, 3, 4, 5}, r[0]&0x3F)
	switch {
	case pin && c.Sign:
		x.CVM = receipt.ByPINAndSignature
	case pin:
		x.CVM = receipt.ByPIN
	case c.Sign:
		x.CVM = receipt.BySignature
	}
	return x
}

func wallText(at pos.Time) string { return at.WallTime(pos.CST).Format("2006-01-02 15:04:05") }

func origText(o pos.Original) string {
	if o.STAN == 0 {
		return string(o.RRN)
	}
	return o.Batch.String() + "/" + o.STAN.String()
}

// totalsSlip is a settlement as paper.
func (t *Terminal) totalsSlip(s txn.Settled, again bool) hal.Slip {
	return receipt.Totals(receipt.TotalsData{
		Lang: string(t.state.Durable.Lang), Merchant: t.o.Merchant, Bench: t.board.Bench != nil, Train: t.o.Train, Batch: s.Batch.String(), Time: wallText(s.At),
		DebitN: s.Totals.DebitN, Debit: pos.Fen(s.Totals.Debit).String(), CreditN: s.Totals.CreditN, Credit: pos.Fen(s.Totals.Credit).String(),
		HostDebitN: s.Host.DebitN, HostDebit: pos.Fen(s.Host.Debit).String(), HostCreditN: s.Host.CreditN, HostCredit: pos.Fen(s.Host.Credit).String(), HostTold: s.Host != pos.Totals{},
		Balanced: s.Balanced, Open: s.Open, OpenSum: pos.Fen(s.OpenSum).String(), Reprint: again,
	})
}

// ticket says that a supervisor closed a record.
func (t *Terminal) ticket(r pos.Record, reason string) hal.Slip {
	return receipt.Ticket(receipt.TicketData{
		Lang: string(t.state.Durable.Lang), Merchant: t.o.Merchant, Bench: t.board.Bench != nil, Train: t.o.Train, Class: r.Class.String(), Kind: string(r.Kind),
		Amount: r.Amount.String(), Card: string(r.Masked), Batch: r.Batch.String(), STAN: r.STAN.String(), Time: wallText(t.now()),
		Made: wallText(r.At), Tries: r.Tries, Last: r.LastError, Reason: reason,
	})
}
