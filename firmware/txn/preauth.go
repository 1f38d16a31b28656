package txn

import (
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// preAuth holds an amount on the card; a completion takes it. HOST §1.4.
var preAuth = Spec{
	Kind: pos.KindPreAuth, MTI: 0x0100, Process: "030000", Condition: "06", Type: "10",
	form: []step{askAmount, askCard, askConfirm, askPIN}, title: prompt.TitlePreAuth, done: prompt.PreAuthDone,
	book: func(m *machine, in Intent, row pos.Sale) {
		m.Durable.PreAuth = pos.Original{Batch: row.Batch, STAN: row.STAN, Date: row.Date(), RRN: row.RRN, Auth: row.AuthCode}
		keepRow(m, in, row)
	},
}
