package care

import (
	"cmp"
	"fmt"
	"slices"

	"swipewell/firmware/throttle"
)

// Limits is what banks' limits cost this shop in the last thirty days, made of
// the history alone: evidence for a talk with the bank. THROTTLE §1 S5.
type Limits struct {
	rows []limitRow
}

type limitRow struct {
	day    int32
	wall   int64
	rc     string
	amount int64
	won    bool // the same amount was paid within five minutes, by whatever card
}

const limitDays = 30

// Add takes an event.
func (l *Limits) Add(e throttle.Event) {
	if e.What != throttle.Sale || !sane(e.Wall) {
		return
	}
	switch rc := string(e.RC[:]); {
	case e.Outcome == throttle.Declined && (rc == "61" || rc == "65" || rc == "62" || rc == "57"):
		l.rows = append(l.rows, limitRow{day: dayOf(e.Wall), wall: e.Wall, rc: rc, amount: e.Amount})
		if len(l.rows) > 4000 {
			l.rows = slices.Delete(l.rows, 0, 1000)
		}
	case e.Outcome == throttle.Approved:
		for i := len(l.rows) - 1; i >= 0 && e.Wall-l.rows[i].wall <= 300; i-- {
			if r := &l.rows[i]; r.amount == e.Amount && !r.won {
				r.won = true
				return
			}
		}
	}
}

// LimitSum is one code of the report.
type LimitSum struct {
	RC    string `json:"rc"`
	N     int    `json:"n"`
	Sum   int64  `json:"sum"`   // fen that were refused
	Won   int    `json:"won"`   // of these, paid another way within five minutes
	Lost  int64  `json:"lost"`  // fen that were not
	First int64  `json:"first"` // Unix seconds
	Last  int64  `json:"last"`
}

// Report adds up the last thirty days before wall.
func (l *Limits) Report(wall int64) (sums []LimitSum) {
	from := dayOf(wall) - limitDays
	at := map[string]int{}
	for _, r := range l.rows {
		if r.day <= from || r.day > dayOf(wall) {
			continue
		}
		i, ok := at[r.rc]
		if !ok {
			i = len(sums)
			at[r.rc] = i
			sums = append(sums, LimitSum{RC: r.rc, First: r.wall})
		}
		s := &sums[i]
		s.N++
		s.Sum += r.amount
		s.Last = r.wall
		if r.won {
			s.Won++
		} else {
			s.Lost += r.amount
		}
	}
	slices.SortFunc(sums, func(a, b LimitSum) int { return cmp.Compare(b.Lost, a.Lost) })
	return sums
}

// LimitsNo is the number under which the bank gets the report.
func LimitsNo(tid string, wall int64) string {
	return fmt.Sprintf("L%s-%s", dayNo(wall), tid)
}

// Page is the report. N codes, counts and sums; no card is named.
func (l *Limits) Page(tid string, wall int64) (page []Line) {
	sums := l.Report(wall)
	if len(sums) == 0 {
		return []Line{say("limits.none", num(limitDays))}
	}
	page = append(page, say("limits.no", LimitsNo(tid, wall)))
	for _, s := range sums {
		page = append(page, say("limits.row", s.RC, num(s.N), yuan(s.Sum)), say("limits.lost", num(s.Won), yuan(s.Lost)))
	}
	return append(page, say("limits.bank"), say("limits.print"))
}
