package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// AdminKind is a message that moves no money.
type AdminKind string

const (
	AdminEcho    AdminKind = "echo"    // 0820/301
	AdminSignOff AdminKind = "signoff" // 0820/002
	AdminParams  AdminKind = "params"  // 0800/360: the acquirer's parameters
	AdminStatus  AdminKind = "status"  // 0820/362: ours
)

func (m *machine) needSignOn() bool { return !m.Durable.SignedOn || m.WantSignOn }

// keysOff: nothing may be said under the present session keys any more.
func (m *machine) keysOff() {
	m.Durable.SignedOn = false
}

// signOn orders a 0800. It takes a STAN of its own, committed before it goes.
func (m *machine) signOn() {
	m.Durable.STAN = m.Durable.STAN.Next()
	m.Work = WorkSignOn
	if m.Phase == Preparing {
		m.Code = prompt.SigningOn
	}
	m.do(SendSignOn{STAN: m.Durable.STAN})
}

// signOnDone: the keys are in the key store already, or none has changed.
func (m *machine) signOnDone() {
	if m.Work != WorkSignOn {
		return
	}
	m.Work = WorkNone
	m.WantSignOn = false // an order of the host is carried out once, HOST §1.1
	r := m.e.Reply
	m.told(r)
	ok := r.Kind == Answered && r.RC == "00" && r.KeysOK
	c := prompt.SignedOn
	switch {
	case ok:
		m.Durable.SignedOn, m.DialFails = true, 0
		m.Hold = m.e.At.Logical
		// The host's batch number counts only where nothing of ours carries one.
		if r.Batch != 0 && m.Durable.Sales == 0 && m.Durable.Reversals == 0 && m.Durable.Settle.Step == NotSettling {
			m.Durable.Batch = r.Batch
		} else if m.Durable.Batch == 0 {
			m.Durable.Batch = 1
		}
	case r.Kind == Answered && r.RC == "00":
		c, m.Durable.SignedOn = r.KeysWhy, false
		if c == "" {
			c = prompt.KeyCheck
		}
	case r.Kind == Answered:
		c = prompt.SignOnDeclined
	case r.Kind == NotSent:
		c = r.Code
	default:
		c = prompt.SignOnFailed
	}
	m.log(prompt.LogSignOn, m.Durable.Open.ID, func(l *Log) { l.RC, l.Why = r.RC, c })
	if !ok {
		m.DialFails++
		m.Hold = m.e.At.Logical + Backoff(m.DialFails, m.e.Rand)
	}
	a := m.formArgs()
	a.RC = string(r.RC)
	switch m.Phase {
	case Busy:
		m.show(Result, c, a)
		m.do(Sound{toneOf(ok)})
	case Result:
		if m.Code == prompt.KeyTaken { // a new master key: whether it is the host's, too
			m.Note, m.NoteArgs = c, a
			m.do(Sound{toneOf(ok)})
		}
	case Preparing:
		if !ok {
			m.endForm(c, a, ToneBad)
		}
	case Settling:
		if !ok {
			m.Note, m.NoteArgs = c, a
		}
	}
}

// admin sends a message that the cashier asked for.
func (m *machine) admin(k AdminKind) {
	if k != AdminEcho && !m.Durable.SignedOn {
		// Nothing to sign off from; the rest works without keys.
		if k == AdminSignOff {
			m.show(Result, prompt.SignedOff, prompt.Args{})
			m.disarm()
			return
		}
	}
	m.show(Busy, prompt.Dialling, prompt.Args{})
	m.disarm()
	m.Work = WorkAdmin
	m.Admin = k
	x := SendAdmin{Kind: k}
	if k == AdminSignOff {
		m.Durable.STAN = m.Durable.STAN.Next()
		x.STAN = m.Durable.STAN
	}
	m.do(x)
}

// pageEcho asks the host for a sign of life, for a page that is open: nothing is
// shown but by the page.
func (m *machine) pageEcho() {
	if m.Work != WorkNone || m.Phase != Paging && m.Phase != Ready {
		return
	}
	m.Work, m.Admin = WorkAdmin, AdminEcho
	m.do(SendAdmin{Kind: AdminEcho})
}

func (m *machine) adminDone() {
	if m.Work != WorkAdmin {
		return
	}
	m.Work = WorkNone
	r := m.e.Reply
	m.told(r)
	ok := r.Kind == Answered && r.RC == "00"
	c := map[AdminKind]prompt.Code{AdminEcho: prompt.EchoOK, AdminSignOff: prompt.SignedOff, AdminParams: prompt.ParamsDone, AdminStatus: prompt.StatusSent}[m.Admin]
	switch {
	case ok:
		switch m.Admin {
		case AdminSignOff:
			m.keysOff()
		case AdminParams:
			m.Durable.Params, m.Durable.ParamsAt = r.Params, m.e.At.Wall/1000
		}
	case r.Kind == Answered:
		c = prompt.Declined(string(r.RC))
	case m.Admin == AdminStatus:
		// It tells the acquirer how the device is: it may come later, once.
		c = prompt.StatusLater
		if m.e.Uploads == 0 {
			m.keepStatus(m.e.At.Logical + Backoff(1, m.e.Rand))
		}
	case r.Code != "":
		c = r.Code
	default:
		c = prompt.NetHostSilent
	}
	m.log(prompt.LogAdmin, m.Durable.Open.ID, func(l *Log) { l.RC, l.Why, l.Text = r.RC, c, string(m.Admin) })
	switch m.Phase {
	case Busy:
		m.show(Result, c, prompt.Args{RC: string(r.RC)})
		m.do(Sound{toneOf(ok)})
	case Stopped: // the time was asked for: it may have ended the stop
		if m.Stop.Until != 0 && m.Stop.Until <= m.moment().At {
			m.again()
		}
	}
}

// keepStatus puts a status upload behind everything that is of money.
func (m *machine) keepStatus(next time.Duration) {
	m.Durable.STAN = m.Durable.STAN.Next()
	now := m.e.At
	m.do(PutRecord{pos.Record{RecordID: pos.RecordID{Context: m.Profile.Context, Batch: m.Durable.Batch, STAN: m.Durable.STAN}, Class: pos.ClassUpload,
		Kind: pos.KindStatus, State: pos.RecordQueued, Amount: pos.Amount{Currency: m.Profile.Currency}, At: now, Next: next}})
}

func toneOf(ok bool) Tone {
	if ok {
		return ToneGood
	}
	return ToneBad
}
