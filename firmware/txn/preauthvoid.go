package txn

import (
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// preAuthVoid lets a held amount go. HOST §1.4: DE 38 and DE 61 of the
// pre-authorisation.
var preAuthVoid = Spec{
	Kind: pos.KindPreAuthVoid, MTI: 0x0100, Process: "200000", Condition: "06", Type: "11",
	form: []step{askAuth, askDate, askAmount, askCard, askConfirm, askPIN}, title: prompt.TitlePreAuthVoid, done: prompt.PreAuthVoidDone,
	book: func(m *machine, in Intent, row pos.Sale) {
		if m.Durable.PreAuth.Auth == in.Orig.Auth {
			m.Durable.PreAuth = pos.Original{}
		}
		keepRow(m, in, row)
	},
}
