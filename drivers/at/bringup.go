package at

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"swipewell/hal"
)

// Time-outs of commands that may take longer than a plain one. QTCP §2.1, §2.3,
// QAT §5.
const (
	simReply    = 5 * time.Second
	attachReply = 140 * time.Second
	pdpOn       = 150 * time.Second
	pdpOff      = 40 * time.Second
	sendReply   = 5 * time.Second  // of AT+QISEND until its prompt, and of AT+QIRD
	sentReply   = 10 * time.Second // from the last byte to SEND OK
	closeReply  = 4 * time.Second  // AT+QICLOSE=id,2: two seconds and some
)

// prepare makes the modem ready to open sockets, from whatever state. Only the
// wait for a registration looks at ctx: a set-up that was begun is ended, so
// that the next Dial finds it done.
func (m *Modem) prepare(ctx context.Context) error {
	if err := m.reopen(); err != nil {
		return err
	}
	m.doing.Store(int32(hal.CauseModemSilent))
	if !m.parser.InStep() || m.gone {
		if err := m.recover(); err != nil {
			return err
		}
	}
	if !m.ready {
		if err := m.initialise(); err != nil {
			return err
		}
	}
	if err := m.awaitNetwork(ctx); err != nil {
		return err
	}
	if m.data {
		return nil
	}
	return m.activate()
}

// initialise sets the modem up as far as it needs no network. HOST §6.1.
func (m *Modem) initialise() error {
	epoch := m.epoch
	if err := m.tell("ATE0", m.o.Reply); err != nil {
		return err
	}
	m.tell("AT+CMEE=1", m.o.Reply)
	if m.o.Mode == Transparent && m.o.Lines.DTR != nil {
		m.tell("AT&D1", m.o.Reply)
	}
	if err := m.sim(); err != nil {
		m.observe("no SIM", err)
		return err
	}
	if err := m.look(); err != nil {
		return err
	}
	for _, c := range []string{"AT+CREG=1", "AT+CGREG=1", "AT+CEREG=1"} {
		if err := m.tell(c, m.o.Reply); err != nil && refusal(err) == nil {
			return err
		}
	}
	if m.epoch != epoch {
		return ErrRestarted
	}
	m.ready = true
	m.observe("modem ready", nil)
	return nil
}

// sim waits for a SIM that is still being read, and says what is wrong with it.
func (m *Modem) sim() error {
	for try := 0; ; try++ {
		info, err := m.query("AT+CPIN?", "+CPIN:", 1, simReply)
		ce := refusal(err)
		switch {
		case err == nil && params(info[0])[0] == "READY":
			return nil
		case err == nil:
			return &hal.LinkError{Cause: hal.CauseNoSIM, Err: errors.New("the SIM wants " + params(info[0])[0])}
		case ce == nil:
			return err
		case ce.Code() == simBusy && try < 10:
			if err := m.pause(500 * time.Millisecond); err != nil {
				return err
			}
		default:
			return &hal.LinkError{Cause: simCause(ce.Code()), Code: ce.Code(), Err: err}
		}
	}
}

// look reads signal and registration.
func (m *Modem) look() error {
	for _, q := range [][2]string{{"AT+CSQ", "+CSQ:"}, {"AT+CREG?", "+CREG:"}, {"AT+CGREG?", "+CGREG:"}, {"AT+CEREG?", "+CEREG:"}} {
		info, err := m.query(q[0], q[1], 2, m.o.Reply)
		if err != nil && refusal(err) == nil {
			return err
		}
		m.note(info)
	}
	return nil
}

// awaitNetwork waits a little for a registration, and says what is missing.
func (m *Modem) awaitNetwork(ctx context.Context) error {
	for end := m.now() + m.o.Register; ; {
		if m.Signal().Registered {
			return nil
		}
		why := hal.CauseNotRegistered
		switch s := m.Signal(); {
		case m.denied():
			why = hal.CauseRefusedByNet
		case s.CSQ <= 0 || s.CSQ == 99:
			why = hal.CauseNoSignal
		}
		m.doing.Store(int32(why))
		if m.now() >= end || ctx.Err() != nil || why == hal.CauseRefusedByNet {
			return &hal.LinkError{Cause: why, Err: ctx.Err()}
		}
		err := m.until(ctx, time.Second, func() bool { return m.Signal().Registered })
		switch {
		case err == nil || ctx.Err() != nil:
			continue
		case !errors.Is(err, ErrSilent):
			return err
		}
		if err := m.look(); err != nil {
			return err
		}
	}
}

// activate opens the packet data context and clears sockets of a former life.
// QTCP §2.1, HOST §6.2.
func (m *Modem) activate() error {
	m.doing.Store(int32(hal.CauseNoData))
	info, err := m.query("AT+CGATT?", "+CGATT:", 1, m.o.Reply)
	if err == nil && number(info[0], 0, 1) == 0 {
		err = m.tell("AT+CGATT=1", attachReply)
	}
	if err != nil && refusal(err) == nil {
		return err
	}
	if m.deact {
		// QTCP §3.4: after "pdpdeact" the context is closed by command first.
		if err := m.tell("AT+QIDEACT=1", pdpOff); err != nil && refusal(err) == nil {
			return err
		}
		m.deact = false
	}
	r, err := m.ask(Expect{Text: "AT+QIACT?", Info: "+QIACT:", Params: 2}, pdpOn)
	if err != nil && refusal(err) == nil {
		return err
	}
	if !activeContext(r.info) {
		profile := fmt.Sprintf(`AT+QICSGP=1,1,"%s"`, m.o.APN)
		if m.o.User != "" {
			profile += fmt.Sprintf(`,"%s","%s",1`, m.o.User, m.o.Password)
		}
		if err := m.tell(profile, m.o.Reply); err != nil {
			return linkError(err, hal.CauseNoData)
		}
		if err := m.tell("AT+QIACT=1", pdpOn); err != nil {
			if refusal(err) != nil {
				m.deact = true // QTCP §2.1.3: deactivate before trying again
			}
			return linkError(err, hal.CauseNoData)
		}
	}
	if err := m.closeStrays(); err != nil {
		return err
	}
	m.data = true
	m.observe("ready", nil)
	return nil
}

func activeContext(info []string) bool {
	for _, l := range info {
		if number(l, 0, 0) == 1 && number(l, 1, 0) == 1 {
			return true
		}
	}
	return false
}

// closeStrays closes sockets that nobody here knows: the firmware may have
// been killed while the modem went on.
func (m *Modem) closeStrays() error {
	r, err := m.ask(Expect{Text: "AT+QISTATE=0,1", Info: "+QISTATE:", Params: 4}, m.o.Reply)
	if err != nil && refusal(err) == nil {
		return err
	}
	for _, l := range r.info {
		id := number(l, 0, -1)
		if id < 0 || m.link(id) != nil || !strings.HasPrefix(params(l)[1], "TCP") {
			continue
		}
		m.observe("stray socket closed", nil)
		if err := m.tell(fmt.Sprintf("AT+QICLOSE=%d,2", id), closeReply); err != nil && refusal(err) == nil {
			return err
		}
	}
	return nil
}
