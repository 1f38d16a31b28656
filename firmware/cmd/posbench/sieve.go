package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
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
		Long: "Sells to COUNT cards with known numbers, tracks and PINs through the real posd: approvals, declines, lost answers, cancelled PINs,\n" +
			"crashes, power cuts, voids, settlements, copies. Then every byte is searched for them: store, side log, copies, journal, screens, slips,\n" +
			"service cable, postool, what posbench itself says, a dump of all stacks, and posd's memory between sales. First one secret of\n" +
			"each kind is planted in each form, and all must be found. Exit status 1 if anything but a masked form is found."}
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
		r.print(o.json)
		if !r.OK {
			return errFailed
		}
		return nil
	}
	return c
}

// sieved is the result.
type sieved struct {
	OK       bool          `json:"ok"`
	Cards    int           `json:"cards"`
	Patterns int           `json:"patterns"`
	Planted  int           `json:"planted"` // of the self-test, all found
	Unsought int           `json:"pins_too_short"`
	Sales    int           `json:"sales"`
	Approved int           `json:"approved"`
	Memory   int           `json:"memory_searches"`
	NoMemory string        `json:"memory_not_searched,omitempty"` // why
	Core     bool          `json:"core_file"`
	Places   []sieve.Place `json:"places"`
	Found    []sieve.Found `json:"found"`
	MS       int64         `json:"ms"`
	Dir      string        `json:"dir,omitempty"`
}

func (r sieved) print(asJSON bool) {
	if asJSON {
		b, _ := json.Marshal(r)
		fmt.Println(string(b))
		return
	}
	var total int64
	fmt.Printf("%-34s %7s %12s\n", "place", "items", "bytes")
	for _, p := range r.Places {
		total += p.Bytes
		fmt.Printf("%-34s %7d %12d\n", p.Name, p.Items, p.Bytes)
	}
	for _, f := range r.Found {
		fmt.Printf("FOUND: %s in %s, %s, %d times; first: card %d at byte %d\n", f.Kind, f.Place, f.Encoding, f.Count, f.Card, f.Offset)
	}
	if r.NoMemory != "" {
		fmt.Println("memory not searched:", r.NoMemory)
	}
	if r.Core {
		fmt.Println("FOUND: posd left a core file")
	}
	fmt.Printf("cards %d patterns %d planted %d missed 0 sales %d approved %d memory %d times bytes %d found %d (%.0f s)\n", r.Cards, r.Patterns, r.Planted, r.Sales, r.Approved,
		r.Memory, total, len(r.Found), float64(r.MS)/1000)
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
			err = fmt.Errorf("%s: no %s in it", path, what)
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
	r.Cards, r.Patterns, r.Unsought = len(cards), s.Patterns(), s.Unsought
	planted, missed := s.SelfTest(cards, o.seed)
	if len(missed) > 0 {
		return r, fmt.Errorf("the sieve itself is broken, it misses what was planted: %s", strings.Join(missed, "; "))
	}
	r.Planted = planted
	fmt.Fprintf(os.Stderr, "sieve of %d patterns: %d secrets planted, all found\n", r.Patterns, planted)
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
	w, err := world.New(wo)
	if err != nil {
		return r, err
	}
	defer w.Close()
	run := &sieveLife{w: w, x: s.Search(), cards: cards, r: &r}
	if err := run.live(ctx, o.every, began); err != nil {
		return r, err
	}
	r.Places, r.Found = run.x.Places(), run.x.Found()
	r.OK = len(r.Found) == 0 && !r.Core
	return r, nil
}

// number of a file among its like.
var number = regexp.MustCompile(`\d{8}`)

// sieveLife is the run and what it has seen so far.
type sieveLife struct {
	w     *world.World
	x     *sieve.Search
	cards []sieve.Card
	r     *sieved
	slips int
	last  string // the last screen searched
}

// live sells to every card, looks at everything on the way, and at the end ends
// posd as a bug would.
func (l *sieveLife) live(ctx context.Context, every int, began time.Time) error {
	if err := l.w.Start(ctx); err != nil {
		return err
	}
	progress := progressTo(os.Stderr)
	for i := range l.cards {
		if err := l.customer(ctx, i); err != nil {
			return fmt.Errorf("customer %d: %w", i, err)
		}
		l.see()
		if (i+1)%every == 0 {
			if err := l.memory(ctx); err != nil {
				return err
			}
		}
		progress(i+1, len(l.cards), began)
	}
	// The reversals that wait, a night with its copy, and what technicians ask.
	for _, words := range [][]string{{"advance", "2m"}, {"advance", "70m"}, {"set", "03:30"}, {"advance", "11m"}} {
		if err := l.w.Do(ctx, "clock", words...); err != nil {
			return err
		}
		l.see()
	}
	rows, err := l.w.Batch(ctx)
	if err != nil {
		return err
	}
	l.r.Approved += len(rows)
	if err := l.ask(ctx); err != nil {
		return err
	}
	if err := l.memory(ctx); err != nil {
		return err
	}
	if err := l.w.Abort(); err != nil {
		return err
	}
	l.x.Text("log and stacks", strings.Join(l.w.Log(), "\n"))
	cores, _ := filepath.Glob(filepath.Join(l.w.Dir(), "*core*"))
	here, _ := filepath.Glob("core*")
	l.r.Core = len(cores)+len(here) > 0
	return l.x.Tree(l.w.Dir(), func(path string) string {
		top, _, _ := strings.Cut(path, string(filepath.Separator))
		if top == "data" {
			return "file " + number.ReplaceAllString(path, "*")
		}
		return "bench files"
	})
}

// customer is one visit. Each tenth or so goes another way than to an approval.
func (l *sieveLife) customer(ctx context.Context, i int) error {
	w, c, name := l.w, l.cards[i], fmt.Sprint("s", i)
	if err := w.Do(ctx, "card", name, "pan="+c.PAN, "pin="+c.PIN, "track2="+c.Track2, "track1="+c.Track1); err != nil {
		return err
	}
	do := func(words ...string) error { return w.Do(ctx, words[0], words[1:]...) }
	amount := fmt.Sprintf("%d.%02d", 1+i/100%400, i%100)
	cut, before, after := -1, []string(nil), [][]string(nil)
	switch i % 23 {
	case 3:
		before, after = []string{"host", "answer", "lost"}, [][]string{{"host", "answer", "normal"}, {"clock", "advance", "2m"}}
	case 5:
		before = []string{"host", "decline", "51", "-n", "1"}
	case 7:
		cut = 7
	case 9:
		cut = len(c.PIN)
	case 11:
		after = [][]string{{"crash"}}
	case 13:
		before, after = []string{"host", "answer", "late", "40s"}, [][]string{{"host", "answer", "normal"}, {"clock", "advance", "3m"}}
	case 17:
		after = [][]string{{"power", "cut"}, {"power", "on"}}
	case 19:
		if err := do("amount", amount); err != nil {
			return err
		}
		if err := do("swipe", name, "-quality", "lrc"); err != nil {
			return err
		}
		if err := do("key", "cancel"); err != nil {
			return err
		}
	}
	if before != nil {
		if err := do(before...); err != nil {
			return err
		}
	}
	if err := w.Shop(ctx, amount, name, c.PIN, cut); err != nil {
		return err
	}
	l.r.Sales++
	for _, a := range after {
		if err := do(a...); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(a, " "), err)
		}
	}
	if i%400 == 399 {
		rows, err := w.Batch(ctx)
		if err != nil {
			return err
		}
		l.r.Approved += len(rows)
		if err := do("txn", "settle"); err != nil {
			return err
		}
		return w.Advance(ctx, time.Minute)
	}
	return nil
}

// see searches the screen and the slips that came since.
func (l *sieveLife) see() {
	v, _ := l.w.Panel.View()
	if t := strings.Join(v.Caption.Lines, "\n"); t != l.last {
		l.x.Text("screens", t)
		l.last = t
	}
	for ; l.slips < len(v.Slips) && v.Slips[l.slips].Whole; l.slips++ {
		for _, line := range v.Slips[l.slips].Lines {
			l.x.Text("slips", line.Text)
		}
	}
}

// memory searches posd's memory, once nothing is under way.
func (l *sieveLife) memory(ctx context.Context) error {
	if err := l.w.Advance(ctx, 15*time.Second); err != nil { // the line closes, the cards are forgotten
		return err
	}
	err := l.x.Memory("memory", l.w.Pid())
	if errors.Is(err, sieve.ErrMemory) {
		l.r.NoMemory = err.Error()
		return nil
	}
	l.r.Memory++
	return err
}

// ask has the service cable, postool and the page say what they can.
func (l *sieveLife) ask(ctx context.Context) error {
	for _, words := range []string{"login technician", world.BenchPIN, "status", "queue", "batch", "log 400", "devices", "why", "page why", "page spot", "logout", "login supervisor", world.BenchPIN, "restore"} {
		if _, err := l.w.Service(ctx, words); err != nil {
			return err
		}
	}
	l.x.Text("service cable", l.w.ServiceSaid())
	for _, args := range [][]string{{"status"}, {"status", "--json"}, {"queue"}, {"batch"}, {"batch", "--json"}, {"log"}, {"log", "--json"}, {"why"}, {"alerts"}, {"limits"}, {"seals"}, {"page", "why"}, {"page", "spot"}, {"check"}} {
		out, _ := l.w.Postool(ctx, args...) // a refusal is an answer too
		l.x.Text("postool", out)
	}
	d := &onPage{w: l.w, ctx: ctx}
	for _, v := range []any{d.Snapshot(), d.Paper()} {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		l.x.Text("page", string(b))
	}
	for _, c := range l.w.Cards() {
		l.x.Text("page", fmt.Sprintf("%v %+v", c, c))
	}
	return nil
}
