package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"swipewell/firmware/care"
	"swipewell/firmware/console"
	"swipewell/firmware/journal"
	"swipewell/firmware/store"
	"swipewell/firmware/terminal"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// A rule set comes in two steps: it is loaded, signed and newer, and waits; then
// a supervisor has seen what it changes, and puts it in force. THROTTLE §1 S15.

func (d *device) pendingPath() string { return filepath.Join(d.data, "rules", "pending.rules") }

// zone is the acquirer's.
const zone = care.Zone

// built is what the files of this device make of a set: the merchant's kind and
// the merchant's own.
func (d *device) built(r *throttle.Rules) (*throttle.Rules, error) {
	var err error
	if name := d.file.Rules.Profile; name != "" {
		if r, err = r.WithProfile(name); err != nil {
			return nil, err
		}
	}
	if path := d.file.Rules.File; path != "" {
		if r, err = d.signedProfile(r, path); err != nil {
			return nil, err
		}
	}
	if path := d.file.Rules.Merchant; path != "" {
		if r, err = merchantFile(r, path); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// history is what happened at the desk since a time, the oldest first; 0 all of
// it.
func history(st *store.Store, since int64) (events []throttle.Event, err error) {
	err = st.Rows(store.History, nil, func(_, v []byte) error {
		if e, err := throttle.ParseEvent(v); err == nil && e.Wall >= since {
			events = append(events, e)
		}
		return nil
	})
	return events, err
}

// try asks a set about the device's own past, beside the one in force.
func (b backend) try(ctx context.Context, next *throttle.Rules, days int) (rep console.RulesReport, err error) {
	t, st := b.current()
	if t == nil {
		return rep, errNoTerminal
	}
	var now *throttle.Rules
	var learned throttle.Learned
	if err := t.Do(ctx, func() { now, learned = t.Rules(), t.Book().Learned() }); err != nil {
		return rep, err
	}
	since := b.d.board.Clock.Now().Wall.Add(-time.Duration(days) * 24 * time.Hour).Unix()
	if days <= 0 {
		since = 0
	}
	events, err := history(st, since)
	if err != nil {
		return rep, err
	}
	rep = console.RulesReport{Name: next.Name, Version: next.Version, Have: now.Version, KeyID: next.KeyID, Days: days, Changes: throttle.Diff(now, next)}
	was, wasStops := now.Try(events, learned, zone)
	is, isStops := next.Try(events, learned, zone)
	rep.Was, rep.Is = was, is
	rep.More, rep.Less = throttle.Compare(wasStops, isStops)
	return rep, nil
}

// TryRules parses a set, signed or not, and tries it on the device's past. What
// is in force stays.
func (b backend) TryRules(ctx context.Context, text string, days int) (rep console.RulesReport, err error) {
	next, err := b.parse(text)
	if err != nil {
		return rep, err
	}
	return b.try(ctx, next, days)
}

func (b backend) parse(text string) (*throttle.Rules, error) {
	f, err := throttle.Parse("rules", text)
	if err != nil {
		return nil, err
	}
	if f.Sort != throttle.SortRules {
		// A profile or a merchant's file: what it would make of those in force.
		base, err := b.d.base()
		if err != nil {
			return nil, err
		}
		return base.Apply(f, "rules")
	}
	r, err := throttle.Build(f)
	if err != nil {
		return nil, err
	}
	return b.d.built(r)
}

// base is the set that profiles are applied to: the build's, or the last that was
// loaded.
func (d *device) base() (*throttle.Rules, error) {
	r := throttle.Default()
	text, err := os.ReadFile(d.rulesPath())
	if errors.Is(err, os.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	n, err := throttle.Load(d.rulesPath(), string(text), d.ruleKeys(), r.Version)
	if err != nil {
		return r, nil // it was refused at the start, too
	}
	return n, nil
}

// LoadRules takes a signed set that is newer than those in force. It waits for a
// supervisor.
func (b backend) LoadRules(ctx context.Context, text string) (rep console.RulesReport, err error) {
	d := b.d
	base, err := d.base()
	if err != nil {
		return rep, err
	}
	n, err := throttle.Load("rules", text, d.ruleKeys(), base.Version)
	if err == nil {
		n, err = d.built(n)
	}
	if !d.ruleFile("update", "rules", n, err) {
		return rep, err
	}
	if rep, err = b.try(ctx, n, 30); err != nil {
		return rep, err
	}
	if err := writeFile(d.pendingPath(), text); err != nil {
		return rep, err
	}
	rep.Waits = true
	d.setUpdate(rep)
	if t, _ := b.current(); t != nil {
		t.Redraw()
	}
	return rep, nil
}

// writeFile puts a file in its place, whole or not at all.
func writeFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path+"~", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(path+"~", path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	return err
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func (d *device) setUpdate(r console.RulesReport) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.update = &terminal.Update{Version: r.Version, Changes: len(r.Changes), Lines: r.Changes, More: r.More, Less: r.Less}
}

// findUpdate reads a set that waits from before the last stop.
func (d *device) findUpdate(ctx context.Context) {
	text, err := os.ReadFile(d.pendingPath())
	if err != nil {
		return
	}
	base, err := d.base()
	if err != nil {
		return
	}
	n, err := throttle.Load("rules", string(text), d.ruleKeys(), base.Version)
	if err == nil {
		n, err = d.built(n)
	}
	if !d.ruleFile("update", "pending.rules", n, err) {
		os.Remove(d.pendingPath())
		return
	}
	go func() { // its trial takes a while, and asks the loop
		if rep, err := (backend{d}).try(ctx, n, 30); err == nil {
			d.setUpdate(rep)
		}
	}()
}

// waiting is the set that waits, for the screen.
func (d *device) waiting() (terminal.Update, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.update == nil {
		return terminal.Update{}, false
	}
	return *d.update, true
}

// activate puts the set that waits in force, on a supervisor's word; it is called
// in the loop, between two transactions.
func (d *device) activate(by int) error {
	if err := os.Rename(d.pendingPath(), d.rulesPath()); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(d.rulesPath())); err != nil {
		return err
	}
	d.mu.Lock()
	d.update = nil
	t := d.term
	d.mu.Unlock()
	r := d.rules()
	if t != nil {
		t.SetRules(r)
	}
	d.journal.Record(journal.Event{Code: prompt.LogRules, Source: "rules", Fields: []journal.Field{journal.Word("sort", "activated"), journal.Count("version", r.Version),
		journal.Word("key", r.KeyID), journal.Count("by", by)}})
	return nil
}

// ActivateRules is a supervisor's word at the service cable.
func (b backend) ActivateRules(ctx context.Context) error {
	t, _ := b.current()
	if t == nil {
		return errNoTerminal
	}
	if _, ok := b.d.waiting(); !ok {
		return errors.New("no rules wait")
	}
	var err error
	if derr := t.Do(ctx, func() { err = t.ActivateRules(0) }); derr != nil {
		return derr
	}
	return err
}

// Rules are those in force.
func (b backend) Rules(ctx context.Context) (info console.RulesInfo, err error) {
	t, _ := b.current()
	if t == nil {
		return info, errNoTerminal
	}
	var r *throttle.Rules
	if err := t.Do(ctx, func() { r = t.Rules() }); err != nil {
		return info, err
	}
	info = console.RulesInfo{Name: r.Name, Version: r.Version, KeyID: r.KeyID, Profile: r.Base}
	info.Text = r.Format()
	for _, x := range r.List {
		info.Rules = append(info.Rules, x.Format())
	}
	if u, ok := b.d.waiting(); ok {
		info.Waiting = fmt.Sprintf("v%d, %d changes", u.Version, u.Changes)
	}
	return info, nil
}
