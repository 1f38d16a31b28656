package modemsim

import "time"

// The controls of a bad day. All may be called at any time.

// LineUp ends every fault of the line.
func (m *Modem) LineUp() {
	n := m.net
	n.mu.Lock()
	was := n.down
	n.down, n.slow, n.rate, n.lose, n.hold, n.cut = false, 0, 0, 0, 0, -1
	var dead []*socket
	for s := range n.socks {
		if was {
			dead = append(dead, s)
		}
	}
	n.mu.Unlock()
	for _, s := range dead { // what the outage killed is learned of now
		s.breakOff()
	}
}

// LineDown: bytes vanish both ways, nothing opens, and nobody is told.
func (m *Modem) LineDown() {
	n := m.net
	n.mu.Lock()
	n.down = true
	n.mu.Unlock()
	m.mu.Lock()
	s := m.sock
	m.mu.Unlock()
	if s != nil {
		s.conn.Close()
	}
}

// Slow adds a delay each way.
func (m *Modem) Slow(d time.Duration) { m.set(func(n *network) { n.slow = d }) }

// Rate paces the line in bits a second each way.
func (m *Modem) Rate(bps int) { m.set(func(n *network) { n.rate = bps }) }

// Lose loses so many per cent of the segments.
func (m *Modem) Lose(pct int) { m.set(func(n *network) { n.lose = pct }) }

// Cut breaks the connection after n more bytes, counted both ways.
func (m *Modem) Cut(n int) { m.set(func(w *network) { w.cut = n }) }

// Hold keeps the bytes to the host for d and then delivers them, also if the
// link was closed meanwhile.
func (m *Modem) Hold(d time.Duration) { m.set(func(n *network) { n.hold = d }) }

func (m *Modem) set(f func(*network)) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	f(m.net)
}

// Hang makes the modem deaf and mute until a software reset (AT+CFUN=1,1)
// reaches it.
func (m *Modem) Hang() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hung = true
}

// Reset is a reboot of its own: sockets die, RDY comes after a second.
func (m *Modem) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rw != nil {
		m.reboot()
	}
}

// SetBER sets the bit error rate, 0..7 or 99.
func (m *Modem) SetBER(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ber = n
}

// SetCSQ sets the signal, 0..31 or 99.
func (m *Modem) SetCSQ(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.csq = n
}

// SetReg sets the registration: 0 none, 1 home, 2 searching, 3 denied, 5 roaming.
func (m *Modem) SetReg(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reg = n
	if m.urcReg {
		m.say("+CREG: " + string(rune('0'+n)))
	}
}

// State is what a person may see of the modem.
type State struct {
	Hung    bool
	CSQ     int
	Reg     int
	Open    bool   // a socket is open
	Last    string // the last command, without arguments
	Moved   int    // bytes both ways
	Down    bool
	Slow    time.Duration
	Rate    int
	Lose    int
	Hold    time.Duration
	Cutting bool
}

// State copies it.
func (m *Modem) State() State {
	m.mu.Lock()
	s := State{Hung: m.hung, CSQ: m.csq, Reg: m.reg, Open: m.sock != nil, Last: m.last}
	m.mu.Unlock()
	n := m.net
	n.mu.Lock()
	defer n.mu.Unlock()
	s.Moved, s.Down, s.Slow, s.Rate, s.Lose, s.Hold, s.Cutting = n.moved, n.down, n.slow, n.rate, n.lose, n.hold, n.cut >= 0
	return s
}
