package soak

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"swipewell/firmware/card"
	"swipewell/firmware/pos"
	"swipewell/firmware/sim/acquirer"
	"swipewell/firmware/sim/stage"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// Run lives one life of so many orders.
func Run(o Opts) (Result, error) {
	l, err := newLife(o)
	if err != nil {
		return Result{}, err
	}
	defer l.Close()
	if err := l.start(); err != nil {
		return l.out, err
	}
	day := &Day{l}
	for i := range o.Sales {
		if o.Day != nil {
			o.Day(day, i)
		}
		if err := l.order(); err != nil {
			return l.out, fmt.Errorf("seed %d, order %d: %w", o.Seed, i, err)
		}
		if i%100 == 0 && l.Term.State().Durable.Reversals > 0 {
			if err := l.supervise(); err != nil {
				return l.out, fmt.Errorf("seed %d, order %d: %w", o.Seed, i, err)
			}
		}
	}
	return l.finish()
}

// order sells one thing to one customer.
func (l *life) order() error {
	f := l.world.faults
	amount := 100 + int64(l.rnd.IntN(50_000))
	l.current = &order{amount: amount, asked: amount}
	l.orders = append(l.orders, l.current)
	l.out.Sales++
	if l.world.hit(f.Decline) {
		l.Host.Command("decline", []string{"51", "91", "96", "05", "68", "98", "A0", "61"}[l.world.rnd.IntN(8)], "-n", "1")
	}
	if l.world.hit(f.Silent) {
		l.Host.Command("answer", "silent", "-n", "1")
	}
	if l.world.hit(f.Clock) {
		l.Clock.Wall = l.Clock.Wall.Add(time.Duration(l.world.rnd.IntN(2000)-1000) * time.Hour)
	}
	if l.world.hit(f.Settle) {
		if err := l.settle(); err != nil {
			return err
		}
	}
	card := l.rnd.IntN(len(l.cards))
	for l.current.tries = 1; l.current.tries <= 8; l.current.tries++ {
		if err := l.attempt(l.cards[card]); err != nil {
			return err
		}
		if l.current.said != 0 {
			l.out.Approved++
			break
		}
		// The same order again: same card, another card, after a while; sometimes
		// the cashier keys a little less.
		l.current.asked = l.current.amount
		if l.rnd.IntN(5) == 0 {
			l.current.asked -= 1 + int64(l.rnd.IntN(9))
		}
		switch l.rnd.IntN(4) {
		case 0:
		case 1:
			card = l.rnd.IntN(len(l.cards))
		case 2:
			if err := l.Wait(time.Duration(l.rnd.IntN(120)) * time.Second); err != nil {
				return err
			}
		default:
			if err := l.Wait(time.Duration(l.rnd.IntN(20)) * time.Second); err != nil {
				return err
			}
		}
	}
	return l.Wait(time.Duration(1+l.rnd.IntN(30)) * time.Second)
}

// attempt presents a card for the present order.
func (l *life) attempt(c acquirer.Card) error {
	if err := l.ready(); err != nil {
		return err
	}
	amount := fmt.Sprint(l.current.asked)
	if err := l.Press(append(stage.Digits(amount), "enter")...); err != nil {
		return err
	}
	if l.Term.State().Phase != txn.AwaitCard {
		return nil // a power failure, a full disk
	}
	if l.world.hit(l.world.faults.BadStripe) {
		if err := l.Swipe(c, hal.FaultLRC); err != nil {
			return err
		}
	}
	open, boots := l.open(c), l.Boots
	if err := l.Swipe(c, hal.TrackOK); err != nil {
		return err
	}
	if open && l.Boots == boots {
		// A disk that failed in that moment ended the sale: that is no way past the gate.
		if s := l.Term.State(); s.Phase == txn.AwaitCard || s.Code == prompt.StoreFault {
			l.out.Held++
		} else {
			l.out.Slipped++
		}
	}
	if err := l.answer(); err != nil {
		return err
	}
	switch l.Term.State().Phase {
	case txn.Confirming: // it is read before keys act
		if err := l.Wait(2 * time.Second); err != nil {
			return err
		}
		if err := l.Press("enter"); err != nil {
			return err
		}
	case txn.AwaitCard: // gated: wait for the gate, or leave it
		if err := l.gated(c, time.Duration(l.rnd.IntN(100))*time.Second); err != nil {
			return err
		}
		if l.Term.State().Phase == txn.AwaitCard {
			return l.Press("cancel")
		}
	case txn.Stopped:
		return l.Press("cancel")
	}
	for i := 0; i < 20 && l.Term.State().Phase == txn.Preparing; i++ {
		if err := l.Wait(time.Second); err != nil {
			return err
		}
	}
	l.hear()
	return nil
}

// answer is what cashier and supervisor do where a rule asks or stops: the order
// is not paid, so it is a second one; some wait, some call the supervisor, and
// some give up.
func (l *life) answer() error {
	for range 4 {
		switch s := l.Term.State(); s.Phase {
		case txn.Choosing:
			l.out.Asked++
			if err := l.Press("3"); err != nil {
				return err
			}
		case txn.Stopped:
			l.out.Stopped++
			if l.rnd.IntN(3) == 0 || s.Stop.Factors != throttle.PIN {
				return nil
			}
			if err := l.Press(append(append(append([]txn.Key{"f2"}, stage.Digits("90")...), "enter"), append(stage.Digits(stage.Boss.Hash), "enter")...)...); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

// open tells whether a payment of a card is not settled.
func (l *life) open(c acquirer.Card) bool {
	if l.Term.State().Durable.Reversals == 0 {
		return false
	}
	pan, err := card.ParsePAN([]byte(c.PAN))
	if err != nil {
		return false
	}
	ref, err := card.Ref(func(b []byte) ([32]byte, error) { return l.Keys.HMAC(hal.SlotCardRef, 0, b) }, pan)
	return err == nil && l.Term.Gated(ref)
}

// gated waits before a gate, and measures how long after the host's word it
// opens.
func (l *life) gated(c acquirer.Card, d time.Duration) error {
	settled := time.Duration(-1)
	for end := l.Clock.Boot + d; l.Clock.Boot < end; {
		if err := l.Wait(time.Second); err != nil {
			return err
		}
		s := l.Term.State()
		if settled < 0 && !l.open(c) {
			settled = l.Clock.Boot
		}
		if settled >= 0 && (s.Phase != txn.AwaitCard || s.Code == prompt.Card) {
			l.out.Freed = max(l.out.Freed, l.Clock.Boot-settled)
			return nil
		}
		if s.Phase != txn.AwaitCard {
			return nil
		}
	}
	return nil
}

// ready brings the terminal to where an amount can be keyed.
func (l *life) ready() error {
	for i := range 400 {
		switch s := l.Term.State(); s.Phase {
		case txn.Ready, txn.Result:
			return nil
		case txn.Settling, txn.Halted:
			if i == 100 { // nobody closes a shop on a dead line: it comes back
				l.world.down = false
			}
			if err := l.Wait(10 * time.Second); err != nil {
				return err
			}
			if i == 399 {
				return fmt.Errorf("soak: stays %v with %s", s.Phase, s.Code)
			}
		default:
			if err := l.Press("cancel"); err != nil {
				return err
			}
		}
	}
	return nil
}

// hear is the customer reading the screen.
func (l *life) hear() {
	s := l.Term.State()
	if l.current == nil || l.current.said != 0 {
		return
	}
	last := s.Durable.Last
	if strings.HasPrefix(string(s.Code), "A-SAL-") && last.Amount.Minor == l.current.asked && s.Phase == txn.Result {
		l.current.said = last.Amount.Minor
	}
	if s.Code == prompt.Recovered && l.byStan[last.ID.Batch.String()+last.ID.STAN.String()] == l.current {
		l.current.said = last.Amount.Minor
	}
}

// settle asks for a settlement and waits for its end.
func (l *life) settle() error {
	if err := l.ready(); err != nil {
		return err
	}
	l.out.Settlements++
	keys := txn.MenuKeys(prompt.MenuSettle)
	for _, k := range keys {
		if err := l.Press(txn.Key(k)); err != nil {
			return err
		}
	}
	return nil
}

// finish ends the faults, waits ten minutes and adds up.
func (l *life) finish() (Result, error) {
	l.world.faults, l.world.down, l.disk = Faults{}, false, ""
	l.Host.Command("answer", "normal")
	l.Host.Command("answer", "normal", "-mti", "all")
	l.out.Faults, l.out.Crashes = l.world.faulty, l.Crashes
	if err := l.Wait(10 * time.Minute); err != nil {
		return l.out, err
	}
	if err := l.supervise(); err != nil {
		return l.out, err
	}
	s := l.Term.State()
	l.out.Open = s.Durable.Reversals
	if s.Durable.Open.Open() || s.Durable.Settle.Step != txn.NotSettling {
		l.out.Open++
	}
	if err := l.Store.Check(); err != nil {
		return l.out, fmt.Errorf("seed %d: store: %w", l.o.Seed, err)
	}
	net := map[*order]int64{}
	owner := map[int]*order{}
	for _, e := range l.Host.Books() {
		if !e.Booked {
			continue
		}
		if e.Kind == acquirer.KindReversal {
			l.out.Reversed++
			net[owner[e.Orig]] += e.Net
			continue
		}
		o := l.byStan[e.Batch.String()+e.STAN.String()]
		owner[e.Seq] = o
		net[o] += e.Net
	}
	for i, o := range l.orders {
		switch {
		case net[o] > o.amount:
			l.out.Double++
			l.why("order %d of %d was charged %d after %d tries", i, o.amount, net[o], o.tries)
		case o.said != net[o]:
			l.out.Lost++
			l.why("order %d of %d: told that %d is paid, charged %d after %d tries", i, o.amount, o.said, net[o], o.tries)
		}
	}
	for _, f := range l.Host.Faults() {
		l.out.Findings++
		l.why("the host found: %s", f)
	}
	if n := net[nil]; n != 0 {
		l.out.Double++
		l.why("%d charged for nobody", n)
	}
	return l.out, nil
}

// supervise is a person with the acquirer on the phone: what the host cannot say
// of a batch that is closed is closed by hand.
func (l *life) supervise() error {
	recs, err := l.Store.Records()
	if err != nil {
		return err
	}
	for _, r := range recs {
		if r.State != pos.RecordUnresolved && r.State != pos.RecordRefused {
			continue
		}
		l.out.ByHand++
		var cerr error
		if err := l.Do(func() { _, cerr = l.Term.CloseRecord(r.STAN, "soak") }); err != nil || cerr != nil {
			return errors.Join(err, cerr)
		}
	}
	return nil
}

func (l *life) why(format string, a ...any) {
	if len(l.out.Why) < 5 {
		l.out.Why = append(l.out.Why, fmt.Sprintf(format, a...))
	}
}

// Add sums ledgers up.
func (r *Result) Add(o Result) {
	r.Sales += o.Sales
	r.Approved += o.Approved
	r.Reversed += o.Reversed
	r.Double += o.Double
	r.Lost += o.Lost
	r.Open += o.Open
	r.Faults += o.Faults
	r.Crashes += o.Crashes
	r.Settlements += o.Settlements
	r.ByHand += o.ByHand
	r.Held += o.Held
	r.Slipped += o.Slipped
	r.Freed = max(r.Freed, o.Freed)
	r.Asked += o.Asked
	r.Stopped += o.Stopped
	r.Told += o.Told
	r.Early += o.Early
	r.Findings += o.Findings
	r.Why = append(r.Why, o.Why...)
}
