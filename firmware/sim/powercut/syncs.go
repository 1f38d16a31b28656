package powercut

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"swipewell/firmware/sim/world"
)

// Syncs of one sale.
type Syncs struct {
	Before int // while the customer waits
	Behind int // after they were told: the slip is printed
}

// SyncsPerSale makes sales that are approved and counts the syncs of each, on
// the disk that sees them; all must be alike.
func SyncsPerSale(ctx context.Context, o world.Opts, sales int) (n Syncs, err error) {
	w, err := world.New(o)
	if err != nil {
		return n, err
	}
	defer w.Close()
	l, unmount, err := Mount(w.Data(), filepath.Join(o.Dir, "disk"), func() Facts { return factsOf(w) }, uninteresting)
	if err != nil {
		return n, err
	}
	defer unmount()
	defer w.PowerCut()
	w.SetAttend(false)
	if err := w.Start(ctx); err != nil {
		return n, err
	}
	for i := range sales { // a card each: the rules have nothing to ask
		card := fmt.Sprintf("sync-%d", i)
		for _, s := range [][]string{{"card", card}, {"amount", fmt.Sprintf("%d.00", i+1)}, {"swipe", card}, {"key", "enter"}, {"key", "enter"}, {"clock", "advance", "2s"}} {
			if err := w.Do(ctx, s[0], s[1:]...); err != nil {
				return n, err
			}
			if s[0] == "swipe" {
				w.Read()
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// From word to word: what comes before the next money commit, whose first
	// sync is the side log's, is the last sale's.
	var each []Syncs
	var cur Syncs
	told, behind := 0, false
	for _, op := range l.Ops {
		if n := len(l.Facts[op.Fact].Told); n > told {
			each = append(each, cur)
			told, behind, cur = n, true, Syncs{}
		}
		if op.Kind != OpSync {
			continue
		}
		if strings.HasPrefix(op.Path, "backup/side-") {
			behind = false
		}
		if behind {
			cur.Behind++
		} else {
			cur.Before++
		}
	}
	if len(each) < 5 {
		return n, errors.New("powercut: too few sales were seen")
	}
	counts := map[Syncs]int{}
	// The first sales sign on, and make a log and a copy.
	for _, e := range each[3:] {
		counts[e]++
	}
	for e, c := range counts {
		if c > counts[n] {
			n = e
		}
	}
	return n, nil
}
