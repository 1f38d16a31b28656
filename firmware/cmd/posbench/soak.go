package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/sim/soak"
)

// chunk is how many orders one life has at most: the host's books of a life are
// in memory.
const chunk = 10_000

func soakCommand() *cobra.Command {
	var seeds, profile, dir string
	var sales, jobs int
	c := &cobra.Command{Use: "soak", Short: "whole days of the terminal in virtual time, with random faults", Args: cobra.NoArgs}
	c.Flags().StringVar(&seeds, "seeds", "1,2,3,4", "comma-separated; each is lived through by every profile")
	c.Flags().IntVar(&sales, "sales", 20_000, "orders in all, shared by seeds and profiles")
	c.Flags().StringVar(&profile, "profile", "", "only this one; default all")
	c.Flags().StringVar(&dir, "dir", "/dev/shm", "where the stores lie: a RAM disk")
	c.Flags().IntVar(&jobs, "jobs", 1, "lives at a time: two share the memory maps of one process, and gain little")
	c.RunE = func(*cobra.Command, []string) error {
		debug.SetGCPercent(400) // a simulation may have memory for its speed
		profiles := soak.Profiles
		if profile != "" {
			p, ok := soak.ProfileNamed(profile)
			if !ok {
				return fmt.Errorf("no profile %q", profile)
			}
			profiles = []soak.Profile{p}
		}
		var ss []uint64
		for _, s := range strings.Split(seeds, ",") {
			n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
			if err != nil {
				return fmt.Errorf("--seeds %s: %w", seeds, err)
			}
			ss = append(ss, n)
		}
		if _, err := os.Stat(dir); err != nil {
			dir = os.TempDir()
		}
		return soakRun(profiles, ss, sales, jobs, dir)
	}
	return c
}

// soakJob is one life.
type soakJob struct {
	profile soak.Profile
	seed    uint64 // as the user gave it
	part    int
	sales   int
}

func soakRun(profiles []soak.Profile, seeds []uint64, sales, jobs int, dir string) error {
	var work []soakJob
	each := max(sales/(len(profiles)*len(seeds)), 1)
	left := sales
	for _, s := range seeds {
		for _, p := range profiles {
			n := min(each, left)
			if s == seeds[len(seeds)-1] && p.Name == profiles[len(profiles)-1].Name {
				n = left
			}
			left -= n
			for part := 0; n > 0; part++ {
				k := min(n, chunk)
				work = append(work, soakJob{p, s, part, k})
				n -= k
			}
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	total, byProfile := soak.Result{}, map[string]*soak.Result{}
	var failed []string
	began, done := time.Now(), 0
	progress := progressTo(os.Stderr)
	next := make(chan soakJob)
	for range max(jobs, 1) {
		wg.Go(func() {
			for j := range next {
				r, err := lived(j, dir)
				mu.Lock()
				total.Add(r)
				if byProfile[j.profile.Name] == nil {
					byProfile[j.profile.Name] = &soak.Result{}
				}
				byProfile[j.profile.Name].Add(r)
				if err != nil || r.Double+r.Lost+r.Open+r.Slipped+r.Findings > 0 {
					failed = append(failed, fmt.Sprintf("seed %d profile %s part %d of %d orders: double %d lost %d open %d host findings %d %v %s", j.seed, j.profile.Name, j.part, j.sales,
						r.Double, r.Lost, r.Open, r.Findings, err, strings.Join(r.Why, "; ")))
				}
				done += j.sales
				progress(done, sales, began)
				mu.Unlock()
			}
		})
	}
	for _, j := range work {
		next <- j
	}
	close(next)
	wg.Wait()
	took := time.Since(began)
	fmt.Printf("%-10s %9s %9s %8s %9s %7s %7s %7s %7s %6s %5s %5s\n", "profile", "orders", "approved", "%", "reversed", "faults", "crashes", "settled", "by hand", "double", "lost", "open")
	for _, p := range profiles {
		if r := byProfile[p.Name]; r != nil {
			fmt.Printf("%-10s %9d %9d %8.2f %9d %7d %7d %7d %7d %6d %5d %5d\n", p.Name, r.Sales, r.Approved, 100*float64(r.Approved)/float64(max(r.Sales, 1)), r.Reversed,
				r.Faults, r.Crashes, r.Settlements, r.ByHand, r.Double, r.Lost, r.Open)
		}
	}
	fmt.Printf("rules on: asked %d, stopped %d; swipes of a card whose payment was open: held %d, let through %d; free %v after the host's word\n",
		total.Asked, total.Stopped, total.Held, total.Slipped, total.Freed)
	fmt.Printf("%.0f sales a second and core\n", float64(total.Sales)/took.Seconds()/float64(max(jobs, 1)))
	for _, f := range failed {
		fmt.Println("FAILED:", f)
	}
	fmt.Printf("sales %d approved %d reversed %d double %d lost %d open %d host findings %d\n", total.Sales, total.Approved, total.Reversed, total.Double, total.Lost, total.Open,
		total.Findings)
	if len(failed) > 0 {
		return errFailed
	}
	return nil
}

func lived(j soakJob, dir string) (soak.Result, error) {
	d, err := os.MkdirTemp(dir, "swipewell-soak-")
	if err != nil {
		return soak.Result{}, err
	}
	defer os.RemoveAll(d)
	return soak.Run(soak.Opts{Seed: j.seed*1_000_003 + uint64(j.part), Sales: j.sales, Faults: j.profile.Faults, Day: j.profile.Day, Dir: d})
}
