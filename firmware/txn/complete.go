package txn

import (
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// completion takes a held amount, or a part of it, and asks the host. HOST
// §1.4: DE 38 and DE 61 of the pre-authorisation.
var completion = Spec{
	Kind: pos.KindCompletion, MTI: 0x0200, Process: "000000", Condition: "06", Type: "20",
	form: []step{askAuth, askDate, askAmount, askCard, askConfirm, askPIN}, title: prompt.TitleComplete, done: prompt.CompleteDone,
	book: completed,
}

func completed(m *machine, in Intent, row pos.Sale) {
	if m.Durable.PreAuth.Auth == in.Orig.Auth {
		m.Durable.PreAuth = pos.Original{}
	}
	addRow(m, in, row)
}
