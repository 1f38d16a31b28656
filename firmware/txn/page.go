package txn

import "swipewell/ui/prompt"

// Page is one of the pages beside selling. What stands on it and what its keys
// do is firmware/care's; the brain only knows that it is open.
type Page uint8

const (
	NoPage      Page = iota
	PageWhy          // the cause of what goes wrong, with its evidence
	PageCheck        // self-check
	PageTicket       // a customer's complaint
	PageWatch        // what is unusual, and who was told
	PagePeak         // when it will be busy
	PageStaff        // operators' records
	PageLimits       // what banks' limits cost
	PageSpot         // spot checks
	PageCare         // maintenance
	PageAssets       // inventory
	PageSurvey       // signal survey
	PageRunbook      // contingency, and its drill
	PageTrain        // training lessons
	PageRules        // the rules in force, and what they decided
	PageSeal         // compliance
	PageManual       // help for every prompt
	PageKeys         // keys by their check values; custodians begin here
	PageLog          // the log, on its way out
	pages
)

// pageCodes are the titles.
var pageCodes = [pages]prompt.Code{
	PageWhy: prompt.PageWhy, PageCheck: prompt.PageCheck, PageTicket: prompt.PageTicket, PageWatch: prompt.PageWatch, PagePeak: prompt.PagePeak,
	PageStaff: prompt.PageStaff, PageLimits: prompt.PageLimits, PageSpot: prompt.PageSpot, PageCare: prompt.PageCare, PageAssets: prompt.PageAssets,
	PageSurvey: prompt.PageSurvey, PageRunbook: prompt.PageRunbook, PageTrain: prompt.PageTrain, PageRules: prompt.PageRules, PageSeal: prompt.PageSeal,
	PageManual: prompt.PageManual, PageKeys: prompt.PageKeys, PageLog: prompt.PageLog,
}

// pageNames are what tools call them.
var pageNames = [pages]string{PageWhy: "why", PageCheck: "check", PageTicket: "tickets", PageWatch: "watch", PagePeak: "peak", PageStaff: "staff", PageLimits: "limits",
	PageSpot: "spot", PageCare: "care", PageAssets: "assets", PageSurvey: "survey", PageRunbook: "runbook", PageTrain: "train", PageRules: "rules", PageSeal: "seals",
	PageManual: "manual", PageKeys: "keys", PageLog: "log"}

// PageNamed finds a page by its name.
func PageNamed(name string) (Page, bool) {
	for p, n := range pageNames {
		if n == name && n != "" {
			return Page(p), true
		}
	}
	return NoPage, false
}

// PageNames lists them.
func PageNames() []string { return pageNames[1:] }

// pageItems are the items of the menu that open a page.
var pageItems = map[prompt.Code]Page{
	prompt.MenuWhy: PageWhy, prompt.MenuCheck: PageCheck, prompt.MenuTicket: PageTicket, prompt.MenuWatch: PageWatch, prompt.MenuPeak: PagePeak,
	prompt.MenuStaff: PageStaff, prompt.MenuLimits: PageLimits, prompt.MenuSpot: PageSpot, prompt.MenuCare: PageCare, prompt.MenuAssets: PageAssets,
	prompt.MenuSurvey: PageSurvey, prompt.MenuRunbook: PageRunbook, prompt.MenuTrain: PageTrain, prompt.MenuRules: PageRules, prompt.MenuSeal: PageSeal,
	prompt.MenuManual: PageManual, prompt.MenuKeys: PageKeys, prompt.MenuLog: PageLog,
}

// openPage shows a page. No money waits behind it: it is opened from the ready
// screen only.
func (m *machine) openPage(p Page) {
	m.forget()
	m.Page, m.Line = p, 0
	m.show(Paging, pageCodes[p], prompt.Args{})
	m.disarm()
	m.do(PageKey{Page: p})
}

func (m *machine) keyPage(k Key) {
	switch k {
	case "cancel", "menu":
		m.do(PageKey{Page: m.Page, Key: "cancel"})
		m.Page, m.Line = NoPage, 0
		m.idle()
	case "up":
		m.Line = max(m.Line-pageStep, 0)
	case "down":
		m.Line = min(m.Line+pageStep, m.e.Scroll)
	default:
		if d, ok := digit(k); ok && m.Page == PageKeys && d >= 2 && d <= MaxParts && m.Profile.Staff >= 2 {
			m.custody(int(d))
			return
		}
		m.do(PageKey{Page: m.Page, Key: k})
	}
}

// pageStep is how many lines a key scrolls.
const pageStep = 4

// keyHelp: F1 covers the screen with the help of what it says, and takes it away
// again; what is under it stays as it is.
func (m *machine) keyHelp(k Key) (taken bool) {
	switch {
	case k == "f1" && m.helpable():
		m.Help, m.Line = !m.Help, 0
		if m.Help {
			m.log(prompt.LogHelp, m.Durable.Open.ID, func(l *Log) { l.Why = m.Code })
		}
	case !m.Help:
		return false
	case k == "up":
		m.Line = max(m.Line-pageStep, 0)
	case k == "down":
		m.Line = min(m.Line+pageStep, m.e.Scroll)
	case k == "enter" || k == "cancel" || k == "clear":
		m.Help, m.Line = false, 0
	}
	return true
}

// helpable: a hidden entry has the keys to itself.
func (m *machine) helpable() bool {
	switch m.Phase {
	case EnteringPIN, Starting, Typing, Paging:
		return false
	case Naming:
		return m.Name.Step == nameNumber
	}
	return true
}
