package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/sim/days"
	"swipewell/firmware/throttle"
)

// lifeDays is how many days one life counts at most: long enough for what was
// learned of a merchant to be worth something, short enough for a progress line
// to mean something.
const lifeDays = 100

// daysOpts are the flags.
type daysOpts struct {
	days, jobs    int
	profile, plot string
	seed          uint64
	stories       float64
	json          bool
}

func daysCommand() *cobra.Command {
	var o daysOpts
	c := &cobra.Command{Use: "days", Short: "honest days of every kind of shop: what the rules ask, stop and miss, beside other products", Args: cobra.NoArgs}
	f := c.Flags()
	f.IntVar(&o.days, "days", 10_000, "in all, shared by the profiles")
	f.StringVar(&o.profile, "profile", "all", "only this one")
	f.Uint64Var(&o.seed, "seed", 1, "of all traffic")
	f.IntVar(&o.jobs, "jobs", 2, "lives at a time; the figures are the same for any number")
	f.Float64Var(&o.stories, "stories", 1, "honest repeats happen so many times as often as assumed")
	f.BoolVar(&o.json, "json", false, "one JSON object instead of the table")
	f.StringVar(&o.plot, "plot", "", "write a picture, FILE.svg")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		debug.SetGCPercent(400) // a simulation may have memory for its speed
		return daysRun(cmd.Context(), o)
	}
	return c
}

// daysWork is one life.
type daysWork struct {
	shop int // of the run's
	opts days.Opts
}

func daysRun(ctx context.Context, o daysOpts) error {
	shops := days.Shops
	if o.profile != "all" {
		s, ok := days.ShopNamed(o.profile)
		if !ok {
			return fmt.Errorf("no profile %q", o.profile)
		}
		shops = []days.Shop{s}
	}
	switch {
	case o.days < len(shops):
		return fmt.Errorf("--days %d: at least one for each of %d profiles", o.days, len(shops))
	case o.stories <= 0:
		return fmt.Errorf("--stories %g: more than 0", o.stories)
	case o.plot != "" && filepath.Ext(o.plot) != ".svg":
		return fmt.Errorf("--plot %s: want a name that ends in .svg", o.plot)
	}
	work, err := daysPlan(shops, o)
	if err != nil {
		return err
	}
	began := time.Now()
	lives, err := daysLive(ctx, work, o)
	if err != nil {
		return err
	}
	results := make([]days.Result, len(shops))
	total := days.Result{Profile: "all"}
	for i, w := range work {
		results[w.shop].Profile = shops[w.shop].Name
		results[w.shop].Add(lives[i])
		total.Add(lives[i])
	}
	goals := days.Goals(results, total)
	if o.plot != "" {
		if err := os.WriteFile(o.plot, []byte(days.Plot(total)), 0o644); err != nil {
			return err
		}
	}
	if o.json {
		if err := daysJSON(o, results, total, goals); err != nil {
			return err
		}
	} else {
		daysTable(results, total)
		daysPeers(total)
		daysGoals(o, total, goals, time.Since(began))
	}
	for _, g := range goals {
		if !g.Met {
			return errFailed
		}
	}
	return nil
}

// daysPlan shares the days over the shops and cuts them into lives. A life's
// seed depends on its shop and part alone.
func daysPlan(shops []days.Shop, o daysOpts) (work []daysWork, err error) {
	for i, s := range shops {
		rules, err := throttle.Default().WithProfile(s.Name)
		if err != nil {
			return nil, err
		}
		left := o.days / len(shops)
		if i < o.days%len(shops) {
			left++
		}
		for part := uint64(0); left > 0; part++ {
			n := min(left, lifeDays)
			left -= n
			seed := o.seed*1_000_003 + part
			for _, c := range s.Name {
				seed = seed*31 + uint64(c)
			}
			work = append(work, daysWork{i, days.Opts{Seed: seed, Shop: s, Days: n, Rules: rules, Stories: o.stories}})
		}
	}
	return work, nil
}

// daysLive lives every life, some at a time, and gives them in their order.
func daysLive(ctx context.Context, work []daysWork, o daysOpts) ([]days.Result, error) {
	out := make([]days.Result, len(work))
	var mu sync.Mutex
	var wg sync.WaitGroup
	var failed error
	began, done := time.Now(), 0
	progress := progressTo(os.Stderr)
	next := make(chan int)
	for range max(o.jobs, 1) {
		wg.Go(func() {
			for i := range next {
				r, _, err := days.Run(work[i].opts)
				mu.Lock()
				out[i] = r
				if failed == nil {
					failed = err
				}
				done += work[i].opts.Days
				progress(done, o.days, began)
				mu.Unlock()
			}
		})
	}
	for i := range work {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	if failed == nil {
		failed = ctx.Err()
	}
	return out, failed
}

func daysTable(results []days.Result, total days.Result) {
	fmt.Println("of 1000 honest purchases, each counted once in a column: asked; notes beside the confirm step; an earlier result shown again; waits; supervisor")
	fmt.Println("calls; refusals; bank: refused with the bank's own word, which it would say again; needless: stopped, in whatever way, though the bank would have paid")
	fmt.Println("(R01 apart, which holds a card for its own open payment). Of accidental")
	fmt.Println("repeats, in %: surfaced, by how late; and how. double: orders charged twice by a lost answer; twice: by a repeat all the same.")
	fmt.Printf("%-7s %5s %9s %6s %6s %6s %6s %6s %6s %6s %7s | %7s %6s %6s %6s %6s = %6s %6s %6s %6s | %8s %6s %6s %5s\n", "profile", "days", "purchases",
		"asked", "notes", "again", "waits", "superv", "refus", "bank", "needls", "repeats", "≤10s", "≤600s", "later", "all", "again", "asked", "shown", "stop", "re-swipe", "held %", "double", "twice")
	for i := range results {
		daysRow(&results[i])
	}
	daysRow(&total)
	fmt.Println("\nwhat each rule did to honest purchases, of 1000 in each profile (last column: of all)")
	fmt.Printf("%-17s", "rule")
	for _, r := range results {
		fmt.Printf(" %7s", r.Profile)
	}
	fmt.Printf(" %7s %8s\n", "all", "count")
	for _, c := range days.Ranked(total.Causes) {
		fmt.Printf("%-17s", c.Rule+" "+c.Action)
		for i := range results {
			fmt.Printf(" %7.3f", results[i].Per(results[i].Causes[c.Cause]))
		}
		fmt.Printf(" %7.3f %8d\n", total.Per(c.Count), c.Count)
	}
	var guides []string
	for _, c := range days.Ranked(total.Guides) {
		guides = append(guides, fmt.Sprintf("%s %s %.2f", c.Rule, c.Action, total.Per(c.Count)))
	}
	fmt.Printf("beside payments (reading, keys), times of 1000 purchases: %s; voids stopped: %d\n", strings.Join(guides, ", "), total.VoidStops)
}

func daysRow(r *days.Result) {
	all := r.All()
	late := func(l days.Late) float64 { return days.Percent(r.Repeats[l].Surfaced(), r.Repeats[l].Count) }
	fmt.Printf("%-7s %5d %9d %6.2f %6.2f %6.2f %6.3f %6.3f %6.3f %6.3f %7.3f | %7d %6.1f %6.1f %6.1f %6.2f = %6.1f %6.1f %6.1f %6.1f | %8d %6.1f %6d %5d\n", r.Profile, r.Days, r.Payments,
		r.Per(r.Asked), r.Per(r.Noted), r.Per(r.Absorbed), r.Per(r.Waited), r.Per(r.Called), r.Per(r.Refused), r.Per(r.Passed), r.Per(r.Needless),
		all.Count, late(days.TenSeconds), late(days.TenMinutes), late(days.LongTail), days.Percent(all.Surfaced(), all.Count),
		days.Percent(all.Absorbed, all.Count), days.Percent(all.Asked, all.Count), days.Percent(all.Shown, all.Count), days.Percent(all.Stopped, all.Count),
		r.Reswipes, days.Percent(r.Held, r.Reswipes), r.Double, r.Again)
}

func daysPeers(total days.Result) {
	fmt.Println("\nthe same traffic, other products by their defaults; held: of all re-swipes, and of those whose last try the host had booked")
	fmt.Printf("%-28s %7s %7s | %6s %6s %6s %6s | %6s %8s %6s  %s\n", "", "asked", "refused", "≤10s", "≤600s", "later", "all", "held %", "booked %", "double", "where ours is not better")
	all := total.All()
	late := func(x [3]days.Noticed, l days.Late) float64 { return days.Percent(x[l].Surfaced(), x[l].Count) }
	fmt.Printf("%-28s %7.2f %7.3f | %6.1f %6.1f %6.1f %6.1f | %6.1f %8.1f %6d  (asked with results shown again; refused with waits and calls)\n", "Swipewell", total.Per(total.Asked+total.Absorbed), total.Per(total.Stops()),
		late(total.Repeats, 0), late(total.Repeats, 1), late(total.Repeats, 2), days.Percent(all.Surfaced(), all.Count), days.Percent(total.Held, total.Reswipes), days.Percent(total.BookedHit, total.Booked), total.Double)
	for i := range total.Peers {
		p := &total.Peers[i]
		n, not := p.All(), days.NotBetter(&total, p)
		if not == "" {
			not = "-"
		}
		fmt.Printf("%-28s %7.2f %7.3f | %6.1f %6.1f %6.1f %6.1f | %6.1f %8.1f %6d  %s\n", p.Name, p.Per(p.Asked), p.Per(p.Refused), late(p.Repeats, 0), late(p.Repeats, 1), late(p.Repeats, 2),
			days.Percent(n.Surfaced(), n.Count), days.Percent(p.Held, p.Reswipes), days.Percent(p.BookHeld, p.Booked), p.Double, not)
	}
}

func daysGoals(o daysOpts, total days.Result, goals []days.Goal, took time.Duration) {
	fmt.Println()
	for _, g := range goals {
		sign, word := "≤", "met"
		if g.Least {
			sign = "≥"
		}
		if !g.Met {
			word = "MISSED"
		}
		fmt.Printf("goal  %-40s %9.3f %s %-7g %s\n", g.Name, g.Got, sign, g.Want, word)
	}
	fmt.Printf("no goal  all waits, calls and refusals of 1000: %.3f; of these needless %.3f, for the card's own open payment (R01) %.3f, the rest refused by the bank as well\n",
		total.Per(total.Stops()), total.Per(total.Needless), total.Per(total.Own))
	all := total.All()
	fmt.Printf("repeats charged all the same %d: %d not surfaced, %d with the note overlooked; %.0f purchases a second\n", total.Again, all.Count-all.Surfaced(), all.Overlooked,
		float64(total.Payments)/took.Seconds())
	fmt.Printf("days %d purchases %d asked %.2f notes %.2f absorbed %.2f waits %.3f supervisor %.3f refusals %.3f passed_on %.3f needless %.3f repeats %d surfaced %.2f shown %.2f reswipes %d held %.2f double %d twice %d seed %d\n",
		total.Days, total.Payments, total.Per(total.Asked), total.Per(total.Noted), total.Per(total.Absorbed), total.Per(total.Waited), total.Per(total.Called), total.Per(total.Refused), total.Per(total.Passed), total.Per(total.Needless),
		all.Count, days.Percent(all.Surfaced(), all.Count), days.Percent(all.Shown, all.Count), total.Reswipes, days.Percent(total.Held, total.Reswipes), total.Double, total.Again, o.seed)
}

// daysShop is a result with its rates, for other programs.
type daysShop struct {
	days.Result
	Per1000  map[string]float64 `json:"per_1000"`
	Surfaced map[string]float64 `json:"surfaced_percent"`
	Rules    []days.CauseCount  `json:"rules"`
	Beside   []days.CauseCount  `json:"beside_payments"`
}

func daysShopOf(r days.Result) daysShop {
	s := daysShop{Result: r, Per1000: map[string]float64{}, Surfaced: map[string]float64{}, Rules: days.Ranked(r.Causes), Beside: days.Ranked(r.Guides)}
	for name, n := range map[string]int{"asked": r.Asked, "noted": r.Noted, "absorbed": r.Absorbed, "waited": r.Waited, "called": r.Called, "refused": r.Refused, "passed_on": r.Passed, "needless": r.Needless, "own_open": r.Own} {
		s.Per1000[name] = r.Per(n)
	}
	all := r.All()
	s.Surfaced["all"] = days.Percent(all.Surfaced(), all.Count)
	for l, name := range []string{"within_10s", "within_600s", "later"} {
		s.Surfaced[name] = days.Percent(r.Repeats[l].Surfaced(), r.Repeats[l].Count)
	}
	return s
}

type daysPeer struct {
	days.PeerResult
	AskedPer   float64 `json:"asked_per_1000"`
	RefusedPer float64 `json:"refused_per_1000"`
	Surfaced   float64 `json:"surfaced_percent"`
	HeldPer    float64 `json:"held_percent"`
	NotBetter  string  `json:"where_ours_is_not_better"`
}

func daysJSON(o daysOpts, results []days.Result, total days.Result, goals []days.Goal) error {
	var shops []daysShop
	for _, r := range results {
		shops = append(shops, daysShopOf(r))
	}
	var peers []daysPeer
	for i := range total.Peers {
		p := &total.Peers[i]
		n := p.All()
		peers = append(peers, daysPeer{*p, p.Per(p.Asked), p.Per(p.Refused), days.Percent(n.Surfaced(), n.Count), days.Percent(p.Held, p.Reswipes), days.NotBetter(&total, p)})
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"days": total.Days, "seed": o.seed, "stories": o.stories, "profiles": shops, "all": daysShopOf(total), "peers": peers, "goals": goals})
}
