package txn

import (
	"fmt"
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// stopped: a rule will not have this card pay now. The amount stays, another card
// may be presented, and where the rule can be passed by, F2 calls a supervisor.
func (m *machine) stopped(d throttle.Decision, a prompt.Args) {
	m.Stop = Stop{Action: d.Action, Rule: d.Rule, Until: d.Wait, Day: d.Day, Factors: d.Factors, Count: d.Count, Window: d.Window, Matched: d.Matched}
	e := m.happened(throttle.Stopped)
	e.Rule = d.Rule
	m.note(e)
	if d.Factors != throttle.NoFactors && m.Profile.Staff == 0 {
		m.Stop.Factors = throttle.NoFactors // nobody here can approve
	}
	m.show(Stopped, d.Text, a)
	m.blame()
	m.armStop()
	m.do(Sound{ToneAttention})
	if m.Cold && (d.Wait != 0 || d.Day) && m.Work == WorkNone && m.Durable.SignedOn {
		// Hours without power may have ended it: the host knows the time.
		m.Work, m.Admin = WorkAdmin, AdminEcho
		m.do(SendAdmin{Kind: AdminEcho})
	}
}

// armStop waits for the end of the stop, or for somebody to act.
func (m *machine) armStop() {
	wait := m.Profile.CardTimeout
	if left := m.Stop.Until - m.moment().At; m.Stop.Until != 0 && left > 0 {
		wait = min(wait, left)
	}
	m.arm(max(wait, time.Second))
}

// stopExpired: the time of the stop is over, or nobody acted.
func (m *machine) stopExpired() {
	if m.Stop.Until == 0 || m.Stop.Until > m.moment().At {
		m.abandon(prompt.OperatorTime)
		return
	}
	m.again()
}

// again asks for the card anew: the amount stays.
func (m *machine) again() {
	m.do(ForgetCard{})
	m.dropCard()
	m.show(AwaitCard, m.cardCode(), m.formArgs())
	m.arm(m.Profile.CardTimeout)
	m.do(Sound{ToneKey})
}

// dropCard forgets the card in front of us and what rules said of it.
func (m *machine) dropCard() {
	m.Card, m.Masked, m.Entry, m.Twin, m.Must, m.Slot.Live, m.Slot.Chip = noCard, "", "", 0, false, false, pos.Chip{}
	m.Stop, m.Grant, m.Caution, m.CautionA = Stop{}, throttle.Grant{}, "", prompt.Args{}
}

func (m *machine) keyStopped(k Key) {
	switch k {
	case "cancel", "clear":
		m.cancel()
	case "enter":
		if m.Stop.Until != 0 && m.Stop.Until <= m.moment().At {
			m.again()
		}
	case "f2":
		if m.Stop.Factors != throttle.NoFactors {
			m.name(ForApproval, m.Stop.Factors)
		}
	}
}

// Left is how long a stop still lasts; 0 if it has no known end.
func (s State) Left(logical time.Duration) time.Duration {
	if s.Phase != Stopped && s.Phase != Naming || s.Stop.Until == 0 {
		return 0
	}
	return max(s.Stop.Until-s.Moment(logical).At, 0)
}

// Countdown is a length of time as a screen counts it down: 00:45, 23:59:10.
func Countdown(d time.Duration) string {
	s := int((d + time.Second - 1) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}
