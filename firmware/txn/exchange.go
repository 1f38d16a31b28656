package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// confirmed: keys do not act before there was time to read. THROTTLE §1 S2.
func (m *machine) confirmed() {
	if m.e.At.Logical < m.Shown+m.settings().Read {
		return
	}
	m.next()
}

func (m *machine) pinDone() {
	if m.Phase != EnteringPIN {
		return
	}
	a := m.formArgs()
	switch m.e.PIN {
	case PINEntered:
		m.PIN = !m.chip() || m.Slot.Online
		if m.chip() && m.spec().full() {
			m.reading(GiveChip{PIN: PINEntered})
			return
		}
		m.next()
	case PINBypassed:
		if !m.mayBypass() { // a pad that does not keep the rule decides nothing
			m.endForm(prompt.PINNeeded, a, ToneBad)
			return
		}
		m.PIN = false
		if m.chip() && m.spec().full() {
			m.reading(GiveChip{PIN: PINBypassed})
			return
		}
		m.next()
	case PINTimedOut:
		m.endForm(prompt.OperatorTime, a, ToneAttention)
	case PINFailed:
		if m.chip() && m.spec().full() {
			m.reading(GiveChip{PIN: PINFailed})
			return
		}
		m.endForm(prompt.Internal, a, ToneBad)
	default:
		m.cancel()
	}
}

// prepare waits for the line; pump sends what goes first, then the
// transaction.
func (m *machine) prepare() {
	m.disarm()
	m.show(Preparing, prompt.Preparing, m.formArgs())
}

// newIntent is the form in front of us, under the present STAN.
func (m *machine) newIntent() Intent {
	return Intent{
		ID:     pos.RecordID{Context: m.Profile.Context, Batch: m.Durable.Batch, STAN: m.Durable.STAN},
		Kind:   m.spec().Kind,
		Amount: pos.Amount{Minor: m.Keyed, Currency: m.Profile.Currency},
		Card:   m.Card, Masked: m.Masked, Entry: m.Entry + pinDigit(m.PIN), Orig: m.Orig, At: m.e.At, PIN: m.PIN,
		Order: m.Order, Op: m.Durable.Operator, Began: m.Began, Chip: m.Slot.Chip,
	}
}

// intent writes what is about to be sent, with its complete reversal or as the
// advice that it is, and orders the sending: commit 1 (money rule 1).
func (m *machine) intent() {
	k := m.spec()
	if m.e.NoRoom != "" {
		m.endForm(m.e.NoRoom, m.formArgs(), ToneBad)
		return
	}
	if k.Unknown == Repeat && m.e.SameOrig {
		m.endForm(prompt.AdviceOpen, m.formArgs(), ToneAttention)
		return
	}
	m.Durable.STAN = m.Durable.STAN.Next()
	in := m.newIntent()
	m.Durable.Open = in
	m.pace()
	if k.Unknown != Nothing {
		m.do(PutRecord{m.record(in, pos.RecordArmed, "98")})
	}
	m.show(Online, prompt.Dialling, m.formArgs())
	m.Work = WorkSale
	m.log(prompt.LogIntent, in.ID, func(l *Log) { l.Amount, l.Masked = in.Amount, in.Masked })
	m.do(SendSale{in})
}

// pace moves the desk's rate on: one more is on its way.
func (m *machine) pace() {
	if m.e.Rules == nil {
		return
	}
	if g, ok := m.e.Rules.Pace(); ok {
		m.Durable.Desk.TAT, _ = g.Take(m.Durable.Desk.TAT, m.moment().At)
	}
}

// pinDigit is the third digit of DE 22. HOST §1.2.
func pinDigit(pin bool) string {
	if pin {
		return "1"
	}
	return "2"
}

// record is what an intent leaves in the outbox: its reversal, with the same
// STAN and the original's DE 3, 22, 25 and 60, or the advice itself; never a
// track, never a PIN. HOST §1.4.
func (m *machine) record(in Intent, st pos.RecordState, reason pos.ResponseCode) pos.Record {
	k := SpecOf(in.Kind)
	r := pos.Record{
		RecordID: in.ID, Class: pos.ClassReversal, Kind: in.Kind, State: st, Amount: in.Amount, Card: in.Card, Masked: in.Masked,
		Process: k.Process, Entry: in.Entry, Condition: k.Condition, Type60: k.Type + in.ID.Batch.String() + Tail60(m.Profile.Tail60, in.Chip),
		Orig: in.Orig, Reason: reason, At: in.At, Chip: in.Chip,
	}
	if k.Unknown == Repeat {
		r.Class, r.Reason, r.AuthCode = pos.ClassAdvice, "", in.Orig.Auth
		if k.Kind == pos.KindTip {
			r.Tip = in.Amount.Minor
		}
	}
	return r
}

// Tail60 is DE 60 behind type and batch; a stripe that stands in for an unread
// chip says so in 60.5. HOST §1.2.
func Tail60(tail string, c pos.Chip) string {
	if c.Fallback && len(tail) >= 5 {
		return tail[:4] + "2" + tail[5:]
	}
	return tail
}

// classOf is where the record of an intent stands.
func classOf(in Intent) pos.Class {
	if k := SpecOf(in.Kind); k != nil && k.Unknown == Repeat {
		return pos.ClassAdvice
	}
	return pos.ClassReversal
}

// unknown closes an intent as UNKNOWN: in one commit the intent ends and what
// settles it is due (money rule 2).
func (m *machine) unknown(in Intent, c prompt.Code, reason pos.ResponseCode, leftBy time.Duration) {
	m.Durable.Open = Intent{}
	last := Last{ID: in.ID, Kind: in.Kind, Amount: in.Amount, Masked: in.Masked, Code: c}
	k := SpecOf(in.Kind)
	switch {
	case k == nil || k.Unknown == Nothing:
		c = prompt.NoAnswerYet
		if m.e.Kind == Booted {
			c = prompt.Idle
		}
	case k.Unknown == Repeat:
		c = prompt.AdviceOpen
		m.later++
	default:
		m.Durable.Reversals++
		m.due++
		m.outcome(in, throttle.Unknown, m.e.Reply.RC, in.Amount.Minor)
	}
	if k != nil && k.Unknown != Nothing {
		r := m.record(in, pos.RecordQueued, reason)
		r.LeftBy, r.Next = leftBy, m.e.At.Logical
		if m.e.Kind != Booted && r.AuthCode == "" && m.macGood(m.e.Reply, vApproved) { // of a message that nobody vouches for it may be anything
			r.AuthCode = m.e.Reply.Auth
		}
		m.do(PutRecord{r})
		last.Code = c
		m.Durable.Last = last
	}
	m.Hold = m.e.At.Logical
	m.tellEnd(in, m.e.Reply, true)
	m.log(prompt.LogOutcome, in.ID, func(l *Log) { l.Why, l.RC = c, m.e.Reply.RC })
	m.end(c, prompt.Args{Amount: in.Amount.String(), Card: in.Masked.Tail(), STAN: in.ID.STAN.String(), RC: string(m.e.Reply.RC)}, ToneBad)
}

// drop ends an intent of which it is proven that nothing was booked: it never
// left, or the host refused it under a valid MAC.
func (m *machine) drop(in Intent, c prompt.Code, why prompt.Code) {
	m.Durable.Open = Intent{}
	m.Durable.Last = Last{ID: in.ID, Kind: in.Kind, Amount: in.Amount, Masked: in.Masked, Code: c}
	if k := SpecOf(in.Kind); k != nil && k.Unknown != Nothing {
		m.do(DropRecord{classOf(in), in.ID})
	}
	m.log(why, in.ID, func(l *Log) { l.Why, l.RC = c, m.e.Reply.RC })
}

// saleDone is the end of the exchange: commit 2.
func (m *machine) saleDone() {
	in := m.Durable.Open
	if m.Work != WorkSale || !in.Open() {
		return
	}
	m.Work = WorkNone
	m.Keyed, m.Decimals = 0, -1
	r := m.e.Reply
	m.told(r)
	m.ordered(r)
	a := prompt.Args{Amount: in.Amount.String(), Card: in.Masked.Tail(), STAN: in.ID.STAN.String(), RC: string(r.RC), Host: r.Host}
	switch r.Kind {
	case NotSent:
		if m.chip() { // it may approve by itself, or must be told
			m.hold(r, false)
			return
		}
		m.drop(in, r.Code, prompt.LogDropped)
		m.end(r.Code, a, ToneBad)
	case NoAnswer:
		c := prompt.UnknownNoAnswer
		if r.Broken {
			c = prompt.UnknownLink
		}
		m.unknown(in, c, "98", r.LeftBy)
	case Answered:
		m.answered(in, r, a)
	}
}

func (m *machine) answered(in Intent, r Reply, a prompt.Args) {
	v := verdict(r.RC)
	if !m.macGood(r, v) {
		reason := pos.ResponseCode("98")
		switch v {
		case vApproved:
			reason = "A0"
		}
		// A wrong MAC, or a host that says the keys are off: both want new keys
		// before the reversal can be believed (money rule 4).
		m.keysOff()
		m.unknown(in, prompt.UnknownMAC, reason, r.LeftBy)
		return
	}
	switch {
	case v == vApproved && m.chip():
		m.hold(r, true)
	case v == vApproved && in.ofChip() && SpecOf(in.Kind).Unknown != Nothing: // its session has ended, and with it the card's word
		m.unknown(in, prompt.UnknownChip, "06", r.LeftBy)
	case v == vApproved, r.RC == "94" && classOf(in) == pos.ClassAdvice: // 94 on an advice: the host has it. HOST §2
		m.approved(in, r, a)
	case v == vNoProof:
		m.unknown(in, prompt.UnknownHost, "98", r.LeftBy)
	case v == vKeys:
		m.keysOff()
		m.declined(in, r, a)
	default:
		m.declined(in, r, a)
	}
}

func (m *machine) declined(in Intent, r Reply, a prompt.Args) {
	c := prompt.Declined(string(r.RC))
	if r.RC == "94" { // money rule 6: another with this STAN exists; go past every number used
		m.Durable.STAN = max(m.Durable.STAN, m.e.HighSTAN)
	}
	m.drop(in, c, prompt.LogOutcome)
	m.tellEnd(in, r, false)
	m.outcome(in, throttle.Declined, r.RC, in.Amount.Minor)
	m.end(c, a, ToneBad)
}

func (m *machine) approved(in Intent, r Reply, a prompt.Args) {
	k := SpecOf(in.Kind)
	if k == nil {
		k = &sale
	}
	amount, c := in.Amount, prompt.Approved
	if k.done != "" {
		c = k.done
	}
	switch r.RC {
	case "10":
		// A partial approval that names no smaller amount cannot be trusted.
		if r.Amount <= 0 || r.Amount > in.Amount.Minor {
			m.unknown(in, prompt.UnknownHost, "06", r.LeftBy)
			return
		}
		amount.Minor = r.Amount
		c = prompt.ApprovedPartial
	case "11":
		c = prompt.ApprovedVIP
	case "A2", "A4", "A5", "A6":
		c = prompt.ApprovedConfirm
	}
	m.Durable.Open = Intent{}
	if k.Unknown == Nothing {
		m.log(prompt.LogOutcome, in.ID, func(l *Log) { l.Why, l.RC = c, r.RC })
		if r.HasBal {
			a.Amount = pos.Fen(r.Balance).String()
		}
		m.end(c, a, ToneGood)
		return
	}
	row := m.row(in, r)
	row.Amount = amount
	m.do(DropRecord{classOf(in), in.ID})
	k.book(m, in, row)
	m.outcome(in, throttle.Approved, r.RC, amount.Minor)
	if in.Order != "" && in.Kind == pos.KindSale {
		m.do(PutOrder{in.Order, row})
	}
	m.setLast(in, row, c)
	m.log(prompt.LogOutcome, in.ID, func(l *Log) { l.Why, l.RC, l.Amount = c, r.RC, amount })
	a.Amount, a.RRN, a.Auth = amount.String(), string(r.RRN), string(r.Auth)
	meant := m.Stop.Action == throttle.Allow && m.Stop.Rule != 0 && m.Stop.text(m.e.Rules) == prompt.Duplicate
	m.end(c, a, ToneGood)
	if meant && m.e.Cause.Code == prompt.CauseNone {
		m.Note, m.NoteArgs = m.e.Cause.Code, m.e.Cause.Args
	}
	if m.Profile.Printer {
		m.print(m.Durable.Last, false, false)
	}
}

// row is an approval as the batch keeps it.
func (m *machine) row(in Intent, r Reply) pos.Sale {
	return pos.Sale{
		RecordID: in.ID, Kind: in.Kind, Amount: in.Amount, Asked: in.Amount, Card: in.Card, Masked: in.Masked, Entry: in.Entry, Orig: in.Orig,
		RC: r.RC, RRN: r.RRN, AuthCode: r.Auth, HostTime: r.HostTime, Issuer: r.Issuer, Org: r.Org, Host: r.Host,
		At: m.e.At, PINUsed: in.PIN, Printed: !m.Profile.Printer, Order: in.Order, Op: in.Op, Chip: m.rowChip(in),
	}
}

// rowChip is what the card said last, or what an advice had of it.
func (m *machine) rowChip(in Intent) pos.Chip {
	if m.e.Kind == ChipSaid {
		c := m.Slot.Chip
		c.PSN = in.Chip.PSN
		return c
	}
	return in.Chip
}

func (m *machine) setLast(in Intent, row pos.Sale, c prompt.Code) {
	m.Durable.Last = Last{ID: in.ID, Kind: in.Kind, Amount: row.Amount, Masked: in.Masked, Auth: row.AuthCode, RRN: row.RRN, Date: row.Date(),
		Code: c, Unprinted: m.Profile.Printer}
}
