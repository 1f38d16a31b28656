package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
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

// recordDone is the end of one try of a record.
func (m *machine) recordDone() {
	if m.Work != WorkRecord {
		return
	}
	m.Work = WorkNone
	rec, r, now := m.e.Record, m.e.Reply, m.e.At.Logical
	if rec.STAN == 0 { // nothing to send after all
		m.due, m.later, m.e.Untried = 0, 0, 0
		return
	}
	wasDue := rec.Next <= now
	m.log(prompt.LogReversal, rec.RecordID, func(l *Log) { l.RC, l.Why, l.N = r.RC, r.Code, rec.Tries })
	if r.Kind == NotSent && r.Code == prompt.Internal {
		// No message can be made of it. It steps back by itself and stays; the
		// line is free for the others.
		rec.Tries++
		rec.Tried = now
		rec.Next = now + Backoff(rec.Tries, m.e.Rand)
		rec.LastError = string(r.Code)
		m.do(PutRecord{rec})
		if m.e.Untried > 0 {
			m.e.Untried--
		}
		m.counted(rec, wasDue)
		m.tryFailed(rec)
		return
	}
	switch r.Kind {
	case NotSent:
		// A failed dial uses up no try and writes nothing; the outbox rests.
		m.DialFails++
		m.Hold = now + Backoff(m.DialFails, m.e.Rand)
		m.due, m.later = 0, 0
		if m.Phase == Preparing {
			// The sale would meet the same dead line: it ends here, unsent.
			a := m.formArgs()
			if m.chip() {
				m.do(TellChip{Reach: NotSent, After: true})
			}
			m.endForm(r.Code, a, ToneBad)
		} else {
			m.tryFailed(rec)
		}
		return
	case Answered:
		m.DialFails = 0
		m.told(r)
		m.ordered(r)
		v := verdict(r.RC)
		if m.macGood(r, v) && v != vKeys {
			m.Resigned = 0
		}
		if m.finished(rec, r) {
			m.counted(rec, wasDue)
			return
		}
	default:
		m.DialFails = 0
	}
	rec.Tries++
	rec.Tried = now
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
			rec.Tried = 0
		case rec.Class == pos.ClassReversal && (r.RC == "12" || r.RC == "25"):
			rec.Next = max(rec.LeftBy+m.Profile.SettleAfter, now+time.Second)
		}
	}
	m.do(PutRecord{rec})
	if m.e.Untried > 0 && rec.Tried != 0 {
		m.e.Untried--
	}
	if rec.Next > now {
		m.counted(rec, wasDue)
	}
	m.tryFailed(rec)
}

// counted: a record that was due no longer is.
func (m *machine) counted(rec pos.Record, wasDue bool) {
	switch {
	case !wasDue:
	case rec.Class <= pos.ClassScript:
		m.due--
	default:
		m.later--
	}
}

// finished handles an answer that ends a record. Without a valid MAC nothing
// does (money rule 4).
func (m *machine) finished(rec pos.Record, r Reply) bool {
	v := verdict(r.RC)
	if !m.macGood(r, v) || v == vKeys {
		return false
	}
	if m.e.Untried > 0 {
		m.e.Untried--
	}
	switch rec.Class {
	case pos.ClassReversal:
		if m.closes(rec, r) {
			m.closed(rec, r)
			return true
		}
		if (r.RC == "12" || r.RC == "25") && rec.Batch != m.Durable.Batch {
			// After its batch nobody can tell whether the original was booked: a
			// person settles it with the acquirer (money rule 5).
			m.unresolved(rec, string(r.RC))
			return true
		}
		m.e.Untried++
		return false
	case pos.ClassAdvice:
		if v == vNoProof {
			m.e.Untried++
			return false
		}
		m.delivered(rec, r, v == vApproved || r.RC == "94")
		return true
	}
	// A script result or an upload is delivered by any answer: what the host
	// thinks of it changes no money.
	m.do(DropRecord{rec.Class, rec.RecordID})
	m.log(prompt.LogDelivered, rec.RecordID, func(l *Log) { l.RC = r.RC })
	return true
}

// closes tells whether the host's word ends a reversal: 00, or 12 and 25 (no
// such original) if no byte of the original can still be under way (money
// rule 5); 22: the original was taken back already. HOST §2.
func (m *machine) closes(rec pos.Record, r Reply) bool {
	switch r.RC {
	case "00", "22":
		return true
	case "12", "25":
		return m.e.At.Logical >= rec.LeftBy+m.Profile.SettleAfter && rec.Batch == m.Durable.Batch
	}
	return false
}

func (m *machine) closed(rec pos.Record, r Reply) {
	m.do(DropRecord{rec.Class, rec.RecordID})
	m.Durable.Reversals = max(m.Durable.Reversals-1, 0)
	if m.Durable.Last.ID == rec.RecordID {
		m.Durable.Last.Code = prompt.Reversed
	}
	m.undone(rec)
	m.log(prompt.LogReversed, rec.RecordID, func(l *Log) { l.RC, l.Amount, l.Masked, l.N = r.RC, rec.Amount, rec.Masked, rec.Tries+1 })
	a := recordArgs(rec)
	a.N = m.Durable.Reversals
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
			sale := m.formArgs()
			m.show(AwaitCard, m.cardCode(), sale)
			m.Note, m.NoteArgs = prompt.Reversed, a
			m.arm(m.Profile.CardTimeout)
			m.do(Sound{ToneGood})
		}
	}
}

// unresolved puts a record where only a person can close it. Its card stays
// gated: nobody knows yet what it paid.
func (m *machine) unresolved(rec pos.Record, why string) {
	rec.State, rec.LastError = pos.RecordUnresolved, why
	rec.Tries++
	m.do(PutRecord{rec})
	m.log(prompt.LogUnresolved, rec.RecordID, func(l *Log) { l.RC, l.Amount, l.Masked = pos.ResponseCode(why), rec.Amount, rec.Masked })
	if m.Phase == Ready || m.Phase == Result {
		m.show(Result, prompt.Unresolved, recordArgs(rec))
		m.do(Sound{ToneAttention})
	}
}

// delivered ends an advice: the host has booked it, or will not.
func (m *machine) delivered(rec pos.Record, r Reply, good bool) {
	a := recordArgs(rec)
	a.RC = string(r.RC)
	k := SpecOf(rec.Kind)
	kept := k != nil && k.Kept
	switch {
	case good && kept:
		m.do(DropRecord{rec.Class, rec.RecordID})
		m.do(EditSale{ID: rec.RecordID, Sent: true, RRN: r.RRN})
		m.log(prompt.LogDelivered, rec.RecordID, func(l *Log) { l.RC = r.RC })
	case good: // a refund or completion whose answer was lost: it is booked now
		in := Intent{ID: rec.RecordID, Kind: rec.Kind, Amount: rec.Amount, Card: rec.Card, Masked: rec.Masked, Entry: rec.Entry, Orig: rec.Orig, At: rec.At}
		row := m.row(in, r)
		m.do(DropRecord{rec.Class, rec.RecordID})
		k.book(m, in, row)
		m.outcome(in, throttle.Approved, r.RC, in.Amount.Minor)
		m.log(prompt.LogDelivered, rec.RecordID, func(l *Log) { l.RC = r.RC })
		m.setLast(in, row, k.done)
		if m.Profile.Printer && !m.Printing {
			m.print(m.Durable.Last, true, false)
		}
		m.tell(k.done, a, ToneGood)
	case kept: // 离线交易被拒: listed, printed, counted
		rec.State, rec.LastError = pos.RecordRefused, string(r.RC)
		rec.Tries++
		m.do(PutRecord{rec})
		m.do(EditSale{ID: rec.RecordID, State: pos.RowRefused})
		origin := pos.RecordID{Context: rec.Context, Batch: rec.Orig.Batch, STAN: rec.Orig.STAN}
		switch rec.Kind {
		case pos.KindTip:
			m.do(EditSale{ID: origin, Tip: NoTip})
			m.Durable.Totals.Add(rec.Kind, rec.Amount.Minor, -1)
		case pos.KindAdjust:
			m.do(EditSale{ID: origin, Amount: rec.Was})
			m.Durable.Totals.Add(rec.Kind, rec.Amount.Minor-rec.Was, -1)
		default:
			m.Durable.Totals.Add(rec.Kind, rec.Amount.Minor, -1)
		}
		m.log(prompt.LogRefused, rec.RecordID, func(l *Log) { l.RC, l.Amount, l.Masked = r.RC, rec.Amount, rec.Masked })
		if m.Profile.Printer && !m.Printing {
			m.Printing = true
			m.do(Print{ID: rec.RecordID})
		}
		m.tell(prompt.OfflineRefused, a, ToneBad)
	default:
		m.do(DropRecord{rec.Class, rec.RecordID})
		m.log(prompt.LogRefused, rec.RecordID, func(l *Log) { l.RC, l.Amount, l.Masked = r.RC, rec.Amount, rec.Masked })
		if m.Durable.Last.ID == rec.RecordID {
			m.Durable.Last.Code = prompt.Declined(string(r.RC))
		}
		m.tell(prompt.Declined(string(r.RC)), a, ToneBad)
	}
}

// tell says what became of an earlier transaction: as the screen if that spoke
// of it, else below what is there.
func (m *machine) tell(c prompt.Code, a prompt.Args, t Tone) {
	switch {
	case (m.Phase == Ready || m.Phase == Result) && (m.Code == prompt.AdviceOpen || m.Code == prompt.Idle || t == ToneBad):
		m.show(Result, c, a)
	case m.Quiet():
		m.Note, m.NoteArgs = c, a
	default:
		return
	}
	m.do(Sound{t})
}

// closedBy: a supervisor closed a record with a reason; a ticket and the log
// say so. It is the only other way out of the outbox.
func (m *machine) closedBy() {
	rec := m.e.Record
	if rec.STAN == 0 || rec.State == pos.RecordArmed {
		return
	}
	m.do(DropRecord{rec.Class, rec.RecordID})
	if rec.Class == pos.ClassReversal {
		m.Durable.Reversals = max(m.Durable.Reversals-1, 0)
		m.undone(rec)
	}
	m.log(prompt.LogClosed, rec.RecordID, func(l *Log) { l.Amount, l.Masked, l.Text = rec.Amount, rec.Masked, m.e.Reason })
	m.do(PrintTicket{Record: rec, Reason: m.e.Reason})
	if m.Phase == Ready || m.Phase == Result {
		m.show(Result, prompt.ClosedByHand, recordArgs(rec))
	}
}

// tryFailed tells whoever looks at the gate or at the unknown sale that the
// machine goes on by itself.
func (m *machine) tryFailed(rec pos.Record) {
	if rec.Class == pos.ClassReversal && m.aboutReversal() && (m.Phase == Ready || m.Phase == Result || m.Phase == AwaitCard) {
		a := recordArgs(rec)
		a.N = m.Durable.Reversals
		m.Note, m.NoteArgs = prompt.ReversalQueued, a
	}
}

func recordArgs(rec pos.Record) prompt.Args {
	return prompt.Args{Amount: rec.Amount.String(), Card: rec.Masked.Tail(), STAN: rec.STAN.String()}
}

// aboutReversal: the screen speaks of a payment whose reversal is open.
func (m *machine) aboutReversal() bool {
	switch m.Code {
	case prompt.UnknownNoAnswer, prompt.UnknownLink, prompt.UnknownMAC, prompt.UnknownHost, prompt.UnknownPower, prompt.UnknownChip,
		prompt.ReversalQueued, prompt.Gated, prompt.TooManyOpen:
		return true
	}
	return false
}

// parkedBy: a supervisor put a reversal on the unresolved list, with a ticket:
// it is asked for no more, its card goes on waiting, and nothing of it is sent
// to anybody else (money rule 3).
func (m *machine) parkedBy() {
	rec := m.e.Record
	if rec.STAN == 0 || rec.State != pos.RecordQueued {
		return
	}
	m.unresolved(rec, string(prompt.Unresolved))
	m.do(PrintTicket{Record: rec, Reason: m.e.Reason})
}
