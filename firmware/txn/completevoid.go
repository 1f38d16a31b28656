package txn

import (
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// completionVoid takes back a completion of the open batch. HOST §1.4.
var completionVoid = Spec{
	Kind: pos.KindCompletionVoid, MTI: 0x0200, Process: "200000", Condition: "06", Type: "21",
	form: []step{askSTAN, askConfirm}, title: prompt.TitleCompleteVoid, done: prompt.VoidDone,
	origin: func(k pos.TxnKind, s pos.RowState) bool { return k == pos.KindCompletion && s == pos.RowBooked },
	book:   takeBack,
}
