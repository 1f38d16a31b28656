package txn

import "swipewell/firmware/pos"

// sale is a purchase. HOST §1.4.
var sale = Spec{
	Kind: pos.KindSale, MTI: 0x0200, Process: "000000", Condition: "00", Type: "22",
	form: []step{askAmount, askQuantity, askOrder, askCard, askConfirm, askPIN}, book: addRow,
}
