package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"swipewell/firmware/journal"
	"swipewell/firmware/update"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// A build on trial shows that it does what the one before did: devices, store,
// host, and a minute without a crash.

// trialEvery is how often the health of a build on trial is looked at, askEvery how often the
// host is asked meanwhile.
const (
	trialEvery = time.Second
	trialLater = 10 * time.Second // once its minute is over
	askFirst   = 10 * time.Second
	askEvery   = 15 * time.Second
	askLater   = time.Minute // once its minute is over
)

// health starts the watch over a build on trial; of a confirmed one it notes which
// devices do not open, so that a printer which was broken before fails no update.
func (d *device) health(ctx context.Context, image update.Image) {
	var failed []string
	for _, r := range d.board.Report {
		if r.State == hal.Failed {
			failed = append(failed, r.Device)
		}
	}
	path := filepath.Join(d.data, "update.devices")
	if d.up.state != update.Trying {
		if err := writeFile(path, strings.Join(failed, "\n")); err != nil {
			d.log.Warn("update", "err", err)
		}
		return
	}
	known, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		d.log.Warn("update", "err", err)
	}
	before := strings.Fields(string(known))
	failed = slices.DeleteFunc(failed, func(s string) bool { return slices.Contains(before, s) })
	var h update.Health
	h.Report(update.Devices, len(failed) == 0, strings.Join(failed, ", ")+" did not open")
	go d.watchTrial(ctx, image, h)
}

// watchTrial confirms the running build or ends its trial.
func (d *device) watchTrial(ctx context.Context, image update.Image, h update.Health) {
	checked, asked := false, -askEvery
	var out outage
	for ctx.Err() == nil {
		since := d.board.Clock.Now().Boot - d.start.Boot
		checked = d.checkOnTrial(&h, checked)
		d.hostOnTrial(&h, since, &asked, &out)
		switch h.At(since) {
		case update.Healthy:
			d.confirm(image, h.Excuse)
			return
		case update.Sick:
			d.abandon(ctx, image, h.Why)
			return
		}
		wait := trialEvery
		if since >= update.Settle { // something is missing that may come yet
			wait = trialLater
		}
		if hal.Sleep(ctx, d.board.Clock, wait) != nil {
			return
		}
	}
}

// checkOnTrial looks at the store, once it is open.
func (d *device) checkOnTrial(h *update.Health, checked bool) bool {
	d.mu.Lock()
	st, fault := d.store, d.fault
	d.mu.Unlock()
	switch {
	case checked:
	case st != nil:
		err := st.Check()
		h.Report(update.Store, err == nil, fmt.Sprint(err))
		return true
	case fault == prompt.UpdWaits: // judged good, and left as it is until this build is confirmed
		h.Report(update.Store, true, "")
		h.Report(update.Host, true, "the data wait for the end of the trial")
		return true
	case strings.HasPrefix(string(fault), "F-STO-"):
		h.Report(update.Store, false, string(fault))
		return true
	}
	return checked
}

// outage is a time in which no link is up. A dial under way ends none.
type outage struct {
	on   bool
	from time.Duration // since the start of posd
}

// look gives how long it has lasted: 0 while a link is up, and before one fails.
func (o *outage) look(since time.Duration, up, failed bool) time.Duration {
	switch {
	case up:
		o.on = false
	case failed && !o.on:
		o.on, o.from = true, since
	}
	if !o.on {
		return 0
	}
	return since - o.from
}

// hostOnTrial asks for a sign of life, or states why there can be none: no link was
// up for as long as a trial takes. One that comes up to a host that then says
// nothing is no excuse, nor is one dial that fails meanwhile: it may be this build
// that cannot speak.
func (d *device) hostOnTrial(h *update.Health, since time.Duration, asked *time.Duration, out *outage) {
	d.mu.Lock()
	t, opened, fault := d.term, d.opened, d.fault
	var down []string
	up := false
	for _, l := range d.board.Links {
		switch s := d.links[l.Name].state; s {
		case "failed":
			down = append(down, l.Name)
		case "open", "idle":
			up = true
		}
	}
	d.mu.Unlock()
	dead := out.look(since, up, len(down) > 0)
	switch {
	case t != nil && t.Answered():
		h.Report(update.Host, true, "")
	case len(d.board.Links) == 0 || len(d.file.Hosts()) == 0:
		h.Report(update.Host, true, "the board has no line to a host")
	case opened, fault == prompt.KeyNoMaster, fault == prompt.BoardMoney:
		h.Report(update.Host, true, fmt.Sprintf("nothing is sent: %s", fault))
	case since < update.Settle: // it may come yet
		if t != nil && since >= askFirst && since-*asked >= askEvery {
			*asked = since
			t.Echo()
		}
	case len(down) > 0 && dead >= update.Settle:
		h.Report(update.Host, true, "no line: "+strings.Join(down, ", "))
	default:
		if t != nil && since-*asked >= askLater {
			*asked = since
			t.Echo()
		}
	}
}

func (d *device) confirm(image update.Image, excuse string) {
	if err := d.up.updates.Do(func(x *update.Device) error { return x.Confirm() }); err != nil {
		d.log.Error("update", "err", err)
		return
	}
	var more []journal.Field
	if excuse != "" {
		more = append(more, journal.Word("host", excuse))
	}
	d.recordUpdate(prompt.LogUpdConfirmed, slog.LevelInfo, "", image.Version, more...)
	d.mu.Lock()
	d.up.state = update.Settled
	waits, refused := d.fault == prompt.UpdWaits, d.refused
	d.mu.Unlock()
	if waits && refused != nil {
		refused(errAgain) // the data may be brought up to date now
	}
	d.redraw()
}

// abandon ends the trial: the next start is the other build's. A sale that is under way ends first.
func (d *device) abandon(ctx context.Context, image update.Image, why string) {
	if err := d.up.updates.Do(func(x *update.Device) error { return x.Abandon() }); err != nil { // somebody has confirmed it
		d.log.Error("update", "err", err)
		return
	}
	d.recordUpdate(prompt.LogUpdBack, slog.LevelWarn, "", image.Version, journal.Word("slot", d.up.running.String()), journal.Word("why", why))
	if err := writeFile(d.whyPath(), why); err != nil {
		d.log.Warn("update", "err", err)
	}
	d.endSoon(ctx)
}
