package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"swipewell/firmware/journal"
	"swipewell/firmware/tape"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

var errNoTape = errors.New("the log has no tape of this transaction: it is older than tapes, or the day had more than its share")

// errDiffers makes the exit status of a replay that found a difference.
var errDiffers = errors.New("now is not as it was then")

// replayTx runs a transaction of an export through the reducer, the rules and the
// diagnosis of this build.
func (t *tool) replayTx() *cobra.Command {
	l := &logFlags{t: t, form: "short"}
	rules := ""
	cmd := &cobra.Command{
		Use:   "replay EXPORT --tx ID",
		Short: "run a transaction of a log again, here: the first difference between then and now; exit 1 if there is one",
		Long: "Gives the events of a transaction, as the device had them, to the reducer, the rules and the diagnosis of this build, and compares each\n" +
			"step with what the device did. EXPORT is an export or a folder of a log. Without --rules the build's are asked, with the profile of the\n" +
			"device if it had one.",
		Example: "  postool replay tuesday.swjx --tx 123\n  postool replay tuesday.swjx --tx 123 --rules mine.rules",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l.from, l.code = args[0], string(prompt.LogTape)
			q, err := l.ready()
			if err != nil {
				return err
			}
			n, differs, now := 0, false, ""
			var x *tape.Player
			_, err = l.each(cmd.Context(), q, func(e journal.Entry) error {
				n++
				if x == nil {
					set, err := rulesFor(e, rules)
					if err != nil {
						return err
					}
					x = tape.NewPlayer(set, journal.Sieve)
					now = tape.RulesName(set)
				}
				r, err := t.again(e, x, now)
				if errors.Is(err, tape.ErrGap) {
					fmt.Fprintf(t.out, "%s  entry %d  %v\n", e.Wall.Format("2006-01-02 15:04:05"), e.Seq, err)
					return nil
				}
				if err != nil {
					return err
				}
				differs = differs || r.First != nil
				return nil
			})
			switch {
			case err != nil:
				return wrapped(err)
			case n == 0:
				return failure{errNoTape}
			case differs:
				return failure{errDiffers}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&l.f.Tx, "tx", "", "the transaction, by its STAN or its id")
	cmd.Flags().StringVar(&rules, "rules", "", "a rule file, a profile, or default")
	cmd.MarkFlagRequired("tx")
	return cmd
}

// rulesFor are the rules to ask: those that were named, or the build's with the profile
// that the device had.
func rulesFor(e journal.Entry, path string) (*throttle.Rules, error) {
	if path == "" {
		of, err := tape.RulesOf(journal.TapeOf(e))
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(throttle.Profiles(), func(p string) bool { return strings.Contains(of, p) }); i >= 0 {
			path = throttle.Profiles()[i]
		}
	}
	if path == "" {
		return throttle.Default(), nil
	}
	return fileRules(path)
}

// again runs one part and prints what came of it; now names the rules that are asked.
func (t *tool) again(e journal.Entry, x *tape.Player, now string) (res tape.Result, err error) {
	if res, err = x.Run(journal.TapeOf(e)); err != nil {
		return res, err
	}
	if t.json {
		return res, json.NewEncoder(t.out).Encode(res)
	}
	fmt.Fprintf(t.out, "%s  entry %d  %s  %d steps  made by %s", e.Wall.Format("2006-01-02 15:04:05"), e.Seq, e.Tx, res.Steps, res.Build)
	switch {
	case res.Rules == "":
		fmt.Fprint(t.out, "  without rules")
	case res.Rules != now:
		fmt.Fprintf(t.out, "  rules then: %s, now: %s", res.Rules, now)
	default:
		fmt.Fprintf(t.out, "  rules %s", now)
	}
	fmt.Fprintln(t.out)
	if res.Cut > 0 {
		fmt.Fprintf(t.out, "  %d older events of the desk are not on the tape: a rule that counts further back may say less\n", res.Cut)
	}
	if res.Lost > 0 {
		fmt.Fprintf(t.out, "  %d later steps did not fit on the tape\n", res.Lost)
	}
	d := res.First
	if res.Steps == 0 {
		fmt.Fprintln(t.out, "  not run: it goes on behind the difference")
		return res, nil
	}
	if d == nil {
		fmt.Fprintln(t.out, "  now as then")
		return res, nil
	}
	fmt.Fprintf(t.out, "  first difference: step %d, %s\n", d.Step, d.Event)
	for _, x := range d.Lines {
		fmt.Fprintf(t.out, "    %-34s then %s\n    %-34s now  %s\n", x.What, shown(x.Then), "", shown(x.Now))
	}
	return res, nil
}

// shown is a value of a line; nothing is shown as a dash.
func shown(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
