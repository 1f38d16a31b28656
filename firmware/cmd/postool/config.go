package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"swipewell/firmware/console"
	"swipewell/firmware/parameter"
)

func (t *tool) config() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "the parameters that a signed file may change in the field: show, compare, set, sign",
		Long: "A parameter file sets what stands on slips, whom to call, the host's addresses and how long the device waits. It is signed by a key of\n" +
			"[[parameters.key]] of the board file, and taken only if it is newer; what it leaves out is the board file's again.",
		Example: "  postool config get > have.toml\n  postool config diff new.toml\n  postool config sign --key acquirer.key new.toml > new.signed.toml\n  postool config set new.signed.toml",
		Args:    cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(t.configGet(), t.configDiff(), t.configSet(), configSign(), configCheck(t))
	return c
}

func (t *tool) configGet() *cobra.Command {
	var file bool
	c := &cobra.Command{
		Use: "get [NAME]...", Short: "the parameters in force, and where each comes from; --file as a file to edit",
		Example: "  postool config get\n  postool config get acquirer.hosts\n  postool config get --file > next.toml",
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.ask(cmd.Context(), console.Request{Cmd: "config"}, func(r console.Reply) error {
				var c console.Config
				if err := json.Unmarshal(r.Data, &c); err != nil {
					return err
				}
				switch {
				case file:
					writeParams(t.out, c)
				case len(args) > 0:
					for _, name := range args {
						found := false
						for _, p := range c.Params {
							if p.Name == name {
								found = true
								fmt.Fprintln(t.out, p.Value)
							}
						}
						if !found {
							return fmt.Errorf("no parameter %q", name)
						}
					}
				default:
					console.WriteConfig(t.out, t.lang(), c)
				}
				return nil
			})
		},
	}
	c.Flags().BoolVar(&file, "file", false, "as a parameter file with the next version, to be edited and signed")
	return c
}

// writeParams prints the parameters in force as the file that would set them.
func writeParams(w io.Writer, c console.Config) {
	fmt.Fprintf(w, "version = %d\n", max(c.Version, c.Waiting)+1)
	section := ""
	for _, p := range c.Params {
		s, name, _ := strings.Cut(p.Name, ".")
		if p.Value == "" {
			continue
		}
		if s != section {
			section = s
			fmt.Fprintf(w, "\n[%s]\n", s)
		}
		if p.Name == "acquirer.hosts" {
			fmt.Fprintf(w, "hosts = [%s]\n", quoted(strings.Fields(p.Value)))
			continue
		}
		fmt.Fprintf(w, "%s = %q\n", name, p.Value)
	}
}

func quoted(list []string) string {
	var q []string
	for _, s := range list {
		q = append(q, fmt.Sprintf("%q", s))
	}
	return strings.Join(q, ", ")
}

// sendParams gives a file to the device, which says what it changes.
func (t *tool) sendParams(cmd *cobra.Command, request, path string) (r console.ConfigReport, err error) {
	text, _, err := goodParams(path) // a mistake is told with the file at hand, without asking the device
	if err != nil {
		return r, err
	}
	err = t.ask(cmd.Context(), console.Request{Cmd: request, Text: text}, func(x console.Reply) error {
		if err := json.Unmarshal(x.Data, &r); err != nil {
			return err
		}
		console.WriteConfigReport(t.out, t.lang(), r)
		return nil
	})
	return r, err
}

func (t *tool) configDiff() *cobra.Command {
	return &cobra.Command{Use: "diff FILE", Short: "what a file, signed or not, would change on the device; nothing is changed", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := t.sendParams(cmd, "config-diff", args[0])
			return err
		}}
}

func (t *tool) configSet() *cobra.Command {
	return &cobra.Command{Use: "set FILE", Short: "give the device a signed, newer file; it counts at once if nothing is under way, else from the next start on", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := t.sendParams(cmd, "config-set", args[0])
			return err
		}}
}

func configCheck(t *tool) *cobra.Command {
	var key string
	c := &cobra.Command{Use: "check FILE", Short: "say what is wrong with a parameter file, without a device; exit 1 if anything is", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			text, p, err := goodParams(args[0])
			if err != nil {
				return err
			}
			signed := "not checked"
			if key != "" {
				if signed, err = signedBy(text, key); err != nil {
					return failure{fmt.Errorf("%s: %w", args[0], err)}
				}
			}
			fmt.Fprintf(t.out, "%s: good, version %d, signature: %s\n", args[0], p.Version, signed)
			return nil
		}}
	c.Flags().StringVar(&key, "key", "", "public key (base64, or a file with it): the signature must fit")
	return c
}

// goodParams is a parameter file without a mistake.
func goodParams(path string) (text string, p *parameter.File, err error) {
	if text, err = readText(path, parameter.MaxFile); err != nil {
		return "", p, err
	}
	if p, err = parameter.Parse(text); err != nil {
		return "", p, failure{fmt.Errorf("%s: %w", path, err)}
	}
	return text, p, nil
}

func configSign() *cobra.Command {
	return signCommand("print FILE with its signature; a file with a mistake is not signed", func(path string) (string, error) {
		text, _, err := goodParams(path)
		return text, err
	})
}
