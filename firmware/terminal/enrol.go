package terminal

import (
	"context"
	"errors"
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
