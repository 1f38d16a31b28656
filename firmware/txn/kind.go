package txn

import (
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// Unknown is what becomes of a transaction whose outcome is not known (money
// rule 2).
type Unknown uint8

const (
	Reverse Unknown = iota // a 0400 undoes it, whatever it was
	Repeat                 // the 0220 goes out again, same STAN, until a final answer
	Nothing                // no money moves: asked again by who wants to know
)

// step is one thing that the form of a kind asks for.
type step uint8

const (
	askAmount step = iota
	askCard
	askConfirm
	askPIN
	askSTAN // of a row of the open batch, which is looked up
	askRRN
	askDate
	askAuth
	askQuantity // how many of the price
	askOrder    // an order reference
)

// Spec is a kind's row in HOST §1.4.
type Spec struct {
	Kind      pos.TxnKind
	MTI       uint16 // of the request, in hex digits: 0x0200
	Process   string // DE 3
	Condition string // DE 25
	Type      string // DE 60.1
	NoAmount  bool   // no DE 4
	Unknown   Unknown
	Kept      bool // made here and sent later: no host is asked (SAF)

	form   []step
	title  prompt.Code // of its form
	origin func(pos.TxnKind, pos.RowState) bool
	// book is the approval's part of the commit: rows and totals.
	book func(m *machine, in Intent, row pos.Sale)
	done prompt.Code // what an approval says
}

// specs has one row a kind; each kind has a file of its own.
var specs = [...]*Spec{&sale, &void, &refund, &preAuth, &preAuthVoid, &completion, &completionAdvice, &completionVoid,
	&balance, &offlineSale, &adjust, &tip, &chipSale}

// SpecOf is the row of a kind, nil if there is none.
func SpecOf(k pos.TxnKind) *Spec {
	for _, s := range specs {
		if s.Kind == k {
			return s
		}
	}
	return nil
}

// addRow books a row that counts in the totals of its batch.
func addRow(m *machine, _ Intent, row pos.Sale) {
	m.Durable.Totals.Add(row.Kind, row.Amount.Minor, 1)
	if row.Kind != pos.KindRefund {
		m.Durable.Booked = pos.Original{Batch: row.Batch, STAN: row.STAN, Date: row.Date(), RRN: row.RRN, Auth: row.AuthCode}
	}
	m.putSale(row)
}

// takeBack books a void: the row that it names no longer counts.
func takeBack(m *machine, in Intent, row pos.Sale) {
	m.Durable.Totals.Add(m.OrigKind, row.Amount.Minor, -1)
	m.do(EditSale{ID: pos.RecordID{Context: in.ID.Context, Batch: in.Orig.Batch, STAN: in.Orig.STAN}, State: pos.RowVoided})
	if m.Durable.Booked.STAN == in.Orig.STAN {
		m.Durable.Booked = pos.Original{}
	}
	if in.Order != "" { // an order whose payment is taken back may pay again
		m.do(PutOrder{Order: in.Order})
	}
	m.putSale(row)
}

// keepRow books a row that counts nowhere, for its slip.
func keepRow(m *machine, _ Intent, row pos.Sale) { m.putSale(row) }

func (m *machine) putSale(row pos.Sale) {
	if m.Durable.Sales++; m.Durable.Sales == 1 || m.Durable.Opened == 0 {
		m.Durable.Opened = max(m.moment().At, 1)
	}
	m.do(PutSale{row})
}
