package txn

import (
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// completionAdvice takes a held amount without asking: the host is told, and
// told again until it has heard. No reversal exists for it. HOST §1.4.
var completionAdvice = Spec{
	Kind: pos.KindCompletionAdvice, MTI: 0x0220, Process: "000000", Condition: "06", Type: "24", Unknown: Repeat,
	form: []step{askAuth, askDate, askAmount, askCard, askConfirm}, title: prompt.TitleCompleteAdvice, done: prompt.CompleteDone,
	book: completed,
}
