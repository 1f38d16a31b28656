package days

import (
	"time"

	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
)

// Cause is what one rule did: a word of its action.
type Cause struct {
	Rule   string `json:"rule"`
	Action string `json:"action"`
}

// Late divides accidental repeats by how late they come.
type Late int

const (
	TenSeconds Late = iota
	TenMinutes
	LongTail
	lates
)

var lateNames = [lates]string{"≤10 s", "≤600 s", "later"}

func (l Late) String() string { return lateNames[l] }

func lateOf(d time.Duration) Late {
	switch {
	case d <= 10*time.Second:
		return TenSeconds
	case d <= 600*time.Second:
		return TenMinutes
	}
	return LongTail
}

// Noticed is how accidental repeats came to somebody's notice.
type Noticed struct {
	Count      int `json:"count"`
	Absorbed   int `json:"absorbed"` // the earlier result was shown again
	Asked      int `json:"asked"`
	Shown      int `json:"shown"` // the earlier payment stood beside the confirm step
	Stopped    int `json:"stopped"`
	Overlooked int `json:"overlooked"` // of those shown: charged all the same
}

// Surfaced is how many came to notice, an overlooked one as well: it stood on
// the screen.
func (n Noticed) Surfaced() int { return n.Absorbed + n.Asked + n.Shown + n.Stopped }

func (n *Noticed) add(o Noticed) {
	n.Count += o.Count
	n.Absorbed += o.Absorbed
	n.Asked += o.Asked
	n.Shown += o.Shown
	n.Stopped += o.Stopped
	n.Overlooked += o.Overlooked
}

// Result is what a life of days comes to. Honest purchases count once in each
// column, whatever they met how often.
type Result struct {
	Profile  string `json:"profile"`
	Days     int    `json:"days"`
	Payments int    `json:"payments"` // honest purchases
	Attempts int    `json:"attempts"` // cards presented for them, and the accidents
	Paid     int    `json:"paid"`     // purchases that ended with a payment

	Asked    int `json:"asked"`
	Noted    int `json:"noted"`
	Absorbed int `json:"absorbed"`
	Waited   int `json:"waited"`
	Called   int `json:"called"`
	Refused  int `json:"refused"`  // although the bank would have paid
	Passed   int `json:"passed"`   // refused with the word that the bank had given, and would have given again
	Needless int `json:"needless"` // purchases that waited, called or were refused where the bank would have paid, Own apart
	Own      int `json:"own_open"` // of those that waited: for the same card's own open payment (R01), which is what it is for

	Causes    map[Cause]int `json:"-"`
	Guides    map[Cause]int `json:"-"` // what was said of keys and of reading
	VoidStops int           `json:"void_stops"`

	Repeats [lates]Noticed `json:"repeats"`

	Reswipes  int `json:"reswipes"` // while the fate of the last try was open
	Held      int `json:"held"`
	Booked    int `json:"booked"`      // of the re-swipes: the host had booked the last try
	BookedHit int `json:"booked_held"` // and they were held
	Settled   int `json:"settled"`     // would-be re-swipes that came after the reversal

	Double int `json:"double"` // orders charged twice by a lost answer
	Again  int `json:"again"`  // orders charged twice by a repeat: not surfaced, or overlooked

	Peers []PeerResult `json:"-"`
}

// Stops are waits, supervisor calls and refusals together, those with the bank's
// own word included.
func (r *Result) Stops() int { return r.Waited + r.Called + r.Refused + r.Passed }

// All are the repeats, however late.
func (r *Result) All() (n Noticed) {
	for _, x := range r.Repeats {
		n.add(x)
	}
	return n
}

// Add sums up.
func (r *Result) Add(o Result) {
	r.Days += o.Days
	r.Payments += o.Payments
	r.Attempts += o.Attempts
	r.Paid += o.Paid
	r.Asked += o.Asked
	r.Noted += o.Noted
	r.Absorbed += o.Absorbed
	r.Waited += o.Waited
	r.Called += o.Called
	r.Refused += o.Refused
	r.Passed += o.Passed
	r.Needless += o.Needless
	r.Own += o.Own
	r.VoidStops += o.VoidStops
	r.Reswipes += o.Reswipes
	r.Held += o.Held
	r.Booked += o.Booked
	r.BookedHit += o.BookedHit
	r.Settled += o.Settled
	r.Double += o.Double
	r.Again += o.Again
	for i := range r.Repeats {
		r.Repeats[i].add(o.Repeats[i])
	}
	r.Causes, r.Guides = addCauses(r.Causes, o.Causes), addCauses(r.Guides, o.Guides)
	if r.Peers == nil {
		r.Peers = make([]PeerResult, len(o.Peers))
	}
	for i := range o.Peers {
		r.Peers[i].add(o.Peers[i])
	}
}

func addCauses(to, from map[Cause]int) map[Cause]int {
	if to == nil {
		to = map[Cause]int{}
	}
	for c, n := range from {
		to[c] += n
	}
	return to
}

// ruleOpen is R01.
var ruleOpen = throttle.MakeID(1, 0)

// met counts what a rule did to an honest purchase, each sort once; vain tells
// that the bank would have refused it as well.
func (r *Result) met(o *order, a throttle.Action, id throttle.ID, vain bool) {
	var bit seen
	var to *int
	switch a {
	case throttle.Ask:
		bit, to = seenAsk, &r.Asked
	case throttle.Warn, throttle.Pace:
		bit, to = seenNote, &r.Noted
	case throttle.Absorb, throttle.Ignore:
		bit, to = seenAbsorb, &r.Absorbed
	case throttle.Cool:
		bit, to = seenWait, &r.Waited
	case throttle.Supervise:
		bit, to = seenCall, &r.Called
	case throttle.Refuse, throttle.Lock:
		bit, to = seenRefuse, &r.Refused
		if vain {
			bit, to = seenPassed, &r.Passed
		}
	default:
		return
	}
	if !o.counted || o.seen&bit != 0 {
		return
	}
	o.seen |= bit
	*to++
	r.Causes[Cause{id.String(), a.String()}]++
	if id == ruleOpen {
		r.Own++
	}
	if bit >= seenWait && !vain && id != ruleOpen && o.seen&seenNeedless == 0 {
		o.seen |= seenNeedless
		r.Needless++
	}
}

// guide counts what was said of keys and of reading.
func (r *Result) guide(o *order, x txn.Decided) {
	if o.counted && x.Decision.Action != throttle.Allow {
		r.Guides[Cause{x.Decision.Rule.String(), x.Decision.Action.String()}]++
	}
}

// close adds up a trace and the orders behind it.
func (r *Result) close(trace []Attempt, orders []*order) {
	booked := map[int32]bool{} // orders whose lost answer stands in the host's books
	for i := range trace {
		a := &trace[i]
		switch {
		case a.Undo:
			delete(booked, a.Order)
			continue
		case a.Answer == LostBooked && a.Sent:
			booked[a.Order] = true
		}
		if !a.Counted {
			continue
		}
		r.Attempts++
		switch a.Truth {
		case Repeat:
			r.Repeats[lateOf(a.Late)].add(a.noticed())
		case Reswipe:
			held := a.Held || a.Action.Stops()
			r.Reswipes++
			r.Held += count(held)
			r.Booked += count(booked[a.Order])
			r.BookedHit += count(held && booked[a.Order])
		}
	}
	for _, o := range orders {
		if !o.counted {
			continue
		}
		r.Paid += count(o.state == paid || o.state == undone)
		switch {
		case o.charges <= 1:
		case o.again:
			r.Again++
		default:
			r.Double++
		}
	}
}

// noticed is how this repeat came to notice.
func (a *Attempt) noticed() Noticed {
	n := Noticed{Count: 1}
	switch {
	case a.Action == throttle.Absorb:
		n.Absorbed = 1
	case a.Action == throttle.Ask:
		n.Asked = 1
	case a.Action > throttle.Absorb || a.Held:
		n.Stopped = 1
	case a.Action == throttle.Warn && a.Rule.Num() == 2:
		n.Shown, n.Overlooked = 1, count(a.charged())
	}
	return n
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
