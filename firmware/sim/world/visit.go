package world

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"swipewell/hal"
)

// Visit is one customer with their card: what they key at the PIN pad, and how far
// they get with it.
type Visit struct {
	Card string // of the tray
	PIN  string
	Cut  int  // so many digits of the PIN, then cancel; -1: all of them
	Type bool // the number is typed, not drawn
	Chip bool // the card goes into the slot, and comes out at the end
	Call bool // a supervisor is called where a rule stops, though the order is paid: it is taken back
}

// Shop gives the device its amount, card and PIN as a customer does, and waits
// until it is free again. The digits of the PIN are keyed up to cut, then the sale
// is cancelled; cut -1 keys all of them.
func (w *World) Shop(ctx context.Context, amount, card, pin string, cut int) error {
	if err := w.amountCmd(ctx, []string{amount}); err != nil {
		return err
	}
	return w.Present(ctx, Visit{Card: card, PIN: pin, Cut: cut})
}

// Present gives the device that asks for a card the customer's, and goes through
// what it asks until it is free again.
func (w *World) Present(ctx context.Context, v Visit) error {
	if p, _ := w.Panel.View(); p.Caption.Input == "number" {
		w.attendNow(true) // what a shop asks beside the amount; the cashier passes it by
	}
	if v.Chip {
		if err := w.insertCmd(ctx, []string{v.Card}); err != nil {
			return err
		}
		err := w.Through(ctx, v)
		w.mu.Lock()
		in := w.chip != nil
		w.mu.Unlock()
		if in {
			err = errors.Join(err, w.removeCmd(ctx, nil))
		}
		return err
	}
	if v.Type {
		if err := w.typeCard(ctx, v.Card); err != nil {
			return err
		}
	} else if err := w.swipeCmd(ctx, []string{v.Card}); err != nil {
		return err
	}
	return w.Through(ctx, v)
}

// typeCard keys a card's number and its expiry, as the card shows it: MMYY.
func (w *World) typeCard(ctx context.Context, name string) error {
	c, ok := w.Card(name)
	if !ok {
		return usage("no card %q in the tray", name)
	}
	if err := w.input(ctx, 5*time.Second, "card"); err != nil {
		return err
	}
	if err := w.press(ctx, hal.KeyF3); err != nil {
		return err
	}
	if err := w.keys(ctx, c.PAN); err != nil {
		return err
	}
	if v, _ := w.Panel.View(); v.Caption.Input == "card" {
		return nil // such a number cannot be
	}
	return w.keys(ctx, c.Expiry[2:]+c.Expiry[:2])
}

// refusals is how often a device may go on asking for a card in front of a
// customer who has no other.
const refusals = 3

// Through goes through what the device asks of a customer whose card is in its
// hands until it is free again. A power cut that was armed ends it, too.
func (w *World) Through(ctx context.Context, c Visit) error {
	began := w.Clock.Now().Boot
	keyed, asked := false, 0
	for range 400 {
		v, change := w.Panel.View()
		switch in := v.Caption.Input; {
		case !w.Running():
			return nil
		case in == "amount" || in == "ack":
			return nil
		case in == "confirm" && !keyed:
			if err := w.press(ctx, hal.KeyEnter); err != nil {
				return err
			}
			continue
		case in == "pin" && v.PINActive && !keyed:
			keyed = true
			if err := w.keyPIN(ctx, c); err != nil {
				return err
			}
			continue
		case in == "card" && !strings.HasPrefix(v.Caption.Code, "T-"):
			if asked++; asked > refusals {
				if err := w.press(ctx, hal.KeyCancel); err != nil {
					return err
				}
				asked = 0
				continue
			}
		case in == "card" && c.Call:
			w.approve(v.Caption.Lines)
		case in == "choice" || in == "card" || in == "number":
			w.attendNow(true)
		}
		if w.Clock.Now().Boot-began > 10*time.Minute {
			break
		}
		tick, stop := hal.After(hal.SystemClock{}, 20*time.Millisecond)
		select {
		case <-change:
			stop()
		case <-tick:
			if !w.Running() {
				return nil
			}
			if err := w.Panel.Advance(ctx, 2*time.Second, w.settle); err != nil && w.Running() {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	v, _ := w.Panel.View()
	return fmt.Errorf("the visit does not end: %s %s", v.Caption.Code, v.Caption.Input)
}

// keyPIN keys the PIN at the pad, whole or up to where the customer gives up.
func (w *World) keyPIN(ctx context.Context, c Visit) error {
	ks := digits(c.PIN)
	if c.Cut >= 0 {
		ks = append(ks[:min(c.Cut, len(ks))], hal.KeyCancel)
	} else {
		ks = append(ks, hal.KeyEnter)
	}
	for _, k := range ks {
		w.Panel.Key(k)
	}
	return w.settleDevice(ctx)
}
