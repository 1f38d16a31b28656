package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/sim/sieve"
	"swipewell/firmware/sim/world"
)

// sieveRun is what the flags of posbench sieve say.
type sieveRun struct {
	shared
	count      int
	seed       uint64
	pans, pins string
	json, keep bool
	every      int
}

func sieveCommand() *cobra.Command {
	var o sieveRun
	c := &cobra.Command{Use: "sieve", Short: "sell to many known cards, then search all that posd wrote, said and remembers for them", Args: cobra.NoArgs,
		Long: "COUNT customers with known numbers, tracks and PINs come to the real posd. Most buy something; every 97 of them also bring: declines by\n" +
			"host, card and PIN; an answer that is lost and its reversal, one that is late; a PIN given up in the middle and at its end; a worn stripe;\n" +
			"a crash, power cuts between and in the middle of sales; a typed number; voids by STAN, refunds, offline sales; pre-authorisations with\n" +
			"their completion, by request and by advice, and both taken back; a balance; the same card again within ten seconds; the last result with\n" +
			"its help; people at the service cable with log, queue, batch and export. In the middle every card in the store gets its new name of the\n" +
			"quarter, and from there on tracks are encrypted under the track key. Settlements each 400 and at the end, and a night with its copy.\n\n" +
			"Then every byte is searched: store, side log, copies, journal, board file, screens, slips, service cable, postool and what it exports,\n" +
			"the acquirer's lists, the log of scripts that key the same cards, what posbench itself says, a dump of all stacks, and posd's memory\n" +
			"between sales. First one secret of each kind is planted in each form, and all must be found. Exit status 1 if anything but a masked\n" +
			"form is found, or if the acquirer found a message that a right terminal does not send (PIN blocks, MACs, fields)."}
	o.flags(c)
	f := c.Flags()
	f.IntVar(&o.count, "count", 5000, "customers")
	f.Uint64Var(&o.seed, "seed", 1, "of the cards")
	f.StringVar(&o.pans, "pans", "", "file of card numbers, one a line, in place of made ones")
	f.StringVar(&o.pins, "pins", "", "file of PINs, one a line; used in turn")
	f.IntVar(&o.every, "memory-every", 250, "search the memory after so many customers, and at the end")
	f.BoolVar(&o.json, "json", false, "one JSON object")
	f.BoolVar(&o.keep, "keep", false, "keep the folder")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		r, err := o.run(cmd.Context())
		if err != nil {
			return err
		}
		fmt.Print(r.text(o.json))
		if !r.OK {
			return errFailed
		}
		return nil
	}
	return c
}

// sieved is the result.
type sieved struct {
	OK       bool           `json:"ok"`
	Cards    int            `json:"cards"`
	Patterns int            `json:"patterns"`
	Planted  int            `json:"planted"`          // of the self-test, all found
	Unsought int            `json:"pins_as_blocks"`   // too short or too plain to be looked for as digits
	Plain    int            `json:"numbers_as_whole"` // whose last digits are too plain
	Spelt    int            `json:"spelt_by_base64"`
	Visits   int            `json:"visits"`
	Lived    map[string]int `json:"lived"` // what the host has in its books, opened and saw
	Findings []string       `json:"host_findings"`
	Memory   int            `json:"memory_searches"`
	NoMemory string         `json:"memory_not_searched,omitempty"` // why
	Core     bool           `json:"core_file"`
	Places   []sieve.Place  `json:"places"`
	Found    []sieve.Found  `json:"found"`
	MS       int64          `json:"ms"`
	Dir      string         `json:"dir,omitempty"`
}

// text is the result as it is printed.
func (r sieved) text(asJSON bool) string {
	if asJSON {
		b, _ := json.Marshal(r)
		return string(b) + "\n"
	}
	var s strings.Builder
	var total int64
	fmt.Fprintf(&s, "%-34s %7s %12s\n", "place", "items", "bytes")
	for _, p := range r.Places {
		total += p.Bytes
		fmt.Fprintf(&s, "%-34s %7d %12d\n", p.Name, p.Items, p.Bytes)
	}
	fmt.Fprint(&s, "lived:")
	for _, k := range slices.Sorted(maps.Keys(r.Lived)) {
		fmt.Fprintf(&s, " %s %d,", k, r.Lived[k])
	}
	fmt.Fprintf(&s, " host findings %d\n", len(r.Findings))
	for _, f := range r.Findings {
		fmt.Fprintln(&s, "the acquirer found:", f)
	}
	for _, f := range r.Found {
		fmt.Fprintf(&s, "FOUND: %s in %s, %s, %d times; first: card %d at byte %d\n", f.Kind, f.Place, f.Encoding, f.Count, f.Card, f.Offset)
	}
	if r.NoMemory != "" {
		fmt.Fprintln(&s, "memory not searched:", r.NoMemory)
	}
	if r.Core {
		fmt.Fprintln(&s, "FOUND: posd left a core file")
	}
	if r.Unsought > 0 {
		fmt.Fprintf(&s, "%d PINs have fewer than 10 digits or nearly all the same: they were looked for as their clear blocks\n", r.Unsought)
	}
	if r.Plain > 0 {
		fmt.Fprintf(&s, "%d card numbers end in nearly all the same digits: they were looked for as a whole, those of three digits or fewer as text\n", r.Plain)
	}
	if r.Spelt > 0 {
		fmt.Fprintf(&s, "%d times six letters of a text in base64 were a packed number: chance\n", r.Spelt)
	}
	fmt.Fprintf(&s, "cards %d patterns %d planted %d missed 0 visits %d memory %d times bytes %d found %d (%.0f s)\n", r.Cards, r.Patterns, r.Planted, r.Visits,
		r.Memory, total, len(r.Found), float64(r.MS)/1000)
	return s.String()
}

// cards are made ones or those of the files.
func (o sieveRun) cards() ([]sieve.Card, error) {
	made := sieve.Cards(o.count, o.seed)
	list := func(path, what string, min, max int) ([]string, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		out, err := sieve.ReadList(f, what, min, max)
		if err == nil && len(out) == 0 {
			err = fmt.Errorf("no %s in it", what)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
		return out, err
	}
	if o.pans != "" {
		pans, err := list(o.pans, "card number", 13, 19)
		if err != nil {
			return nil, err
		}
		rnd := rand.New(rand.NewPCG(o.seed, 9))
		pins := sieve.Cards(len(pans), o.seed+1)
		made = made[:0]
		for i, p := range pans {
			made = append(made, sieve.Complete(p, pins[i].PIN, rnd))
		}
	}
	if o.pins != "" {
		pins, err := list(o.pins, "PIN", 4, 12)
		if err != nil {
			return nil, err
		}
		for i := range made {
			made[i].PIN = pins[i%len(pins)]
		}
	}
	return made, nil
}

func (o sieveRun) run(ctx context.Context) (r sieved, err error) {
	began := time.Now()
	defer func() { r.MS = time.Since(began).Milliseconds() }()
	cards, err := o.cards()
	if err != nil {
		return r, err
	}
	s := sieve.New(cards)
	r.Cards, r.Patterns, r.Unsought, r.Plain = len(cards), s.Patterns(), s.Unsought, s.Plain
	planted, missed := s.SelfTest(cards, o.seed)
	if len(missed) > 0 {
		return r, fmt.Errorf("the sieve itself is broken, it misses what was planted: %s", strings.Join(missed, "; "))
	}
	r.Planted = planted
	said := &strings.Builder{}
	out := io.MultiWriter(os.Stderr, said)
	fmt.Fprintf(out, "sieve of %d patterns: %d secrets planted, all found\n", r.Patterns, planted)
	dir, err := os.MkdirTemp("", "posbench-sieve-")
	if err != nil {
		return r, err
	}
	if o.keep {
		r.Dir = dir
	} else {
		defer os.RemoveAll(dir)
	}
	wo, err := o.opts(filepath.Join(dir, "w"))
	if err != nil {
		return r, err
	}
	if wo.Host != "" {
		return r, errors.New("sieve: the acquirer must be posbench's own: its books tell what was lived")
	}
	w, err := world.New(wo)
	if err != nil {
		return r, err
	}
	defer w.Close()
	run := &sieveLife{w: w, x: s.Search(), cards: cards, r: &r, out: out}
	if err := run.live(ctx, o.every, began); err != nil {
		// The error is the last thing that posbench says: not even that may tell.
		s.Text(err.Error(), func(h sieve.Hit) { err = fmt.Errorf("the run failed, and its error shows a %s", h.Kind) })
		return r, err
	}
	if err := run.scripts(ctx, o.shared, dir); err != nil {
		return r, err
	}
	r.Findings = w.Faults()
	r.Places, r.Found, r.Spelt = run.x.Places(), run.x.Found(), run.x.Spelt()
	run.x.Text("posbench", said.String()+r.text(false)+r.text(true))
	r.Places, r.Found, r.Spelt = run.x.Places(), run.x.Found(), run.x.Spelt()
	r.OK = r.clean()
	return r, nil
}

// clean: nothing was found, and the acquirer has nothing to find fault with.
func (r sieved) clean() bool { return len(r.Found)+len(r.Findings) == 0 && !r.Core }
