package iso7816

import (
	"context"
	"errors"
	"sync"
	"time"

	"swipewell/hal"
)

// Ends of an exchange that did not come from the card; see [Turn.Begin].
var (
	ErrDown  = errors.New("powered down")
	ErrLimit = errors.New("it took too long")
)

// Turn lets one exchange at a time at a card, which a power-down ends: what every
// hal.ChipReader needs, whatever lies behind it. Make it with [NewTurn].
type Turn struct {
	busy chan struct{} // holds a token while nobody is at the card

	mu   sync.Mutex
	stop context.CancelCauseFunc // ends the exchange under way
}

// NewTurn is a turn that nobody has.
func NewTurn() *Turn {
	t := &Turn{busy: make(chan struct{}, 1)}
	t.busy <- struct{}{}
	return t
}

// Begin waits for the turn. The context ends with ErrDown as its cause by [Turn.End],
// and with ErrLimit after limit, if that is not 0. end gives the turn back.
func (t *Turn) Begin(ctx context.Context, clock hal.Clock, limit time.Duration) (_ context.Context, end func(), err error) {
	select {
	case <-t.busy:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	ctx, stop := context.WithCancelCause(ctx)
	still := func() bool { return false }
	if limit > 0 {
		still = clock.AfterFunc(limit, func() { stop(ErrLimit) })
	}
	t.mu.Lock()
	t.stop = stop
	t.mu.Unlock()
	return ctx, func() {
		t.mu.Lock()
		t.stop = nil
		t.mu.Unlock()
		still()
		stop(nil)
		t.busy <- struct{}{}
	}, nil
}

// End ends the exchange under way and takes the turn; back gives it back.
func (t *Turn) End() (back func()) {
	t.mu.Lock()
	if t.stop != nil {
		t.stop(ErrDown)
	}
	t.mu.Unlock()
	<-t.busy
	return func() { t.busy <- struct{}{} }
}
