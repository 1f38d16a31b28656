package txn

import (
	"slices"
	"testing"
	"time"

	"swipewell/firmware/outbox"
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// uplinked is a desk whose log goes to the host in so many pieces, and its loop: it gives the
// facts that concern the log.
func uplinked(t interface{ Fatalf(string, ...any) }, pieces int) *desk {
	d := newDesk(t)
	d.s.Profile.LogUpload = true
	touched := time.Duration(0)
	d.pre = func(e *Event) {
		if d.s.Touches(*e) {
			touched = d.now
		}
		var box outbox.Box
		for _, r := range d.rows {
			box.Put(r)
		}
		e.Waiting, e.Touched = box.Facts(d.now, 0).Waiting, touched
	}
	if pieces > 0 {
		d.do(Event{Kind: LogReady, Log: LogRun{Sum: 7, Of: pieces, What: "last 200"}})
	}
	return d
}

func (d *desk) has(want Effect) bool {
	return slices.ContainsFunc(d.fx, func(x Effect) bool { return x == want })
}

func (d *desk) piece() (SendLog, bool) {
	for _, x := range d.fx {
		if s, ok := x.(SendLog); ok {
			return s, true
		}
	}
	return SendLog{}, false
}

// tick lets time go by and the loop look.
func (d *desk) tick(by time.Duration) (SendLog, bool) {
	d.now += by
	d.do(Event{Kind: OutboxDue})
	return d.piece()
}

func (d *desk) heard(r Reply) { d.do(Event{Kind: LogDone, N: d.s.LogGen, Reply: r}) }

var yes = Reply{Kind: Answered, RC: "00"}

// A run goes piece by piece, each counted in a commit, and ends once.
func TestLogRun(t *testing.T) {
	d := uplinked(t, 3)
	if _, ok := d.piece(); ok {
		t.Fatal("a piece goes the moment that somebody was at the desk")
	}
	if _, ok := d.tick(4 * time.Second); ok {
		t.Fatal("too early")
	}
	s, ok := d.tick(time.Second)
	for n := range 3 {
		if !ok || s.Run.Done != n || s.Run.Of != 3 || d.s.Work != WorkLog {
			t.Fatalf("piece %d: %+v %v", n, s, d.s.Work)
		}
		if _, again := d.tick(time.Minute); again {
			t.Fatal("two pieces at once")
		}
		before := d.commits
		d.heard(yes)
		if d.commits == before {
			t.Error("that the host has it is not on flash")
		}
		s, ok = d.piece()
	}
	if ok || d.s.Durable.Log != (LogRun{}) || d.s.LogSaid != prompt.UploadDone || d.s.Note != prompt.UploadDone {
		t.Errorf("%v %+v %v", ok, d.s.Durable.Log, d.s.LogSaid)
	}
	if _, ok := d.tick(time.Hour); ok {
		t.Error("it goes on behind its end")
	}
	// Two at once there are not.
	d.do(Event{Kind: LogReady, Log: LogRun{Sum: 1, Of: 2}})
	d.do(Event{Kind: LogReady, Log: LogRun{Sum: 2, Of: 5}})
	if d.s.Durable.Log.Sum != 1 {
		t.Error("the second took the first one's place")
	}
}

// Who uses the desk, and what is of money, goes first.
func TestLogGivesWay(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*desk)
		free func(*desk) // ends it; nil: it ends by itself
	}{
		"a key":        {do: func(d *desk) { d.keys("menu") }, free: func(d *desk) { d.keys("cancel") }},
		"an amount":    {do: func(d *desk) { d.keys("1", "2") }, free: func(d *desk) { d.keys("cancel") }},
		"another page": {do: func(d *desk) { d.keys("menu", "9", "2") }, free: func(d *desk) { d.keys("cancel") }},
		"a reversal, not due": {
			do: func(d *desk) {
				id := pos.RecordID{Context: "a", Batch: 1, STAN: 77}
				d.rows[id] = pos.Record{RecordID: id, Class: pos.ClassReversal, State: pos.RecordQueued, Next: 1000 * time.Hour}
				d.s.Durable.Reversals = 1
			},
			free: func(d *desk) { clear(d.rows); d.s.Durable.Reversals = 0 }},
		"an advice, not due": {
			do: func(d *desk) {
				id := pos.RecordID{Context: "a", Batch: 1, STAN: 78}
				d.rows[id] = pos.Record{RecordID: id, Class: pos.ClassAdvice, State: pos.RecordQueued, Next: 1000 * time.Hour}
			},
			free: func(d *desk) { clear(d.rows) }},
		"the status": {
			do: func(d *desk) {
				id := pos.RecordID{Context: "a", Batch: 1, STAN: 79}
				d.rows[id] = pos.Record{RecordID: id, Class: pos.ClassUpload, Kind: pos.KindStatus, State: pos.RecordQueued, Next: 1000 * time.Hour}
			},
			free: func(d *desk) { clear(d.rows) }},
		"a halt": {do: func(d *desk) { d.do(Event{Kind: Faulted, Code: prompt.StoreFault}) }, free: func(d *desk) { d.do(Event{Kind: Mended}) }},
	} {
		d := uplinked(t, 3)
		d.s.Durable.SignedOn = true
		c.do(d)
		for range 5 {
			if s, ok := d.tick(7 * time.Second); ok {
				t.Errorf("%s: a piece goes: %+v", name, s)
			}
		}
		c.free(d)
		if _, ok := d.tick(6 * time.Second); !ok {
			t.Errorf("%s: it does not go on: %v %v %+v", name, d.s.Phase, d.s.Work, d.s.Durable.Log)
		}
	}
	// What a person must settle may last for days: it does not keep the log here.
	d := uplinked(t, 3)
	id := pos.RecordID{Context: "a", Batch: 1, STAN: 80}
	d.rows[id] = pos.Record{RecordID: id, Class: pos.ClassReversal, State: pos.RecordUnresolved}
	d.s.Durable.Reversals = 1
	if _, ok := d.tick(6 * time.Second); !ok {
		t.Error("an unresolved record keeps the log here")
	}
}

// A sale takes the line from a piece that is under way; what comes of that is no news.
func TestLogYields(t *testing.T) {
	d := uplinked(t, 3)
	d.s.Durable.SignedOn = true
	d.tick(5 * time.Second)
	old := d.s.LogGen
	d.toOnline(cardA)
	if d.s.Phase != Online || d.s.Work != WorkSale {
		t.Fatalf("the sale waits: %v %v", d.s.Phase, d.s.Work)
	}
	d.do(Event{Kind: LogDone, N: old, Reply: yes})
	if d.s.Durable.Log.Done != 0 || d.s.Work != WorkSale {
		t.Errorf("the end of a piece that was taken back counts: %+v %v", d.s.Durable.Log, d.s.Work)
	}
	d.do(Event{Kind: SaleDone, Reply: approval()})
	d.do(Event{Kind: PrintDone, ID: d.s.Durable.Last.ID})
	if _, ok := d.tick(time.Second); ok {
		t.Error("a piece right behind the sale")
	}
	if s, ok := d.tick(5 * time.Second); !ok || s.Run.Done != 0 {
		t.Errorf("it does not go on: %+v", d.s.Durable.Log)
	}
	// So does whoever asks for the line at the menu.
	d.keys("cancel")
	for _, k := range MenuKeys(prompt.MenuEcho) {
		d.do(Event{Kind: KeyPressed, Key: Key(k)})
	}
	if d.s.Work != WorkAdmin || !d.has(StopLog{}) {
		t.Errorf("the echo waits for the log: %v", d.s.Work)
	}
}

// What the host says, and what becomes of the run.
func TestLogAnswers(t *testing.T) {
	for _, c := range []struct {
		r     Reply
		said  prompt.Code // at the end; "": it goes on
		tries int
	}{
		{Reply{Kind: Answered, RC: "40"}, prompt.UploadRefused, 1},
		{Reply{Kind: Answered, RC: "30"}, prompt.UploadRefused, 1},
		{Reply{Kind: Answered, RC: "97"}, prompt.UploadRefused, 1},
		{Reply{Kind: Answered, RC: "ZZ"}, prompt.UploadRefused, 1},
		{Reply{Kind: Answered, RC: "91"}, prompt.UploadGivenUp, 12},
		{Reply{Kind: Answered, RC: "96"}, prompt.UploadGivenUp, 12},
		{Reply{Kind: NoAnswer, Code: prompt.NetHostSilent}, prompt.UploadGivenUp, 12},
		{Reply{Kind: NotSent, Code: prompt.NetNoSignal}, prompt.UploadGivenUp, 12},
		{Reply{Kind: NotSent, Code: prompt.Internal}, prompt.UploadGivenUp, 1},
	} {
		d := uplinked(t, 3)
		tries, last, gap := 0, time.Duration(0), time.Duration(0)
		for d.s.Durable.Log.Of != 0 && d.now < 100*time.Hour {
			if _, ok := d.tick(time.Second); ok {
				tries++
				gap, last = d.now-last, d.now
				d.heard(c.r)
			}
		}
		if tries != c.tries || d.s.LogSaid != c.said {
			t.Errorf("%+v: %d tries, %v", c.r, tries, d.s.LogSaid)
		}
		if c.tries > 1 && gap < time.Minute {
			t.Errorf("%+v: the last pause was %v", c.r, gap)
		}
		if !slices.ContainsFunc(d.fx, func(x Effect) bool { _, ok := x.(DropLog); return ok }) {
			t.Errorf("%+v: what was to go stays on flash", c.r)
		}
	}
	// One that gets on is not given up for the misses between.
	d := uplinked(t, 40)
	for n := 0; d.s.Durable.Log.Of != 0 && d.now < 20*time.Hour; {
		if d.tick(10 * time.Second); d.s.Work == WorkLog {
			d.heard([]Reply{yes, {Kind: NoAnswer}}[n%2])
			n++
		}
	}
	if d.s.LogSaid != prompt.UploadDone {
		t.Errorf("%v", d.s.LogSaid)
	}
	// Nor does one last for ever.
	d = uplinked(t, 4000)
	for n := 0; d.s.Durable.Log.Of != 0 && d.now < 48*time.Hour; {
		if d.tick(5 * time.Minute); d.s.Work == WorkLog {
			d.heard([]Reply{yes, {Kind: NoAnswer}}[n%2])
			n++
		}
	}
	if d.s.LogSaid != prompt.UploadGivenUp || d.now > 25*time.Hour {
		t.Errorf("%v after %v", d.s.LogSaid, d.now)
	}
}

// The host's order 2: the status always; the log where it may be asked for, once an hour.
func TestLogOrdered(t *testing.T) {
	for _, c := range []struct{ upload, order, makes bool }{{false, false, false}, {false, true, false}, {true, false, false}, {true, true, true}} {
		d := slotted(t)
		d.s.Profile.LogUpload, d.s.Profile.LogOrder = c.upload, c.order
		made := func() bool { return d.has(MakeLog{}) }
		status := func() (n int) {
			for _, r := range d.rows {
				if r.Kind == pos.KindStatus {
					n++
				}
			}
			return n
		}
		order := func() bool {
			d.toOnline(cardA)
			r := approval()
			r.Order = OrderStatus
			d.do(Event{Kind: SaleDone, Reply: r})
			m := made()
			d.do(Event{Kind: PrintDone, ID: d.s.Durable.Last.ID})
			d.keys("cancel")
			for _, r := range d.rows { // the status does not get through
				if d.s.Work == WorkRecord {
					d.do(Event{Kind: RecordDone, Record: r, Reply: Reply{Kind: NoAnswer}})
				}
			}
			return m
		}
		if got := order(); got != c.makes || status() != 1 {
			t.Errorf("%+v: makes a log %v, %d status", c, got, status())
		}
		d.now += 10 * time.Minute
		if order() || status() != 1 {
			t.Errorf("%+v: twice in an hour, %d status", c, status())
		}
		d.now += time.Hour
		if got := order(); got != c.makes {
			t.Errorf("%+v: an hour later %v", c, got)
		}
	}
	// Without the board file's word nothing begins, whoever asks.
	d := newDesk(t)
	d.do(Event{Kind: LogReady, Log: LogRun{Sum: 7, Of: 3}})
	if d.s.Durable.Log.Of != 0 {
		t.Error("it begins")
	}
}

// A power cut keeps the run, and it goes on from the piece that the host has.
func TestLogCut(t *testing.T) {
	d := uplinked(t, 3)
	d.tick(5 * time.Second)
	d.heard(yes)
	p := d.s.Profile
	d.s = New(d.s.Durable)
	d.do(Event{Kind: Booted, Profile: p})
	if _, ok := d.piece(); ok {
		t.Error("before the desk was quiet")
	}
	if s, ok := d.tick(5 * time.Second); !ok || s.Run.Done != 1 || s.Run.Sum != 7 {
		t.Errorf("%+v %v", s, ok)
	}
}
