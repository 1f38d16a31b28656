package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

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
		return
	case AwaitCard:
	default:
		m.do(ForgetCard{Except: m.Card}) // another card now is not this sale's
		return
	}
	if m.e.Kind == Unreadable {
		m.show(AwaitCard, m.e.Code, m.saleArgs())
		m.arm(m.Profile.CardTimeout)
		m.do(Sound{ToneBad})
		return
	}
	a := m.saleArgs()
	a.Card, a.N = m.e.Masked.Tail(), m.e.OpenRev
	switch {
	case m.e.NoRoom != "":
		m.do(ForgetCard{})
		m.Keyed, m.Decimals = 0, -1
		m.show(Result, m.e.NoRoom, a)
		m.disarm()
		m.do(Sound{ToneBad})
	case m.e.Gated:
		m.gate(prompt.Gated, a, m.e.Card)
	case m.e.OpenRev > m.Profile.MaxOpen:
		m.gate(prompt.TooManyOpen, a, pos.CardRef{})
	default:
		m.Card, m.Masked, m.Entry = m.e.Card, m.e.Masked, string(m.e.Entry)
		m.show(Confirming, prompt.Confirm, a)
		m.arm(m.Profile.ConfirmTime)
		m.do(Sound{ToneKey})
	}
}

// gate keeps the amount and stops this card: its last payment, or too many
// others, are not settled. The reversal is tried at once.
func (m *machine) gate(c prompt.Code, a prompt.Args, card pos.CardRef) {
	m.do(ForgetCard{})
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
	m.Work = WorkReversal
	m.do(SendReversal{Card: card})
}

func (m *machine) confirmed() {
	if !m.Profile.PINPad {
		m.prepare()
		return
	}
	m.show(EnteringPIN, prompt.PIN, m.saleArgs())
	m.disarm()
	m.do(ReadPIN{Timeout: m.Profile.PINTimeout})
}

func (m *machine) pinDone() {
	if m.Phase != EnteringPIN {
		return
	}
	a := m.saleArgs()
	switch m.e.PIN {
	case PINEntered:
		m.PIN = true
		m.prepare()
	case PINBypassed:
		m.PIN = false
		m.prepare()
	case PINTimedOut:
		m.Keyed, m.Decimals = 0, -1
		m.end(prompt.OperatorTime, a, ToneAttention)
	case PINFailed:
		m.Keyed, m.Decimals = 0, -1
		m.end(prompt.Internal, a, ToneBad)
	default:
		m.cancel()
	}
}

// prepare waits for the line; pump sends what goes first, then the sale.
func (m *machine) prepare() {
	m.disarm()
	m.show(Preparing, prompt.Preparing, m.saleArgs())
}

// intent writes what is about to be sent, with its complete reversal, and
// orders the sending: commit 1 (money rule 1).
func (m *machine) intent() {
	if m.e.NoRoom != "" {
		a := m.saleArgs()
		m.Keyed, m.Decimals = 0, -1
		m.end(m.e.NoRoom, a, ToneBad)
		return
	}
	m.Durable.STAN = m.Durable.STAN.Next()
	in := Intent{
		ID:     pos.RecordID{Context: m.Profile.Context, Batch: m.Durable.Batch, STAN: m.Durable.STAN},
		Kind:   pos.KindSale,
		Amount: pos.Amount{Minor: m.Keyed, Currency: m.Profile.Currency},
		Card:   m.Card, Masked: m.Masked, Entry: m.Entry + pinDigit(m.PIN), At: m.e.At, PIN: m.PIN,
	}
	m.Durable.Open = in
	m.do(PutReversal{m.image(in, pos.RecordArmed, "98")})
	m.show(Online, prompt.Dialling, m.saleArgs())
	m.Work = WorkSale
	m.log(prompt.LogIntent, in.ID, func(l *Log) { l.Amount, l.Masked = in.Amount, in.Masked })
	m.do(SendSale{in})
}

// pinDigit is the third digit of DE 22. HOST §1.2.
func pinDigit(pin bool) string {
	if pin {
		return "1"
	}
	return "2"
}

// image is the reversal of an intent: the same STAN, the original's DE 3, 22,
// 25 and 60; never a track, never a PIN. HOST §1.4.
func (m *machine) image(in Intent, st pos.RecordState, reason pos.ResponseCode) pos.Reversal {
	return pos.Reversal{
		RecordID: in.ID, Kind: in.Kind, State: st, Amount: in.Amount, Card: in.Card, Masked: in.Masked,
		Process: "000000", Entry: in.Entry, Condition: "00",
		Type60: "22" + in.ID.Batch.String() + m.Profile.Type60,
		Reason: reason, At: in.At,
	}
}

// unknown closes an intent as UNKNOWN: in one commit the intent ends and its
// reversal is due (money rule 2).
func (m *machine) unknown(in Intent, c prompt.Code, reason pos.ResponseCode, leftBy time.Duration) {
	r := m.image(in, pos.RecordQueued, reason)
	r.LeftBy, r.Next = leftBy, m.e.At.Logical
	if m.e.Kind == SaleDone {
		r.AuthCode = m.e.Reply.Auth
	}
	m.Durable.Open = Intent{}
	m.Durable.Reversals++
	m.Durable.Last = Last{ID: in.ID, Kind: in.Kind, Amount: in.Amount, Masked: in.Masked, Code: c}
	m.do(PutReversal{r})
	m.due++
	m.Hold = m.e.At.Logical
	m.log(prompt.LogOutcome, in.ID, func(l *Log) { l.Why, l.RC = c, m.e.Reply.RC })
	m.end(c, prompt.Args{Amount: in.Amount.String(), Card: in.Masked.Tail(), STAN: in.ID.STAN.String(), RC: string(m.e.Reply.RC)}, ToneBad)
}

// drop ends an intent of which it is proven that nothing was booked: it never
// left, or the host refused it under a valid MAC.
func (m *machine) drop(in Intent, c prompt.Code, why prompt.Code) {
	m.Durable.Open = Intent{}
	m.Durable.Last = Last{ID: in.ID, Kind: in.Kind, Amount: in.Amount, Masked: in.Masked, Code: c}
	m.do(DropReversal{in.ID})
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
	if r.Order == OrderSignOn {
		m.WantSignOn = true
	}
	a := prompt.Args{Amount: in.Amount.String(), Card: in.Masked.Tail(), STAN: in.ID.STAN.String(), RC: string(r.RC), Host: r.Host}
	switch r.Kind {
	case NotSent:
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
	switch v {
	case vApproved:
		m.approved(in, r, a)
	case vNoProof:
		m.unknown(in, prompt.UnknownHost, "98", r.LeftBy)
	case vKeys:
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
	m.end(c, a, ToneBad)
}

func (m *machine) approved(in Intent, r Reply, a prompt.Args) {
	amount, c := in.Amount, prompt.Approved
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
	row := pos.Sale{
		RecordID: in.ID, Kind: in.Kind, Amount: amount, Asked: in.Amount, Card: in.Card, Masked: in.Masked, Entry: in.Entry,
		RC: r.RC, RRN: r.RRN, AuthCode: r.Auth, HostTime: r.HostTime, Issuer: r.Issuer, Org: r.Org, Host: r.Host,
		At: m.e.At, PINUsed: in.PIN, Printed: !m.Profile.Printer,
	}
	m.Durable.Open = Intent{}
	m.Durable.Sales++
	m.Durable.Total += amount.Minor
	m.Durable.Last = Last{ID: in.ID, Kind: in.Kind, Amount: amount, Masked: in.Masked, Auth: r.Auth, RRN: r.RRN, Code: c, Unprinted: m.Profile.Printer}
	m.do(DropReversal{in.ID})
	m.do(PutSale{row})
	m.log(prompt.LogOutcome, in.ID, func(l *Log) { l.Why, l.RC, l.Amount = c, r.RC, amount })
	a.Amount, a.RRN, a.Auth = amount.String(), string(r.RRN), string(r.Auth)
	m.end(c, a, ToneGood)
	if m.Profile.Printer {
		m.print(m.Durable.Last, false, false)
	}
}
