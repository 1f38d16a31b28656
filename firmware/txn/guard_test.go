package txn

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// ruledDesk is a desk with the rules of the build and a book, as the loop keeps
// it, at which a sale has been signed on for.
func ruledDesk(t interface{ Fatalf(string, ...any) }) *desk {
	d := newDesk(t)
	d.now = time.Hour
	book, rules := throttle.NewBook(0), throttle.Default()
	scopes := func(c pos.CardRef) (s throttle.Scopes) {
		if !c.IsZero() {
			s.Key, s.Tags = throttle.Key{c[0], 1}, throttle.Tags{Card: uint64(c[0]), Bin8: 62258801}
		}
		return s
	}
	d.s.Profile.Staff = 2
	d.pre = func(e *Event) {
		ref := d.s.Card
		switch e.Kind {
		case Presented:
			ref = e.Card
		case SaleDone:
			ref = d.s.Durable.Open.Card
		case RecordDone:
			ref = e.Record.Card
		}
		e.Rules = rules
		e.Watch = book.Facts(scopes(ref), d.s.Durable.Clock.Now(d.now, zone))
	}
	d.post = func(fx []Effect) {
		for _, x := range fx {
			switch x := x.(type) {
			case PutCard:
				book.Keep(x.Card, d.now)
			case PutEvent:
				book.Note(x.Event, 0)
			case NoteEvent:
				book.Note(x.Event, 0)
			}
		}
	}
	return d
}

// confirm waits until keys act, and presses enter through the PIN to the request.
func (d *desk) confirm() {
	d.now += 2 * time.Second
	d.keys("enter")
	if d.s.Phase == EnteringPIN {
		d.do(Event{Kind: PINDone, PIN: PINBypassed})
		if !d.s.Durable.SignedOn {
			d.signOn()
		}
	}
}

// sells makes one approved sale.
func (d *desk) sells(c pos.CardRef, amount ...Key) {
	d.keys(append(amount, "enter")...)
	d.present(c)
	d.confirm()
	if _, ok := has[SendSale](d.fx); !ok {
		d.t.Fatalf("no sale was sent: %v %v", d.s.Phase, d.s.Code)
	}
	reply := approval()
	reply.Amount = d.s.Durable.Open.Amount.Minor
	d.do(Event{Kind: SaleDone, Reply: reply})
	d.do(Event{Kind: PrintDone, ID: d.s.Durable.Last.ID})
	d.keys("cancel")
}

// sent counts what would have left for the host.
func (d *desk) sent(f func()) (n int) {
	post := d.post
	d.post = func(fx []Effect) {
		post(fx)
		if _, ok := has[SendSale](fx); ok {
			n++
		}
	}
	f()
	d.post = post
	return n
}

// TestGuardAbsorbs: the same card and amount within ten seconds shows the result
// again; nothing is sent, no form goes on.
func TestGuardAbsorbs(t *testing.T) {
	d := ruledDesk(t)
	d.sells(cardA, "1", "2", "8", "0")
	if n := d.sent(func() {
		d.now += 3 * time.Second
		d.keys("1", "2", "8", "0", "enter")
		d.present(cardA)
		d.want(prompt.RuleDupNow)
		d.confirm()
		d.keys("enter", "enter")
	}); n != 0 || d.s.Durable.Open.Open() || d.s.Durable.Sales != 1 {
		t.Errorf("%d requests left, %d sales", n, d.s.Durable.Sales)
	}
	// Another card, or another amount, pays at once.
	d.sells(cardB, "1", "2", "8", "0")
	d.sells(cardA, "1", "2", "8", "1")
}

// TestGuardAsks: within ten minutes a person is asked, and what enter takes never
// charges, however often it is pressed; nor does any other key but the choice of
// a second payment; nor the time that goes by.
func TestGuardAsks(t *testing.T) {
	ask := func(t interface{ Fatalf(string, ...any) }) *desk {
		d := ruledDesk(t)
		d.sells(cardA, "1", "2", "8", "0")
		d.now += time.Minute
		d.keys("1", "2", "8", "0", "enter")
		d.present(cardA)
		d.want(prompt.Duplicate)
		return d
	}
	d := ask(t)
	if c := d.s.Choices(); c[0] != prompt.ChoiceView || d.s.Sel != 0 {
		t.Errorf("the first choice is %v", c[0])
	}
	d = ask(t)
	d.keys("3")
	d.confirm()
	if _, ok := has[SendSale](d.fx); !ok {
		t.Errorf("a second payment that was chosen was not sent: %v %v", d.s.Phase, d.s.Code)
	}
	rapid.Check(t, func(t *rapid.T) {
		d := ask(t)
		if n := d.sent(func() {
			for range rapid.IntRange(1, 25).Draw(t, "n") {
				if d.s.Phase != Choosing {
					return
				}
				k := rapid.SampledFrom([]Key{"enter", "enter", "enter", "clear", "0", "1", "2", "4", "7", "f1", "f2", "menu", "time"}).Draw(t, "key")
				if k == "time" {
					d.now += time.Minute
					d.do(Event{Kind: TimerExpired, N: d.s.Timer})
					continue
				}
				d.keys(k)
			}
		}); n != 0 {
			t.Fatalf("%d requests left", n)
		}
	})
}

// TestGuardHolds: a card whose payment had no answer is held, whatever the
// amount, also after a power cut, until the host has reversed it; other cards pay.
func TestGuardHolds(t *testing.T) {
	d := ruledDesk(t)
	d.sells(cardB, "1", "0", "0", "0")
	d.now += time.Hour
	d.keys("1", "2", "8", "0", "enter")
	d.present(cardA)
	d.confirm()
	d.do(Event{Kind: SaleDone, Reply: Reply{Kind: NoAnswer}})
	for _, amount := range []Key{"1", "9"} {
		d.now += time.Hour // no time frees it
		d.keys("cancel", amount, "0", "0", "enter")
		if n := d.sent(func() { d.present(cardA); d.confirm() }); n != 0 || d.s.Code != prompt.Gated {
			t.Errorf("%s00: %d requests left, the screen says %v", amount, n, d.s.Code)
		}
	}
}

// supervisor approves what is stopped; ok is what their PIN says.
func (d *desk) supervisor() {
	d.keys("f2", "9", "0", "enter")
	d.do(Event{Kind: Named, N: 90, OK: true})
}

// TestGrant: a second person's word is for this card and this amount, for two
// minutes, and once.
func TestGrant(t *testing.T) {
	stopped := func() *desk {
		d := ruledDesk(t)
		for i := range 4 { // the fifth within half an hour waits
			d.sells(cardA, Key('1'+rune(i)), "0", "0", "0")
			d.now += 6 * time.Minute
		}
		d.keys("8", "0", "0", "0", "enter")
		d.present(cardA)
		if d.s.Phase != Stopped || d.s.Code != prompt.RuleWait {
			t.Fatalf("%v %v", d.s.Phase, d.s.Code)
		}
		if _, ok := has[SendAdmin](d.fx); ok { // since the start nobody has told the time
			d.do(Event{Kind: AdminDone, Reply: Reply{Kind: Answered, RC: "00", MAC: MACValid}})
		}
		return d
	}
	d := stopped()
	d.supervisor()
	g := d.s.Grant
	if g.Amount != 8000 || g.Key != (throttle.Key{cardA[0], 1}) || g.Until-d.s.Moment(d.now).At != 120*time.Second || g.Factors != throttle.PIN {
		t.Errorf("%+v at %v", g, d.s.Moment(d.now).At)
	}
	if d.s.Phase != Confirming {
		t.Fatalf("after the approval: %v %v", d.s.Phase, d.s.Code)
	}
	d.confirm()
	if _, ok := has[SendSale](d.fx); !ok {
		t.Fatalf("an approved payment was not sent: %v", d.s.Code)
	}
	// It is used up with its form, and the history stands.
	reply := approval()
	reply.Amount = 8000
	d.do(Event{Kind: SaleDone, Reply: reply})
	d.do(Event{Kind: PrintDone, ID: d.s.Durable.Last.ID})
	d.keys("cancel")
	d.now += time.Minute
	d.keys("8", "0", "0", "1", "enter")
	d.present(cardA)
	if d.s.Phase != Stopped && d.s.Phase != Choosing || d.s.Grant != (throttle.Grant{}) {
		t.Errorf("the next payment: %v %v, grant %+v", d.s.Phase, d.s.Code, d.s.Grant)
	}
	// Nobody approves what they rang up; a wrong PIN approves nothing, and five
	// close approvals.
	d = stopped()
	d.s.Durable.Operator = 90
	d.keys("f2", "9", "0", "enter")
	if d.s.Phase != Stopped || d.s.Note != prompt.NameSame {
		t.Errorf("the operator's own word: %v %v", d.s.Phase, d.s.Note)
	}
	d.s.Durable.Operator = 0
	for i := range 5 {
		d.keys("f2", "9", "0", "enter")
		d.do(Event{Kind: Named, N: 90, Code: prompt.NameWrong})
		if d.s.Phase != Stopped || d.s.Grant != (throttle.Grant{}) {
			t.Errorf("wrong PIN %d: %v %+v", i+1, d.s.Phase, d.s.Grant)
		}
	}
	d.keys("f2")
	if d.s.Phase != Stopped || d.s.Note != prompt.NameClosed {
		t.Errorf("after five: %v %v", d.s.Phase, d.s.Note)
	}
}

// TestWrongPINs: whoever knows a PIN of their own gets no more tries at another's
// by it, nor by cutting the power while one is checked, nor by a clock.
func TestWrongPINs(t *testing.T) {
	name := func(d *desk, who string, e Event) {
		d.keys("menu", "9", "1")
		for _, c := range who {
			d.keys(Key(c))
		}
		d.keys("enter")
		if d.s.Phase != Naming {
			t.Fatalf("nobody is asked: %v %v", d.s.Phase, d.s.Code)
		}
		d.do(e)
	}
	wrong := func(n int) Event { return Event{Kind: Named, N: n, Code: prompt.NameWrong} }
	d := ruledDesk(t)
	for i := range 4 {
		name(d, "90", wrong(90))
		if d.s.Code == prompt.NameClosed || d.s.Note == prompt.NameClosed {
			t.Fatalf("closed after %d", i+1)
		}
		name(d, "1", Event{Kind: Named, N: 1, OK: true})
		if d.s.Durable.Operator != 1 {
			t.Fatalf("the cashier's own PIN: %v %v", d.s.Phase, d.s.Code)
		}
		d.s.Durable.Operator = 0
	}
	name(d, "90", wrong(90))
	if d.s.Durable.Desk.Closed == 0 {
		t.Error("five wrong PINs of 90, with right ones of 1 between, and no lock")
	}
	// The right PIN forgives one's own.
	d = ruledDesk(t)
	for range 3 {
		for range 4 {
			name(d, "90", wrong(90))
		}
		name(d, "90", Event{Kind: Named, N: 90, OK: true})
		d.s.Durable.Operator = 0
	}
	if d.s.Durable.Desk.Closed != 0 || d.s.Durable.Desk.Wrong != 0 {
		t.Errorf("%+v", d.s.Durable.Desk)
	}
	// The power goes while the PIN is checked, each time.
	for i := range maxWrong {
		before := d.commits
		name(d, "90", Event{Kind: NameTried, N: 90})
		if d.commits == before {
			t.Fatal("the try is not on the flash before it is looked at")
		}
		d.s = New(d.s.Durable)
		d.do(Event{Kind: Booted, Profile: profile})
		d.s.Profile.Staff = 2
		if got := d.s.Durable.Desk.Wrong; got != i+1 {
			t.Fatalf("after cut %d: %d wrong", i+1, got)
		}
	}
	d.keys("menu", "9", "1")
	if d.s.Durable.Desk.Closed == 0 || d.s.Phase == Naming {
		t.Errorf("another try after five cuts: %v %v", d.s.Phase, d.s.Code)
	}
}

// TestRulesTakeNoCommit: a sale takes three commits, with the rules as without:
// what they remember goes with the money.
func TestRulesTakeNoCommit(t *testing.T) {
	d := ruledDesk(t)
	d.sells(cardB, "5", "0", "0", "0")
	before := d.commits
	d.now += time.Minute
	d.keys("1", "2", "8", "0", "enter")
	d.present(cardA)
	d.confirm()
	if got := d.commits - before; got != 1 {
		t.Errorf("%d commits up to the sending, want 1", got)
	}
	d.do(Event{Kind: SaleDone, Reply: approval()})
	d.want(prompt.Approved)
	if !slices.ContainsFunc(d.fx, func(x Effect) bool { _, ok := x.(PutCard); return ok }) {
		t.Error("the card is not remembered with the money")
	}
	d.do(Event{Kind: PrintDone, ID: d.s.Durable.Last.ID})
	if got := d.commits - before; got != 3 {
		t.Errorf("%d commits a sale, want 3", got)
	}
}
