package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/sim/world"
)

func benchCommand() *cobra.Command {
	var s shared
	var swipes int
	c := &cobra.Command{Use: "bench", Short: "measure what the README says", Args: cobra.NoArgs}
	s.flags(c)
	c.Flags().IntVar(&swipes, "swipes", 300, "swipes for the latency figures")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return bench(cmd.Context(), s, swipes)
	}
	return c
}

// row is one line of the table.
type row struct{ what, have, goal string }

func bench(ctx context.Context, s shared, swipes int) error {
	dir, err := os.MkdirTemp("", "posbench-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o, err := s.opts(filepath.Join(dir, "w"))
	if err != nil {
		return err
	}
	var rows []row
	for _, step := range []struct {
		name string
		f    func() ([]row, error)
	}{
		{"swipe to prompt", func() ([]row, error) { return benchSwipes(ctx, o, swipes) }},
		{"start", func() ([]row, error) { return benchStart(ctx, o) }},
		{"store", func() ([]row, error) { return benchStore(ctx, o, dir) }},
		{"the outbox over a slow line, about a minute", func() ([]row, error) { return benchDrain(ctx, o) }},
		{"rules and diagnosis", func() ([]row, error) { return benchRules(filepath.Join(dir, "rules")) }},
		{"chip", func() ([]row, error) { return benchChip(ctx) }},
		{"codec", func() ([]row, error) { return benchCodec(ctx) }},
		{"sizes", func() ([]row, error) { return benchSizes(ctx, dir) }},
	} {
		fmt.Fprintln(os.Stderr, "measuring", step.name)
		r, err := step.f()
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		rows = append(rows, r...)
	}
	fmt.Printf("%s/%s, %d CPUs, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	fmt.Printf("%-58s %22s   %s\n", "what", "measured", "goal")
	for _, r := range rows {
		fmt.Printf("%-58s %22s   %s\n", r.what, r.have, r.goal)
	}
	return nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }

// benchSwipes draws a card again and again: from the write of the last byte of
// the stripe to the frame with the confirm prompt on the panel socket.
func benchSwipes(ctx context.Context, o world.Opts, n int) ([]row, error) {
	w, err := world.New(o)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	w.SetAttend(false)
	if err := w.Start(ctx); err != nil {
		return nil, err
	}
	rss, err := w.Memory()
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	for range n {
		if err := w.Do(ctx, "amount", "12.80"); err != nil {
			return nil, err
		}
		d, err := w.TimedSwipe(ctx, "cup-debit-1")
		if err != nil {
			return nil, err
		}
		took = append(took, d)
		if err := w.Do(ctx, "key", "cancel"); err != nil {
			return nil, err
		}
	}
	slices.Sort(took)
	return []row{
		{"swipe to prompt, p50", ms(took[len(took)/2]), ""},
		{"swipe to prompt, p99", ms(took[len(took)*99/100]), "≤ 20 ms"},
		{"resident memory of posd, idle", fmt.Sprintf("%.1f MB", float64(rss)/1e6), "≤ 24 MB"},
	}, nil
}

// benchStart switches on and off: from exec to the frame of the ready prompt.
func benchStart(ctx context.Context, o world.Opts) ([]row, error) {
	o.Dir += "-start"
	w, err := world.New(o)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	var took []time.Duration
	for range 15 {
		began := time.Now()
		if err := w.PowerOn(ctx); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
		if err := w.Shutdown(ctx); err != nil {
			return nil, err
		}
	}
	slices.Sort(took)
	return []row{
		{"start of posd to the ready prompt, median of 15", ms(took[len(took)/2]), "≤ 300 ms"},
		{"start of posd to the ready prompt, slowest", ms(took[len(took)-1]), ""},
	}, nil
}

// goTool runs the Go tool in the source tree; without one, the rows say so.
func goTool(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	b, err := cmd.CombinedOutput()
	return string(b), err
}

// benchCodec runs the benchmarks of iso8583.
func benchCodec(ctx context.Context) ([]row, error) {
	out, err := goTool(ctx, "test", "-run", "^$", "-bench", "^Benchmark(Parse|Pack)$", "-benchmem", "-benchtime", "300ms", "./firmware/iso8583")
	if err != nil {
		return []row{{"iso8583 parse, pack", "needs the source tree", "< 1 µs, 0 and ≤ 1 allocations"}}, nil
	}
	var rows []row
	for _, l := range strings.Split(out, "\n") {
		f := strings.Fields(l)
		if len(f) >= 8 && strings.HasPrefix(f[0], "Benchmark") {
			goal := "< 1 µs, 0 allocations"
			if strings.HasPrefix(f[0], "BenchmarkPack") {
				goal = "< 1 µs, ≤ 1 allocation"
			}
			rows = append(rows, row{"iso8583 " + strings.TrimPrefix(f[0], "Benchmark"), f[2] + " ns, " + f[6] + " allocs", goal})
		}
	}
	return rows, nil
}

// benchSizes builds posd for what it runs on.
func benchSizes(ctx context.Context, dir string) ([]row, error) {
	var rows []row
	flags, _ := os.ReadFile("scripts/gcflags") // without a source tree the build fails, too
	for _, arch := range []string{"arm", "arm64"} {
		out := filepath.Join(dir, "posd-"+arch)
		args := append([]string{"build", "-trimpath", "-ldflags", "-s -w"}, strings.Fields(string(flags))...)
		cmd := exec.CommandContext(ctx, "go", append(args, "-o", out, "./firmware/cmd/posd")...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOARM=7")
		have := "needs the source tree"
		if cmd.Run() == nil {
			st, err := os.Stat(out)
			if err != nil {
				return nil, err
			}
			have = fmt.Sprintf("%.2f MB", float64(st.Size())/1e6)
		}
		rows = append(rows, row{"posd stripped, linux/" + arch, have, "≤ 10 MB"})
	}
	return rows, nil
}
