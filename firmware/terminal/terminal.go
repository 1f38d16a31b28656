// Package terminal is the loop: it owns the State, commits each step to the
// store, and runs what the step ordered. It translates between the rooms and
// decides nothing; decisions are txn's.
//
// Sources:
//   - DESIGN: design §2, "commit first, then act"
//
// One goroutine, the one that calls Run, owns every field of Terminal. Readers
// of devices, exchanges with the host and timers run beside it and hand in
// functions that the loop calls.
package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"swipewell/firmware/card"
	"swipewell/firmware/care"
	"swipewell/firmware/diagnose"
	"swipewell/firmware/emv/table"
	"swipewell/firmware/hostlink"
	"swipewell/firmware/journal"
	"swipewell/firmware/outbox"
	"swipewell/firmware/pos"
	"swipewell/firmware/recovery"
	"swipewell/firmware/role"
	"swipewell/firmware/store"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
	"swipewell/ui/receipt"
	"swipewell/ui/screen"
)

// ErrCommit means that a commit failed: what is on flash is the truth now, and
// the caller starts again through the boot path from it.
var ErrCommit = errors.New("terminal: commit failed")

// Opts is what a terminal is made of.
type Opts struct {
	Board    *hal.Board
	Store    *store.Store
	Line     *hostlink.Line
	Host     hostlink.Profile
	Profile  txn.Profile
	Merchant receipt.Merchant
	Journal  *journal.Journal
	Log      *slog.Logger
	// BootCode, if set, is why no sale is safe: the terminal shows it and sells nothing.
	BootCode prompt.Code
	Size     screen.Size
	// Rules are those in force at the start; nil: nothing is stopped. Staff are the
	// persons who may name themselves.
	Rules *throttle.Rules
	Staff []role.Person
	// Window is what was seen by earlier lives of the terminal in this process;
	// nil: nothing. Base changes what is held to be usual; nil: what was learned.
	Window *diagnose.Window
	Base   func(*diagnose.Base)
	// Began is the boottime at which the program was started; 0 unknown.
	Began time.Duration
	// Version of the program, so that a new one is told from an old.
	Version string
	// RulesBad: a rule file was refused at the start; those below it are in force.
	RulesBad bool
	// Care is what the pages beside selling are told.
	Care Care
	// Train: no money can be reached from here; everything says so. Lesson is what is
	// learned then, or, in the terminal that sells, what a lesson came to.
	Train  bool
	Lesson *Lesson
	// Recovery is the acquirer's key, to which records of money are sealed a second
	// time; nil: they are lost with the device's own keys.
	Recovery *recovery.Public
	// Verify checks a PIN against its hash; nil: role.Verify.
	Verify func(hash string, pin []byte) bool
	// Sweep is called when a card has gone, to wipe what is outside this program's
	// variables; nil: nothing.
	Sweep func()
	// Tables is the board's file for chip cards; nil: there is none.
	Tables *table.File
	// Spawn runs what blocks beside the loop; nil: in a goroutine. The simulation
	// runs it in place, so that a seed replays exactly; Rand likewise.
	Spawn func(func())
	Rand  func() uint32
}

// Terminal is one device in service.
type Terminal struct {
	o      Opts
	board  *hal.Board
	clock  hal.Clock
	state  txn.State
	vault  card.Vault
	pin    entry
	slot   slot
	box    outbox.Box // a copy of the store's, armed records included
	twins  twins      // the sales of the last hours
	guard  guard
	senses senses
	trace  trace
	taper  taper
	hidden hidden
	enrol  *enrolment // a token that is being taken on; nil if none

	inbox    chan func()
	ctx      context.Context // ends when the loop does
	cancel   context.CancelFunc
	err      error // set by a failed commit: the loop ends
	start    hal.Instant
	base     time.Duration // logical time at start
	busy     atomic.Int32  // posted and not yet run
	stir     atomic.Uint64 // functions run
	answered atomic.Bool   // the host has answered something
	view     screen.View
	drawn    bool
	lamps    map[string]hal.LampState
	stopOp   func() bool // operator timer
	stopOut  func() bool // outbox timer
	stopSec  func() bool // redraws a countdown
	outAt    time.Duration
	settled  int // moments of this settlement so far
	uploads  uploads
	care     carer
	lesson   *lesson // Train
	tables   tabler
	noPaper  bool

	generation uint32                   // of the key that names cards
	bare       map[store.RecordKey]bool // records that had no image for recovery at the start
}

// New opens the terminal on what its store holds.
func New(o Opts) (*Terminal, error) {
	t := &Terminal{o: o, board: o.Board, clock: o.Board.Clock, inbox: make(chan func(), 256),
		lamps: map[string]hal.LampState{}}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	if t.o.Spawn == nil {
		t.o.Spawn = func(f func()) { go f() }
	}
	if t.o.Rand == nil {
		t.o.Rand = random
	}
	var d txn.Durable
	raw, err := o.Store.State()
	if err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	if raw != nil {
		if err := json.Unmarshal(raw, &d); err != nil {
			return nil, fmt.Errorf("terminal: state: %w", err)
		}
	}
	recs, err := o.Store.Records()
	if err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	for _, r := range recs {
		t.box.Put(r.Record)
		if len(r.Image) == 0 {
			if t.bare == nil {
				t.bare = map[store.RecordKey]bool{}
			}
			t.bare[store.RecordKey{Class: r.Class, ID: r.RecordID}] = true
		}
	}
	if err := t.twins.load(o.Store, store.BatchID{Context: o.Profile.Context, Batch: d.Batch}); err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	names, _, err := o.Store.Names()
	if err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	t.generation = names.Generation
	t.guard.rules = o.Rules
	if err := t.loadCare(); err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	if err := t.loadTables(); err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	t.senses.win, t.senses.ends = o.Window, map[uint64]cardEnd{}
	if t.senses.win == nil {
		t.senses.win = &diagnose.Window{}
	}
	if err := t.loadGuard(&d); err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	t.state = txn.New(d)
	if o.Train && o.Lesson != nil {
		t.lesson = &lesson{Lesson: *o.Lesson}
		t.state.Durable.Operator, t.state.Durable.Lang = o.Lesson.Op, o.Lesson.Lang
	}
	t.start, t.base = t.clock.Now(), d.Saved.Logical
	return t, nil
}

// Now is the time of an event now; call it in the loop.
func (t *Terminal) Now() pos.Time { return t.now() }

// now is the time of an event. Logical time goes on from what the last commit
// kept: hours without power do not count, and no clock can set it back.
func (t *Terminal) now() pos.Time {
	n := t.clock.Now()
	return pos.Time{Wall: n.Wall.UnixMilli(), Logical: t.base + n.Boot - t.start.Boot}
}

// Run works until ctx ends (nil) or a commit fails (ErrCommit).
func (t *Terminal) Run(ctx context.Context) error {
	defer t.cancel()
	stop := context.AfterFunc(ctx, t.cancel)
	defer stop()
	t.Boot()
	// The modem has its time to come up: what is slow at a start is not bad.
	t.clock.AfterFunc(firstCheck, func() { t.post(func() { t.check(false) }) })
	t.readKeys()
	t.readCards()
	t.readChips()
	t.minute()
	for t.err == nil {
		select {
		case <-t.ctx.Done():
			t.forget(txn.ForgetCard{})
			t.flushSoft()
			return nil
		case f := <-t.inbox:
			f()
			t.stir.Add(1)
			t.busy.Add(-1)
		}
	}
	t.forget(txn.ForgetCard{})
	return t.err
}

// Boot is the first step of a life; Run begins with it.
func (t *Terminal) Boot() {
	t.o.Journal.SetLogical(t.base, t.start)
	if t.board.Bench != nil {
		t.board.Bench.SetIdle(func() (bool, uint64) { return t.busy.Load() > 0, t.stir.Load() + t.o.Line.Stir() })
	}
	if l := t.o.Lesson; l != nil && l.Ended {
		t.trained(*l)
	}
	t.worn(func(w *care.Wear) { w.Starts++ })
	back := t.back()
	t.handle(txn.Event{Kind: txn.Booted, Profile: t.o.Profile, Code: t.o.BootCode, N: back})
	t.o.Journal.Record(journal.Event{Code: prompt.LogReady, Source: "terminal", Fields: []journal.Field{journal.Count("seconds", back), journal.Code("screen", t.state.Code),
		journal.Count("reversals", t.state.Durable.Reversals), journal.Flag("open", t.state.Durable.Open.Open())}})
}

// justOn is how long after the power came a start is the start of the machine.
const justOn = 2 * time.Minute

// back is how many seconds it took to be back: since the power came, or, long
// after that, since this program was started.
func (t *Terminal) back() int {
	now := t.clock.Now().Boot
	if now < justOn || t.o.Began == 0 {
		return int(now / time.Second)
	}
	return int((now - t.o.Began) / time.Second)
}

// Turn runs what waits for the loop and returns: for who drives a terminal
// without Run. Its error is Run's.
func (t *Terminal) Turn() error {
	for t.err == nil {
		select {
		case f := <-t.inbox:
			f()
			t.busy.Add(-1)
			continue
		default:
		}
		break
	}
	return t.err
}

// Press and Swipe are a key and a card, as the readers hand them in.
func (t *Terminal) Press(k txn.Key) {
	t.post(func() {
		t.care.told = txn.Cause{}
		// At the PIN step a key that the pad did not take is nobody's: it may be a
		// digit that came before the pad was ready.
		if t.state.Phase != txn.EnteringPIN && !t.hiddenKey(k) {
			t.handle(txn.Event{Kind: txn.KeyPressed, Key: k})
		}
	})
}

// Swipe takes the tracks over.
func (t *Terminal) Swipe(s hal.Swipe) bool { return t.post(func() { t.swiped(s) }) }

// State is where the terminal stands; only for who drives it by Turn.
func (t *Terminal) State() txn.State { return t.state }

// Do runs f in the loop, between two steps. It is how the service port asks.
func (t *Terminal) Do(ctx context.Context, f func()) error {
	done := make(chan struct{})
	if !t.post(func() { f(); close(done) }) {
		return context.Canceled
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-t.ctx.Done():
		return context.Canceled
	}
}

// post hands f to the loop; false if the loop has ended.
func (t *Terminal) post(f func()) bool {
	t.busy.Add(1)
	select {
	case t.inbox <- f:
		return true
	case <-t.ctx.Done():
		t.busy.Add(-1)
		return false
	}
}

// handle is one step: Step, one commit, then the effects.
func (t *Terminal) handle(e txn.Event) {
	if t.err != nil {
		return
	}
	e.At = t.now()
	t.sawEvent(e)
	e = t.facts(e)
	if e.Kind == txn.SaleDone && e.Reply.Kind == txn.Answered {
		t.point("answer")
	}
	next, fx := txn.Step(t.state, e)
	change, err := t.change(e, next, fx)
	if err == nil {
		t.rows(&change, e.At, fx)
	}
	if err == nil && !change.Empty() {
		opens := next.Durable.Open.Open() && !t.state.Durable.Open.Open()
		if opens {
			t.point("before-intent")
		}
		if change.CloseBatch != nil {
			t.settlePoint()
		}
		began := t.clock.Now().Boot
		err = t.o.Store.Commit(change, sealer{t})
		if t.sawWrite(began, err); err == nil {
			switch step := next.Durable.Settle.Step; {
			case step == t.state.Durable.Settle.Step:
			case t.state.Durable.Settle.Step == txn.NotSettling:
				t.settled = 0
				t.settlePoint()
			case step == txn.SettleSlip:
				t.settlePoint()
			}
			if opens {
				t.point("intent")
			}
			if e.Kind == txn.SaleDone || e.Kind == txn.ChipSaid && t.state.Durable.Open.Open() {
				t.point("outcome")
			}
		}
	}
	if err != nil {
		t.fail(err)
		return
	}
	t.record(t.state, e, next, fx)
	t.keep(change)
	before := t.state
	t.state = next
	t.sawStep(before)
	t.traceStep(before, e)
	t.lessonStep(before)
	t.keepRows(change, e.At, fx)
	t.draw()
	t.countdown()
	for _, x := range fx {
		t.run(x)
	}
	t.armOutbox()
}

// change turns a step into one transaction of the store.
func (t *Terminal) change(e txn.Event, next txn.State, fx []txn.Effect) (store.Change, error) {
	var c store.Change
	for _, x := range fx {
		switch x := x.(type) {
		case txn.PutRecord:
			c.PutRecord = append(c.PutRecord, x.Record)
		case txn.DropRecord:
			c.DropRecord = append(c.DropRecord, store.RecordKey{Class: x.Class, ID: x.ID})
		case txn.PutSale:
			c.PutSale = append(c.PutSale, x.Row)
		case txn.EditSale:
			row, err := t.o.Store.Sale(x.ID)
			if errors.Is(err, store.ErrNotFound) {
				continue // its batch was settled meanwhile
			}
			if err != nil {
				return c, err
			}
			c.PutSale = append(c.PutSale, edited(row, x))
		case txn.CloseBatch:
			c.CloseBatch = &store.BatchID{Context: x.Context, Batch: x.Batch}
		}
	}
	c.Aside = e.Kind == txn.PrintDone && c.CloseBatch == nil
	if next.Durable != t.state.Durable {
		raw, err := json.Marshal(next.Durable)
		if err != nil {
			return c, err
		}
		c.State = raw
	}
	return c, nil
}

// edited is a row with what an effect changes of it.
func edited(row pos.Sale, x txn.EditSale) pos.Sale {
	if x.State != "" {
		row.State = x.State
	}
	if x.Sent && row.State == pos.RowPending {
		row.State = pos.RowBooked
	}
	if x.RRN != "" {
		row.RRN = x.RRN
	}
	if x.Amount != 0 {
		row.Amount.Minor = x.Amount
	}
	if x.Tip != 0 {
		row.Tip = max(x.Tip, 0)
	}
	row.Printed = row.Printed || x.Printed
	row.Uploaded = row.Uploaded || x.Uploaded
	return row
}

// keep follows a commit in the copy of the outbox.
func (t *Terminal) keep(c store.Change) {
	for _, r := range c.PutRecord {
		t.box.Put(r)
	}
	for _, k := range c.DropRecord {
		t.box.Drop(outbox.Key(k))
	}
	for _, r := range c.PutSale {
		t.twins.put(r)
	}
}

// fail: a failed commit is itself an unknown (DESIGN §2). Nothing of the step
// is run, the state in memory is dropped, and the caller boots again.
func (t *Terminal) fail(err error) {
	if errors.Is(err, hal.ErrTampered) { // the next life says so
		t.err = fmt.Errorf("%w: %w", ErrCommit, err)
		return
	}
	code := StoreCode(err)
	t.o.Journal.Record(journal.Event{Code: code, Level: slog.LevelError, Source: "store", Fields: []journal.Field{journal.Err(err)}})
	t.show(txn.State{Durable: t.state.Durable, Phase: txn.Halted, Code: code})
	t.err = fmt.Errorf("%w: %w", ErrCommit, err)
}

// StoreCode is what a person is told about an error of the store.
func StoreCode(err error) prompt.Code {
	var schema *store.SchemaError
	var waits *store.WaitsError
	switch {
	case errors.As(err, &waits):
		return prompt.UpdWaits
	case errors.Is(err, hal.ErrTampered): // the side log could not be sealed
		return prompt.TamperOpen
	case errors.Is(err, store.ErrDamaged):
		return prompt.StoreDamaged
	case errors.As(err, &schema) && schema.Have > schema.Want:
		return prompt.StoreNewer
	case errors.As(err, &schema):
		return prompt.StoreOlder
	case errors.Is(err, store.ErrMissing):
		return prompt.StoreMissing
	case errors.Is(err, store.ErrBusy):
		return prompt.StoreBusy
	case errors.Is(err, store.ErrFull):
		return prompt.StoreFull
	case errors.Is(err, store.ErrReadOnly):
		return prompt.StoreReadOnly
	}
	return prompt.StoreFault
}

// facts adds what Step cannot know by itself.
func (t *Terminal) facts(e txn.Event) txn.Event {
	e.Rand = t.o.Rand()
	settle := t.state.Durable.Settle
	f := t.box.Facts(e.At.Logical, settle.Began)
	e.Due, e.Later, e.Untried, e.OpenRev, e.OpenSum = f.Due, f.Later, f.Untried, f.Open, f.OpenSum
	e.Uploads = f.Uploads
	e.SAF = txn.SAF{Count: f.SAF.Count, Sum: f.SAF.Sum, Oldest: f.Oldest}
	e.HighSTAN = max(t.box.High(), t.state.Durable.STAN)
	switch e.Kind {
	case txn.Presented:
		e.Gated = t.box.Gated(e.Card)
		e.Twin = t.twin(e)
	case txn.Found:
		e.Gated = t.box.Gated(e.Row.Card)
	}
	if t.state.Phase == txn.Preparing || t.state.Phase == txn.Confirming {
		e.SameOrig = t.box.SameOrig(t.state.Kind, t.state.Orig)
	}
	switch settle.Step {
	case txn.SettleTotals, txn.SettleUpload, txn.SettleChip:
		e.Upload = t.upload(e)
	}
	if e.Kind == txn.Presented || e.Kind == txn.PINDone || e.Kind == txn.ChipSaid || t.state.Phase == txn.Preparing || t.state.Phase == txn.Confirming {
		began := t.clock.Now().Boot
		err := t.o.Store.Room()
		if t.sawWrite(began, err); err != nil {
			e.NoRoom = StoreCode(err)
		}
	}
	t.watch(&e)
	e.Cause, e.Hint = t.cause(), t.hint()
	if op := t.state.Durable.Operator; op != 0 && t.care.records != nil && e.Kind == txn.KeyPressed {
		e.NoRefund = t.care.records.NoRefund(op, t.wall())
	}
	e.Scroll = t.scroll()
	return e
}

// armOutbox wakes the loop when the next try of a record is due.
func (t *Terminal) armOutbox() {
	now := t.now().Logical
	at, any := t.box.NextDue(t.state.Quiet() || t.state.Phase == txn.Settling)
	switch t.state.Phase {
	case txn.Starting, txn.Halted:
		any = false // nothing goes out: no timer may spin
	case txn.Settling:
		if t.state.Hold > now { // it goes on by itself, whatever the outbox holds
			at, any = t.state.Hold, true
		}
	}
	any = any && !t.state.NoKey
	at = max(at, t.state.Hold)
	if any && t.stopOut != nil && at == t.outAt {
		return
	}
	if t.stopOut != nil {
		t.stopOut()
		t.stopOut = nil
	}
	if !any || t.state.Work != txn.WorkNone {
		return
	}
	t.outAt = at
	t.stopOut = t.clock.AfterFunc(max(at-now, 0), func() {
		t.post(func() { t.stopOut = nil; t.handle(txn.Event{Kind: txn.OutboxDue}) })
	})
}

// settlePoint is the next moment of the settlement at which the bench may cut
// the power: begun, each message sent, before the slip, before the batch goes.
func (t *Terminal) settlePoint() {
	t.settled++
	t.point("settle:" + strconv.Itoa(t.settled))
}

func (t *Terminal) point(name string) {
	if t.board.Bench != nil {
		t.board.Bench.Point(name)
	}
}
