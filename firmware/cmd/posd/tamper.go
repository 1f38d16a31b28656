package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"swipewell/firmware/journal"
	"swipewell/firmware/recovery"
	"swipewell/firmware/store"
	"swipewell/firmware/terminal"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// watchTamper waits for the case to be opened, whatever the device does meanwhile:
// selling, training, or showing why it sells nothing.
func (d *device) watchTamper(ctx context.Context) {
	for d.board.Tamper != nil && ctx.Err() == nil {
		which, err := d.board.Tamper.Wait(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.journal.Record(journal.Event{Code: prompt.BoardDevice, Level: slog.LevelWarn, Source: "tamper", Fields: []journal.Field{journal.Err(err)}})
			hal.Sleep(ctx, d.board.Clock, 2*time.Second)
		default:
			d.tampered(ctx, which)
			return // for good
		}
	}
}

// tampered takes the device out of use for good. The keys go first; then the life
// that runs ends, whatever it waits for, and the next one, which has no keys, turns
// an open request into a record for people and marks the store.
func (d *device) tampered(ctx context.Context, which string) {
	err := d.erase()
	d.journal.Record(journal.Event{Code: prompt.TamperOpen, Level: slog.LevelError, Source: "tamper",
		Fields: []journal.Field{journal.Word("line", which), journal.Flag("erased", err == nil), journal.Err(err)}})
	d.mu.Lock()
	d.opened = true
	end, refused := d.endLife, d.refused
	d.mu.Unlock()
	if end != nil {
		end(errAgain)
	}
	if refused != nil {
		refused(errAgain)
	}
	for ; err != nil && ctx.Err() == nil; err = d.erase() { // the file may be written later
		hal.Sleep(ctx, d.board.Clock, time.Second)
	}
}

func (d *device) erase() error {
	if d.board.Keys == nil {
		return nil
	}
	return d.board.Keys.Erase()
}

// outOfUse tells whether the case was opened, now or in an earlier life. What was
// marked and has keys still is erased again: the power went in between.
func (d *device) outOfUse(st *store.Store) bool {
	d.mu.Lock()
	out := d.opened
	d.mu.Unlock()
	gone, err := terminal.Erased(d.board.Keys)
	if err != nil {
		d.log.Error("keys", "err", err)
	}
	if st != nil {
		marked, err := terminal.Tampered(st)
		if err != nil {
			d.log.Error("state", "err", err)
		}
		out = out || marked
	}
	if out && !gone {
		if err := d.erase(); err != nil {
			d.journal.Record(journal.Event{Code: prompt.TamperOpen, Level: slog.LevelError, Source: "tamper", Fields: []journal.Field{journal.Flag("erased", false), journal.Err(err)}})
		}
	}
	if out = out || gone; out {
		d.mu.Lock()
		d.opened = true
		d.mu.Unlock()
	}
	return out
}

// recoveryKey is the acquirer's, and what of money has no image to it yet gets one.
// Without a key there is one line in the log at each start.
func (d *device) recoveryKey(st *store.Store) (*recovery.Public, error) {
	k := d.file.Keystore
	if k == nil || d.board.Keys == nil {
		return nil, nil
	}
	if k.Recovery == "" {
		d.journal.Record(journal.Event{Code: prompt.LogRecovery, Level: slog.LevelWarn, Source: "keys", Fields: []journal.Field{journal.Word("what", "no recovery key: after tamper no card number of an open record is left")}})
		return nil, nil
	}
	pub, err := recovery.ParsePublic(k.Recovery)
	if err != nil {
		return nil, err // the board file's reader has said so: the key store is closed then
	}
	n, err := terminal.ImageRecords(st, d.board.Keys, pub)
	if err != nil && errors.Is(st.Room(), store.ErrFailed) {
		return nil, err
	}
	fields := []journal.Field{journal.Word("what", "recovery key"), journal.Word("key", pub.ID().String()), journal.Count("sealed", n)}
	if err != nil {
		fields = append(fields, journal.Err(err))
	}
	d.journal.Record(journal.Event{Code: prompt.LogRecovery, Source: "keys", Fields: fields})
	return pub, nil
}
