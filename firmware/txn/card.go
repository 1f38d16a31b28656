package txn

import (
	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// noCard is none.
var noCard pos.CardRef

// card handles a card that was presented, readable or not.
func (m *machine) card() {
	switch m.Phase {
	case Ready, Result, Keying:
		// A card before its amount is no mistake worth an alarm: say what comes
		// first and keep what was keyed.
		m.do(ForgetCard{})
		m.do(Sound{ToneAttention})
		switch {
		case m.e.Gated:
			m.show(m.Phase, prompt.Gated, prompt.Args{Card: m.e.Masked.Tail(), N: m.e.OpenRev})
		case m.Phase != Keying && !m.aboutReversal():
			m.idle()
			m.Note = prompt.EntryFirst
		default:
			m.Note = prompt.EntryFirst
		}
		m.misused(prompt.EntryFirst)
		return
	case AwaitCard, Stopped:
	case Typing:
		m.do(StopReading{})
	case Reading:
		if m.e.Entry != pos.EntryChip && !(m.e.Kind == Unreadable && m.e.HasChip) { // a stripe while the chip is read
			m.do(ForgetCard{KeepChip: true})
			return
		}
		if m.e.Kind == Unreadable {
			m.unreadChip(m.e.Code)
			return
		}
	default:
		m.do(ForgetCard{Except: m.Card, KeepChip: true}) // another card now is not this sale's
		return
	}
	live, wants := m.Phase == Reading, m.WantsChip()
	if !live && m.Slot.Live { // a stripe instead of the chip that was stopped
		m.Slot.Live = false
		m.do(ForgetCard{Except: m.e.Card})
	}
	m.dropCard()
	m.Slot.Live = live
	if m.e.Kind == Presented && m.e.HasChip && wants {
		m.do(ForgetCard{})
		m.show(AwaitCard, prompt.InsertChip, m.formArgs())
		m.arm(m.Profile.CardTimeout)
		m.do(Sound{ToneAttention})
		m.misused(prompt.InsertChip)
		m.blame()
		m.tryChip()
		return
	}
	if m.e.Kind == Unreadable {
		if m.e.HasChip && m.e.Code != prompt.CardRemoved {
			m.Slot.Unread++
		}
		m.show(AwaitCard, m.e.Code, m.formArgs())
		m.arm(m.Profile.CardTimeout)
		m.do(Sound{ToneBad})
		m.readFailed()
		return
	}
	a := m.formArgs()
	a.Card, a.N = m.e.Masked.Tail(), m.e.OpenRev
	switch {
	case m.e.NoRoom != "":
		m.do(ForgetCard{})
		m.endForm(m.e.NoRoom, a, ToneBad)
	case m.e.Gated:
		m.gate(prompt.Gated, a, m.e.Card)
	case m.e.OpenRev > m.Profile.MaxOpen:
		m.gate(prompt.TooManyOpen, a, pos.CardRef{})
	default:
		m.Card, m.Masked, m.Entry, m.Twin = m.e.Card, m.e.Masked, string(m.e.Entry), m.e.Twin.STAN
		m.Must = m.e.MustPIN
		if m.Slot.Chip.Fallback = m.e.HasChip && m.Profile.Slot; m.Slot.Chip.Fallback {
			m.log(prompt.LogFallback, pos.RecordID{}, func(l *Log) { l.N = m.Slot.Unread })
		}
		m.Slot.Live = m.Slot.Live && m.spec().full() // of other kinds it is only read
		m.weigh()
	}
}

// misused notes a card or a key at the wrong moment. It is no mistake worth an
// alarm; three within ten minutes bring a guide.
func (m *machine) misused(what prompt.Code) {
	e := m.happened(throttle.Misuse)
	if what == prompt.InsertChip {
		e.RC = throttle.RCOf("45") // as a bank says it
	}
	m.note(e)
	m.log(prompt.LogMisuse, pos.RecordID{}, func(l *Log) { l.Why, l.N = what, int(m.Durable.Operator) })
	if d := m.decide(throttle.OnKeys, e); d.Action == throttle.Warn {
		m.Note, m.NoteArgs = d.Text, prompt.Args{N: d.Count, Rule: ruleName(d.Rule)}
	}
}

// readFailed counts for the reader and for this form, never against a card.
func (m *machine) readFailed() {
	e := m.note(m.happened(throttle.ReadFail))
	if d := m.decide(throttle.OnReadFail, e); d.Action == throttle.Warn {
		m.Note, m.NoteArgs = d.Text, prompt.Args{N: d.Count, Rule: ruleName(d.Rule)}
	}
	m.blame()
}

// gate keeps the amount and stops this card: its last payment, or too many
// others, are not settled. The reversal is tried at once.
func (m *machine) gate(c prompt.Code, a prompt.Args, card pos.CardRef) {
	m.do(ForgetCard{})
	m.Slot.Live = false
	m.show(AwaitCard, c, a)
	m.arm(m.Profile.CardTimeout)
	m.do(Sound{ToneAttention})
	if m.Work != WorkNone {
		return
	}
	if !m.Durable.SignedOn { // pump signs on first
		m.due, m.Hold = max(m.due, 1), m.e.At.Logical
		return
	}
	m.Work = WorkRecord
	m.do(SendRecord{Card: card})
}
