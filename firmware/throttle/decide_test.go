package throttle

import (
	"math/rand/v2"
	"testing"
	"time"

	"swipewell/firmware/pos"
)

// shop is a desk with its book: it drives the rules as the reducer does.
type shop struct {
	book  *Book
	rules *Rules
	now   Time
	day   int32
	desk  Desk
	limit int64
	learn Learned
}

func newShop() *shop {
	return &shop{book: NewBook(0), rules: Default(), now: 1000 * time.Hour, day: 20_000, limit: 5_000_000}
}

func scopesOf(n int) Scopes {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	var k Key
	for i := range k {
		k[i] = byte(r.Uint32())
	}
	return Scopes{Key: k, Tags: Tags{Card: uint64(n)*2654435761 + 1, Bin8: uint32(n/100) + 1}}
}

func (s *shop) facts(card int) Facts {
	f := s.book.Facts(scopesOf(card), Moment{At: s.now, Day: s.day, Minute: 9*60 + 30})
	f.Desk, f.Limit, f.Learned = s.desk, s.limit, s.learn
	return f
}

func (s *shop) ask(card int, amount int64) Decision {
	return s.rules.Decide(Attempt{On: PreSale, What: Sale, Amount: amount, Op: 1, Entry: Swiped}, s.facts(card))
}

// done books an outcome.
func (s *shop) done(card int, amount int64, o Outcome, rc string) {
	sc := scopesOf(card)
	c := s.book.Facts(sc, Moment{At: s.now, Day: s.day}).Card
	s.book.Keep(c.Add(Seen{At: s.now, Amount: amount, Outcome: o, RC: RCOf(pos.ResponseCode(rc)), Op: 1, Kind: Sale}, s.day), s.now)
	s.book.Note(Event{At: s.now, What: Sale, Outcome: o, RC: RCOf(pos.ResponseCode(rc)), Op: 1, Entry: Swiped, Amount: amount, Tags: sc.Tags}, s.day)
}

func (s *shop) event(e Event) {
	e.At = s.now
	s.book.Note(e, s.day)
}

func (s *shop) wants(t *testing.T, card int, amount int64, a Action, id string) Decision {
	t.Helper()
	d := s.ask(card, amount)
	if d.Action != a || a != Allow && d.Rule.String() != id {
		t.Fatalf("card %d, %d fen: %v by %v, want %v by %s", card, amount, d.Action, d.Rule, a, id)
	}
	return d
}

// Each rule fires at its threshold, not before, and lets go.
func TestRulesFireAndLetGo(t *testing.T) {
	t.Run("R00", func(t *testing.T) {
		f := newShop().facts(1)
		f.InFlight = true
		if d := Default().Decide(Attempt{On: PreSale, Amount: 100}, f); d.Action != Ignore {
			t.Fatal(d)
		}
	})
	t.Run("R01", func(t *testing.T) {
		f := newShop().facts(1)
		f.Open = true
		if d := Default().Decide(Attempt{On: PreSale, Amount: 100}, f); d.Action != Hold {
			t.Fatal(d)
		}
	})
	t.Run("R02", func(t *testing.T) {
		s := newShop()
		s.done(1, 1280, Approved, "00")
		s.wants(t, 1, 1280, Absorb, "R02a")
		s.wants(t, 1, 1281, Allow, "")
		s.wants(t, 2, 1280, Allow, "")
		s.now += 10*time.Second - 1
		s.wants(t, 1, 1280, Absorb, "R02a")
		s.now++ // (now-10s, now]: half open
		d := s.wants(t, 1, 1280, Ask, "R02b")
		if d.Matched.Amount != 1280 || d.Count != 2 {
			t.Errorf("%+v", d)
		}
		s.now += 590*time.Second - 1
		s.wants(t, 1, 1280, Ask, "R02b")
		s.now++
		s.wants(t, 1, 1280, Warn, "R02c")
		s.now += 2*time.Hour - 600*time.Second
		s.wants(t, 1, 1280, Allow, "")
	})
	t.Run("R02 exemptions", func(t *testing.T) {
		s := newShop()
		s.done(1, 1280, Approved, "00")
		s.now += time.Minute
		f := s.facts(1)
		// Within two minutes a keyed quantity is no reason: R02d.
		if d := s.rules.Decide(Attempt{On: PreSale, Amount: 1280, Qty: true}, f); d.Action != Ask || d.Rule != MakeID(2, 4) {
			t.Errorf("a quantity at once: %v by %v", d.Action, d.Rule)
		}
		s.now += 61 * time.Second
		f = s.facts(1)
		for _, a := range []Attempt{{On: PreSale, Amount: 1280, Order: true}, {On: PreSale, Amount: 1280, Qty: true}} {
			if d := s.rules.Decide(a, f); d.Action != Allow {
				t.Errorf("%+v: %v", a, d.Action)
			}
		}
		f.Grant = Grant{Key: scopesOf(1).Key, Amount: 1280, Until: s.now + time.Second, Factors: PIN}
		if d := s.rules.Decide(Attempt{On: PreSale, Amount: 1280}, f); d.Action != Allow {
			t.Errorf("with a grant: %v", d.Action)
		}
		for name, g := range map[string]Grant{
			"another card":   {scopesOf(2).Key, 1280, s.now + time.Second, PIN},
			"another amount": {scopesOf(1).Key, 1281, s.now + time.Second, PIN},
			"too late":       {scopesOf(1).Key, 1280, s.now, PIN},
			"no factor":      {scopesOf(1).Key, 1280, s.now + time.Second, NoFactors},
		} {
			f.Grant = g
			if d := s.rules.Decide(Attempt{On: PreSale, Amount: 1280}, f); d.Action != Ask {
				t.Errorf("a grant for %s: %v", name, d.Action)
			}
		}
	})
	t.Run("R02 after a void or a reversal", func(t *testing.T) {
		s := newShop()
		for o, to := range map[Outcome]Outcome{Approved: Voided, Unknown: Reversed} {
			s.done(1, 1280, o, "00")
			s.now += time.Minute
			c := s.book.Facts(scopesOf(1), Moment{}).Card
			s.book.Keep(c.Amend(1280, o, to, s.day), s.now)
			s.wants(t, 1, 1280, Allow, "")
		}
	})
	t.Run("R03", func(t *testing.T) {
		f := newShop().facts(1)
		f.Paid = true
		if d := Default().Decide(Attempt{On: PreSale, Amount: 100, Order: true}, f); d.Action != Absorb || d.Rule != MakeID(3, 0) {
			t.Fatal(d)
		}
	})
	t.Run("R04", func(t *testing.T) {
		s := newShop()
		s.done(1, 100, Approved, "00")
		s.now += time.Minute
		s.wants(t, 1, 300, Allow, "")
		s.done(1, 200, Approved, "00")
		s.now += time.Minute
		d := s.wants(t, 1, 300, Ask, "R04")
		if d.Count != 3 || d.Matched.Amount != 200 || d.Second.Amount != 100 {
			t.Errorf("%+v", d)
		}
		s.now += 4 * time.Minute
		s.wants(t, 1, 300, Allow, "")
	})
	t.Run("R05", func(t *testing.T) {
		s := newShop()
		for i := range 4 {
			s.done(1, int64(100+i), Approved, "00")
			s.now += 6 * time.Minute
		}
		d := s.wants(t, 1, 300, Cool, "R05")
		if left := d.Wait - s.now; left != 60*time.Second || !d.Changed {
			t.Errorf("waits %v", left)
		}
		s.book.Keep(d.Cooled, s.now)
		s.now += 59 * time.Second
		s.wants(t, 1, 300, Cool, "R35")
		s.now += time.Second // served: the same history imposes no second one
		s.wants(t, 1, 300, Allow, "")
		s.done(1, 300, Approved, "00")
		s.now += time.Minute
		s.wants(t, 1, 301, Cool, "R05")
	})
	t.Run("R06", func(t *testing.T) {
		s := newShop()
		for i := range 8 {
			s.done(1, int64(100+i), Approved, "00")
			s.now += 2 * time.Hour
		}
		s.wants(t, 1, 300, Supervise, "R06")
		s.now += 8 * time.Hour
		s.wants(t, 1, 300, Allow, "")
	})
	t.Run("R07", func(t *testing.T) {
		s := newShop()
		s.done(1, 100, Declined, "43")
		d := s.wants(t, 1, 300, Refuse, "R07a")
		if d.Factors != NoFactors || d.Wait != s.now+24*time.Hour {
			t.Errorf("%+v", d)
		}
		s.now += 24 * time.Hour
		s.wants(t, 1, 300, Allow, "")
		s.done(2, 100, Declined, "54")
		s.wants(t, 2, 300, Ask, "R07b")
	})
	t.Run("R08", func(t *testing.T) {
		s := newShop()
		for range 3 {
			s.wants(t, 1, 10_000, Allow, "")
			s.done(1, 10_000, Declined, "51")
			s.now += 10 * time.Minute
		}
		s.wants(t, 1, 10_000, Refuse, "R08")
		s.wants(t, 1, 20_000, Refuse, "R08")
		s.wants(t, 1, 9_999, Allow, "") // a smaller amount may be asked
		s.now += 24 * time.Hour
		s.wants(t, 1, 10_000, Allow, "")
	})
	t.Run("R09", func(t *testing.T) {
		s := newShop()
		s.done(1, 100, Declined, "65")
		if d := s.wants(t, 1, 1, Refuse, "R09a"); !d.Day {
			t.Error("not until the next day")
		}
		s.done(2, 50_000, Declined, "61")
		s.wants(t, 2, 50_000, Refuse, "R09b")
		s.wants(t, 2, 49_999, Allow, "")
		s.now += 24 * time.Hour
		s.day++
		s.wants(t, 1, 1, Allow, "")
		s.wants(t, 2, 50_000, Allow, "")
	})
	t.Run("R10", func(t *testing.T) {
		s := newShop()
		s.done(1, 100, Declined, "05")
		s.wants(t, 1, 100, Allow, "")
		s.done(1, 100, Declined, "05")
		d := s.wants(t, 1, 100, Cool, "R10a")
		s.book.Keep(d.Cooled, s.now)
		s.now += 30 * time.Second
		s.wants(t, 1, 100, Allow, "")
		s.done(1, 100, Declined, "05")
		s.wants(t, 1, 100, Supervise, "R10b")
		s.now += 5 * time.Minute
		for range 5 {
			s.done(1, 100, Declined, "05")
			s.now += 6 * time.Minute
		}
		s.wants(t, 1, 100, Refuse, "R10c")
	})
	t.Run("R11", func(t *testing.T) {
		s := newShop()
		s.done(1, 100, Declined, "55")
		s.wants(t, 1, 100, Allow, "")
		s.done(1, 100, Declined, "55")
		s.wants(t, 1, 100, Warn, "R11a")
		s.done(1, 100, Declined, "75")
		if d := s.wants(t, 1, 100, Refuse, "R11b"); d.Factors != NoFactors {
			t.Error("a locked PIN can be passed by")
		}
	})
	t.Run("R12", func(t *testing.T) {
		s := newShop()
		g, ok := s.rules.Pace()
		if !ok {
			t.Fatal("no pace")
		}
		for i := range 8 {
			if d := s.ask(i, 100); d.Action != Allow {
				t.Fatalf("%d: %v", i, d.Action)
			}
			s.desk.TAT, _ = g.Take(s.desk.TAT, s.now)
		}
		d := s.wants(t, 9, 100, Pace, "R12")
		if d.Stops() {
			t.Error("somebody is refused for load alone")
		}
		s.now += 6 * time.Second
		s.wants(t, 9, 100, Allow, "")
	})
	t.Run("R13", func(t *testing.T) {
		s := newShop()
		for i := range 3 {
			s.wants(t, 9, 100, Allow, "")
			s.done(i, 100, Declined, "91")
		}
		if d := s.wants(t, 9, 100, Warn, "R13"); d.Stops() {
			t.Error("the bank's trouble stops a customer")
		}
		s.wants(t, 0, 100, Warn, "R13") // and no card is held to account
		s.now += 5 * time.Minute
		s.wants(t, 9, 100, Allow, "")
	})
	t.Run("R14", func(t *testing.T) {
		s := newShop()
		for i := range 3 {
			s.done(i, 100, Declined, "14")
			s.now += 10 * time.Second
		}
		s.wants(t, 9, 100, Allow, "")
		// The fourth locks with its own outcome.
		e := Event{At: s.now, What: Sale, Outcome: Declined, RC: RC{'1', '4'}, Tags: scopesOf(3).Tags, Amount: 100}
		f := s.facts(3)
		f.Just = e
		d := s.rules.Decide(Attempt{On: OnResult, Amount: 100}, f)
		if d.Action != Lock || d.Rule != MakeID(14, 0) {
			t.Fatalf("%v %v", d.Action, d.Rule)
		}
		s.done(3, 100, Declined, "14")
		s.wants(t, 9, 100, Lock, "R14")       // the same series
		s.wants(t, 901, 100, Allow, "")       // another
		s.desk.Swipe = s.now + 15*time.Minute // the lock that the outcome set
		s.wants(t, 901, 100, Lock, "R34")
		f = s.facts(901)
		if d := s.rules.Decide(Attempt{On: PreSale, Amount: 100, Entry: Chip}, f); d.Action != Allow {
			t.Errorf("a chip card: %v", d.Action)
		}
		s.now += 15 * time.Minute
		s.wants(t, 9, 100, Allow, "")
	})
	t.Run("R15", func(t *testing.T) {
		s := newShop()
		for i := range 7 {
			s.wants(t, 5000, 100, Allow, "")
			s.done(i*100, 100, Declined, "05")
			s.now += 20 * time.Second
		}
		s.wants(t, 5000, 100, Supervise, "R15")
		s.now += 15 * time.Minute
		s.wants(t, 5000, 100, Allow, "")
	})
	t.Run("R16", func(t *testing.T) {
		s := newShop()
		for range 2 {
			s.wants(t, 1, 4_500_001, Allow, "")
			s.done(1, 4_500_000, Approved, "00")
			s.now += 3 * time.Hour
		}
		s.wants(t, 1, 4_500_001, Supervise, "R16")
		s.wants(t, 1, 3_999_999, Allow, "")
		s.wants(t, 2, 4_500_001, Allow, "")
	})
	t.Run("R17", func(t *testing.T) {
		s := newShop()
		for _, card := range []int{1, 2, 1, 2} {
			s.done(card, 300_000, Approved, "00")
			s.now += 31 * time.Minute
		}
		s.wants(t, 3, 200_000, Supervise, "R17")
		s.wants(t, 3, 200_001, Allow, "")
	})
	t.Run("R18", func(t *testing.T) {
		s := newShop()
		s.learn = Learned{P90: 20_000, Days: MinDays}
		s.wants(t, 1, 20_000, Supervise, "R18")
		s.wants(t, 1, 19_999, Allow, "")
		s.learn.Hours[0] = 1 << 9 // Monday nine o'clock
		s.wants(t, 1, 20_000, Allow, "")
		s.learn.Hours[0] = 1 << 10 // within half an hour of ten
		s.wants(t, 1, 20_000, Allow, "")
		s.learn.Hours[0] = 1 << 11
		s.wants(t, 1, 20_000, Supervise, "R18")
		s.learn.Days-- // not learned yet
		s.wants(t, 1, 20_000, Allow, "")
	})
	t.Run("R19", func(t *testing.T) {
		s := newShop()
		s.learn = Learned{MedianHour: 10_000, Days: MinDays}
		for i := range 10 {
			s.done(i%3, int64(5_001+i), Approved, "00")
			s.now += 10 * time.Minute
		}
		s.wants(t, 4, 100, Supervise, "R19")
		s.learn.MedianHour = 20_000
		s.wants(t, 4, 100, Allow, "")
	})
	t.Run("R20", func(t *testing.T) {
		s := newShop()
		s.done(1, 500, Approved, "00")
		refund := func(op uint8) Decision {
			return s.rules.Decide(Attempt{On: OnRefund, What: Refund, Amount: 500, Op: op}, s.facts(1))
		}
		for range 3 {
			if d := refund(1); d.Action != Allow {
				t.Fatal(d.Action)
			}
			s.event(Event{What: Refund, Outcome: Approved, Op: 1, Amount: 500})
		}
		if d := refund(1); d.Action != Supervise || d.Rule.String() != "R20a" {
			t.Error(d.Action, d.Rule)
		}
		if d := refund(2); d.Action != Allow {
			t.Error("another operator:", d.Action)
		}
		if d := s.rules.Decide(Attempt{On: OnRefund, What: Refund, Amount: 500, Op: 2}, s.facts(2)); d.Rule.String() != "R20b" {
			t.Error("a card that never paid:", d.Rule)
		}
	})
	t.Run("R21", func(t *testing.T) {
		s := newShop()
		for range 5 {
			if d := s.rules.Decide(Attempt{On: OnOverride, Op: 1}, s.facts(1)); d.Action != Allow {
				t.Fatal(d.Action)
			}
			s.event(Event{What: Confirm, Op: 1})
		}
		if d := s.rules.Decide(Attempt{On: OnOverride, Op: 1}, s.facts(1)); d.Action != Supervise || d.Factors != PINToken {
			t.Error(d.Action, d.Factors)
		}
		if d := s.rules.Decide(Attempt{On: OnOverride, Op: 2}, s.facts(1)); d.Action != Allow {
			t.Error(d.Action)
		}
	})
	t.Run("R22", func(t *testing.T) {
		s := newShop()
		for i := range 4 {
			f := s.facts(0)
			f.Just = Event{At: s.now, What: Cancelled, Op: 1}
			if d := s.rules.Decide(Attempt{On: OnKeys, Op: 1}, f); (d.Action == Warn) != (i == 3) {
				t.Fatalf("cancel %d: %v", i+1, d.Action)
			}
			s.event(Event{What: Cancelled, Op: 1})
			s.now += 20 * time.Second
		}
	})
	t.Run("R23", func(t *testing.T) {
		s := newShop()
		for i := range 3 {
			f := s.facts(0)
			f.Just = Event{At: s.now, What: InputBad, Entry: Keyed}
			if d := s.rules.Decide(Attempt{On: OnKeyed}, f); (d.Action == Lock) != (i == 2) {
				t.Fatalf("error %d: %v", i+1, d.Action)
			}
			s.event(Event{What: InputBad, Entry: Keyed})
			s.now += time.Minute
		}
	})
	t.Run("R24", func(t *testing.T) {
		s := newShop()
		for i := range 3 {
			f := s.facts(0)
			f.Just = Event{At: s.now, What: ReadFail, N: 5}
			if d := s.rules.Decide(Attempt{On: OnReadFail, Form: 5}, f); (d.Action == Warn) != (i == 2) {
				t.Fatalf("pass %d: %v", i+1, d.Action)
			}
			s.event(Event{What: ReadFail, N: 5})
			s.wants(t, 1, 100, Allow, "") // it never counts against a card
		}
	})
}

// The settings' limits, the lost table, and a full one.
func TestStates(t *testing.T) {
	s := newShop()
	s.desk.Safe = s.now + SafeTime
	s.wants(t, 1, 100, Ask, "R33")
	s.now += SafeTime
	s.wants(t, 1, 100, Allow, "")
	r, err := Default().WithText("p", "profile p for default version 1\nsettings {\n card_day: 10.00\n terminal_day: 50.00\n}\n")
	if err != nil {
		t.Fatal(err)
	}
	s.rules = r
	s.done(1, 900, Approved, "00")
	s.now += 3 * time.Hour
	s.wants(t, 1, 101, Refuse, "R30")
	s.wants(t, 1, 100, Allow, "")
	s.done(2, 4100, Approved, "00")
	s.wants(t, 3, 1, Refuse, "R31")
}

// A payment that a supervisor let pass while the card waited is history like any
// other: the wait that ends afterwards was not for it.
func TestApprovedWhileCooling(t *testing.T) {
	s := newShop()
	for i := range 4 {
		s.done(1, int64(1000+i), Approved, "00")
		s.now += 6 * time.Minute
	}
	d := s.wants(t, 1, 2000, Cool, "R05")
	s.book.Keep(d.Cooled, s.now)
	s.now += 10 * time.Second
	s.done(1, 2000, Approved, "00") // on a supervisor's word
	s.wants(t, 1, 2100, Cool, "R35")
	s.now += 2 * time.Minute
	d = s.wants(t, 1, 2100, Cool, "R05")
	s.book.Keep(d.Cooled, s.now)
	s.now = s.now + d.Cooled.Cooling(s.now) + time.Second
	s.wants(t, 1, 2100, Allow, "")
}
