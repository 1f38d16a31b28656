package flash

import (
	"context"
	"errors"
	"fmt"
	"time"

	"swipewell/firmware/update/flashwire"
)

// begin lets the device start again, so that the trial begins.
func (d *device) begin(ctx context.Context, l *link) error {
	d.say(Restarting, "")
	if d.facts.State != flashwire.Pending && d.asked {
		return nil // the answer was lost, and it has started
	}
	d.asked = true
	err := l.ask(ctx, flashwire.NewRestart())
	var t *flashwire.Trouble
	switch {
	case errors.As(err, &t) && t.Code == plainTrouble:
		d.say(Waiting, wordsSwitch)
		return nil
	case errors.Is(err, flashwire.ErrSilent):
		return nil // it starts: the questions of wait find out
	}
	return err
}

// plainTrouble is the code of what is no refusal of firmware/update.
const plainTrouble = "F-UPD-00"

// Times of the wait.
const (
	askTrial = time.Second
	idle     = 30 * time.Second // a device that has not started again by then needs a hand
)

// wait asks the device for its builds until the trial has ended.
func (d *device) wait(ctx context.Context, l *link) error {
	sum := d.res.Sum
	// The device is at the rate of rest once it has started.
	if l.baud != d.o.Safe {
		if err := l.setBaud(ctx, d.o.Safe); err != nil {
			return err
		}
	}
	for {
		a := flashwire.NewHello(2 * time.Second)
		err := l.ask(ctx, a)
		now := d.now()
		switch {
		case err != nil && !errors.Is(err, flashwire.ErrSilent):
			return err
		case err != nil:
			if d.show.Stage != Waiting {
				d.say(Restarting, "it starts")
			}
		case a.Facts.Serial != d.res.Serial:
			return &flashwire.Trouble{Text: "another terminal answers now: " + a.Facts.Serial, Hint: "plug the cable into " + d.res.Serial + " to see how its trial ends"}
		case a.Facts.Running == sum && a.Facts.State == flashwire.Trying:
			d.say(OnTrial, fmt.Sprintf("for %v; it confirms itself after a minute of health", (now-d.trial).Round(time.Second)))
		case a.Facts.Running == sum:
			d.res.Outcome, d.res.Text = Confirmed, "it runs "+d.res.To+" and has confirmed it"
			return nil
		case a.Facts.State == flashwire.Pending:
			if now > d.trial+idle || d.show.Stage == Waiting {
				d.say(Waiting, wordsSwitch)
			}
		default:
			d.res.Outcome = RolledBack
			d.res.Text = fmt.Sprintf("the trial failed and it runs %s again", or(a.Facts.Version, d.res.From))
			if a.Facts.Why != "" {
				d.res.Text += ": " + a.Facts.Why
			}
			d.res.Hint = "read its log (postool log --serial …) before you try this build again; the terminal works as before"
			return nil
		}
		if now > d.trial+d.o.Confirm {
			d.res.Outcome, d.res.Text = Unconfirmed, fmt.Sprintf("the trial has not ended after %v", d.o.Confirm)
			d.res.Hint = "leave the terminal on: it confirms or rolls back by itself; ask again with --dry-run"
			return nil
		}
		if err := l.pause(ctx, askTrial); err != nil {
			return err
		}
	}
}

// note gives the service record to the device; one that does not take it is said
// in the report and fails nothing.
func (d *device) note(ctx context.Context, l *link) error {
	d.res.Seconds = (d.now() - d.began).Seconds()
	d.tally(l)
	err := l.ask(ctx, flashwire.NewNote(d.res.Service(*d.o)))
	d.res.Noted = err == nil
	return ctx.Err()
}
