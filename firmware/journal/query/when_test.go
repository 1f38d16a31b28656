package query_test

import (
	"testing"
	"time"

	"swipewell/firmware/journal/query"
)

func TestParseWhen(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	now := time.Date(2026, 3, 1, 23, 30, 0, 0, time.UTC) // the second of March in Berlin
	for in, want := range map[string]string{
		"now":                       "2026-03-02T00:30:00+01:00",
		"today":                     "2026-03-02T00:00:00+01:00",
		"yesterday":                 "2026-03-01T00:00:00+01:00",
		"yesterday 14:03":           "2026-03-01T14:03:00+01:00",
		"today 07:00:09":            "2026-03-02T07:00:09+01:00",
		"14:03":                     "2026-03-02T14:03:00+01:00",
		"14:03:05":                  "2026-03-02T14:03:05+01:00",
		"2026-02-28":                "2026-02-28T00:00:00+01:00",
		"2026-02-28 14:03":          "2026-02-28T14:03:00+01:00",
		"2026-02-28 14:03:05":       "2026-02-28T14:03:05+01:00",
		"2026-02-28T14:03":          "2026-02-28T14:03:00+01:00",
		"2026-02-28T14:03:05Z":      "2026-02-28T14:03:05Z",
		"2026-02-28T14:03:05+08:00": "2026-02-28T14:03:05+08:00",
		"-1h":                       "2026-03-01T23:30:00+01:00",
		"2h":                        "2026-03-01T22:30:00+01:00",
		"1h30m":                     "2026-03-01T23:00:00+01:00",
		"1.5h":                      "2026-03-01T23:00:00+01:00",
		"1 hour ago":                "2026-03-01T23:30:00+01:00",
		"1h ago":                    "2026-03-01T23:30:00+01:00",
		"30 min ago":                "2026-03-02T00:00:00+01:00",
		"2 days ago":                "2026-02-28T00:30:00+01:00",
		"1 week 1 day ago":          "2026-02-22T00:30:00+01:00",
		"90s":                       "2026-03-02T00:28:30+01:00",
		// What is none.
		"": "", "0s": "", "-0h": "", "ago": "", "-": "", "h": "", "5": "", "+1h": "", "-1h ago": "", "--1h": "", "1 hour before": "", "2 fortnights ago": "",
		"yesterday-ish": "", "today noon": "", "25:00": "", "14:60": "", "2026-13-01": "", "tomorrow": "", "99999999999 weeks ago": "", "1..5h": "", "now 14:00": "",
	} {
		w, ok := query.ParseWhen(in, berlin)
		got := ""
		if ok {
			got = w.Of(now).Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// A day is the calendar's, also one of 23 hours.
func TestParseWhenSummerTime(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	w, _ := query.ParseWhen("yesterday", zone)
	if got := w.Of(time.Date(2026, 3, 30, 0, 30, 0, 0, zone)).Format(time.RFC3339); got != "2026-03-29T00:00:00+01:00" {
		t.Error(got)
	}
}

func TestParseLevel(t *testing.T) {
	for want, names := range map[string][]string{
		"error": {"error", "err", "crit", "alert", "emerg", "0", "1", "2", "3", "ERROR"},
		"warn":  {"warn", "warning", "4", "Warning"},
		"info":  {"info", "notice", "5", "6"},
		"debug": {"debug", "7"},
		"":      {"", "8", "-1", "verbose", "3..4"},
	} {
		for _, n := range names {
			if got, ok := query.ParseLevel(n); got != want || ok != (want != "") {
				t.Errorf("%q: %q %v, want %q", n, got, ok, want)
			}
		}
	}
}

// Whatever is read lies where it says, and nothing makes it panic.
func FuzzParseWhen(f *testing.F) {
	for _, s := range []string{"-1h", "2 days ago", "yesterday 14:03", "2026-02-28T14:03:05Z", "1.5h", "now"} {
		f.Add(s)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		w, ok := query.ParseWhen(s, time.UTC)
		if !ok {
			return
		}
		if at := w.Of(now); w.Ago > 0 && !at.Before(now) || w.Relative() == w.Of(now).Equal(w.Of(now.Add(48*time.Hour))) {
			t.Errorf("%q: %v of %v", s, at, now)
		}
	})
}
