package at

import (
	"context"
	"errors"
	"strings"
	"time"

	"swipewell/hal"
)

// bringUp makes the modem ready to open sockets, whatever state it is in. The
// caller holds the turn.
func (m *Modem) bringUp(ctx context.Context) error {
	if err := m.reopen(); err != nil {
		return err
	}
	if err := m.alive(ctx); err != nil {
		return err
	}
	if err := m.register(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	ready := m.ready
	m.mu.Unlock()
	if ready {
		return nil
	}
	if err := m.context(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	m.ready, m.reboots = true, 0
	m.mu.Unlock()
	m.o.Observe(Event{Step: "ready"})
	return nil
}

// reopen opens the port again after a hang-up.
func (m *Modem) reopen() error {
	m.mu.Lock()
	dead, old := m.dead, m.port
	m.mu.Unlock()
	select {
	case <-dead:
	default:
		return nil
	}
	if m.o.Reopen == nil {
		return m.deviceError()
	}
	old.Close()
	p, err := m.o.Reopen()
	if err != nil {
		return &hal.LinkError{Cause: hal.CauseDevice, Err: err}
	}
	m.attach(p)
	return nil
}

// rung is one step of the recovery ladder: what is done, how long the modem
// may then take to answer, and whether it is a reboot, which is rationed.
type rung struct {
	name   string
	do     func(ctx context.Context)
	settle time.Duration
	reboot bool
}

// rebootWaits after the third reboot that did not help. HOST §6.2.
var rebootWaits = [...]time.Duration{10 * time.Minute, 30 * time.Minute, time.Hour}

// alive gets an answer out of the modem: a probe, and if that fails the ladder
// of HOST §6.4, each rung followed by probes. The rungs up to the software
// reboot take less than twenty seconds, since a cashier waits.
func (m *Modem) alive(ctx context.Context) error {
	const probe = 400 * time.Millisecond
	m.mu.Lock()
	wasReady := m.ready
	m.mu.Unlock()
	for range 3 {
		err := m.sync(ctx, probe)
		if err == nil {
			if !wasReady {
				m.ask(ctx, "ATE0", "", m.o.Reply)
				m.ask(ctx, "AT+CMEE=1", "", m.o.Reply)
			}
			return nil
		}
		if !errors.Is(err, errSilent) {
			var ce *CommandError
			if !errors.As(err, &ce) {
				return err
			}
		}
	}
	m.mu.Lock()
	m.ready = false
	l := m.link
	m.link = nil
	m.mu.Unlock()
	l.lost(&hal.LinkError{Cause: hal.CauseModemSilent})
	for _, r := range m.rungs() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.reboot && !m.mayReboot() {
			continue
		}
		m.o.Observe(Event{Step: "ladder " + r.name})
		r.do(ctx)
		if r.reboot {
			m.noteReboot()
		}
		for waited := time.Duration(0); waited < r.settle && ctx.Err() == nil; waited += probe {
			err := m.sync(ctx, probe)
			if err == nil {
				m.o.Observe(Event{Step: "ladder helped " + r.name})
				m.ask(ctx, "ATE0", "", m.o.Reply)
				m.ask(ctx, "AT+CMEE=1", "", m.o.Reply)
				return nil
			}
			if !errors.Is(err, errSilent) {
				hal.Sleep(ctx, m.o.Clock, probe)
			}
		}
	}
	return &hal.LinkError{Cause: hal.CauseModemSilent}
}

func (m *Modem) rungs() []rung {
	send := func(s string) func(context.Context) {
		return func(context.Context) { m.write([]byte(s + "\r")) }
	}
	rs := []rung{
		{name: "escape", settle: 800 * time.Millisecond, do: func(ctx context.Context) {
			// "+++" within a second of silence on both sides. TCPIP §2.2.
			hal.Sleep(ctx, m.o.Clock, time.Second)
			m.write([]byte("+++"))
			hal.Sleep(ctx, m.o.Clock, time.Second)
			m.mu.Lock()
			m.parser.Transparent(false)
			m.mu.Unlock()
		}},
		{name: "ATZ", settle: 1200 * time.Millisecond, do: func(ctx context.Context) {
			if m.o.Lines.DTR != nil {
				m.o.Lines.DTR(false)
				hal.Sleep(ctx, m.o.Clock, 300*time.Millisecond)
				m.o.Lines.DTR(true)
			}
			m.write([]byte("AT+QICLOSE=0,1\r"))
			m.write([]byte("ATZ\r"))
		}},
		{name: "CFUN", settle: 14 * time.Second, reboot: true, do: send("AT+CFUN=1,1")},
	}
	if f := m.o.Lines.Reset; f != nil {
		rs = append(rs, rung{name: "RESET", settle: 20 * time.Second, reboot: true, do: func(context.Context) { f() }})
	}
	if f := m.o.Lines.Power; f != nil {
		rs = append(rs, rung{name: "PWRKEY", settle: 25 * time.Second, reboot: true, do: func(context.Context) { f() }})
	}
	return rs
}

func (m *Modem) mayReboot() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.o.Clock.Now().Boot >= m.rebootAt
}

func (m *Modem) noteReboot() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reboots++
	if n := m.reboots - 3; n >= 0 {
		m.rebootAt = m.o.Clock.Now().Boot + rebootWaits[min(n, len(rebootWaits)-1)]
	}
}

// register looks for the SIM, the signal and the network.
func (m *Modem) register(ctx context.Context) error {
	m.mu.Lock()
	ready := m.ready
	m.mu.Unlock()
	if !ready {
		if info, err := m.ask(ctx, "AT+CPIN?", "+CPIN:", 5*time.Second); err != nil || len(info) == 0 || !strings.Contains(info[0], "READY") {
			var ce *CommandError
			if err == nil || errors.As(err, &ce) {
				err = &hal.LinkError{Cause: hal.CauseNoSIM, Err: err}
			}
			return err
		}
		m.ask(ctx, "AT+CREG=1", "", m.o.Reply)
	}
	for try := 0; ; try++ {
		info, err := m.ask(ctx, "AT+CREG?", "+CREG:", m.o.Reply)
		if err != nil {
			return err
		}
		m.takeReg(info[0])
		s, stat := m.Signal(), m.registration()
		switch {
		case s.CSQ == 0 || s.CSQ == 99 && !s.Registered:
			err = &hal.LinkError{Cause: hal.CauseNoSignal}
		case s.Registered:
			return nil
		case stat == 3:
			return &hal.LinkError{Cause: hal.CauseRefusedByNet}
		default:
			err = &hal.LinkError{Cause: hal.CauseNotRegistered}
		}
		if try == 2 {
			return err
		}
		if hal.Sleep(ctx, m.o.Clock, time.Second) != nil {
			return err
		}
		if err := m.sync(ctx, m.o.Reply); err != nil {
			return err
		}
	}
}

func (m *Modem) registration() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stat
}

// context activates the packet data context. TCPIP §2.1.
func (m *Modem) context(ctx context.Context) error {
	if info, err := m.list(ctx, "AT+QIACT?", "+QIACT:", m.o.Reply); err == nil && len(info) > 0 && strings.Contains(info[0], ",1,") {
		return nil
	}
	if _, err := m.ask(ctx, `AT+QICSGP=1,1,"`+m.o.APN+`"`, "", m.o.Reply); err != nil {
		return asLink(err, hal.CauseNoData)
	}
	if _, err := m.ask(ctx, "AT+QIACT=1", "", 150*time.Second); err != nil {
		m.ask(ctx, "AT+QIDEACT=1", "", 40*time.Second)
		return asLink(err, hal.CauseNoData)
	}
	return nil
}

// asLink gives a modem's refusal its cause.
func asLink(err error, c hal.LinkCause) error {
	var ce *CommandError
	if errors.As(err, &ce) {
		return &hal.LinkError{Cause: c, Err: err}
	}
	if errors.Is(err, errSilent) {
		return &hal.LinkError{Cause: hal.CauseModemSilent, Err: err}
	}
	return err
}
