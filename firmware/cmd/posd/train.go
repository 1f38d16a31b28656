package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"swipewell/drivers/softkeys"
	"swipewell/firmware/hostlink"
	"swipewell/firmware/journal"
	"swipewell/firmware/keys"
	"swipewell/firmware/pos"
	"swipewell/firmware/store"
	"swipewell/firmware/terminal"
	"swipewell/firmware/train"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
	"swipewell/ui/receipt"
	"swipewell/ui/screen"
)

// train ends the life of the terminal and begins a lesson, or the other way
// round. The wish is in memory only: a device that starts sells. It is called in
// the loop.
func (d *device) train(l terminal.Lesson) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lesson = &l
	if d.endLife != nil {
		d.endLife(errAgain)
	}
}

// takeLesson is what was wished for, once.
func (d *device) takeLesson() *terminal.Lesson {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lesson
	d.lesson = nil
	return l
}

// lessonIn runs one training terminal: a store, keys, a journal and a bank of its
// own, all made anew and removed afterwards. Of the device it has the keys, the
// reader, the printer and the screen; no line leads out of it.
func (d *device) lessonIn(ctx context.Context, size screen.Size, l *terminal.Lesson) error {
	dir := filepath.Join(d.data, "train")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tmk := make([]byte, 16)
	rand.Read(tmk)
	defer clear(tmk)
	path := filepath.Join(dir, "keys.json")
	if err := softkeys.Provision(path, tmk); err != nil {
		return err
	}
	ks, err := softkeys.Open(softkeys.Opts{Path: path, Bench: true})
	if err != nil {
		return err
	}
	st, err := store.Open(filepath.Join(dir, "state.db"), store.Opts{NoSync: true})
	if err != nil {
		return err
	}
	defer st.Close()
	j, err := journal.Open(journal.Opts{Dir: filepath.Join(dir, "journal"), Clock: d.board.Clock, MaxBytes: 1 << 20, NoSync: true})
	if j == nil {
		return err
	}
	defer j.Close()
	bank := train.New(d.board.Clock, ks, tmk, rand.Reader, l.N)
	b := *d.board.Board
	b.Keys, b.Links, b.SetWall, b.Tamper, b.Service = ks, []hal.NamedLink{{Name: "training", Dialer: bank.Dialer()}}, nil, nil, nil
	host, profile, line, err := d.host()
	if err != nil {
		return err
	}
	line.Close() // that line leads out
	host.KeyForm, host.EncryptTracks = "003", false
	if line, err = hostlink.New(hostlink.Opts{Clock: d.board.Clock, Links: b.Links, Hosts: []hostlink.Host{{Name: "training", Address: "training"}}, Profile: host,
		Signer: keys.Signer{Keys: ks, Alg: keys.MACECB}, AnswerTimeout: 5 * time.Second}); err != nil {
		return err
	}
	defer line.Close()
	profile.Context, profile.Lang, profile.SettleAfter, profile.Duty, profile.Offline = "train", l.Lang, time.Second, txn.Duty{}, txn.Offline{}
	merchant := receipt.Merchant{Name: d.inForce().Merchant.Name, ID: string(host.MID), Terminal: string(host.TID)}
	t, err := terminal.New(terminal.Opts{Board: &b, Store: st, Line: line, Host: host, Profile: profile, Journal: j, Log: slog.New(j.Handler()), Rules: d.rules(), Staff: d.staff(),
		Version: version, Size: size, Merchant: merchant, Train: true, Lesson: l, Care: terminal.Care{Train: d.train}})
	if err != nil {
		return err
	}
	d.journal.Record(journal.Event{Code: prompt.LogTrain, Source: "posd", Fields: []journal.Field{journal.Word("what", "begins"), journal.Count("lesson", l.N+1), journal.Count("operator", int(l.Op))}})
	life, end := context.WithCancelCause(ctx)
	defer end(nil)
	d.mu.Lock()
	d.endLife, d.training = end, t
	d.mu.Unlock()
	err = t.Run(life)
	d.mu.Lock()
	d.endLife, d.training = nil, nil
	d.mu.Unlock()
	d.journal.Record(journal.Event{Code: prompt.LogTrain, Source: "posd", Fields: []journal.Field{journal.Word("what", "ends"), journal.Count("lesson", l.N+1)}})
	if context.Cause(life) == errAgain {
		return errAgain
	}
	return err
}

// backupHours is the age of the last copy; below 0 there is none.
func (d *device) backupHours() int {
	d.mu.Lock()
	at := d.copied
	d.mu.Unlock()
	if at == (pos.Time{}) {
		return -1
	}
	return int((d.board.Clock.Now().Wall.UnixMilli() - at.Wall) / int64(time.Hour/time.Millisecond))
}
