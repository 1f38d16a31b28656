package powercut

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"swipewell/firmware/sim/world"
	"swipewell/hal"
)

// Work is what a recording consists of.
type Work struct {
	World world.Opts
	Seed  uint64
	Sales int
	// Progress is told how far it is; may be nil.
	Progress func(done, of int)
}

// Record lets the real posd make sales, with lost answers, refusals, power
// failures, a copy of the store and a settlement, and records its disk.
func Record(ctx context.Context, k Work) (*Log, error) {
	r := rand.New(rand.NewPCG(k.Seed, 512))
	w, err := world.New(k.World)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	l, unmount, err := Mount(w.Data(), filepath.Join(k.World.Dir, "disk"), func() Facts { return factsOf(w) }, uninteresting)
	if err != nil {
		return nil, err
	}
	defer unmount()
	defer w.PowerCut() // before the folder goes
	w.SetAttend(false)
	if err := w.Start(ctx); err != nil {
		return nil, err
	}
	do := func(words ...string) bool { return w.Running() && w.Do(ctx, words[0], words[1:]...) == nil }
	for n := 1; n <= k.Sales; n++ {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		fault := r.IntN(10)
		switch fault {
		case 0:
			do("host", "answer", "lost", "-n", "1")
		case 1:
			do("host", "decline", "51", "-n", "1")
		case 2:
			do("host", "answer", "bad-mac", "-n", "1")
		}
		amount := fmt.Sprintf("%d.%02d", 10+n/100, n%100)
		card := fmt.Sprint("k", n) // a customer each: what rules make of one card is not the matter here
		do("card", card, "name=K")
		do("order", fmt.Sprint("o", n), amount)
		var gone chan struct{}
		if fault >= 7 {
			gone = make(chan struct{})
			moment := time.Duration(r.Int64N(int64(80 * time.Millisecond)))
			go func() {
				defer close(gone)
				hal.Sleep(ctx, hal.SystemClock{}, moment)
				w.PowerCut()
			}()
		}
		if do("amount", amount) && do("swipe", card) {
			w.Read()
			if do("key", "enter") {
				do("key", "enter")
			}
		}
		switch {
		case gone != nil:
			<-gone
		case fault == 0:
			w.Advance(ctx, 40*time.Second)
		default:
			w.Advance(ctx, time.Second)
		}
		if !w.Running() {
			if err := w.PowerOn(ctx); err != nil {
				return nil, fmt.Errorf("after sale %d: %w", n, err)
			}
		}
		if n%7 == 0 {
			w.Advance(ctx, 2*time.Minute)
		}
		if k.Progress != nil {
			k.Progress(n, k.Sales)
		}
	}
	if err := w.Advance(ctx, 10*time.Minute); err != nil {
		return nil, err
	}
	if lost, err := w.Lost(ctx, 20*time.Second); err != nil || len(lost) > 0 {
		return nil, fmt.Errorf("the recording itself went wrong: %v %w", lost, err)
	}
	do("txn", "settle")
	w.Advance(ctx, time.Minute)
	return l, w.Shutdown(ctx)
}

// uninteresting files are written without a promise.
func uninteresting(path string) bool {
	return strings.HasPrefix(path, "journal") || strings.HasSuffix(path, ".sock") || strings.HasPrefix(path, "drill.new") || strings.HasPrefix(path, "restore.new")
}

func factsOf(w *world.World) (f Facts) {
	f.Told = w.Told()
	for _, e := range w.Host.Books() {
		if e.Booked && e.ReversedBy == 0 && e.Net > 0 {
			f.Booked = append(f.Booked, Booking{Batch: e.Batch, STAN: e.STAN, Amount: e.Net})
		}
		f.High = max(f.High, e.STAN)
	}
	if w.Host.Seen("0320") > 0 { // the batch end, or the upload before it
		f.Settled = 1
	}
	return f
}
