package days

import (
	"fmt"
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

// Opts of a life.
type Opts struct {
	Seed  uint64
	Shop  Shop
	Days  int             // that count; as many as Before come first
	Rules *throttle.Rules // nil: the throttle is off
	// Stories multiplies how often honest repeats happen; 0 means 1.
	Stories float64
	// Fresh counts from the first day, with nothing learned: for tests.
	Fresh bool
}

// Before is how many days are lived before the count begins: rules that need a
// past wait for it.
const Before = throttle.MinDays

// day is one day.
const day = 24 * time.Hour

// life is one shop with one device.
type life struct {
	shop    Shop
	stories float64
	rnd     chance
	desk    *desk
	wallet  *wallet
	known   []int32 // cards of regular customers
	agenda  agenda
	past    past

	orders   []*order
	ids      int32
	refs     int32
	waiting  map[int32][]waiting // by card
	counting bool
	trace    []Attempt
	out      Result
}

// Run lives one life and gives what it comes to, with every attempt of it.
func Run(o Opts) (Result, []Attempt, error) {
	l := &life{shop: o.Shop, stories: o.Stories, rnd: newChance(o.Seed, 1), waiting: map[int32][]waiting{}}
	if l.stories == 0 {
		l.stories = 1
	}
	l.out = Result{Profile: o.Shop.Name, Days: o.Days, Causes: map[Cause]int{}, Guides: map[Cause]int{}}
	l.wallet = newWallet(newChance(o.Seed, 2), o.Shop.Chip)
	for range o.Shop.Known {
		l.known = append(l.known, l.wallet.add())
	}
	h := &host{rnd: newChance(o.Seed, 3), books: map[pos.RecordID]*booking{}, open: map[pos.RecordID]*order{}}
	h.says25 = h.rnd.percent(hostSays25)
	l.desk = newDesk(o.Rules, h, l.wallet.scopesOf)
	l.desk.closed = l.reversed
	l.desk.took = func(e throttle.Event) {
		l.past.usual.Add(e)
		l.past.learn(l.desk.book)
	}
	before := Before
	if o.Fresh {
		before = 0
	}
	for n := range before + o.Days {
		l.counting = n >= before
		if err := l.day(n); err != nil {
			return l.out, l.trace, fmt.Errorf("%s, seed %d, day %d: %w", o.Shop.Name, o.Seed, n, err)
		}
	}
	l.out.close(l.trace, l.orders)
	l.out.Peers = ComparePeers(l.trace)
	return l.out, l.trace, nil
}

// day is one day's trade, from opening to the end of its settlement.
func (l *life) day(n int) error {
	midnight := time.Duration(n) * day
	mean := float64(l.shop.Visits)
	if n%7 >= 5 { // day 0 is a Monday
		mean *= l.shop.Weekend
	}
	for range l.rnd.poisson(mean) {
		at := midnight + time.Duration(l.shop.minute(l.rnd)*float64(time.Minute))
		l.agenda.add(at, l.visit)
	}
	end := midnight + time.Duration(l.shop.Close*float64(time.Hour))
	always := l.shop.Close-l.shop.Open == 24
	if !always {
		end += 30 * time.Minute // who is in the shop is served
	}
	for {
		v, ok := l.agenda.next(end)
		if !ok {
			break
		}
		l.desk.until(v.at)
		v.do()
	}
	if !always {
		l.agenda.clear()
	}
	return l.settle()
}

// settle is the end of the day: what is open is waited for, then the batch is
// settled.
func (l *life) settle() error {
	d := l.desk
	for i := 0; d.s.Durable.Reversals > 0 || d.s.Work != txn.WorkNone; i++ {
		if i == 120 {
			return fmt.Errorf("days: %d reversals stay open", d.s.Durable.Reversals)
		}
		d.wait(time.Minute)
	}
	d.keys("cancel")
	for _, k := range txn.MenuKeys(prompt.MenuSettle) {
		d.keys(txn.Key(k))
	}
	for i := 0; d.s.Durable.Settle.Step != txn.NotSettling; i++ {
		if i == 120 {
			return fmt.Errorf("days: the settlement stays at step %d", d.s.Durable.Settle.Step)
		}
		d.wait(10 * time.Second)
	}
	return nil
}
