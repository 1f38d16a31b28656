package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"swipewell/firmware/journal"
	"swipewell/firmware/service"
	"swipewell/firmware/store"
	"swipewell/firmware/terminal"
	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// exitRestart is posd's exit status when whoever watches over it is to start it
// again by the loader: for a trial, a roll back, or because somebody said so.
const exitRestart = 75

var errRestart = errors.New("to be started again by the loader")

// upkeep is what updates keep of a device; its zero value takes none.
type upkeep struct {
	notes   int           // of laptops, since the start; guarded by device.mu, as is noted
	noted   time.Duration // when the last came, by boottime
	updates *service.Updates
	running update.Slot
	state   update.State
	why     string // of a trial that failed
	schema  uint32 // of the store's file, as last seen; guarded by device.mu
	stop    context.CancelCauseFunc
}

// openUpdates looks at the boot record: is this a trial, did one fail? It comes
// before the store, whose schema hangs on it.
func (d *device) openUpdates(ctx context.Context, stop context.CancelCauseFunc) {
	d.up.stop = stop
	d.up.schema = store.Schema
	s := d.board.Update
	if s == nil {
		return
	}
	dev := update.New(update.Opts{Product: s.Product, Board: d.file.Name, Keys: s.Keys, Port: s.Port, Slots: s.Slots, SlotSize: s.SlotSize, Running: s.Running,
		Schema: d.schema, Clear: func() error { return d.clearOfMoney(ctx) }})
	d.up.running = s.Running
	d.up.updates = service.NewUpdates(service.UpdatesOpts{Device: dev, Inbox: update.NewInbox(dev, s.Inbox, s.InboxSize), Running: s.Running, Clock: d.board.Clock,
		Tell: d.tellUpdate, Changed: d.redraw})
	var image update.Image
	err := d.up.updates.Do(func(x *update.Device) (err error) {
		d.up.state, image, err = x.Started()
		return err
	})
	if err != nil {
		d.log.Error("update", "err", err)
	}
	switch d.up.state {
	case update.Trying:
		d.recordUpdate(prompt.LogUpdTrial, slog.LevelInfo, "", image.Version, journal.Word("slot", s.Running.String()))
	case update.RolledBack:
		d.up.why = d.takeWhy()
		d.recordUpdate(prompt.LogUpdBack, slog.LevelWarn, "", image.Version, journal.Word("slot", s.Running.Other().String()), journal.Word("why", d.up.why))
	}
	if err == nil && d.up.state != update.Trying {
		go d.giveTriesBack(ctx)
	}
	d.health(ctx, image)
}

// giveTriesBack confirms a build that is no trial again, once it lives: cut starts in a row are no sick build, and
// one that falls at each start shall come to its end.
func (d *device) giveTriesBack(ctx context.Context) {
	for !d.lives(ctx) {
		if hal.Sleep(ctx, hal.SystemClock{}, 200*time.Millisecond) != nil {
			return
		}
	}
	err := d.up.updates.Do(func(x *update.Device) error {
		if r, err := x.Record(); err != nil || r.Trial != update.None {
			return err // another build waits for its first start
		}
		return x.Confirm()
	})
	if err != nil {
		d.log.Error("update", "err", err)
	}
}

func (d *device) recordUpdate(c prompt.Code, l slog.Level, who string, v bundle.Version, more ...journal.Field) {
	f := []journal.Field{journal.Word("version", v.String())}
	if who != "" {
		f = append(f, journal.Word("way", who))
		if r, n := d.whoIsThere(); r != "" {
			f = append(f, journal.Word("role", r), journal.Count("who", n))
		}
	}
	d.journal.Record(journal.Event{Code: c, Level: l, Source: "update", Fields: append(f, more...)})
}

// tellUpdate writes what became of a bundle, and by whom.
func (d *device) tellUpdate(e update.Event) {
	code := map[update.What]prompt.Code{update.Offered: prompt.LogUpdOffered, update.Resumed: prompt.LogUpdOffered, update.Installed: prompt.LogUpdInstalled, update.Refused: prompt.LogUpdRefused,
		service.OnTrial: prompt.LogUpdTrial, service.Confirmed: prompt.LogUpdConfirmed, service.Erased: prompt.LogUpdErased}[e.What]
	lvl, more := slog.LevelInfo, []journal.Field(nil)
	if e.What == update.Refused {
		lvl = slog.LevelWarn
		var r *update.Refusal
		if errors.As(e.Err, &r) {
			more = append(more, journal.Code("code", prompt.Code(r.Code())))
		}
		more = append(more, journal.Err(e.Err))
	}
	if e.What == update.Resumed {
		more = append(more, journal.Count("from", int(e.From)))
	}
	d.recordUpdate(code, lvl, e.Who, e.Version, more...)
}

// whoIsThere is who is logged in at the cable.
func (d *device) whoIsThere() (string, int) {
	d.mu.Lock()
	s := d.shell
	d.mu.Unlock()
	if s == nil {
		return "", 0
	}
	r, n := s.Role()
	return string(r), n
}

// schema is that of the store's file.
func (d *device) schema() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return int(d.up.schema)
}

// sawSchema notes it.
func (d *device) sawSchema(err error) {
	have := store.Schema
	var other *store.SchemaError
	var waits *store.WaitsError
	switch {
	case errors.As(err, &other):
		have = other.Have
	case errors.As(err, &waits):
		have = waits.Have
	case err != nil:
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.up.schema = have
}

// mayMigrate tells whether the store may be brought to this build's schema.
func (d *device) mayMigrate(uint32) bool {
	if d.up.updates == nil {
		return true
	}
	may := false
	err := d.up.updates.Do(func(x *update.Device) error { may = x.MayMigrate(); return nil })
	return err == nil && may
}

// starting tells that no life has begun yet, and nothing has stopped it.
func (d *device) starting() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.term == nil && d.fault == "" && d.lesson == nil
}

// clearOfMoney tells why no update is taken now. A store that another version
// wrote is no reason: a build that reads it is what such a device waits for.
func (d *device) clearOfMoney(ctx context.Context) error {
	d.mu.Lock()
	t, fault, lesson := d.term, d.fault, d.lesson
	d.mu.Unlock()
	switch {
	case t != nil:
		ctx, cancel := hal.WithTimeout(ctx, hal.SystemClock{}, 5*time.Second)
		defer cancel()
		return t.MoneyOpen(ctx)
	case fault == prompt.StoreNewer || fault == prompt.StoreOlder:
		return nil
	case lesson != nil:
		return errors.New("somebody is in training")
	case fault != "":
		return fmt.Errorf("the records cannot be read (%s)", fault)
	}
	return errors.New("the device is starting")
}

// restart ends posd so that the loader starts it again, unless a sale is under way.
func (d *device) restart(ctx context.Context, by string) error {
	if err := d.rest(ctx, func() {}); errors.Is(err, terminal.ErrBusy) {
		return &update.Refusal{Reason: update.MoneyOpen, Detail: err.Error(), Err: err}
	}
	d.journal.Record(journal.Event{Code: prompt.LogService, Source: "update", Fields: []journal.Field{journal.Word("do", "reboot"), journal.Word("role", by)}})
	d.endSoon(ctx)
	return nil
}

// rest runs f where no sale is under way, else gives terminal.ErrBusy. A loop that takes no work for five
// seconds holds nothing up.
func (d *device) rest(ctx context.Context, f func()) error {
	d.mu.Lock()
	t := d.term
	d.mu.Unlock()
	if t == nil {
		f()
		return nil
	}
	ctx, cancel := hal.WithTimeout(ctx, hal.SystemClock{}, 5*time.Second)
	defer cancel()
	return t.Rest(ctx, f)
}

// leave is how long the last answer may take to leave the cable.
const leave = 300 * time.Millisecond

// endSoon ends posd once its answer has left and no sale is under way.
func (d *device) endSoon(ctx context.Context) {
	stop := func() { d.up.stop(errRestart) }
	d.board.Clock.AfterFunc(leave, func() {
		go func() {
			switch err := d.rest(ctx, stop); {
			case errors.Is(err, terminal.ErrBusy):
				d.endSoon(ctx)
			case err != nil:
				stop()
			}
		}()
	})
}

// notice is what the idle screen says of updates.
func (d *device) updateNote() (c prompt.Code, a prompt.Args) {
	u := d.up.updates
	if u == nil {
		return "", a
	}
	d.mu.Lock()
	state := d.up.state
	d.mu.Unlock()
	switch {
	case u.Sending():
		return prompt.UpdReceiving, a
	case state == update.Trying:
		return prompt.UpdTrial, a
	case state == update.RolledBack:
		return prompt.UpdRolledBack, a
	}
	return "", a
}

// whyPath keeps why a trial was ended, for the build that runs next.
func (d *device) whyPath() string { return filepath.Join(d.data, "update.why") }

func (d *device) takeWhy() string {
	b, err := os.ReadFile(d.whyPath())
	if err != nil {
		return "it did not come up"
	}
	os.Remove(d.whyPath())
	return strings.TrimSpace(string(b))
}
