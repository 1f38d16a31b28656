package terminal

import (
	"context"
	"errors"

	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
)

var errUnread = errors.New("the card was not read: draw it again")

// enrolment is a staff card that is being taken on as a token.
type enrolment struct {
	who  int
	done func(error)
}

// Enrol takes the next card that is drawn as the token of a person, on a
// supervisor's word at the service cable.
func (t *Terminal) Enrol(ctx context.Context, who int) error {
	ended := make(chan error, 1)
	var err error
	if derr := t.Do(ctx, func() {
		if p, ok := t.person(who); !ok || !p.Boss() {
			err = errors.New("no supervisor has this number")
			return
		}
		t.enrol = &enrolment{who, func(err error) { ended <- err }}
	}); derr != nil || err != nil {
		return errors.Join(derr, err)
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		t.Do(context.WithoutCancel(ctx), func() { t.enrol = nil })
		return ctx.Err()
	}
}

// learn takes what happened into what is usual here.
func (t *Terminal) learn(throttle.Event) {}

// usual is how many customers come in such an hour; 0 not learned yet.
func (t *Terminal) usual(throttle.Moment) float64 { return 0 }

// page is what stands on the page that is open.
func (t *Terminal) page(txn.State) string { return "" }
