package terminal

import (
	"context"

	"swipewell/firmware/diagnose"
	"swipewell/firmware/journal"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

// Insert takes the end of an attempt to reset a card in the slot: nil, or why it
// gave no answer. What a chip has to say beyond its reset is the kernel's matter.
func (t *Terminal) Insert(err error) bool { return t.post(func() { t.inserted(err) }) }

func (t *Terminal) inserted(err error) {
	o := diagnose.Obs{Kind: diagnose.Insert}
	if err == nil {
		t.see(o)
		return
	}
	o.Code = 1
	t.see(o)
	t.o.Journal.Record(journal.Event{Code: prompt.ChipSilent, Source: "icc", Fields: []journal.Field{journal.Err(err)}})
	t.handle(txn.Event{Kind: txn.Unreadable, Code: prompt.ChipSilent})
}

// readChips waits at the slot, if one is fitted.
func (t *Terminal) readChips() {
	if t.board.Chip == nil {
		return
	}
	t.device("icc", func(ctx context.Context) error {
		if err := t.board.Chip.WaitCard(ctx, true); err != nil {
			return err
		}
		_, err := t.board.Chip.PowerUp(ctx)
		if ctx.Err() == nil {
			t.Insert(err)
		}
		t.board.Chip.PowerDown()
		err = t.board.Chip.WaitCard(ctx, false)
		if err == nil {
			t.post(func() { t.handle(txn.Event{Kind: txn.Removed}) })
		}
		return err
	})
}
