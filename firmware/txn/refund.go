package txn

import (
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// refund gives money of an earlier day back. It is a 0220: a lost answer is
// asked for again under the same STAN, and meanwhile no second refund of that
// original is made. HOST §1.4: DE 37, DE 61 = batch, STAN and MMDD.
var refund = Spec{
	Kind: pos.KindRefund, MTI: 0x0220, Process: "200000", Condition: "00", Type: "25", Unknown: Repeat,
	form: []step{askRRN, askDate, askAmount, askCard, askConfirm}, title: prompt.TitleRefund, done: prompt.RefundDone,
	book: addRow,
}
