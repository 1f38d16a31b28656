package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/sim/world"
	"swipewell/hal"
)

func crashCommand() *cobra.Command {
	var s shared
	var kills int
	var seed uint64
	c := &cobra.Command{Use: "crash", Short: "kill -9 of posd during sales: every other time at a named point, else at a random moment", Args: cobra.NoArgs}
	s.flags(c)
	c.Flags().IntVar(&kills, "kills", 200, "how often the power fails")
	c.Flags().Uint64Var(&seed, "seed", 1, "of the moments and amounts")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		dir, err := os.MkdirTemp("", "posbench-crash-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o, err := s.opts(filepath.Join(dir, "w"))
		if err != nil {
			return err
		}
		r, err := crash(cmd.Context(), o, kills, seed, progressTo(os.Stderr))
		if err != nil {
			return err
		}
		fmt.Println("kills by point:")
		for _, p := range append(world.Points(), "random moment") {
			fmt.Printf("  %-14s%5d\n", p, r.at[p])
		}
		fmt.Printf("kills %d sales begun %d approved %d store.Check ok double %d lost %d open %d seed %d\n",
			r.kills, r.sales, r.approved, r.double, r.lost, r.open, seed)
		for _, f := range r.findings {
			fmt.Println("the acquirer found:", f)
		}
		if r.double+r.lost+r.open+len(r.findings) > 0 {
			return errFailed
		}
		return nil
	}
	return c
}

type crashResult struct {
	kills, sales, approved, double, lost, open int
	at                                         map[string]int // kills by point
	findings                                   []string       // of the acquirer: what a right terminal does not send
}

// progressTo says how far a long command is, at most once every ten seconds.
func progressTo(f io.Writer) func(done, of int, began time.Time) {
	last := time.Now()
	return func(done, of int, began time.Time) {
		if time.Since(last) < 10*time.Second && done < of {
			return
		}
		last = time.Now()
		eta := time.Duration(float64(time.Since(began)) / float64(max(done, 1)) * float64(of-done))
		fmt.Fprintf(f, "%d of %d, %v left\n", done, of, eta.Round(time.Second))
	}
}

// crash makes sales and takes the power at random moments of them; after each
// the store opens again (posd judges it and boots from it), and at the end
// nothing may be open, charged twice or lost.
func crash(ctx context.Context, o world.Opts, kills int, seed uint64, progress func(int, int, time.Time)) (r crashResult, err error) {
	rnd := rand.New(rand.NewPCG(seed, 83))
	w, err := world.New(o)
	if err != nil {
		return r, err
	}
	defer w.Close()
	w.SetAttend(false)
	if err := w.Start(ctx); err != nil {
		return r, err
	}
	began := time.Now()
	r.at = map[string]int{}
	points := world.Points()
	for r.kills < kills {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		// Every sale is an order of its own, with an amount nobody else has.
		r.sales++
		amount := fmt.Sprintf("%d.%02d", 1+r.sales/100, r.sales%100)
		card := fmt.Sprint("k", r.sales) // a customer each
		if err := w.Do(ctx, "card", card, "name=K"); err != nil {
			return r, err
		}
		if err := w.Do(ctx, "order", fmt.Sprintf("o%d", r.sales), amount); err != nil {
			return r, err
		}
		point := "random moment"
		moment := time.Duration(rnd.Int64N(int64(60 * time.Millisecond)))
		if r.kills%2 == 1 {
			// Some points come only with a record that waits; where this sale does
			// not reach its point, the power goes behind it.
			point, moment = points[rnd.IntN(len(points))], time.Second
			w.Arm(point)
		}
		cut, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(cut)
			limit, stop := hal.After(hal.SystemClock{}, moment)
			defer stop()
			select {
			case <-limit:
			case <-done:
				if point == "random moment" {
					<-limit
					break
				}
				for i := 0; i < 20 && w.Running(); i++ {
					hal.Sleep(ctx, hal.SystemClock{}, 10*time.Millisecond)
				}
			}
			if w.Running() {
				w.PowerCut()
				point = "random moment"
			}
		}()
		for _, c := range [][]string{{"amount", amount}, {"swipe", card}, {"key", "enter"}, {"key", "enter"}} {
			if !w.Running() || w.Do(ctx, c[0], c[1:]...) != nil {
				break // the power went in the middle of it
			}
			if c[0] == "swipe" {
				w.Read()
			}
		}
		close(done)
		<-cut
		r.kills++
		r.at[point]++
		if err := w.PowerOn(ctx); err != nil {
			return r, fmt.Errorf("after kill %d: %w", r.kills, err)
		}
		if r.kills%8 == 0 { // let the reversals through that wait for settle_after
			if err := w.Advance(ctx, 2*time.Minute); err != nil {
				return r, err
			}
		}
		if r.kills%50 == 0 {
			if err := w.CheckStore(ctx); err != nil {
				return r, fmt.Errorf("after kill %d: store: %w", r.kills, err)
			}
		}
		progress(r.kills, kills, began)
	}
	if err := w.Advance(ctx, 10*time.Minute); err != nil {
		return r, err
	}
	if err := w.CheckStore(ctx); err != nil {
		return r, fmt.Errorf("store: %w", err)
	}
	if r.double, err = w.Double(); err != nil {
		return r, err
	}
	lost, err := w.Lost(ctx, time.Minute)
	if err != nil {
		return r, err
	}
	r.lost = len(lost)
	for _, l := range lost {
		fmt.Fprintln(os.Stderr, "lost:", l)
	}
	if r.open, err = w.Open(ctx); err != nil {
		return r, err
	}
	rows, err := w.Batch(ctx)
	r.approved, r.findings = len(rows), w.Faults()
	return r, err
}
