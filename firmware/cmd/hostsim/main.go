// Command hostsim is an acquirer to test terminals against: accounts, limits,
// keys and books on a loopback port, driven by commands on its input, with one
// JSON line on its output for all it sees and books. Card numbers are masked.
//
// Sources:
//   - HOST: firmware/doc/wire.md, the UnionPay dialect
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"

	"swipewell/firmware/pos"
	"swipewell/firmware/sim/acquirer"
	"swipewell/hal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	cmd := command()
	cmd.SetIn(os.Stdin)
	cmd.SetOut(os.Stdout)
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "hostsim:", err)
		os.Exit(1)
	}
}

type flags struct {
	listen, tmk, tid, mid, books, cards, mac, uploads string
	anyAddress, doubleMAK                             bool
}

func command() *cobra.Command {
	var f flags
	c := &cobra.Command{
		Use:   "hostsim --listen 127.0.0.1:PORT",
		Short: "An acquirer to test terminals against",
		Long: `hostsim is an acquirer to test terminals against. It is for test cards only.

It prints one JSON line for each thing it sees, answers, books or finds wrong;
the first is {"what":"listen","addr":"127.0.0.1:PORT"}. On its input it takes
one command a line, the words that follow "host" in a script of posbench, and
prints {"what":"reply","ok":true|false,"text":"…"} for each:

` + indent(acquirer.Usage) + `

--cards names a file of TOML with one table for each test card:

    [cards.cup-rich]
    balance = "1000000.00"
    service = "101"

The end of its input does not end it; SIGTERM does. Then it exits with 1 if a message was not
as a right terminal's on a right line: see findings, of which frame, totals, repeated
advices and benign ones do not count.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(c *cobra.Command, _ []string) error { return run(c.Context(), f, c.InOrStdin(), c.OutOrStdout()) },
	}
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:0", "address to listen on; port 0 is one of the system's choice")
	c.Flags().BoolVar(&f.anyAddress, "any-address", false, "allow an address that other machines can reach")
	c.Flags().StringVar(&f.tmk, "tmk", acquirer.BenchTMK, "master key of the terminal, hex; the default is published and protects nothing")
	c.Flags().StringVar(&f.tid, "tid", acquirer.BenchTID, "terminal id, 8 characters")
	c.Flags().StringVar(&f.mid, "mid", acquirer.BenchMID, "merchant id, 15 characters")
	c.Flags().StringVar(&f.books, "books", "", "file of JSON lines that keeps the books; none: they live in memory")
	c.Flags().StringVar(&f.cards, "cards", "", "file of TOML with test cards, beside those there are")
	c.Flags().StringVar(&f.uploads, "save-uploads", "", "folder for the logs that terminals send, a file each (postool log import)")
	c.Flags().StringVar(&f.mac, "mac", "ecb", "MAC algorithm: ecb, x9.9, x9.19, 3des-cbc")
	c.Flags().BoolVar(&f.doubleMAK, "double-mak", false, "sign-on gives a MAC key of double length")
	return c
}

func indent(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }

// output writes JSON lines from any goroutine.
type output struct {
	mu  sync.Mutex
	enc *json.Encoder
}

func (o *output) print(v any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.enc.Encode(v) // a reader that went away does not stop a host
}

// reply answers a command.
type reply struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Text string `json:"text,omitempty"`
	Addr string `json:"addr,omitempty"`
}

// run serves until ctx ends.
func run(ctx context.Context, f flags, in io.Reader, w io.Writer) error {
	if err := mayListen(f.listen, f.anyAddress); err != nil {
		return err
	}
	cards, err := readCards(f.cards)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", f.listen)
	if err != nil {
		return err
	}
	out := &output{enc: json.NewEncoder(w)}
	h, err := acquirer.New(acquirer.Opts{
		Clock: hal.SystemClock{}, Listener: ln, Rand: rand.Reader, MAC: f.mac, DoubleMAK: f.doubleMAK, BooksFile: f.books, SaveUploads: f.uploads,
		Terminals: []acquirer.Terminal{{TID: pos.TerminalID(f.tid), MID: pos.MerchantID(f.mid), TMK: f.tmk}},
		Cards:     cards,
		Observe:   func(e acquirer.Event) { out.print(e) },
	})
	if err != nil {
		ln.Close()
		return err
	}
	out.print(reply{What: "listen", OK: true, Addr: h.Addr()})
	go obey(h, in, out)
	<-ctx.Done()
	if err := h.Close(); err != nil {
		return err
	}
	if f := h.Faults(); len(f) > 0 {
		return fmt.Errorf("%d findings, the first: %s", len(f), f[0])
	}
	return nil
}

// obey carries out commands until the input ends.
func obey(h *acquirer.Host, in io.Reader, out *output) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if words[0] == "host" { // as in a script
			words = words[1:]
		}
		text, err := h.Command(words...)
		if err != nil {
			text = err.Error()
		}
		out.print(reply{What: "reply", OK: err == nil, Text: text})
	}
}

// mayListen refuses an address that other machines can reach: the default keys
// are published and the cards are open to all.
func mayListen(addr string, anyAddress bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	ip := net.ParseIP(host)
	if anyAddress || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s is not a loopback address; other machines may only reach hostsim with --any-address", addr)
}

// readCards reads the tables of a card file as the words of "card NAME …".
func readCards(path string) ([][]string, error) {
	if path == "" {
		return nil, nil
	}
	var file struct {
		Cards map[string]map[string]any `toml:"cards"`
	}
	meta, err := toml.DecodeFile(path, &file)
	if err != nil {
		var pe toml.ParseError
		if errors.As(err, &pe) { // its own text shows the line, which may hold a number
			return nil, fmt.Errorf("%s:%d: %s", path, pe.Position.Line, pe.Message)
		}
		return nil, err
	}
	if un := meta.Undecoded(); len(un) > 0 {
		return nil, fmt.Errorf("%s: unknown key %s", path, un[0])
	}
	var out [][]string
	for name, fields := range file.Cards {
		words := []string{name}
		for k, v := range fields {
			words = append(words, fmt.Sprintf("%s=%v", k, v))
		}
		slices.Sort(words[1:])
		out = append(out, words)
	}
	slices.SortFunc(out, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return out, nil
}
