package terminal

import (
	"context"
	"errors"
	"fmt"

	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

// What an update asks of the terminal.

// ErrBusy says that the terminal is under way with something that a restart would cut.
var ErrBusy = errors.New("the terminal is in use")

// MoneyOpen tells what of money is open, nil if nothing is: an update waits for it.
// A sale under way counts from its first key.
func (t *Terminal) MoneyOpen(ctx context.Context) (err error) {
	if derr := t.Do(ctx, func() { err = t.moneyOpen() }); derr != nil {
		return derr
	}
	return err
}

func (t *Terminal) moneyOpen() error {
	d := t.state.Durable
	switch n := len(t.box.All()); {
	case d.Open.Open():
		return fmt.Errorf("the outcome of %s is not known", d.Open.ID.STAN)
	case d.Settle.Step != 0:
		return errors.New("a settlement is half done")
	case d.Restored != txn.NotRestored:
		return errors.New("the data were restored and are not settled")
	case n > 0:
		return fmt.Errorf("%d records wait in the outbox", n)
	case inSale[t.state.Phase]:
		return fmt.Errorf("a transaction is under way (%v)", t.state.Phase)
	}
	return nil
}

// inSale are the phases between the first key of a transaction and its outcome.
var inSale = map[txn.Phase]bool{txn.Keying: true, txn.AwaitCard: true, txn.Confirming: true, txn.EnteringPIN: true, txn.Preparing: true, txn.Online: true,
	txn.Entering: true, txn.Looking: true, txn.Settling: true, txn.Choosing: true, txn.Stopped: true, txn.Typing: true, txn.Reading: true, txn.Picking: true, txn.Loading: true}

// Rest runs f in the loop if no sale, no message and no slip is under way: then the
// program may be started again. Money that waits in the outbox waits there after
// the start as before. Else it gives ErrBusy.
func (t *Terminal) Rest(ctx context.Context, f func()) (err error) {
	if derr := t.Do(ctx, func() {
		if !t.resting() {
			err = fmt.Errorf("%w (%v)", ErrBusy, t.state.Phase)
			return
		}
		f()
	}); derr != nil {
		return derr
	}
	return err
}

// resting tells that an end of this life now would cut nothing.
func (t *Terminal) resting() bool {
	s := t.state
	return !s.Durable.Open.Open() && !inSale[s.Phase] && s.Work == txn.WorkNone && !s.Printing && (s.Durable.Settle.Step == 0 || s.Phase == txn.Halted)
}

// Echo asks the host for a sign of life if nothing else is under way.
func (t *Terminal) Echo() {
	t.post(func() {
		if !t.care.checking && t.state.Work == txn.WorkNone && (t.state.Phase == txn.Ready || t.state.Phase == txn.Result) {
			t.check(true)
		}
	})
}

// Answered tells whether the host has answered anything since this life began.
func (t *Terminal) Answered() bool { return t.answered.Load() }

// heard notes an answer of the host.
func (t *Terminal) heard(e txn.Event) {
	switch e.Kind {
	case txn.AdminDone, txn.SignOnDone, txn.SaleDone:
		if e.Reply.Kind == txn.Answered {
			t.answered.Store(true)
		}
	}
}

// notice is a note of the device on the idle screen, where nothing else is noted.
func (t *Terminal) notice(s txn.State) (prompt.Code, prompt.Args) {
	if s.Phase != txn.Ready || s.Note != "" || t.o.Care.Notice == nil {
		return s.Note, s.NoteArgs
	}
	return t.o.Care.Notice()
}
