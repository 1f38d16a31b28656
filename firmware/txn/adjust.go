package txn

import (
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// adjust gives an offline sale of this batch another amount. HOST §1.4.
var adjust = Spec{
	Kind: pos.KindAdjust, MTI: 0x0220, Process: "000000", Condition: "00", Type: "32", Unknown: Repeat, Kept: true,
	form: []step{askSTAN, askAmount, askConfirm}, title: prompt.TitleAdjust, done: prompt.AdjustDone,
	origin: func(k pos.TxnKind, s pos.RowState) bool {
		return k == pos.KindOffline && (s == pos.RowBooked || s == pos.RowPending)
	},
}
