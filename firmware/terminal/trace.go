package terminal

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/diagnose"
	"swipewell/firmware/hostlink"
	"swipewell/firmware/iso8583"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/tape"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

// trace follows one transaction for the journal: what the cashier saw, how long each
// phase took, which rules spoke. What happens before there is a trace number waits
// here for the intent, and goes with it as one entry.
type trace struct {
	began  time.Duration // boottime at which the form was begun
	since  time.Duration // boottime at which the phase was entered
	phases []phaseTime
	seen   []journal.Screen
	rules  []string
	last   journal.Screen // on the screen now
	tx     string         // the transaction that the screen is about, "" none yet
	id     pos.RecordID
	taped  bool // the tape of the outcome is in the journal
}

type phaseTime struct {
	phase txn.Phase
	took  time.Duration
}

// mostSeen and mostRules bound what waits for an intent.
const mostSeen, mostRules = 24, 8

// traceStep looks at what a step has done.
func (t *Terminal) traceStep(before txn.State, e txn.Event) {
	tr, now, next := &t.trace, t.clock.Now().Boot, &t.state
	if next.Form != before.Form {
		*tr = trace{began: now, since: now}
	}
	if next.Phase != before.Phase {
		tr.left(before.Phase, now-tr.since)
		tr.since = now
	}
	was, is := before.Durable.Open, next.Durable.Open
	if is.Open() && is.ID != tr.id { // a payment that was open when the power failed, too
		tr.id, tr.tx = is.ID, txID(is.ID)
		if !was.Open() {
			t.traceIntent()
		}
	}
	if s := (journal.Screen{Code: next.Code, Note: next.Note}); s != tr.last {
		tr.last, s.At = s, now-tr.began
		switch {
		case tr.tx != "" && next.Phase != txn.Ready:
			t.o.Journal.Record(journal.Event{Code: prompt.LogScreen, Source: "screen", Tx: tr.tx, Fields: []journal.Field{
				journal.Code("screen", next.Code), journal.Code("note", next.Note), journal.Card("card", next.Masked)}})
		case tr.tx == "" && len(tr.seen) < mostSeen && next.Phase != txn.Ready:
			tr.seen = append(tr.seen, s)
		}
	}
	if was.Open() && !is.Open() && e.Kind != txn.Booted {
		t.traceCause(was)
	}
	if next.Phase == txn.Ready {
		tr.tx = ""
	}
}

// left adds the time of a phase that was left.
func (tr *trace) left(p txn.Phase, d time.Duration) {
	if i := slices.IndexFunc(tr.phases, func(x phaseTime) bool { return x.phase == p }); i >= 0 {
		tr.phases[i].took += d
		return
	}
	tr.phases = append(tr.phases, phaseTime{p, d})
}

// traceIntent tells what led to it.
func (t *Terminal) traceIntent() {
	tr := &t.trace
	in := t.state.Durable.Open
	fields := []journal.Field{journal.Word("kind", string(in.Kind)), journal.Word("entry", in.Entry), journal.STAN("orig", in.Orig.STAN), journal.Screens("screens", tr.seen)}
	for _, p := range tr.phases {
		if p.took >= time.Millisecond {
			fields = append(fields, journal.Duration(p.phase.String(), p.took.Round(time.Millisecond)))
		}
	}
	fields = append(fields, journal.Word("rules", strings.Join(tr.rules, " ")))
	t.o.Journal.Record(journal.Event{Code: prompt.LogPath, Source: "txn", Tx: tr.tx, Fields: fields})
	tr.phases, tr.seen = nil, nil
}

// traceRules keeps what the rules said of this form.
func (t *Terminal) traceRules(x txn.Decided) {
	for _, h := range x.Decision.Hits[:x.Decision.HitCount] {
		if w := fmt.Sprintf("%v:%v:%d", h.ID, h.Action, h.Count); len(t.trace.rules) < mostRules && !slices.Contains(t.trace.rules, w) {
			t.trace.rules = append(t.trace.rules, w)
		}
	}
}

// traceCause tells, with a payment that did not end well, what is thought of it.
func (t *Terminal) traceCause(was txn.Intent) {
	if p, ok := prompt.Lookup(t.state.Code); !ok || p.Severity == prompt.Good {
		return
	}
	if r := t.Rank(); !r.Quiet() && r.Top[0].Row.Cause != diagnose.NONE {
		t.o.Journal.Record(journal.Event{Code: prompt.LogCause, Source: "diagnose", Tx: txID(was.ID), Fields: causeFields(r)})
	}
}

// traceSent tells of a message whose last byte has left.
func (t *Terminal) traceSent(id pos.RecordID, v iso8583.View) {
	t.o.Journal.Record(journal.Event{Code: prompt.LogSent, Source: "link", Tx: txID(id), Fields: append(journal.Message(v), journal.Count("queue", t.box.Queued()))})
}

// traceEnd tells how an exchange ended, and its stages.
func (t *Terminal) traceEnd(id pos.RecordID, r hostlink.Reply) {
	fields := journal.Message(r.View())
	if r.Kind != txn.Answered {
		fields = append(fields, journal.Word("end", string(r.Kind)), journal.Code("why", r.Code))
		if r.Broken {
			fields = append(fields, journal.Flag("broken", true))
		}
	} else if r.Answer.MAC != txn.MACValid {
		fields = append(fields, journal.Word("mac", string(r.Answer.MAC)))
	}
	fields = append(fields, journal.Word("by", r.Link), journal.Duration("dial", r.Dial.Round(time.Millisecond)), journal.Duration("send", r.Send.Round(time.Millisecond)),
		journal.Duration("wait", r.Wait.Round(time.Millisecond)))
	if s := t.senses.radio; s.Registered {
		fields = append(fields, journal.Word("csq", strconv.Itoa(s.CSQ)))
	}
	t.o.Journal.Record(journal.Event{Code: prompt.LogAnswer, Source: "link", Tx: txID(id), Fields: fields})
}

// tapeDay is how many bytes of tapes a day may bring to the journal; above it only
// those of payments that did not end well are kept.
const tapeDay = 512 << 10

// taper makes the tapes.
type taper struct {
	rec   *tape.Recorder
	day   int32
	bytes int
}

// record keeps a step for a replay, before its effects are run.
func (t *Terminal) record(before txn.State, e txn.Event, next txn.State, fx []txn.Effect) {
	if t.o.Journal == nil {
		return
	}
	r := t.taper.rec
	if r == nil {
		r = tape.New(t.o.Version, journal.Sieve)
		t.taper.rec = r
	}
	if !r.Active() {
		r.Begin(before, t.guard.book.Log(), t.guard.rules)
	}
	r.Step(e, next, fx, t.senses.rank)
	tr := &t.trace
	id := tr.tx
	if was := before.Durable.Open; was.Open() {
		id = txID(was.ID)
	}
	done := e.Kind == txn.RecordDone && e.Record.STAN != 0
	switch opens := next.Durable.Open.Open() && !before.Durable.Open.Open(); {
	case opens:
		t.keepTape(txID(next.Durable.Open.ID), true)
	case before.Durable.Open.Open() && !next.Durable.Open.Open(): // the outcome
		good := false
		if p, ok := prompt.Lookup(next.Code); ok {
			good = p.Severity == prompt.Good
		}
		t.keepTape(id, good)
		tr.taped = true
	case done && (before.Quiet() || id == txID(e.Record.RecordID)):
		t.keepTape(txID(e.Record.RecordID), false)
	case next.Form != before.Form, next.Phase == txn.Ready, tr.taped && next.Phase == txn.Result:
		r.Drop()
	}
}

// keepTape writes what was recorded. usual: it may be left out where the day had its share.
func (t *Terminal) keepTape(id string, usual bool) {
	x := &t.taper
	day := t.state.Durable.Clock.Now(t.now().Logical, zone).Day
	if day != x.day {
		x.day, x.bytes = day, 0
	}
	if usual && x.bytes > tapeDay || id == "" {
		x.rec.Drop()
		return
	}
	p, ok := x.rec.Take()
	if !ok {
		return
	}
	x.bytes += len(p.Bytes())
	t.o.Journal.Record(journal.Event{Code: prompt.LogTape, Level: slog.LevelDebug, Source: "txn", Tx: id, Fields: []journal.Field{journal.Count("steps", p.Steps), journal.Tape(p)}})
}
