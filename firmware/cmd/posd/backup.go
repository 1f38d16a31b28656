package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"swipewell/firmware/backup"
	"swipewell/firmware/console"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/store"
	"swipewell/firmware/terminal"
	"swipewell/ui/prompt"
	"swipewell/ui/screen"
)

// errAgain ends a session that sells nothing, since its store was replaced or
// may work again.
var errAgain = errors.New("the store is tried again")

// sideDir is where copies and side logs are: on a second partition if the board
// names one.
func (d *device) sideDir() string {
	if d.file.Store.Side != "" {
		return d.file.Store.Side
	}
	return filepath.Join(d.data, "backup")
}

func (d *device) dbPath() string { return filepath.Join(d.data, "state.db") }

// attach puts the side log before a store; from here each money commit goes
// there first.
func (d *device) attach(st *store.Store, opened bool) (*backup.Log, error) {
	if d.board.Keys == nil || opened {
		return nil, nil // nothing is sold on such a board, and without keys nothing can be sealed
	}
	seq, err := st.Seq()
	if err != nil {
		return nil, err
	}
	l, err := backup.NewLog(d.sideDir(), st.ID(), seq, d.board.Keys)
	if err == nil {
		st.SetLog(l)
	}
	return l, err
}

// lookEvery is how often it is looked whether a copy is due.
const lookEvery = 10 * time.Minute

// guard makes the nightly copy and the weekly drill while nobody stands before
// the device.
func (d *device) guard(ctx context.Context, t *terminal.Terminal, st *store.Store, l *backup.Log) {
	k := &backup.Keeper{Dir: d.sideDir(), Store: st, Log: l, Keys: d.board.Keys, Judge: d.judge(), Audit: d.audit}
	if n, ok := k.Last(); ok {
		d.setCopied(n.At)
	}
	var look func()
	wait := func(after time.Duration) {
		stop := d.board.Clock.AfterFunc(after, look)
		context.AfterFunc(ctx, func() { stop() })
	}
	look = func() {
		if ctx.Err() != nil {
			return
		}
		quiet, now := false, pos.Time{}
		t.Do(ctx, func() { quiet, now = t.State().Quiet(), t.Now() })
		if !quiet { // a customer stands there
			wait(5 * time.Second)
			return
		}
		d.keep(ctx, k, now)
		wait(lookEvery)
	}
	wait(time.Second)
}

func (d *device) keep(ctx context.Context, k *backup.Keeper, now pos.Time) {
	if k.Due(now) {
		n, err := k.Copy(ctx, now)
		d.record(prompt.LogCopy, err, journal.Count("copy", n.N), journal.Count("kB", int(n.Size>>10)))
		if err != nil {
			return
		}
		d.setCopied(now)
	}
	if k.DrillDue(now) {
		n, err := k.Drill(ctx, filepath.Join(d.data, "drill.new"), now)
		d.record(prompt.LogDrill, err, journal.Count("copy", n.Copy.N), journal.Count("redone", n.Entries))
	}
}

func (d *device) setCopied(at pos.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.copied = at
}

func (d *device) record(c prompt.Code, err error, fields ...journal.Field) {
	e := journal.Event{Code: c, Source: "backup", Fields: fields}
	if err != nil {
		e.Level, e.Fields = slog.LevelError, append(fields, journal.Err(err))
	}
	d.journal.Record(e)
}

func (d *device) judge() func(context.Context, string) error {
	return d.judges.Judge
}

func (d *device) audit(st *store.Store) error {
	_, err := terminal.AuditStore(st, d.context())
	return err
}

// context is the name of the host context.
func (d *device) context() string {
	if a := d.file.Acquirer; a != nil && a.Context != "" {
		return a.Context
	}
	return "a"
}

// Restore tries a restore, or does it.
func (b backend) Restore(ctx context.Context, apply bool) (out console.Restore, err error) {
	d := b.d
	if d.board.Keys == nil {
		return out, errors.New("no key store: a backup cannot be read")
	}
	if t, _ := b.current(); t != nil && apply {
		return out, errors.New("the store is in use and good: nothing to restore")
	}
	d.restoring.Lock()
	defer d.restoring.Unlock()
	scratch := filepath.Join(d.data, "restore.new")
	os.RemoveAll(scratch)
	defer os.RemoveAll(scratch)
	last, _ := store.LastTx(d.dbPath())
	if t, _ := b.current(); t != nil {
		last = 0 // it goes on while the logs are read
	}
	st, r, err := backup.Into(ctx, scratch, d.sideDir(), d.board.Keys, last, d.judge())
	if err != nil {
		return out, err
	}
	defer st.Close()
	if err := st.Check(); err != nil {
		return out, err
	}
	a, err := terminal.AuditStore(st, d.context())
	if err != nil && r.Missing == "" {
		r.Missing = err.Error() // what does not add up was not all there
	}
	if apply {
		if a, err = d.replace(st, scratch, r, a); err != nil {
			return out, err
		}
	}
	out = console.Restore{Applied: apply, Made: r.Copy.At, Logs: r.Logs, Redone: r.Entries, Missing: r.Missing,
		Batch: a.Batch, Rows: a.Rows, Records: a.Records, Totals: a.Totals, STAN: a.STAN}
	return out, nil
}

// replace puts a restored store in its place and lets the session begin again.
func (d *device) replace(st *store.Store, scratch string, r backup.Restore, a terminal.Audit) (terminal.Audit, error) {
	if r.Missing != "" {
		// The mark itself must outlive the next damage.
		l, err := backup.NewLog(d.sideDir(), st.ID(), r.Seq, d.board.Keys)
		if err != nil {
			return a, err
		}
		defer l.Close()
		st.SetLog(l)
		if err := terminal.SkipLost(st); err != nil {
			return a, err
		}
		if a2, err := terminal.AuditStore(st, d.context()); err == nil || a2.STAN != 0 {
			a = a2
		}
	}
	if err := st.Close(); err != nil {
		return a, err
	}
	kept, err := store.Replace(d.dbPath(), scratch)
	if err != nil {
		return a, err
	}
	lvl := slog.LevelInfo
	if r.Missing != "" {
		lvl = slog.LevelWarn
	}
	d.journal.Record(journal.Event{Code: prompt.LogRestored, Level: lvl, Source: "backup", Fields: []journal.Field{
		journal.Count("redone", r.Entries), journal.Word("missing", r.Missing), journal.Word("kept", filepath.Base(kept))}})
	d.tryAgain()
	return a, nil
}

// Accept is a supervisor's word on a restored terminal.
func (b backend) Accept(ctx context.Context, reason string) (err error) {
	t, _ := b.current()
	if t == nil {
		return errNoTerminal
	}
	if derr := t.Do(ctx, func() { err = t.Accept(reason) }); derr != nil {
		return derr
	}
	return err
}

// tryAgain ends a session that sells nothing.
func (d *device) tryAgain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refused != nil {
		d.refused(errAgain)
	}
}

// refuse shows why nothing is sold until ctx ends, the store was replaced, or,
// where the reason may pass by itself, it is time to look again.
func (d *device) refuse(ctx context.Context, size screen.Size, code prompt.Code) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d.mu.Lock()
	d.refused, d.says = cancel, true
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		d.says = false
		d.mu.Unlock()
	}()
	switch code {
	case prompt.StoreFull, prompt.StoreReadOnly, prompt.StoreFault, prompt.StoreBusy:
		stop := d.board.Clock.AfterFunc(pauses[len(pauses)-1], func() { cancel(errAgain) })
		defer stop()
	}
	err := terminal.Refuse(ctx, d.board.Board, size, d.file.Lang, code)
	if errors.Is(context.Cause(ctx), errAgain) {
		return errAgain
	}
	return err
}
