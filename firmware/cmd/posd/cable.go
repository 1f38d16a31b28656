package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"swipewell/firmware/console"
	"swipewell/firmware/journal"
	"swipewell/firmware/role"
	"swipewell/firmware/service"
	"swipewell/firmware/smp"
	"swipewell/firmware/update"
	"swipewell/firmware/update/flashwire"
	"swipewell/firmware/ymodem"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// cable serves the service port: a console, SMP and flash frames on one line.
func (d *device) cable(ctx context.Context, o console.Opts) {
	m := (*service.Mux)(nil)
	mo := service.Opts{Port: d.board.Service, Clock: d.board.Clock, Baud: d.file.Service.Baud}
	files := &exports{d: d}
	files.tidy() // of before
	srv := &smp.Server{Info: d.info, Now: func() time.Time { return d.board.Clock.Now().Wall }, Files: files,
		Reset: func() error {
			r, _ := d.whoIsThere()
			return d.restart(ctx, r)
		},
		Stats: map[string]func() map[string]uint64{"cable": func() map[string]uint64 {
			c := m.Counts()
			return map[string]uint64{"damaged": c.Damaged, "dropped": c.Dropped, "lost": c.Lost, "stuck": c.Stuck, "hung": c.Hung}
		}, "store": func() map[string]uint64 {
			_, st := (backend{d}).current()
			if st == nil {
				return map[string]uint64{}
			}
			n, b := st.Stats()
			return map[string]uint64{"commits": n, "bytes": b}
		}}}
	mo.SMP = srv.Handle
	if u := d.up.updates; u != nil {
		srv.Images = u.Images()
		mo.Flash, mo.Damaged = u.Flash(&flashwire.Device{Facts: d.facts, Note: d.noteService, Starting: d.starting,
			Restart: func() error { return d.restart(ctx, "") }})
		o.Upkeep = &cableUpkeep{d: d, mux: func() *service.Mux { return m }}
	}
	var sh *console.Shell
	mo.Hung = func(error) { // whoever was there is not any more
		if u := d.up.updates; u != nil {
			u.Pulled()
		}
		sh.Pulled()
	}
	m = service.New(mo)
	sh = console.NewShell(m.Console(), o)
	srv.Run = func(argv []string) (string, int, bool) {
		out, ok := sh.Exec(ctx, argv)
		return out, 0, ok
	}
	srv.Allow = func(h smp.Header) bool {
		r, _ := sh.Role()
		pending := d.up.updates != nil && d.up.updates.Pending()
		return allowed(h, r, pending)
	}
	d.mu.Lock()
	d.shell = sh
	d.mu.Unlock()
	go m.Run(ctx)
	go sh.Run(ctx)
}

// allowed tells whether whoever is logged in at the console of this cable may do
// this by SMP. A build carries its own right, its signatures; a start that a build
// waits for is part of it. All else wants a person. ADR 43.
func allowed(h smp.Header, r console.Role, pending bool) bool {
	staff := r == role.Technician || r == role.Supervisor
	switch h.Group {
	case smp.GroupOS:
		switch h.Command {
		case 4: // datetime
			return staff
		case 5: // reset
			return staff || pending
		}
		return true // echo, parameters, info
	case smp.GroupImage:
		return h.Command != 5 || staff // erase
	case smp.GroupStat:
		return true
	case smp.GroupFS:
		return staff || r == role.Engineer // who reads the log at the console, too
	}
	return staff
}

// cableUpkeep is what the console of this cable asks.
type cableUpkeep struct {
	d   *device
	mux func() *service.Mux
}

func (c *cableUpkeep) Flash(ctx context.Context, stream bool) (version string, err error) {
	err = c.mux().Take(ctx, func(l ymodem.Line) error {
		v, err := c.d.up.updates.Receive(ctx, l, stream)
		version = v.String()
		return err
	})
	return version, err
}

func (c *cableUpkeep) Restart(ctx context.Context, by string) error { return c.d.restart(ctx, by) }
func (c *cableUpkeep) Pending() bool                                { return c.d.up.updates.Pending() }

// facts are what the device says of itself in flash frames; it is called back
// under the updates' lock.
func (d *device) facts() flashwire.Facts {
	f := flashwire.Facts{Product: d.board.Update.Product, Board: d.file.Name, Serial: d.number(), Rates: rates}
	r, err := d.up.updates.RecordLocked()
	if err != nil {
		return f
	}
	run, other := r.Images[d.up.running], r.Images[d.up.running.Other()]
	f.Version, f.Running, f.Floor = run.Version.String(), fmt.Sprintf("%x", run.Sum), r.Floor.String()
	if other.Size > 0 {
		f.Other = fmt.Sprintf("%x", other.Sum)
	}
	d.mu.Lock()
	state := d.up.state
	d.mu.Unlock()
	switch {
	case r.Trial == d.up.running:
		f.State = flashwire.Trying
	case r.Trial == d.up.running.Other():
		f.State = flashwire.Pending
	case state == update.RolledBack:
		f.State, f.Why = flashwire.RolledBack, d.up.why[:min(len(d.up.why), flashwire.MaxWhy)]
	default:
		f.State = flashwire.Settled
	}
	return f
}

// noteService writes what the laptop says that was done here, and by whom: its
// words, which nobody has proved.
func (d *device) noteService(s flashwire.Service) error {
	// Nobody has logged in for this: it must not push the log's own entries out.
	now := d.board.Clock.Now().Boot
	d.mu.Lock()
	u := &d.up
	often := u.notes >= notesMost || u.notes > 0 && now-u.noted < noteEvery
	if !often {
		u.notes, u.noted = u.notes+1, now
	}
	d.mu.Unlock()
	if often {
		return errors.New("too many notes: one in ten seconds, twenty a start")
	}
	d.journal.Record(journal.Event{Code: prompt.LogService, Source: "laptop", Fields: []journal.Field{journal.Word("do", "update"), journal.Word("by", s.By), journal.Word("laptop", s.Laptop),
		journal.Word("device", s.Serial), journal.Word("from", s.From), journal.Word("to", s.To), journal.Word("sent", s.Sent), journal.Count("bytes", int(s.Line)),
		journal.Count("seconds", int(s.Seconds)), journal.Word("result", s.Result), journal.Word("code", s.Code)}})
	return nil
}

// noteEvery is how far laptops' notes are apart at least, notesMost how many a start takes.
const (
	noteEvery = 10 * time.Second
	notesMost = 20
)

// rates that are offered; what the port or the adapter cannot fails its probes.
var rates = []int{3_000_000, 2_000_000, 1_500_000, 921_600, 460_800, 230_400}

// info is uname's words for SMP: s product, n serial number, r version, v build, m
// machine, p o likewise, i board; a is all.
func (d *device) info(format string) string {
	if format == "" {
		format = "s"
	}
	if strings.Contains(format, "a") {
		format = "snrvmpio"
	}
	var out []string
	for _, c := range format {
		switch c {
		case 's':
			out = append(out, "swipewell")
		case 'n':
			out = append(out, d.number())
		case 'r', 'v':
			v := version
			if u := d.up.updates; u != nil && c == 'r' {
				if r, err := u.Record(); err == nil {
					v = r.Images[d.up.running].Version.String()
				}
			}
			out = append(out, v)
		case 'm', 'p':
			out = append(out, runtime.GOARCH)
		case 'i':
			out = append(out, d.file.Name)
		case 'o':
			out = append(out, "Linux")
		}
	}
	return strings.Join(out, " ")
}

// exports are the files that SMP fetches: the journal as one sealed file.
type exports struct {
	d    *device
	mu   sync.Mutex
	size int64
	used hal.Instant
}

// exportName is what a client asks for, exportFresh how long an export that nobody
// goes on with is given again.
const (
	exportName  = "/log.swjx"
	exportFresh = time.Minute
)

func (e *exports) Open(name string) (io.ReaderAt, int64, error) {
	if name != exportName && name != strings.TrimPrefix(exportName, "/") {
		return nil, 0, &smp.Problem{Code: smp.CodeNoEntry, Err: fmt.Errorf("there is %s only", exportName)}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	path, now := e.path(), e.d.board.Clock.Now()
	if e.size == 0 || now.Boot-e.used.Boot > exportFresh {
		if err := e.make(path); err != nil {
			return nil, 0, err
		}
	}
	e.used = now
	e.d.board.Clock.AfterFunc(exportFresh+time.Second, e.tidy)
	f, err := os.Open(path)
	return f, e.size, err
}

func (e *exports) path() string { return filepath.Join(e.d.data, "export.swjx") }

// tidy takes away what nobody goes on with: the partition is the store's, too.
func (e *exports) tidy() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := e.d.board.Clock.Now(); e.size == 0 || now.Boot-e.used.Boot > exportFresh {
		e.size = 0
		os.Remove(e.path())
	}
}

func (e *exports) make(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = e.d.journal.Export(f, backend{e.d}.Manifest())
	if err == nil {
		e.size, err = f.Seek(0, io.SeekCurrent)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
