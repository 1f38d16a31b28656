package terminal

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"swipewell/firmware/care"
	"swipewell/firmware/diagnose"
	"swipewell/firmware/journal"
	"swipewell/firmware/journal/shelf"
	"swipewell/firmware/pos"
	"swipewell/firmware/store"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// Care is what the pages beside selling are told of this device.
type Care struct {
	Phone, Contract string // of the service
	Assets          []care.Asset
	Built           time.Time                         // of the program; zero unknown
	CertDays        func() int                        // until a certificate ends; nil or below 0: none is used
	BackupHours     func() int                        // age of the last good copy; below 0: there is none
	Update          func() (Update, bool)             // rules that wait to be activated
	Activate        func(by int) error                // puts them in force
	Train           func(Lesson)                      // ends this life, and begins training
	Stick           *Stick                            // where a USB stick may be; nil: nowhere
	Notice          func() (prompt.Code, prompt.Args) // said on the idle screen; nil or "": nothing
	Load            func() int                        // per cent of processor or memory in use; nil or below 0: not known
}

// Update is a rule set that waits.
type Update struct {
	Version, Changes int
	Lines            []string // what changes, in the words of the rule files
	More, Less       int      // what it would have stopped in thirty days beside what was
}

// carer is what those pages keep: a copy in memory of the store's rows, and what
// the history says.
type carer struct {
	usual     care.Usual
	records   *care.Records
	limits    care.Limits
	grace     care.Grace
	stages    care.Stages
	bus       care.Bus
	desk      care.Desk
	plan      care.Plan
	chain     care.Chain
	broken    error                   // of the chain as it was read
	anchored  map[string]shelf.Anchor // checkpoints of the journal that are in the store
	spot      care.Spot
	lastSpot  care.Spot
	survey    care.Survey
	before    care.Survey
	drill     care.Drill
	drills    []care.Drill
	checked   []care.Checked
	checkedAt int64
	checking  bool
	logOut    logOut
	asked     time.Duration // boottime at which the echo was asked for
	nightly   int32         // day of the last check that the night made
	hits      []hit         // what the rules decided lately
	rows      []store.Row   // go with the next flush
	learned   int           // days that the rules know of
	wear      care.Wear     // as the store has it
	planned   int32         // day for which a peak was announced
	hintAt    time.Duration
	hintNow   txn.Cause
	tickets   int64 // when fates were looked up last
	stopTick  func() bool
	told      txn.Cause // said on the ready screen until a key is pressed
}

// hit is one decision for the page of rules.
type hit struct {
	wall   int64
	rule   throttle.ID
	action throttle.Action
	amount int64
	text   prompt.Code
}

func (t *Terminal) wall() int64 { return t.clock.Now().Wall.Unix() }

// loadCare reads the rows of the pages. A row that cannot be read is left out: no
// money depends on it.
func (t *Terminal) loadCare() error {
	c := &t.care
	c.records = care.NewRecords()
	var alerts []care.Alert
	var tickets []care.Ticket
	var seals []care.Seal
	var done []care.Done
	var contests []care.Contest
	err := t.o.Store.Rows(store.Care, nil, func(k, v []byte) error {
		kind, _, _ := strings.Cut(string(k), "/")
		switch kind {
		case "alert":
			load(&alerts, v)
		case "ticket":
			load(&tickets, v)
		case "seal":
			load(&seals, v)
		case "done":
			load(&done, v)
		case "contest":
			load(&contests, v)
		case "drill":
			load(&c.drills, v)
		case "spot":
			_ = json.Unmarshal(v, &c.lastSpot)
		case "survey":
			_ = json.Unmarshal(v, &c.before)
		case "wear":
			_ = json.Unmarshal(v, &c.plan.Wear)
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.bus.Load(alerts)
	c.desk.Load(tickets)
	c.plan.Load(done)
	c.records.Load(contests)
	if t.board.Keys != nil {
		c.broken = c.chain.Load(seals, t.mac)
	}
	c.wear = c.plan.Wear
	return nil
}

func load[T any](list *[]T, v []byte) {
	var x T
	if json.Unmarshal(v, &x) == nil {
		*list = append(*list, x)
	}
}

// careRow is one row of the pages; nil removes it.
func careRow(key string, v any) store.Row {
	r := store.Row{Room: store.Care, Key: []byte(key)}
	if v != nil {
		r.Value, _ = json.Marshal(v)
	}
	return r
}

func alertKey(n int) string  { return fmt.Sprintf("alert/%06d", n) }
func ticketKey(n int) string { return fmt.Sprintf("ticket/%06d", n) }
func sealKey(n int) string   { return fmt.Sprintf("seal/%08d", n) }

// keepCare writes rows of the pages, those of one moment together. What a
// person did there is written before the screen shows it ([Terminal.saved]).
func (t *Terminal) keepCare(rows ...store.Row) {
	t.care.rows = append(t.care.rows, rows...)
	t.flushIn(200 * time.Millisecond)
}

// saved writes at once what a person has done on a page, before the screen says so.
func (t *Terminal) saved() {
	if len(t.care.rows) > 0 {
		t.flushSoft()
	}
}

// learn takes what happened into what is usual here, and into the records.
func (t *Terminal) learn(e throttle.Event) {
	c := &t.care
	if c.records == nil {
		return
	}
	c.usual.Add(e)
	c.records.Add(e)
	c.limits.Add(e)
	c.grace.Add(e)
	if d := c.usual.Days(); d != c.learned {
		c.learned = d
		t.guard.book.Learn(c.usual.Learned())
	}
	if e.What == throttle.Refund && e.Outcome == throttle.Approved {
		t.seal("seal.refund", fen(e.Amount), e.Op)
	}
}

func fen(n int64) string { return fmt.Sprintf("%d.%02d", n/100, n%100) }

// usual is how many customers come in such an hour; 0 not learned yet.
func (t *Terminal) usual(m throttle.Moment) float64 {
	if m.Hour() < 0 {
		return 0
	}
	return t.care.usual.PerHour(m.Hour())
}

// seal adds an entry to the chain of what must be provable.
func (t *Terminal) seal(what, text string, by uint8) {
	if t.board.Keys == nil || t.o.Train {
		return
	}
	s, drop, err := t.care.chain.Add(what, text, by, t.wall(), t.mac)
	if err != nil {
		t.o.Log.Warn("seal", "err", err)
		return
	}
	rows := []store.Row{careRow(sealKey(s.N), s)}
	if drop != 0 {
		rows = append(rows, careRow(sealKey(drop), nil))
	}
	t.keepCare(rows...)
	t.o.Journal.Record(journal.Event{Code: prompt.LogSeal, Source: "care", Fields: []journal.Field{journal.Count("n", s.N), journal.Word("what", strings.TrimPrefix(what, "seal.")), journal.Word("mac", s.Mac[:16])}})
}

// raise tells the bus.
func (t *Terminal) raise(kind, key string, to care.Route, grave int, facts ...string) {
	if t.o.Train {
		return
	}
	a, fresh, drop := t.care.bus.Raise(kind, key, to, grave, t.wall(), facts...)
	rows := []store.Row{careRow(alertKey(a.N), a)}
	if drop != 0 {
		rows = append(rows, careRow(alertKey(drop), nil))
	}
	if a.Count&(a.Count-1) == 0 { // not each time: flash wears
		t.keepCare(rows...)
	}
	if fresh {
		t.logAlert(a, "raised")
		t.noteSoft(throttle.Event{At: t.state.Moment(t.now().Logical).At, Wall: t.wall(), What: throttle.Alert, N: uint16(a.N)})
	}
}

func (t *Terminal) logAlert(a care.Alert, what string) {
	lvl := slog.LevelInfo
	if a.Grave > 1 {
		lvl = slog.LevelWarn
	}
	t.o.Journal.Record(journal.Event{Code: prompt.LogAlert, Level: lvl, Source: "care", Fields: []journal.Field{journal.Word("alert", a.No()), journal.Word("what", what),
		journal.Word("kind", a.Key), journal.Word("route", string(a.Route)), journal.Count("grave", a.Grave), journal.Count("count", a.Count)}})
}

// ruleAlerts are the rules that somebody else must hear of within a minute.
var ruleAlerts = map[int]care.Route{14: care.Acquirer, 15: care.Acquirer, 19: care.Acquirer, 21: care.Merchant}

// careDecided keeps what the rules decided for the page, and tells who must know.
func (t *Terminal) careDecided(x txn.Decided) {
	c, d := &t.care, x.Decision
	h := hit{wall: t.wall(), rule: d.Rule, action: d.Action, text: d.Text, amount: t.state.Keyed}
	if c.hits = append(c.hits, h); len(c.hits) > 50 {
		c.hits = c.hits[1:]
	}
	for _, r := range d.Hits[:d.HitCount] {
		to, ok := ruleAlerts[r.ID.Num()]
		switch {
		case !ok || r.Action < throttle.Supervise:
		case r.ID.Num() == 21:
			t.raise("overrides", "rule.R21", to, 2, fmt.Sprintf("%02d", t.state.Durable.Operator), fmt.Sprint(r.Count))
		default:
			t.raise("rule", fmt.Sprintf("rule.R%02d", r.ID.Num()), to, 3, r.ID.String()[:1]+"-"+r.ID.String()[1:3], fmt.Sprint(r.Count))
		}
	}
}

// careLog follows what the brain writes down.
func (t *Terminal) careLog(x txn.Log) {
	switch x.Code {
	case prompt.LogApproval:
		if x.Why == "" {
			t.seal("seal.approve", x.Text+" "+x.Amount.String(), uint8(min(x.N, 255)))
		}
	case prompt.LogClosed:
		t.seal("seal.close", x.ID.STAN.String()+" "+x.Amount.String(), 0)
	case prompt.LogSigned:
		t.seal("seal.accept", x.Text, 0)
	}
}

// careFault: the case was opened.
func (t *Terminal) careFault(code prompt.Code) {
	if code == prompt.TamperOpen {
		t.raise("tamper", "tamper", care.Security, 3)
	}
}

// careCause: the diagnosis is sure of the device, or of what is around it.
func (t *Terminal) careCause(r diagnose.Ranking) {
	top := r.Top[0]
	if !r.Sure || top.Row.Cause != diagnose.SYS && top.Row.Cause != diagnose.EXT {
		return
	}
	t.raise("fault", "fault."+string(top.Row.Code), care.Maintenance, 2, "@cause."+top.Row.Name(), fmt.Sprint(int(top.P*100+.5)))
}

// worn counts what wears out; it is kept every now and then.
func (t *Terminal) worn(f func(*care.Wear)) {
	w := &t.care.plan.Wear
	if w.Since == 0 {
		w.Since = t.wall()
	}
	f(w)
	if w.Swipes-t.care.wear.Swipes >= 20 || w.Inserts-t.care.wear.Inserts >= 20 || w.Slips-t.care.wear.Slips >= 20 || w.Keys-t.care.wear.Keys >= 500 || w.Starts != t.care.wear.Starts {
		t.care.wear = *w
		t.care.rows = append(t.care.rows, careRow("wear", *w))
		t.flushIn(softFor)
	}
}

// careMinute is what happens each minute beside selling.
func (t *Terminal) careMinute() {
	c := &t.care
	if c.records == nil || t.o.Train {
		return
	}
	wall := t.wall()
	if t.o.Care.Load != nil {
		if n := t.o.Care.Load(); n >= 0 {
			t.see(diagnose.Obs{Kind: diagnose.Load, N: int32(n)})
		}
	}
	for _, o := range c.usual.Odds(wall) {
		t.raise("odd", "odd."+o.Metric.Key(), care.Merchant, 1, "@"+o.Metric.Key(), fmt.Sprint(o.N), fmt.Sprintf("%.1f", o.Mean))
	}
	for _, a := range c.bus.Due(wall) {
		t.keepCare(careRow(alertKey(a.N), a))
		t.logAlert(a, "escalated")
	}
	t.fates(wall)
	t.forecast(wall)
	unresolved := 0
	for _, r := range t.box.All() {
		if r.State == pos.RecordUnresolved || r.State == pos.RecordRefused {
			unresolved++
		}
	}
	if t.o.RulesBad && !c.bus.Stands("rules.refused", wall) { // what the shop believes to be in force is not
		t.raise("refused", "rules.refused", care.Merchant, 2)
	}
	if unresolved > 0 && !c.bus.Stands("unresolved", wall) {
		t.raise("unresolved", "unresolved", care.Acquirer, 2, itoa(unresolved))
	}
	local := time.Unix(wall, 0).In(zoneCST)
	if day := int32(wall / 86400); local.Hour() == 2 && c.nightly != day && t.state.Phase == txn.Ready && t.state.Work == txn.WorkNone {
		c.nightly = day
		t.check(true)
		t.health()
	}
	t.handle(txn.Event{Kind: txn.Tick})
}

// health writes down what wears out, so that a field engineer sees a trend.
func (t *Terminal) health() {
	w := t.care.plan.Wear
	t.o.Journal.Record(journal.Event{Code: prompt.LogHealth, Source: "care", Fields: []journal.Field{journal.Count("swipes", w.Swipes), journal.Count("inserts", w.Inserts),
		journal.Count("slips", w.Slips), journal.Count("keys", w.Keys), journal.Count("starts", w.Starts)}})
	var f []journal.Field
	for i := range care.StageCount {
		if p50, p95, n := t.care.stages.Of(i); n > 0 {
			name := strings.TrimPrefix(i.Key(), "stage.")
			f = append(f, journal.Duration(name+"_p50", p50), journal.Duration(name+"_p95", p95))
		}
	}
	if len(f) > 0 {
		t.o.Journal.Record(journal.Event{Code: prompt.LogStages, Source: "care", Fields: f})
	}
}

// zoneCST is the acquirer's zone.
var zoneCST = pos.CST

// forecast announces a peak once a day, half an hour before, and afterwards says
// what came of it.
func (t *Terminal) forecast(wall int64) {
	c := &t.care
	day := int32((wall + 8*3600) / 86400)
	h, mean, ok := c.usual.Peak(wall)
	if !ok || c.planned == day || int64(h*3600)-(wall+8*3600)%86400 > 1800 {
		return
	}
	c.planned = day
	t.o.Journal.Record(journal.Event{Code: prompt.LogPeak, Source: "care", Fields: []journal.Field{journal.Count("hour", h), journal.Count("expected", int(mean+.5))}})
	if t.state.Phase == txn.Ready && t.state.Work == txn.WorkNone { // the way is opened and the host's word is fresh before the rush
		t.handle(txn.Event{Kind: txn.PageEcho})
	}
}

// hint is what the ready screen says beside it: the gravest thing first.
func (t *Terminal) hint() txn.Cause {
	c := &t.care
	now := t.clock.Now().Boot
	switch {
	case c.records == nil:
		return txn.Cause{}
	case t.o.Train:
		return t.lessonHint()
	case c.told.Code != "":
		return c.told
	}
	if c.hintAt != 0 && now-c.hintAt < 20*time.Second {
		return c.hintNow
	}
	c.hintAt, c.hintNow = max(now, 1), t.hintOf()
	return c.hintNow
}

func (t *Terminal) hintOf() txn.Cause {
	c, wall := &t.care, t.wall()
	if x, ok := c.desk.News(); ok {
		return txn.Cause{Code: prompt.HintTicket, Args: prompt.Args{Field: x.No()}}
	}
	if t.o.Care.Update != nil {
		if u, ok := t.o.Care.Update(); ok {
			return txn.Cause{Code: prompt.HintRules, Args: prompt.Args{N: u.Version, Field: fmt.Sprint(u.Changes)}}
		}
	}
	grave := 0
	for _, a := range c.bus.All() {
		if a.Open() && a.Grave >= 2 {
			grave++
		}
	}
	switch {
	case grave > 0:
		return txn.Cause{Code: prompt.HintAlert, Args: prompt.Args{N: grave}}
	case t.o.Profile.Duty.Settle > 0 && t.settleSoon():
		return txn.Cause{Code: prompt.HintSettle, Args: prompt.Args{Field: t.state.Durable.Batch.String()}}
	}
	if h, _, ok := c.usual.Peak(wall); ok && int64(h*3600)-(wall+8*3600)%86400 <= 1800 {
		return txn.Cause{Code: prompt.HintPeak, Args: prompt.Args{Field: fmt.Sprintf("%d:00-%d:00", h, h+1)}}
	}
	for _, d := range c.plan.Due(wall) {
		if d.Now {
			return txn.Cause{Code: prompt.HintCare, Args: prompt.Args{Field: t.word(d.Key)}}
		}
	}
	if n := t.versionDays(); n > care.VersionAge {
		return txn.Cause{Code: prompt.HintOld, Args: prompt.Args{N: n}}
	}
	if r := c.lastSpot.Repeat; r != 0 && wall >= r {
		return txn.Cause{Code: prompt.HintSpot}
	}
	return txn.Cause{}
}

// settleSoon: the batch will be too old within six hours.
func (t *Terminal) settleSoon() bool {
	d := t.state.Durable
	return d.Opened != 0 && d.Sales > 0 && t.state.Moment(t.now().Logical).At-d.Opened > t.o.Profile.Duty.Settle-6*time.Hour
}

func (t *Terminal) versionDays() int {
	if t.o.Care.Built.IsZero() {
		return -1
	}
	return int(t.clock.Now().Wall.Sub(t.o.Care.Built) / (24 * time.Hour))
}

// sampled takes a measurement into a survey that is under way.
func (t *Terminal) sampled(s hal.Signal) {
	t.care.survey.Sample(s.CSQ, s.BER, s.Registered)
}
