package terminal

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"swipewell/firmware/care"
	"swipewell/firmware/diagnose"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
	"swipewell/ui/text"
)

func itoa(n int) string { return strconv.Itoa(n) }

func line(key string, a ...string) care.Line { return care.Line{Key: key, A: a} }

// whyLines are the diagnosis in full: the cause or the two likeliest, how sure,
// what to try, and the five weightiest pieces of evidence with their weights.
func (t *Terminal) whyLines(lang string) (page []care.Line) {
	r := t.Rank()
	pct := func(i int) string { return itoa(int(r.Top[i].P*100 + .5)) }
	name := func(i int) string { return "@cause." + r.Top[i].Row.Name() }
	top := r.Top[0]
	switch {
	case r.Sure && top.Row.Cause == diagnose.NONE, r.Quiet():
		page = append(page, line("why.none"))
		if r.Sig[diagnose.Meant].Level > 0 {
			page = append(page, care.Line{A: []string{text.Format(lang, prompt.CauseNone, prompt.Args{}).Title}})
		}
	case r.Sure:
		page = append(page, line("why.sure", name(0), pct(0)), care.Line{A: []string{text.Format(lang, top.Row.Code, t.senses.args).Title}},
			line("why.who", "@who."+top.Row.Who), line("why.next", name(1), pct(1)))
	default:
		page = append(page, line("why.unsure", name(0), pct(0), name(1), pct(1)), line("why.test", "@test."+r.Test))
	}
	if ev := r.Evidence(); len(ev) > 0 {
		page = append(page, line("why.head"))
		for _, e := range ev {
			of := ""
			if e.Of > 0 {
				of = "/" + itoa(e.Of)
			}
			page = append(page, line("why.term", "@sig."+e.Signal.String(), itoa(e.N), of, fmt.Sprintf("%+.1f", e.Nats)))
		}
	}
	page = append(page, t.care.stages.Lines()...)
	if s := t.senses.radio; s.CSQ != 0 || s.Registered {
		on := "@no"
		if s.Registered {
			on = "@yes"
		}
		page = append(page, line("why.radio", itoa(s.CSQ), itoa(s.BER), on))
	}
	return page
}

// rulesLines are the rules in force, a set that waits, and what was decided lately.
func (t *Terminal) rulesLines(lang string) (page []care.Line) {
	r := t.guard.rules
	if r == nil {
		return nil
	}
	key := r.KeyID
	if key == "" {
		key = "@rules.built"
	}
	page = append(page, line("rules.set", r.Name, itoa(r.Version), key))
	if t.o.Care.Update != nil {
		if u, ok := t.o.Care.Update(); ok {
			page = append(page, line("rules.wait", itoa(u.Version), itoa(u.Changes)), line("rules.dry", itoa(u.More), itoa(u.Less)))
			for _, l := range u.Lines {
				page = append(page, line("rules.row", l))
			}
		}
	}
	wall := t.wall()
	page = append(page, t.care.grace.Lines(wall, t.care.desk.Complaints(wall-30*86400))...)
	if len(t.care.hits) == 0 {
		return append(page, line("rules.empty"))
	}
	page = append(page, line("rules.last"))
	for i := len(t.care.hits) - 1; i >= 0; i-- {
		h := t.care.hits[i]
		words := h.action.String()
		if h.text != "" {
			words = text.Format(lang, h.text, prompt.Args{}).Title
		}
		page = append(page, line("rules.hit", time.Unix(h.wall, 0).In(zoneCST).Format("01-02 15:04"), h.rule.String(), fen(h.amount), words))
	}
	return page
}

// checkFacts are what a self-check looks at. echo is what the host's sign of life
// took, in milliseconds.
func (t *Terminal) checkFacts(echo int) (f care.Facts) {
	b, now := t.board, t.clock.Now()
	f = care.Facts{MSR: b.MSR != nil, ICC: b.Chip != nil, Keypad: b.Keypad != nil, PINPad: b.PINPad != nil, Printer: b.Printer != nil, Paper: !t.noPaper,
		CSQ: -1, Echo: echo, CertDays: -1, BackupHours: -1, VersionDays: t.versionDays(), ParamDays: -1, LogDropped: int(t.o.Journal.Dropped())}
	sig := t.senses.win.Read(t.now().Logical, t.normal(t.now()))
	f.MSRBad, f.MSROf = sig[diagnose.MSRMany].N, sig[diagnose.MSRMany].Of
	if b.Keys != nil {
		_, err := t.mac([]byte("v1|check"))
		f.Master, f.Working = err == nil, t.state.Durable.SignedOn
	}
	if c := t.state.Durable.Clock; c.Wall != 0 {
		host := c.Wall + (t.now().Logical - c.Logical).Milliseconds()
		f.ClockKnown, f.ClockOff = !t.state.Cold, int((now.Wall.UnixMilli()-host)/1000)
	}
	if err := t.o.Store.Room(); err != nil {
		f.Store = string(StoreCode(err))
	}
	var fs unix.Statfs_t
	if unix.Statfs(t.o.Store.Dir(), &fs) == nil {
		f.FreeMB = int(fs.Bavail * uint64(fs.Bsize) >> 20)
	}
	if t.o.Care.BackupHours != nil {
		f.BackupHours = t.o.Care.BackupHours()
	}
	if t.o.Care.CertDays != nil {
		f.CertDays = t.o.Care.CertDays()
	}
	for _, l := range b.Links {
		if r, ok := l.Dialer.(hal.Signaler); ok {
			s := r.Signal()
			f.Modem, f.CSQ, f.Registered = true, s.CSQ, s.Registered
			break
		}
	}
	if r := t.guard.rules; r != nil {
		f.Rules = r.Version
	}
	f.RulesBad = t.o.RulesBad
	f.Tampered = t.state.Durable.Tampered || t.state.Code == prompt.TamperOpen
	f.Recovery = t.o.Recovery != nil || t.o.Train || f.Tampered
	if at := t.state.Durable.ParamsAt; at > 0 {
		f.ParamDays = int((now.Wall.Unix() - at) / 86400)
	}
	return f
}

// PageText is a page for who asks over the service socket; lang "" is that of the
// device.
func (t *Terminal) PageText(name, lang string) (string, error) {
	p, ok := txn.PageNamed(name)
	if !ok {
		return "", fmt.Errorf("no page %q; there are %s", name, strings.Join(txn.PageNames(), ", "))
	}
	if lang == "" {
		lang = t.state.Durable.Lang
	}
	return t.words(lang, t.pageLines(lang, p)), nil
}

// Alerts are those that their routes have not taken, or all; only in the loop.
func (t *Terminal) Alerts(all bool) []care.Alert {
	if all {
		return t.care.bus.All()
	}
	return t.care.bus.Waiting()
}

// TakeAlert is the receipt of whoever an alert is for; only in the loop.
func (t *Terminal) TakeAlert(n int) (care.Alert, error) {
	a, ok := t.care.bus.Take(n, t.wall())
	if !ok {
		return a, fmt.Errorf("no alert %d", n)
	}
	t.keepCare(careRow(alertKey(a.N), a))
	t.logAlert(a, "taken")
	t.saved()
	t.draw() // its page may be open
	return a, nil
}

// Limits is the report for the bank; only in the loop.
func (t *Terminal) Limits() []care.LimitSum { return t.care.limits.Report(t.wall()) }

// Seals is the chain, and where it breaks; only in the loop.
func (t *Terminal) Seals() ([]care.Seal, error) {
	list := t.care.chain.All()
	return list, care.Verify(list, t.mac)
}

// ActivateRules puts a waiting set in force; only in the loop. by 0: at the cable.
func (t *Terminal) ActivateRules(by int) error {
	if t.o.Care.Activate == nil {
		return errors.New("terminal: no rules can wait here")
	}
	if p := t.state.Phase; p != txn.Ready && p != txn.Result && p != txn.Paging && p != txn.InMenu {
		return errors.New("a transaction is under way")
	}
	return t.activate(by)
}
