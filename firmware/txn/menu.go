package txn

import (
	"strconv"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// Level of the menu.
type Level uint8

const (
	MenuRoot Level = iota
	MenuPreAuth
	MenuOffline
	MenuManage
	MenuShop  // what a shop does beside selling
	MenuWatch // what it looks at
	MenuCare  // what the device needs
)

// MenuSize is the most items of a level: a digit each.
const MenuSize = 9

// menus are the levels as the screen shows them; a digit picks at once.
var menus = [...][MenuSize]prompt.Code{
	MenuRoot: {prompt.MenuVoid, prompt.MenuRefund, prompt.MenuPreAuths, prompt.MenuBalance, prompt.MenuOfflines, prompt.MenuSettle, prompt.MenuReprint,
		prompt.MenuManage, prompt.MenuShop},
	MenuPreAuth: {prompt.TitlePreAuth, prompt.TitlePreAuthVoid, prompt.TitleComplete, prompt.TitleCompleteAdvice, prompt.TitleCompleteVoid},
	MenuOffline: {prompt.TitleOffline, prompt.TitleAdjust, prompt.TitleTip},
	MenuManage: {prompt.MenuSignOn, prompt.MenuSignOff, prompt.MenuEcho, prompt.MenuParams, prompt.MenuUpload, prompt.MenuStatus, prompt.MenuLang,
		prompt.MenuLastSettle, prompt.MenuTables},
	MenuShop: {prompt.MenuShift, prompt.MenuWhy, prompt.MenuCheck, prompt.MenuTicket, prompt.MenuWatching, prompt.MenuCaring, prompt.MenuRunbook, prompt.MenuTrain,
		prompt.MenuManual},
	MenuWatch: {prompt.MenuWatch, prompt.MenuPeak, prompt.MenuStaff, prompt.MenuLimits, prompt.MenuSpot, prompt.MenuRules, prompt.MenuSeal},
	MenuCare:  {prompt.MenuCare, prompt.MenuAssets, prompt.MenuSurvey, prompt.MenuKeys, prompt.MenuLog},
}

// parents are the items that open a level.
var parents = map[Level]prompt.Code{MenuPreAuth: prompt.MenuPreAuths, MenuOffline: prompt.MenuOfflines, MenuManage: prompt.MenuManage,
	MenuShop: prompt.MenuShop, MenuWatch: prompt.MenuWatching, MenuCare: prompt.MenuCaring}

// MenuItems is one level.
func MenuItems(l Level) [MenuSize]prompt.Code { return menus[min(int(l), len(menus)-1)] }

// MenuKeys are the keys that pick an item from the ready screen; nil if there is
// no such item. Scripts and tests press them.
func MenuKeys(item prompt.Code) []string {
	for l := range menus {
		for i, c := range menus[l] {
			if c != item {
				continue
			}
			own := strconv.Itoa(i + 1)
			if l == int(MenuRoot) {
				return []string{"menu", own}
			}
			return append(MenuKeys(parents[Level(l)]), own)
		}
	}
	return nil
}

func (m *machine) openMenu(l Level) {
	m.Menu, m.Sel = l, 0
	m.show(InMenu, prompt.Menu, prompt.Args{})
	m.arm(m.Profile.CardTimeout)
}

func (m *machine) keyMenu(k Key) {
	items := MenuItems(m.Menu)
	n := 0
	for n < MenuSize && items[n] != "" {
		n++
	}
	if d, ok := digit(k); ok && d >= 1 && int(d) <= n {
		m.Sel = int(d) - 1
		k = "enter"
	}
	switch k {
	case "up":
		m.Sel = (m.Sel + n - 1) % n
	case "down":
		m.Sel = (m.Sel + 1) % n
	case "cancel", "clear", "menu":
		if m.Menu != MenuRoot && k != "menu" {
			m.openMenu(MenuRoot)
			return
		}
		m.idle()
	case "enter":
		m.pick(items[m.Sel])
	}
}

// started are the items that begin a transaction.
var started = map[prompt.Code]pos.TxnKind{
	prompt.MenuVoid: pos.KindVoid, prompt.MenuRefund: pos.KindRefund, prompt.MenuBalance: pos.KindBalance,
	prompt.TitlePreAuth: pos.KindPreAuth, prompt.TitlePreAuthVoid: pos.KindPreAuthVoid, prompt.TitleComplete: pos.KindCompletion,
	prompt.TitleCompleteAdvice: pos.KindCompletionAdvice, prompt.TitleCompleteVoid: pos.KindCompletionVoid,
	prompt.TitleOffline: pos.KindOffline, prompt.TitleAdjust: pos.KindAdjust, prompt.TitleTip: pos.KindTip,
}

func (m *machine) pick(item prompt.Code) {
	if k, ok := started[item]; ok {
		m.begin(k)
		return
	}
	for l, c := range parents {
		if c == item {
			m.openMenu(l)
			return
		}
	}
	if p, ok := pageItems[item]; ok {
		m.idle()
		m.openPage(p)
		return
	}
	switch item {
	case prompt.MenuShift:
		m.shift()
		return
	case prompt.MenuReprint:
		m.idle()
		if l := m.Durable.Last; l.ID.STAN != 0 && m.Profile.Printer && !m.Printing && l.Date != "" {
			m.show(Result, l.Code, lastArgs(l))
			m.print(l, false, true)
		}
		return
	case prompt.MenuLastSettle:
		m.idle()
		if s := m.Durable.Settled; s.Batch != 0 && m.Profile.Printer && !m.Printing {
			m.show(Result, prompt.Settled, settledArgs(s))
			m.Printing = true
			m.do(PrintTotals{Settled: s, Again: true})
		}
		return
	case prompt.MenuStatus:
		t := m.Durable.Totals
		m.show(Result, prompt.StatusPage, prompt.Args{
			N: m.Durable.Reversals, STAN: m.Durable.STAN.String(),
			Amount: pos.Fen(t.Debit - t.Credit).String(), Field: m.Durable.Batch.String(), Seconds: t.DebitN + t.CreditN})
		m.disarm()
		return
	case prompt.MenuLang:
		m.toggleLang()
		m.idle()
		return
	}
	m.yieldLog()
	if m.Work != WorkNone {
		m.show(Ready, prompt.ReversalQueued, prompt.Args{N: m.Durable.Reversals})
		return // the line is busy with the outbox; it says so
	}
	switch item {
	case prompt.MenuSettle:
		m.askSettle()
	case prompt.MenuSignOn:
		m.show(Busy, prompt.SigningOn, prompt.Args{})
		m.disarm()
		m.signOn()
	case prompt.MenuSignOff:
		m.admin(AdminSignOff)
	case prompt.MenuEcho:
		m.admin(AdminEcho)
	case prompt.MenuParams:
		m.admin(AdminParams)
	case prompt.MenuUpload:
		m.admin(AdminStatus)
	case prompt.MenuTables:
		m.fetchTables(true, true)
	}
}

// shift signs an operator on, or the one who is on off.
func (m *machine) shift() {
	m.idle()
	switch {
	case m.Profile.Staff == 0:
		m.show(Result, prompt.ShiftNone, prompt.Args{})
		m.disarm()
	case m.Durable.Operator != 0:
		n := int(m.Durable.Operator)
		m.Durable.Operator = 0
		m.log(prompt.LogShift, m.Durable.Open.ID, func(l *Log) { l.N, l.Text = n, "off" })
		m.show(Result, prompt.ShiftOff, prompt.Args{N: n})
		m.disarm()
	default:
		m.name(ForSignOn, throttle.PIN)
	}
}

func (m *machine) toggleLang() {
	if m.Durable.Lang == "en" {
		m.Durable.Lang = "zh"
	} else {
		m.Durable.Lang = "en"
	}
}
