package console

import (
	"fmt"
	"strings"

	"swipewell/firmware/care"
	"swipewell/ui/prompt"
)

// Codes of a self-check that no screen shows; the words stand with this console's.
const (
	CheckClock    prompt.Code = "F-CHK-01" // the wall clock is off
	CheckBackup   prompt.Code = "F-CHK-02" // no copy of the store of the last two days
	CheckJournal  prompt.Code = "F-CHK-03" // the log was changed or is cut
	CheckLost     prompt.Code = "F-CHK-04" // lines of the log were lost
	CheckCert     prompt.Code = "F-CHK-05" // the host's certificate ends
	CheckRecovery prompt.Code = "F-CHK-06" // no recovery key
	CheckRules    prompt.Code = "F-CHK-07" // a rule file is not in force
	CheckParams   prompt.Code = "F-CHK-08" // a parameter file is not in force
	CheckBusy     prompt.Code = "F-CHK-09" // the host was not asked
)

// Found is what a self-check is judged by.
type Found struct {
	Facts    care.Facts
	Asked    bool     // the host was to give a sign of life
	Running  bool     // the terminal sells, and Facts are its own; false: it refuses to
	Fault    string   // why nothing is sold, a code; "" it sells
	Devices  []Device // the board's report
	Wrong    []string // mistakes in the board file
	Stop     []string // why no sale is safe on this board
	CardIn   *bool    // the slot's switch; nil not known
	Store    error    // of the store's check
	Journal  error    // of the journal's
	Keys     []KeyItem
	Links    []Link
	Open     int   // records that a person must settle
	Waiting  int   // that go out by themselves
	Params   int   // version of the parameter file, 0 none
	ParamsNo error // why the file that is there is not in force
}

// fewMB is what a device needs for its log and one update beside the store.
const fewMB = 32

// Items judges what was found, in the order in which a person would mend it.
func Items(f Found) (list []Checked) {
	add := func(item, state string, code prompt.Code, text string) {
		if state == OK || state == Absent {
			code = ""
		}
		list = append(list, Checked{item, state, code, strings.TrimSpace(text)})
	}
	when := func(bad bool, state string) string {
		if bad {
			return state
		}
		return OK
	}
	switch {
	case len(f.Stop) > 0:
		add("board", Fail, prompt.BoardMoney, strings.Join(f.Stop, "; "))
	case len(f.Wrong) > 0:
		add("board", Warn, prompt.BoardFile, strings.Join(f.Wrong, "; "))
	default:
		add("board", OK, "", "")
	}
	for _, d := range f.Devices {
		switch {
		case d.Device == "acquirer" || d.Device == "kmsg" || strings.HasPrefix(d.Device, "link") && d.State == "loaded":
			continue
		case d.State == "skipped":
			add(d.Device, Absent, "", d.Why)
		case d.State == "failed":
			add(d.Device, Fail, prompt.BoardDevice, d.Driver+" "+d.Why)
		default:
			text := d.Driver
			state, code := OK, prompt.Code("")
			if d.Device == "msr" && f.Facts.MSROf > 0 {
				text += fmt.Sprintf("  %d/%d", f.Facts.MSRBad, f.Facts.MSROf)
				if f.Facts.MSROf >= 10 && f.Facts.MSRBad*5 >= f.Facts.MSROf {
					state, code = Warn, prompt.CardUnreadable
				}
			}
			if d.Device == "icc" && f.CardIn != nil && *f.CardIn {
				text += "  (a card is in)"
			}
			add(d.Device, state, code, text)
		}
	}
	if f.Running && f.Facts.Printer {
		add("printer", when(!f.Facts.Paper, Fail), prompt.PaperOut, "")
	}
	keyItems(f, add)
	if f.Running {
		add("tamper", when(f.Facts.Tampered, Fail), prompt.TamperOpen, "")
		add("recovery", when(!f.Facts.Recovery, Warn), CheckRecovery, "")
		clock := fmt.Sprintf("%+d s", f.Facts.ClockOff)
		switch {
		case !f.Facts.ClockKnown:
			add("clock", Warn, CheckClock, "?")
		default:
			add("clock", when(f.Facts.ClockOff >= 120 || f.Facts.ClockOff <= -120, Fail), CheckClock, clock)
		}
	}
	switch {
	case f.Store != nil:
		add("store", Fail, prompt.StoreDamaged, f.Store.Error())
	case f.Fault != "" && !f.Running: // of one that runs it is what the start found: keys, say, that are there by now
		add("store", Fail, prompt.Code(f.Fault), "")
	default:
		add("store", OK, "", "")
	}
	if f.Running {
		room := fmt.Sprintf("%d MB", f.Facts.FreeMB)
		switch {
		case f.Facts.Store != "":
			add("room", Fail, prompt.Code(f.Facts.Store), room)
		case f.Facts.FreeMB < 8:
			add("room", Fail, prompt.StoreFull, room)
		default:
			add("room", when(f.Facts.FreeMB < fewMB, Warn), prompt.StoreFull, room)
		}
		backup := fmt.Sprintf("%d h", f.Facts.BackupHours)
		if f.Facts.BackupHours < 0 {
			backup = "-"
		}
		add("backup", when(f.Facts.BackupHours < 0 || f.Facts.BackupHours > 48, Warn), CheckBackup, backup)
	}
	if f.Journal != nil {
		add("journal", Fail, CheckJournal, f.Journal.Error())
	} else {
		add("journal", OK, "", "")
	}
	add("lost", when(f.Facts.LogDropped > 0, Warn), CheckLost, fmt.Sprint(f.Facts.LogDropped))
	linkItems(f, add)
	if f.Running && f.Facts.CertDays >= 0 {
		state := when(f.Facts.CertDays < 30, Warn)
		if f.Facts.CertDays == 0 {
			state = Fail
		}
		add("cert", state, CheckCert, fmt.Sprintf("%d d", f.Facts.CertDays))
	}
	if f.Running {
		switch e := f.Facts.Echo; {
		case e == -2 && !f.Asked:
		case e == -2:
			add("echo", Warn, CheckBusy, "")
		case e < 0:
			add("echo", Fail, prompt.NoAnswerYet, "")
		default:
			add("echo", OK, "", fmt.Sprintf("%d ms", e))
		}
		add("rules", when(f.Facts.RulesBad, Warn), CheckRules, fmt.Sprintf("v%d", f.Facts.Rules))
	}
	switch {
	case f.ParamsNo != nil:
		add("params", Warn, CheckParams, f.ParamsNo.Error())
	case f.Params == 0:
		add("params", Absent, "", "")
	default:
		add("params", OK, "", fmt.Sprintf("v%d", f.Params))
	}
	add("queue", when(f.Open > 0, Warn), prompt.Unresolved, fmt.Sprintf("%d / %d", f.Open, f.Waiting))
	return list
}

func keyItems(f Found, add func(item, state string, code prompt.Code, text string)) {
	var master, working string
	for _, k := range f.Keys {
		switch {
		case k.KCV == "":
		case k.Slot == "tmk" || k.Slot == "kbpk":
			master += string(k.Slot) + " " + k.KCV + "  "
		default:
			working += string(k.Slot) + " " + k.KCV + "  "
		}
	}
	if master == "" {
		add("master", Fail, prompt.KeyNoMaster, "")
	} else {
		add("master", OK, "", master)
	}
	switch {
	case master == "":
	case working == "" || f.Running && !f.Facts.Working:
		add("working", Warn, prompt.SignOnFailed, working)
	default:
		add("working", OK, "", working)
	}
}

func linkItems(f Found, add func(item, state string, code prompt.Code, text string)) {
	if len(f.Links) == 0 {
		add("link", Fail, prompt.NetDevice, "")
	}
	for _, l := range f.Links {
		if l.State == "failed" {
			add("link", Warn, or2(l.Code, prompt.NetUnknown), l.Name+"  "+l.Driver)
		} else {
			add("link", OK, "", l.Name+"  "+l.Driver+"  "+l.State)
		}
		s := l.Signal
		if s == nil {
			continue
		}
		text := strings.TrimSpace(fmt.Sprintf("%s  CSQ %d  %s", l.Name, s.CSQ, s.Operator))
		switch {
		case s.CSQ == 99 || s.CSQ == 0:
			add("signal", Fail, prompt.NetNoSignal, text)
		case !s.Registered:
			add("signal", Fail, prompt.NetNotRegistered, text)
		default:
			state := OK
			if s.CSQ < 10 {
				state = Warn
			}
			add("signal", state, prompt.NetNoSignal, text)
		}
	}
}

func or2(c, v prompt.Code) prompt.Code {
	if c == "" {
		return v
	}
	return c
}
