package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/sim/model"
)

func modelCommand() *cobra.Command {
	return &cobra.Command{Use: "model", Short: "every interleaving of the reducer with a small host, to the end", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		fmt.Printf("%6s %6s %8s %10s %6s %9s %9s %7s  %s\n", "orders", "tries", "crashes", "wrong MACs", "cards", "nodes", "edges", "ends", "")
		for _, o := range []model.Opts{
			{Orders: 1, Tries: 3, Crashes: 3, Wrong: 2}, {Orders: 2, Tries: 2, Crashes: 1, Wrong: 1}, {Orders: 3, Tries: 1, Crashes: 1, Wrong: 1}, {Orders: 2, Tries: 2, Crashes: 2, Wrong: 1},
			{Orders: 1, Tries: 2, Crashes: 2, Wrong: 1, Chip: true}, {Orders: 2, Tries: 1, Crashes: 1, Chip: true},
		} {
			began := time.Now()
			o.Progress = func(nodes, waiting int) {
				fmt.Fprintf(os.Stderr, "%d nodes, %d waiting, %.0f s\n", nodes, waiting, time.Since(began).Seconds())
			}
			r, err := model.Explore(o)
			var v *model.Violation
			if errors.As(err, &v) {
				fmt.Println(v)
				return errFailed
			}
			if err != nil {
				return err
			}
			fmt.Printf("%6d %6d %8d %10d %6s %9d %9d %7d  complete %v, %.1f s\n", o.Orders, o.Tries, o.Crashes, o.Wrong, map[bool]string{false: "stripe", true: "chip"}[o.Chip], r.Nodes, r.Edges, r.Ends, r.Complete, time.Since(began).Seconds())
		}
		fmt.Println("model: every invariant holds at every node")
		return nil
	}}
}
