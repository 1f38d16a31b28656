package txn

import (
	"strings"
	"testing"
	"time"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// keyed signs on from the menu.
func (d *desk) keyed() {
	d.pick(prompt.MenuSignOn)
	d.signOn()
}

// pick goes through the menu to an item.
func (d *desk) pick(item prompt.Code) {
	for _, k := range MenuKeys(item) {
		d.keys(Key(k))
	}
}

// sold makes one approved sale and gives its row.
func (d *desk) sold(card pos.CardRef) pos.Sale {
	d.toOnline(card)
	in := d.s.Durable.Open
	r := approval()
	r.Amount, r.HostTime = in.Amount.Minor, "1123120000"
	d.do(Event{Kind: SaleDone, Reply: r})
	d.do(Event{Kind: PrintDone, ID: in.ID})
	return d.sales[in.ID]
}

// answer ends what the line does with an answer.
func (d *desk) answer(rc pos.ResponseCode) {
	r := Reply{Kind: Answered, RC: rc, MAC: MACValid, Amount: -1, RRN: "000000000777", Auth: "654321", HostTime: "1123120000", LeftBy: d.now}
	d.do(Event{Kind: SaleDone, Reply: r})
	if d.s.Printing {
		d.do(Event{Kind: PrintDone, ID: d.s.Durable.Last.ID})
	}
}

// open brings the form of a kind to the line, with what the device offers.
func (d *desk) open(k pos.TxnKind, amount Key, card pos.CardRef) {
	for item, kind := range started {
		if kind == k {
			d.pick(item)
			break
		}
	}
	if k == pos.KindSale {
		d.keys(amount, "00", "enter")
	}
	for range 12 {
		switch d.s.Phase {
		case Entering:
			if d.s.Args.Field == "" {
				d.keys("1", "2", "3", "4", "5", "6")
			}
			d.keys("enter")
		case Looking:
			d.do(Event{Kind: Found, Row: d.sales[pos.RecordID{Context: "a", Batch: d.s.Durable.Batch, STAN: d.s.Orig.STAN}]})
		case Keying:
			d.keys(amount, "00", "enter")
		case AwaitCard:
			d.present(card)
		case Confirming:
			d.keys("enter")
		case EnteringPIN:
			d.do(Event{Kind: PINDone, PIN: PINBypassed})
		default:
			return
		}
	}
}

// What becomes of each kind: approved, declined, and unknown (money rule 2).
func TestKinds(t *testing.T) {
	for _, c := range []struct {
		kind     pos.TxnKind
		first    pos.TxnKind // what must have been done before
		approved pos.Totals  // after it
		unknown  pos.Class   // what is in the outbox after no answer; 0 nothing
	}{
		{pos.KindSale, "", pos.Totals{DebitN: 1, Debit: 500}, pos.ClassReversal},
		{pos.KindVoid, pos.KindSale, pos.Totals{}, pos.ClassReversal},
		{pos.KindRefund, pos.KindSale, pos.Totals{DebitN: 1, Debit: 1280, CreditN: 1, Credit: 500}, pos.ClassAdvice},
		{pos.KindPreAuth, "", pos.Totals{}, pos.ClassReversal},
		{pos.KindPreAuthVoid, pos.KindPreAuth, pos.Totals{}, pos.ClassReversal},
		{pos.KindCompletion, pos.KindPreAuth, pos.Totals{DebitN: 1, Debit: 500}, pos.ClassReversal},
		{pos.KindCompletionAdvice, pos.KindPreAuth, pos.Totals{DebitN: 1, Debit: 500}, pos.ClassAdvice},
		{pos.KindCompletionVoid, pos.KindCompletion, pos.Totals{}, pos.ClassReversal},
		{pos.KindBalance, "", pos.Totals{}, 0},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			prepare := func() *desk {
				d := newDesk(t)
				d.keyed()
				switch c.first {
				case pos.KindSale:
					d.sold(cardA)
				case pos.KindPreAuth, pos.KindCompletion:
					d.open(pos.KindPreAuth, "5", cardA)
					d.answer("00")
				}
				if c.first == pos.KindCompletion {
					d.open(pos.KindCompletion, "5", cardA)
					d.answer("00")
				}
				d.open(c.kind, "5", cardA)
				if _, ok := has[SendSale](d.fx); !ok || d.s.Durable.Open.Kind != c.kind {
					t.Fatalf("phase %v code %s: nothing was sent", d.s.Phase, d.s.Code)
				}
				return d
			}
			d := prepare()
			before := d.s.Durable.Totals
			d.answer("00")
			if got := d.s.Durable.Totals; got != c.approved {
				t.Errorf("approved: totals %v, want %v", got, c.approved)
			}
			if len(d.rows) != 0 || d.s.Durable.Open.Open() {
				t.Error("approved, and something is open")
			}
			d = prepare()
			d.answer("51")
			if d.s.Durable.Totals != before || len(d.rows) != 0 || d.s.Code != "D-HST-51" {
				t.Errorf("declined: totals %v, %d records, %s", d.s.Durable.Totals, len(d.rows), d.s.Code)
			}
			d = prepare()
			stan := d.s.Durable.Open.ID.STAN
			d.do(Event{Kind: SaleDone, Reply: Reply{Kind: NoAnswer, LeftBy: d.now}})
			if c.unknown == 0 {
				if len(d.rows) != 0 {
					t.Error("unknown: something is in the outbox")
				}
				return
			}
			rec := only(t, d)
			if rec.Class != c.unknown || rec.STAN != stan || rec.State != pos.RecordQueued {
				t.Fatalf("unknown: %v of STAN %v, %s", rec.Class, rec.STAN, rec.State)
			}
			if d.s.Durable.Totals != before {
				t.Error("unknown, and booked")
			}
			// Its end: the reversal leaves what was; the advice books once.
			d.do(Event{Kind: RecordDone, Record: rec, Reply: Reply{Kind: NoAnswer}})
			d.now += time.Minute
			d.do(Event{Kind: OutboxDue})
			rc, want := pos.ResponseCode("00"), before
			if c.unknown == pos.ClassAdvice {
				rc, want = "94", c.approved // the host had booked it already
			}
			d.do(Event{Kind: RecordDone, Record: only(t, d), Reply: Reply{Kind: Answered, RC: rc, MAC: MACValid, Amount: -1}})
			if len(d.rows) != 0 || d.s.Durable.Totals != want {
				t.Errorf("in the end: %d records, totals %v, want %v", len(d.rows), d.s.Durable.Totals, want)
			}
		})
	}
}

// A refund under way stops a second one of the same original, and no other.
func TestNoSecondRefundMeanwhile(t *testing.T) {
	d := newDesk(t)
	d.keyed()
	d.sold(cardA)
	d.open(pos.KindRefund, "5", cardA)
	d.do(Event{Kind: SaleDone, Reply: Reply{Kind: NoAnswer}})
	d.want(prompt.AdviceOpen)
	d.do(Event{Kind: RecordDone, Record: only(t, d), Reply: Reply{Kind: NoAnswer}})
	d.open(pos.KindRefund, "5", cardA)
	d.want(prompt.AdviceOpen)
	if len(d.rows) != 1 {
		t.Errorf("%d refunds are under way", len(d.rows))
	}
}

func offlineDesk(t *testing.T) *desk {
	d := newDesk(t)
	d.s.Profile.Offline = Offline{Each: 50_000, Total: 80_000, Count: 3, Age: time.Hour}
	d.keyed()
	return d
}

// What is made offline counts at once, is forwarded, and comes off the totals
// if the host will not have it.
func TestOffline(t *testing.T) {
	d := offlineDesk(t)
	d.s.Durable.Batch = 1
	d.open(pos.KindOffline, "5", cardA)
	rec := only(t, d)
	if rec.Class != pos.ClassAdvice || rec.AuthCode != "123456" || d.s.Durable.Totals.Debit != 500 {
		t.Fatalf("%+v, totals %v", rec, d.s.Durable.Totals)
	}
	if d.sales[rec.RecordID].State != pos.RowPending {
		t.Error("the row does not say that the host has not heard of it")
	}
	d.do(Event{Kind: RecordDone, Record: rec, Reply: Reply{Kind: Answered, RC: "00", MAC: MACValid}})
	if d.sales[rec.RecordID].State != pos.RowBooked || len(d.rows) != 0 {
		t.Error("delivered, and not so marked")
	}
	d.do(Event{Kind: PrintDone, ID: rec.RecordID})
	d.open(pos.KindTip, "1", cardA)
	if d.s.Durable.Totals.Debit != 600 || d.sales[rec.RecordID].Tip != 100 {
		t.Errorf("tip: %v", d.s.Durable.Totals)
	}
	tip := only(t, d)
	d.do(Event{Kind: RecordDone, Record: tip, Reply: Reply{Kind: Answered, RC: "51", MAC: MACValid}})
	d.want(prompt.OfflineRefused)
	if r := only(t, d); r.State != pos.RecordRefused || d.s.Durable.Totals.Debit != 500 || d.sales[rec.RecordID].Tip != 0 {
		t.Errorf("refused tip: %s, %v", r.State, d.s.Durable.Totals)
	}
	// A supervisor closes it, and nothing else does.
	d.do(Event{Kind: Closed, Record: only(t, d), Reason: "called the customer"})
	if _, ok := has[PrintTicket](d.fx); !ok || len(d.rows) != 0 {
		t.Error("closed without a ticket, or still there")
	}
}

func TestOfflineLimits(t *testing.T) {
	o := Offline{Each: 500, Total: 800, Count: 2, Age: time.Hour}
	for _, c := range []struct {
		o      Offline
		s      SAF
		amount int64
		now    time.Duration
		want   prompt.Code
	}{
		{Offline{}, SAF{}, 1, 0, prompt.OfflineOff},
		{o, SAF{}, 500, 0, ""},
		{o, SAF{}, 501, 0, prompt.OfflineEach},
		{o, SAF{Count: 1, Sum: 500}, 300, 0, ""},
		{o, SAF{Count: 1, Sum: 500}, 301, 0, prompt.OfflineTotal},
		{o, SAF{Count: 2, Sum: 2}, 1, 0, prompt.OfflineCount},
		{o, SAF{Count: 1, Sum: 1, Oldest: time.Minute}, 1, time.Hour + time.Minute, ""},
		{o, SAF{Count: 1, Sum: 1, Oldest: time.Minute}, 1, time.Hour + 61*time.Second, prompt.OfflineAge},
	} {
		if got := c.o.refuses(c.s, c.amount, c.now); got != c.want {
			t.Errorf("%+v %+v %d: %q, want %q", c.o, c.s, c.amount, got, c.want)
		}
	}
}

// settleReply is the host's answer to one message of a settlement.
func (d *desk) settleReply(code byte) {
	d.do(Event{Kind: SettleDone, Reply: Reply{Kind: Answered, RC: map[bool]pos.ResponseCode{true: "", false: "00"}[code != 0], Code48: code}})
}

// The order of HOST §1.4, and a power cut at every step goes on where it was.
func TestSettlement(t *testing.T) {
	for _, cut := range []int{0, 1, 2, 3, 4} {
		d := newDesk(t)
		d.keyed()
		for range 10 {
			d.sold(cardA)
		}
		d.pick(prompt.MenuSettle)
		if d.s.Phase != Settling {
			t.Fatalf("phase %v", d.s.Phase)
		}
		reboot := func(n int) {
			if cut != n {
				return
			}
			d.s = New(d.s.Durable)
			d.do(Event{Kind: Booted, Profile: profile})
			d.want(prompt.SettleResumed)
		}
		reboot(1)
		d.keys("1")
		if d.s.Phase != Settling {
			t.Fatal("a sale begins in a half-settled batch")
		}
		d.settleReply('2') // unequal: every row goes up, eight at a time
		reboot(2)
		for i := range 2 {
			x, ok := has[SendSettle](d.fx)
			if !ok || x.Settle.Step != SettleUpload || x.Upload.N != []int{8, 2}[i] {
				t.Fatalf("cut %d: upload %d is %+v", cut, i, d.fx)
			}
			d.do(Event{Kind: SettleDone, Reply: Reply{Kind: Answered, RC: "00"}})
			for _, ok := has[Wake](d.fx); ok; _, ok = has[Wake](d.fx) {
				d.do(Event{Kind: OutboxDue})
			}
			if i == 0 {
				reboot(3)
			}
		}
		if x, ok := has[SendSettle](d.fx); !ok || x.Settle.Step != SettleEnd || x.Settle.Sent != 10 {
			t.Fatalf("cut %d: no batch end with 10 rows: %+v", cut, d.fx)
		}
		d.settleReply(0)
		reboot(4)
		if _, ok := has[PrintTotals](d.fx); !ok {
			t.Fatalf("cut %d: no totals slip", cut)
		}
		if len(d.sales) != 10 {
			t.Fatal("the batch went before its slip")
		}
		d.do(Event{Kind: PrintDone})
		d.want(prompt.SettledUneven)
		if len(d.sales) != 0 || d.s.Durable.Batch != 8 || d.s.Durable.Totals != (pos.Totals{}) || d.s.Durable.Settled.Totals.DebitN != 10 {
			t.Errorf("cut %d: %d rows, batch %v, %+v", cut, len(d.sales), d.s.Durable.Batch, d.s.Durable.Settled)
		}
	}
}

// After its batch nobody can say whether an original was booked: 25 leads to a
// person, and the card stays gated (money rule 5).
func TestUnresolvedAfterItsBatch(t *testing.T) {
	d := newDesk(t)
	d.toOnline(cardA)
	d.do(Event{Kind: SaleDone, Reply: Reply{Kind: NoAnswer}})
	rec := only(t, d)
	d.do(Event{Kind: RecordDone, Record: rec, Reply: Reply{Kind: NoAnswer}})
	d.s.Durable.Batch++
	d.now += time.Hour
	d.do(Event{Kind: OutboxDue})
	d.do(Event{Kind: RecordDone, Record: only(t, d), Reply: Reply{Kind: Answered, RC: "25", MAC: MACValid}})
	if r := only(t, d); r.State != pos.RecordUnresolved {
		t.Fatalf("%s", r.State)
	}
	d.keys("1", "enter")
	d.present(cardA)
	d.want(prompt.Gated)
}

// A record of which no message can be made steps back by itself: others go on,
// its card alone waits, and it is never dropped.
func TestPoisonStepsBack(t *testing.T) {
	d := newDesk(t)
	d.keyed()
	d.toOnline(cardA)
	d.do(Event{Kind: SaleDone, Reply: Reply{Kind: NoAnswer, Code: prompt.NetHostSilent, LeftBy: d.now}})
	for try := range 6 {
		rec := only(t, d)
		if d.s.Work != WorkRecord {
			d.do(Event{Kind: OutboxDue})
		}
		d.do(Event{Kind: RecordDone, Record: rec, Reply: Reply{Kind: NotSent, Code: prompt.Internal}})
		got := only(t, d)
		if got.Next <= d.now || got.State != pos.RecordQueued || d.s.Hold > d.now || d.s.DialFails != 0 {
			t.Fatalf("try %d: %+v, hold %v", try, got, d.s.Hold)
		}
		d.sold(cardB)
		d.now += got.Next - d.now
	}
}

// A restored store sells nothing before its batch was settled and a supervisor
// signed; its numbers are past all that can have been used.
func TestRestored(t *testing.T) {
	for stan, want := range map[pos.STAN]pos.STAN{1: 100_001, 950_000: 50_001, 900_000: 1, 999_999: 100_000} {
		if got := (Durable{STAN: stan}).Skipped().STAN; got < 1 || got > pos.MaxSTAN || got != want {
			t.Errorf("%d jumps to %d, want %d", stan, got, want)
		}
	}
	d := newDesk(t)
	d.keyed()
	d.sold(cardA)
	d.s = New(d.s.Durable.Skipped())
	d.do(Event{Kind: Booted, Profile: profile})
	d.want(prompt.Restored)
	d.keys("5")
	d.want(prompt.Restored)
	if d.s.Phase == Keying {
		t.Fatal("it sells")
	}
	d.do(Event{Kind: Signed, Reason: "no look"})
	if d.s.Durable.Restored != RestoredCompare {
		t.Fatal("signed before it was compared")
	}
	d.s.Durable.Restored = RestoredSign // what closeBatch makes of it; scripts settle for real
	d.keys("enter")
	d.want(prompt.RestoredSign)
	d.do(Event{Kind: Signed, Reason: "compared"})
	d.keys("5")
	if d.s.Phase != Keying {
		t.Errorf("signed, and it does not sell: %v %s", d.s.Phase, d.s.Code)
	}
}

// A host's DE 48 has three digits for a count: 1,234 sales are balanced by 234.
func TestTotalsAsTheWireHasThem(t *testing.T) {
	ours := pos.Totals{DebitN: 1234, Debit: 5, CreditN: 1, Credit: 2}
	if got := wire(ours); got.DebitN != 234 || got.Debit != 5 || got.CreditN != 1 {
		t.Errorf("%+v", got)
	}
	if s := hostSays(pos.Totals{DebitN: 1, Debit: 2, CreditN: 234, Credit: 5}, ours, '2'); !strings.Contains(s, "swapped") {
		t.Error(s)
	}
}
