package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/console"
	"swipewell/firmware/journal"
	"swipewell/firmware/journal/export"
	"swipewell/firmware/journal/query"
	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/verify"
)

// openLog opens a folder of a log, or an export.
func openLog(path string) (query.Set, error) {
	if !export.Is(path) {
		if st, err := os.Stat(path); err != nil {
			return nil, err
		} else if !st.IsDir() {
			return nil, fmt.Errorf("%s: %w", path, export.ErrForeign)
		}
		return journal.Folder(path)
	}
	a, err := readExport(path)
	if err != nil {
		return nil, err
	}
	return a.Set()
}

func readExport(path string) (*export.Archive, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	a, err := export.Read(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

func (t *tool) boots() *cobra.Command {
	l := &logFlags{t: t}
	cmd := &cobra.Command{
		Use: "boots", Short: "the starts of the program of which the log has entries", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return l.boots(cmd) },
	}
	cmd.Flags().StringVar(&l.from, "from", "", "a folder or an export of a log, instead of the device")
	l.addZone(cmd)
	return cmd
}

func (l *logFlags) boots(cmd *cobra.Command) error {
	t := l.t
	zone, err := zoneHere(l.utc)
	if err != nil {
		return err
	}
	var bs []query.Boot
	if l.from == "" {
		err := t.ask(cmd.Context(), console.Request{Cmd: "log-boots"}, func(r console.Reply) error {
			var b query.Boot
			err := json.Unmarshal(r.Data, &b)
			bs = append(bs, b)
			return err
		})
		if err != nil || t.json {
			return err
		}
	} else {
		set, err := openLog(l.from)
		if err != nil {
			return failure{err}
		}
		bs = set.Boots()
	}
	console.WriteBoots(t.out, bs, zone)
	return nil
}

func (t *tool) stats() *cobra.Command {
	l := &logFlags{t: t}
	cmd := &cobra.Command{
		Use: "stats", Short: "what the log holds, and what it writes to the flash", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if l.from != "" {
				return errors.New("log stats --from: what is written to a flash only its device knows; of an export, log import FILE and log boots --from FILE tell what it holds")
			}
			zone, err := zoneHere(l.utc)
			if err != nil {
				return err
			}
			return t.ask(cmd.Context(), console.Request{Cmd: "log-stats"}, func(r console.Reply) error {
				var st journal.Stats
				if err := json.Unmarshal(r.Data, &st); err != nil {
					return err
				}
				console.WriteLogStats(t.out, t.lang(), st, zone)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&l.from, "from", "", "not for this: it says what tells it of an export")
	l.addZone(cmd)
	return cmd
}

// errNotWhole makes the exit status of a check that found something.
var errNotWhole = errors.New("the log is not whole")

// checked prints one stream's check.
func (t *tool) checked(bad *bool) func(console.StreamReport) error {
	return func(r console.StreamReport) error {
		*bad = *bad || !r.Whole()
		if t.json {
			return json.NewEncoder(t.out).Encode(r)
		}
		console.WriteVerify(t.out, t.lang(), r)
		return nil
	}
}

func (t *tool) verify() *cobra.Command {
	var from, root string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "check that nobody edited the log; exit 1 if it is not whole",
		Long: "Checks the chain of entries and the signatures over it, and names the first entry that may be wrong. The device also has the word of its\n" +
			"store and of its key, so that an end that was cut off is found. Of an export or a folder, --root is the key that was noted when the\n" +
			"device was put into service (postool log verify prints it with --json): without it the journal is checked against what it claims itself.",
		Example: "  postool log verify\n  postool log verify --from tuesday.swjx --root 5f0c…",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bad := false
			if from == "" {
				err := t.items(cmd.Context(), console.Request{Cmd: "log-verify"}, func(r console.Reply) error {
					var v console.StreamReport
					if err := json.Unmarshal(r.Data, &v); err != nil {
						return err
					}
					return t.checked(&bad)(v)
				})
				if err != nil {
					return err
				}
			} else if err := t.verifyFile(from, root, &bad); err != nil {
				return err
			}
			if bad {
				return failure{errNotWhole}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "a folder or an export of a log, instead of the device")
	cmd.Flags().StringVar(&root, "root", "", "the root keys that are known, in hex, by stream: info=5f…,warn=a1…")
	return cmd
}

func (t *tool) verifyFile(from, root string, bad *bool) error {
	roots, err := parseRoots(root)
	if err != nil {
		return err
	}
	rs := map[string]verify.Report{}
	run := func(stream string, src verify.Source) error {
		src.Root = roots[stream]
		r, err := verify.Run(src)
		rs[stream] = r
		return err
	}
	if export.Is(from) {
		a, err := readExport(from)
		if err != nil {
			return failure{err}
		}
		if !a.Whole {
			*bad = true
			fmt.Fprintf(t.out, "%s was cut or changed after it was made: %v\n", filepath.Base(from), a.Damage)
		}
		for _, s := range a.Streams() {
			if err := run(s, a.Source(s, seal.Public{})); err != nil {
				return failure{err}
			}
		}
	} else {
		for _, s := range journal.StreamNames {
			src, err := verify.Folder(filepath.Join(from, s))
			if err == nil {
				err = run(s, src)
			}
			if err != nil {
				return failure{err}
			}
		}
	}
	return console.Reports(rs, t.checked(bad))
}

// parseRoots reads info=HEX,warn=HEX.
func parseRoots(s string) (map[string]seal.Public, error) {
	out := map[string]seal.Public{}
	for part := range strings.SplitSeq(s, ",") {
		if s == "" {
			break
		}
		name, key, ok := strings.Cut(part, "=")
		b, err := hex.DecodeString(key)
		var k seal.Public
		if !ok || err != nil || len(b) != len(k) {
			return nil, fmt.Errorf("--root %s: want info=HEX,warn=HEX, 64 digits each", s)
		}
		copy(k[:], b)
		out[name] = k
	}
	return out, nil
}

func (t *tool) manifest(name string, n int64, a *export.Archive) error {
	if t.json {
		return json.NewEncoder(t.out).Encode(a.Manifest)
	}
	m := a.Manifest
	fmt.Fprintf(t.out, "%s  %d kB  %s  %s  %s\n", filepath.Base(name), (n+1023)>>10, m.Terminal, m.Build, m.Made.Format(time.RFC3339))
	for _, s := range a.Streams() {
		fmt.Fprintf(t.out, "  %-5s root %s\n", s, m.Roots[s])
	}
	return nil
}

func (t *tool) importLog() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE [DIR]",
		Short: "open an export: check it, and with DIR lay its files there",
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := readExport(args[0])
			if err != nil {
				return failure{err}
			}
			st, err := os.Stat(args[0])
			if err != nil {
				return failure{err}
			}
			if err := t.manifest(args[0], st.Size(), a); err != nil {
				return err
			}
			if len(args) == 2 {
				if err := a.Extract(args[1]); err != nil {
					return failure{err}
				}
			}
			bad := false
			if err := t.verifyFile(args[0], "", &bad); err != nil {
				return err
			}
			if bad {
				return failure{errNotWhole}
			}
			return nil
		},
	}
}
