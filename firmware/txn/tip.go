package txn

import (
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// tip adds a gratuity to a sale of this batch; DE 48 has it. HOST §1.4.
var tip = Spec{
	Kind: pos.KindTip, MTI: 0x0220, Process: "000000", Condition: "00", Type: "34", Unknown: Repeat, Kept: true,
	form: []step{askSTAN, askAmount, askConfirm}, title: prompt.TitleTip, done: prompt.TipDone,
	origin: func(k pos.TxnKind, s pos.RowState) bool {
		return (k == pos.KindSale || k == pos.KindCompletion || k == pos.KindOffline || k == pos.KindChipOffline) && (s == pos.RowBooked || s == pos.RowPending)
	},
}
