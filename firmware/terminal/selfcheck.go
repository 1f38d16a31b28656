package terminal

import (
	"context"
	"time"

	"swipewell/firmware/care"
	"swipewell/firmware/txn"
	"swipewell/hal"
)

// echoWait is how long a self-check waits for the host: a dial and an answer, and
// what they retry.
const (
	echoWait = 2 * time.Minute
	idleWait = 10 * time.Second // for whoever is at the device to have done
)

// SelfCheck is what the device finds when it looks at itself; with echo it asks
// the host for a sign of life, unless something is under way. It moves no money.
func (t *Terminal) SelfCheck(ctx context.Context, echo bool) (f care.Facts, err error) {
	var running bool
	look := func() {
		if running = t.care.checking; !running {
			f = t.checkFacts(-2)
		}
	}
	if !echo {
		err = t.Do(ctx, func() { f = t.checkFacts(-2) })
		return f, err
	}
	asked := false
	for until := t.clock.Now().Boot + idleWait; !asked && t.clock.Now().Boot < until; {
		if err := t.Do(ctx, func() {
			if p := t.state.Phase; t.state.Work == txn.WorkNone && (p == txn.Ready || p == txn.Paging) && !t.care.checking {
				t.check(true)
				asked = t.care.checking
			}
			look()
		}); err != nil {
			return f, err
		}
		if !asked && hal.Sleep(ctx, t.clock, 200*time.Millisecond) != nil {
			return f, ctx.Err()
		}
	}
	if !asked {
		return f, nil
	}
	for until := t.clock.Now().Boot + echoWait; running && t.clock.Now().Boot < until; {
		if err := hal.Sleep(ctx, t.clock, 50*time.Millisecond); err != nil {
			return f, err
		}
		if err := t.Do(ctx, look); err != nil {
			return f, err
		}
	}
	err = t.Do(ctx, func() {
		f = t.checkFacts(-2)
		if f.Echo = -1; !t.care.checking {
			f.Echo = t.care.echo
		}
	})
	return f, err
}

// Idle tells that nothing is under way and nobody is at the device: this life may end
// and the next begin. Only in the loop.
func (t *Terminal) Idle() bool {
	return t.state.Phase == txn.Ready && t.resting() && !t.care.checking
}
