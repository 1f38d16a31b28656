package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"swipewell/firmware/console"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/role"
)

// tool is what the flags say.
type tool struct {
	out    io.Writer
	socket string
	json   bool
	zh     bool
	serial struct {
		port, key, who string
		baud           int
		c              *console.Cable // once somebody has logged in
		done           func()
	}
}

func (t *tool) lang() string {
	if t.zh {
		return "zh"
	}
	return "en"
}

// defaultSocket: the data directory of SWIPEWELL_DATA, or the one that make run uses.
func defaultSocket() string {
	dir := os.Getenv("SWIPEWELL_DATA")
	if dir == "" {
		dir = "data"
	}
	return filepath.Join(dir, "posd.sock")
}

func newRoot(t *tool) *cobra.Command {
	root := &cobra.Command{
		Use:           "postool",
		Short:         "ask a running posd how it is",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(t.selfcheck(), t.survey(), t.config(), t.provision())
	f := root.PersistentFlags()
	f.StringVar(&t.socket, "socket", defaultSocket(), "posd's service socket")
	f.BoolVar(&t.json, "json", false, "print JSON, one object a line")
	f.BoolVar(&t.zh, "zh", false, "print Chinese")
	f.StringVar(&t.serial.port, "serial", "", "ask over the service cable instead of the socket: /dev/ttyUSB0")
	f.IntVar(&t.serial.baud, "baud", 115200, "the cable's rate")
	f.StringVar(&t.serial.key, "key", "", "your key for the service cable, made by postool keygen")
	f.StringVar(&t.serial.who, "as", string(console.Engineer), "the role of the key")
	root.AddCommand(t.status(), t.queue(), t.batch(), t.tx(), t.log(), t.check(), t.page(), t.why(), t.rules(), t.emv(), t.card(), t.tables(), t.bundles(), t.flash(), t.alerts(), t.limits(), t.seals(), t.recovery(), answer(), keygen(), pin(), t.replayTx(), t.stats())
	return root
}

// ask sends one request; a client for each keeps them independent.
func (t *tool) ask(ctx context.Context, q console.Request, fn func(console.Reply) error) error {
	if t.json {
		fn = func(r console.Reply) error {
			_, err := fmt.Fprintf(t.out, "%s\n", r.Data)
			return err
		}
	}
	return t.items(ctx, q, fn)
}

// items sends one request and gives each item to fn, whatever is to be printed.
func (t *tool) items(ctx context.Context, q console.Request, fn func(console.Reply) error) error {
	if t.serial.port != "" {
		return t.overCable(ctx, q, fn)
	}
	c, err := console.Dial(ctx, t.socket)
	if err != nil {
		return err
	}
	defer c.Close()
	err = c.Do(ctx, q, fn)
	var away *console.Unreachable
	if err != nil && !errors.As(err, &away) {
		return failure{err}
	}
	return err
}

func (t *tool) status() *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "terminal, sign-on, batch, open reversals, last sale, links, store, version",
		Example: "  postool status\n  postool status --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.ask(cmd.Context(), console.Request{Cmd: "status"}, func(r console.Reply) error {
				var s console.Status
				if err := json.Unmarshal(r.Data, &s); err != nil {
					return err
				}
				console.WriteStatus(t.out, t.lang(), s)
				return nil
			})
		},
	}
}

func (t *tool) queue() *cobra.Command {
	return &cobra.Command{
		Use:   "queue",
		Short: "the outbox: what waits to be sent, what the host refused, what a person must settle",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var rs []pos.Record
			err := t.ask(cmd.Context(), console.Request{Cmd: "queue"}, func(r console.Reply) error {
				var v pos.Record
				err := json.Unmarshal(r.Data, &v)
				rs = append(rs, v)
				return err
			})
			if err != nil || t.json {
				return err
			}
			var now time.Duration
			err = t.ask(cmd.Context(), console.Request{Cmd: "status"}, func(r console.Reply) error {
				var s console.Status
				err := json.Unmarshal(r.Data, &s)
				now = s.Time.Logical
				return err
			})
			if err != nil {
				return err
			}
			console.WriteQueue(t.out, t.lang(), rs, now)
			return nil
		},
	}
}

func (t *tool) batch() *cobra.Command {
	return &cobra.Command{
		Use:   "batch",
		Short: "rows of the open batch",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var rows []pos.Sale
			err := t.ask(cmd.Context(), console.Request{Cmd: "batch"}, func(r console.Reply) error {
				var v pos.Sale
				err := json.Unmarshal(r.Data, &v)
				rows = append(rows, v)
				return err
			})
			if err == nil && !t.json {
				console.WriteBatch(t.out, t.lang(), rows)
			}
			return err
		},
	}
}

func (t *tool) tx() *cobra.Command {
	return &cobra.Command{
		Use:     "tx STAN",
		Short:   "all that the device knows of one transaction",
		Example: "  postool tx 123",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.ask(cmd.Context(), console.Request{Cmd: "tx", Tx: args[0]}, t.print)
		},
	}
}

// print prints an item by its kind.
func (t *tool) print(r console.Reply) (err error) {
	switch r.Kind {
	case "sale":
		var v pos.Sale
		err = json.Unmarshal(r.Data, &v)
		console.WriteItem(t.out, t.lang(), v)
	case "reversal":
		var v pos.Record
		err = json.Unmarshal(r.Data, &v)
		console.WriteItem(t.out, t.lang(), v)
	case "entry":
		var v journal.Entry
		err = json.Unmarshal(r.Data, &v)
		console.WriteItem(t.out, t.lang(), v)
	}
	return err
}

func (t *tool) check() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "let posd examine its store; exit 1 if it is not whole",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := t.ask(cmd.Context(), console.Request{Cmd: "check"}, func(console.Reply) error { return nil })
			if err == nil {
				console.WriteCheck(t.out, t.lang(), t.json)
			}
			return err
		},
	}
}

// pin makes the hash of a role's PIN for a board file. The PIN is asked for
// without an echo, or read from a pipe; it is never an argument.
func pin() *cobra.Command {
	return &cobra.Command{
		Use:   "pin",
		Short: "the argon2id hash of a PIN, for [[operator]] of a board file",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var digits []byte
			var err error
			if fd := int(os.Stdin.Fd()); term.IsTerminal(fd) {
				fmt.Fprint(os.Stderr, "PIN: ")
				digits, err = term.ReadPassword(fd)
				fmt.Fprintln(os.Stderr)
			} else {
				digits, err = io.ReadAll(io.LimitReader(os.Stdin, 64))
			}
			if err != nil {
				return err
			}
			defer clear(digits)
			hash, err := role.Hash(strings.TrimSpace(string(digits)))
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), hash)
			return nil
		},
	}
}
