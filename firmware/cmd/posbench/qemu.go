package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/image"
	"swipewell/firmware/sim/qemu"
	"swipewell/firmware/sim/world"
	bootrecord "swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
)

func qemuCommand() *cobra.Command {
	c := &cobra.Command{Use: "qemu", Short: "an image on QEMU: its start, measured, and builds that must not stay"}
	c.AddCommand(qemuBench(), qemuRollback(), qemuCuts(), qemuNext())
	return c
}

// console keeps the device's console with the time of each line.
type console struct {
	mu    sync.Mutex
	began time.Time
	lines []consoleLine
}

type consoleLine struct {
	at   time.Duration
	text string
}

// Write takes whole lines, as package world hands them over.
func (c *console) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, consoleLine{time.Since(c.began), strings.TrimSpace(string(b))})
	return len(b), nil
}

// find gives the lines that match.
func (c *console) find(re *regexp.Regexp) (found []consoleLine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.lines {
		if re.MatchString(l.text) {
			found = append(found, l)
		}
	}
	return found
}

// qemuWorld is a world around a virtual machine, in a folder of its own.
func qemuWorld(dir, img string, direct bool) (*world.World, *qemu.Machine, *console, error) {
	s := shared{lang: "zh", size: "320x240"}
	o, err := s.opts(dir)
	if err != nil {
		return nil, nil, nil, err
	}
	m, err := qemu.New(qemu.Opts{Image: img, Direct: direct})
	if err != nil {
		return nil, nil, nil, err
	}
	con := &console{began: time.Now()}
	o.Machine, o.User, o.Log, o.Slot = m, "posd", con, "serial"
	w, err := world.New(o)
	return w, m, con, err
}

// The lines of a start, in their order.
var starts = []struct {
	what string
	re   *regexp.Regexp
}{
	{"loader's first line", regexp.MustCompile(`^U-Boot 2`)},
	{"slot chosen", regexp.MustCompile(`^TRY slot`)},
	{"slot verified, kernel started", regexp.MustCompile(`^Starting kernel`)},
	{"init", regexp.MustCompile(`^init: build`)},
	{"posd's loop alive", regexp.MustCompile(`^init: posd is alive`)},
}

var memoryLine = regexp.MustCompile(`total (\d+) available (\d+) posd (\d+) init (\d+)`)

func qemuBench() *cobra.Command {
	var f imageFlags
	var boots int
	var direct bool
	c := &cobra.Command{Use: "bench", Short: "power-on to the ready prompt, and memory", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		o, err := f.opts()
		if err != nil {
			return err
		}
		at := map[string][]time.Duration{}
		memory := [4][]time.Duration{} // in kB, as a duration, for one median
		const ready = "ready prompt on the screen"
		for i := range boots {
			if err := qemuBoot(cmd.Context(), o.Out, direct, func(what string, d time.Duration) { at[what] = append(at[what], d) }, ready, &memory); err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "%d of %d boots\n", i+1, boots)
		}
		m, err := image.ReadManifest(o.Out)
		if err != nil {
			return err
		}
		fmt.Printf("%s, %s, build %s; %s; TCG, 256 MB; %d boots\n", m.Board, m.Kernel, m.Version, map[bool]string{true: "without a loader", false: "U-Boot"}[direct], boots)
		fmt.Printf("%-34s %9s %9s %9s\n", "seconds since the power came", "least", "median", "most")
		for _, what := range append(names(), ready) {
			if d := at[what]; len(d) > 0 {
				fmt.Printf("%-34s %9.2f %9.2f %9.2f\n", what, slices.Min(d).Seconds(), median(d).Seconds(), slices.Max(d).Seconds())
			}
		}
		fmt.Printf("%-34s %9s\n", "memory, kB (median)", "")
		for i, what := range []string{"of 256 MB, for all programs", "free for more", "posd", "init"} {
			fmt.Printf("%-34s %9d\n", what, int(median(memory[i])))
		}
		fmt.Printf("%-34s %9d\n%-34s %9d\n", "slot, bytes", m.Sizes.Slot, "posd in it, bytes", m.Sizes.Posd)
		return nil
	}}
	f.flags(c)
	c.Flags().IntVar(&boots, "boots", 5, "how many")
	c.Flags().BoolVar(&direct, "direct", false, "without the loader")
	return c
}

func names() (all []string) {
	for _, s := range starts {
		all = append(all, s.what)
	}
	return all
}

// qemuBoot is one start, from a fresh disk.
func qemuBoot(ctx context.Context, img string, direct bool, note func(string, time.Duration), ready string, memory *[4][]time.Duration) error {
	dir, err := os.MkdirTemp("", "posbench-qemu-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w, m, con, err := qemuWorld(filepath.Join(dir, "w"), img, direct)
	if err != nil {
		return err
	}
	defer m.Close()
	defer w.Close()
	con.began = time.Now()
	if err := w.Start(ctx); err != nil {
		return err
	}
	note(ready, time.Since(con.began))
	alive := starts[len(starts)-1].re
	for end := time.Now().Add(30 * time.Second); len(con.find(alive)) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("qemu: posd gave no sign of life")
		}
	}
	for _, s := range starts {
		if l := con.find(s.re); len(l) > 0 {
			note(s.what, l[0].at)
		}
	}
	k := memoryLine.FindStringSubmatch(con.find(alive)[0].text)
	if k == nil {
		return fmt.Errorf("qemu: no figures of memory")
	}
	for i := range memory {
		var n int
		fmt.Sscan(k[i+1], &n)
		memory[i] = append(memory[i], time.Duration(n))
	}
	return nil
}

// trials are builds that must not stay. A program of "" is posd's own.
var trials = []struct {
	name, about, ldflags string
	foreign              bool
}{
	{"crash", "crashes at its start", "-X main.behave=crash", false},
	{"hang", "never gives a sign of life", "-X main.behave=hang", false},
	{"freeze", "comes up, and hangs then", "-X main.behave=freeze", false},
	{"sick", "runs, and fails its check", "-X main.behave=sick", false},
	{"good", "is healthy for a minute", "", false},
	{"forged", "is signed with another key", "", true},
}

const badProgram = "./firmware/cmd/posbench/badposd"

func qemuRollback() *cobra.Command {
	var f imageFlags
	var only []string
	c := &cobra.Command{Use: "rollback", Short: "each kind of bad build on trial: tries, and the good one's prompt", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		o, err := f.opts()
		if err != nil {
			return err
		}
		fmt.Printf("%-8s %-28s %6s %10s  %s\n", "build", "on trial in slot B", "tries", "seconds", "then")
		failed := false
		for _, t := range trials {
			if len(only) > 0 && !slices.Contains(only, t.name) {
				continue
			}
			own, program := o, badProgram
			if t.foreign {
				own.Keys = filepath.Join(filepath.Dir(o.Keys), "foreign")
			}
			if t.ldflags == "" {
				program = ""
			}
			slot, err := image.Other(cmd.Context(), own, program, t.ldflags)
			if err != nil {
				return err
			}
			tries, took, then, err := rollBack(cmd.Context(), o.Out, slot, t.name == "good")
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			fmt.Printf("%-8s %-28s %6d %10.1f  %s\n", t.name, t.about, tries, took.Seconds(), then)
			failed = failed || tries < 1 || tries > bootrecord.Tries || strings.HasPrefix(then, "slot A") == (t.name == "good")
		}
		if failed {
			return errFailed
		}
		return nil
	}}
	f.flags(c)
	c.Flags().StringSliceVar(&only, "only", nil, "of crash, hang, freeze, sick, forged")
	return c
}

var tried = regexp.MustCompile(`^TRY slot ([AB])`)

// rollBack boots a device with a bad build on trial, until its prompt is there.
func rollBack(ctx context.Context, img string, slot []byte, stays bool) (tries int, took time.Duration, then string, err error) {
	dir, err := os.MkdirTemp("", "posbench-qemu-")
	if err != nil {
		return 0, 0, "", err
	}
	defer os.RemoveAll(dir)
	home := filepath.Join(dir, "w")
	w, m, con, err := qemuWorld(home, img, false)
	if err != nil {
		return 0, 0, "", err
	}
	defer m.Close()
	defer w.Close()
	if err := m.Prepare(home); err != nil {
		return 0, 0, "", err
	}
	if err := image.Try(m.Disk(home), slot, bootrecord.Image{Version: bundle.Version{Major: 9}, Schemas: bundle.Schemas{Lo: 1, Hi: 99}}); err != nil {
		return 0, 0, "", err
	}
	con.began = time.Now()
	if err := w.Start(ctx); err != nil {
		return 0, 0, "", err
	}
	took = time.Since(con.began)
	for end := time.Now().Add(3 * time.Minute); stays && time.Now().Before(end); time.Sleep(time.Second) {
		if r, err := image.Record(m.Disk(home)); err == nil && r.Confirmed == bootrecord.B {
			took = time.Since(con.began)
			break
		}
	}
	last := ""
	for _, l := range con.find(tried) {
		if last = tried.FindStringSubmatch(l.text)[1]; last == "B" {
			tries++
		}
	}
	r, err := image.Record(m.Disk(home))
	if err != nil {
		return 0, 0, "", err
	}
	return tries, took, fmt.Sprintf("slot %s at its prompt; confirmed %v; tries left A=%d B=%d", last, r.Confirmed, r.Left[bootrecord.A], r.Left[bootrecord.B]), nil
}

func qemuCuts() *cobra.Command {
	var f imageFlags
	var count int
	var seed uint64
	var most time.Duration
	c := &cobra.Command{Use: "cuts", Short: "the power fails again and again while the device starts; then it must start", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		o, err := f.opts()
		if err != nil {
			return err
		}
		dir, err := os.MkdirTemp("", "posbench-qemu-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		home := filepath.Join(dir, "w")
		w, m, con, err := qemuWorld(home, o.Out, false)
		if err != nil {
			return err
		}
		defer m.Close()
		defer w.Close()
		r := rand.New(rand.NewPCG(seed, 0))
		whole := 0
		for range count {
			if err := cutAt(cmd.Context(), w, 100*time.Millisecond+time.Duration(r.Int64N(int64(most)))); err != nil {
				return err
			}
			if _, err := image.Record(m.Disk(home)); err == nil {
				whole++
			}
		}
		con.began = time.Now()
		if err := w.Start(cmd.Context()); err != nil {
			return fmt.Errorf("after %d cuts: %w", count, err)
		}
		fmt.Printf("%d power cuts at 0.1 to %v after the power came (seed %d): boot record whole after %d, then the ready prompt in %.1f s\n", count, most, seed, whole, time.Since(con.began).Seconds())
		if whole < count {
			return errFailed
		}
		return nil
	}}
	f.flags(c)
	c.Flags().IntVar(&count, "count", 12, "how many")
	c.Flags().Uint64Var(&seed, "seed", 1, "of the moments")
	c.Flags().DurationVar(&most, "most", 12*time.Second, "the latest moment")
	return c
}

// cutAt gives the device power for so long.
func cutAt(ctx context.Context, w *world.World, d time.Duration) error {
	short, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	err := w.Start(short)
	if err != nil && short.Err() == nil {
		return err
	}
	<-short.Done()
	w.PowerCut()
	return ctx.Err()
}
