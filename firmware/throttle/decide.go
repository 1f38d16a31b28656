package throttle

import (
	"time"

	"swipewell/ui/prompt"
)

// Attempt is what is about to be done.
type Attempt struct {
	On     Point
	What   What
	Amount int64 // minor units
	Op     uint8 // the operator's number
	Entry  Entry
	Form   uint16 // number of the form in front of us, for what happened in it
	Qty    bool   // the cashier keyed how many
	Order  bool   // it has an order reference
	Linked bool   // it refers to an original: completion, tip, adjustment
}

// Facts are what rules look at.
type Facts struct {
	Now      Moment
	Card     Card
	Tags     Tags
	Log      *Log
	Desk     Desk
	Learned  Learned
	Limit    int64 // a payment's, minor units
	Grant    Grant
	Open     bool  // an earlier payment of this card is not settled
	InFlight bool  // one is under way
	Paid     bool  // this order reference has paid
	Full     bool  // the table is full of cards that may not be forgotten, and this one is not in it
	DeskDay  int64 // what the terminal took today, minor units
	// Just is what happened this moment, for rules that are asked because of it:
	// it is not in the log yet. Zero: nothing.
	Just Event
}

// Desk is the state of rules that are not a card's. It is small and comparable:
// it is kept with the money.
type Desk struct {
	TAT   Time `json:"tat,omitempty"`   // of the pace
	Keyed Time `json:"keyed,omitempty"` // no keyed number until
	Swipe Time `json:"swipe,omitempty"` // no stripe until
	By    ID   `json:"by,omitempty"`    // the rule that locked
	Safe  Time `json:"safe,omitempty"`  // the table was lost: every card is asked about until
	Wrong int  `json:"wrong,omitempty"` // PINs of people wrong since the last lock
	// Whose of them are whose, "90:2 91:1": the right PIN of one person forgives
	// that person's alone.
	Whose  string `json:"whose,omitempty"`
	Closed Time   `json:"closed,omitempty"`
}

// SafeTime is how long every card is asked about after the table was lost.
const SafeTime = 24 * time.Hour

// Grant is a second person's word for one card and amount. THROTTLE §3.4: one
// use, 120 s.
type Grant struct {
	Key     Key
	Amount  int64
	Until   Time
	Factors Factors
}

// GrantTime is how long an approval is good.
const GrantTime = 120 * time.Second

// good tells that the grant covers an attempt.
func (g Grant) good(k Key, amount int64, now Time, need Factors) bool {
	return g.Factors >= need && g.Factors != NoFactors && g.Key == k && g.Amount == amount && now < g.Until
}

// MaxHits is how many rules a decision lists.
const MaxHits = 12

// Hit is one rule that fired.
type Hit struct {
	ID     ID
	Action Action
	Count  int
}

// Decision is what the rules say of an attempt. It is comparable.
type Decision struct {
	Action   Action
	Rule     ID
	Text     prompt.Code
	Wait     Time // until when, throttle time; 0: no end is known
	Day      bool // until the acquirer's next day
	Count    int  // how often it happened, the attempt included
	Window   time.Duration
	Factors  Factors // Supervise: what it takes; else what would let it pass, NoFactors: nothing does
	Matched  Seen    // the newest outcome that matched
	Second   Seen    // the one before it
	Hits     [MaxHits]Hit
	HitCount int
	Cooled   Card // the card as this decision leaves it
	Changed  bool // Cooled differs from the card that came
}

// Stops tells that a person must do something first.
func (d Decision) Stops() bool { return d.Action.Stops() }

// Decide asks every rule, without an early end, and gives the strongest answer;
// of equal ones the lowest id. It is a pure function. THROTTLE §3.3.
func (r *Rules) Decide(a Attempt, f Facts) Decision {
	d := Decision{Cooled: f.Card}
	var scan scanner
	for i := range r.List {
		x := &r.List[i]
		if x.On&a.On == 0 || !r.applies(x, &a, &f) {
			continue
		}
		if x.slot >= 0 {
			scan.want(x, &f)
			continue
		}
		if h, ok := r.hit(x, &a, &f, nil); ok {
			d.take(x, h)
		}
	}
	if scan.active != 0 {
		r.scan(&scan, &a, &f)
		for i := range r.List {
			x := &r.List[i]
			if x.slot < 0 || scan.asked>>x.slot&1 == 0 {
				continue
			}
			if h, ok := r.hit(x, &a, &f, scan.tally(x)); ok {
				d.take(x, h)
			}
		}
	}
	r.limits(&d, &a, &f)
	d.extra(&a, &f)
	if d.Action == Cool || d.Action > Cool && d.Action < Hold && a.On == PreSale {
		d.penalise(r, &f)
	}
	return d
}

// hit is what one rule found.
type hit struct {
	count  int
	wait   Time
	day    bool
	newest Seen
	second Seen
}

// take keeps the strongest.
func (d *Decision) take(x *Rule, h hit) {
	if d.HitCount < MaxHits {
		d.Hits[d.HitCount] = Hit{x.ID, x.Action.Do, h.count}
		d.HitCount++
	}
	if x.Action.Do < d.Action || x.Action.Do == d.Action && d.Rule != 0 && d.Rule < x.ID {
		return
	}
	d.Action, d.Rule, d.Text = x.Action.Do, x.ID, x.text
	d.Wait, d.Day, d.Count, d.Window = h.wait, h.day, h.count, x.Window.Dur
	d.Matched, d.Second = h.newest, h.second
	d.Factors = x.Action.Override
	if x.Action.Do == Supervise {
		d.Factors = x.Action.Factors
	}
}

// applies looks at what needs no history: the attempt itself, and exemptions.
func (r *Rules) applies(x *Rule, a *Attempt, f *Facts) bool {
	if !r.thisFits(x, a, f) {
		return false
	}
	need := x.Action.Override
	if x.Action.Do == Supervise {
		need = x.Action.Factors
	}
	now := f.Now.At
	switch {
	case x.Unless&UnlessOrder != 0 && a.Order, x.Unless&UnlessQuantity != 0 && a.Qty, x.Unless&UnlessLinked != 0 && a.Linked,
		x.Unless&UnlessGrant != 0 && f.Grant.good(f.Card.Key, a.Amount, now, max(need, PIN)),
		need != NoFactors && f.Grant.good(f.Card.Key, a.Amount, now, need),
		// It waits already, or it was waited for and nothing has come since.
		x.Action.Do == Cool && (f.Card.served(now) || f.Card.Cooling(now) > 0):
		return false
	}
	return true
}

// hit evaluates one rule that applies; m is what the log held for it, nil for a
// rule that asks the card's ring or none.
func (r *Rules) hit(x *Rule, a *Attempt, f *Facts, m *tally) (h hit, ok bool) {
	now := f.Now.At
	switch x.Window.Kind {
	case InFlight:
		return h, f.InFlight
	case Unresolved:
		return h, f.Open
	case Rate:
		_, wait := x.Window.Rate.Take(f.Desk.TAT, now)
		h.wait = now + wait
		return h, wait > 0
	case Ever:
		if x.Match.isZero() && len(x.Measure) == 0 {
			// It looks at the attempt alone, or at what its order has paid.
			return h, f.Paid || !x.This.isZero()
		}
	}
	if m == nil {
		m = &tally{want: x.want()}
		r.ring(m, x, a, f)
	}
	if !m.fits(x, f) {
		return h, false
	}
	h.count, h.newest, h.second = m.n+1, m.newest, m.second
	h.wait, h.day = m.ends(x, now)
	return h, x.Action.Do != Refuse || x.Action.Until != UntilFor || now < h.wait
}

func (m Match) isZero() bool {
	return len(m.Whats)+len(m.Outcomes)+len(m.Classes)+len(m.RCs)+len(m.Entries) == 0 && m.Same == 0 && m.Amount.IsZero()
}

// thisFits looks at the attempt itself. A condition on "matched" waits for the
// events.
func (r *Rules) thisFits(x *Rule, a *Attempt, f *Facts) bool {
	t := x.This
	if len(t.Entries) > 0 && !contains(t.Entries, a.Entry) {
		return false
	}
	if t.Outside != 0 && f.Learned.Open(f.Now.Minute, int32(t.Outside/time.Minute)) {
		return false
	}
	if t.NoSale {
		for i := range f.Card.Len() {
			if s := f.Card.At(i); s.Outcome == Approved && (s.Kind == Sale || s.Kind == Completion || s.Kind == Offline) {
				return false
			}
		}
	}
	return t.Amount.fits(a.Amount, 0, f)
}

// fits tells whether an amount meets the conditions.
func (c *Amounts) fits(amount, matched int64, f *Facts) bool {
	switch {
	case amount < c.Min,
		c.Multiple != 0 && (amount == 0 || amount%c.Multiple != 0),
		c.OfLimit != 0 && (f.Limit <= 0 || amount*100 < f.Limit*int64(c.OfLimit)),
		c.P90 && (f.Learned.P90 == 0 || amount < f.Learned.P90),
		c.Matched && matched != 0 && amount < matched:
		return false
	}
	return true
}

func contains[T comparable](list []T, x T) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

// fits tells whether the measures hold.
func (t *tally) fits(x *Rule, f *Facts) bool {
	if len(x.Measure) == 0 {
		return t.n >= 1
	}
	for _, m := range x.Measure {
		var have, want int64 = 0, m.N
		switch m.Of {
		case Count:
			have = int64(t.n)
		case Sum:
			have = t.sum
			if m.Scale == OfMedian {
				if f.Learned.MedianHour == 0 || f.Learned.Days < MinDays {
					return false
				}
				want = m.N * f.Learned.MedianHour
			}
		case DistinctCards:
			have = int64(t.distinct)
			if t.distinct == distinctMost && !m.Least { // more than are told apart: not few
				return false
			}
			if m.Scale == OfCount {
				have, want = have*100, m.N*int64(t.n)
			}
		}
		if m.Least && have < want || !m.Least && have > want {
			return false
		}
	}
	return true
}

// ends is when the rule lets go by itself.
func (t *tally) ends(x *Rule, now Time) (at Time, day bool) {
	switch x.Action.Do {
	case Refuse:
		switch x.Action.Until {
		case UntilFor:
			return t.newest.At + x.Action.Dur, false
		case UntilDay:
			return 0, true
		}
		return 0, false
	case Cool:
		return now + x.Action.Dur, false
	case Lock:
		return now + x.Action.Dur, false
	}
	if x.Window.Kind == Sliding && t.nth != 0 {
		return t.nth + x.Window.Dur, false
	}
	return 0, x.Window.Kind == CalendarDay
}

// OwnRules is the first number of rules that are not the build's: an acquirer's or
// a shop's own.
const OwnRules = 36

// Ids of what is not in a file: limits of the settings, and states of the desk.
var (
	IDCardDay = MakeID(30, 0) // a card's day
	IDDeskDay = MakeID(31, 0) // the terminal's day
	IDTypo    = MakeID(32, 0) // an amount that no sale here has
	IDSafe    = MakeID(33, 0) // the table was lost
	IDLocked  = MakeID(34, 0) // a way of entry is locked
	IDCooling = MakeID(35, 0) // a cool-down is under way
)

// limits are the amounts of the settings. THROTTLE §1 C11.
func (r *Rules) limits(d *Decision, a *Attempt, f *Facts) {
	if a.On != PreSale {
		return
	}
	_, sum := f.Card.Today(f.Now.Day)
	switch s := r.Set; {
	case s.CardDay > 0 && sum+a.Amount > s.CardDay:
		d.force(Refuse, IDCardDay, prompt.RuleCardDay, 0, PIN, f, a)
		d.Day = d.Rule == IDCardDay
	case s.Desk > 0 && f.DeskDay+a.Amount > s.Desk:
		d.force(Refuse, IDDeskDay, prompt.RuleDeskDay, 0, PIN, f, a)
		d.Day = d.Rule == IDDeskDay
	}
}

// extra are the states that no rule of a file has: a lost table, a locked way of
// entry, a cool-down that runs.
func (d *Decision) extra(a *Attempt, f *Facts) {
	now := f.Now.At
	if a.On != PreSale {
		return
	}
	if f.Desk.Safe > now || f.Full {
		d.force(Ask, IDSafe, prompt.RuleSafe, f.Desk.Safe, PIN, f, a)
	}
	if left := f.Card.Cooling(now); left > 0 {
		d.force(Cool, IDCooling, prompt.RuleCooling, now+left, PIN, f, a)
	}
	locked := Time(0)
	switch a.Entry {
	case Keyed:
		locked = f.Desk.Keyed
	case Swiped, Fallback:
		locked = f.Desk.Swipe
	}
	if locked > now {
		d.force(Lock, IDLocked, prompt.RuleLocked, locked, PIN, f, a)
	}
}

// force adds what stands outside the file, if it is the strongest so far and no
// grant passes it.
func (d *Decision) force(do Action, id ID, text prompt.Code, wait Time, override Factors, f *Facts, a *Attempt) {
	if override != NoFactors && f.Grant.good(f.Card.Key, a.Amount, f.Now.At, override) {
		return
	}
	if d.HitCount < MaxHits {
		d.Hits[d.HitCount] = Hit{ID: id, Action: do}
		d.HitCount++
	}
	if do > d.Action {
		d.Action, d.Rule, d.Text, d.Wait, d.Factors = do, id, text, wait, override
		d.Count, d.Window, d.Matched, d.Second, d.Day = 0, 0, Seen{}, Seen{}, false
	}
}

// penalise moves the card up the ladder, once for each stop that is not one
// already running.
func (d *Decision) penalise(r *Rules, f *Facts) {
	now := f.Now.At
	switch {
	case d.Rule == IDCooling || d.Rule == IDLocked || d.Rule == IDCardDay || d.Rule == IDDeskDay:
		return
	case d.Action == Cool:
		x, _ := r.Find(d.Rule)
		c := f.Card.cooled(now, x.Action.Dur)
		if !x.Action.Ladder {
			c.cool = ticks(now + x.Action.Dur)
		}
		d.Cooled, d.Changed, d.Wait = c, true, fromTicks(c.cool)
	case (d.Action == Supervise || d.Action == Lock) && now-fromTicks(f.Card.since) > time.Minute:
		d.Cooled, d.Changed = f.Card.penalised(now), true
	}
}
