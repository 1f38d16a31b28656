package at

import (
	"errors"
	"fmt"
	"time"

	"swipewell/hal"
)

// guard is the silence around "+++": S12 is 1 s, and a tenth more so that the
// modem's own clock sees it too. V.250 §6.2.9 leaves the sequence to the maker.
const guard = 1100 * time.Millisecond

// cfunReply is the wait for AT+CFUN=1,1 to be heard at all.
const cfunReply = 2 * time.Second

// waitTable of HOST: a modem that no rung revived is left alone for so long.
// Rebooting it again and again would wear out more than patience.
var waitTable = [...]time.Duration{10 * time.Minute, 30 * time.Minute, time.Hour}

// rung of the recovery ladder.
type rung struct {
	name string
	try  func(m *Modem) error // nil: the modem answered and is in step
}

// ladder from the gentle to the rude. Without lines the last two are skipped.
// Times up to the end of CFUN's reply: 1.2 + 2.6 + 1.9 + 2 s; a cashier waits.
var ladder = []rung{
	{"AT", (*Modem).probes},
	{"escape", (*Modem).tryEscape},
	{"ATZ", (*Modem).tryReset},
	{"CFUN", (*Modem).tryRestart},
	{"RESET", func(m *Modem) error { return m.tryLine(m.o.Lines.Reset) }},
	{"PWRKEY", func(m *Modem) error { return m.tryLine(m.o.Lines.Power) }},
}

var errNoLine = errors.New("at: the board has no such line")

// recover gets an answer out of the modem, by the gentlest rung that helps.
func (m *Modem) recover() error {
	m.doing.Store(int32(hal.CauseModemSilent))
	first := m.gone // it was left alone: only ask whether it has come back
	for i, r := range ladder {
		if i > 0 {
			if first {
				break
			}
			m.observe("ladder "+r.name, nil)
		}
		err := r.try(m)
		switch {
		case err == nil:
			if i > 0 || m.gone {
				m.observe("ladder helped "+r.name, nil)
			}
			m.gone, m.waits, m.due[dueLadder] = false, 0, due{}
			return nil
		case errors.Is(err, errNoLine), errors.Is(err, ErrSilent), errors.Is(err, ErrRestarted), refusal(err) != nil:
		default:
			return err // no port, or halted: no rung helps
		}
		if i == 0 {
			// What has hung takes its sockets along, and none may seem alive.
			m.parser.Leave()
			m.breakLinks(hal.CauseModemSilent, ErrSilent)
		}
	}
	if !first {
		wait := waitTable[min(m.waits, len(waitTable)-1)]
		m.observe("ladder wait "+wait.String(), nil)
		m.waits++
		m.gone = true
		m.set(dueLadder, wait)
	}
	m.ready, m.data = false, false
	return &hal.LinkError{Cause: hal.CauseModemSilent, Err: ErrSilent}
}

// probes is rung one: a modem that was only late is in step again after it.
func (m *Modem) probes() error {
	if m.parser.Transparent() {
		return ErrSilent // an AT would go to the host
	}
	err := error(ErrSilent)
	for range 3 {
		if err = m.probe(); err == nil || !errors.Is(err, ErrSilent) && !errors.Is(err, ErrRestarted) {
			return err
		}
	}
	return err
}

// pause lets time pass and takes in what comes.
func (m *Modem) pause(d time.Duration) error {
	err := m.until(m.ctx, d, func() bool { return false })
	if errors.Is(err, ErrSilent) || errors.Is(err, ErrRestarted) {
		return nil
	}
	return err
}

// tryEscape is for a modem that was left in transparent mode, by a crash of
// ours perhaps.
func (m *Modem) tryEscape() error {
	if err := m.pause(guard); err != nil {
		return err
	}
	if _, err := m.write([]byte("+++")); err != nil {
		return err
	}
	if err := m.pause(guard); err != nil {
		return err
	}
	m.parser.Lose("")
	return m.probe()
}

// tryReset hangs up and restores the profile. DTR falls first: with AT&D1 or
// &D2 the modem hears that even in transparent mode.
func (m *Modem) tryReset() error {
	if dtr := m.o.Lines.DTR; dtr != nil {
		dtr(false)
		err := m.pause(300 * time.Millisecond)
		dtr(true)
		if err != nil {
			return err
		}
	}
	for _, s := range []string{"AT+QICLOSE=0,1\r", "ATZ\r"} {
		m.parser.Lose("")
		if _, err := m.write([]byte(s)); err != nil {
			return err
		}
	}
	if err := m.pause(m.o.Reply); err != nil {
		return err
	}
	if err := m.probe(); err != nil {
		return err
	}
	m.undone(ErrSilent)
	return nil
}

// tryRestart is the software reset.
func (m *Modem) tryRestart() error {
	boots := m.boots
	m.parser.Lose("")
	ok := false
	if _, err := m.write([]byte("AT+CFUN=1,1\r")); err != nil {
		return err
	}
	// Any sign of life will do; an OK here may be of another command, but
	// nobody else is waiting for one.
	heard := m.heard
	err := m.until(m.ctx, cfunReply, func() bool { ok = m.heard != heard || m.boots != boots; return ok })
	if err != nil {
		return err
	}
	return m.boot(boots)
}

// tryLine resets by a wire.
func (m *Modem) tryLine(pull func() error) error {
	if pull == nil {
		return errNoLine
	}
	boots := m.boots
	if err := pull(); err != nil {
		return fmt.Errorf("%w: %w", errNoLine, err)
	}
	return m.boot(boots)
}

// boot waits for RDY; a modem that is set not to say it is asked now and then.
func (m *Modem) boot(boots int) error {
	for end := m.now() + m.o.Boot; m.now() < end; {
		err := m.until(m.ctx, 3*time.Second, func() bool { return m.boots != boots })
		if err == nil {
			return m.probes()
		}
		if !errors.Is(err, ErrSilent) {
			return err
		}
		if err = m.probe(); err == nil {
			m.undone(ErrRestarted)
			return nil
		}
		if m.boots != boots {
			return m.probes()
		}
		if !errors.Is(err, ErrSilent) {
			return err
		}
	}
	return fmt.Errorf("boot: %w", ErrSilent)
}
