package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"

	"swipewell/firmware/console"
	"swipewell/firmware/journal"
	"swipewell/firmware/journal/export"
	"swipewell/firmware/store"
	"swipewell/firmware/terminal"
	"swipewell/ui/prompt"
)

// openCases are the transactions of the outbox: the journal keeps what it knows
// of them. False while the store is not open.
func (d *device) openCases() ([]string, bool) {
	d.mu.Lock()
	st := d.store
	d.mu.Unlock()
	if st == nil {
		return nil, false
	}
	rows, err := st.Records()
	if err != nil {
		return nil, false
	}
	var txs []string
	for _, r := range rows {
		txs = append(txs, console.TxID(r.RecordID))
	}
	return txs, true
}

// crashMost is how much of a crash's report is kept: the goroutine that fell
// comes first.
const crashMost = 16 << 10

// catchCrash records what the life before this one wrote when it crashed, and has
// the next crash written to the same file. A stack has no values of variables
// but words of the machine, which the sieve looks at like all texts.
func catchCrash(j *journal.Journal, path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, crashMost))
	if err != nil {
		return err
	}
	if text := strings.TrimSpace(string(b)); text != "" {
		head, stack, _ := strings.Cut(text, "\n")
		j.Crashed(prompt.LogCrash, head, stack)
		if err := f.Truncate(0); err != nil {
			return err
		}
	}
	return debug.SetCrashOutput(f, debug.CrashOptions{})
}

// Anchors are the journal's checkpoints that were kept with money.
func (b backend) Anchors(context.Context) ([]journal.Anchor, error) {
	_, st := b.current()
	if st == nil || b.d.board.Keys == nil {
		return nil, nil
	}
	return terminal.JournalAnchors(st, b.d.board.Keys)
}

// Manifest says whose journal an export is.
func (b backend) Manifest() export.Manifest {
	m := export.Manifest{Build: version}
	if a := b.d.file.Acquirer; a != nil {
		m.Terminal = a.TID
	}
	return m
}

// checkLog looks at the journal once the store is open: an end that was cut off
// while nobody watched is told at the start, not when somebody asks.
func (d *device) checkLog(st *store.Store) {
	if d.board.Keys == nil {
		return
	}
	kept, err := terminal.JournalAnchors(st, d.board.Keys)
	if err == nil {
		for name, why := range d.journal.Behind(kept) {
			err = errors.Join(err, errors.New(name+": "+why))
		}
	}
	if err != nil {
		d.journal.Record(journal.Event{Code: prompt.LogJournal, Level: slog.LevelError, Source: "journal", Fields: []journal.Field{journal.Word("what", "cut"), journal.Err(err)}})
	}
}
