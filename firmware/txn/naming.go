package txn

import (
	"time"

	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// Purpose of naming oneself.
type Purpose uint8

const (
	ForNothing  Purpose = iota
	ForApproval         // a second person lets a stopped card pay
	ForSignOn           // an operator begins a shift
	ForPage             // a page that is not everybody's
	ForCustody          // a custodian of the master key
)

// Person is somebody who is naming themselves: first a number, then a PIN, then,
// if it takes two factors, a token.
type Person struct {
	For    Purpose
	Need   throttle.Factors
	Number int // keyed so far, or known
	Step   nameStep
	Digits int         // of the PIN; the screen shows as many stars
	Back   prompt.Code // what the screen said before
	BackA  prompt.Args
	Page   Page
	Tech   bool // ForPage: a technician is wanted, rather than a supervisor
	Tried  bool // the PIN that is being checked is counted as a wrong one already
}

type nameStep uint8

const (
	nameNumber nameStep = iota
	namePIN
	nameWait // it is being checked
	nameToken
)

// Wrong PINs close approvals for a while, over a power cut as well. THROTTLE §1 S6.
const (
	maxWrong  = 5
	closedFor = 30 * time.Minute
)

// name begins.
func (m *machine) name(p Purpose, need throttle.Factors) {
	back, args := m.Code, m.Args
	if d := &m.Durable.Desk; d.Wrong >= maxWrong { // the power went while the last PIN was checked
		m.closeNames(closedFor)
	}
	if left := m.Durable.Desk.Closed - m.moment().At; left > 0 {
		a := prompt.Args{Seconds: int(left / time.Second)}
		if p == ForCustody {
			m.idle()
		}
		if m.NoKey {
			m.Note, m.NoteArgs = prompt.NameClosed, a
		} else if p == ForPage || p == ForCustody {
			m.show(Result, prompt.NameClosed, a)
		} else {
			m.Note, m.NoteArgs = prompt.NameClosed, a
		}
		m.do(Sound{ToneBad})
		return
	}
	m.Name = Person{For: p, Need: need, Back: back, BackA: args}
	a := args
	m.show(Naming, prompt.NameNumber, a)
	m.arm(m.Profile.CardTimeout)
}

func (m *machine) keyNaming(k Key) {
	n := &m.Name
	switch {
	case k == "cancel":
		m.unname("")
		return
	case n.Step != nameNumber:
		return // a hidden entry has the keys; a check takes its time
	}
	switch d, ok := digit(k); {
	case ok && n.Number < 10:
		n.Number = n.Number*10 + int(d)
	case k == "clear" && n.Number > 0:
		n.Number /= 10
	case k == "clear":
		m.unname("")
		return
	case k == "enter" && n.Number > 0:
		if n.For == ForApproval && n.Number == int(m.Durable.Operator) {
			m.unname(prompt.NameSame)
			return
		}
		if n.For == ForCustody && m.Custody.has(n.Number) {
			m.unname(prompt.KeySamePerson)
			return
		}
		n.Step = namePIN
		m.show(Naming, prompt.NamePIN, m.Args)
		m.do(ReadSecret{Who: n.Number, Boss: n.For != ForSignOn, Tech: n.Tech})
	}
	m.arm(m.Profile.CardTimeout)
}

// unname goes back to where it began, with a word if something was wrong.
func (m *machine) unname(why prompt.Code) {
	n := m.Name
	if n.Step == namePIN || n.Step == nameToken {
		m.do(StopReading{})
	}
	m.Name = Person{}
	switch n.For {
	case ForApproval:
		m.show(Stopped, n.Back, n.BackA)
		m.armStop()
	case ForCustody:
		if why == "" || why == prompt.NameClosed {
			m.endCustody(prompt.KeyGivenUp)
			if why != "" {
				m.Note = why
			}
			return
		}
		m.nextCustodian(why)
		return
	case ForPage:
		if why != "" { // a page has no room for it
			m.idle()
			m.show(Result, why, m.Args)
			m.do(Sound{ToneBad})
			return
		}
		m.openPage(n.Page)
		return
	default:
		m.idle()
	}
	m.Note = why
	if why != "" {
		m.do(Sound{ToneBad})
	}
}

// nameTried counts a try as a wrong one before it is looked at, in a commit of its
// own: whoever cuts the power then has had it.
func (m *machine) nameTried() {
	if n := &m.Name; m.Phase == Naming && !n.Tried {
		n.Tried = true
		m.Durable.Desk = m.Durable.Desk.Count(n.Number)
	}
}

func (m *machine) closeNames(d time.Duration) {
	desk := &m.Durable.Desk
	desk.Wrong, desk.Whose, desk.Closed = 0, "", m.moment().At+d
}

// named is the check of a PIN or of a token.
func (m *machine) named() {
	n := &m.Name
	if m.Phase != Naming || n.Step == nameNumber || m.e.N != n.Number {
		return
	}
	desk := &m.Durable.Desk
	switch {
	case m.e.Code == prompt.Cancelled || m.e.Code == prompt.OperatorTime:
		m.unname("")
		return
	case !m.e.OK:
		if m.e.Code == prompt.NameWrong {
			m.nameTried()
			n.Tried = false
			e := m.happened(throttle.LoginBad)
			e.Op = uint8(min(n.Number, 255))
			m.do(PutEvent{e})
			closed := closedFor
			d := m.decide(throttle.OnLogin, e) // a rule may close sooner, or for longer
			if left := d.Wait - m.moment().At; d.Stops() && left > closed {
				closed = left
			}
			if desk.Wrong >= maxWrong || d.Stops() {
				m.closeNames(closed)
				m.log(prompt.LogApproval, m.Durable.Open.ID, func(l *Log) { l.Why, l.N = prompt.NameClosed, n.Number })
				m.unname(prompt.NameClosed)
				m.NoteArgs = prompt.Args{Seconds: int(closed / time.Second)}
				return
			}
		}
		m.log(prompt.LogApproval, m.Durable.Open.ID, func(l *Log) { l.Why, l.N = m.e.Code, n.Number })
		m.unname(m.e.Code)
		return
	}
	*desk = desk.Forgive(n.Number)
	n.Tried = false
	if n.Step == namePIN && n.Need == throttle.PINToken {
		n.Step = nameToken
		m.show(Naming, prompt.NameToken, m.Args)
		m.do(ReadToken{Who: n.Number})
		m.arm(m.Profile.CardTimeout)
		return
	}
	who := *n
	m.Name = Person{}
	switch who.For {
	case ForApproval:
		m.approved2(who)
	case ForSignOn:
		m.Durable.Operator = uint8(who.Number)
		m.log(prompt.LogShift, m.Durable.Open.ID, func(l *Log) { l.N, l.Text = who.Number, "on" })
		m.show(Result, prompt.ShiftOn, prompt.Args{N: who.Number})
		m.disarm()
		m.do(Sound{ToneGood})
	case ForCustody:
		m.custodian(who.Number)
	case ForPage:
		m.log(prompt.LogService, m.Durable.Open.ID, func(l *Log) { l.N, l.Text = who.Number, "page "+pageNames[who.Page] })
		m.openPage(who.Page)
		m.do(PageKey{Page: who.Page, Key: "named", Who: who.Number})
	}
}

// pageAsks: the page that is open wants a person for what it was told to do.
func (m *machine) pageAsks() {
	if m.Phase != Paging {
		return
	}
	p := m.Page
	m.name(ForPage, throttle.PIN)
	m.Name.Page, m.Name.Tech = p, m.e.OK
}

// approved2: a second person lets this card pay this amount, once, within two
// minutes. What stopped it is asked again: another rule may stop it still.
func (m *machine) approved2(who Person) {
	now := m.moment().At
	m.Grant = throttle.Grant{Key: m.e.Watch.Card.Key, Amount: m.Keyed, Until: now + throttle.GrantTime, Factors: who.Need}
	e := m.happened(throttle.Override)
	e.Rule, e.RC = m.Stop.Rule, throttle.RC{byte('0' + who.Number/10%10), byte('0' + who.Number%10)}
	m.do(PutEvent{e})
	m.log(prompt.LogApproval, m.Durable.Open.ID, func(l *Log) {
		l.N, l.Amount.Minor, l.Amount.Currency, l.Masked, l.Text = who.Number, m.Keyed, m.Profile.Currency, m.Masked, ruleName(m.Stop.Rule)
	})
	m.do(Sound{ToneGood})
	m.weigh()
}
