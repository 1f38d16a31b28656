package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"swipewell/firmware/console"
)

// selfcheck has the device look at itself. Exit 1: something failed, or with
// --strict wants attention.
func (t *tool) selfcheck() *cobra.Command {
	var echo, strict bool
	c := &cobra.Command{
		Use:   "selfcheck",
		Short: "let the device look at each of its parts, its store, keys, log and line; exit 1 if one fails",
		Long: "Each part of the board, the store, the log's seals, keys by their check values, clock, room on flash, line and signal: ok, warn or FAIL,\n" +
			"with a code and what to do. No money moves. With --echo the host is asked for a sign of life as well.",
		Example: "  postool selfcheck\n  postool selfcheck --echo --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := console.Request{Cmd: "selfcheck"}
			if echo {
				q.Name = "echo"
			}
			var r console.SelfCheck
			err := t.items(cmd.Context(), q, func(x console.Reply) error {
				if t.json {
					fmt.Fprintf(t.out, "%s\n", x.Data)
				}
				return json.Unmarshal(x.Data, &r)
			})
			if err != nil {
				return err
			}
			if !t.json {
				console.WriteSelfcheck(t.out, t.lang(), r)
			}
			return judged(r, strict)
		},
	}
	c.Flags().BoolVar(&echo, "echo", false, "ask the host for a sign of life, too")
	c.Flags().BoolVar(&strict, "strict", false, "exit 1 also if something wants attention")
	return c
}

// judged is the exit status that a self-check comes to.
func judged(r console.SelfCheck, strict bool) error {
	switch fails, warns := r.Count(console.Fail), r.Count(console.Warn); {
	case len(r.Items) == 0:
		return failure{errors.New("the device looked at nothing")}
	case fails > 0:
		return failure{fmt.Errorf("%d of %d failed", fails, len(r.Items)-r.Count(console.Absent))}
	case strict && warns > 0:
		return failure{fmt.Errorf("%d want attention", warns)}
	}
	return nil
}
