package receipt

import (
	"strconv"

	"swipewell/hal"
	"swipewell/ui/text"
)

// TotalsData is what the slip of a settlement says.
type TotalsData struct {
	Train           bool // training
	Lang            string
	Merchant        Merchant
	Bench           bool
	Batch, Time     string
	DebitN, CreditN int
	Debit, Credit   string
	Balanced        bool
	// The host's, printed where they are not ours and it told them.
	HostTold                bool
	HostDebitN, HostCreditN int
	HostDebit, HostCredit   string
	Open                    int    // reversals that are still open
	OpenSum                 string // by how much the host may be higher until they are through
	Reprint                 bool
}

// Totals is the slip of a settlement. HOST §1.4.
func Totals(d TotalsData) hal.Slip {
	w := writer{Data: Data{Lang: d.Lang, Merchant: d.Merchant, Bench: d.Bench, Train: d.Train, Reprint: d.Reprint}}
	w.head("totals-title")
	w.rule()
	w.pair(w.label("merchant"), w.Merchant.Name, hal.StyleNormal)
	w.pair(w.label("merchant-id"), w.Merchant.ID, hal.StyleNormal)
	w.pair(w.label("terminal-id"), w.Merchant.Terminal, hal.StyleNormal)
	w.pair(w.label("batch"), d.Batch, hal.StyleNormal)
	w.pair(w.label("date-time"), d.Time, hal.StyleNormal)
	w.rule()
	w.pair(w.label("debits")+" "+strconv.Itoa(d.DebitN), "RMB "+d.Debit, hal.StyleBold)
	w.pair(w.label("credits")+" "+strconv.Itoa(d.CreditN), "RMB "+d.Credit, hal.StyleBold)
	w.rule()
	if d.Balanced {
		w.centre(kindText(d.Lang, "balanced"), hal.StyleBold)
	} else {
		w.centre(kindText(d.Lang, "unbalanced"), hal.StyleBold)
		if d.HostTold {
			w.pair(w.label("host-debits")+" "+strconv.Itoa(d.HostDebitN), "RMB "+d.HostDebit, hal.StyleNormal)
			w.pair(w.label("host-credits")+" "+strconv.Itoa(d.HostCreditN), "RMB "+d.HostCredit, hal.StyleNormal)
		}
	}
	if d.Open > 0 {
		w.pair(w.label("open-reversals")+" "+strconv.Itoa(d.Open), "RMB "+d.OpenSum, hal.StyleBold)
		w.para(w.label("open-expected"), hal.StyleNormal)
	}
	w.foot()
	return hal.Slip{Lines: w.lines, Cut: true}
}

// TicketData is what a supervisor's ticket says.
type TicketData struct {
	Train        bool // training
	Lang         string
	Merchant     Merchant
	Bench        bool
	Class, Kind  string // keys of text.Label
	Amount, Card string
	Batch, STAN  string
	Made, Time   string // of the payment, of the closing
	Tries        int
	Last         string // the host's last word
	Reason       string
}

// Ticket says that a supervisor closed a record, and why: it is what the
// merchant shows the acquirer.
func Ticket(d TicketData) hal.Slip {
	w := writer{Data: Data{Lang: d.Lang, Merchant: d.Merchant, Bench: d.Bench, Train: d.Train, Amount: d.Amount, Card: d.Card, Batch: d.Batch, STAN: d.STAN, Time: d.Made}}
	w.head("ticket-title")
	w.fields(d.Kind)
	w.rule()
	w.pair(w.label("state"), text.Label(d.Lang, d.Class), hal.StyleNormal)
	w.pair(w.label("tries"), strconv.Itoa(d.Tries), hal.StyleNormal)
	w.pair(w.label("outcome"), d.Last, hal.StyleNormal)
	w.pair(w.label("closed-at"), d.Time, hal.StyleNormal)
	w.para(w.label("reason")+": "+d.Reason, hal.StyleBold)
	w.rule()
	w.put(w.label("supervisor")+":", hal.StyleNormal)
	w.put("", hal.StyleNormal)
	w.foot()
	return hal.Slip{Lines: w.lines, Cut: true}
}

// PageData is what is printed of a page of the device.
type PageData struct {
	Lang     string
	Merchant Merchant
	Bench    bool
	Train    bool
	Title    string
	Time     string
	Lines    []string
}

// Page is a page as paper: a report for the bank, a ticket for a customer.
func Page(d PageData) hal.Slip {
	w := writer{Data: Data{Lang: d.Lang, Merchant: d.Merchant, Bench: d.Bench, Train: d.Train}}
	w.marks()
	w.centre(d.Title, hal.StyleBig)
	w.rule()
	w.pair(w.label("merchant"), w.Merchant.Name, hal.StyleNormal)
	w.pair(w.label("terminal-id"), w.Merchant.Terminal, hal.StyleNormal)
	w.pair(w.label("time"), d.Time, hal.StyleNormal)
	w.rule()
	for _, l := range d.Lines {
		w.para(l, hal.StyleNormal)
	}
	w.rule()
	w.foot()
	return hal.Slip{Lines: w.lines, Cut: true}
}
