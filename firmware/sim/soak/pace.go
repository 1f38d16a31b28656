package soak

import (
	"fmt"
	"os"
	"slices"
	"time"

	"swipewell/firmware/sim/stage"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// Drained is how an outbox went out over a slow line.
type Drained struct {
	Busy float64       // bytes both ways ÷ what the line could have carried
	Took time.Duration // of virtual time
}

// allow is store and forward without a limit that matters.
var allow = txn.Offline{Each: 1 << 40, Total: 1 << 50, Count: 1 << 20, Age: 1000 * time.Hour}

// offline opens a life whose outbox holds n offline sales, the line down.
func offline(dir string, n int) (*life, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	l, err := newLife(Opts{Seed: 1, Dir: dir, Offline: allow, NoRules: true})
	if err != nil {
		return nil, err
	}
	if err := l.start(); err != nil {
		return nil, err
	}
	if err := l.pick(prompt.MenuSignOn); err != nil {
		return nil, err
	}
	l.world.down = true
	for i := range n {
		if err := l.keepOne(i); err != nil {
			return nil, fmt.Errorf("soak: offline sale %d: %w", i+1, err)
		}
	}
	return l, nil
}

func (l *life) pick(item prompt.Code) error {
	for _, k := range txn.MenuKeys(item) {
		if err := l.Press(txn.Key(k)); err != nil {
			return err
		}
	}
	return nil
}

// keepOne is one sale with a code by voice.
func (l *life) keepOne(i int) error {
	if err := l.pick(prompt.TitleOffline); err != nil {
		return err
	}
	if err := l.Press(append(stage.Digits(fmt.Sprint(100+i%900)), "enter", "1", "2", "3", "4", "5", "6", "enter")...); err != nil {
		return err
	}
	if err := l.Swipe(l.cards[i%len(l.cards)], hal.TrackOK); err != nil {
		return err
	}
	if err := l.Press("enter"); err != nil {
		return err
	}
	if c := l.Term.State().Code; c != prompt.OfflineDone {
		return fmt.Errorf("the screen says %s", c)
	}
	return nil
}

// Drain forwards n offline sales over a line of rate bit/s, in virtual time.
func Drain(dir string, n, rate int) (d Drained, err error) {
	l, err := offline(dir, n)
	if err != nil {
		return d, err
	}
	defer l.Close()
	if err := l.Wait(10 * time.Minute); err != nil { // the pause after a failed dial is over at its longest
		return d, err
	}
	l.world.down, l.world.rate = false, rate
	left := func() int {
		c, err := l.Store.Counts()
		if err != nil {
			return -1
		}
		return c.Queued
	}
	for i := 0; left() == n && i < 1000; i++ {
		if err := l.Wait(time.Second); err != nil {
			return d, err
		}
	}
	began, moved, have := l.Clock.Boot, l.world.moved, left()
	for i := 0; left() > 0; i++ {
		if i > 10*n || have < 0 {
			return d, fmt.Errorf("soak: %d advices stay", left())
		}
		if err := l.Wait(time.Second); err != nil {
			return d, err
		}
	}
	d.Took = l.Clock.Boot - began
	d.Busy = float64(l.world.moved-moved) * 8 / float64(rate) / d.Took.Seconds()
	return d, nil
}

// Pace is the median time that a whole healthy sale takes, terminal, store and
// host together, with so many advices waiting.
func Pace(dir string, waiting, sales int) (time.Duration, error) {
	l, err := offline(dir, waiting)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	// The host takes none of them meanwhile: each stays, due once in five minutes.
	l.world.down = false
	l.Host.Command("answer", "silent", "-mti", "0220")
	var took []time.Duration
	for i := range sales {
		l.current = &order{amount: int64(1000 + i), asked: int64(1000 + i)}
		began := hal.SystemClock{}.Now().Boot
		if err := l.attempt(l.cards[i%len(l.cards)]); err != nil {
			return 0, err
		}
		took = append(took, hal.SystemClock{}.Now().Boot-began)
		if l.current.said == 0 {
			return 0, fmt.Errorf("soak: sale %d: the screen says %s", i+1, l.Term.State().Code)
		}
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// Commits is how many commits of the store a healthy sale takes, with the rules
// or without; what waits for a commit to go with is not waited for.
func Commits(dir string, rules bool, sales int) (float64, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	l, err := newLife(Opts{Seed: 1, Dir: dir, NoRules: !rules})
	if err != nil {
		return 0, err
	}
	defer l.Close()
	if err := l.start(); err != nil {
		return 0, err
	}
	if err := l.pick(prompt.MenuSignOn); err != nil {
		return 0, err
	}
	total := uint64(0)
	for i := range sales {
		if err := l.Wait(5 * time.Hour); err != nil { // no card is seen too often
			return 0, err
		}
		l.current = &order{amount: int64(1000 + i), asked: int64(1000 + i)}
		before, _ := l.Store.Stats()
		if err := l.attempt(l.cards[i%len(l.cards)]); err != nil {
			return 0, err
		}
		after, _ := l.Store.Stats()
		if l.current.said == 0 {
			return 0, fmt.Errorf("soak: sale %d: the screen says %s", i+1, l.Term.State().Code)
		}
		total += after - before
	}
	return float64(total) / float64(sales), nil
}
