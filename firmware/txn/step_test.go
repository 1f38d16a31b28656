package txn

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"swipewell/firmware/outbox"
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

var (
	profile = Profile{Context: "a", Currency: pos.CNY, MaxAmount: 5_000_000, SettleAfter: 90 * time.Second, MaxOpen: 3,
		CardTimeout: time.Minute, ConfirmTime: 30 * time.Second, PINTimeout: time.Minute, PINPad: true, Printer: true, Lang: "zh"}
	cardA = pos.CardRef{1}
	cardB = pos.CardRef{2}
)

// desk drives Step as the loop does: it keeps the rows that a store would keep
// and gathers the facts of each event from them.
type desk struct {
	t       interface{ Fatalf(string, ...any) }
	s       State
	rows    map[pos.RecordID]pos.Record
	sales   map[pos.RecordID]pos.Sale
	now     time.Duration
	fx      []Effect // of the last step
	commits int
	pre     func(*Event)   // adds what the rules look at; nil: no rules
	post    func([]Effect) // keeps what they remember
}

func newDesk(t interface{ Fatalf(string, ...any) }) *desk {
	d := &desk{t: t, s: New(Durable{}), rows: map[pos.RecordID]pos.Record{}, sales: map[pos.RecordID]pos.Sale{}}
	d.do(Event{Kind: Booted, Profile: profile})
	return d
}

func (d *desk) do(e Event) {
	e.At = pos.Time{Wall: 1_700_000_000_000 + d.now.Milliseconds(), Logical: d.now}
	var box outbox.Box
	for _, r := range d.rows {
		box.Put(r)
	}
	f := box.Facts(d.now, d.s.Durable.Settle.Began)
	e.OpenRev, e.Due, e.Later, e.Untried, e.OpenSum = f.Open, f.Due, f.Later, f.Untried, f.OpenSum
	e.Uploads = f.Uploads
	e.SAF = SAF{Count: f.SAF.Count, Sum: f.SAF.Sum, Oldest: f.Oldest}
	if e.Kind == Presented {
		e.Gated = box.Gated(e.Card)
	}
	e.SameOrig = box.SameOrig(d.s.Kind, d.s.Orig)
	if st := d.s.Durable.Settle.Step; st == SettleTotals || st == SettleUpload || st == SettleChip {
		e.Upload = d.upload()
	}
	if d.pre != nil {
		d.pre(&e)
	}
	before := d.s.Durable
	var rows bool
	d.s, d.fx = Step(d.s, e)
	if d.post != nil {
		d.post(d.fx)
	}
	for _, x := range d.fx {
		rows = rows || IsRow(x)
		switch x := x.(type) {
		case PutRecord:
			d.rows[x.Record.RecordID] = x.Record
		case DropRecord:
			if r, ok := d.rows[x.ID]; !ok || r.Class != x.Class {
				d.t.Fatalf("dropped a record that is not there: %v %v", x.Class, x.ID)
			}
			delete(d.rows, x.ID)
		case PutSale:
			d.sales[x.Row.RecordID] = x.Row
		case EditSale:
			r, ok := d.sales[x.ID]
			if !ok {
				continue
			}
			r.Printed = r.Printed || x.Printed
			r.Uploaded = r.Uploaded || x.Uploaded
			if x.State != "" {
				r.State = x.State
			}
			if x.Sent {
				r.State = pos.RowBooked
			}
			if x.Amount != 0 {
				r.Amount.Minor = x.Amount
			}
			if x.Tip != 0 {
				r.Tip = max(x.Tip, 0)
			}
			d.sales[x.ID] = r
		case CloseBatch:
			clear(d.sales)
		}
	}
	if rows || before != d.s.Durable {
		d.commits++
	}
	d.invariants()
}

// invariants hold after every step, whatever happened.
func (d *desk) invariants() {
	armed, open := 0, 0
	for id, r := range d.rows {
		switch {
		case r.State == pos.RecordArmed:
			armed++
			if id != d.s.Durable.Open.ID {
				d.t.Fatalf("an armed record without its intent: %v", id)
			}
		case r.Class == pos.ClassReversal:
			open++
			if _, ok := d.sales[id]; ok {
				d.t.Fatalf("%v is approved and is reversed", id)
			}
		}
	}
	if in := d.s.Durable.Open; (in.Open() && SpecOf(in.Kind).Unknown != Nothing) != (armed == 1) {
		d.t.Fatalf("intent open %v with %d armed records", in.Open(), armed)
	}
	if open != d.s.Durable.Reversals {
		d.t.Fatalf("State counts %d open reversals, the outbox has %d", d.s.Durable.Reversals, open)
	}
	var sum pos.Totals
	for _, r := range d.sales {
		sum.Of(r)
	}
	if sum.Debit != d.s.Durable.Totals.Debit || sum.DebitN != d.s.Durable.Totals.DebitN || sum.Credit != d.s.Durable.Totals.Credit || sum.CreditN != d.s.Durable.Totals.CreditN {
		d.t.Fatalf("State counts totals %v, the rows are %v", d.s.Durable.Totals, sum)
	}
	if len(d.sales) != d.s.Durable.Sales {
		d.t.Fatalf("State counts %d sales, the batch has %d", d.s.Durable.Sales, len(d.sales))
	}
	if d.s.Durable.Open.Open() && d.s.Work != WorkSale && d.s.Work != WorkCard && d.s.Phase != Starting {
		d.t.Fatalf("an open intent and nobody waits for its answer")
	}
	for _, x := range d.fx {
		if y, ok := x.(SendSale); ok && armed != 1 && SpecOf(y.Intent.Kind).Unknown != Nothing {
			d.t.Fatalf("a sale goes out without its reversal on flash")
		}
	}
}

// upload is the next rows as the loop picks them.
func (d *desk) upload() (u Upload) {
	for _, r := range d.sales {
		if !r.Uploaded && r.State == pos.RowBooked && r.Kind == pos.KindSale && u.N < UploadSize {
			u.STANs[u.N] = r.STAN
			u.N++
		}
	}
	return u
}

func (d *desk) keys(ks ...Key) {
	for _, k := range ks {
		d.do(Event{Kind: KeyPressed, Key: k})
	}
}

func (d *desk) present(c pos.CardRef) {
	d.do(Event{Kind: Presented, Card: c, Masked: "622588******0091", Entry: pos.EntrySwipe})
}

func has[E Effect](fx []Effect) (e E, ok bool) {
	for _, x := range fx {
		if e, ok = x.(E); ok {
			return e, true
		}
	}
	return e, false
}

// signOn answers the sign-on that is under way.
func (d *desk) signOn() {
	if _, ok := has[SendSignOn](d.fx); !ok {
		d.t.Fatalf("no sign-on was ordered: %v", d.fx)
	}
	d.do(Event{Kind: SignOnDone, Reply: Reply{Kind: Answered, RC: "00", MAC: MACValid, KeysOK: true, Batch: 7}})
}

// toOnline brings a sale of 12.80 up to the sending of its request.
func (d *desk) toOnline(c pos.CardRef) {
	d.keys("1", "2", "8", "0", "enter")
	d.present(c)
	d.keys("enter")
	d.do(Event{Kind: PINDone, PIN: PINBypassed})
	if !d.s.Durable.SignedOn {
		d.signOn()
	}
	if _, ok := has[SendSale](d.fx); !ok {
		d.t.Fatalf("no sale was sent: phase %v code %v", d.s.Phase, d.s.Code)
	}
}

func approval() Reply {
	return Reply{Kind: Answered, RC: "00", MAC: MACValid, Amount: 1280, RRN: "123456789012", Auth: "A1B2C3"}
}

func (d *desk) want(c prompt.Code) {
	if d.s.Code != c {
		d.t.Fatalf("the screen shows %v (note %v), want %v", d.s.Code, d.s.Note, c)
	}
}

func TestSaleTakesThreeCommits(t *testing.T) {
	d := newDesk(t)
	d.toOnline(cardA)
	d.do(Event{Kind: SaleDone, Reply: approval()})
	d.do(Event{Kind: PrintDone, ID: d.s.Durable.Last.ID})
	d.keys("cancel")
	before := d.commits
	d.toOnline(cardA)
	if got := d.commits - before; got != 1 {
		t.Errorf("%d commits up to the sending, want 1 (intent)", got)
	}
	d.do(Event{Kind: SaleDone, Reply: approval()})
	d.want(prompt.Approved)
	if got := d.commits - before; got != 2 {
		t.Errorf("%d commits up to the result on the screen, want 2", got)
	}
	d.do(Event{Kind: PrintDone, ID: d.s.Durable.Last.ID})
	if got := d.commits - before; got != 3 {
		t.Errorf("%d commits in all, want 3", got)
	}
	if len(d.rows) != 0 || len(d.sales) != 2 {
		t.Errorf("outbox %d, batch %d", len(d.rows), len(d.sales))
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		reply  Reply
		code   prompt.Code
		reason pos.ResponseCode // of the reversal; "" none
		sales  int
	}{
		{"approved", approval(), prompt.Approved, "", 1},
		{"vip", Reply{Kind: Answered, RC: "11", MAC: MACValid}, prompt.ApprovedVIP, "", 1},
		{"defective success", Reply{Kind: Answered, RC: "A2", MAC: MACValid}, prompt.ApprovedConfirm, "", 1},
		{"partial", Reply{Kind: Answered, RC: "10", MAC: MACValid, Amount: 1000}, prompt.ApprovedPartial, "", 1},
		{"partial of more than asked", Reply{Kind: Answered, RC: "10", MAC: MACValid, Amount: 9999}, prompt.UnknownHost, "06", 0},
		{"funds", Reply{Kind: Answered, RC: "51", MAC: MACValid}, "D-HST-51", "", 0},
		{"unknown code", Reply{Kind: Answered, RC: "ZZ", MAC: MACValid}, prompt.DeclinedOther, "", 0},
		{"switch fault proves nothing", Reply{Kind: Answered, RC: "96", MAC: MACValid}, prompt.UnknownHost, "98", 0},
		{"issuer time-out proves nothing", Reply{Kind: Answered, RC: "68", MAC: MACValid}, prompt.UnknownHost, "98", 0},
		{"duplicate STAN", Reply{Kind: Answered, RC: "94", MAC: MACValid}, "D-HST-94", "", 0},
		{"approval with a wrong MAC", Reply{Kind: Answered, RC: "00", MAC: MACWrong}, prompt.UnknownMAC, "A0", 0},
		{"approval without a MAC", Reply{Kind: Answered, RC: "00", MAC: MACMissing}, prompt.UnknownMAC, "A0", 0},
		{"refusal with a wrong MAC", Reply{Kind: Answered, RC: "51", MAC: MACWrong}, prompt.UnknownMAC, "98", 0},
		{"keys off, no MAC", Reply{Kind: Answered, RC: "A0", MAC: MACMissing}, prompt.UnknownMAC, "98", 0},
		{"PIN block error under a valid MAC", Reply{Kind: Answered, RC: "99", MAC: MACValid}, "D-HST-99", "", 0},
		{"never sent", Reply{Kind: NotSent, Code: prompt.NetNoSignal}, prompt.NetNoSignal, "", 0},
		{"no answer", Reply{Kind: NoAnswer}, prompt.UnknownNoAnswer, "98", 0},
		{"line broke", Reply{Kind: NoAnswer, Broken: true}, prompt.UnknownLink, "98", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			d.toOnline(cardA)
			d.do(Event{Kind: SaleDone, Reply: c.reply})
			d.want(c.code)
			var reason pos.ResponseCode
			for _, r := range d.rows {
				reason = r.Reason
				if r.State != pos.RecordQueued {
					t.Errorf("reversal is %v", r.State)
				}
			}
			if reason != c.reason || len(d.sales) != c.sales {
				t.Errorf("reversal reason %q, %d sales; want %q, %d", reason, len(d.sales), c.reason, c.sales)
			}
		})
	}
}

// A late answer never revives a reversed sale: once the exchange has ended,
// nothing that arrives changes anything.
func TestLateAnswerChangesNothing(t *testing.T) {
	d := newDesk(t)
	d.toOnline(cardA)
	d.do(Event{Kind: SaleDone, Reply: Reply{Kind: NoAnswer}})
	before := d.s
	d.do(Event{Kind: SaleDone, Reply: approval()})
	if diff := cmp.Diff(before, d.s); diff != "" {
		t.Errorf("a late answer changed the state:\n%s", diff)
	}
}

// HOST §3.5 rows 2–4: whatever is open at boot is reversed, and the gate of
// its card is shut until the host has said so.
func TestBootReversesWhatIsOpen(t *testing.T) {
	d := newDesk(t)
	d.toOnline(cardA)
	d.s = New(d.s.Durable) // the power fails
	d.do(Event{Kind: Booted, Profile: profile})
	d.want(prompt.UnknownPower)
	if _, ok := has[SendRecord](d.fx); !ok {
		t.Fatalf("no reversal went out: %v", d.fx)
	}
	rec := only(t, d)
	if rec.STAN != 2 || rec.Reason != "98" || rec.Process != "000000" {
		t.Errorf("reversal %+v", rec)
	}
	d.do(Event{Kind: RecordDone, Record: rec, Reply: Reply{Kind: NoAnswer}})
	d.keys("1", "enter")
	d.present(cardA)
	d.want(prompt.Gated)
	rec = only(t, d)
	d.do(Event{Kind: RecordDone, Record: rec, Reply: Reply{Kind: Answered, RC: "00", MAC: MACValid}})
	d.want(prompt.Card) // the gate opened, the amount is kept
	if d.s.Note != prompt.Reversed || d.s.Keyed != 1 || len(d.rows) != 0 {
		t.Errorf("note %v keyed %d rows %d", d.s.Note, d.s.Keyed, len(d.rows))
	}
}

func only(t *testing.T, d *desk) pos.Record {
	t.Helper()
	if len(d.rows) != 1 {
		t.Fatalf("%d records in the outbox", len(d.rows))
	}
	for _, r := range d.rows {
		return r
	}
	panic("unreachable")
}

// Money rule 5: "no such original" closes a reversal only once nothing of the
// original can still be under way.
func TestNoSuchOriginalClosesLate(t *testing.T) {
	for _, rc := range []pos.ResponseCode{"25", "12"} {
		d := newDesk(t)
		d.toOnline(cardA)
		d.now = 10 * time.Second
		d.do(Event{Kind: SaleDone, Reply: Reply{Kind: NoAnswer, LeftBy: d.now}})
		rec := only(t, d)
		d.do(Event{Kind: RecordDone, Record: rec, Reply: Reply{Kind: Answered, RC: rc, MAC: MACValid}})
		rec = only(t, d)
		if want := 100 * time.Second; rec.Next != want {
			t.Errorf("%s: next try at %v, want %v", rc, rec.Next, want)
		}
		d.now = 99 * time.Second
		d.do(Event{Kind: OutboxDue})
		if _, ok := has[SendRecord](d.fx); ok {
			t.Errorf("%s: tried before its time", rc)
		}
		d.now = 100 * time.Second
		d.do(Event{Kind: OutboxDue})
		d.do(Event{Kind: RecordDone, Record: rec, Reply: Reply{Kind: Answered, RC: rc, MAC: MACValid}})
		if len(d.rows) != 0 {
			t.Errorf("%s: still open after settle_after", rc)
		}
	}
}

// Only the host's word under a valid MAC closes a reversal (money rule 4).
func TestReversalStaysWithoutProof(t *testing.T) {
	for _, r := range []Reply{
		{Kind: Answered, RC: "00", MAC: MACWrong}, {Kind: Answered, RC: "00", MAC: MACMissing},
		{Kind: Answered, RC: "96", MAC: MACValid}, {Kind: Answered, RC: "A0", MAC: MACMissing},
		{Kind: Answered, RC: "05", MAC: MACValid}, {Kind: NoAnswer}, {Kind: NotSent, Code: prompt.NetNoCable},
	} {
		d := newDesk(t)
		d.toOnline(cardA)
		d.do(Event{Kind: SaleDone, Reply: Reply{Kind: NoAnswer}})
		d.do(Event{Kind: RecordDone, Record: only(t, d), Reply: r})
		if len(d.rows) != 1 {
			t.Errorf("%+v closed the reversal", r)
		}
		rec := only(t, d)
		if wantTries := map[bool]int{true: 0, false: 1}[r.Kind == NotSent]; rec.Tries != wantTries {
			t.Errorf("%+v: %d tries, want %d (a failed dial uses up none)", r, rec.Tries, wantTries)
		}
	}
}

// Keys that are off: sign on, then the reversal at once under the new key.
func TestBadMACSignsOnThenReverses(t *testing.T) {
	d := newDesk(t)
	d.toOnline(cardA)
	r := approval()
	r.MAC, r.Auth = MACWrong, "666666"
	d.do(Event{Kind: SaleDone, Reply: r})
	if rec := only(t, d); rec.AuthCode != "" {
		t.Errorf("the reversal has DE 38 %q of a message whose MAC is wrong", rec.AuthCode)
	}
	d.signOn()
	if _, ok := has[SendRecord](d.fx); !ok {
		t.Fatalf("after the sign-on the reversal goes out; got %v", d.fx)
	}
	d.do(Event{Kind: RecordDone, Record: only(t, d), Reply: Reply{Kind: Answered, RC: "00", MAC: MACValid}})
	d.want(prompt.Reversed)
}

func TestTooManyOpenStopsOtherCards(t *testing.T) {
	d := newDesk(t)
	for i := range 4 {
		d.toOnline(pos.CardRef{byte(10 + i)})
		d.do(Event{Kind: SaleDone, Reply: Reply{Kind: NoAnswer}})
		for d.s.Work == WorkRecord {
			var last pos.Record
			for _, r := range d.rows {
				if r.Next <= d.now {
					last = r
				}
			}
			d.do(Event{Kind: RecordDone, Record: last, Reply: Reply{Kind: NoAnswer}})
		}
	}
	d.keys("5", "enter")
	d.present(cardB)
	d.want(prompt.TooManyOpen)
}

func TestAmountKeys(t *testing.T) {
	for keys, want := range map[string]int64{
		"1 2 8 0": 1280, "1 2 dot 8 0": 1280, "1 2 dot 8": 1280, "5 00": 500, "1 2 3 clear": 12, "1 dot 5 clear": 1,
		"9 9 9 9 9 9 9 9 9": 999_9999 / 10, // the digit that would pass the limit is refused
	} {
		d := newDesk(t)
		for _, k := range strings.Fields(keys) {
			d.keys(Key(k))
		}
		if strings.HasPrefix(keys, "9 9") {
			if d.s.Keyed > profile.MaxAmount || d.s.Note != prompt.AmountLimit {
				t.Errorf("%s: %d, note %v", keys, d.s.Keyed, d.s.Note)
			}
			continue
		}
		if d.s.Keyed != want {
			t.Errorf("%s: %d, want %d", keys, d.s.Keyed, want)
		}
	}
}

func TestCancelAndTimeoutSendNothing(t *testing.T) {
	for name, act := range map[string]func(d *desk){
		"cancel at card":    func(d *desk) { d.keys("cancel") },
		"time-out at card":  func(d *desk) { d.do(Event{Kind: TimerExpired, N: d.s.Timer}) },
		"cancel at confirm": func(d *desk) { d.present(cardA); d.keys("cancel") },
		"cancel at PIN":     func(d *desk) { d.present(cardA); d.keys("enter"); d.do(Event{Kind: PINDone, PIN: PINCancelled}) },
		"PIN timed out":     func(d *desk) { d.present(cardA); d.keys("enter"); d.do(Event{Kind: PINDone, PIN: PINTimedOut}) },
	} {
		d := newDesk(t)
		d.keys("1", "enter")
		commits := d.commits
		act(d)
		if d.commits != commits || d.s.Phase != Result {
			t.Errorf("%s: %d commits, phase %v", name, d.commits-commits, d.s.Phase)
		}
		if d.s.Code != prompt.Cancelled && d.s.Code != prompt.OperatorTime {
			t.Errorf("%s: %v", name, d.s.Code)
		}
	}
}

func TestStaleTimerIsANoOp(t *testing.T) {
	d := newDesk(t)
	d.keys("1", "enter")
	old := d.s.Timer
	d.present(cardA)
	d.do(Event{Kind: TimerExpired, N: old})
	d.want(prompt.Confirm)
}

func TestPowerCutBeforeThePaper(t *testing.T) {
	d := newDesk(t)
	d.toOnline(cardA)
	d.do(Event{Kind: SaleDone, Reply: approval()})
	d.s = New(d.s.Durable)
	d.do(Event{Kind: Booted, Profile: profile})
	d.want(prompt.Recovered)
	p, ok := has[Print](d.fx)
	if !ok || !p.Copy {
		t.Fatalf("no copy is printed: %v", d.fx)
	}
	d.do(Event{Kind: PrintDone, ID: p.ID})
	if d.s.Durable.Last.Unprinted || !d.sales[p.ID].Printed {
		t.Error("still marked as not printed")
	}
}

func TestBackoffGrowsWithJitter(t *testing.T) {
	for i, want := range []time.Duration{1, 2, 5, 10, 30, 60, 120, 180, 240, 300, 300, 300} {
		want *= time.Second
		for _, rnd := range []uint32{0, 200, 400, 12345} {
			got := Backoff(i+1, rnd)
			if got < want*8/10 || got > want*12/10 {
				t.Errorf("try %d: %v, want %v ±20 %%", i+1, got, want)
			}
		}
	}
	if Backoff(1, 0) == Backoff(1, 400) {
		t.Error("no jitter")
	}
}

// Whatever happens in whatever order: no panic, and the invariants hold.
func TestAnyOrderOfEvents(t *testing.T) {
	keys := []Key{"1", "2", "0", "00", "dot", "enter", "enter", "cancel", "clear", "menu", "up", "down", "f4"}
	rcs := []pos.ResponseCode{"00", "10", "25", "12", "51", "55", "94", "96", "A0", "99", "ZZ"}
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(t)
		for i := range rapid.IntRange(1, 120).Draw(t, "n") {
			label := fmt.Sprint(i)
			d.now += time.Duration(rapid.IntRange(0, 40).Draw(t, "dt"+label)) * time.Second
			reply := Reply{
				Kind: rapid.SampledFrom([]ReplyKind{NotSent, NoAnswer, Answered, Answered, Answered}).Draw(t, "reply"+label),
				RC:   rapid.SampledFrom(rcs).Draw(t, "rc"+label), MAC: rapid.SampledFrom([]MACState{MACValid, MACValid, MACValid, MACWrong, MACMissing}).Draw(t, "mac"+label),
				Amount: rapid.Int64Range(0, 3000).Draw(t, "amt"+label), LeftBy: d.now, KeysOK: rapid.Bool().Draw(t, "kcv"+label), Order: rapid.SampledFrom([]int{0, 0, 0, 3}).Draw(t, "ord"+label),
			}
			var due pos.Record
			for _, r := range d.rows {
				if r.State == pos.RecordQueued && (due.STAN == 0 || r.Next < due.Next) {
					due = r
				}
			}
			switch rapid.IntRange(0, 13).Draw(t, "ev"+label) {
			case 0, 1, 2, 3, 4:
				d.keys(rapid.SampledFrom(keys).Draw(t, "key"+label))
			case 5, 6:
				d.present(rapid.SampledFrom([]pos.CardRef{cardA, cardB, {3}}).Draw(t, "card"+label))
			case 7:
				d.do(Event{Kind: PINDone, PIN: rapid.SampledFrom([]PINOutcome{PINEntered, PINBypassed, PINBypassed, PINCancelled}).Draw(t, "pin"+label)})
			case 8, 9:
				d.do(Event{Kind: SaleDone, Reply: reply})
			case 10:
				d.do(Event{Kind: RecordDone, Record: due, Reply: reply})
			case 11:
				d.do(Event{Kind: SignOnDone, Reply: reply})
			case 12:
				d.do(Event{Kind: rapid.SampledFrom([]Kind{OutboxDue, TimerExpired, PrintDone, AdminDone, Progress}).Draw(t, "k"+label), N: d.s.Timer, ID: d.s.Durable.Last.ID, Reply: reply, Code: prompt.Waiting})
			case 13:
				d.s = New(d.s.Durable)
				d.do(Event{Kind: Booted, Profile: profile})
			}
		}
	})
}

// TestHaltLasts: what the host says of a sale while the device is halted is booked and
// told below, and the device stays halted.
func TestHaltLasts(t *testing.T) {
	for name, c := range map[string]struct {
		reply Reply
		note  prompt.Code
		rows  int
	}{
		"approved": {approval(), prompt.Approved, 1},
		"lost":     {Reply{Kind: NoAnswer}, prompt.UnknownNoAnswer, 0},
		"declined": {Reply{Kind: Answered, RC: "51", MAC: MACValid}, "D-HST-51", 0},
	} {
		d := newDesk(t)
		d.toOnline(cardA)
		d.do(Event{Kind: Faulted, Code: prompt.TamperOpen})
		d.do(Event{Kind: SaleDone, Reply: c.reply})
		if d.s.Phase != Halted || d.s.Code != prompt.TamperOpen || d.s.Note != c.note || len(d.sales) != c.rows {
			t.Errorf("%s: %v %s, note %s, %d rows", name, d.s.Phase, d.s.Code, d.s.Note, len(d.sales))
		}
		d.keys("enter", "1", "enter")
		if d.s.Phase != Halted {
			t.Errorf("%s: a key ends the halt", name)
		}
	}
}
