package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// steps between tries: 1, 2, 5, 10, 30 s, then 1 to 5 min, for ever.
var steps = [...]time.Duration{1, 2, 5, 10, 30, 60, 120, 180, 240, 300}

// Backoff is the pause after so many tries, with ±20 % jitter from rnd, so
// that the terminals of a street do not all come back at once.
func Backoff(tries int, rnd uint32) time.Duration {
	d := steps[min(max(tries-1, 0), len(steps)-1)] * time.Second
	jitter := int64(rnd%401) - 200 // per mille
	return d + d*time.Duration(jitter)/1000
}

// reversalDone is the end of one try of a record.
func (m *machine) reversalDone() {
	if m.Work != WorkReversal {
		return
	}
	m.Work = WorkNone
	rec, r, now := m.e.Reversal, m.e.Reply, m.e.At.Logical
	if rec.STAN == 0 { // nothing to send after all
		m.due = 0
		return
	}
	wasDue := rec.Next <= now
	m.log(prompt.LogReversal, rec.RecordID, func(l *Log) { l.RC, l.Why, l.N = r.RC, r.Code, rec.Tries })
	switch r.Kind {
	case NotSent:
		// A failed dial uses up no try and writes nothing; the outbox rests.
		m.DialFails++
		m.Hold = now + Backoff(m.DialFails, m.e.Rand)
		m.due = 0
		if m.Phase == Preparing {
			// The sale would meet the same dead line: it ends here, unsent.
			a := m.saleArgs()
			m.Keyed, m.Decimals = 0, -1
			m.end(r.Code, a, ToneBad)
		} else {
			m.tryFailed(rec)
		}
		return
	case Answered:
		m.DialFails = 0
		if r.Order == OrderSignOn {
			m.WantSignOn = true
		}
		if m.macGood(r, verdict(r.RC)) && verdict(r.RC) != vKeys {
			m.Resigned = 0
		}
		if m.closes(rec, r) {
			m.closed(rec, r)
			if wasDue {
				m.due--
			}
			return
		}
	default:
		m.DialFails = 0
	}
	rec.Tries++
	rec.Next = now + Backoff(rec.Tries, m.e.Rand)
	rec.LastError = string(r.Code)
	if r.Kind == Answered {
		rec.LastError = string(r.RC)
		keysOff := verdict(r.RC) == vKeys || !m.macGood(r, verdict(r.RC))
		switch {
		case keysOff && m.Resigned < 2:
			// Sign on, then this record again at once, under the new key.
			m.Resigned++
			m.keysOff()
			rec.Next = now
		case r.RC == "12" || r.RC == "25":
			rec.Next = max(rec.LeftBy+m.Profile.SettleAfter, now+time.Second)
		}
	}
	m.do(PutReversal{rec})
	if wasDue && rec.Next > now {
		m.due--
	}
	m.tryFailed(rec)
}

// closes tells whether the host's word ends this record: 00, or 12 and 25
// (no such original) if no byte of the original can still be under way
// (money rule 5). Without a valid MAC nothing closes (money rule 4).
func (m *machine) closes(rec pos.Reversal, r Reply) bool {
	if !m.macGood(r, verdict(r.RC)) {
		return false
	}
	switch r.RC {
	case "00":
		return true
	case "12", "25":
		return m.e.At.Logical >= rec.LeftBy+m.Profile.SettleAfter && rec.Batch == m.Durable.Batch
	}
	return false
}

func (m *machine) closed(rec pos.Reversal, r Reply) {
	m.do(DropReversal{rec.RecordID})
	m.Durable.Reversals = max(m.Durable.Reversals-1, 0)
	if m.Durable.Last.ID == rec.RecordID {
		m.Durable.Last.Code = prompt.Reversed
	}
	m.log(prompt.LogReversed, rec.RecordID, func(l *Log) { l.RC, l.Amount, l.Masked, l.N = r.RC, rec.Amount, rec.Masked, rec.Tries+1 })
	a := prompt.Args{Amount: rec.Amount.String(), Card: rec.Masked.Tail(), STAN: rec.STAN.String(), N: m.Durable.Reversals}
	switch m.Phase {
	case Ready, Result:
		if m.aboutReversal() {
			m.show(m.Phase, prompt.Reversed, a)
		} else {
			m.Note, m.NoteArgs = prompt.Reversed, a
		}
		m.do(Sound{ToneGood})
	case AwaitCard:
		if m.aboutReversal() { // the gate opens: the same card may pay now
			sale := m.saleArgs()
			m.show(AwaitCard, prompt.Card, sale)
			m.Note, m.NoteArgs = prompt.Reversed, a
			m.arm(m.Profile.CardTimeout)
			m.do(Sound{ToneGood})
		}
	}
}

// tryFailed tells whoever looks at the gate or at the unknown sale that the
// machine goes on by itself.
func (m *machine) tryFailed(rec pos.Reversal) {
	if m.aboutReversal() && (m.Phase == Ready || m.Phase == Result || m.Phase == AwaitCard) {
		m.Note, m.NoteArgs = prompt.ReversalQueued, prompt.Args{N: m.Durable.Reversals, Amount: rec.Amount.String(), Card: rec.Masked.Tail(), STAN: rec.STAN.String()}
	}
}

// aboutReversal: the screen speaks of a payment whose reversal is open.
func (m *machine) aboutReversal() bool {
	switch m.Code {
	case prompt.UnknownNoAnswer, prompt.UnknownLink, prompt.UnknownMAC, prompt.UnknownHost, prompt.UnknownPower,
		prompt.ReversalQueued, prompt.Gated, prompt.TooManyOpen:
		return true
	}
	return false
}
