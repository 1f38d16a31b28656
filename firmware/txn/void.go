package txn

import (
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// void takes back a sale of the open batch. HOST §1.4: DE 37 and 38 of the
// original, DE 61 = its batch and STAN.
var void = Spec{
	Kind: pos.KindVoid, MTI: 0x0200, Process: "200000", Condition: "00", Type: "23",
	form: []step{askSTAN, askConfirm}, title: prompt.TitleVoid, done: prompt.VoidDone,
	origin: func(k pos.TxnKind, s pos.RowState) bool { return k == pos.KindSale && s == pos.RowBooked },
	book:   takeBack,
}
