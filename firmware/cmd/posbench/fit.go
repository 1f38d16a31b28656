package main

import (
	"fmt"
	"os"
	"time"

	"swipewell/firmware/sim/scenario"
)

// fit plays the scenarios at all three noises and prints the weights that tell
// them best, as source; how well each scenario is told by weights that never saw
// it goes to stderr.
func (o scenarioRuns) fit(specs []scenario.Spec) error {
	noises := []float64{3, 6, 12}
	outs, err := o.play(specs, noises)
	if err != nil {
		return err
	}
	var all []scenario.Outcome
	for _, n := range noises {
		all = append(all, outs[n]...)
	}
	f := scenario.NewFit(all, specs)
	scenario.Write(os.Stdout, f.Run(""))
	progress, began := progressTo(os.Stderr), time.Now()
	held := f.HeldOut(func(i, n int) { progress(i, n, began) })
	sum := 0.0
	fmt.Fprintln(os.Stderr, "\nleft out of the fit, and told by it (share of runs):")
	for _, id := range scenario.Worst(held) {
		fmt.Fprintf(os.Stderr, "%-5s %.2f\n", id, held[id])
		sum += held[id]
	}
	fmt.Fprintf(os.Stderr, "mean %.3f of %d scenarios, %d runs\n", sum/float64(len(held)), len(held), len(all))
	return nil
}
