package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"swipewell/firmware/board"
	"swipewell/firmware/console"
	"swipewell/firmware/journal"
	"swipewell/firmware/parameter"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// paramsPath is where the parameter file that was taken last lies, signature and
// all: it is believed anew at each start.
func (d *device) paramsPath() string { return filepath.Join(d.data, "params", "active.toml") }

// tid is who this device is to its acquirer.
func (d *device) tid() string {
	if a := d.file.Acquirer; a != nil {
		return a.TID
	}
	return ""
}

// paramState is the parameters of the session that runs.
type paramState struct {
	file *board.File     // the board file as they change it; nil before the first session
	from *parameter.File // nil: none is in force
	bad  error           // why the file that is there is not
}

// takeParams puts the parameters that are on flash in force. One that cannot be
// believed is told in the log, and the board's own stand.
func (d *device) takeParams() {
	var s paramState
	text, err := os.ReadFile(d.paramsPath())
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		s.bad = err
	default:
		s.from, s.bad = parameter.Load(string(text), d.file.ParameterKeys(), d.tid(), 0)
	}
	s.file = d.file.With(s.from)
	if s.from != nil || s.bad != nil {
		d.noteParams("start", s.from, s.bad)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.params = s
}

// inForce is the board file as the parameters in force change it.
func (d *device) inForce() *board.File {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.params.file == nil {
		return d.file
	}
	return d.params.file
}

func (d *device) noteParams(what string, p *parameter.File, err error) {
	e := journal.Event{Code: prompt.LogParams, Source: "params", Fields: []journal.Field{journal.Word("sort", what)}}
	if err != nil {
		e.Level, e.Fields = slog.LevelWarn, append(e.Fields, journal.Word("taken", "no"), journal.Err(err))
	}
	if p != nil {
		e.Fields = append(e.Fields, journal.Word("taken", "yes"), journal.Count("version", p.Version), journal.Word("key", p.KeyID))
	}
	d.journal.Record(e)
}

// onFlash is the file that counts from the next start on; nil: there is none, or
// none that is believed.
func (d *device) onFlash() *parameter.File {
	text, err := os.ReadFile(d.paramsPath())
	if err != nil {
		return nil
	}
	p, err := parameter.Load(string(text), d.file.ParameterKeys(), d.tid(), 0)
	if err != nil {
		return nil
	}
	return p
}

// Config are the parameters in force.
func (b backend) Config(context.Context) (c console.Config, err error) {
	d := b.d
	f := d.inForce()
	d.mu.Lock()
	from := d.params.from
	d.mu.Unlock()
	sets := map[string]bool{}
	if from != nil {
		c.Version, c.KeyID, sets = from.Version, from.KeyID, board.Sets(from)
	}
	if p := d.onFlash(); p != nil && p.Version != c.Version {
		c.Waiting = p.Version
	}
	for _, x := range f.Settings() {
		v := console.Param{Name: x.Name, Value: x.Value, From: "board"}
		switch {
		case sets[x.Name]:
			v.From = "file"
		case x.Value == "":
			v.From = "build"
		}
		c.Params = append(c.Params, v)
	}
	return c, nil
}

// report is what a file would change of what is in force.
func (d *device) report(p *parameter.File) console.ConfigReport {
	r := console.ConfigReport{Version: p.Version, KeyID: p.KeyID}
	if have := d.onFlash(); have != nil {
		r.Have = have.Version
	}
	// A file stands alone: what it leaves out is the board's again.
	was, is := d.inForce().Settings(), d.file.With(p).Settings()
	for i := range is {
		if was[i].Value != is[i].Value {
			r.Changes = append(r.Changes, console.ParamChange{Name: is[i].Name, Was: was[i].Value, Is: is[i].Value})
		}
	}
	return r
}

// TryConfig says what a file would change, signed or not.
func (b backend) TryConfig(_ context.Context, text string) (console.ConfigReport, error) {
	p, err := parameter.Parse(text)
	if err != nil {
		return console.ConfigReport{}, err
	}
	if s, err := parameter.Load(text, b.d.file.ParameterKeys(), b.d.tid(), 0); err == nil {
		p = s
	}
	return b.d.report(p), nil
}

// SetConfig takes a signed file that is newer than what is on flash. It counts at
// once where nothing is under way: the terminal's life ends, and the next begins
// with it; otherwise from the next start on.
func (b backend) SetConfig(ctx context.Context, text string) (r console.ConfigReport, err error) {
	d := b.d
	d.setting.Lock()
	defer d.setting.Unlock()
	have := 0
	if p := d.onFlash(); p != nil {
		have = p.Version
	}
	p, err := parameter.Load(text, d.file.ParameterKeys(), d.tid(), have)
	if err == nil {
		r = d.report(p)
		if werr := writeFile(d.paramsPath(), text); werr != nil {
			err = &parameter.Refusal{Reason: parameter.Write, Err: werr}
		}
	}
	if err != nil {
		d.noteParams("set", nil, err)
		return r, err
	}
	d.noteParams("set", p, nil)
	r.Taken, r.When = true, "start"
	if d.restartQuiet(ctx) && d.tookParams(ctx, p.Version) {
		r.When = "now"
	}
	return r, nil
}

// nextLife is how long the next life of the terminal may take to begin.
const nextLife = 10 * time.Second

// tookParams waits for the life that has a version in force.
func (d *device) tookParams(ctx context.Context, version int) bool {
	for until := d.board.Clock.Now().Boot + nextLife; d.board.Clock.Now().Boot < until; {
		d.mu.Lock()
		from, there := d.params.from, d.term != nil
		d.mu.Unlock()
		if there && from != nil && from.Version == version {
			return true
		}
		if hal.Sleep(ctx, d.board.Clock, 20*time.Millisecond) != nil {
			return false
		}
	}
	return false
}

// restartQuiet ends the life of the terminal for the next to begin, if nothing is
// under way and nobody is at the device.
func (d *device) restartQuiet(ctx context.Context) (done bool) {
	d.mu.Lock()
	t, end := d.term, d.endLife
	d.mu.Unlock()
	if t == nil || end == nil {
		return false
	}
	err := t.Do(ctx, func() {
		if done = t.Idle(); done {
			end(errAgain)
		}
	})
	return done && (err == nil || errors.Is(err, context.Canceled))
}
