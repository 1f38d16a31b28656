package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// Step is total and pure: the same (State, Event) gives the same answer. An
// event that does not fit the state, such as the expiry of an old timer,
// changes nothing.
func Step(s State, e Event) (State, []Effect) {
	m := machine{State: s, e: e, due: e.Due}
	m.dispatch()
	m.pump()
	if m.Durable != s.Durable || m.rows {
		m.Durable.Saved = e.At
	}
	return m.State, m.fx
}

// machine is one step in the making.
type machine struct {
	State
	e    Event
	fx   []Effect
	rows bool // a row effect is among fx
	due  int  // reversals still due, counted down within this step
}

func (m *machine) do(e Effect) {
	m.rows = m.rows || IsRow(e)
	m.fx = append(m.fx, e)
}

func (m *machine) dispatch() {
	switch m.e.Kind {
	case Booted:
		m.boot()
	case Faulted:
		m.halt(m.e.Code)
	case Mended:
		if m.Phase == Halted {
			m.idle()
		}
	case KeyPressed:
		m.key(m.e.Key)
	case Presented, Unreadable:
		m.card()
	case PINCounted:
		if m.Phase == EnteringPIN {
			m.PINLen = m.e.N
			m.Args.N = m.e.N
		}
	case PINDone:
		m.pinDone()
	case TimerExpired:
		m.expired()
	case OutboxDue:
		// pump looks at what is due
	case Progress:
		if m.Phase == Online || m.Phase == Busy {
			m.Code = m.e.Code
		}
	case SaleDone:
		m.saleDone()
	case ReversalDone:
		m.reversalDone()
	case SignOnDone:
		m.signOnDone()
	case EchoDone:
		m.echoDone()
	case PrintDone:
		m.printDone()
	}
}

// pump starts what the line should do next, if it is free. The order is that
// of the money: a sign-on without which nothing else can be said, then each
// due reversal, then the sale.
func (m *machine) pump() {
	if m.Work != WorkNone || m.Phase == Starting || m.Phase == Halted {
		return
	}
	preparing := m.Phase == Preparing
	dueNow := m.due > 0 && (preparing || m.e.At.Logical >= m.Hold)
	if m.needSignOn() && (preparing || dueNow || m.WantSignOn) {
		m.signOn()
		return
	}
	if !m.Durable.SignedOn {
		return // signOnDone has said why
	}
	switch {
	case dueNow:
		m.Work = WorkReversal
		if preparing {
			m.Code = prompt.Preparing
		}
		m.do(SendReversal{})
	case preparing:
		m.intent()
	}
}

// show puts a message on the screen; any note of before goes.
func (m *machine) show(p Phase, c prompt.Code, a prompt.Args) {
	m.Phase, m.Code, m.Args = p, c, a
	m.Note, m.NoteArgs = "", prompt.Args{}
}

// idle is the ready screen. What was left of a customer is forgotten.
func (m *machine) idle() {
	m.forget()
	m.Keyed, m.Decimals = 0, -1
	m.show(Ready, prompt.Idle, prompt.Args{})
	m.disarm()
}

// end shows an outcome and forgets the card.
func (m *machine) end(c prompt.Code, a prompt.Args, t Tone) {
	m.forget()
	m.show(Result, c, a)
	m.disarm()
	m.do(Sound{t})
}

func (m *machine) forget() {
	if !m.Card.IsZero() || m.Phase == EnteringPIN {
		m.do(ForgetCard{})
	}
	m.Card, m.Masked, m.Entry = pos.CardRef{}, "", ""
	m.PIN, m.PINLen = false, 0
}

func (m *machine) halt(c prompt.Code) {
	m.forget()
	m.Keyed, m.Decimals = 0, -1
	m.show(Halted, c, prompt.Args{})
	m.disarm()
	m.do(Sound{ToneBad})
}

// arm starts the operator's timer anew; whatever ran before is stale.
func (m *machine) arm(d time.Duration) {
	m.Timer++
	m.do(Arm{ID: m.Timer, D: d})
}

func (m *machine) disarm() { m.Timer++ }

// expired: nobody acted in time. Nothing was sent, so nothing is charged.
func (m *machine) expired() {
	if m.e.N != m.Timer {
		return
	}
	switch m.Phase {
	case Keying, AwaitCard, Confirming, InMenu:
		m.abandon(prompt.OperatorTime)
	}
}

// abandon ends a sale of which nothing was sent. Where the screen spoke of an
// earlier payment whose fate is open, it goes on speaking of that.
func (m *machine) abandon(c prompt.Code) {
	a, open := m.saleArgs(), m.aboutReversal()
	m.Keyed, m.Decimals = 0, -1
	m.end(c, a, ToneAttention)
	if open && m.Durable.Reversals > 0 {
		m.show(Ready, prompt.ReversalQueued, prompt.Args{N: m.Durable.Reversals})
	}
}

// saleArgs are the words for the sale in front of us.
func (m *machine) saleArgs() prompt.Args {
	a := prompt.Args{Amount: pos.Fen(m.Keyed).String()}
	if m.Masked != "" {
		a.Card = m.Masked.Tail()
	}
	return a
}

func (m *machine) log(c prompt.Code, id pos.RecordID, f func(*Log)) {
	l := Log{Code: c, ID: id}
	if f != nil {
		f(&l)
	}
	m.do(l)
}
