package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"swipewell/drivers/iso7816/cardsim"
	"swipewell/drivers/tty/ttysim"
	"swipewell/hal"
)

// ChipMaker gives the chip of a card of the tray: the machine that answers on
// its contacts. A card without a chip is a nil machine, which is mute.
type ChipMaker func(name string) (cardsim.Machine, error)

// slotText is the slot of the board file.
func (w *World) slotText() string {
	if !w.icc {
		return ""
	}
	return fmt.Sprintf("[icc]\ndriver = \"iso7816-serial\"\nport = %q\nlines = %q\n\n", w.path("icc"), w.path("icc.lines"))
}

// plugSlot makes the slot's line anew; a card that was in is still in.
func (w *World) plugSlot(open func(name string) (*ttysim.Pair, error)) error {
	if !w.icc {
		return nil
	}
	line, err := open("icc")
	if err != nil {
		return err
	}
	s, err := cardsim.Listen(cardsim.SlotOpts{Socket: w.path("icc.lines"), Line: line, Clock: w.Clock})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slot = s
	if w.chip != nil {
		s.Insert(w.chip)
	}
	return nil
}

// insertCmd puts a card of the tray in the slot.
func (w *World) insertCmd(_ context.Context, args []string) error {
	switch {
	case w.o.Chip == nil:
		return &ErrLater{"insert", 5}
	case len(args) != 1:
		return usage("insert CARD")
	case !w.icc:
		return errors.New("insert: this board has no slot: board icc serial, before start")
	}
	m, err := w.o.Chip(args[0])
	if err != nil {
		return err
	}
	if m == nil {
		m = cardsim.New(cardsim.Opts{Knobs: cardsim.Knobs{Mute: true}})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.chip != nil {
		return errors.New("insert: a card is in already")
	}
	w.chip = m
	if w.slot != nil {
		w.slot.Insert(m)
	}
	return nil
}

// handTime is how long a hand needs at least between taking one card out and
// putting another in: a device sees the slot empty in between.
const handTime = 100 * time.Millisecond

// removeCmd takes it out, and waits until the device has noticed.
func (w *World) removeCmd(ctx context.Context, args []string) error {
	switch {
	case w.o.Chip == nil:
		return &ErrLater{"remove", 5}
	case len(args) != 0:
		return usage("remove")
	}
	w.mu.Lock()
	slot, in := w.slot, w.chip != nil
	w.chip = nil
	w.mu.Unlock()
	if !in {
		return errors.New("remove: no card is in")
	}
	if slot == nil {
		return nil
	}
	slot.Remove()
	for range 20 {
		if err := hal.Sleep(ctx, hal.SystemClock{}, handTime); err != nil || !slot.Powered() {
			return err
		}
	}
	return errors.New("remove: the device keeps an empty slot under power")
}
