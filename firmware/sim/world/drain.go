package world

import (
	"context"
	"fmt"
	"time"

	"swipewell/firmware/sim/acquirer"
	"swipewell/hal"
)

// Drained is how an outbox went out over a slow line, in real time.
type Drained struct {
	Busy   float64 // bytes both ways ÷ what the line could have carried
	Waited int     // messages between a sale's last key and its request
}

// Drain waits until count advices are out over a line of rate bit/s, and makes
// a sale in the midst of them.
func (w *World) Drain(ctx context.Context, count, rate int, say func(done, of int, began time.Time)) (d Drained, err error) {
	delivered := func() (n int) {
		for _, e := range w.Host.Books() {
			if e.Kind == acquirer.KindOffline {
				n++
			}
		}
		return n
	}
	for i := 0; delivered() == 0; i++ { // the pause after the failed dials
		if i > 100 {
			return d, fmt.Errorf("no advice goes out")
		}
		if err := w.Advance(ctx, 5*time.Second); err != nil {
			return d, err
		}
	}
	began := now()
	bytes := w.Modem.State().Moved
	sold := false
	for n := delivered(); n < count; n = delivered() {
		if err := hal.Sleep(ctx, hal.SystemClock{}, 20*time.Millisecond); err != nil {
			return d, err
		}
		say(n, count, began)
		if now().Sub(began) > 5*time.Minute {
			return d, fmt.Errorf("%d of %d advices after %v", n, count, now().Sub(began))
		}
		if !sold && n > count/2 {
			sold = true
			for _, s := range [][]string{{"amount", "7.77"}, {"swipe", "cup-debit-2"}, {"key", "enter"}} {
				if err := w.Do(ctx, s[0], s[1:]...); err != nil {
					return d, err
				}
			}
			from := delivered()
			if err := w.Do(ctx, "key", "enter"); err != nil {
				return d, err
			}
			for i := 0; ; i++ {
				if n := w.position(777); n > 0 {
					d.Waited = n - 1 - from
					break
				}
				if i > 1000 {
					return d, fmt.Errorf("the sale in the midst never reached the host")
				}
				hal.Sleep(ctx, hal.SystemClock{}, 10*time.Millisecond)
			}
		}
	}
	took := now().Sub(began)
	d.Busy = float64(w.Modem.State().Moved-bytes) * 8 / float64(rate) / took.Seconds()
	return d, nil
}

// position is where in the books the sale of that amount stands, from 1; 0 if it
// does not.
func (w *World) position(amount int64) int {
	for i, e := range w.Host.Books() {
		if e.Kind == acquirer.KindSale && e.Asked == amount {
			return i + 1
		}
	}
	return 0
}
