package terminal

import (
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
		Org: row.Org, Issuer: row.Issuer, HostText: row.Host, PINUsed: row.PINUsed, Delayed: copied, Reprint: again,
	})
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
