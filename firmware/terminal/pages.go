package terminal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"swipewell/firmware/care"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/store"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
	"swipewell/ui/receipt"
	"swipewell/ui/text"
)

// page is what stands on the page that is open.
func (t *Terminal) page(s txn.State) string {
	return t.words(string(s.Durable.Lang), t.pageLines(string(s.Durable.Lang), s.Page))
}

// word is a text of the table in the language of the device.
func (t *Terminal) word(key string, a ...string) string {
	return text.Line(string(t.state.Durable.Lang), key, a...)
}

func (t *Terminal) words(lang string, lines []care.Line) string {
	var b strings.Builder
	for i, l := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		if l.Key == "" {
			b.WriteString(l.A[0])
			continue
		}
		b.WriteString(text.Line(lang, l.Key, l.A...))
	}
	return b.String()
}

func (t *Terminal) pageLines(lang string, p txn.Page) []care.Line {
	c, wall := &t.care, t.wall()
	if c.records == nil {
		return nil
	}
	switch p {
	case txn.PageWhy:
		return t.whyLines(lang)
	case txn.PageCheck:
		return care.CheckPage(c.checked, c.checkedAt, c.checking)
	case txn.PageTicket:
		return c.desk.Page(wall)
	case txn.PageWatch:
		return c.bus.WatchPage(&c.usual, wall)
	case txn.PagePeak:
		return c.usual.PeakPage(wall, max(int(t.senses.trip/1000)+8, 8))
	case txn.PageStaff:
		return c.records.StaffPage(t.state.Durable.Operator, wall)
	case txn.PageLimits:
		return c.limits.Page(string(t.o.Host.TID), wall)
	case txn.PageSpot:
		return c.spot.Page(c.lastSpot, wall)
	case txn.PageCare:
		return c.plan.Page(wall, t.o.Care.Phone, t.o.Care.Contract)
	case txn.PageAssets:
		return care.AssetPage(t.assets(lang), wall)
	case txn.PageSurvey:
		left := care.SurveyTime - int(wall-c.survey.At)
		return c.survey.Page(c.before, max(left, 0))
	case txn.PageRunbook:
		return c.drill.Page(c.drills, t.linkLines())
	case txn.PageTrain:
		return c.records.TrainPage(t.state.Durable.Operator, wall)
	case txn.PageRules:
		return t.rulesLines(lang)
	case txn.PageSeal:
		return c.chain.Page(t.mac)
	case txn.PageKeys:
		return t.keyLines()
	case txn.PageManual:
		return manual(lang)
	case txn.PageLog:
		return t.logLines()
	}
	return nil
}

// pageKey is a key for the page that is open.
func (t *Terminal) pageKey(x txn.PageKey) {
	c, wall, op := &t.care, t.wall(), t.state.Durable.Operator
	d, digit := 0, len(x.Key) == 1 && x.Key[0] >= '0' && x.Key[0] <= '9'
	if digit {
		d = int(x.Key[0] - '0')
	}
	switch x.Page {
	case txn.PageCheck:
		if x.Key == "enter" && !c.checking {
			t.check(true)
		}
	case txn.PageTicket:
		switch {
		case x.Key == "":
			t.fates(0)
		case digit && d >= 1 && d <= 3:
			t.openTicket(d)
		case digit && d == 0:
			if k, ok := c.desk.Close(wall); ok {
				t.keepCare(careRow(ticketKey(k.N), k))
				t.logTicket(k, "closed")
			}
		case x.Key == "enter":
			if k, ok := c.desk.News(); ok {
				t.tell(k)
			}
		}
	case txn.PageWatch:
		if x.Key == "enter" {
			if a, ok := c.bus.Ack(wall, op); ok {
				t.keepCare(careRow(alertKey(a.N), a))
				t.logAlert(a, "acknowledged")
				c.hintAt = 0
			}
		}
	case txn.PageStaff:
		if digit && d == 9 && op != 0 {
			if k, ok := c.records.Contest(op, wall); ok {
				t.keepCare(careRow(fmt.Sprintf("contest/%02d", op), k))
				t.seal("seal.contest", fmt.Sprintf("%02d %d", op, k.Week), op)
				t.o.Journal.Record(journal.Event{Code: prompt.LogScore, Source: "care", Fields: []journal.Field{journal.Count("operator", int(op)), journal.Count("score", k.Week), journal.Word("what", "contested")}})
			}
		}
	case txn.PageLimits:
		if x.Key == "enter" {
			lines := t.pageLines(t.state.Durable.Lang, txn.PageLimits)
			if n := len(lines) - 1; lines[n].Key == "limits.print" { // what the key does is for the screen
				lines = lines[:n]
			}
			t.printPage(prompt.PageLimits, lines)
			t.o.Journal.Record(journal.Event{Code: prompt.LogLimits, Source: "care", Fields: []journal.Field{journal.Word("no", care.LimitsNo(string(t.o.Host.TID), wall)), journal.Count("codes", len(c.limits.Report(wall)))}})
		}
	case txn.PageSpot:
		t.spotKey(x.Key, d)
	case txn.PageCare:
		switch x.Key {
		case "enter":
			if slices.ContainsFunc(c.plan.Due(wall), func(d care.Due) bool { return d.Now }) {
				t.handle(txn.Event{Kind: txn.PageAsks, OK: true})
			}
		case "named":
			for _, k := range c.plan.Do(wall, uint8(x.Who)) {
				t.keepCare(careRow("done/"+k.Key, k))
				t.seal("seal.care", k.Key, k.By)
				t.o.Journal.Record(journal.Event{Code: prompt.LogCare, Source: "care", Fields: []journal.Field{journal.Word("what", k.Key), journal.Count("by", x.Who), journal.Count("count", k.Count)}})
			}
			c.hintAt = 0
		}
	case txn.PageSurvey:
		t.surveyKey(x.Key, d)
	case txn.PageRunbook:
		t.drillKey(x.Key, d)
	case txn.PageTrain:
		switch {
		case t.o.Care.Train == nil || !digit:
		case t.o.Train && d == 0:
			t.o.Care.Train(Lesson{Ended: true, Lang: t.state.Durable.Lang})
		case !t.o.Train && d >= 1 && d <= care.Lessons && t.state.Work == txn.WorkNone:
			t.o.Care.Train(Lesson{N: d - 1, Op: op, Lang: t.state.Durable.Lang})
		}
	case txn.PageLog:
		t.logKey(x, digit, d)
	case txn.PageRules:
		switch x.Key {
		case "enter":
			if t.o.Care.Update != nil {
				if _, ok := t.o.Care.Update(); ok {
					t.handle(txn.Event{Kind: txn.PageAsks})
				}
			}
		case "named":
			if t.o.Care.Activate != nil {
				t.activate(x.Who)
			}
		}
	}
	t.saved()
	t.draw()
}

// activate puts a waiting rule set in force, on a supervisor's word.
func (t *Terminal) activate(by int) error {
	err := t.o.Care.Activate(by)
	t.care.hintAt = 0
	if err != nil {
		t.o.Log.Warn("rules", "err", err)
		return err
	}
	t.seal("seal.rules", fmt.Sprintf("%s v%d", t.guard.rules.Name, t.guard.rules.Version), uint8(min(by, 255)))
	return nil
}

// printPage is a page as paper.
func (t *Terminal) printPage(title prompt.Code, lines []care.Line) {
	lang := string(t.state.Durable.Lang)
	m := text.Get(lang, title)
	t.paper(pos.RecordID{}, receipt.Page(receipt.PageData{Lang: lang, Merchant: t.o.Merchant, Bench: t.board.Bench != nil, Train: t.o.Train, Title: m.Title, Time: wallText(t.now()),
		Lines: strings.Split(t.words(lang, lines), "\n")}), nil)
}

func (t *Terminal) spotKey(k txn.Key, d int) {
	c, wall := &t.care, t.wall()
	switch {
	case k == "cancel":
		c.spot = care.Spot{}
	case k == "enter" && (len(c.spot.Rows) == 0 || c.spot.Rows[len(c.spot.Rows)-1].State != 0):
		var rows []care.SpotRow
		err := t.o.Store.Sales(store.BatchID{Context: t.o.Profile.Context, Batch: t.state.Durable.Batch}, func(s pos.Sale) error {
			rows = append(rows, care.SpotRow{STAN: s.STAN.String(), Amount: s.Amount.Minor, Card: s.Masked.Tail(), At: s.At.Wall / 1000})
			return nil
		})
		if err != nil {
			t.o.Log.Warn("spot check", "err", err)
			return
		}
		if len(rows) > 50 {
			rows = rows[len(rows)-50:]
		}
		c.spot = care.Spot{At: wall, By: t.state.Durable.Operator, Rows: care.Draw(rows, func(n int) int { return int(t.o.Rand() % uint32(n)) })}
	case (d == 1 || d == 2) && len(c.spot.Rows) > 0 && c.spot.Rows[len(c.spot.Rows)-1].State == 0:
		if c.spot.Answer(d == 1, wall) {
			c.lastSpot = c.spot
			c.hintAt = 0
			t.keepCare(careRow("spot", c.spot))
			t.seal("seal.spot", fmt.Sprintf("%d/%d", len(c.spot.Rows)-c.spot.Bad, len(c.spot.Rows)), c.spot.By)
			t.o.Journal.Record(journal.Event{Code: prompt.LogSpot, Source: "care", Fields: []journal.Field{journal.Count("checked", len(c.spot.Rows)), journal.Count("bad", c.spot.Bad)}})
		}
	}
}

// surveyKey begins and ends a walk, and goes to another place.
func (t *Terminal) surveyKey(k txn.Key, d int) {
	c := &t.care
	switch {
	case k == "cancel", k == "enter" && c.survey.Open:
		t.surveyEnd()
	case k == "enter":
		c.survey.Begin(t.wall())
		t.surveyTick()
	case d == 1 && k == "1":
		c.survey.Next()
	}
}

// surveyTick samples the signal each second.
func (t *Terminal) surveyTick() {
	c := &t.care
	if !c.survey.Open {
		return
	}
	for _, l := range t.board.Links {
		if r, ok := l.Dialer.(hal.Measurer); ok {
			t.o.Spawn(func() {
				if s, err := r.Measure(t.ctx); err == nil {
					t.post(func() { t.sampled(s) })
				}
			})
			break
		}
		if r, ok := l.Dialer.(hal.Signaler); ok {
			t.sampled(r.Signal())
			break
		}
	}
	if t.wall()-c.survey.At >= care.SurveyTime {
		t.surveyEnd()
	}
	t.draw()
	c.stopTick = t.clock.AfterFunc(time.Second, func() { t.post(t.surveyTick) })
}

func (t *Terminal) surveyEnd() {
	c := &t.care
	if c.stopTick != nil {
		c.stopTick()
		c.stopTick = nil
	}
	if !c.survey.Open {
		return
	}
	c.survey.Open = false
	if n := c.survey.Best(); n > 0 {
		t.keepCare(careRow("survey", c.survey))
		t.o.Journal.Record(journal.Event{Code: prompt.LogSurvey, Source: "care", Fields: []journal.Field{journal.Count("places", len(c.survey.Places)), journal.Count("best", n),
			journal.Count("csq", c.survey.Places[n-1].Mean()), journal.Word("advice", strings.TrimPrefix(c.survey.Advice(), "survey."))}})
	}
}

func (t *Terminal) drillKey(k txn.Key, d int) {
	c, wall := &t.care, t.wall()
	switch {
	case k == "cancel":
		c.drill = care.Drill{}
	case c.drill.Open && (k == "1" || k == "2"):
		if !c.drill.Answer(d == 1, wall) {
			return
		}
		c.drills = slices.DeleteFunc(c.drills, func(x care.Drill) bool { return x.Case == c.drill.Case })
		c.drills = append(c.drills, c.drill)
		name := strings.TrimPrefix(care.Cases[c.drill.Case], "run.")
		t.keepCare(careRow("drill/"+name, c.drill))
		t.seal("seal.drill", fmt.Sprintf("%s %ds", name, c.drill.Took), c.drill.By)
		t.o.Journal.Record(journal.Event{Code: prompt.LogContingency, Source: "care", Fields: []journal.Field{journal.Word("case", name), journal.Count("seconds", int(c.drill.Took)), journal.Count("fails", c.drill.Fails)}})
		t.noteSoft(throttle.Event{At: t.state.Moment(t.now().Logical).At, Wall: wall, What: throttle.Drill, Op: c.drill.By, N: uint16(c.drill.Fails)})
	case !c.drill.Open && d >= 1 && d <= len(care.Cases) && len(k) == 1:
		c.drill.Begin(d-1, wall, t.state.Durable.Operator)
	}
}

// linkLines say how the ways to the host stand.
func (t *Terminal) linkLines() (lines []care.Line) {
	for i, l := range t.board.Links {
		key := "run.idle"
		if o, ok := t.senses.win.LastDial(uint8(i)); ok {
			key = "run.up"
			if o.Code != 0 {
				key = "run.down"
			}
		}
		lines = append(lines, care.Line{Key: key, A: []string{l.Name}})
	}
	return lines
}

// assets are what the board file says, and what the device knows of itself.
func (t *Terminal) assets(lang string) (list []care.Asset) {
	list = append(list, care.Asset{Key: "as.device", Value: t.board.Name}, care.Asset{Key: "as.version", Value: t.o.Version},
		care.Asset{Key: "as.terminal", Value: string(t.o.Host.TID)}, care.Asset{Key: "as.merchant", Value: string(t.o.Host.MID)})
	open := "as.whole"
	if t.state.Code == prompt.TamperOpen {
		open = "as.open"
	}
	keys := "as.missing"
	if t.board.Keys != nil {
		if _, err := t.mac([]byte("v1|asset")); err == nil {
			keys = "as.there"
		}
	}
	list = append(list, care.Asset{Key: "as.case", Value: text.Line(lang, open)}, care.Asset{Key: "as.keys", Value: text.Line(lang, keys)})
	list = append(list, t.o.Care.Assets...)
	for _, r := range t.board.Report {
		list = append(list, care.Asset{Key: "as.part", Value: r.Device + " " + r.State.String()})
	}
	return list
}

// manual lists every help page of the device, the titles first.
func manual(lang string) (lines []care.Line) {
	seen := map[string]bool{}
	for _, e := range prompt.All() {
		if seen[e.Help] || e.Help == "help/log" {
			continue
		}
		seen[e.Help] = true
		for l := range strings.SplitSeq(text.Help(lang, e.Help), "\n") {
			lines = append(lines, care.Line{A: []string{l}})
		}
		lines = append(lines, care.Line{A: []string{"-"}})
	}
	return lines
}
