package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/console"
	"swipewell/firmware/pos"
	"swipewell/firmware/recovery"
	"swipewell/firmware/role/challenge"
)

// writeKey makes a file that only its owner reads, and only if there is none.
func writeKey(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return failure{err}
	}
	_, err = fmt.Fprintln(f, text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return wrapped(err)
}

// newSigner makes a pair for rules or for the cable: the seed goes into a file.
func newSigner(path string, out io.Writer) error {
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		return failure{err}
	}
	err = writeKey(path, base64.StdEncoding.EncodeToString(priv.Seed()))
	clear(priv)
	if err == nil {
		fmt.Fprintln(out, base64.StdEncoding.EncodeToString(pub))
	}
	return err
}

// signer reads the private half; the caller clears it.
func signer(path string) (ed25519.PrivateKey, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, failure{err}
	}
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(b)))
	clear(b)
	defer clear(seed)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, failure{fmt.Errorf("%s: not a key that postool keygen made", path)}
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// keygen makes a person's key for the service cable.
func keygen() *cobra.Command {
	return &cobra.Command{Use: "keygen FILE", Short: "make your key for the service cable: the private half into FILE, the public one to the output, for [[service.key]]", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return newSigner(args[0], cmd.OutOrStdout()) }}
}

var challengeText = regexp.MustCompile(`SWC1\.[A-Za-z0-9_\-\s]+`)

// answer signs a device's challenge, and says first what it is.
func answer() *cobra.Command {
	var key string
	c := &cobra.Command{Use: "answer --key KEYFILE [CHALLENGE | FILE]", Short: "answer a device's challenge: the line goes to the output, and what you sign to the error output",
		Long:    "Answer the challenge that the console of a device shows at login. It is read from the argument, from a file with the\nconsole's text in it, or from the input. Look at what is signed: the device, the role, until when.",
		Example: "  postool answer --key my.key SWC1.CDIw…", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text := ""
			switch {
			case len(args) == 0:
				b, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), 64<<10))
				if err != nil {
					return failure{err}
				}
				text = string(b)
			case strings.HasPrefix(args[0], "SWC1."):
				text = args[0]
			default:
				b, err := os.ReadFile(args[0])
				if err != nil {
					return failure{err}
				}
				text = string(b)
			}
			// A console puts its own line behind the challenge.
			text = strings.TrimSpace(challengeText.FindString(text))
			line, _, _ := strings.Cut(text, "\n")
			c, err := challenge.Parse(line)
			if err != nil {
				if c, err = challenge.Parse(text); err != nil {
					return failure{err}
				}
				line = text
			}
			priv, err := signer(key)
			if err != nil {
				return err
			}
			defer clear(priv)
			out, err := challenge.Sign(line, priv)
			if err != nil {
				return failure{err}
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "device %s, role %s, asked at %s, good for %v\n", c.Serial, c.Role, c.From.In(pos.CST).Format(time.DateTime), c.Window)
			fmt.Fprintln(cmd.OutOrStdout(), out)
			return nil
		}}
	c.Flags().StringVar(&key, "key", "", "file that keygen made")
	c.MarkFlagRequired("key")
	return c
}

func (t *tool) recovery() *cobra.Command {
	c := &cobra.Command{Use: "recovery", Short: "what of money is open on a device, sealed to the acquirer: export it, or open an export on the acquirer's desk",
		Example: "  postool recovery export 20260001.recovery\n  postool recovery open --key recovery.key 20260001.recovery", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.AddCommand(t.recoveryExport(), t.recoveryOpen(), recoveryKey())
	return c
}

func recoveryKey() *cobra.Command {
	return &cobra.Command{Use: "keygen FILE", Short: "make an acquirer's recovery key: the private half into FILE, the public one to the output, for [keystore] recovery", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			priv, pub, err := recovery.NewKey()
			if err != nil {
				return failure{err}
			}
			if err := writeKey(args[0], priv); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), pub)
			return nil
		}}
}

func (t *tool) recoveryExport() *cobra.Command {
	return &cobra.Command{Use: "export FILE", Short: "write what of money is open on the device into FILE; it works after tamper, too", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var h recovery.Head
			var items []recovery.Item
			err := t.ask(cmd.Context(), console.Request{Cmd: "recovery"}, func(r console.Reply) error {
				if r.Kind == "recovery-head" {
					return json.Unmarshal(r.Data, &h)
				}
				var it recovery.Item
				err := json.Unmarshal(r.Data, &it)
				items = append(items, it)
				return err
			})
			if err != nil {
				return err
			}
			f, err := os.OpenFile(args[0], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err != nil {
				return failure{err}
			}
			err = recovery.Write(f, h, items)
			if cerr := f.Close(); err == nil {
				err = cerr
			}
			if err != nil {
				return failure{err}
			}
			bare := 0
			for _, it := range items {
				if len(it.Sealed) == 0 {
					bare++
				}
			}
			fmt.Fprintf(t.out, "%s: %d records", args[0], len(items))
			if bare > 0 {
				fmt.Fprintf(t.out, ", %d of them without an image", bare)
			}
			fmt.Fprintln(t.out)
			return nil
		}}
}

// opened is one line of what open prints.
type opened struct {
	Class    pos.Class      `json:"class"`
	Terminal pos.TerminalID `json:"terminal"`
	Batch    pos.BatchNo    `json:"batch"`
	STAN     pos.STAN       `json:"stan"`
	Kind     pos.TxnKind    `json:"kind"`
	Amount   pos.Amount     `json:"amount"`
	Card     string         `json:"card"`
	Expiry   string         `json:"expiry,omitempty"`
	At       string         `json:"at"`
	Error    string         `json:"error,omitempty"`
}

func (t *tool) recoveryOpen() *cobra.Command {
	var key string
	var clear bool
	c := &cobra.Command{Use: "open --key KEYFILE FILE", Short: "open an export; card numbers are masked unless --pan is given; exit 1 if an image does not open", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := os.ReadFile(key)
			if err != nil {
				return failure{err}
			}
			priv, err := recovery.ParsePrivate(string(b))
			if err != nil {
				return failure{fmt.Errorf("%s: %w", key, err)}
			}
			f, err := os.Open(args[0])
			if err != nil {
				return failure{err}
			}
			defer f.Close()
			h, items, err := recovery.Read(f)
			if err != nil {
				return failure{fmt.Errorf("%s: %w", args[0], err)}
			}
			bad := 0
			w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
			for _, it := range items {
				o := opened{Class: it.Class, Terminal: h.Terminal, Batch: it.Batch, STAN: it.STAN, Kind: it.Kind, Amount: pos.Fen(it.Amount), Card: string(it.Masked)}
				im, err := priv.OpenItem(it)
				switch {
				case err != nil:
					bad, o.Error = bad+1, err.Error()
				default:
					// The sealed image is what counts, not the line beside it.
					o.Kind, o.Amount, o.At = im.Record.Kind, im.Record.Amount, im.Record.At.WallTime(pos.CST).Format(time.DateTime)
					if clear {
						im.PAN.Reveal(func(d []byte) { o.Card = string(d) })
						o.Expiry = im.Expiry.Reveal()
					}
				}
				if t.json {
					if err := json.NewEncoder(t.out).Encode(o); err != nil {
						return failure{err}
					}
					continue
				}
				fmt.Fprintf(w, "%v\t%v\t%v\t%v\t%v\t%v\t%s\t%s\t%s\t%s\n", o.Class, o.Terminal, o.Batch, o.STAN, o.Kind, o.Amount, o.Card, o.Expiry, o.At, o.Error)
			}
			w.Flush()
			if bad > 0 {
				return failure{fmt.Errorf("%d of %d images do not open", bad, len(items))}
			}
			return nil
		}}
	c.Flags().StringVar(&key, "key", "", "file that recovery keygen made")
	c.Flags().BoolVar(&clear, "pan", false, "print card numbers in full: on the acquirer's desk only")
	c.MarkFlagRequired("key")
	return c
}
