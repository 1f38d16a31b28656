package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
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
}

func (l *logFlags) add(cmd *cobra.Command, lines int) {
	f := cmd.Flags()
	f.IntVarP(&l.f.Last, "lines", "n", lines, "only the last so many; 0 means all")
	f.StringVarP(&l.f.Source, "unit", "u", "", "of one source: link is link and link.4g")
	f.StringVarP(&l.f.Level, "priority", "p", "", "of this level and graver ones: debug, info, warn, error")
	f.StringVar(&l.since, "since", "", "since so long before the device's clock (2h), or a time (2026-03-01 14:00)")
	f.StringVar(&l.until, "until", "", "until then, likewise")
	f.StringVarP(&l.f.Boot, "boot", "b", "", "of one start of the program: 0 the last, -1 the one before, or its id")
	f.StringVarP(&l.f.Grep, "grep", "g", "", "lines that an expression fits: level, code, source, transaction, message, key=value")
	f.StringVar(&l.f.Tx, "tx", "", "of one transaction, by its STAN or its id")
	f.StringVar(&l.f.Card, "card", "", "of the transactions of one card, by its name in the log (j.…)")
	f.StringVar(&l.code, "code", "", "of one code, or of all that begin so: F-NET")
	f.StringVar(&l.f.Cause, "cause", "", "of a family of causes: NET, HST, OPR")
	f.StringVar(&l.cursor, "cursor", "", "behind this entry: its number")
	f.StringVar(&l.from, "from", "", "a folder or an export of a log, instead of the device")
	f.BoolVar(&l.utc, "utc", false, "times in UTC (else in the zone of this computer if TZ is set, and the device's if not)")
	f.StringVarP(&l.form, "output", "o", "short", "short, full, json, cat, or otlp: OpenTelemetry log records in JSON")
}

// ready turns the flags into a request.
func (l *logFlags) ready() (q console.Request, err error) {
	q.Cmd, q.Follow = "log", l.follow
	l.f.Code = prompt.Code(strings.ToUpper(l.code))
	if n, err := strconv.ParseUint(l.f.Tx, 10, 20); err == nil {
		l.f.Tx = pos.STAN(n).String()
	}
	if l.f.Level != "" && !console.LevelKnown(l.f.Level) {
		return q, fmt.Errorf("-p %s: debug, info, warn or error", l.f.Level)
	}
	if l.cursor != "" {
		if l.f.AfterSeq, err = strconv.ParseUint(l.cursor, 10, 64); err != nil {
			return q, fmt.Errorf("--cursor %s: not an entry's number", l.cursor)
		}
	}
	switch l.form {
	case "short", "full", "cat", "otlp":
	case "json":
		l.t.json = true
	default:
		return q, fmt.Errorf("-o %s: short, full, json, cat or otlp", l.form)
	}
	if q.Ago, l.f.Since, err = parseTime("--since", l.since); err != nil {
		return q, err
	}
	if q.AgoUntil, l.f.Until, err = parseTime("--until", l.until); err != nil {
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
	o := console.Look{Lang: l.t.lang(), Form: l.form, Zone: pos.CST}
	switch {
	case l.utc:
		o.Zone = time.UTC
	case os.Getenv("TZ") != "":
		o.Zone = time.Local
	}
	o.Color = isTerminal() && os.Getenv("NO_COLOR") == ""
	return o
}

func isTerminal() bool { return term.IsTerminal(int(os.Stdout.Fd())) }

// each gives the entries: of the device, or of a folder or file.
func (l *logFlags) each(ctx context.Context, q console.Request, fn func(journal.Entry) error) (empty string, err error) {
	if l.from == "" {
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
	if q.Ago > 0 || q.AgoUntil > 0 { // the clock that counts is the device's: its last entry
		now, err := lastWall(set)
		if err != nil {
			return "", failure{err}
		}
		if q.Ago > 0 {
			f.Since = now.Add(-q.Ago)
		}
		if q.AgoUntil > 0 {
			f.Until = now.Add(-q.AgoUntil)
		}
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
		Example: "  postool log -n 50\n  postool log -f -p warn\n  postool log --tx 123\n  postool log --code F-NET --since 2h\n  postool log -b -1 -o full\n" +
			"  postool log --from tuesday.swjx --grep timeout",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
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
				return t.entry(look, e)
			})
			if err != nil {
				return err
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
	cmd.Flags().BoolVar(&l.showCursor, "show-cursor", false, "print the number of the last entry, for --cursor")
	cmd.Flags().BoolVar(&l.noPager, "no-pager", false, "do not page on a terminal")
	cmd.AddCommand(t.story(), t.top(), t.boots(), t.stats(), t.verify(), t.export(), t.importLog(), t.logReport(), t.qr(), t.upload())
	return cmd
}

func (t *tool) entry(o console.Look, e journal.Entry) error {
	if t.json {
		raw, err := json.Marshal(e)
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
	cmd.Flags().BoolVar(&l.utc, "utc", false, "times in UTC")
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

// parseTime reads a length of time, which counts back from the device's own
// clock, or a time in the device's zone.
func parseTime(flag, s string) (ago time.Duration, at time.Time, err error) {
	if s == "" {
		return 0, time.Time{}, nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		if d <= 0 {
			return 0, time.Time{}, fmt.Errorf("%s %s: must be positive", flag, s)
		}
		return d, time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return 0, at, nil
	}
	for _, form := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(form, s, pos.CST); err == nil {
			return 0, at, nil
		}
	}
	return 0, time.Time{}, fmt.Errorf("%s %q: neither a length of time (2h, 90s) nor a time (2026-03-01 14:00)", flag, s)
}
