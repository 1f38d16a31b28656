package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/console"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

const lost = "../../doc/cases/01-chip-answer-lost.swjx"

func ask(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, &o, &e)
	return o.String(), e.String(), code
}

func TestZoneHere(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		tz   string
		utc  bool
		want string // "" none
	}{
		{"Asia/Shanghai", false, "20:00 +0800"},
		{"Asia/Shanghai", true, "12:00 +0000"},
		{":Europe/Berlin", false, "13:00 +0100"},
		{"UTC", false, "12:00 +0000"},
		{"", false, "20:00 +0800"},
		{"", true, "12:00 +0000"},
		{"CST-8", false, "20:00 +0800"},
		{"EST5", false, "07:00 -0500"},
		{"<+0545>-5:45", false, "17:45 +0545"},
		{"Asia/Shanghia", false, ""},
		{"CST-99", false, ""},
		{"/no/such/zone", false, ""},
	} {
		t.Setenv("TZ", c.tz)
		z, err := zoneHere(c.utc)
		got := ""
		if err == nil {
			got = at.In(z).Format("15:04 -0700")
		}
		if got != c.want {
			t.Errorf("TZ=%s utc=%v: %q, want %q (%v)", c.tz, c.utc, got, c.want, err)
		}
	}
	os.Unsetenv("TZ") // Setenv above brings it back
	if z, err := zoneHere(false); err != nil || z != pos.CST {
		t.Errorf("without TZ: %v %v", z, err)
	}
}

// What is shown can be asked for: the time of an entry, as it is printed, finds it
// in every zone.
func TestLogZone(t *testing.T) {
	for _, tz := range []string{"CST-8", "UTC", "EST5"} {
		t.Setenv("TZ", tz)
		all, errs, code := ask(t, "log", "--from", lost, "-n", "0", "-o", "short")
		if code != exitOK || all == "" {
			t.Fatal(code, errs)
		}
		line := regexp.MustCompile(`(?m)^(\d\d-\d\d) (\d\d:\d\d:\d\d)\S*`).FindAllStringSubmatch(all, -1)
		last := line[len(line)-1]
		year := regexp.MustCompile(`"t":"(\d{4})`)
		js, _, _ := ask(t, "log", "--from", lost, "-n", "1", "-o", "json")
		y := year.FindStringSubmatch(js)[1]
		for _, since := range []string{y + "-" + last[1] + " " + last[2], last[2]} {
			got, errs, _ := ask(t, "log", "--from", lost, "-n", "0", "-S", since)
			if !strings.HasSuffix(all, got) || got == "" || len(got) >= len(all) || !strings.Contains(got, last[0]) {
				t.Errorf("%s: --since %s:\n%s%s", tz, since, got, errs)
			}
		}
	}
}

// journalctl's flags.
func TestLogHabits(t *testing.T) {
	t.Setenv("TZ", "CST-8")
	base := []string{"log", "--from", lost, "-n", "0"}
	all, _, _ := ask(t, base...)
	lines := strings.SplitAfter(strings.TrimSuffix(all, "\n"), "\n")
	lines[len(lines)-1] += "\n"
	slices.Reverse(lines)
	boots, _, _ := ask(t, "log", "boots", "--from", lost)
	warn, _, _ := ask(t, append(base, "-p", "warn")...)
	boot, _, _ := ask(t, append(base, "--boot=0")...)
	long, _, _ := ask(t, append(base, "-o", "full")...)
	if warn == "" || warn == all || boot == "" || boots == "" {
		t.Fatalf("the export tells nothing apart: %d %d %d", len(all), len(warn), len(boot))
	}
	for _, c := range []struct {
		args, want string
	}{
		{"-r", strings.Join(lines, "")},
		{"-p warning", warn},
		{"-p 4", warn},
		{"-b", boot},
		{"-b 0", boot},
		{"-b0", boot},
		{"--boot 0", boot},
		{"-b -p 4 --boot 0", warn},
		{"-b -99", ""},
		{"-b-99", ""},
		{"--list-boots", boots},
		{"-o verbose", long},
		{"-e", all},
		{"-S now -U now", ""},
		{"-S today -U now", all},
		{"-S -1h", all},
		{"-U yesterday", ""},
		{"-k", ""},
	} {
		got, errs, code := ask(t, append(slices.Clone(base), strings.Fields(c.args)...)...)
		switch {
		case code != exitOK:
			t.Errorf("%s: %d %s", c.args, code, errs)
		case got != c.want && c.args != "-S now -U now":
			t.Errorf("%s: %d bytes, want %d:\n%s%s", c.args, len(got), len(c.want), got, errs)
		}
	}
	pretty, _, _ := ask(t, append(slices.Clone(base), "-o", "json-pretty")...)
	if !strings.HasPrefix(pretty, "{\n  \"seq\": ") {
		t.Errorf("json-pretty:\n%.80s", pretty)
	}
	for args, want := range map[string]string{
		"-p loud":              "emerg",
		"-S tomorrow-ish":      "yesterday",
		"-r -f":                "-r and -f",
		"-k -u link":           "-k is -u kernel",
		"report":               "log top --plot",
		"stats --from " + lost: "only its device knows",
	} {
		if _, errs, code := ask(t, append([]string{"log"}, strings.Fields(args)...)...); code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("log %s: %d %s", args, code, errs)
		}
	}
}

// clockOnly is a device of which only the clock is asked.
type clockOnly struct {
	console.Backend
	clock hal.Clock
}

func (c clockOnly) Status(context.Context) (console.Status, error) {
	return console.Status{Time: pos.Time{Wall: c.clock.Now().Wall.UnixMilli()}}, nil
}

// Days are those of the device's clock, in the engineer's zone.
func TestLogDaysOfDevice(t *testing.T) {
	clock := hal.NewSteppedClock(nil, time.Date(2026, 3, 1, 15, 30, 0, 0, time.UTC)) // 23:30 in China
	dir := t.TempDir()
	j, err := journal.Open(journal.Opts{Dir: filepath.Join(dir, "journal"), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	say := func(word string) {
		j.Record(journal.Event{Code: prompt.LogMessage, Source: "txn", Fields: []journal.Field{journal.Word("what", word)}})
		j.Sync(false)
	}
	say("evening")
	clock.Jump(time.Hour) // 00:30 of the next day in China, 16:30 of the same in Greenwich
	say("night")
	ctx, stop := context.WithCancel(t.Context())
	sock := filepath.Join(dir, "s")
	srv, err := console.Listen(sock, console.Opts{Backend: clockOnly{clock: clock}, Clock: clock, Journal: j})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx) }()
	defer func() { stop(); <-done }()
	for _, c := range []struct {
		tz, args       string
		evening, night bool
	}{
		{"CST-8", "-S today", false, true},
		{"UTC", "-S today", true, true},
		{"CST-8", "-S yesterday -U today", true, false},
		{"CST-8", "-S 00:15", false, true},
		{"UTC", "-S 16:15", false, true},
		{"UTC", "-S 00:15", true, true},
		{"CST-8", "-S -30m", false, true},
		{"UTC", "-S yesterday -U yesterday", false, false},
	} {
		t.Setenv("TZ", c.tz)
		out, errs, code := ask(t, append([]string{"--socket", sock, "log", "-u", "txn"}, strings.Fields(c.args)...)...)
		if code != exitOK || strings.Contains(out, "evening") != c.evening || strings.Contains(out, "night") != c.night {
			t.Errorf("TZ=%s %s: %d\n%s%s", c.tz, c.args, code, out, errs)
		}
	}
}
