package care

import "slices"

// Checked is one item of a self-check.
type Checked struct {
	Key   string // of texts
	State State
	Text  string // a figure beside it
}

// State of an item.
type State uint8

const (
	Good State = iota
	Bad
	Warn   // works, and wants attention
	Absent // not fitted: not counted
)

// Facts are what a self-check looks at; the terminal fills them in. Figures below
// zero are not known.
type Facts struct {
	MSR, ICC, Keypad, PINPad, Printer, Modem bool // fitted and running
	MSRBad, MSROf                            int  // passes of the last half hour
	Paper                                    bool // the printer has some
	Master, Working                          bool // keys
	ClockOff                                 int  // seconds by which the wall differs from the host's
	ClockKnown                               bool
	Store                                    string // a code, "" well
	FreeMB                                   int
	BackupHours                              int // age of the last good copy
	CertDays                                 int // until a certificate ends; -1 none is used
	CSQ                                      int // -1 no radio
	Registered                               bool
	Echo                                     int // milliseconds; -1 it was not answered; -2 not asked
	Rules                                    int // version
	RulesBad                                 bool
	Tampered                                 bool
	Recovery                                 bool // records of money are sealed to the acquirer as well
	LogDropped                               int
	VersionDays, ParamDays                   int // age; -1 unknown
}

// Oldest, in days, that a program and its parameters may be before somebody is
// told, and before what depends on them stops. THROTTLE §1 C2.
const (
	VersionAge = 365
	ParamAge   = 90
)

// Check is the self-check. It moves no money.
func Check(f Facts) (list []Checked) {
	add := func(key string, s State, text string) { list = append(list, Checked{key, s, text}) }
	is := func(ok bool) State {
		if ok {
			return Good
		}
		return Bad
	}
	fitted := func(there bool, s State) State {
		if !there {
			return Absent
		}
		return s
	}
	msr := Good
	if f.MSROf >= 10 && f.MSRBad*5 >= f.MSROf {
		msr = Warn
	}
	add("check.msr", fitted(f.MSR, msr), num(f.MSRBad)+"/"+num(f.MSROf))
	add("check.icc", fitted(f.ICC, Good), "")
	add("check.keypad", fitted(f.Keypad, Good), "")
	add("check.pinpad", fitted(f.PINPad, Good), "")
	add("check.printer", fitted(f.Printer, is(f.Paper)), "")
	work := is(f.Master)
	if f.Master && !f.Working { // the next sale signs on by itself
		work = Warn
	}
	add("check.keys", work, "")
	switch {
	case !f.ClockKnown:
		add("check.clock", Warn, "?")
	default:
		add("check.clock", is(f.ClockOff < 120 && f.ClockOff > -120), num(f.ClockOff)+"s")
	}
	add("check.store", is(f.Store == "" && f.FreeMB >= 8), num(f.FreeMB)+"MB "+f.Store)
	switch {
	case f.BackupHours < 0:
		add("check.backup", Warn, "-")
	case f.BackupHours > 48:
		add("check.backup", Warn, num(f.BackupHours)+"h")
	default:
		add("check.backup", Good, num(f.BackupHours)+"h")
	}
	switch {
	case f.CertDays < 0:
		add("check.cert", Absent, "")
	case f.CertDays < 30:
		add("check.cert", is(f.CertDays > 0), num(f.CertDays)+"d")
	default:
		add("check.cert", Good, num(f.CertDays)+"d")
	}
	switch {
	case !f.Modem || f.CSQ < 0:
		add("check.modem", Absent, "")
	case !f.Registered || f.CSQ == 99:
		add("check.modem", Bad, "CSQ "+num(f.CSQ))
	case f.CSQ < 10:
		add("check.modem", Warn, "CSQ "+num(f.CSQ))
	default:
		add("check.modem", Good, "CSQ "+num(f.CSQ))
	}
	switch {
	case f.Echo == -2:
		add("check.echo", Warn, "-")
	case f.Echo < 0:
		add("check.echo", Bad, "")
	default:
		add("check.echo", Good, num(f.Echo)+"ms")
	}
	rules := Good
	if f.RulesBad {
		rules = Warn
	}
	add("check.rules", rules, "v"+num(f.Rules))
	version := Good
	if f.VersionDays > VersionAge || f.ParamDays > ParamAge {
		version = Warn
	}
	add("check.version", version, days(f.VersionDays)+" "+days(f.ParamDays))
	add("check.tamper", is(!f.Tampered), "")
	recovery := Good
	if !f.Recovery {
		recovery = Warn
	}
	add("check.recovery", recovery, "")
	log := Good
	if f.LogDropped > 0 {
		log = Warn
	}
	add("check.log", log, num(f.LogDropped))
	return list
}

func days(n int) string {
	if n < 0 {
		return "-"
	}
	return num(n) + "d"
}

// Passed of a check: how many are well, of how many that are fitted.
func Count(list []Checked) (well, of int) {
	for _, c := range list {
		switch c.State {
		case Absent:
			continue
		case Good, Warn:
			well++
		}
		of++
	}
	return well, of
}

// order of states on the page.
var order = [...]int{Good: 2, Bad: 0, Warn: 1, Absent: 3}

var stateKeys = [...]string{"state.good", "state.bad", "state.warn", "state.absent"}

// CheckPage is the result of one, made at wall; an empty list is one that has not
// been made yet.
func CheckPage(list []Checked, wall int64, running bool) (page []Line) {
	switch {
	case running:
		page = append(page, say("check.running"))
	case len(list) == 0:
		return []Line{say("check.begin")}
	default:
		well, of := Count(list)
		page = append(page, say("check.done", num(well), num(of), date(wall)))
	}
	// What wants attention comes first.
	for _, c := range slices.SortedStableFunc(slices.Values(list), func(a, b Checked) int { return order[a.State] - order[b.State] }) {
		page = append(page, say("check.row", "@"+c.Key, "@"+stateKeys[c.State], c.Text))
	}
	return append(page, say("check.begin"))
}
