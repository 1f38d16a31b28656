package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"swipewell/firmware/console"
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
	"swipewell/ui/text"
)

// upload lets the device send a piece of its log to the acquirer's host.
func (t *tool) upload() *cobra.Command {
	var tx string
	var last int
	var state bool
	c := &cobra.Command{
		Use:   "upload",
		Short: "let the device send a piece of its log to the host, or tell how far it is",
		Long: "The piece is an excerpt that can be opened and proven like an export. It goes behind all that is of money, while nobody uses the device,\n" +
			"and only where the board file says that the host takes it ([log] upload).",
		Example: "  postool log upload --tx 123\n  postool log upload --last 500\n  postool log upload --state",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if tx != "" && cmd.Flags().Changed("last") || state && (tx != "" || cmd.Flags().Changed("last")) {
				return errors.New("one of --tx, --last and --state")
			}
			if last < 1 {
				return fmt.Errorf("--last %d: must be positive", last)
			}
			q := console.Request{Cmd: "log-upload", N: last}
			if tx != "" {
				q.N, q.Tx = 0, tx
				if n, err := strconv.ParseUint(tx, 10, 20); err == nil {
					q.Tx = pos.STAN(n).String()
				}
			}
			if state {
				q.N = 0
			}
			return t.ask(cmd.Context(), q, func(r console.Reply) error {
				var u console.LogUpload
				if err := json.Unmarshal(r.Data, &u); err != nil {
					return err
				}
				fmt.Fprintln(t.out, uploadLine(t.lang(), u))
				return nil
			})
		},
	}
	f := c.Flags()
	f.StringVar(&tx, "tx", "", "of one transaction, by its STAN or its id")
	f.IntVar(&last, "last", 200, "the last so many entries")
	f.BoolVar(&state, "state", false, "begin nothing, only tell")
	return c
}

func uploadLine(lang string, u console.LogUpload) string {
	switch {
	case u.Pieces > 0:
		m := text.Format(lang, prompt.UploadGoes, prompt.Args{N: u.Done, Seconds: u.Pieces})
		s := m.Title + "  " + m.Body + "  " + u.What
		if u.Tries > 0 {
			s += fmt.Sprintf("  (%d)", u.Tries)
		}
		return s
	case u.Said != "":
		return string(u.Said) + "  " + text.Format(lang, u.Said, prompt.Args{}).Title
	}
	return "-"
}
