package txn

import (
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// zone is the acquirer's: its day is the issuer's.
const zone = 8 * time.Hour

// Stop is what a rule says of the card in front of us.
type Stop struct {
	Action  throttle.Action
	Rule    throttle.ID
	Until   throttle.Time // when it ends by itself, throttle time; 0 no end is known
	Day     bool          // with the acquirer's next day
	Factors throttle.Factors
	Count   int
	Window  time.Duration
	Matched throttle.Seen
	Viewed  bool // Choosing: the earlier result fills the screen
	Name    throttle.Factors
}

// moment is now, for rules.
func (m *machine) moment() throttle.Moment { return m.Durable.Clock.Now(m.e.At.Logical, zone) }

// Moment is a state's now, for who draws a countdown.
func (s State) Moment(logical time.Duration) throttle.Moment {
	return s.Durable.Clock.Now(logical, zone)
}

// limit is what one payment may be.
func (m *machine) limit() int64 {
	if m.e.Rules != nil && m.e.Rules.Set.Limit > 0 {
		return min(m.Profile.MaxAmount, m.e.Rules.Set.Limit)
	}
	return m.Profile.MaxAmount
}

// settings are the profile's; zero without rules.
func (m *machine) settings() throttle.Settings {
	if m.e.Rules == nil {
		return throttle.Settings{}
	}
	return m.e.Rules.Set
}

// decide asks the rules about what is in front of us; just is what happened
// this moment, if that is why.
func (m *machine) decide(on throttle.Point, just throttle.Event) throttle.Decision {
	if m.e.Rules == nil {
		return throttle.Decision{}
	}
	f := m.e.Watch
	f.Now, f.Desk, f.Limit, f.Grant = m.moment(), m.Durable.Desk, m.limit(), m.Grant
	f.Open, f.Paid, f.Just = m.e.Gated, m.e.Paid.STAN != 0, just
	d := m.e.Rules.Decide(throttle.Attempt{
		On: on, What: throttle.WhatOf(m.spec().Kind), Amount: m.Keyed, Op: m.Durable.Operator, Entry: entryOf(m.Entry, m.Slot.Chip),
		Form: m.Form, Qty: m.Qty > 0, Order: m.Order != "", Linked: m.Orig != (pos.Original{}),
	}, f)
	if d.HitCount > 0 {
		m.do(Decided{Decision: d, On: on, ID: m.Durable.Open.ID, Masked: m.Masked})
	}
	if d.Changed {
		m.putCard(d.Cooled)
	}
	return d
}

// entryOf is how a card was read, as rules see it: the stripe of a card whose chip
// could not be read is a fallback, though DE 22 says swiped.
func entryOf(mode string, c pos.Chip) throttle.Entry {
	if c.Fallback {
		return throttle.Fallback
	}
	return throttle.EntryOf(pos.EntryMode(mode[:min(2, len(mode))]))
}

// putCard keeps what is remembered of the card that this event is about.
func (m *machine) putCard(c throttle.Card) {
	if c.Key.IsZero() || c == m.e.Watch.Card {
		return
	}
	m.e.Watch.Card, m.Durable.Seen = c, true
	m.do(PutCard{c})
}

// happened is an event of this moment.
func (m *machine) happened(w throttle.What) throttle.Event {
	return throttle.Event{At: m.moment().At, Wall: m.e.At.Wall / 1000, What: w, Op: m.Durable.Operator, N: m.Form, Tags: m.e.Watch.Tags,
		Amount: m.Keyed, Entry: entryOf(m.Entry, m.Slot.Chip)}
}

// note writes down what needs no commit of its own, and gives it to rules that
// are asked because of it.
func (m *machine) note(e throttle.Event) throttle.Event {
	if m.e.Rules != nil {
		m.do(NoteEvent{e})
	}
	return e
}

// outcome remembers what became of a payment, in the commit of the money.
func (m *machine) outcome(in Intent, o throttle.Outcome, rc pos.ResponseCode, amount int64) {
	what := throttle.WhatOf(in.Kind)
	if m.e.Rules == nil || what == throttle.NoWhat {
		return
	}
	now := m.moment()
	e := throttle.Event{At: now.At, Wall: m.e.At.Wall / 1000, What: what, Outcome: o, RC: throttle.RCOf(rc), Op: in.Op, Amount: amount,
		Entry: entryOf(in.Entry, in.Chip), Tags: m.e.Watch.Tags}
	if in.Order != "" {
		e.N |= throttle.FlagOrder
	}
	if m.Qty > 0 {
		e.N |= throttle.FlagQuantity
	}
	if in.Orig != (pos.Original{}) {
		e.N |= throttle.FlagLinked
	}
	if in.Began > 0 && m.e.At.Logical > in.Began {
		e.Took = uint16(min((m.e.At.Logical-in.Began)/time.Second, 1<<16-1))
	}
	m.do(PutEvent{e})
	c := m.e.Watch.Card
	switch what {
	case throttle.Void:
		if o == throttle.Approved {
			c = c.Amend(amount, throttle.Approved, throttle.Voided, now.Day)
		}
	case throttle.Sale, throttle.PreAuth, throttle.Completion, throttle.Offline:
		c = c.Add(throttle.Seen{At: now.At, Amount: amount, Outcome: o, RC: e.RC, Op: e.Op, Kind: what}, now.Day)
	}
	if !c.Key.IsZero() {
		m.putCard(c)
	}
	if o == throttle.Declined {
		m.afterDecline(e)
	}
}

// afterDecline asks the rules that look at refusals of the whole desk.
func (m *machine) afterDecline(e throttle.Event) {
	d := m.decide(throttle.OnResult, e)
	if d.Action != throttle.Lock {
		return
	}
	m.lock(d)
}

// lock closes a way of entry for a while.
func (m *machine) lock(d throttle.Decision) {
	x, ok := m.e.Rules.Find(d.Rule)
	if !ok {
		return
	}
	until, desk := m.moment().At+x.Action.Dur, &m.Durable.Desk
	for _, e := range x.Action.Entries {
		switch e {
		case throttle.Keyed:
			desk.Keyed = max(desk.Keyed, until)
		case throttle.Swiped:
			desk.Swipe = max(desk.Swipe, until)
		}
	}
	desk.By = d.Rule
}

// undone: an unknown payment is taken back; it no longer counts against its
// card.
func (m *machine) undone(rec pos.Record) {
	what := throttle.WhatOf(rec.Kind)
	if m.e.Rules == nil || what == throttle.NoWhat || rec.Class != pos.ClassReversal {
		return
	}
	now := m.moment()
	m.do(PutEvent{throttle.Event{At: now.At, Wall: m.e.At.Wall / 1000, What: what, Outcome: throttle.Reversed, Amount: rec.Amount.Minor, Tags: m.e.Watch.Tags}})
	if c := m.e.Watch.Card; !c.Key.IsZero() {
		m.putCard(c.Amend(rec.Amount.Minor, throttle.Unknown, throttle.Reversed, now.Day))
	}
}

// told takes the host's clock, where an answer may be believed.
func (m *machine) told(r Reply) {
	if r.Wall == 0 {
		return
	}
	c := m.Durable.Clock
	next := c.Told(r.Wall, m.e.At.Logical, zone, m.Cold)
	// A word that changes nothing that counts is not worth a commit.
	if m.e.Kind != AdminDone || m.Cold || c.Doubt != 0 || next.Day != c.Day {
		m.Durable.Clock = next
	}
	m.Cold = false
}

// weigh asks the rules about the card in front of us, and does what they say.
func (m *machine) weigh() {
	on := throttle.PreSale
	switch m.spec().Kind {
	case pos.KindRefund:
		on = throttle.OnRefund
	case pos.KindVoid, pos.KindCompletionVoid, pos.KindPreAuthVoid:
		on = throttle.OnVoid
	case pos.KindBalance:
		m.next()
		return
	}
	m.Stop, m.Caution, m.CautionA = Stop{}, "", prompt.Args{}
	m.heed(m.decide(on, throttle.Event{}))
}

// heed does what the strongest rule says.
func (m *machine) heed(d throttle.Decision) {
	a := m.ruleArgs(d)
	switch d.Action {
	case throttle.Allow, throttle.Note:
		m.next()
	case throttle.Pace, throttle.Warn:
		m.caution(d.Text, a)
		if d.Action == throttle.Pace && m.e.Cause.Code == prompt.CausePeak {
			why := m.e.Cause.Args
			why.Rule = a.Rule
			m.caution(m.e.Cause.Code, why)
		}
		m.next()
	case throttle.Ask:
		m.choose(d, a)
	case throttle.Absorb:
		m.absorb(d, a)
	case throttle.Hold:
		m.gate(prompt.Gated, a, m.Card)
	default:
		m.stopped(d, a)
	}
}

// caution is said beside the steps that follow.
func (m *machine) caution(c prompt.Code, a prompt.Args) {
	m.Caution, m.CautionA = c, a
}

// ruleArgs are the words of a decision.
func (m *machine) ruleArgs(d throttle.Decision) prompt.Args {
	a := m.formArgs()
	a.N, a.Rule = d.Count, ruleName(d.Rule)
	if d.Window > 0 {
		a.Span = span(d.Window)
	}
	if d.Matched.At != 0 || d.Matched.Outcome != throttle.NoOutcome {
		a.Time = m.clockOf(d.Matched.At)
		a.RC = d.Matched.RC.String()
		if a.Amount == "" {
			a.Amount = pos.Fen(d.Matched.Amount).String()
		}
		a.Field = pos.Fen(d.Matched.Amount).String()
	}
	if d.Second.Outcome != throttle.NoOutcome {
		a.Host = pos.Fen(d.Second.Amount).String() + " " + m.clockOf(d.Second.At)
	}
	if t := m.e.Twin; t.STAN != 0 {
		a.STAN, a.RRN, a.Auth = t.STAN.String(), string(t.RRN), string(t.AuthCode)
	}
	return a
}

// ruleName is a rule as people read it: R-04, without its stage.
func ruleName(id throttle.ID) string { return id.String()[:1] + "-" + id.String()[1:3] }

// clockOf is the time of day at which something was, by the wall of the status
// bar.
func (m *machine) clockOf(at throttle.Time) string {
	wall := m.e.At.Wall - (m.moment().At - at).Milliseconds()
	return pos.Time{Wall: wall}.WallTime(pos.CST).Format("15:04:05")
}

// span is a window in words that both languages read: 30min, 24h, 600s.
func span(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "min"
	}
	return strconv.Itoa(int(d/time.Second)) + "s"
}

// absorb: the same swipe again. Its result is shown once more; nothing is sent.
func (m *machine) absorb(d throttle.Decision, a prompt.Args) {
	e := m.happened(throttle.Absorbed)
	e.Rule = d.Rule
	m.note(e)
	if p := m.e.Paid; p.STAN != 0 && d.Text == prompt.RuleOrderPaid {
		a.STAN, a.Auth, a.Time = p.STAN.String(), string(p.AuthCode), p.At.WallTime(pos.CST).Format("15:04:05")
		a.Amount, a.Field = p.Amount.String(), m.Order
	}
	m.endForm(d.Text, a, ToneAttention)
}

// blame adds, below what went wrong, the one sentence that says why it goes
// wrong lately, if the diagnosis is sure and nothing else stands there.
func (m *machine) blame() {
	c := m.e.Cause
	switch {
	case m.Note != "" || c.Code == "" || c.Code == m.Code || c.Code == prompt.CauseNone:
	case c.Code == prompt.CauseUnsure:
		for _, x := range c.Perhaps {
			if x != "" && !speaksOf(m.Code, x) {
				return
			}
		}
		m.Note, m.NoteArgs = c.Code, c.Args
	case speaksOf(m.Code, c.Code):
		m.Note, m.NoteArgs = c.Code, c.Args
	}
}

// beside lists, for screens whose codes begin so, the causes that explain them:
// a card that does not read says nothing about an answer that did not come.
var beside = [...]struct {
	screen string
	causes string // separated by blanks
}{
	{"F-CRD", "C-SYS-01 C-BAD C-OPR-02 C-OPR-04 C-EXT"},
	{"F-NET", "C-NET C-EXT C-LIM-03 C-PEK C-SYS-04"},
	{"U-", "C-NET C-EXT C-LIM-03 C-PEK"},
	{"D-", "C-LIM C-OPR-02 C-OPR-03 C-BAD C-FRD C-SYS-04"},
	{"P-DUP", "C-OPR-01 C-OPR-03 C-NET C-PEK C-LIM C-FRD C-EXT"},
	{"T-", "C-OPR C-NET C-PEK C-LIM C-FRD C-EXT C-BAD C-SYS-01"},
	{"N-", "C-OPR C-SYS C-EXT"},
	{"F-STO", "C-SYS-02"},
	{"F-TMP", "C-SYS-05"},
}

func speaksOf(screen, cause prompt.Code) bool {
	for _, b := range beside {
		if !strings.HasPrefix(string(screen), b.screen) {
			continue
		}
		for _, c := range strings.Fields(b.causes) {
			if strings.HasPrefix(string(cause), c) {
				return true
			}
		}
		return false
	}
	return true
}
