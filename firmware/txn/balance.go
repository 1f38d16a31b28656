package txn

import (
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// balance asks what the card has. No money moves: it needs no intent on flash,
// no reversal, and leaves no row. HOST §1.4.
var balance = Spec{
	Kind: pos.KindBalance, MTI: 0x0200, Process: "310000", Condition: "00", Type: "01", NoAmount: true, Unknown: Nothing,
	form: []step{askCard, askPIN}, title: prompt.TitleBalance, done: prompt.BalanceIs,
}
