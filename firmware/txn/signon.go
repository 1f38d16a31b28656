package txn

import "swipewell/ui/prompt"

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
	ok := r.Kind == Answered && r.RC == "00" && r.KeysOK
	c := prompt.SignedOn
	switch {
	case ok:
		m.Durable.SignedOn, m.DialFails = true, 0
		m.Hold = m.e.At.Logical
		if r.Batch != 0 && m.Durable.Sales == 0 && m.Durable.Reversals == 0 {
			m.Durable.Batch = r.Batch
		} else if m.Durable.Batch == 0 {
			m.Durable.Batch = 1
		}
	case r.Kind == Answered && r.RC == "00":
		c, m.Durable.SignedOn = prompt.KeyCheck, false
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
	a := m.saleArgs()
	a.RC = string(r.RC)
	switch m.Phase {
	case Busy:
		m.show(Result, c, a)
		m.do(Sound{toneOf(ok)})
	case Preparing:
		if !ok {
			m.Keyed, m.Decimals = 0, -1
			m.end(c, a, ToneBad)
		}
	}
}

func (m *machine) echoDone() {
	if m.Work != WorkEcho {
		return
	}
	m.Work = WorkNone
	r := m.e.Reply
	ok := r.Kind == Answered && r.RC == "00"
	c := prompt.EchoOK
	switch {
	case ok:
	case r.Kind == Answered:
		c = prompt.Declined(string(r.RC))
	case r.Code != "":
		c = r.Code
	default:
		c = prompt.NetHostSilent
	}
	if m.Phase == Busy {
		m.show(Result, c, prompt.Args{RC: string(r.RC)})
		m.do(Sound{toneOf(ok)})
	}
}

func toneOf(ok bool) Tone {
	if ok {
		return ToneGood
	}
	return ToneBad
}
