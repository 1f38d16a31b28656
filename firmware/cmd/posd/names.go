package main

import (
	"errors"
	"log/slog"

	"swipewell/firmware/journal"
	"swipewell/firmware/store"
	"swipewell/firmware/terminal"
	"swipewell/ui/prompt"
)

// rename lets the cards in the store have new names, if it is time. A rename that
// cannot be leaves the old ones, which are as good; a disk that failed in it is
// a store that failed, and its code is returned.
func (d *device) rename(st *store.Store) prompt.Code {
	if d.board.Keys == nil {
		return ""
	}
	n, err := terminal.RenameCards(st, d.board.Keys, d.board.Clock.Now().Wall)
	if err != nil {
		e := journal.Event{Code: prompt.LogNames, Level: slog.LevelWarn, Source: "keys", Fields: []journal.Field{journal.Flag("ok", false), journal.Err(err)}}
		if errors.Is(st.Room(), store.ErrFailed) {
			e.Code, e.Level, e.Source = terminal.StoreCode(err), slog.LevelError, "store"
			d.journal.Record(e)
			return e.Code
		}
		d.journal.Record(e)
	} else if n > 0 {
		d.journal.Record(journal.Event{Code: prompt.LogNames, Source: "keys", Fields: []journal.Field{journal.Flag("ok", true), journal.Count("cards", n)}})
	}
	return ""
}
