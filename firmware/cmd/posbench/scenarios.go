package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/diagnose"
	"swipewell/firmware/sim/scenario"
)

// scenarioRuns is what the flags of posbench scenarios say.
type scenarioRuns struct {
	seed        uint64
	count, jobs int
	noise       float64
	dir, only   string
	quick, json bool
	trace       bool
}

func scenariosCommand() *cobra.Command {
	var o scenarioRuns
	var fit bool
	c := &cobra.Command{Use: "scenarios [DIR]", Short: "labelled troubles through the real stack; how well the diagnosis tells them", Args: cobra.MaximumNArgs(1),
		Long: "Plays each scenario of DIR (default: those of the build) COUNT times in virtual time and scores what the device says.\n" +
			"Seeds below 1000 are those the weights were fitted on; report on others."}
	f := c.Flags()
	f.Uint64Var(&o.seed, "seed", 1000, "of the first run; each run has its own")
	f.IntVar(&o.count, "count", 12, "runs of each scenario and noise")
	f.Float64Var(&o.noise, "noise", 6, "per cent of what is seen that is wrong by itself (below 1: a share)")
	f.StringVar(&o.dir, "tmp", "/dev/shm", "where the stores lie: a RAM disk")
	f.StringVar(&o.only, "only", "", "only the scenario with this id")
	f.IntVar(&o.jobs, "jobs", 2, "runs at a time")
	f.BoolVar(&o.quick, "quick", false, "only the noise asked for, not also 3, 6 and 12 %")
	f.BoolVar(&o.json, "json", false, "end with one line of JSON")
	f.BoolVar(&o.trace, "trace", false, "a line on stderr for each screen and act, one run at a time")
	f.BoolVar(&fit, "fit", false, "print weights fitted to these runs instead of a report")
	c.RunE = func(_ *cobra.Command, args []string) error {
		debug.SetGCPercent(400)
		from := ""
		if len(args) > 0 {
			from = args[0]
		}
		specs, err := scenario.Load(from)
		if err != nil {
			return err
		}
		if o.only != "" {
			specs = slices.DeleteFunc(specs, func(s scenario.Spec) bool { return s.ID != o.only })
		}
		if len(specs) == 0 {
			return fmt.Errorf("no scenario %q", o.only)
		}
		if o.noise > 0 && o.noise < 1 {
			o.noise *= 100
		}
		if _, err := os.Stat(o.dir); err != nil {
			o.dir = os.TempDir()
		}
		if fit {
			return o.fit(specs)
		}
		return o.report(specs)
	}
	return c
}

// play runs everything at some noises; the seeds of all noises are the same.
func (o scenarioRuns) play(specs []scenario.Spec, noises []float64) (map[float64][]scenario.Outcome, error) {
	type job struct {
		i     int
		noise float64
		spec  scenario.Spec
		opts  scenario.Opts
	}
	var work []job
	outs := map[float64][]scenario.Outcome{}
	for _, n := range noises {
		outs[n] = make([]scenario.Outcome, len(specs)*o.count)
		for i := range specs {
			for k := range o.count {
				seed := o.seed + uint64(k)
				j := job{i*o.count + k, n, specs[i], scenario.Opts{Seed: seed*1000 + uint64(i), Noise: n / 100, Dir: o.dir}}
				if o.trace {
					j.opts.Trace = os.Stderr
					o.jobs = 1
				}
				pick := rand.New(rand.NewPCG(j.opts.Seed, 20))
				if pick.Float64() < .2 { // 20 % are compound
					other := specs[pick.IntN(len(specs))]
					if other.Top != specs[i].Top {
						j.opts.Other = &other
					}
				}
				work = append(work, j)
			}
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var bad error
	progress, began, done := progressTo(os.Stderr), time.Now(), 0
	next := make(chan job)
	for range max(o.jobs, 1) {
		wg.Go(func() {
			for j := range next {
				out, err := scenario.Run(j.spec, j.opts)
				mu.Lock()
				if err != nil && bad == nil {
					bad = err
				}
				outs[j.noise][j.i] = out
				done++
				progress(done, len(work), began)
				mu.Unlock()
			}
		})
	}
	for _, j := range work {
		mu.Lock()
		stop := bad != nil
		mu.Unlock()
		if stop {
			break
		}
		next <- j
	}
	close(next)
	wg.Wait()
	return outs, bad
}

func (o scenarioRuns) report(specs []scenario.Spec) error {
	noises := []float64{o.noise}
	if !o.quick {
		for _, n := range []float64{3, 6, 12} {
			if !slices.Contains(noises, n) {
				noises = append(noises, n)
			}
		}
		slices.Sort(noises)
	}
	outs, err := o.play(specs, noises)
	if err != nil {
		return err
	}
	main := outs[o.noise]
	s := scenario.Grade(main, specs, nil)
	forbidden := scenarioTable(specs, main)
	fmt.Printf("\nnoise %g %%, %d runs of seed %d and after\n%-6s %5s %10s %7s %6s\n", o.noise, s.Runs, o.seed, "cause", "runs", "precision", "recall", "F1")
	for c := range diagnose.Causes {
		if k, ok := s.PerCause[c.String()]; ok {
			fmt.Printf("%-6s %5d %10.2f %7.2f %6.2f\n", c, k.Runs, k.Precision, k.Recall, k.F1)
		}
	}
	fmt.Printf("\n%-22s %9s %7s %6s %6s %6s %7s %8s\n", "noise", "macro F1", "strict", "top 1", "top 2", "ECE", "named", "of these")
	fmt.Printf("%-22s %9s %7s %6s %6s %6s %7s %8s\n", "", "", "", "", "", "", "", "right")
	line := func(name string, s scenario.Score) {
		fmt.Printf("%-22s %9.3f %7.3f %6.2f %6.2f %6.3f %7.2f %8.2f\n", name, s.MacroF1, s.Strict, s.Top1, s.Top2, s.ECE, s.Sure, s.Right)
	}
	for _, n := range noises {
		line(fmt.Sprintf("%g %%", n), scenario.Grade(outs[n], specs, nil))
	}
	ablation := map[string]float64{}
	for _, f := range diagnose.Families() {
		a := scenario.Grade(main, specs, &f)
		line("without "+f.Name, a)
		ablation[f.Name] = a.MacroF1
	}
	p50, p90, told := scenario.Times(main)
	fmt.Printf("\nsub-cause right, where the cause is: %.2f\n", s.Sub)
	fmt.Printf("time to the first right answer: median %v, nine of ten %v; ever: %.2f\n", p50.Round(time.Second), p90.Round(time.Second), told)
	missing, asked := 0, 0
	for _, out := range main {
		if out.Missing {
			missing++
		}
		for _, s := range specs {
			if s.ID == out.Spec && len(s.Require) > 0 {
				asked++
			}
		}
	}
	fmt.Printf("required actions: %d of %d\n", asked-missing, asked)
	for _, n := range noises {
		for _, out := range outs[n] {
			if n != o.noise {
				forbidden += len(out.Forbidden)
			}
			for _, why := range out.Forbidden {
				fmt.Printf("FORBIDDEN: %s at %g %% noise in %s: %s\n", out.Spec, n, out.Merchant, why)
			}
		}
	}
	fmt.Printf("runs %d macro_f1 %.3f top2 %.3f ece %.3f forbidden %d\n", s.Runs, s.MacroF1, s.Top2, s.ECE, forbidden)
	if o.json {
		b, err := json.Marshal(struct {
			Seed  uint64  `json:"seed"`
			Noise float64 `json:"noise"`
			scenario.Score
			Forbidden int                `json:"forbidden"`
			Action    float64            `json:"action"`
			First     float64            `json:"first_right_s"`
			First90   float64            `json:"first_right_p90_s"`
			Noises    map[string]float64 `json:"macro_f1_by_noise"`
			Without   map[string]float64 `json:"macro_f1_without"`
		}{o.seed, o.noise, s, forbidden, 1 - float64(missing)/float64(max(asked, 1)), p50.Seconds(), p90.Seconds(), byNoise(noises, outs, specs), ablation})
		if err != nil {
			return err
		}
		fmt.Println(string(b))
	}
	if forbidden > 0 {
		return errFailed
	}
	return nil
}

func byNoise(noises []float64, outs map[float64][]scenario.Outcome, specs []scenario.Spec) map[string]float64 {
	m := map[string]float64{}
	for _, n := range noises {
		m[fmt.Sprintf("%g", n)] = scenario.Grade(outs[n], specs, nil).MacroF1
	}
	return m
}

// scenarioTable prints a line for each scenario, and counts what is forbidden.
func scenarioTable(specs []scenario.Spec, outs []scenario.Outcome) (forbidden int) {
	fmt.Printf("%-5s %-14s %5s %5s %7s %9s  %s\n", "id", "label", "right", "runs", "first", "payments", "what else was said")
	for _, sp := range specs {
		var own []scenario.Outcome
		wrong := map[string]int{}
		right, approved := 0, 0
		for _, out := range outs {
			if out.Spec != sp.ID {
				continue
			}
			own = append(own, out)
			approved += out.Approved
			forbidden += len(out.Forbidden)
			top := out.Ranking.Top[0].Row
			name := top.Name()
			if out.Compound != "" {
				name += "+" + out.Compound
			}
			if sp.Accepts(top.Cause) {
				right++
				if sp.Sub == "" || top.Cause.String() != sp.Top || sp.Sub == top.Sub {
					continue
				}
			}
			wrong[name]++
		}
		p50, _, _ := scenario.Times(own)
		first := "-"
		if p50 > 0 {
			first = p50.Round(time.Second).String()
		}
		label := sp.Top
		if sp.Sub != "" {
			label += "." + sp.Sub
		}
		var rest []string
		for n, k := range wrong {
			rest = append(rest, fmt.Sprintf("%s ×%d", n, k))
		}
		slices.Sort(rest)
		fmt.Printf("%-5s %-14s %5d %5d %7s %9d  %v\n", sp.ID, label, right, len(own), first, approved, rest)
	}
	return forbidden
}
