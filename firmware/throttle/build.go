package throttle

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"sync"

	"swipewell/ui/prompt"
)

//go:embed rules/default.rules
var defaultText string

// DefaultText is the set that the build brings.
func DefaultText() string { return defaultText }

// Default is the set that the build brings, compiled; it is part of the signed
// firmware and needs no signature of its own.
func Default() *Rules { return defaults() }

var defaults = sync.OnceValue(mustBuild)

func mustBuild() *Rules {
	f, err := Parse("default.rules", defaultText)
	if err == nil {
		var r *Rules
		if r, err = Build(f); err == nil {
			return r
		}
	}
	panic(fmt.Sprintf("throttle: the rules of this build: %v", err)) // start-up; a test parses them
}

// ErrFloor says that a set lacks what no set may lack.
var ErrFloor = errors.New("throttle: R00 to R03 cannot be switched off")

// Bits of codes: 16 classes, then the class of codes that are in none, then a
// list of codes for each rule that names some.
const (
	otherBit  = 1 << 16
	firstList = 1 << 17
)

// Build compiles a whole set.
func Build(f *File) (*Rules, error) {
	if f.Sort != SortRules {
		return nil, fmt.Errorf("throttle: a %s is no whole set", sortNames[f.Sort])
	}
	r := &Rules{Name: f.Name, Version: f.Version, List: slices.Clone(f.Rules), Classes: f.Classes, Set: f.Set}
	if err := r.compile(); err != nil {
		return nil, err
	}
	return r, r.floor()
}

// compile lays out the bits by which an event is held against all rules at once.
func (r *Rules) compile() error {
	r.codes, r.slots, r.byCode = [rcCount]uint32{}, nil, [rcCount]uint64{}
	r.byWhat, r.coded, r.same, r.daily, r.picky = [whats][len(outcomes)]uint64{}, 0, [5]uint64{}, 0, 0
	bit := map[string]uint32{"other": otherBit}
	for i, c := range r.Classes {
		bit[c.Name] = 1 << i
		for _, rc := range c.RCs {
			r.codes[rcIndex(rc)] |= 1 << i
		}
	}
	for i, c := range r.codes {
		if c == 0 {
			r.codes[i] = otherBit
		}
	}
	lists := 0
	for i := range r.List {
		x := &r.List[i]
		x.codes, x.what, x.outcome, x.slot, x.text = 0, 0, 0, -1, prompt.RuleTexts[x.Text]
		for _, c := range x.Match.Classes {
			x.codes |= bit[c]
		}
		if len(x.Match.RCs) > 0 {
			if lists == 14 {
				return fmt.Errorf("throttle: more than 14 rules name codes")
			}
			b := uint32(firstList) << lists
			lists++
			x.codes |= b
			for _, rc := range x.Match.RCs {
				r.codes[rcIndex(rc)] |= b
			}
		}
		for _, w := range x.Match.Whats {
			x.what |= 1 << w
		}
		if x.what == 0 { // a payment
			x.what = 1<<Sale | 1<<PreAuth | 1<<Completion | 1<<Offline
		}
		for _, o := range x.Match.Outcomes {
			x.outcome |= 1 << o
		}
		if x.outcome == 0 {
			x.outcome = 1<<len(outcomes) - 1
		}
		if !x.needsLog() {
			continue
		}
		if len(r.slots) == maxSlots {
			return fmt.Errorf("throttle: more than %d rules look at the desk", maxSlots)
		}
		x.slot = len(r.slots)
		r.slots = append(r.slots, i)
	}
	for slot, i := range r.slots {
		x, b := &r.List[i], uint64(1)<<slot
		for w := range r.byWhat {
			for o := range r.byWhat[w] {
				if x.what>>w&1 == 1 && x.outcome>>o&1 == 1 {
					r.byWhat[w][o] |= b
				}
			}
		}
		for c := range r.byCode {
			if x.codes == 0 || x.codes&r.codes[c] != 0 {
				r.byCode[c] |= b
			}
		}
		if x.codes != 0 {
			r.coded |= b
		}
		if len(x.Match.Entries) > 0 || !x.Match.Amount.IsZero() || x.This.Amount.Matched {
			r.picky |= b
		}
		for k := range r.same {
			if x.Match.Same>>k&1 == 1 {
				r.same[k] |= b
			}
		}
		if x.Window.Kind == CalendarDay && x.Match.Same == SameCard && slices.Equal(x.Match.Outcomes, []Outcome{Approved}) && x.codes == 0 && x.Match.Amount.IsZero() {
			r.daily |= b
		}
	}
	for p := range pointNames {
		n := 0
		for _, i := range r.slots {
			if r.List[i].On>>p&1 == 1 {
				n++
			}
		}
		if n > scanMost {
			return fmt.Errorf("throttle: %d rules look at the desk at %s; %d may", n, pointNames[p], scanMost)
		}
	}
	return nil
}

// ringMost is the largest count that the ring of a card is asked for: a few
// outcomes of another sort must not push out what is counted.
const ringMost = 4

// needsLog tells that the ring of one card cannot answer the rule.
func (x *Rule) needsLog() bool {
	switch x.Window.Kind {
	case InFlight, Unresolved, Rate:
		return false
	case Ever:
		if x.Match.isZero() && len(x.Measure) == 0 {
			return false
		}
	}
	if x.Match.Same&SameCard == 0 || x.Match.Same&(SameBin8|SameOperator|SameForm) != 0 || len(x.Match.Entries) > 0 {
		return true
	}
	for _, w := range x.Match.Whats {
		if w > Balance {
			return true
		}
	}
	for _, m := range x.Measure {
		if m.Of == DistinctCards || m.Of == Count && m.Least && m.N > ringMost {
			return true
		}
	}
	return false
}

// floor holds a set to what no set may lack: single flight, the hold of a card
// whose payment is open, a question about the same card and amount for five
// minutes at least, and an order that is paid once.
func (r *Rules) floor() error {
	need := func(id ID, what string, ok func(Rule) bool) error {
		for _, x := range r.List {
			if x.ID.Num() == id.Num() && ok(x) {
				return nil
			}
		}
		return fmt.Errorf("%w: %v must %s", ErrFloor, id, what)
	}
	return errors.Join(
		need(MakeID(0, 0), "ignore what comes while a payment is in flight", func(x Rule) bool { return x.Action.Do == Ignore && x.Window.Kind == InFlight }),
		need(MakeID(1, 0), "hold a card until its open payment is settled", func(x Rule) bool {
			return x.Action.Do == Hold && x.Window.Kind == Unresolved && x.Action.Override == NoFactors && x.Unless == 0
		}),
		need(MakeID(2, 0), "ask at least before the same card and amount is charged again within 300s", func(x Rule) bool {
			return x.Action.Do >= Ask && (!x.Action.ends() || x.Action.Dur >= floorTwin) && x.Window.Kind == Sliding && x.Window.Dur >= floorTwin && x.Match.Same == SameCard|SameAmount && slices.Contains(x.Match.Outcomes, Approved) && x.This.isZero() && needsOne(x)
		}),
		need(MakeID(3, 0), "show what an order paid, and charge it no second time", func(x Rule) bool {
			return x.Action.Do >= Absorb && x.Window.Kind == Ever && x.Action.Override == NoFactors
		}))
}

// isZero tells that nothing is wanted of the attempt.
func (t This) isZero() bool {
	return t.Amount.IsZero() && t.Outside == 0 && len(t.Entries) == 0 && !t.NoSale
}

func needsOne(x Rule) bool {
	return len(x.Measure) == 1 && x.Measure[0].Of == Count && x.Measure[0].Least && x.Measure[0].N <= 1
}

// Apply gives the set with a profile's or a merchant's changes. A merchant may
// only make it tighter; a profile may loosen what its rules' cap allows; nobody
// goes below the floor.
func (r *Rules) Apply(f *File, file string) (*Rules, error) {
	if f.Sort == SortRules {
		return nil, errors.New("throttle: a whole set is not applied to another")
	}
	if f.Base != r.Name {
		return nil, Errors{{file, 1, 1, fmt.Sprintf("is for the rules %s, and these are %s", f.Base, r.Name)}}
	}
	n := &Rules{Name: r.Name, Version: r.Version, KeyID: r.KeyID, Base: r.Base, List: slices.Clone(r.List), Classes: r.Classes, Set: r.Set}
	if f.Sort == SortProfile {
		n.Base = f.Name
	}
	var errs Errors
	for _, c := range f.Classes {
		if f.Sort == SortMerchant {
			errs = append(errs, &Error{file, 1, 1, "a merchant does not say what the acquirer's codes mean: class " + c.Name})
			continue
		}
		n.Classes = slices.DeleteFunc(slices.Clone(n.Classes), func(x Class) bool { return x.Name == c.Name })
		n.Classes = append(n.Classes, c)
	}
	for _, t := range f.Touched {
		i := slices.IndexFunc(n.List, func(x Rule) bool { return x.ID == t.rule.ID })
		if i < 0 {
			errs = append(errs, &Error{file, t.at.line, t.at.col, fmt.Sprintf("the rules have no %v", t.rule.ID)})
			continue
		}
		changed := adjusted(n.List[i], t)
		why := looser(n.List[i], changed)
		switch {
		case why == "" && changed.Cap == Fixed && f.Sort == SortMerchant:
			errs = append(errs, &Error{file, t.at.line, t.at.col, fmt.Sprintf("%v is fixed", t.rule.ID)})
		case why == "":
		case f.Sort == SortMerchant:
			errs = append(errs, &Error{file, t.at.line, t.at.col, fmt.Sprintf("a merchant may only tighten: %v would be looser, %s", t.rule.ID, why)})
		case changed.Cap != MayLoosen:
			errs = append(errs, &Error{file, t.at.line, t.at.col, fmt.Sprintf("a profile may not loosen %v: %s", t.rule.ID, why)})
		}
		n.List[i] = changed
	}
	errs = append(errs, n.set(f, file)...)
	if len(errs) > 0 {
		return nil, errs
	}
	if err := n.compile(); err != nil {
		return nil, err
	}
	if err := n.floor(); err != nil {
		return nil, err
	}
	return n, nil
}

// adjusted is a rule with the fields that an adjust names.
func adjusted(r Rule, t touch) Rule {
	for _, name := range t.fields {
		switch name {
		case "window":
			r.Window = t.rule.Window
		case "measure":
			r.Measure = t.rule.Measure
		case "this":
			r.This = t.rule.This
		case "unless":
			r.Unless = t.rule.Unless
		case "action":
			o := r.Action.Override
			r.Action = t.rule.Action
			r.Action.Override = o
		case "override":
			r.Action.Override = t.rule.Action.Override
		case "why":
			r.Why = t.rule.Why
		}
	}
	return r
}

// set takes the settings over; a merchant's may only be tighter.
func (r *Rules) set(f *File, file string) (errs Errors) {
	for name, at := range f.Named {
		s, n := &r.Set, f.Set
		tighter := true
		less := func(old *int64, v int64) { // 0 is no limit
			tighter = v != 0 && (*old == 0 || v <= *old)
			*old = v
		}
		switch name {
		case "quantity":
			s.Quantity = n.Quantity // a question more or less: no rule becomes looser that a person did not answer
		case "order_ref":
			tighter = n.OrderRef >= s.OrderRef
			s.OrderRef = n.OrderRef
		case "keyed":
			tighter = n.Keyed <= s.Keyed
			s.Keyed = n.Keyed
		case "limit":
			less(&s.Limit, n.Limit)
		case "card_day":
			less(&s.CardDay, n.CardDay)
		case "terminal_day":
			less(&s.Desk, n.Desk)
		case "typo":
			tighter = n.Typo != 0 && (s.Typo == 0 || n.Typo <= s.Typo)
			s.Typo = n.Typo
		case "read":
			tighter = n.Read >= s.Read
			s.Read = n.Read
		case "confirm":
			s.Confirm = n.Confirm
		}
		if f.Sort == SortMerchant && !tighter {
			errs = append(errs, &Error{file, at.line, at.col, "a merchant may only tighten: " + name})
		}
	}
	return errs
}

// looser tells in what b stops less than a; "" if it stops at least as much.
func looser(a, b Rule) string {
	switch {
	case b.Action.Do < a.Action.Do:
		return fmt.Sprintf("%v is weaker than %v", b.Action.Do, a.Action.Do)
	case b.Action.Do > a.Action.Do && b.Action.ends() && b.Action.Dur < a.Window.Dur:
		return fmt.Sprintf("%v lets go after %v, and what it stands for stays for %v; a rule of its own may stand beside it", b.Action.Do, b.Action.Dur, a.Window.Dur)
	case b.Action.Do == a.Action.Do && b.Action.Dur < a.Action.Dur:
		return fmt.Sprintf("%v is shorter than %v", b.Action.Dur, a.Action.Dur)
	case b.Action.Do == a.Action.Do && (a.Action.Ladder && !b.Action.Ladder || b.Action.Factors < a.Action.Factors || b.Action.Until < a.Action.Until):
		return "its action takes less"
	case slices.ContainsFunc(a.Action.Entries, func(e Entry) bool { return !slices.Contains(b.Action.Entries, e) }):
		return "it locks less"
	case b.Action.Override < a.Action.Override && b.Action.Override != NoFactors, a.Action.Override == NoFactors && b.Action.Override != NoFactors && a.Action.Do.Stops():
		return "it is easier to pass by"
	case a.Unless&b.Unless != b.Unless:
		return "it has more exemptions"
	case a.Window.Kind != b.Window.Kind:
		return fmt.Sprintf("the window is another sort: %s", windowNames[b.Window.Kind])
	case b.Window.Dur < a.Window.Dur:
		return fmt.Sprintf("%v is a shorter window than %v", b.Window.Dur, a.Window.Dur)
	case a.Window.Kind == Rate && (b.Window.Rate.T < a.Window.Rate.T || b.Window.Rate.Burst > a.Window.Rate.Burst):
		return "its rate is higher"
	case !slices.Equal(a.This.Entries, b.This.Entries) || a.This.NoSale != b.This.NoSale:
		return "it looks at other attempts"
	case b.This.Outside > a.This.Outside:
		return "its hours are wider"
	case b.This.Amount.Min > a.This.Amount.Min || b.This.Amount.OfLimit > a.This.Amount.OfLimit || b.This.Amount.Multiple != a.This.Amount.Multiple ||
		b.This.Amount.P90 && !a.This.Amount.P90 || b.This.Amount.Matched && !a.This.Amount.Matched:
		return "it looks at larger amounts only"
	case len(a.Measure) != len(b.Measure):
		return "it measures other things"
	}
	for i, m := range a.Measure {
		n := b.Measure[i]
		if n.Of != m.Of || n.Least != m.Least || n.Scale != m.Scale {
			return "it measures other things"
		}
		if m.Least && n.N > m.N || !m.Least && n.N < m.N {
			return fmt.Sprintf("%s %d is looser than %d", quantityNames[m.Of], n.N, m.N)
		}
	}
	return ""
}

// floorTwin is the shortest window of R02 that any set may have: that of the
// duplicate guard of HOST §3.4.
const floorTwin = 300e9
