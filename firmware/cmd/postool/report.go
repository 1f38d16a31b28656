package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"swipewell/firmware/journal"
	"swipewell/firmware/journal/report"
)

// collect counts what the flags choose.
func (l *logFlags) collect(cmd *cobra.Command) (*report.Report, error) {
	q, err := l.ready()
	if err != nil {
		return nil, err
	}
	r := &report.Report{Zone: l.look().Zone}
	empty, err := l.each(cmd.Context(), q, func(e journal.Entry) error { r.Add(e); return nil })
	if err == nil && empty != "" {
		return nil, failure{errors.New("no entries: " + empty)}
	}
	return r, err
}

func (t *tool) logReport() *cobra.Command {
	l := &logFlags{t: t}
	cmd := &cobra.Command{
		Use:     "report OUT.html",
		Short:   "pictures of the log as one file: stages, signal, declines, swipes and stops, reader errors, queue",
		Example: "  postool log report tuesday.html --since 24h\n  postool log report tuesday.html --from tuesday.swjx",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("log report: give a FILE for the pictures (log report tuesday.html), or log top --plot for the terminal")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := l.collect(cmd)
			if err != nil {
				return err
			}
			tmp := args[0] + "~"
			f, err := os.Create(tmp)
			if err != nil {
				return failure{err}
			}
			defer os.Remove(tmp)
			err = r.HTML(f, t.lang(), cmp.Or(filepath.Base(l.from), "."))
			if err = errors.Join(err, f.Close()); err == nil {
				err = os.Rename(tmp, args[0])
			}
			if err != nil {
				return failure{err}
			}
			fmt.Fprintf(t.out, "%s: %d entries, %s to %s\n", args[0], r.Entries, r.From.In(r.Zone).Format("2006-01-02 15:04"), r.To.In(r.Zone).Format("2006-01-02 15:04"))
			return nil
		},
	}
	l.add(cmd, 0)
	return cmd
}
