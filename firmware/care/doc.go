// Package care is what a shop does with its device beside selling: it learns what
// is usual at each hour of the week and says what is not, keeps the records of
// operators, the plan of maintenance, customers' complaints, spot checks, a signal
// survey, a drill, and a chain of what must not be changed afterwards. It is pure:
// events and facts come in, lines to show and rows to keep come out.
//
// Sources:
//   - THROTTLE: firmware/doc/throttle.md §1, the strategies S1–S29
//   - EWMA: S. W. Roberts, "Control chart tests based on geometric moving
//     averages", Technometrics 1959
//
// No state of money is kept here, and nothing here can change one.
package care

import (
	"strconv"
	"time"
)

// Line is one line of a page: a key of the table of texts, and what it is filled
// with. What begins with @ is a key itself.
type Line struct {
	Key string
	A   []string
}

// say makes a line.
func say(key string, a ...string) Line { return Line{key, a} }

func num(n int) string { return strconv.Itoa(n) }

// yuan writes minor units as 1234.56.
func yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return sign + strconv.FormatInt(fen/100, 10) + "." + string(rune('0'+fen/10%10)) + string(rune('0'+fen%10))
}

// Zone is the acquirer's.
const Zone = 8 * time.Hour

// clock is a time of day in the acquirer's zone, of Unix seconds.
func clock(wall int64) string {
	return time.Unix(wall, 0).UTC().Add(Zone).Format("15:04")
}

// date is a day and a time of day, of Unix seconds.
func date(wall int64) string {
	return time.Unix(wall, 0).UTC().Add(Zone).Format("01-02 15:04")
}

// dayOf is the acquirer's calendar day of Unix seconds, counted from 1970-01-01.
func dayOf(wall int64) int32 { return int32((wall + int64(Zone/time.Second)) / 86400) }

// hourOf is the hour of the week, Monday 00:00 first.
func hourOf(wall int64) int {
	h := (wall + int64(Zone/time.Second)) / 3600
	return int((h + 3*24) % 168) // 1970-01-01 was a Thursday
}

// sane tells whether a wall clock says anything: no device was built before.
func sane(wall int64) bool { return wall > 1_700_000_000 && wall < 4_000_000_000 }
