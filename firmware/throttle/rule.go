package throttle

import (
	"fmt"
	"slices"
	"time"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// ID names a rule: a number of two digits, and a letter where one number has
// several stages: R02, R10b.
type ID uint16

// MakeID is the id of a number and a stage, 0 for none, 1 for 'a'.
func MakeID(n, stage int) ID { return ID(n<<5 | stage) }

// Num is the rule's number without its stage.
func (i ID) Num() int { return int(i >> 5) }

func (i ID) String() string {
	if i == 0 {
		return "R00"
	}
	s := fmt.Sprintf("R%02d", i>>5)
	if c := i & 31; c != 0 {
		s += string(rune('a' + c - 1))
	}
	return s
}

// Point is where a rule is asked.
type Point uint16

const (
	PreSale Point = 1 << iota // the card is known, nothing was sent
	OnResult
	OnVoid
	OnRefund
	OnKeyed
	OnLogin
	OnReadFail
	OnKeys     // keys pressed: misuse, cancels
	OnOverride // a person is about to let something pass
)

var pointNames = []string{"presale", "result", "void", "refund", "keyed", "login", "readfail", "keys", "override"}

// Action of a rule, the weaker below the stronger.
type Action uint8

const (
	Allow     Action = iota
	Note             // written down
	Pace             // the cashier is asked to take one after another; nobody waits
	Warn             // said, and the sale goes on
	Ask              // confirm: a person decides, and the default is not to charge
	Absorb           // the result is shown again, nothing is sent
	Cool             // cooldown: wait
	Supervise        // supervisor: a second person
	Refuse           // not this card, until
	Lock             // not this way of entry, until
	Hold             // an earlier payment of this card is not settled
	Ignore           // in flight
)

var actionNames = []string{"allow", "note", "pace", "warn", "confirm", "absorb", "cooldown", "supervisor", "refuse", "lock", "hold", "ignore"}

func (a Action) String() string { return actionNames[min(int(a), len(actionNames)-1)] }

// Stops tells that a sale does not go on by itself.
func (a Action) Stops() bool { return a >= Ask }

// Factors are what an approval takes.
type Factors uint8

const (
	NoFactors Factors = iota
	PIN               // a supervisor's PIN
	PINToken          // and a token of theirs: a staff card
)

var factorNames = []string{"none", "pin", "pin+token"}

func (f Factors) String() string { return factorNames[min(int(f), len(factorNames)-1)] }

// Until is when a refusal ends.
type Until uint8

const (
	UntilFor      Until = iota // after Dur
	UntilDay                   // with the acquirer's next day
	UntilResolved              // when the earlier payment is settled
	UntilEver
)

// Order is an action with its parameters.
type Order struct {
	Do       Action
	Dur      time.Duration // Cool, Refuse, Lock
	Ladder   bool          // Cool: at least the penalty ladder's
	Until    Until
	Factors  Factors // Supervise
	Entries  []Entry // Lock
	Override Factors // what lets it pass all the same; NoFactors: nothing does
}

// ends tells that an action lets go by its own time, whatever is in the window.
func (o Order) ends() bool {
	return o.Do == Cool || o.Do == Lock || o.Do == Refuse && o.Until == UntilFor
}

// Same says in what an earlier event must equal the attempt.
type Same uint8

const (
	SameCard Same = 1 << iota
	SameBin8
	SameAmount
	SameOperator
	SameForm // the customer in front of us: the same form
)

var sameNames = []string{"card", "bin8", "amount", "operator", "form"}

// Match is which earlier events count.
type Match struct {
	Whats    []What
	Outcomes []Outcome
	Classes  []string
	RCs      []RC
	Entries  []Entry
	Same     Same
	Amount   Amounts
}

// Amounts is a condition on an amount; the zero value has none.
type Amounts struct {
	Min      int64 // minor units, 0 none
	Multiple int64
	OfLimit  int  // per cent of the limit a payment, 0 none
	P90      bool // at least what nine of ten sales stay below
	Matched  bool // at least the amount of the matched event
}

// IsZero tells that there is no condition.
func (a Amounts) IsZero() bool { return a == Amounts{} }

// WindowKind of a rule.
type WindowKind uint8

const (
	Sliding WindowKind = iota
	CalendarDay
	Rate         // GCRA
	Unresolved   // as long as a payment of the card is open
	Ever         // all that is remembered
	InFlight     // while one is under way
	windowsCount = iota
)

var windowNames = [windowsCount]string{"sliding", "day", "gcra", "until resolved", "ever", "in flight"}

// Window is how far a rule looks back: (now - Dur, now].
type Window struct {
	Kind WindowKind
	Dur  time.Duration
	Rate GCRA
}

// Measure is one condition on what matched; the attempt itself is not counted.
type Measure struct {
	Of    Quantity
	Least bool  // at least N, or at most
	N     int64 // a count, minor units, or a multiple of Scale
	Scale Scale
}

// Quantity that is measured.
type Quantity uint8

const (
	Count Quantity = iota
	Sum
	DistinctCards
)

var quantityNames = []string{"count", "sum", "distinct card"}

// Scale of a measure's number.
type Scale uint8

const (
	Plain      Scale = iota
	OfCount          // N per cent of the count
	OfMedian         // N times the merchant's median hour
	scaleCount = iota
)

// This is a condition on the attempt itself.
type This struct {
	Amount  Amounts
	Outside time.Duration // outside the learned hours by more than so much; 0: no condition
	Entries []Entry
	NoSale  bool // no approved sale of this card is remembered
}

// Unless are exemptions.
type Unless uint8

const (
	UnlessOrder    Unless = 1 << iota // an order reference was given, and it is another one
	UnlessQuantity                    // the cashier keyed how many
	UnlessGrant                       // a grant for this card and amount is valid
	UnlessLinked                      // it refers to an original: completion, tip, adjustment
)

// Cap is who may change a rule.
type Cap uint8

const (
	Fixed      Cap = iota // nobody, save a newer signed file
	MayTighten            // a merchant may make it tighter
	MayLoosen             // a profile may also make it looser
)

var capNames = []string{"fixed", "may_tighten", "profile"}

// Evidence is what a hit tells the diagnosis: nats for a cause.
type Evidence struct {
	Cause string // "OPR.repeat"
	Nats  float64
}

// Rule is one rule as a file has it.
type Rule struct {
	ID       ID
	Line     int // in its file
	On       Point
	Match    Match
	Window   Window
	Measure  []Measure
	This     This
	Unless   Unless
	Action   Order
	Text     string // a name of prompt.RuleTexts
	Evidence []Evidence
	Cap      Cap
	Why      string // its reason, for people

	// Set by compile.
	codes   uint32 // bits of Match.Classes and RCs; 0: any code
	what    uint64 // bits of Match.Whats
	outcome uint8  // bits of Match.Outcomes
	slot    int    // its place among the rules that ask the log; -1: it asks the card's ring
	text    prompt.Code
}

// Rules is a compiled set. It is never changed: a new one takes its place
// between two transactions.
type Rules struct {
	Name    string
	Version int
	KeyID   string // of the signature; "" for the set of the build
	Base    string // of a profile: the name of the rules it is for
	List    []Rule // ascending by ID
	Classes []Class
	Set     Settings

	// Made by compile: what an event can matter to, as bits of slots.
	codes  [rcCount]uint32 // of a code: its classes, and the lists of rules that name it
	slots  []int           // of a slot: the place in List
	byWhat [whats][len(outcomes)]uint64
	byCode [rcCount]uint64
	coded  uint64    // rules that want certain codes
	same   [5]uint64 // rules that want the same card, bin8, amount, operator, form
	picky  uint64    // rules that look at more than bits can say
	daily  uint64    // rules that the card's own day counter answers exactly
}

// Class is a set of response codes with one meaning. It is the acquirer's: 68
// means a time-out with one and a limit with another.
type Class struct {
	Name string
	RCs  []RC
}

// Ask of a setting: is something asked of the cashier?
type Asked uint8

const (
	Off Asked = iota
	Optional
	Required
)

var askedNames = []string{"off", "optional", "required"}

// Settings are what a profile says beside rules.
type Settings struct {
	Quantity Asked         // multi-sale: how many of the price
	OrderRef Asked         // an order number
	Keyed    Asked         // card numbers may be keyed
	Limit    int64         // a payment; 0: the board's own
	CardDay  int64         // a card's day; 0 none
	Desk     int64         // the terminal's day; 0 none
	Typo     int           // retype an amount over so many times the merchant's p99; 0 off
	Read     time.Duration // the confirm step is shown so long before keys act
	Confirm  time.Duration // and so long at most
}

// Find gives a rule by id.
func (r *Rules) Find(id ID) (Rule, bool) {
	i, ok := slices.BinarySearchFunc(r.List, id, func(x Rule, id ID) int { return int(x.ID) - int(id) })
	if !ok {
		return Rule{}, false
	}
	return r.List[i], true
}

// ClassOf names the classes of a response code, "" if it is in none.
func (r *Rules) ClassOf(rc RC) string {
	for i, c := range r.Classes {
		if r.codes[rcIndex(rc)]>>i&1 == 1 {
			return c.Name
		}
	}
	return ""
}

// TextOf is the message of a rule.
func (r Rule) TextOf() prompt.Code { return r.text }

// RCs are the codes of one class.
func (r *Rules) RCs(class string) []pos.ResponseCode {
	for _, c := range r.Classes {
		if c.Name != class {
			continue
		}
		var out []pos.ResponseCode
		for _, x := range c.RCs {
			out = append(out, pos.ResponseCode(x.String()))
		}
		return out
	}
	return nil
}

// Pace is the rate of the desk, if a rule has one.
func (r *Rules) Pace() (GCRA, bool) {
	for i := range r.List {
		if r.List[i].Window.Kind == Rate {
			return r.List[i].Window.Rate, true
		}
	}
	return GCRA{}, false
}
