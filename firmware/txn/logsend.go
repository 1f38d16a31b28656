package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// LogRun is a piece of the log on its way to the host. It is durable: what goes lies beside the
// store since before the run began, and each piece that the host has is counted in a commit. It
// is no record of the outbox, and goes behind all of them.
type LogRun struct {
	Sum   uint32 // CRC-32 of all that goes; it names the upload, too
	Of    int    // pieces; 0: nothing goes
	Done  int    // pieces that the host has acknowledged
	Tries int    // in vain, since the last one
	Next  time.Duration
	Began time.Duration
	By    int    // the person whose word it is; 0: the host's, or a tool's
	What  string // "last 200", "tx 000123"
}

const (
	// logIdle is how long nobody must have touched the desk before a piece goes.
	logIdle = 5 * time.Second
	// logTries in vain, or logAge, and it is given up.
	logTries = 12
	logAge   = 24 * time.Hour
	// logAgain is how long an order of the host for the log is let pass after the last run.
	logAgain = time.Hour
)

// SendLog sends the next piece; it ends as LogDone with N = Gen. StopLog takes it back, sent or
// not: who stopped it waits for no answer. MakeLog prepares what the host has ordered; it
// ends as LogReady. DropLog removes what was sent, or given up.
type (
	SendLog struct {
		Run LogRun
		Gen int
	}
	StopLog struct{}
	MakeLog struct{}
	DropLog struct{ Run LogRun }
)

func (SendLog) effect() {}
func (StopLog) effect() {}
func (MakeLog) effect() {}
func (DropLog) effect() {}

// LogDue is when the next piece may go, as far as the run and the desk have a say in it: touched
// is when somebody was at that last.
func (s State) LogDue(touched time.Duration) (at time.Duration, any bool) {
	if s.Durable.Log.Of == 0 || s.Work != WorkNone || !s.logPhase() {
		return 0, false
	}
	return max(s.Durable.Log.Next, touched+logIdle, s.Hold), true
}

// logPhase: nobody stands at the desk, but for who has asked for it.
func (s State) logPhase() bool {
	return s.Phase == Ready || s.Phase == Result || s.Phase == Paging && s.Page == PageLog
}

// Touches tells that an event is of somebody who is at the desk, or found one there.
func (s State) Touches(e Event) bool {
	switch e.Kind {
	case Booted, KeyPressed, Presented, Unreadable, Inserted, Removed, Typed:
		return true
	}
	return !s.logPhase()
}

// logNow: nothing of money waits, whether its next try is due or not.
func (m *machine) logNow() bool {
	at, any := m.LogDue(m.e.Touched)
	return any && at <= m.e.At.Logical && m.e.Waiting == 0 && !m.WantSignOn
}

func (m *machine) sendLog() {
	m.Work = WorkLog
	m.LogGen++
	m.do(SendLog{Run: m.Durable.Log, Gen: m.LogGen})
}

// yieldLog frees the line for somebody who waits.
func (m *machine) yieldLog() {
	if m.Work == WorkLog {
		m.Work = WorkNone
		m.LogGen++ // its end is no news any more
		m.do(StopLog{})
	}
}

// logReady: what is to go lies on flash; the commit of this step makes it a run.
func (m *machine) logReady() {
	l := m.e.Log
	if !m.Profile.LogUpload || m.Durable.Log.Of != 0 || l.Of == 0 {
		return
	}
	l.Done, l.Tries, l.Next, l.Began = 0, 0, m.e.At.Logical, m.e.At.Logical
	m.Durable.Log, m.Durable.LogAt = l, max(m.e.At.Logical, 1)
	m.LogSaid, m.LogArgs = prompt.UploadGoes, prompt.Args{N: 0, Seconds: l.Of}
	m.log(prompt.LogUpload, pos.RecordID{}, func(x *Log) { x.Why, x.N, x.Text = prompt.UploadGoes, l.Of, l.What })
}

// logDone is the end of one try of a piece.
func (m *machine) logDone() {
	if m.Work != WorkLog || m.e.N != m.LogGen {
		return
	}
	m.Work = WorkNone
	l, r, now := &m.Durable.Log, m.e.Reply, m.e.At.Logical
	m.told(r)
	if r.Order != OrderStatus { // that is what it is about
		m.ordered(r)
	}
	switch v := verdict(r.RC); {
	case r.Kind == NotSent && r.Code == prompt.Internal: // what was to go is gone
		m.endLog(prompt.UploadGivenUp, r)
		return
	case r.Kind == Answered && r.RC == "00":
		l.Done, l.Tries, l.Next = l.Done+1, 0, now
		m.LogArgs = prompt.Args{N: l.Done, Seconds: l.Of}
		if l.Done >= l.Of {
			m.endLog(prompt.UploadDone, r)
		}
		return
	case r.Kind == Answered && !logLater(v, r.RC):
		m.endLog(prompt.UploadRefused, r)
		return
	case r.Kind == Answered && v == vKeys:
		m.WantSignOn = l.Tries == 0 // once; it carries no MAC, so that may be no help
	}
	l.Tries++
	l.Next = now + Backoff(l.Tries, m.e.Rand)
	if l.Tries >= logTries || now-l.Began >= logAge {
		m.endLog(prompt.UploadGivenUp, r)
	}
}

// logLater: the host cannot take it now. Any other refusal is its last word.
func logLater(v verdictKind, rc pos.ResponseCode) bool {
	switch rc {
	case "90", "91", "92", "C1":
		return true
	case "97": // this terminal is not known there
		return false
	}
	return v == vNoProof || v == vKeys
}

// endLog ends the run, says so in the log, on the page and, where nothing graver stands, beside
// the ready screen.
func (m *machine) endLog(c prompt.Code, r Reply) {
	l := m.Durable.Log
	m.Durable.Log = LogRun{}
	m.LogSaid, m.LogArgs = c, prompt.Args{N: l.Done, Seconds: l.Of, RC: string(r.RC)}
	m.do(DropLog{l})
	m.log(prompt.LogUpload, pos.RecordID{}, func(x *Log) { x.Why, x.RC, x.N, x.Text = c, r.RC, l.Done, l.What })
	if (m.Phase == Ready || m.Phase == Result) && m.Note == "" {
		m.Note, m.NoteArgs = c, m.LogArgs
	}
}

// orderedStatus carries the host's order for the status out: behind all that is of money, and
// with it the log, where the board file lets the host ask for that.
func (m *machine) orderedStatus() {
	if m.e.Uploads == 0 {
		m.keepStatus(m.e.At.Logical)
	}
	d, now := &m.Durable, m.e.At.Logical
	if m.Profile.LogUpload && m.Profile.LogOrder && d.Log.Of == 0 && (d.LogAt == 0 || now-d.LogAt >= logAgain) {
		d.LogAt = max(now, 1)
		m.do(MakeLog{})
	}
}
