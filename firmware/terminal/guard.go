package terminal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"swipewell/firmware/card"
	"swipewell/firmware/diagnose"
	"swipewell/firmware/journal"
	"swipewell/firmware/keys"
	"swipewell/firmware/pos"
	"swipewell/firmware/store"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// guard is what the rules look at: a copy in memory of the store's rows, and the
// names of the cards that are in front of the device or in the outbox.
type guard struct {
	rules  *throttle.Rules
	book   *throttle.Book
	scopes map[pos.CardRef]throttle.Scopes
	logged map[pos.CardRef][32]byte // the same cards, in the journal's scope
	seq    uint64                   // of the last event in the store
	soft   []throttle.Event         // noted, and not in the store yet
	// bad are rows that could not be read: they go with the first commit of a state
	// that knows of the safe day, so that one damage makes one such day.
	bad   []store.Row
	flush func() bool // stops the timer that writes them
	// flushAt is the boottime of that timer.
	flushAt time.Duration
}

// zone is the acquirer's.
const zone = 8 * time.Hour

// softFor is how long what needs no commit of its own waits for one; softMost is
// how much of it.
const (
	softFor  = 5 * time.Minute
	softMost = 64
)

// loadGuard reads the rows of cards and the youngest events. An empty table on a
// device that has sold is a lost one: every card is asked about for a day.
func (t *Terminal) loadGuard(d *txn.Durable) error {
	g := &t.guard
	g.book, g.scopes, g.logged = throttle.NewBook(0), map[pos.CardRef]throttle.Scopes{}, map[pos.CardRef][32]byte{}
	var cards []throttle.Card
	bad := func(room store.Room, k []byte) {
		g.bad = append(g.bad, store.Row{Room: room, Key: append([]byte(nil), k...)})
	}
	err := t.o.Store.Rows(store.Velocity, nil, func(k, v []byte) error {
		var key throttle.Key
		copy(key[:], k)
		c, err := throttle.ParseCard(key, v)
		if err != nil || len(k) != len(key) {
			bad(store.Velocity, k)
			return nil
		}
		cards = append(cards, c)
		return nil
	})
	if err != nil {
		return err
	}
	if g.seq, err = t.o.Store.LastNumber(store.History); err != nil {
		return err
	}
	// All of the history says what is usual here; the log wants its youngest end.
	var events []throttle.Event
	if err := t.o.Store.Rows(store.History, nil, func(k, v []byte) error {
		e, err := throttle.ParseEvent(v)
		if err != nil {
			bad(store.History, k)
			return nil
		}
		t.care.usual.Add(e)
		t.care.records.Add(e)
		t.care.limits.Add(e)
		t.care.grace.Add(e)
		if len(k) == 8 && binary.BigEndian.Uint64(k)+throttle.InLog > g.seq {
			events = append(events, e)
		}
		return nil
	}); err != nil {
		return err
	}
	if len(g.bad) > 0 || len(cards) == 0 && (d.Seen || d.Totals.DebitN > 0) {
		d.Desk.Safe = d.Clock.Now(d.Saved.Logical, zone).At + throttle.SafeTime
		t.o.Journal.Record(journal.Event{Code: prompt.RuleSafe, Source: "throttle", Fields: []journal.Field{journal.Count("bad", len(g.bad)), journal.Count("cards", len(cards))}})
	}
	g.book.Load(cards, events, zone)
	t.care.learned = t.care.usual.Days()
	g.book.Learn(t.care.usual.Learned())
	t.sawStarts(d, events)
	return nil
}

// SetRules puts a set in force, between two steps.
func (t *Terminal) SetRules(r *throttle.Rules) { t.guard.rules = r }

// Rules are those in force.
func (t *Terminal) Rules() *throttle.Rules { return t.guard.rules }

// Book is what the desk remembers; only in the loop.
func (t *Terminal) Book() *throttle.Book { return t.guard.book }

// nameCard makes the scopes of a number that is in the vault.
func (t *Terminal) nameCard(ref pos.CardRef, p card.PAN) error {
	if _, ok := t.guard.scopes[ref]; ok {
		return nil
	}
	s, err := card.ScopeOf(t.mac, p)
	if err != nil {
		return err
	}
	t.guard.logged[ref] = s.Log
	t.guard.scopes[ref] = throttle.Scopes{Key: s.Key, Tags: throttle.Tags{Card: s.Card, Bin8: s.Bin8}}
	return nil
}

func (t *Terminal) mac(b []byte) ([32]byte, error) {
	return t.board.Keys.HMAC(hal.SlotCardRef, scopeGeneration, b)
}

// scopesFor finds the names of the card that an event is about; where the card
// itself is long gone, its record's seal has the number.
func (t *Terminal) scopesFor(e txn.Event) throttle.Scopes {
	ref, class, id := t.state.Card, pos.Class(0), pos.RecordID{}
	switch e.Kind {
	case txn.Presented:
		ref = e.Card
	case txn.Found:
		ref = e.Row.Card
	case txn.SaleDone, txn.Booted:
		in := t.state.Durable.Open
		ref, class, id = in.Card, pos.ClassReversal, in.ID
		if s := txn.SpecOf(in.Kind); s != nil && s.Unknown == txn.Repeat {
			class = pos.ClassAdvice
		}
	case txn.RecordDone, txn.Closed, txn.Parked:
		ref, class, id = e.Record.Card, e.Record.Class, e.Record.RecordID
	}
	if ref.IsZero() {
		return throttle.Scopes{}
	}
	if s, ok := t.guard.scopes[ref]; ok {
		return s
	}
	if class == 0 || id.STAN == 0 || t.board.Keys == nil {
		return throttle.Scopes{}
	}
	sealed, err := t.o.Store.Sealed(store.RecordKey{Class: class, ID: id})
	if err != nil {
		return throttle.Scopes{}
	}
	pan, _, err := keys.OpenCard(t.board.Keys, sealed, t.o.Store.AAD(class, id))
	if err != nil || t.nameCard(ref, pan) != nil {
		return throttle.Scopes{}
	}
	return t.guard.scopes[ref]
}

// forgetScopes keeps the names of what is still in front of us or open.
func (t *Terminal) forgetScopes() {
	const few = 64
	if len(t.guard.scopes) <= few {
		return
	}
	for ref := range t.guard.scopes {
		if ref != t.state.Card && ref != t.state.Durable.Open.Card {
			delete(t.guard.scopes, ref)
			delete(t.guard.logged, ref)
		}
	}
}

// watch adds what the rules look at.
func (t *Terminal) watch(e *txn.Event) {
	g := &t.guard
	if g.rules == nil {
		return
	}
	e.Rules = g.rules
	now := t.state.Durable.Clock.Now(e.At.Logical, zone)
	e.Watch = g.book.Facts(t.scopesFor(*e), now)
	if e.Kind != txn.Presented {
		return
	}
	if o := t.state.Order; o != "" {
		if v, err := t.o.Store.Get(store.Orders, []byte(o)); err == nil {
			if err := json.Unmarshal(v, &e.Paid); err != nil {
				t.o.Log.Warn("order", "err", err)
			}
		} else if !errors.Is(err, store.ErrNotFound) {
			t.o.Log.Warn("order", "err", err)
		}
	}
}

// rows turns the effects of the rules into rows of the commit.
func (t *Terminal) rows(c *store.Change, at pos.Time, fx []txn.Effect) {
	t.tableRows(c, fx)
	g := &t.guard
	seq := g.seq
	add := func(e throttle.Event) {
		seq++
		c.Rows = append(c.Rows, store.Row{Room: store.History, Key: store.NumberKey(seq), Value: e.AppendRow(nil)})
		if seq > store.MaxHistory {
			c.Rows = append(c.Rows, store.Row{Room: store.History, Key: store.NumberKey(seq - store.MaxHistory)})
		}
	}
	now := t.state.Durable.Clock.Now(at.Logical, zone).At
	for _, x := range fx {
		switch x := x.(type) {
		case txn.PutCard:
			gone, full := g.book.Room(x.Card.Key, now)
			if full {
				continue // nothing may go for it: it is asked about instead
			}
			if !gone.IsZero() {
				c.Rows = append(c.Rows, store.Row{Room: store.Velocity, Key: gone[:]})
			}
			// The last word on a card in one step counts; bbolt writes it once.
			c.Rows = append(c.Rows, store.Row{Room: store.Velocity, Key: x.Card.Key[:], Value: x.Card.AppendRow(nil)})
		case txn.PutEvent:
			add(x.Event)
		case txn.PutOrder:
			c.Rows = append(c.Rows, orderRow(x))
		}
	}
	if c.Empty() {
		return
	}
	if c.State != nil {
		c.Rows = append(c.Rows, g.bad...)
		c.Rows = append(c.Rows, t.anchorRows()...)
	}
	for _, e := range g.soft {
		add(e)
	}
}

// orderRow is what an order reference has paid.
func orderRow(x txn.PutOrder) store.Row {
	r := store.Row{Room: store.Orders, Key: []byte(x.Order)}
	if x.Row.STAN == 0 {
		return r
	}
	p := pos.Sale{RecordID: x.Row.RecordID, Kind: x.Row.Kind, Amount: x.Row.Amount, AuthCode: x.Row.AuthCode, RRN: x.Row.RRN, At: x.Row.At}
	if v, err := json.Marshal(p); err == nil {
		r.Value = v
	}
	return r
}

// keepRows follows a commit in the copy.
func (t *Terminal) keepRows(c store.Change, at pos.Time, fx []txn.Effect) {
	g := &t.guard
	now := t.state.Durable.Clock.Now(at.Logical, zone)
	for _, x := range fx {
		switch x := x.(type) {
		case txn.PutCard:
			g.book.Keep(x.Card, now.At)
		case txn.PutEvent:
			g.book.Note(x.Event, now.Day)
			t.learn(x.Event)
		}
	}
	if c.Empty() {
		return
	}
	if c.State != nil {
		g.bad = nil
	}
	for _, r := range c.Rows {
		if r.Room == store.History && r.Value != nil {
			g.seq = max(g.seq, binary.BigEndian.Uint64(r.Key))
		}
	}
	g.soft = g.soft[:0]
	if g.flush != nil && len(t.care.rows) == 0 {
		g.flush()
		g.flush = nil
	}
}

// noteSoft takes an event that goes with the next commit.
func (t *Terminal) noteSoft(e throttle.Event) {
	g := &t.guard
	g.book.Note(e, t.state.Durable.Clock.Now(t.now().Logical, zone).Day)
	t.learn(e)
	t.sawSoft(e)
	g.soft = append(g.soft, e)
	if len(g.soft) >= softMost {
		t.flushSoft()
		return
	}
	wait := softFor
	if e.What == throttle.InputBad {
		wait = time.Second // numbers that are tried are counted over a power cut as well
	}
	t.flushIn(wait)
}

// flushIn sees to it that what waits for a commit gets one of its own, if none
// comes sooner.
func (t *Terminal) flushIn(d time.Duration) {
	g, due := &t.guard, t.clock.Now().Boot+d
	if g.flush != nil {
		if g.flushAt <= due {
			return
		}
		g.flush()
	}
	g.flushAt, g.flush = due, t.clock.AfterFunc(d, func() { t.post(t.flushSoft) })
}

// flushSoft writes what no commit took along. It is an aside: nothing of money
// is in it.
func (t *Terminal) flushSoft() {
	g := &t.guard
	if g.flush != nil {
		g.flush()
		g.flush = nil
	}
	if len(g.soft)+len(t.care.rows) == 0 || t.err != nil {
		return
	}
	var c store.Change
	for i, e := range g.soft {
		n := g.seq + uint64(i) + 1
		c.Rows = append(c.Rows, store.Row{Room: store.History, Key: store.NumberKey(n), Value: e.AppendRow(nil)})
		if n > store.MaxHistory {
			c.Rows = append(c.Rows, store.Row{Room: store.History, Key: store.NumberKey(n - store.MaxHistory)})
		}
	}
	c.Rows = append(c.Rows, t.care.rows...)
	c.Aside = true
	if err := t.commitAside(c); err != nil {
		t.fail(err)
		return
	}
	g.seq += uint64(len(g.soft))
	g.soft, t.care.rows = g.soft[:0], nil
}

// commitAside writes rows that nobody waits for.
func (t *Terminal) commitAside(c store.Change) error {
	began := t.clock.Now().Boot
	err := t.o.Store.Commit(c, nil)
	t.sawWrite(began, err)
	return err
}

// evidence gives the diagnosis what a rule of one's own says by firing. What the
// rules of the build look at are signals already.
func (t *Terminal) evidence(id throttle.ID) {
	if id.Num() < throttle.OwnRules || t.guard.rules == nil {
		return
	}
	x, _ := t.guard.rules.Find(id)
	for _, e := range x.Evidence {
		if n, ok := diagnose.RowOf(e.Cause); ok {
			t.see(diagnose.Obs{Kind: diagnose.Said, Code: uint16(n), N: int32(e.Nats * 100)})
		}
	}
}

// decided writes down what the rules said: by which rules, how often, for how
// long.
func (t *Terminal) decided(x txn.Decided) {
	d := x.Decision
	t.careDecided(x)
	t.traceRules(x)
	for _, h := range d.Hits[:d.HitCount] {
		t.see(diagnose.Obs{Kind: diagnose.Hit, Code: uint16(h.ID.Num()), N: int32(h.Action)})
		t.evidence(h.ID)
	}
	hits := ""
	for i, h := range d.Hits[:d.HitCount] {
		if i > 0 {
			hits += " "
		}
		hits += fmt.Sprintf("%v:%v:%d", h.ID, h.Action, h.Count)
	}
	fields := []journal.Field{journal.Word("rule", d.Rule.String()), journal.Word("action", d.Action.String()), journal.Count("count", d.Count),
		journal.Duration("window", d.Window), journal.Word("hits", hits), journal.Code("text", d.Text), journal.Card("card", x.Masked)}
	if left := d.Wait - t.state.Moment(t.now().Logical).At; d.Wait != 0 && left > 0 {
		fields = append(fields, journal.Duration("wait", left.Round(time.Second)))
	}
	if t.guard.rules != nil {
		fields = append(fields, journal.Count("version", t.guard.rules.Version))
	}
	t.o.Journal.Record(journal.Event{Code: prompt.LogDecision, Source: "throttle", Tx: txID(x.ID), Fields: fields})
}
