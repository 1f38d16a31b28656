package console

import (
	"errors"
	"strings"
	"testing"

	"swipewell/firmware/care"
	"swipewell/hal"
	"swipewell/ui/prompt"
	"swipewell/ui/text"
)

// sound is a device with nothing to complain of.
func sound() Found {
	in := false
	return Found{Running: true, Asked: true, CardIn: &in, Params: 3,
		Facts:   care.Facts{MSR: true, Printer: true, Paper: true, Master: true, Working: true, ClockKnown: true, FreeMB: 500, CertDays: 300, Echo: 120, Recovery: true, Rules: 2},
		Devices: []Device{{"msr", "msr-serial", "loaded", ""}, {"icc", "", "skipped", "not in the board file"}, {"link.4g", "at", "loaded", ""}},
		Keys:    []KeyItem{{"tmk", "43C6CC"}, {"pik", "59C421"}, {"tdk", ""}},
		Links:   []Link{{Name: "4g", Driver: "at", State: "open", Signal: &hal.Signal{CSQ: 22, Registered: true, Operator: "CHN"}}}}
}

// Each thing that can be wrong is told once, with its state and code, and nothing else
// changes with it.
func TestItems(t *testing.T) {
	for _, x := range Items(sound()) {
		if x.State != OK && x.State != Absent || x.Code != "" {
			t.Errorf("a sound device: %+v", x)
		}
	}
	for _, c := range []struct {
		item, state string
		code        prompt.Code
		spoil       func(*Found)
	}{
		{"board", Fail, prompt.BoardMoney, func(f *Found) { f.Stop = []string{"no keystore"} }},
		{"board", Warn, prompt.BoardFile, func(f *Found) { f.Wrong = []string{"line 3"} }},
		{"msr", Fail, prompt.BoardDevice, func(f *Found) { f.Devices[0].State = "failed" }},
		{"msr", Warn, prompt.CardUnreadable, func(f *Found) { f.Facts.MSRBad, f.Facts.MSROf = 4, 12 }},
		{"printer", Fail, prompt.PaperOut, func(f *Found) { f.Facts.Paper = false }},
		{"master", Fail, prompt.KeyNoMaster, func(f *Found) { f.Keys = nil }},
		{"working", Warn, prompt.SignOnFailed, func(f *Found) { f.Facts.Working = false }},
		{"tamper", Fail, prompt.TamperOpen, func(f *Found) { f.Facts.Tampered = true }},
		{"recovery", Warn, CheckRecovery, func(f *Found) { f.Facts.Recovery = false }},
		{"clock", Warn, CheckClock, func(f *Found) { f.Facts.ClockKnown = false }},
		{"clock", Fail, CheckClock, func(f *Found) { f.Facts.ClockOff = -120 }},
		{"store", Fail, prompt.StoreDamaged, func(f *Found) { f.Store = errors.New("page 7") }},
		{"room", Fail, prompt.StoreReadOnly, func(f *Found) { f.Facts.Store = string(prompt.StoreReadOnly) }},
		{"room", Fail, prompt.StoreFull, func(f *Found) { f.Facts.FreeMB = 7 }},
		{"room", Warn, prompt.StoreFull, func(f *Found) { f.Facts.FreeMB = 31 }},
		{"backup", Warn, CheckBackup, func(f *Found) { f.Facts.BackupHours = 49 }},
		{"backup", Warn, CheckBackup, func(f *Found) { f.Facts.BackupHours = -1 }},
		{"journal", Fail, CheckJournal, func(f *Found) { f.Journal = errors.New("info: cut") }},
		{"lost", Warn, CheckLost, func(f *Found) { f.Facts.LogDropped = 1 }},
		{"link", Warn, prompt.NetNoSIM, func(f *Found) { f.Links[0].State, f.Links[0].Code = "failed", prompt.NetNoSIM }},
		{"link", Warn, prompt.NetUnknown, func(f *Found) { f.Links[0].State = "failed" }},
		{"signal", Warn, prompt.NetNoSignal, func(f *Found) { f.Links[0].Signal = &hal.Signal{CSQ: 9, Registered: true} }},
		{"signal", Fail, prompt.NetNoSignal, func(f *Found) { f.Links[0].Signal = &hal.Signal{CSQ: 99} }},
		{"signal", Fail, prompt.NetNotRegistered, func(f *Found) { f.Links[0].Signal = &hal.Signal{CSQ: 20} }},
		{"cert", Warn, CheckCert, func(f *Found) { f.Facts.CertDays = 29 }},
		{"cert", Fail, CheckCert, func(f *Found) { f.Facts.CertDays = 0 }},
		{"echo", Fail, prompt.NoAnswerYet, func(f *Found) { f.Facts.Echo = -1 }},
		{"echo", Warn, CheckBusy, func(f *Found) { f.Facts.Echo = -2 }},
		{"rules", Warn, CheckRules, func(f *Found) { f.Facts.RulesBad = true }},
		{"params", Warn, CheckParams, func(f *Found) { f.ParamsNo = errors.New("F-PAR-06") }},
		{"queue", Warn, prompt.Unresolved, func(f *Found) { f.Open = 1 }},
	} {
		f := sound()
		c.spoil(&f)
		seen := 0
		for _, x := range Items(f) {
			switch {
			case x.State == OK || x.State == Absent:
			case x.Item == c.item && x.State == c.state && x.Code == c.code:
				seen++
			case c.item == "master" && x.Item == "working", c.item == "signal" && x.Item == "signal":
			default:
				t.Errorf("%s %s: also %+v", c.item, c.code, x)
			}
			if x.Code == "" {
				continue
			}
			for _, lang := range []string{text.ZH, text.EN} {
				if s := explainCheck(lang, x); strings.HasSuffix(s, ": ") || s == string(x.Code)+": " {
					t.Errorf("%s does not say what to do: %q", x.Code, s)
				}
			}
		}
		if seen != 1 {
			t.Errorf("%s %s %s: told %d times", c.item, c.state, c.code, seen)
		}
	}
	// A device that refuses to sell is judged by what can be known of it.
	f := Found{Fault: string(prompt.StoreDamaged), Keys: sound().Keys}
	for _, x := range Items(f) {
		if x.Item == "store" && (x.State != Fail || x.Code != prompt.StoreDamaged) {
			t.Errorf("%+v", x)
		}
		if x.Item == "room" || x.Item == "clock" || x.Item == "printer" {
			t.Errorf("%+v of a terminal that does not run", x)
		}
	}
}
