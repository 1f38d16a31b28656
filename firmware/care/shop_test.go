package care

import (
	"math/rand/v2"
	"slices"
	"testing"

	"swipewell/firmware/throttle"
	"swipewell/ui/text"
)

// TestSteadyShop: four weeks of a shop whose hours differ by one customer either
// way, with a decline and a misread card now and then: nothing is odd at any
// minute of it. Then one hour that is more than the mean and four times what it
// is usually off is, once; and the forecast names the busy hour before it comes.
func TestSteadyShop(t *testing.T) {
	base := [24]int{9: 3, 10: 4, 11: 6, 12: 14, 13: 8, 14: 4, 15: 4, 16: 5, 17: 9, 18: 6, 19: 4}
	for seed := range uint64(5) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		var u Usual
		var b Bus
		raised, sold := 0, 0
		look := func(wall int64) {
			for _, o := range u.Odds(wall) {
				if _, fresh, _ := b.Raise("odd", "odd."+o.Metric.Key(), Merchant, 1, wall); fresh {
					raised++
				}
			}
		}
		hour := func(day, h int) (wall int64) {
			wall = monday + int64(day)*86400 + int64(h)*3600
			if base[h] == 0 {
				return wall
			}
			n := base[h] + rnd.IntN(3) - 1
			for i := range n {
				e := sale(wall+int64(i*3600/(n+1)), int64(500+rnd.IntN(20_000)))
				switch sold++; {
				case sold%37 == 0:
					e.Outcome = throttle.Declined
				case sold%41 == 0:
					u.Add(throttle.Event{Wall: e.Wall, What: throttle.ReadFail})
				}
				u.Add(e)
				look(e.Wall)
			}
			return wall
		}
		for day := range 28 {
			for h := range 24 {
				wall := hour(day, h)
				at, mean, ok := u.Peak(wall)
				switch {
				case day < 15 || base[h] == 0:
				case h < 12 && (!ok || at != 12 || mean < 13 || mean > 15):
					t.Fatalf("seed %d day %d at %d h: peak %d of %.1f, %v", seed, day, h, at, mean, ok)
				case h >= 12 && h < 17 && ok && at <= h:
					t.Fatalf("seed %d: a peak that is over, %d at %d", seed, at, h)
				}
			}
		}
		if raised != 0 {
			t.Errorf("seed %d: %d alerts in four steady weeks: %+v", seed, raised, b.All())
		}
		// Three times the usual noon is odd; one alert, however often it is looked at.
		wall := hour(28, 12)
		_, mean, _ := u.Now(wall, Forms)
		for i := range int(2 * mean) {
			u.Add(sale(wall+3500+int64(i), 1000))
			look(wall + 3500 + int64(i))
		}
		if raised != 1 || b.All()[0].Key != "odd.m.forms" {
			t.Errorf("seed %d: %d alerts of a noon three times as busy: %+v", seed, raised, b.All())
		}
	}
}

// TestOddThreshold: odd from the first count that is above the mean and four
// times the mean deviation, and above two.
func TestOddThreshold(t *testing.T) {
	for _, c := range []struct {
		usual, weeks int
		odd          int // the first count that is odd
	}{
		{0, 4, 3}, // none is usual: three, since two may be chance
		{2, 6, 0}, // found below
	} {
		var u Usual
		day := int64(monday)
		for w := range c.weeks {
			u.Add(sale(day+int64(w)*7*86400+8*3600, 100)) // the shop is open
			for i := range c.usual {
				u.Add(throttle.Event{Wall: day + int64(w)*7*86400 + 9*3600 + int64(i), What: throttle.ReadFail})
			}
		}
		now := day + int64(c.weeks)*7*86400 + 9*3600
		u.Add(sale(now-3600, 100))
		b := u.buckets[9][Fails]
		limit := float64(b.mean) + 4*max(float64(b.mad), .25)
		for n := 1; n <= 12; n++ {
			u.Add(throttle.Event{Wall: now + int64(n), What: throttle.ReadFail})
			odd := slices.ContainsFunc(u.Odds(now+int64(n)), func(o Odd) bool { return o.Metric == Fails })
			if want := n >= 3 && float64(n) > limit; odd != want || c.odd != 0 && odd != (n >= c.odd) {
				t.Errorf("usually %d: %d is odd %v (mean %.2f, off %.2f)", c.usual, n, odd, b.mean, b.mad)
			}
		}
	}
}

// TestPlan: a duty is due by its count or by the calendar, whichever comes first,
// and again as long after it was done.
func TestPlan(t *testing.T) {
	due := func(p *Plan, wall int64) (keys []string) {
		for _, d := range p.Due(wall) {
			if d.Now {
				keys = append(keys, d.Key)
			}
		}
		return keys
	}
	p := Plan{Wear: Wear{Since: at}}
	for _, c := range []struct {
		name string
		wear Wear
		days int64
		want []string
	}{
		{"new", Wear{}, 0, nil},
		{"one swipe short", Wear{Swipes: 2999}, 1, nil},
		{"three thousand swipes", Wear{Swipes: 3000}, 1, []string{"care.msr"}},
		{"a month", Wear{}, 29, nil},
		{"thirty days", Wear{}, 30, []string{"care.seal"}},
		{"ninety", Wear{}, 90, []string{"care.msr", "care.icc", "care.seal"}},
		{"a year", Wear{}, 365, []string{"care.msr", "care.icc", "care.printer", "care.keypad", "care.seal", "care.inspect"}},
		{"a clock that stands in 1970", Wear{Swipes: 3000}, -20_000, []string{"care.msr"}},
	} {
		p.Wear = c.wear
		p.Wear.Since = at
		if got := due(&p, at+c.days*86400); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	p.Wear = Wear{Swipes: 3100, Since: at}
	did := p.Do(at+86400, 9)
	if len(did) != 1 || did[0] != (Done{Key: "care.msr", At: at + 86400, Count: 3100, By: 9}) {
		t.Fatalf("%+v", did)
	}
	var again Plan
	again.Load(did)
	again.Wear = Wear{Swipes: 6099, Since: at}
	if got := due(&again, at+86400); got != nil {
		t.Errorf("2,999 after it was done: %v", got)
	}
	again.Wear.Swipes++
	if got := due(&again, at+86400); !slices.Equal(got, []string{"care.msr"}) {
		t.Errorf("3,000 after: %v", got)
	}
	if page := again.Page(at+86400, "95516", "K7"); page[0].Key != "care.due" || !says(page, "care.call", "95516") {
		t.Errorf("%v", page)
	}
}

// TestSpot: three different slips are drawn; a wrong one is to be checked again
// within a day, and the repeat can pass.
func TestSpot(t *testing.T) {
	rows := make([]SpotRow, 10)
	for i := range rows {
		rows[i].STAN = num(i)
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		got := Draw(rows, rnd.IntN)
		if len(got) != SpotRows || got[0].STAN == got[1].STAN || got[1].STAN == got[2].STAN || got[0].STAN == got[2].STAN {
			t.Fatalf("%+v", got)
		}
	}
	if rows[0].STAN != "0" || rows[9].STAN != "9" {
		t.Error("the rows were moved")
	}
	if got := Draw(rows[:2], rnd.IntN); len(got) != 2 {
		t.Errorf("two slips: %+v", got)
	}
	for _, c := range []struct {
		answers []bool
		bad     int
		repeat  int64
	}{{[]bool{true, true, true}, 0, 0}, {[]bool{true, false, true}, 1, at + 86400}, {[]bool{false, false, false}, 3, at + 86400}} {
		s := Spot{At: at, Rows: Draw(rows, rnd.IntN)}
		for i, right := range c.answers {
			if done := s.Answer(right, at); done != (i == 2) {
				t.Errorf("answer %d ends it: %v", i, done)
			}
		}
		if s.Bad != c.bad || s.Repeat != c.repeat {
			t.Errorf("%v: %+v", c.answers, s)
		}
		want := map[bool]string{true: "spot.passed", false: "spot.again"}[c.bad == 0]
		if !says((&Spot{}).Page(s, at), want, "") {
			t.Errorf("%v: the page does not say %s", c.answers, want)
		}
	}
}

// TestSurveyAdvice: what helps follows from the best place.
func TestSurveyAdvice(t *testing.T) {
	type s struct {
		csq, ber int
		on       bool
	}
	for _, c := range []struct {
		want   string
		best   int
		places [][]s
	}{
		{"survey.nothing", 0, [][]s{{}}},
		{"survey.good", 1, [][]s{{{20, 0, true}, {22, 1, true}}}},
		{"survey.move", 2, [][]s{{{15, 0, true}}, {{19, 0, true}}}},
		{"survey.good", 2, [][]s{{{16, 0, true}}, {{19, 0, true}}}},
		{"survey.antenna", 1, [][]s{{{14, 0, true}}, {{9, 0, true}}}},
		{"survey.booster", 2, [][]s{{{3, 0, true}}, {{9, 0, true}}}},
		{"survey.noise", 1, [][]s{{{15, 5, true}, {25, 0, true}}}},
		{"survey.good", 1, [][]s{{{20, 3, true}, {20, 0, true}, {20, 0, true}, {20, 0, true}}}},
		{"survey.good", 1, [][]s{{{20, 99, true}}}}, // 99 is not known, and no error
		{"survey.carrier", 1, [][]s{{{20, 0, false}, {20, 0, false}, {20, 0, true}}}},
		{"survey.booster", 1, [][]s{{{99, 99, true}}}},
	} {
		var v Survey
		v.Begin(at)
		for i, p := range c.places {
			if i > 0 {
				v.Next()
			}
			for _, x := range p {
				v.Sample(x.csq, x.ber, x.on)
			}
		}
		if v.Advice() != c.want || v.Best() != c.best {
			t.Errorf("%v: %s at place %d, want %s at %d", c.places, v.Advice(), v.Best(), c.want, c.best)
		}
		if !text.HasLine(c.want) {
			t.Errorf("%s has no words", c.want)
		}
	}
	var v Survey
	v.Begin(at)
	for range 20 {
		v.Next()
	}
	if len(v.Places) != 9 {
		t.Errorf("%d places", len(v.Places))
	}
	v.Open = false
	v.Sample(20, 0, true)
	v.Next()
	if v.Best() != 0 || len(v.Places) != 9 {
		t.Error("it measures after its end")
	}
}

// good are the facts of a device on which nothing is wrong.
func good() Facts {
	return Facts{MSR: true, ICC: true, Keypad: true, PINPad: true, Printer: true, Modem: true, MSRBad: 1, MSROf: 20, Paper: true, Master: true, Working: true, ClockKnown: true,
		FreeMB: 100, BackupHours: 5, CertDays: 200, CSQ: 20, Registered: true, Echo: 150, Rules: 3, VersionDays: 10, ParamDays: 10, Recovery: true}
}

// TestCheck: each item at its threshold; what is not fitted is not counted; what
// wants attention stands first.
func TestCheck(t *testing.T) {
	all := Check(good())
	if well, of := Count(all); well != 17 || of != 17 {
		t.Errorf("%d of %d", well, of)
	}
	for _, c := range []struct {
		key  string
		want State
		f    func(*Facts)
	}{
		{"check.msr", Good, func(f *Facts) { f.MSRBad, f.MSROf = 5, 9 }},
		{"check.msr", Good, func(f *Facts) { f.MSRBad, f.MSROf = 1, 10 }},
		{"check.msr", Warn, func(f *Facts) { f.MSRBad, f.MSROf = 2, 10 }},
		{"check.msr", Absent, func(f *Facts) { f.MSR = false }},
		{"check.icc", Absent, func(f *Facts) { f.ICC = false }},
		{"check.printer", Bad, func(f *Facts) { f.Paper = false }},
		{"check.printer", Absent, func(f *Facts) { f.Printer = false }},
		{"check.keys", Bad, func(f *Facts) { f.Master = false }},
		{"check.keys", Warn, func(f *Facts) { f.Working = false }},
		{"check.clock", Warn, func(f *Facts) { f.ClockKnown = false }},
		{"check.clock", Good, func(f *Facts) { f.ClockOff = -119 }},
		{"check.clock", Bad, func(f *Facts) { f.ClockOff = 120 }},
		{"check.clock", Bad, func(f *Facts) { f.ClockOff = -120 }},
		{"check.store", Bad, func(f *Facts) { f.FreeMB = 7 }},
		{"check.store", Good, func(f *Facts) { f.FreeMB = 8 }},
		{"check.store", Bad, func(f *Facts) { f.Store = "M-STO-02" }},
		{"check.backup", Good, func(f *Facts) { f.BackupHours = 48 }},
		{"check.backup", Warn, func(f *Facts) { f.BackupHours = 49 }},
		{"check.backup", Warn, func(f *Facts) { f.BackupHours = -1 }},
		{"check.cert", Absent, func(f *Facts) { f.CertDays = -1 }},
		{"check.cert", Bad, func(f *Facts) { f.CertDays = 0 }},
		{"check.modem", Absent, func(f *Facts) { f.Modem = false }},
		{"check.modem", Bad, func(f *Facts) { f.Registered = false }},
		{"check.modem", Bad, func(f *Facts) { f.CSQ = 99 }},
		{"check.modem", Warn, func(f *Facts) { f.CSQ = 9 }},
		{"check.modem", Good, func(f *Facts) { f.CSQ = 10 }},
		{"check.echo", Bad, func(f *Facts) { f.Echo = -1 }},
		{"check.echo", Warn, func(f *Facts) { f.Echo = -2 }},
		{"check.rules", Warn, func(f *Facts) { f.RulesBad = true }},
		{"check.version", Good, func(f *Facts) { f.VersionDays, f.ParamDays = VersionAge, ParamAge }},
		{"check.version", Warn, func(f *Facts) { f.VersionDays = VersionAge + 1 }},
		{"check.version", Warn, func(f *Facts) { f.ParamDays = ParamAge + 1 }},
		{"check.tamper", Bad, func(f *Facts) { f.Tampered = true }},
		{"check.recovery", Warn, func(f *Facts) { f.Recovery = false }},
		{"check.log", Warn, func(f *Facts) { f.LogDropped = 1 }},
	} {
		f := good()
		c.f(&f)
		list := Check(f)
		i := slices.IndexFunc(list, func(x Checked) bool { return x.Key == c.key })
		if list[i].State != c.want {
			t.Errorf("%s: %+v, want state %d", c.key, list[i], c.want)
		}
		if !text.HasLine(c.key) {
			t.Errorf("%s has no words", c.key)
		}
		well, of := Count(list)
		wantOf, wantWell := 17, 17
		switch c.want {
		case Absent:
			wantOf, wantWell = 16, 16
		case Bad:
			wantWell = 16
		}
		if well != wantWell || of != wantOf {
			t.Errorf("%s at %d: %d of %d", c.key, c.want, well, of)
		}
		if page := CheckPage(list, at, false); c.want == Bad && page[1].A[0] != "@"+c.key {
			t.Errorf("%s is bad and stands behind %v", c.key, page[1])
		}
	}
}

// TestDrill: four steps, each done or not, and how long it took.
func TestDrill(t *testing.T) {
	for c, key := range Cases {
		var d Drill
		if d.Answer(true, at) {
			t.Fatal("a drill that was not begun ends")
		}
		d.Begin(c, at, 4)
		for i := range DrillSteps {
			if !says(d.Page(nil, nil), "drill.now", key+"."+num(i+1)) {
				t.Errorf("%s step %d is not on the page", key, i+1)
			}
			if done := d.Answer(i != 1, at+int64(10*i)); done != (i == DrillSteps-1) {
				t.Errorf("%s step %d: done %v", key, i+1, done)
			}
		}
		if d.Open || d.Fails != 1 || d.Took != 30 || d.By != 4 || d.Case != c {
			t.Errorf("%+v", d)
		}
		if !says((Drill{}).Page([]Drill{d}, nil), "drill.last", "30") {
			t.Error("the last drill is not on the page")
		}
	}
	var d Drill
	d.Begin(0, at, 1)
	for range DrillSteps {
		d.Answer(true, at-3600) // the clock went back
	}
	if d.Took != 0 {
		t.Errorf("it took %d s", d.Took)
	}
}

// TestMarks: a lesson that did not come to its end has no mark; slips cost what
// they cost, and no mark is below nothing.
func TestMarks(t *testing.T) {
	for _, c := range []struct {
		m    Marks
		want int
	}{
		{Marks{}, 0}, {Marks{Done: true}, 100}, {Marks{Misuse: 9, Undos: 9}, 0}, {Marks{Misuse: 1, Undos: 2, Done: true}, 80},
		{Marks{Misuse: 1, Undos: 3, Done: true}, 75}, {Marks{Wrong: 1, Done: true}, 70}, {Marks{Wrong: 4, Done: true}, 0},
	} {
		if got := c.m.Points(); got != c.want {
			t.Errorf("%+v: %d, want %d", c.m, got, c.want)
		}
	}
	if !says(NewRecords().TrainPage(1, at), "train.safe", "") || LessonKey(-1) != "lesson.sale" || LessonKey(99) != "lesson.interface" {
		t.Error("the page of lessons")
	}
}

// TestLimits: what the bank's limits cost, added up by hand.
func TestLimits(t *testing.T) {
	var l Limits
	add := func(wall int64, rc string, fen int64) {
		o := throttle.Declined
		if rc == "00" {
			o = throttle.Approved
		}
		l.Add(throttle.Event{Wall: wall, What: throttle.Sale, Outcome: o, RC: throttle.RC{rc[0], rc[1]}, Amount: fen})
	}
	add(at, "61", 100_000)
	add(at+300, "00", 100_000) // paid another way, at the last second
	add(at+1000, "61", 50_000)
	add(at+1301, "00", 50_000) // too late to be the same
	add(at+2000, "65", 7_000)
	add(at+2010, "51", 9_000) // no limit
	add(at-31*86400, "62", 999)
	got := l.Report(at + 3000)
	want := []LimitSum{{RC: "61", N: 2, Sum: 150_000, Won: 1, Lost: 50_000, First: at, Last: at + 1000}, {RC: "65", N: 1, Sum: 7_000, Lost: 7_000, First: at + 2000, Last: at + 2000}}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if page := l.Page("12345678", at); !says(page, "limits.no", "L261124-12345678") || !says(page, "limits.lost", "500.00") {
		t.Errorf("%v", page)
	}
	if page := (&Limits{}).Page("1", at); len(page) != 1 || page[0].Key != "limits.none" {
		t.Errorf("%v", page)
	}
}

// TestAssets: what ends within thirty days is soon due, what has ended is over.
func TestAssets(t *testing.T) {
	today := dayOf(at)
	page := AssetPage([]Asset{{"as.seal", "A", 0}, {"as.cert", "B", today + 31}, {"as.cert", "C", today + 30}, {"as.contract", "D", today}, {"as.contract", "E", today - 1}}, at)
	var keys []string
	for _, l := range page {
		keys = append(keys, l.Key)
	}
	if !slices.Equal(keys, []string{"asset.head", "asset.row", "asset.row", "asset.soon", "asset.soon", "asset.over"}) || page[0].A[1] != "3" {
		t.Errorf("%v", page)
	}
}
