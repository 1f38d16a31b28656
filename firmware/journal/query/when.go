package query

import (
	"strconv"
	"strings"
	"time"
)

// When is a moment as a person names it: by its date, by the clock of a day near
// now, or by how long ago it was. The forms are journalctl's (systemd.time(7)).
type When struct {
	Ago time.Duration // before now; 0: it is one of the others
	At  time.Time     // with its date; zero: it is one of the others

	zone  *time.Location
	now   bool
	days  int // before the day of now
	clock [3]int
}

// whenForms are dates; a blank or a T stands between date and clock.
var whenForms = []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"}

// whenUnits are the units of a length, as systemd.time(7) names them.
var whenUnits = map[string]time.Duration{
	"s": time.Second, "sec": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": day, "day": day, "days": day, "w": 7 * day, "week": 7 * day, "weeks": 7 * day,
}

const (
	day     = 24 * time.Hour
	longest = 100 * 365 * day // what a length may be: more is a slip
)

// ParseWhen reads now, today, yesterday, 14:03, yesterday 14:03, 2026-03-01,
// 2026-03-01 14:03[:05], RFC 3339, and lengths before now: 2h, -2h, 2 hours ago.
// Dates and clocks are of the zone, unless they name their own.
func ParseWhen(s string, zone *time.Location) (w When, ok bool) {
	s = strings.TrimSpace(s)
	w.zone = zone
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		w.At = at
		return w, true
	}
	for _, form := range whenForms {
		for _, form := range [...]string{form, strings.Replace(form, " ", "T", 1)} {
			if at, err := time.ParseInLocation(form, s, zone); err == nil {
				w.At = at
				return w, true
			}
		}
	}
	if s == "now" {
		w.now = true
		return w, true
	}
	word, clock, _ := strings.Cut(s, " ")
	switch word {
	case "today":
	case "yesterday":
		w.days = 1
	default:
		word, clock = "", s
	}
	if w.clock, ok = parseClock(strings.TrimSpace(clock)); ok || word != "" && clock == "" {
		return w, true
	}
	w.Ago, ok = parseAgo(s)
	return w, ok
}

func parseClock(s string) (c [3]int, ok bool) {
	for _, form := range [...]string{"15:04:05", "15:04"} {
		if at, err := time.Parse(form, s); err == nil {
			return [3]int{at.Hour(), at.Minute(), at.Second()}, true
		}
	}
	return c, false
}

// parseAgo reads a length that lies before now: the sign and "ago" say the same,
// and neither is needed.
func parseAgo(s string) (sum time.Duration, ok bool) {
	rest, back := strings.CutPrefix(s, "-")
	rest, ago := strings.CutSuffix(rest, "ago")
	if back && ago {
		return 0, false
	}
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		n := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if n <= 0 {
			return 0, false
		}
		count, err := strconv.ParseFloat(rest[:n], 64)
		rest = strings.TrimSpace(rest[n:])
		end := strings.IndexFunc(rest, func(r rune) bool { return r < 'a' || r > 'z' })
		if end < 0 {
			end = len(rest)
		}
		unit := whenUnits[rest[:end]]
		if err != nil || unit == 0 || count > float64(longest/unit) {
			return 0, false
		}
		sum, rest = sum+time.Duration(count*float64(unit)), rest[end:]
		if sum > longest {
			return 0, false
		}
	}
	return sum, sum > 0
}

// Relative tells that the moment hangs on what now is.
func (w When) Relative() bool { return w.At.IsZero() }

// Of is the moment, if now is the time at the device.
func (w When) Of(now time.Time) time.Time {
	switch {
	case !w.At.IsZero():
		return w.At
	case w.Ago > 0:
		return now.In(w.zone).Add(-w.Ago)
	case w.now:
		return now.In(w.zone)
	}
	y, m, d := now.In(w.zone).Date()
	return time.Date(y, m, d-w.days, w.clock[0], w.clock[1], w.clock[2], 0, w.zone)
}

// levels are the names of a level: slog's, and those of syslog (RFC 5424 §6.2.1)
// with their numbers. The journal has four: what is graver than an error is one,
// a notice is information.
var levels = map[string]string{
	"debug": "debug", "7": "debug", "info": "info", "6": "info", "notice": "info", "5": "info",
	"warn": "warn", "warning": "warn", "4": "warn", "error": "error", "err": "error", "3": "error",
	"crit": "error", "2": "error", "alert": "error", "1": "error", "emerg": "error", "0": "error",
}

// ParseLevel gives the journal's name of a level.
func ParseLevel(s string) (level string, ok bool) {
	level, ok = levels[strings.ToLower(s)]
	return level, ok
}
