package terminal

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"swipewell/firmware/care"
	"swipewell/firmware/diagnose"
	"swipewell/firmware/hostlink"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// senses collect what is seen, where it is seen, for the diagnosis.
type senses struct {
	win    *diagnose.Window
	ends   map[uint64]cardEnd // how the last payment of a card ended
	trip   float64            // what an exchange usually takes, ms
	trips  int
	sent   time.Duration // boottime at which the message under way had left; 0 none
	link   uint8         // that is up
	form   uint16
	rank   diagnose.Ranking
	args   prompt.Args
	seq    int           // of the observations that rank has seen
	at     time.Duration // logical, of rank
	radio  hal.Signal
	logged string
}

type cardEnd struct {
	code   uint16
	at     time.Duration
	amount int64
	order  string
}

// see takes an observation.
func (t *Terminal) see(o diagnose.Obs) {
	o.At = t.now().Logical
	if o.Form == 0 {
		o.Form = t.state.Form
	}
	o.Op = t.state.Durable.Operator
	t.senses.win.Add(o)
}

// sawEvent looks at an event before it is taken.
func (t *Terminal) sawEvent(e txn.Event) {
	s := &t.senses
	t.heard(e)
	tags := t.guard.scopes[e.Card].Tags
	switch e.Kind {
	case txn.Presented:
		if s.form != t.state.Form || t.state.Phase == txn.Stopped {
			s.form = t.state.Form
		}
		if last, ok := s.ends[tags.Card]; ok && tags.Card != 0 {
			gap, o := e.At.Logical-last.at, diagnose.Obs{Kind: diagnose.Repeat, Card: tags.Card, Bin: tags.Bin8, Code: last.code}
			if t.state.Keyed == last.amount {
				o.Sum = last.amount
			}
			o.N = int32(gap / time.Second)
			switch {
			case gap > 10*time.Minute:
			case t.state.Order != "" && last.order != "" && last.order != t.state.Order: // another order: a person says so
				if o.Sum != 0 && last.code == diagnose.EndApproved {
					t.see(diagnose.Obs{Kind: diagnose.Confirm})
				}
			default:
				t.see(o)
			}
		}
	case txn.Booted:
		if e.Code == prompt.TamperOpen {
			t.careFault(e.Code)
			t.see(diagnose.Obs{Kind: diagnose.Tamper})
		}
	case txn.SaleDone:
		t.sawSale(e)
	case txn.AdminDone, txn.SignOnDone:
		code := uint16(1)
		if e.Reply.Kind == txn.Answered {
			code = 0
		}
		defer t.checkedEcho(code == 0)
		t.see(diagnose.Obs{Kind: diagnose.Echo, Code: code})
	case txn.Unreadable:
		switch e.Code {
		case prompt.CardForm, prompt.CardNumber:
			t.see(diagnose.Obs{Kind: diagnose.Input, Code: 2})
		}
	case txn.TypeDone:
		if e.Code != "" {
			t.see(diagnose.Obs{Kind: diagnose.Input, Code: 1})
		}
	case txn.Faulted:
		t.careFault(e.Code)
		if e.Code == prompt.TamperOpen {
			t.see(diagnose.Obs{Kind: diagnose.Tamper})
		}
	}
}

func (t *Terminal) sawSale(e txn.Event) {
	s, in := &t.senses, t.state.Durable.Open
	tags := t.guard.scopes[in.Card].Tags
	o := diagnose.Obs{Kind: diagnose.Sale, Card: tags.Card, Bin: tags.Bin8, Sum: in.Amount.Minor}
	r := e.Reply
	switch r.Kind {
	case txn.NotSent:
		o.Code = diagnose.EndNotSent
	case txn.NoAnswer:
		o.Code = diagnose.EndNoAnswer
	default:
		copy(o.RC[:], r.RC)
		o.Code = diagnose.EndDeclined
		switch r.RC {
		case "00", "10", "11", "A2", "A4", "A5", "A6":
			o.Code = diagnose.EndApproved
		}
		if r.MAC == txn.MACWrong || r.MAC == txn.MACMissing && o.Code == diagnose.EndApproved {
			o.Code = diagnose.EndNoAnswer
			t.see(diagnose.Obs{Kind: diagnose.Frame})
		}
		if r.RC == "45" { // the chip is wanted
			t.see(diagnose.Obs{Kind: diagnose.Misuse, Code: 1})
		}
	}
	t.see(o)
	if tags.Card != 0 {
		if len(s.ends) > 256 {
			clear(s.ends)
		}
		s.ends[tags.Card] = cardEnd{o.Code, e.At.Logical, in.Amount.Minor, in.Order}
	}
}

// sawStep looks at what a step has done.
func (t *Terminal) sawStep(before txn.State) {
	if t.state.Form != before.Form {
		t.see(diagnose.Obs{Kind: diagnose.Begin})
	}
}

// sawSoft looks at what was noted.
func (t *Terminal) sawSoft(e throttle.Event) {
	switch e.What {
	case throttle.Cancelled:
		t.see(diagnose.Obs{Kind: diagnose.Cancel})
	case throttle.Misuse:
		if e.RC != throttle.RCOf("45") { // a chip that was swiped: seen at the stripe
			t.see(diagnose.Obs{Kind: diagnose.Misuse})
		}
		if t.lesson != nil {
			t.lesson.Marks.Misuse++
		}
	case throttle.Confirm:
		t.see(diagnose.Obs{Kind: diagnose.Confirm})
	}
}

// sawExchange looks at one message and its end; began is when it was asked for.
func (t *Terminal) sawExchange(r hostlink.Reply) {
	s := &t.senses
	if r.Kind == txn.Answered && s.sent != 0 {
		took := t.clock.Now().Boot - s.sent
		t.care.stages.Add(care.StageHost, took)
		ms := float64(took) / float64(time.Millisecond)
		t.see(diagnose.Obs{Kind: diagnose.Trip, N: int32(ms), Link: s.link})
		// What is usual is learned slowly, and a bad quarter of an hour not at all.
		if s.trips++; s.trips <= 20 {
			s.trip += (ms - s.trip) / float64(s.trips)
		} else if ms < 3*s.trip {
			s.trip += (ms - s.trip) / 200
		}
	}
	s.sent = 0
	t.sawRadio()
}

// sawRadio samples the signal.
func (t *Terminal) sawRadio() {
	for _, l := range t.board.Links {
		r, ok := l.Dialer.(hal.Signaler)
		if !ok {
			continue
		}
		sig := r.Signal()
		o := diagnose.Obs{Kind: diagnose.Radio, N: int32(sig.CSQ), Code: uint16(max(sig.BER, 0))}
		if sig.Registered {
			o.RC[0] = 1
		}
		t.see(o)
		t.senses.radio = sig
		return
	}
}

// HearLine takes what the line says; any goroutine may call it.
func (t *Terminal) HearLine(n hostlink.Notice) {
	t.post(func() { t.sawLine(n) })
}

func (t *Terminal) sawLine(n hostlink.Notice) {
	place := func() uint8 {
		for i, l := range t.board.Links {
			if strings.Contains(" "+strings.ReplaceAll(n.What, ":", " ")+" ", " "+l.Name+" ") {
				return uint8(i)
			}
		}
		return 0
	}
	switch n.Code {
	case prompt.LogLateAnswer, prompt.LogBadAnswer:
		t.see(diagnose.Obs{Kind: diagnose.Frame})
	case prompt.LogLink:
		switch {
		case strings.HasPrefix(n.What, "up "):
			t.senses.link = place()
			t.see(diagnose.Obs{Kind: diagnose.Dial, Link: t.senses.link})
		case strings.HasPrefix(n.What, "down "):
			if n.Sent > 0 {
				t.see(diagnose.Obs{Kind: diagnose.Segments, Code: uint16(min(n.Sent, 1<<16-1)), N: int32(n.Again), Link: place()})
			}
		case strings.HasPrefix(n.What, "dial failed "):
			o := diagnose.Obs{Kind: diagnose.Dial, Link: place(), Code: 1}
			var le *hal.LinkError
			if errors.As(n.Err, &le) {
				o.Code = uint16(le.Cause) + 1
			}
			t.see(o)
		}
	}
}

// slowWrite is a commit that took too long.
const slowWrite = 500 * time.Millisecond

// sawWrite looks at a commit.
func (t *Terminal) sawWrite(began time.Duration, err error) {
	d := t.clock.Now().Boot - began
	if err == nil {
		t.care.stages.Add(care.StageWrite, d)
	}
	switch {
	case errors.Is(err, hal.ErrTampered): // not the memory: the keys are gone
	case err != nil:
		t.see(diagnose.Obs{Kind: diagnose.Write, Code: 1, N: int32(d / time.Millisecond)})
	case d >= slowWrite:
		t.see(diagnose.Obs{Kind: diagnose.Write, Code: 2, N: int32(d / time.Millisecond)})
	}
}

// sawPass looks at one pass of a stripe.
func (t *Terminal) sawPass(s hal.Swipe) {
	t.worn(func(w *care.Wear) { w.Swipes++ })
	o := diagnose.Obs{Kind: diagnose.Pass, Code: uint16(s.Tracks[1].Fault), N: diagnose.PaceUnknown}
	if s.Pace.Bit > 0 {
		o.N = diagnose.PaceGood
		if !s.Pace.Good() {
			o.N = diagnose.PaceBad
		}
	}
	t.see(o)
}

// Window is what was seen; only in the loop.
func (t *Terminal) Window() *diagnose.Window { return t.senses.win }

// normal is what is usual here.
func (t *Terminal) normal(now pos.Time) diagnose.Base {
	m := t.state.Durable.Clock.Now(now.Logical, zone)
	l := t.guard.book.Learned()
	b := diagnose.Base{Links: len(t.board.Links), P90: l.P90, Odd: !l.Open(m.Minute, 30), Limit: t.o.Profile.MaxAmount, PerHour: t.usual(m)}
	if t.guard.rules != nil && t.guard.rules.Set.Limit > 0 {
		b.Limit = min(b.Limit, t.guard.rules.Set.Limit)
	}
	if t.senses.trips >= 5 {
		b.Trip = t.senses.trip
	}
	if t.o.Base != nil {
		t.o.Base(&b)
	}
	return b
}

// Rank is what the device thinks now; only in the loop.
func (t *Terminal) Rank() diagnose.Ranking {
	s := &t.senses
	now := t.now()
	if s.win.Seq() == s.seq && now.Logical-s.at < 10*time.Second && s.seq != 0 {
		return s.rank
	}
	s.rank = diagnose.Rank(s.win.Read(now.Logical, t.normal(now)), s.win.Told(now.Logical))
	s.args = s.rank.Args(s.win, now.Logical)
	s.seq, s.at = s.win.Seq(), now.Logical
	t.logCause()
	return s.rank
}

// perhaps is how likely a trouble must be for its test to be asked for.
const perhaps = .25

// unsure is what a cashier is told where the cause is not clear: what would tell
// most. Whoever may be honest is no guess.
func (t *Terminal) unsure(r diagnose.Ranking) (c txn.Cause) {
	if r.Quiet() {
		return c
	}
	names, likely := []string{}, 0.0
	for i, x := range r.Top[:2] {
		switch x.Row.Cause {
		case diagnose.NONE:
			continue
		case diagnose.FRD:
			return txn.Cause{}
		}
		c.Perhaps[i], likely = x.Row.Code, max(likely, x.P)
		names = append(names, t.word("cause."+x.Row.Name()))
	}
	if likely < perhaps {
		return txn.Cause{}
	}
	c.Code, c.Args = prompt.CauseUnsure, prompt.Args{Field: strings.Join(names, ", "), Host: t.word("test." + r.Test)}
	return c
}

// cause is what a cashier is told: one sentence, and a cause only if it is sure.
func (t *Terminal) cause() txn.Cause {
	r := t.Rank()
	top := r.Top[0]
	switch {
	case !r.Sure:
		return t.unsure(r)
	case top.Row.Cause == diagnose.NONE && r.Sig[diagnose.Meant].Level == 0:
		return txn.Cause{}
	}
	// Whoever may be honest is not named on less.
	if top.Row.Cause == diagnose.FRD && top.P < .8 {
		return txn.Cause{}
	}
	c := txn.Cause{Code: top.Row.Code, Args: t.senses.args}
	switch top.Row.Cause {
	case diagnose.SYS, diagnose.EXT:
		c.Lasts = true
	case diagnose.NET:
		c.Lasts = true
	}
	return c
}

// logCause writes down what is thought, whenever it changes.
func (t *Terminal) logCause() {
	r := t.senses.rank
	top := r.Top[0]
	word := fmt.Sprint(top.Row.Name(), r.Sure)
	if word == t.senses.logged || top.Row.Cause == diagnose.NONE && t.senses.logged == "" {
		return
	}
	t.senses.logged = word
	t.careCause(r)
	t.o.Journal.Record(journal.Event{Code: prompt.LogCause, Source: "diagnose", Fields: causeFields(r)})
}

// causeFields are the cause that is held most likely, and what speaks for it.
func causeFields(r diagnose.Ranking) []journal.Field {
	top := r.Top[0]
	fields := []journal.Field{journal.Word("cause", top.Row.Name()), journal.Code("why", top.Row.Code), journal.Count("percent", int(top.P*100+.5)), journal.Flag("sure", r.Sure),
		journal.Word("next", r.Top[1].Row.Name())}
	for i, e := range r.Evidence() {
		fields = append(fields, journal.Word("e"+string(rune('1'+i)), fmt.Sprintf("%v=%d/%d %+.2f", e.Signal, e.N, e.Of, e.Nats)))
	}
	if !r.Sure {
		fields = append(fields, journal.Word("test", r.Test))
	}
	return fields
}
