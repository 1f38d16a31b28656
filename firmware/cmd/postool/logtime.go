package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/console"
	"swipewell/firmware/journal"
	"swipewell/firmware/journal/query"
	"swipewell/firmware/pos"
)

func (l *logFlags) addZone(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&l.utc, "utc", false, "times in UTC; else in the zone of TZ if it is set, else of the device: the shop's")
}

// zoneHere is the zone of what is shown, and of what is asked: the engineer's where TZ says it, else that of the
// device, in which the shop speaks of "two minutes past two".
func zoneHere(utc bool) (*time.Location, error) {
	if utc {
		return time.UTC, nil
	}
	if tz := os.Getenv("TZ"); tz != "" {
		return parseZone(tz)
	}
	return pos.CST, nil
}

// posixZone is a zone without summer time, POSIX.1-2017 §8.3; its hours are west of Greenwich.
var posixZone = regexp.MustCompile(`^([A-Za-z]{3,}|<[-+A-Za-z0-9]{3,}>)([-+]?)([0-9]{1,2})(?::([0-5][0-9]))?$`)

// parseZone reads TZ: a name of the zone database, a file, or UTC+8 in POSIX's way.
func parseZone(tz string) (*time.Location, error) {
	name := strings.TrimPrefix(tz, ":")
	if strings.HasPrefix(name, "/") {
		b, err := os.ReadFile(name)
		if err == nil {
			var z *time.Location
			if z, err = time.LoadLocationFromTZData(name, b); err == nil {
				return z, nil
			}
		}
		return nil, fmt.Errorf("TZ=%s: %w", tz, err)
	}
	z, err := time.LoadLocation(name)
	if err == nil {
		return z, nil
	}
	if m := posixZone.FindStringSubmatch(name); m != nil {
		h, _ := strconv.Atoi(m[3])
		min, _ := strconv.Atoi("0" + m[4])
		if east := -(h*60 + min) * 60; h <= 24 {
			if m[2] == "-" {
				east = -east
			}
			return time.FixedZone(strings.Trim(m[1], "<>"), east), nil
		}
	}
	return nil, fmt.Errorf("TZ=%s: no zone that is known here (Asia/Shanghai, CST-8): set another, or give --utc", tz)
}

// parseTime reads a flag's time. A length counts back at the device; what hangs
// on the device's day comes as when.
func parseTime(flag, s string, zone *time.Location) (ago time.Duration, at time.Time, when *query.When, err error) {
	if s == "" {
		return 0, at, nil, nil
	}
	w, ok := query.ParseWhen(s, zone)
	switch {
	case !ok:
		return 0, at, nil, fmt.Errorf("%s %q: neither a length of time (2h, -90s, 2 days ago) nor a time (2026-03-01 14:00, 14:00, today, yesterday, now)", flag, s)
	case w.Ago > 0:
		return w.Ago, at, nil, nil
	case !w.Relative():
		return 0, w.At, nil, nil
	}
	return 0, at, &w, nil
}

// days asks the device for its clock, if a time hangs on its day.
func (l *logFlags) days(ctx context.Context, q *console.Request) error {
	if l.when[0] == nil && l.when[1] == nil {
		return nil
	}
	return l.t.items(ctx, console.Request{Cmd: "status"}, func(r console.Reply) error {
		var s console.Status
		if err := json.Unmarshal(r.Data, &s); err != nil {
			return err
		}
		l.byDay(&q.Filter, s.Time.WallTime(l.zone))
		return nil
	})
}

func (l *logFlags) byDay(f *journal.Filter, now time.Time) {
	if l.when[0] != nil {
		f.Since = l.when[0].Of(now)
	}
	if l.when[1] != nil {
		f.Until = l.when[1].Of(now)
	}
}

// bootWord is a start of the program in the word behind -b.
var bootWord = regexp.MustCompile(`^(-?[0-9]+|[0-9a-f]{4,})$`)

// bootHabit lets -b and --boot stand alone, and with a word behind them, as
// journalctl does: flags whose value may be left out take it only from behind a "=".
func bootHabit(args []string) []string {
	at := slices.Index(args, "log")
	if at < 0 {
		return args
	}
	out := slices.Clone(args[:at+1])
	for rest := args[at+1:]; len(rest) > 0; rest = rest[1:] {
		a := rest[0]
		switch attached, ok := strings.CutPrefix(a, "-b"); {
		case a == "--":
			return append(out, rest...)
		case (a == "-b" || a == "--boot") && len(rest) > 1 && bootWord.MatchString(rest[1]):
			out, rest = append(out, "--boot="+rest[1]), rest[1:]
		case ok && bootWord.MatchString(attached):
			out = append(out, "--boot="+attached)
		default:
			out = append(out, a)
		}
	}
	return out
}
