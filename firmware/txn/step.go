package txn

import (
	"strings"
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// Step is total and pure: the same (State, Event) gives the same answer. An
// event that does not fit the state, such as the expiry of an old timer,
// changes nothing.
func Step(s State, e Event) (State, []Effect) {
	m := machine{State: s, e: e, due: e.Due, later: e.Later}
	m.dispatch()
	m.pump()
	if m.Durable != s.Durable || m.rows {
		m.Durable.Saved = e.At
	}
	return m.State, m.fx
}

// machine is one step in the making.
type machine struct {
	State
	e     Event
	fx    []Effect
	rows  bool // a row effect is among fx
	due   int  // reversals and scripts still due, counted down within this step
	stop  bool // no more in this step
	later int  // advices and uploads still due
}

// do, log, show and arm are called in hundreds of places: copies of them at each
// would be a fiftieth of the whole program.
//
//go:noinline
func (m *machine) do(e Effect) {
	m.rows = m.rows || IsRow(e)
	m.fx = append(m.fx, e)
}

func (m *machine) dispatch() {
	switch m.e.Kind {
	case Booted:
		m.boot()
	case Faulted:
		m.Durable.Tampered = m.Durable.Tampered || m.e.Code == prompt.TamperOpen
		m.halt(m.e.Code)
	case Mended:
		if m.Phase == Halted && !m.Durable.Tampered {
			m.NoKey = false
			m.idle()
		}
	case KeyPressed:
		m.key(m.e.Key)
	case Presented, Unreadable:
		m.card()
	case Inserted:
		m.inserted()
	case Removed:
		m.removed()
	case ChipSaid:
		m.said()
	case PINCounted:
		if m.Phase == EnteringPIN {
			m.PINLen = m.e.N
			m.Args.N = m.e.N
		}
	case PINDone:
		m.pinDone()
	case TimerExpired:
		m.expired()
	case OutboxDue:
		// pump looks at what is due
	case Progress:
		if m.Phase == Online || m.Phase == Busy {
			m.Code = m.e.Code
		}
	case SaleDone:
		m.stayHalted(m.saleDone)
	case RecordDone:
		m.recordDone()
	case SignOnDone:
		m.signOnDone()
	case AdminDone:
		m.adminDone()
	case TablesDone:
		m.tablesDone()
	case LogReady:
		m.logReady()
	case LogDone:
		m.logDone()
	case SettleDone:
		m.settleDone()
	case Found:
		m.found()
	case Closed:
		m.closedBy()
	case Parked:
		m.parkedBy()
	case Signed:
		m.signed()
	case PrintDone:
		m.printDone()
	case Typed:
		m.typed()
	case TypeDone:
		m.typeDone()
	case NameTried:
		m.nameTried()
	case Named:
		m.named()
	case PartDone:
		m.partDone()
	case KeyDone:
		m.keyDone()
	case PageAsks:
		m.pageAsks()
	case PageEcho:
		m.pageEcho()
	case Tick:
		m.look()
	}
}

// pump starts what the line should do next, if it is free. The order is that
// of the money: a sign-on without which nothing else can be said, then each
// due reversal and script result, then the transaction or the settlement, and
// only then, while nobody waits, advices and uploads; the log when nothing else is left.
func (m *machine) pump() {
	if m.Phase == Preparing || m.Phase == Settling || m.Phase == Fetching {
		m.yieldLog()
	}
	if m.stop || m.Work != WorkNone || m.Phase == Starting || m.Phase == Halted || m.NoKey {
		return
	}
	preparing, settling := m.Phase == Preparing, m.Phase == Settling
	rested := m.e.At.Logical >= m.Hold
	dueNow := m.due > 0 && (preparing || rested)
	laterNow := m.later > 0 && rested && m.Quiet()
	if m.Phase == Fetching && m.Tables.Ask && !dueNow {
		m.pumpTables()
		return
	}
	if m.needSignOn() && (preparing || dueNow || laterNow || m.WantSignOn || settling && rested) {
		m.signOn()
		return
	}
	if m.logNow() { // it carries no MAC, and is wanted most where nothing else works
		m.sendLog()
		return
	}
	if !m.Durable.SignedOn {
		return // signOnDone has said why
	}
	switch {
	case settling:
		if rested {
			m.settle()
		}
	case dueNow:
		m.Work = WorkRecord
		if preparing {
			m.Code = prompt.Preparing
		}
		m.do(SendRecord{})
	case preparing && m.spec().Kept:
		m.keep()
	case preparing:
		m.intent()
	case laterNow:
		m.Work = WorkRecord
		m.do(SendRecord{Later: true})
	}
}

// Quiet: no customer stands before a form, so an advice keeps nobody waiting.
func (s State) Quiet() bool {
	switch s.Phase {
	case Ready, Result, InMenu, Paging:
		return true
	}
	return false
}

// show puts a message on the screen; any note of before goes.
//
//go:noinline
func (m *machine) show(p Phase, c prompt.Code, a prompt.Args) {
	m.Phase, m.Code, m.Args = p, c, a
	m.Note, m.NoteArgs = "", prompt.Args{}
}

// idle is the ready screen. What was left of a customer is forgotten.
func (m *machine) idle() {
	m.forget()
	m.Keyed, m.Decimals, m.Typo, m.Qty, m.Order = 0, -1, 0, 0, ""
	m.Kind, m.Step = pos.KindSale, 0
	m.show(Ready, prompt.Idle, prompt.Args{})
	m.disarm()
	m.awaitQuiet()
	if r := m.Durable.Restored; r != NotRestored {
		m.show(Ready, r.code(), prompt.Args{})
	}
	if m.Durable.Settle.Step != NotSettling {
		m.show(Settling, prompt.SettleResumed, prompt.Args{})
	}
	if m.NoKey {
		m.show(Halted, prompt.KeyNoMaster, prompt.Args{})
		return
	}
	if m.e.Cause.Lasts {
		m.blame()
	}
	m.hint()
	m.takeCard()
}

// takeCard reminds of a card that is still in, where nothing graver stands.
func (m *machine) takeCard() {
	if m.Slot.In && m.Slot.Used && m.Note == "" {
		m.Note = prompt.TakeCard
	}
}

// look says anew what stands beside the ready screen: a cause that has gone is no
// longer told, though nobody has pressed a key.
func (m *machine) look() {
	if m.Phase != Ready || m.Code != prompt.Idle || m.Note != "" && !strings.HasPrefix(string(m.Note), "C-") && !strings.HasPrefix(string(m.Note), "P-HNT") {
		return
	}
	m.Note, m.NoteArgs = "", prompt.Args{}
	if m.e.Cause.Lasts {
		m.blame()
	}
	m.hint()
}

// hint is what the ready screen says beside it, where nothing graver stands.
func (m *machine) hint() {
	if m.Phase == Ready && m.Code == prompt.Idle && m.Note == "" && m.e.Hint.Code != "" {
		m.Note, m.NoteArgs = m.e.Hint.Code, m.e.Hint.Args
	}
}

// end shows an outcome and forgets the card.
func (m *machine) end(c prompt.Code, a prompt.Args, t Tone) {
	m.forget()
	m.show(Result, c, a)
	m.disarm()
	m.awaitQuiet()
	m.do(Sound{t})
	if t == ToneBad || t == ToneAttention {
		m.blame()
	}
	m.takeCard()
}

func (m *machine) forget() {
	if !m.Card.IsZero() || m.Phase == EnteringPIN || m.Slot.Live {
		m.do(ForgetCard{})
	}
	m.stopReading()
	m.PIN, m.PINLen = false, 0
	m.dropCustody()
	m.dropCard()
	m.Name, m.Page, m.Line, m.Help = Person{}, NoPage, 0, false
	m.Orig, m.OrigKind, m.OrigAmount, m.Typed = pos.Original{}, "", 0, ""
}

// stopReading ends a hidden entry that is under way.
func (m *machine) stopReading() {
	if m.Phase == Typing || m.Phase == Naming {
		m.do(StopReading{})
	}
}

func (m *machine) halt(c prompt.Code) {
	m.held(Says{}) // the card's word is not waited for any more
	m.forget()
	m.Keyed, m.Decimals = 0, -1
	m.NoKey = c == prompt.KeyNoMaster
	m.show(Halted, c, prompt.Args{})
	m.disarm()
	m.do(Sound{ToneBad})
	m.blame()
}

// stayHalted: what becomes of money while the device is halted is said below, and
// does not end the halt.
func (m *machine) stayHalted(f func()) {
	halted, c, a := m.Phase == Halted, m.Code, m.Args
	f()
	if halted && m.Phase != Halted {
		note, args := m.Code, m.Args
		m.show(Halted, c, a)
		m.Note, m.NoteArgs = note, args
	}
}

// arm starts the operator's timer anew; whatever ran before is stale.
//
//go:noinline
func (m *machine) arm(d time.Duration) {
	m.Timer++
	m.do(Arm{ID: m.Timer, D: d})
}

func (m *machine) disarm() { m.Timer++ }

// expired: nobody acted in time. Nothing was sent, so nothing is charged.
func (m *machine) expired() {
	if m.e.N != m.Timer {
		return
	}
	switch m.Phase {
	case Keying, Entering, AwaitCard, Confirming, InMenu, Choosing, Typing, Picking:
		m.abandon(prompt.OperatorTime)
	case Stopped:
		m.stopExpired()
	case Naming:
		m.unname("")
	case Loading:
		m.endCustody(prompt.KeyGivenUp)
	case Ready, Result:
		m.carryOut()
	}
}

// abandon ends a sale of which nothing was sent. Where the screen spoke of an
// earlier payment whose fate is open, it goes on speaking of that.
func (m *machine) abandon(c prompt.Code) {
	a, open := m.formArgs(), m.aboutReversal()
	guide, guideArgs := m.gaveUp(c)
	m.Keyed, m.Decimals = 0, -1
	m.end(c, a, ToneAttention)
	if guide != "" {
		m.Note, m.NoteArgs = guide, guideArgs
	}
	if open && m.Durable.Reversals > 0 {
		m.show(Ready, prompt.ReversalQueued, prompt.Args{N: m.Durable.Reversals})
	}
}

// gaveUp notes a form that a person gave up of their own accord: not one that a
// rule stopped, nor one whose card could not be read. R22 counts them, and offers
// a guide.
func (m *machine) gaveUp(c prompt.Code) (prompt.Code, prompt.Args) {
	switch {
	case c != prompt.Cancelled:
		return "", prompt.Args{}
	case m.Phase == AwaitCard && m.Code == m.cardCode(), m.Phase == Keying, m.Phase == Entering, m.Phase == Confirming:
	default:
		return "", prompt.Args{}
	}
	e := m.note(m.happened(throttle.Cancelled))
	if d := m.decide(throttle.OnKeys, e); d.Action == throttle.Warn {
		return d.Text, prompt.Args{N: d.Count, Rule: ruleName(d.Rule)}
	}
	return "", prompt.Args{}
}

//go:noinline
func (m *machine) log(c prompt.Code, id pos.RecordID, f func(*Log)) {
	l := Log{Code: c, ID: id}
	if f != nil {
		f(&l)
	}
	m.do(l)
}
