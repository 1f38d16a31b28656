package txn

import (
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// Items of the menu, in order; a digit picks one at once.
const (
	MenuSignOn  prompt.Code = "M-SGN-01"
	MenuEcho    prompt.Code = "M-ECH-01"
	MenuReprint prompt.Code = "M-PRN-01"
	MenuStatus  prompt.Code = "M-STA-01"
	MenuLang    prompt.Code = "M-LNG-01"
)

// MenuItems is the menu as the screen shows it.
var MenuItems = [...]prompt.Code{MenuSignOn, MenuEcho, MenuReprint, MenuStatus, MenuLang}

func digit(k Key) (int64, bool) {
	if len(k) == 1 && k[0] >= '0' && k[0] <= '9' {
		return int64(k[0] - '0'), true
	}
	return 0, false
}

func (m *machine) key(k Key) {
	if k == "f4" && m.Phase != EnteringPIN && m.Phase != Starting {
		m.toggleLang()
		return
	}
	switch m.Phase {
	case Ready, Result:
		m.keyReady(k)
	case Keying:
		m.keyAmount(k)
	case AwaitCard:
		if k == "cancel" || k == "clear" {
			m.cancel()
		}
	case Confirming:
		m.keyConfirm(k)
	case InMenu:
		m.keyMenu(k)
	}
}

// keyReady: any key acknowledges a result; a digit begins the next amount.
func (m *machine) keyReady(k Key) {
	if d, ok := digit(k); ok && d == 0 || k == "00" || k == "dot" {
		if m.Phase == Result {
			m.idle()
		}
		return // an amount does not begin with nothing
	} else if ok {
		m.idle()
		m.Phase, m.Code = Keying, prompt.Amount
		m.arm(m.Profile.CardTimeout)
		m.keyAmount(k)
		return
	}
	switch k {
	case "menu":
		m.idle()
		m.Sel = 0
		m.show(InMenu, prompt.Menu, prompt.Args{})
		m.arm(m.Profile.CardTimeout)
	case "enter":
		if l := m.Durable.Last; l.Unprinted && !m.Printing && m.Profile.Printer && (m.Note != "" || m.Code == prompt.Recovered) {
			m.Note = ""
			m.print(l, true, false)
			return
		}
		m.idle()
	case "cancel", "clear":
		m.idle()
	}
}

// keyAmount edits the amount. Digits shift in from the right as fen, as on any
// till; with a dot the digits before it are yuan.
func (m *machine) keyAmount(k Key) {
	next := m.Keyed
	switch d, ok := digit(k); {
	case ok && m.Decimals < 0:
		next = m.Keyed*10 + d
	case ok && m.Decimals == 0:
		next, m.Decimals = m.Keyed+d*10, 1
	case ok && m.Decimals == 1:
		next, m.Decimals = m.Keyed+d, 2
	case ok: // two decimals are all there are
	case k == "00" && m.Decimals < 0:
		next = m.Keyed * 100
	case k == "dot" && m.Decimals < 0:
		next, m.Decimals = m.Keyed*100, 0
	case k == "clear":
		next = m.Keyed / 10
		if m.Decimals >= 0 {
			next, m.Decimals = m.Keyed/100, -1
		}
		if next == 0 {
			m.idle()
			return
		}
	case k == "cancel":
		m.cancel()
		return
	case k == "enter":
		m.amountDone()
		return
	default:
		return
	}
	if next > m.Profile.MaxAmount {
		m.Note, m.NoteArgs = prompt.AmountLimit, prompt.Args{Amount: pos.Fen(m.Profile.MaxAmount).String()}
		m.do(Sound{ToneBad})
		return
	}
	m.Keyed, m.Note = next, ""
	m.Args = m.saleArgs()
}

func (m *machine) amountDone() {
	if m.Keyed <= 0 {
		m.Note = prompt.AmountZero
		m.do(Sound{ToneBad})
		return
	}
	m.show(AwaitCard, prompt.Card, m.saleArgs())
	m.arm(m.Profile.CardTimeout)
}

// cancel: nothing was sent.
func (m *machine) cancel() { m.abandon(prompt.Cancelled) }

func (m *machine) keyConfirm(k Key) {
	switch k {
	case "enter":
		m.confirmed()
	case "cancel", "clear":
		m.cancel()
	}
}

func (m *machine) keyMenu(k Key) {
	if d, ok := digit(k); ok && d >= 1 && int(d) <= len(MenuItems) {
		m.Sel = int(d) - 1
		k = "enter"
	}
	switch k {
	case "up":
		m.Sel = (m.Sel + len(MenuItems) - 1) % len(MenuItems)
	case "down":
		m.Sel = (m.Sel + 1) % len(MenuItems)
	case "cancel", "clear", "menu":
		m.idle()
	case "enter":
		m.pick(MenuItems[m.Sel])
	}
}

func (m *machine) pick(item prompt.Code) {
	if (item == MenuSignOn || item == MenuEcho) && m.Work != WorkNone {
		m.show(Ready, prompt.ReversalQueued, prompt.Args{N: m.Durable.Reversals})
		return // the line is busy with the outbox; it says so
	}
	switch item {
	case MenuSignOn:
		m.show(Busy, prompt.SigningOn, prompt.Args{})
		m.disarm()
		m.signOn()
	case MenuEcho:
		m.show(Busy, prompt.Dialling, prompt.Args{})
		m.disarm()
		m.Work = WorkEcho
		m.do(SendEcho{})
	case MenuReprint:
		m.idle()
		if l := m.Durable.Last; l.ID.STAN != 0 && m.Profile.Printer && !m.Printing {
			m.show(Result, l.Code, lastArgs(l))
			m.print(l, false, true)
		}
	case MenuStatus:
		m.show(Result, prompt.StatusPage, prompt.Args{
			N: m.Durable.Reversals, STAN: m.Durable.STAN.String(),
			Amount: pos.Fen(m.Durable.Total).String(), Field: m.Durable.Batch.String(), Seconds: m.Durable.Sales})
		m.disarm()
	case MenuLang:
		m.toggleLang()
		m.idle()
	}
}

func (m *machine) toggleLang() {
	if m.Durable.Lang == "en" {
		m.Durable.Lang = "zh"
	} else {
		m.Durable.Lang = "en"
	}
}
