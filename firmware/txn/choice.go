package txn

import (
	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// Choices are what a question offers; the first is what enter takes, and it
// never charges. THROTTLE §1 C5.
func (s State) Choices() (out [MenuSize]prompt.Code) {
	if s.Stop.Viewed {
		return out
	}
	if s.asksTwin() {
		out[0], out[1], out[2] = prompt.ChoiceView, prompt.ChoiceReprint, prompt.ChoiceSecond
	} else {
		out[0], out[1], out[2] = prompt.ChoiceCard, prompt.ChoiceStop, prompt.ChoiceGoOn
	}
	return out
}

// asksTwin tells that the question is about an earlier payment.
func (s State) asksTwin() bool { return s.Stop.Matched.Outcome == throttle.Approved }

// choose asks a person. The earlier result stands on the screen before a second
// one can be confirmed.
func (m *machine) choose(d throttle.Decision, a prompt.Args) {
	m.Stop = Stop{Action: d.Action, Rule: d.Rule, Until: d.Wait, Factors: d.Factors, Count: d.Count, Window: d.Window, Matched: d.Matched}
	m.Sel = 0
	m.show(Choosing, d.Text, a)
	m.blame()
	m.arm(m.Profile.CardTimeout)
	m.do(Sound{ToneAttention})
}

func (m *machine) keyChoice(k Key) {
	if m.Stop.Viewed {
		switch k {
		case "enter", "cancel", "clear":
			m.Stop.Viewed = false
			m.show(Choosing, m.Stop.text(m.e.Rules), m.Args)
			m.arm(m.Profile.CardTimeout)
		}
		return
	}
	if d, ok := digit(k); ok && d >= 1 && d <= 3 {
		m.Sel, k = int(d)-1, "enter"
	}
	switch k {
	case "up":
		m.Sel = (m.Sel + 2) % 3
	case "down":
		m.Sel = (m.Sel + 1) % 3
	case "cancel", "clear":
		m.cancel()
	case "enter":
		m.arm(m.Profile.CardTimeout)
		m.chosen(m.Choices()[m.Sel])
	}
}

// text is what the rule that asks says.
func (s Stop) text(r *throttle.Rules) prompt.Code {
	if r != nil {
		if x, ok := r.Find(s.Rule); ok {
			return x.TextOf()
		}
	}
	return prompt.RuleSafe
}

func (m *machine) chosen(c prompt.Code) {
	switch c {
	case prompt.ChoiceView:
		a := m.Args
		m.Stop.Viewed = true
		m.show(Choosing, prompt.RuleView, a)
	case prompt.ChoiceReprint:
		if m.Twin != 0 && m.Profile.Printer && !m.Printing {
			m.Printing = true
			m.do(Print{ID: m.recordID(m.Twin), Again: true})
		} else {
			m.Note = prompt.NoOriginal
		}
	case prompt.ChoiceCard:
		m.again()
	case prompt.ChoiceStop:
		m.cancel()
	case prompt.ChoiceSecond, prompt.ChoiceGoOn:
		m.confirmChoice()
	}
}

func (m *machine) recordID(n pos.STAN) pos.RecordID {
	return pos.RecordID{Context: m.Profile.Context, Batch: m.Durable.Batch, STAN: n}
}

// confirmChoice: a person says that it is meant. Who says so too often brings a
// second person.
func (m *machine) confirmChoice() {
	if d := m.decide(throttle.OnOverride, throttle.Event{}); d.Stops() {
		d.Matched, d.Wait = m.Stop.Matched, 0
		m.stopped(d, m.ruleArgs(d))
		return
	}
	e := m.happened(throttle.Confirm)
	e.Rule = m.Stop.Rule
	m.note(e)
	m.pass()
}

// pass goes on with the form: the rule has had its answer.
func (m *machine) pass() {
	m.Stop.Action = throttle.Allow
	m.next()
}
