package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/sim/powercut"
	"swipewell/firmware/store"
)

func imagesCommand() *cobra.Command {
	var s shared
	var count, sales int
	var seed uint64
	c := &cobra.Command{Use: "images", Short: "what a power cut at any write or sync leaves: made, opened, held against the host", Args: cobra.NoArgs}
	s.flags(c)
	c.Flags().IntVar(&count, "count", 10_000, "how many disks")
	c.Flags().IntVar(&sales, "sales", 60, "how many sales are recorded")
	c.Flags().Uint64Var(&seed, "seed", 1, "of the sales, the faults and the disks")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		dir, err := os.MkdirTemp("", "posbench-images-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o, err := s.opts(filepath.Join(dir, "w"))
		if err != nil {
			return err
		}
		ram, err := os.MkdirTemp(ramDisk(), "posbench-images-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(ram)
		say := progressTo(os.Stderr)
		began := time.Now()
		l, err := powercut.Record(cmd.Context(), powercut.Work{World: o, Seed: seed, Sales: sales, Progress: func(done, of int) { say(done, of, began) }})
		if errors.Is(err, powercut.ErrNoFUSE) {
			fmt.Fprintln(os.Stderr, err)
			fmt.Println("images 0: not run, this kernel has no FUSE for us")
			return nil
		}
		if err != nil {
			return err
		}
		began = time.Now()
		// A child with limits judges each: one that is bad must not take this process.
		r, err := powercut.Images(cmd.Context(), l, ram, count, seed, runtime.NumCPU(), powercut.Opts{Judge: store.Judge(o.Posd, "judge"), Progress: func(done, of int) { say(done, of, began) }})
		if err != nil {
			return err
		}
		fmt.Printf("recorded  %d sales, %d changes of the disk, %d of them syncs\n", sales, r.Ops, r.Syncs)
		for i, name := range []string{"nothing unsynced", "all of it", "a prefix", "a subset", "reordered", "torn at 512 B"} {
			fmt.Printf("%-18s%6d images\n", name, r.ByStyle[i])
		}
		for _, b := range r.Bad {
			fmt.Println("BAD", b)
		}
		fmt.Printf("images %d opened %d check ok %d double %d lost %d first-creation %d seed %d\n", r.Images, r.Opened, r.Checked, r.Double, r.Lost, r.Fresh, seed)
		if r.Checked < r.Images || r.Double+r.Lost > 0 {
			return errFailed
		}
		return nil
	}
	return c
}

// ramDisk is a file system in memory, if there is one.
func ramDisk() string {
	if st, err := os.Stat("/dev/shm"); err == nil && st.IsDir() {
		return "/dev/shm"
	}
	return ""
}
