package at

import (
	"strings"

	"swipewell/hal"
)

// indication handles what came unasked, in order, and only takes notes: the
// owner may be in the middle of a command. chores does what follows from them.
func (m *Modem) indication(line string) {
	f := params(line)
	switch {
	case line == "RDY":
		m.boots++
		m.restarted()
	case line == "POWERED DOWN", line == "NORMAL POWER DOWN":
		m.undone(ErrRestarted)
	case strings.HasPrefix(line, "+QIOPEN:") && len(f) == 2:
		if id := atoi(f[0], -1); id >= 0 {
			m.opened[id] = atoi(f[1], 550)
		}
	case strings.HasPrefix(line, "+QIURC:") && len(f) >= 2:
		m.socketEvent(f)
	case strings.HasPrefix(line, "+CPIN:") && len(f) == 1 && f[0] != "READY":
		m.ready = false // the SIM was pulled: bring-up will say so
	case strings.HasPrefix(line, "+CREG:"), strings.HasPrefix(line, "+CGREG:"), strings.HasPrefix(line, "+CEREG:"):
		m.registered(line, number(line, 0, 0))
	}
}

// socketEvent is +QIURC. QTCP §3.
func (m *Modem) socketEvent(f []string) {
	id := atoi(f[1], -1)
	l := m.link(id)
	switch f[0] {
	case "pdpdeact":
		m.data, m.deact = false, true
	case "recv":
		if l != nil {
			l.unread = true
		}
	case "closed":
		if l != nil {
			// Bytes may still lie in the modem: chores fetches them first.
			l.hostClosed, l.unread = true, m.o.Mode == Buffer
		}
	}
}

// registered notes a registration state: 0 none, 1 home, 2 searching, 3 denied,
// 5 roaming. 27.007 §7.2.
func (m *Modem) registered(line string, stat int) {
	for i, p := range []string{"+CREG:", "+CGREG:", "+CEREG:"} {
		if strings.HasPrefix(line, p) {
			m.stats[i] = stat
		}
	}
	s := m.Signal()
	was := s.Registered
	s.Registered, s.Roaming = false, false
	for _, st := range m.stats {
		s.Registered = s.Registered || st == 1 || st == 5
		s.Roaming = s.Roaming || st == 5
	}
	m.signal.Store(&s)
	switch {
	case s.Registered && !was:
		m.observe("registered", nil)
	case was && !s.Registered:
		m.observe("registration lost", nil)
	}
}

// denied tells whether a network refuses the SIM and none accepts it.
func (m *Modem) denied() bool {
	for _, st := range m.stats {
		if st == 3 {
			return !m.Signal().Registered
		}
	}
	return false
}

// restarted: the modem has booted and knows nothing of before.
func (m *Modem) restarted() {
	m.observe("modem started", nil)
	m.parser.Restarted()
	m.owed = 0
	m.undone(ErrRestarted)
}

// undone: the set-up and all sockets are gone.
func (m *Modem) undone(why error) {
	m.epoch++
	m.ready, m.data, m.deact, m.gone = false, false, false, false
	m.stats = [3]int{}
	s := m.Signal()
	s.Registered, s.Roaming = false, false
	m.signal.Store(&s)
	m.breakLinks(hal.CauseModemSilent, why)
	m.set(dueRetry, 0)
}
