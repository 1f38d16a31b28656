package txn

import (
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// typeCard lets the keypad fill a card number. Its digits go into the vault and
// nowhere else: this step hears how many there are.
func (m *machine) typeCard() {
	if m.settings().Keyed == throttle.Off {
		m.Note = prompt.KeyedNotHere
		m.do(Sound{ToneBad})
		return
	}
	if left := m.Durable.Desk.Keyed - m.moment().At; left > 0 {
		m.Note, m.NoteArgs = prompt.RuleKeyedOff, prompt.Args{Rule: ruleName(m.Durable.Desk.By), Left: Countdown(left)}
		m.do(Sound{ToneBad})
		return
	}
	m.show(Typing, prompt.KeyNumber, m.formArgs())
	m.arm(m.Profile.CardTimeout)
	m.do(ReadNumber{})
}

// typed counts the digits of a hidden entry.
func (m *machine) typed() {
	switch m.Phase {
	case Typing:
		if m.e.Code != "" { // the next field
			m.show(Typing, m.e.Code, m.formArgs())
		}
		m.Args.N = m.e.N
		m.arm(m.Profile.CardTimeout)
	case Loading:
		if m.e.Code != "" {
			m.show(Loading, m.e.Code, m.Args)
		}
		m.Custody.Digits = m.e.N
		m.arm(partTime)
	case Naming:
		m.Name.Digits = m.e.N
		m.arm(m.Profile.CardTimeout)
	}
}

// typeDone: the number cannot be one, or the entry was given up.
func (m *machine) typeDone() {
	if m.Phase != Typing {
		return
	}
	m.show(AwaitCard, m.cardCode(), m.formArgs())
	m.arm(m.Profile.CardTimeout)
	if m.e.Code == "" {
		return // given up
	}
	m.Note = m.e.Code
	if m.e.Cause.Code == prompt.CauseKeyed { // says the same, and how often
		m.Note, m.NoteArgs = m.e.Cause.Code, m.e.Cause.Args
	}
	m.do(Sound{ToneBad})
	e := m.happened(throttle.InputBad)
	e.Entry = throttle.Keyed
	if m.e.Rules == nil {
		return
	}
	m.do(PutEvent{e}) // it counts toward a lock: a power cut does not wipe it
	if d := m.decide(throttle.OnKeyed, e); d.Action == throttle.Lock {
		m.lock(d)
		left := m.Durable.Desk.Keyed - m.moment().At
		m.Note, m.NoteArgs = d.Text, prompt.Args{Rule: ruleName(d.Rule), Left: Countdown(left), N: d.Count}
	}
}
