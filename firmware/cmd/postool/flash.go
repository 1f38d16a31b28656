package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"swipewell/drivers/tty"
	"swipewell/firmware/console"
	"swipewell/firmware/flash"
	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/flashwire"
	"swipewell/hal"
)

// Exit status of flash, beside those of every command.
const (
	exitNoDevice    = 3
	exitLine        = 4
	exitRolledBack  = 5
	exitFile        = 6
	exitUnconfirmed = 7
	exitStopped     = 130
)

// flashEnd is an end of flash that has a status of its own.
type flashEnd struct {
	error
	code int
}

func (e flashEnd) Unwrap() error { return e.error }

// ends: the status of each outcome, the gravest first; of several terminals the
// gravest counts.
var ends = []struct {
	outcome flash.Outcome
	code    int
}{
	{flash.RolledBack, exitRolledBack}, {flash.Refused, exitRefused}, {flash.LineFailed, exitLine}, {flash.Unconfirmed, exitUnconfirmed},
	{flash.NoDevice, exitNoDevice}, {flash.Stopped, exitStopped},
}

const flashHelp = `Brings the build of BUNDLE to every terminal at hand and waits until it has confirmed it.

Asks each terminal what it has and sends the least: nothing, a delta from the build that it runs, the blocks that neither of
its slots has (if the bundle was made for that), or the whole. Frames that are lost are sent again; a cable that is pulled or a laptop that slept costs only what was on the wire: the same command, or the same
run, goes on there. The terminal checks the signatures itself and refuses what is not for it; its running build stays until the
new one has proved itself.

The cable: its switch on DEVICE, the plug in the terminal's service socket, the terminal on. No login is needed for a signed
bundle; with --key FILE --as ROLE the journal knows who it was.

Without --port it looks at /dev/serial/by-id, /dev/ttyUSB* and /dev/ttyACM*; if more than one terminal answers, name them or say --all.

Exit status: 0 every terminal runs the build (or --dry-run: would take it); 1 a terminal refused; 2 the command line is wrong;
3 no terminal; 4 the line failed; 5 a terminal rolled back; 6 the file is bad; 7 a trial did not end in time; 130 stopped.
Of several terminals the gravest counts: 5, 1, 4, 7, 3, 130.`

// flashFlags are what flash was told.
type flashFlags struct {
	t       *tool
	ports   []string
	all     bool
	o       flash.Opts
	key, as string
	record  string
	errs    io.Writer
	dev     string // where ports are; /dev but in tests
	probe   time.Duration
}

func (t *tool) flash() *cobra.Command {
	f := &flashFlags{t: t, dev: "/dev", probe: 3 * time.Second}
	c := &cobra.Command{Use: "flash BUNDLE", Short: "bring a build to terminals over the service cable, all at once, and see it confirmed", Long: flashHelp,
		Example: "  postool flash posd-1.4.0.swb\n  postool flash --dry-run --json posd-1.4.0.swb\n  postool flash --port /dev/ttyUSB0 --port /dev/ttyUSB1 posd-1.4.0.swb\n  postool flash --all --by 'Li Na' posd-1.4.0.swb",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.errs = cmd.ErrOrStderr()
			return f.run(cmd.Context(), args[0])
		}}
	g := c.Flags()
	g.StringArrayVar(&f.ports, "port", nil, "a port; may be repeated. Default: what is found")
	g.BoolVar(&f.all, "all", false, "every terminal that answers")
	g.IntVar(&f.o.Max, "baud", flashwire.MaxRate, "the highest rate to ask for; 115200 asks for none")
	g.BoolVar(&f.o.DryRun, "dry-run", false, "ask and judge; send nothing, change nothing")
	g.StringVar(&f.o.By, "by", userName(), "who does it, for the service record")
	g.StringVar(&f.key, "key", "", "log in first with this key, made by postool keygen")
	g.StringVar(&f.as, "as", string(console.Engineer), "the role of the key")
	g.StringVar(&f.record, "record", defaultRecord(), "the service record on this machine: a JSON line for each terminal is added")
	g.DurationVar(&f.o.Confirm, "wait", 12*time.Minute, "for the end of the trial")
	g.DurationVar(&f.o.Patience, "patience", 5*time.Minute, "for a cable that is out or a terminal that is off, in the middle")
	return c
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// defaultRecord is in the user's folder for state. XDG.
func defaultRecord() string {
	dir := os.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "flash.jsonl"
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "swipewell", "flash.jsonl")
}

// openTTY opens a port as flash wants it.
func openTTY(path string, baud int) (flash.Port, error) {
	p, err := tty.Open(tty.Opts{Path: path, Baud: baud})
	switch {
	case errors.Is(err, tty.ErrBusy):
		return nil, flash.ErrBusy
	case err != nil:
		return nil, err
	}
	return p, nil
}

func (f *flashFlags) run(ctx context.Context, path string) error {
	if f.o.Max < 115_200 || f.all && len(f.ports) > 0 {
		return errors.New("--baud is at least 115200; --all and --port exclude each other")
	}
	var err error
	if f.o.Bundle, err = readBundle(path); err != nil {
		var cause error = err
		if errors.Is(err, bundle.ErrPiece) || errors.Is(err, io.ErrUnexpectedEOF) {
			cause = fmt.Errorf("%w; the file was cut or changed: fetch it again. No terminal was touched", err)
		} else if errors.Is(err, bundle.ErrNotABundle) || errors.Is(err, bundle.ErrManifest) {
			cause = fmt.Errorf("%w; give a file that postool bundle made. No terminal was touched", err)
		}
		return flashEnd{cause, exitFile}
	}
	f.o.Open, f.o.Clock = openTTY, hal.SystemClock{}
	f.o.Laptop, _ = os.Hostname()
	if f.key != "" {
		if err := f.login(); err != nil {
			return err
		}
	}
	book, err := f.book()
	if err != nil {
		return err
	}
	defer book.Close()
	ports, err := f.choose(ctx)
	if err != nil {
		return err
	}
	b := newBars(f.errs, ports)
	f.o.Show = b.show
	results := flash.Run(ctx, f.o, ports)
	b.end()
	return f.report(results, book)
}

// book is the service record, opened before anything is touched.
func (f *flashFlags) book() (io.WriteCloser, error) {
	if f.o.DryRun {
		return nopBook{}, nil
	}
	if err := os.MkdirAll(filepath.Dir(f.record), 0o700); err != nil {
		return nil, fmt.Errorf("the service record: %w", err)
	}
	w, err := os.OpenFile(f.record, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the service record: %w", err)
	}
	return w, nil
}

type nopBook struct{}

func (nopBook) Write(b []byte) (int, error) { return len(b), nil }
func (nopBook) Close() error                { return nil }

// login sets what is done at the console before the first frame.
func (f *flashFlags) login() error {
	priv, err := signer(f.key)
	if err != nil {
		return err
	}
	on := func(ctx context.Context, p flash.Port) *console.Cable {
		return console.NewCable(&quietPort{ctx: ctx, p: p})
	}
	f.o.Login = func(ctx context.Context, p flash.Port) error {
		return on(ctx, p).Login(ctx, console.Role(f.as), priv)
	}
	f.o.Logout = func(ctx context.Context, p flash.Port) error { return on(ctx, p).Logout(ctx) }
	return nil
}

// choose says which ports are worked on, and what was found.
func (f *flashFlags) choose(ctx context.Context) ([]flash.Found, error) {
	if len(f.ports) > 0 {
		var ports []flash.Found
		for _, p := range f.ports {
			ports = append(ports, flash.Named(f.dev, p))
		}
		return ports, nil
	}
	found := flash.Find(f.dev)
	if len(found) == 0 {
		return nil, flashEnd{errors.New("no serial port is here: plug the service cable in, or name its port with --port"), exitNoDevice}
	}
	fmt.Fprintln(f.errs, "ports here:")
	facts := map[string]flashwire.Facts{}
	if len(found) > 1 {
		facts = flash.Probe(ctx, f.o, found, f.probe)
	}
	for _, p := range found {
		line := "  " + p.Dev
		if p.Name != "" {
			line += "  " + p.Name
		}
		if d, ok := facts[p.Path]; ok {
			line += fmt.Sprintf("  terminal %s, board %s, runs %s", d.Serial, d.Board, d.Version)
		} else if len(found) > 1 {
			line += "  no terminal answers"
		}
		fmt.Fprintln(f.errs, line)
	}
	if len(found) == 1 {
		return found, nil
	}
	found = slices.DeleteFunc(found, func(p flash.Found) bool { _, ok := facts[p.Path]; return !ok })
	switch {
	case len(found) == 0:
		return nil, flashEnd{errors.New("no terminal answers at any port: turn the cable's switch to DEVICE, see that its plug is in the terminal's service socket and the terminal is on"), exitNoDevice}
	case len(found) > 1 && !f.all:
		return nil, fmt.Errorf("%d terminals answer: name one with --port, or say --all", len(found))
	}
	return found, nil
}

// record is a line of the service record.
type record struct {
	When   time.Time `json:"when"`
	By     string    `json:"by"`
	Laptop string    `json:"laptop"`
	flash.Result
}

// report prints what became of each terminal, and writes it down.
func (f *flashFlags) report(results []flash.Result, book io.Writer) error {
	var kept error
	for _, r := range results {
		b, err := json.Marshal(record{time.Now(), f.o.By, f.o.Laptop, r})
		if err != nil {
			return failure{err}
		}
		b = append(b, '\n')
		if r.Outcome != flash.UpToDate && !f.o.DryRun {
			if _, err := book.Write(b); err != nil {
				kept = err
			}
		}
		if f.t.json {
			if _, err := f.t.out.Write(b); err != nil {
				return failure{err}
			}
			continue
		}
		f.print(r)
	}
	if s, ok := book.(*os.File); ok {
		kept = errors.Join(kept, s.Sync())
	}
	if kept != nil {
		fmt.Fprintf(f.errs, "the service record %s was not written: %v\n", f.record, kept)
	}
	counts := map[flash.Outcome]int{}
	for _, r := range results {
		counts[r.Outcome]++
	}
	for _, e := range ends {
		if n := counts[e.outcome]; n > 0 {
			what := string(e.outcome)
			if len(results) > 1 {
				var parts []string
				for _, k := range slices.Sorted(maps.Keys(counts)) {
					parts = append(parts, fmt.Sprintf("%d %s", counts[k], k))
				}
				what = strings.Join(parts, ", ")
			}
			return flashEnd{errors.New(what), e.code}
		}
	}
	return nil
}

func (f *flashFlags) print(r flash.Result) {
	w := f.t.out
	name := r.Serial
	if name == "" {
		name = "?"
	}
	fmt.Fprintf(w, "%s at %s: %s", name, r.Port, r.Outcome)
	if r.Text != "" {
		fmt.Fprintf(w, ": %s", strings.TrimSpace(r.Code+" "+r.Text))
	}
	fmt.Fprintln(w)
	if r.Hint != "" {
		fmt.Fprintf(w, "  do: %s\n", r.Hint)
	}
	if r.Line > 0 && r.Sent != "" && r.Outcome != flash.WouldSend && r.Outcome != flash.UpToDate {
		fmt.Fprintf(w, "  %s → %s, %s: %d bytes on the line for a build of %d, %.1f s at up to %d baud, all %.1f s\n", r.From, r.To, r.Sent, r.Line, r.Image, r.Transfer, r.Baud, r.Seconds)
		fmt.Fprintf(w, "  frames sent again: %d; cable or terminal away: %d times\n", r.Again, r.Breaks)
	}
	if !f.o.DryRun && r.Outcome != flash.UpToDate {
		where := f.record
		if r.Noted {
			where += " and the terminal's journal"
		}
		fmt.Fprintf(w, "  service record: %s\n", where)
	}
}
