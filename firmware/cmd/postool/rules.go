package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/console"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
	"swipewell/ui/text"
)

// maxRules bounds a rule file that is read.
const maxRules = 48 << 10

func readRules(path string) (string, error) { return readText(path, maxRules) }

// fileRules is what a file makes: a whole set, or the build's with its changes.
func fileRules(path string) (*throttle.Rules, error) {
	if path == "default" {
		return throttle.Default(), nil
	}
	if slices.Contains(throttle.Profiles(), path) {
		r, err := throttle.Default().WithProfile(path)
		return r, wrapped(err)
	}
	s, err := readRules(path)
	if err != nil {
		return nil, err
	}
	f, err := throttle.Parse(path, s)
	if err != nil {
		return nil, failure{err}
	}
	if f.Sort != throttle.SortRules {
		r, err := throttle.Default().Apply(f, path)
		return r, wrapped(err)
	}
	r, err := throttle.Build(f)
	return r, wrapped(err)
}

func wrapped(err error) error {
	if err == nil {
		return nil
	}
	return failure{err}
}

func (t *tool) rules() *cobra.Command {
	c := &cobra.Command{Use: "rules", Short: "rule files: check, compare, try on the device's own past, sign, load; or show those in force",
		Example: "  postool rules check new.rules\n  postool rules diff default new.rules\n  postool rules dry-run --since 30d new.rules\n  postool rules load new.rules",
		Args:    cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return t.showRules(cmd, nil) }}
	c.AddCommand(t.rulesCheck(), t.rulesDiff(), t.rulesTry(), t.rulesLoad(), t.rulesShow(), t.rulesTexts(), rulesKey(), rulesSign())
	return c
}

func (t *tool) rulesCheck() *cobra.Command {
	var key string
	c := &cobra.Command{Use: "check FILE...", Short: "say what is wrong with a rule file, with line and column; exit 1 if anything is", Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, path := range args {
				s, err := readRules(path)
				if err != nil {
					return err
				}
				r, err := fileRules(path)
				if err != nil {
					return err
				}
				signed := "not signed"
				if key != "" {
					if signed, err = signedBy(s, key); err != nil {
						return failure{fmt.Errorf("%s: %w", path, err)}
					}
				}
				fmt.Fprintf(t.out, "%s: good, %d rules, version %d, %s\n", path, len(r.List), r.Version, signed)
			}
			return nil
		}}
	c.Flags().StringVar(&key, "key", "", "public key (base64, or a file with it): the signature must fit")
	return c
}

func (t *tool) rulesDiff() *cobra.Command {
	return &cobra.Command{Use: "diff OLD NEW", Short: "what NEW changes; OLD and NEW are files, \"default\", or a profile of the build", Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			a, err := fileRules(args[0])
			if err != nil {
				return err
			}
			b, err := fileRules(args[1])
			if err != nil {
				return err
			}
			for _, l := range throttle.Diff(a, b) {
				fmt.Fprintln(t.out, l)
			}
			return nil
		}}
}

func (t *tool) rulesTry() *cobra.Command {
	var since string
	c := &cobra.Command{Use: "dry-run FILE", Short: "what a file would have stopped in the device's own past, beside the rules in force; nothing is changed", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			days, err := parseDays(since)
			if err != nil {
				return err
			}
			s, err := readRules(args[0])
			if err != nil {
				return err
			}
			// A mistake is named with the file's own name, without asking the device.
			if _, err := fileRules(args[0]); err != nil {
				return err
			}
			return t.report(cmd, console.Request{Cmd: "rules-try", Text: s, N: days})
		}}
	c.Flags().StringVar(&since, "since", "30d", "how far back: 30d, 48h; \"all\" is all that the device remembers")
	return c
}

// parseDays reads 30d, 48h or all.
func parseDays(s string) (int, error) {
	if s == "all" {
		return 0, nil
	}
	var n int
	if _, err := fmt.Sscanf(s, "%dd", &n); err == nil && n > 0 && fmt.Sprintf("%dd", n) == s {
		return n, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return int((d + 24*time.Hour - 1) / (24 * time.Hour)), nil
	}
	return 0, fmt.Errorf("--since %q: 30d, 48h or all", s)
}

func (t *tool) report(cmd *cobra.Command, q console.Request) error {
	return t.ask(cmd.Context(), q, func(r console.Reply) error {
		var rep console.RulesReport
		if err := json.Unmarshal(r.Data, &rep); err != nil {
			return err
		}
		console.WriteReport(t.out, rep)
		return nil
	})
}

func (t *tool) rulesLoad() *cobra.Command {
	return &cobra.Command{Use: "load FILE", Short: "give the device a signed, newer set; it waits for a supervisor's word, the rules in force stay until then", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := readRules(args[0])
			if err != nil {
				return err
			}
			return t.report(cmd, console.Request{Cmd: "rules-load", Text: s})
		}}
}

func (t *tool) rulesShow() *cobra.Command {
	return &cobra.Command{Use: "show [ID]...", Short: "the rules in force as a file writes them, or some of them", RunE: t.showRules}
}

func (t *tool) showRules(cmd *cobra.Command, args []string) error {
	return t.ask(cmd.Context(), console.Request{Cmd: "rules"}, func(r console.Reply) error {
		var info console.RulesInfo
		if err := json.Unmarshal(r.Data, &info); err != nil {
			return err
		}
		if len(args) == 0 {
			for _, s := range [][2]string{{"profile", info.Profile}, {"key", info.KeyID}, {"waiting", info.Waiting}} {
				if s[1] != "" {
					fmt.Fprintf(t.out, "# %s: %s\n", s[0], s[1])
				}
			}
			fmt.Fprint(t.out, info.Text)
			return nil
		}
		for _, x := range info.Rules {
			id, _, _ := strings.Cut(strings.TrimPrefix(x, "rule "), " ")
			if slices.ContainsFunc(args, func(a string) bool { return strings.EqualFold(a, id) || strings.EqualFold(a, id[:min(3, len(id))]) }) {
				fmt.Fprint(t.out, "\n", x)
			}
		}
		return nil
	})
}

func (t *tool) rulesTexts() *cobra.Command {
	return &cobra.Command{Use: "texts", Short: "the texts that a rule file may name, with their codes and words", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			var names []string
			for n := range prompt.RuleTexts {
				names = append(names, n)
			}
			slices.Sort(names)
			for _, n := range names {
				c := prompt.RuleTexts[n]
				fmt.Fprintf(t.out, "%-16s %s  %s\n", n, c, text.Get(t.lang(), c).Title)
			}
			return nil
		}}
}

// rulesKey makes a pair of keys: the private one into a file that only its owner
// reads, the public one to the output, for [rules] keys of a board file.
func rulesKey() *cobra.Command {
	return &cobra.Command{Use: "keygen FILE", Short: "make a signing key: the private one into FILE, the public one to the output, for [rules] keys", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return newSigner(args[0], cmd.OutOrStdout())
		}}
}

func rulesSign() *cobra.Command {
	return signCommand("print FILE with its signature; a file with a mistake is not signed", func(path string) (string, error) {
		s, err := readRules(path)
		if err == nil {
			_, err = fileRules(path)
		}
		return s, err
	})
}

var errKey = errors.New("not an ed25519 public key in base64")

// publicKey is one, or the content of a file with one.
func publicKey(s string) (ed25519.PublicKey, error) {
	if b, err := os.ReadFile(s); err == nil {
		s = strings.TrimSpace(string(b))
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, failure{errKey}
	}
	return b, nil
}
