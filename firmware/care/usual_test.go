package care

import (
	"testing"

	"swipewell/firmware/throttle"
)

// monday is a Monday 00:00 in the acquirer's zone, Unix seconds.
const monday = 1795363200 // 2026-11-23

func sale(at int64, fen int64) throttle.Event {
	return throttle.Event{Wall: at, What: throttle.Sale, Outcome: throttle.Approved, Amount: fen, Tags: throttle.Tags{Card: 1}}
}

// weeks sells from nine to six, a little more each hour; at noon five times.
func weeks(u *Usual, n int) {
	for d := range n * 7 {
		for h := 9; h < 18; h++ {
			for range map[bool]int{true: 5, false: 1}[h == 12] {
				u.Add(sale(monday+int64(d)*86400+int64(h)*3600+60, int64(1000*(h-8))))
			}
		}
	}
}

func TestLearned(t *testing.T) {
	if hourOf(monday) != 0 || hourOf(monday+9*3600) != 9 || dayOf(monday+86399) != dayOf(monday) {
		t.Fatal("a Monday is not the first day of its week")
	}
	var u Usual
	weeks(&u, 4)
	u.Add(sale(monday+28*86400+9*3600, 100)) // the next day begins
	l := u.Learned()
	near := func(got, want int64) bool { return got >= want*9/10 && got <= want*13/10 }
	if l.Days != 28 || !near(l.P90, 8000) || !near(l.P99, 9000) || !near(l.MedianHour, 6000) {
		t.Errorf("%+v", l)
	}
	if !l.Open(9*60, 0) || !l.Open(8*60+40, 30) || l.Open(8*60, 30) || l.Open(3*60, 30) {
		t.Error("hours")
	}
	if u.PerHour(12) < 4.9 || u.PerHour(12) > 5.1 || u.PerHour(3) != 0 {
		t.Errorf("per hour %v %v", u.PerHour(12), u.PerHour(3))
	}
}

// TestClockBack: a clock that goes back teaches nothing, and takes nothing away.
func TestClockBack(t *testing.T) {
	var u, v Usual
	weeks(&u, 3)
	weeks(&v, 3)
	for _, at := range []int64{0, monday, monday + 86400, -5, 1 << 40} {
		v.Add(sale(at, 99_999_999))
	}
	u.Add(sale(monday+22*86400, 100))
	v.Add(sale(monday+22*86400, 100))
	if u.Learned() != v.Learned() {
		t.Errorf("%+v and %+v", u.Learned(), v.Learned())
	}
}

// TestOdds: three repeats in an hour that never has any are odd; five payments at
// noon are not; and nothing is odd before it is learned.
func TestOdds(t *testing.T) {
	var u Usual
	day := int64(monday)
	for range 4 {
		u.Add(throttle.Event{Wall: day + 9*3600, What: throttle.Confirm})
	}
	if o := u.Odds(day + 9*3600); len(o) != 0 {
		t.Errorf("before anything is learned: %v", o)
	}
	u = Usual{}
	weeks(&u, 3)
	day += 21 * 86400
	for range 5 {
		u.Add(sale(day+12*3600, 4000))
	}
	if o := u.Odds(day + 12*3600); len(o) != 0 {
		t.Errorf("an ordinary noon: %v", o)
	}
	for range 3 {
		u.Add(throttle.Event{Wall: day + 12*3600, What: throttle.Absorbed})
	}
	if o := u.Odds(day + 12*3600); len(o) != 1 || o[0].Metric != Repeats || o[0].N != 3 {
		t.Errorf("three repeats: %v", o)
	}
}

func TestPeak(t *testing.T) {
	var u Usual
	if _, _, ok := u.Peak(monday); ok {
		t.Error("a peak out of nothing")
	}
	weeks(&u, 3)
	day := int64(monday) + 21*86400
	u.Add(sale(day+9*3600, 100))
	if h, mean, ok := u.Peak(day + 10*3600); !ok || h != 12 || mean < 4.9 {
		t.Errorf("%d %v %v", h, mean, ok)
	}
	if _, _, ok := u.Peak(day + 12*3600); ok {
		t.Error("it is here already")
	}
}
