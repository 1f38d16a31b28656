package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"swipewell/firmware/console"
	"swipewell/firmware/journal"
	"swipewell/firmware/journal/query"
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// logFlags are the conditions of a query, and how its entries are shown.
type logFlags struct {
	t            *tool
	f            journal.Filter
	follow       bool
	since, until string
	code, cursor string
	form         string
	utc, noPager bool
	showCursor   bool
	from         string
	reverse      bool
	kernel       bool
	pagerEnd     bool
	listBoots    bool
	zone         *time.Location // of what is shown and of what is asked, once ready
	when         [2]*query.When // since and until, where they hang on the device's day
}

func (l *logFlags) add(cmd *cobra.Command, lines int) {
	f := cmd.Flags()
	f.IntVarP(&l.f.Last, "lines", "n", lines, "only the last so many; 0 means all")
	f.StringVarP(&l.f.Source, "unit", "u", "", "of one source: link is link and link.4g")
	f.StringVarP(&l.f.Level, "priority", "p", "", "of this level and graver ones: error (err crit alert emerg 0-3), warn (warning 4), info (notice 5 6), debug (7)")
	f.StringVarP(&l.since, "since", "S", "", "since then: 2026-03-01 14:00, 14:00, today, yesterday, now, 2h, -2h, 30 min ago; in the zone of --utc, and as the\ndevice's clock goes (of --from: its last entry)")
	f.StringVarP(&l.until, "until", "U", "", "until then, likewise")
	f.StringVarP(&l.f.Boot, "boot", "b", "", "of one start of the program: 0 the last, -1 the one before, or its id; -b alone is the last")
	f.Lookup("boot").NoOptDefVal = "0"
	f.BoolVarP(&l.kernel, "dmesg", "k", false, "of the kernel: -u kernel")
	f.StringVarP(&l.f.Grep, "grep", "g", "", "lines that an expression fits: level, code, source, transaction, message, key=value")
	f.StringVar(&l.f.Tx, "tx", "", "of one transaction, by its STAN or its id")
	f.StringVar(&l.f.Card, "card", "", "of the transactions of one card, by its name in the log (j.…)")
	f.StringVar(&l.code, "code", "", "of one code, or of all that begin so: F-NET")
	f.StringVar(&l.f.Cause, "cause", "", "of a family of causes: NET, HST, OPR")
	f.StringVar(&l.cursor, "cursor", "", "behind this entry: its number")
	f.StringVar(&l.from, "from", "", "a folder or an export of a log, instead of the device")
	l.addZone(cmd)
	f.StringVarP(&l.form, "output", "o", "short", "short, full (verbose), json, json-pretty, cat, or otlp: OpenTelemetry log records in JSON")
}

// ready turns the flags into a request.
func (l *logFlags) ready() (q console.Request, err error) {
	q.Cmd, q.Follow = "log", l.follow
	l.f.Code = prompt.Code(strings.ToUpper(l.code))
	if n, err := strconv.ParseUint(l.f.Tx, 10, 20); err == nil {
		l.f.Tx = pos.STAN(n).String()
	}
	if l.f.Level != "" {
		level, ok := query.ParseLevel(l.f.Level)
		if !ok {
			return q, fmt.Errorf("-p %s: debug, info, notice, warning, err, crit, alert, emerg, or 7 to 0", l.f.Level)
		}
		l.f.Level = level
	}
	if l.kernel {
		if l.f.Source != "" {
			return q, errors.New("-k is -u kernel: give one of them")
		}
		l.f.Source = "kernel"
	}
	if l.reverse && l.form == "otlp" {
		return q, errors.New("-r and -o otlp: records go to a collector, which puts them in order")
	}
	if l.reverse && l.follow {
		return q, errors.New("-r and -f: what is still to come cannot be first")
	}
	if l.cursor != "" {
		if l.f.AfterSeq, err = strconv.ParseUint(l.cursor, 10, 64); err != nil {
			return q, fmt.Errorf("--cursor %s: not an entry's number", l.cursor)
		}
	}
	switch l.form {
	case "short", "full", "cat", "otlp", "json-pretty":
	case "verbose":
		l.form = "full"
	case "json":
		l.t.json = true
	default:
		return q, fmt.Errorf("-o %s: short, full, json, json-pretty, cat or otlp", l.form)
	}
	if l.zone, err = zoneHere(l.utc); err != nil {
		return q, err
	}
	if q.Ago, l.f.Since, l.when[0], err = parseTime("--since", l.since, l.zone); err != nil {
		return q, err
	}
	if q.AgoUntil, l.f.Until, l.when[1], err = parseTime("--until", l.until, l.zone); err != nil {
		return q, err
	}
	if l.f.Tx != "" || l.f.Boot != "" {
		if _, err := l.f.Matcher(); err != nil {
			return q, err
		}
	}
	q.Filter = l.f
	return q, nil
}

func (l *logFlags) look() console.Look {
	o := console.Look{Lang: l.t.lang(), Form: l.form, Zone: l.zone}
	o.Color = isTerminal() && os.Getenv("NO_COLOR") == ""
	return o
}

func isTerminal() bool { return term.IsTerminal(int(os.Stdout.Fd())) }

// each gives the entries: of the device, or of a folder or file.
func (l *logFlags) each(ctx context.Context, q console.Request, fn func(journal.Entry) error) (empty string, err error) {
	if l.from == "" {
		if err := l.days(ctx, &q); err != nil {
			return "", err
		}
		err = l.t.items(ctx, q, func(r console.Reply) error {
			if r.Kind == "empty" {
				return json.Unmarshal(r.Data, &empty)
			}
			var e journal.Entry
			if err := json.Unmarshal(r.Data, &e); err != nil {
				return err
			}
			return fn(e)
		})
		return empty, err
	}
	if q.Follow {
		return "", errors.New("-f needs the device itself")
	}
	set, err := openLog(l.from)
	if err != nil {
		return "", failure{err}
	}
	f := q.Filter
	if q.Ago > 0 || q.AgoUntil > 0 || l.when[0] != nil || l.when[1] != nil { // the clock that counts is the device's: its last entry
		now, err := lastWall(set)
		if err != nil {
			return "", failure{err}
		}
		if q.Ago > 0 {
			f.Since = now.Add(-q.Ago).In(l.zone)
		}
		if q.AgoUntil > 0 {
			f.Until = now.Add(-q.AgoUntil).In(l.zone)
		}
		l.byDay(&f, now)
	}
	some := false
	var ferr error
	err = set.Each(f, func(e *journal.Entry) bool {
		some = true
		ferr = fn(*e)
		return ferr == nil
	})
	if err = errors.Join(err, ferr); err == nil && !some {
		empty = set.Empty(f)
	}
	return empty, err
}

func lastWall(s query.Set) (time.Time, error) {
	es, err := s.All(journal.Filter{Last: 1})
	if err != nil || len(es) == 0 {
		return time.Time{}, err
	}
	return es[0].Wall, nil
}

func (t *tool) log() *cobra.Command {
	l := &logFlags{t: t}
	cmd := &cobra.Command{
		Use:   "log",
		Short: "the log, oldest first",
		Example: "  postool log -n 50\n  postool log -f -p warn\n  postool log --tx 123\n  postool log --code F-NET --since 2h\n  postool log -b -1 -o full\n  postool log -S yesterday -U 09:30 -r\n" +
			"  postool log --from tuesday.swjx --grep timeout",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if l.listBoots {
				return l.boots(cmd)
			}
			q, err := l.ready()
			if err != nil {
				return err
			}
			done, err := l.page()
			if err != nil {
				return err
			}
			defer done()
			last := uint64(0)
			look := l.look()
			var back []journal.Entry
			if l.form == "otlp" {
				w, err := l.otlp(cmd.Context(), t.out)
				if err != nil {
					return err
				}
				show, end := w.Add, w.Flush
				if l.follow { // each as it comes
					show, end = func(e journal.Entry) error { return errors.Join(w.Add(e), w.Flush()) }, func() error { return nil }
				}
				_, err = l.each(cmd.Context(), q, show)
				return errors.Join(err, end())
			}
			empty, err := l.each(cmd.Context(), q, func(e journal.Entry) error {
				last = e.Seq
				if l.reverse {
					back = append(back, e)
					return nil
				}
				return t.entry(look, e)
			})
			if err != nil {
				return err
			}
			for _, e := range slices.Backward(back) {
				if err := t.entry(look, e); err != nil {
					return err
				}
			}
			if empty != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), "no entries: "+empty)
			}
			if l.showCursor && last > 0 {
				fmt.Fprintln(t.out, "-- cursor:", last)
			}
			return nil
		},
	}
	l.add(cmd, 40)
	cmd.Flags().BoolVarP(&l.follow, "follow", "f", false, "go on with new entries until interrupted")
	cmd.Flags().BoolVarP(&l.reverse, "reverse", "r", false, "the newest first")
	cmd.Flags().BoolVar(&l.listBoots, "list-boots", false, "the starts of the program instead: log boots")
	cmd.Flags().BoolVarP(&l.pagerEnd, "pager-end", "e", false, "begin at the end of the pager (less; without one it changes nothing)")
	cmd.Flags().BoolVar(&l.showCursor, "show-cursor", false, "print the number of the last entry, for --cursor")
	cmd.Flags().BoolVar(&l.noPager, "no-pager", false, "do not page on a terminal")
	cmd.AddCommand(t.story(), t.top(), t.boots(), t.stats(), t.verify(), t.export(), t.importLog(), t.logReport(), t.qr(), t.upload())
	return cmd
}

func (t *tool) entry(o console.Look, e journal.Entry) error {
	pretty := o.Form == "json-pretty"
	if t.json || pretty {
		raw, err := json.Marshal(e)
		if err == nil && pretty {
			var b bytes.Buffer
			err = json.Indent(&b, raw, "", "  ")
			raw = b.Bytes()
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(t.out, "%s\n", raw)
		return err
	}
	console.WriteEntry(t.out, o, e)
	return nil
}

// page sends the output through a pager if people read it on a terminal.
func (l *logFlags) page() (done func(), err error) {
	if l.follow || l.noPager || !isTerminal() || l.t.out != os.Stdout {
		return func() {}, nil
	}
	pager := os.Getenv("PAGER")
	if pager == "" {
		pager = "less"
	}
	path, err := exec.LookPath(pager)
	if err != nil {
		return func() {}, nil
	}
	cmd := exec.Command(path)
	if l.pagerEnd && strings.HasPrefix(filepath.Base(path), "less") {
		cmd.Args = append(cmd.Args, "+G")
	}
	cmd.Env = append(os.Environ(), "LESS=FRX", "LESSCHARSET=utf-8")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	l.t.out = in
	return func() {
		in.Close()
		cmd.Wait()
		l.t.out = os.Stdout
	}, nil
}

func (t *tool) story() *cobra.Command {
	l := &logFlags{t: t}
	cmd := &cobra.Command{
		Use:     "story STAN",
		Short:   "one transaction as a page: what happened, how long it took, where the money is",
		Example: "  postool log story 123\n  postool log story 123 --from tuesday.swjx",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l.f.Tx = args[0]
			q, err := l.ready()
			if err != nil {
				return err
			}
			var s console.Story
			if l.from != "" {
				var empty string
				empty, err = l.each(cmd.Context(), q, func(e journal.Entry) error { s.Take(e); return nil })
				if err == nil && len(s.Entries) == 0 {
					return failure{errors.New(empty)}
				}
				if err == nil {
					err = l.after(cmd.Context(), &s)
				}
			} else if t.json {
				return t.ask(cmd.Context(), console.Request{Cmd: "tx", Tx: args[0]}, t.print)
			} else {
				err = t.ask(cmd.Context(), console.Request{Cmd: "tx", Tx: args[0]}, s.TakeReply)
			}
			if err != nil {
				return err
			}
			if t.json {
				for _, e := range s.Entries {
					if err := t.entry(l.look(), e); err != nil {
						return err
					}
				}
				return nil
			}
			console.WriteStory(t.out, l.look(), args[0], s)
			return nil
		},
	}
	cmd.Flags().StringVar(&l.from, "from", "", "a folder or an export of a log, instead of the device")
	l.addZone(cmd)
	l.form = "short"
	return cmd
}

// after adds how later transactions ended that refer to this one. An export has no
// batch to look them up in.
func (l *logFlags) after(ctx context.Context, s *console.Story) error {
	id := s.ID()
	var paths []journal.Entry
	q := console.Request{Filter: journal.Filter{Code: prompt.LogPath}}
	if _, err := l.each(ctx, q, func(e journal.Entry) error { paths = append(paths, e); return nil }); err != nil {
		return err
	}
	for _, tx := range console.Refers(paths, id) {
		q := console.Request{Filter: journal.Filter{Tx: tx}}
		if _, err := l.each(ctx, q, func(e journal.Entry) error { s.After = append(s.After, e); return nil }); err != nil {
			return err
		}
	}
	return nil
}

func (t *tool) top() *cobra.Command {
	l := &logFlags{t: t}
	most, plot := 0, false
	cmd := &cobra.Command{
		Use:     "top",
		Short:   "what fails most: by cause, event, source and hour",
		Example: "  postool log top --since 24h\n  postool log top --from tuesday.swjx",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if plot {
				r, err := l.collect(cmd)
				if err != nil {
					return err
				}
				r.Text(t.out, t.lang())
				return nil
			}
			q, err := l.ready()
			if err != nil {
				return err
			}
			var top console.Top
			look := l.look()
			empty, err := l.each(cmd.Context(), q, func(e journal.Entry) error { top.Add(look.Zone, e); return nil })
			if err != nil {
				return err
			}
			if empty != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), "no entries: "+empty)
			}
			top.Write(t.out, look, most)
			return nil
		},
	}
	l.add(cmd, 0)
	cmd.Flags().BoolVar(&plot, "plot", false, "small plots instead: stages, signal, swipes and stops, declines, reader errors, queue")
	cmd.Flags().IntVar(&most, "most", 10, "lines of each table")
	return cmd
}
