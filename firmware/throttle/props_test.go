package throttle

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// As long as the ring holds all that a card did, more of the same never makes a
// decision weaker: no rule's count is lost.
func TestMonotoneWithinTheRing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newShop()
		amount := func(l string) int64 { return int64(rapid.IntRange(1, 5).Draw(t, l)) * 10_000 }
		codes := []string{"00", "51", "05", "14", "65", "61", "91", "55", "75", "41"}
		do := func(card int) {
			s.now += time.Duration(rapid.IntRange(1, 500).Draw(t, "gap")) * time.Second
			rc := rapid.SampledFrom(codes).Draw(t, "rc")
			o := Declined
			if rc == "00" {
				o = Approved
			}
			s.done(card, amount("amount"), o, rc)
		}
		for range rapid.IntRange(0, 5).Draw(t, "past") {
			do(0)
		}
		for range rapid.IntRange(0, 5).Draw(t, "others") {
			do(1)
		}
		s.now += time.Duration(rapid.IntRange(0, 900).Draw(t, "then")) * time.Second
		ask := amount("ask")
		before := s.ask(0, ask)
		rc, o := rapid.SampledFrom(codes).Draw(t, "more"), Declined
		if rc == "00" {
			o = Approved
		}
		for range rapid.IntRange(1, 3).Draw(t, "times") {
			s.done(0, ask, o, rc)
		}
		if after := s.ask(0, ask); after.Action < before.Action {
			t.Fatalf("%v by %v became %v by %v after more of %s", before.Action, before.Rule, after.Action, after.Rule, rc)
		}
	})
}

// What the device decided, a replay of its history decides again: no decision
// differs. THROTTLE §5, rule changes.
func TestReplayIsWhatWasDecided(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newShop()
		wall := int64(1_795_000_000)
		const zone = 8 * time.Hour
		var events []Event
		var live []string
		say := func(d Decision) string { return fmt.Sprint(d.Action, " ", d.Rule, " ", d.Count) }
		for range rapid.IntRange(1, 60).Draw(t, "attempts") {
			gap := time.Duration(rapid.IntRange(1, 700).Draw(t, "gap")) * time.Second
			s.now, wall = s.now+gap, wall+int64(gap/time.Second)
			s.day = int32((time.Duration(wall)*time.Second + zone) / dayLength)
			card := rapid.IntRange(1, 5).Draw(t, "card")
			e := Event{At: s.now, Wall: wall, What: Sale, Outcome: Approved, RC: RC{'0', '0'}, Op: 1, Entry: Swiped,
				Amount: rapid.SampledFrom([]int64{1000, 2500, 100_000, 4_500_000}).Draw(t, "amount"), Tags: scopesOf(card).Tags}
			if rc := rapid.SampledFrom([]string{"00", "00", "00", "51", "05", "65", "14"}).Draw(t, "rc"); rc != "00" {
				e.Outcome, e.RC = Declined, RC{rc[0], rc[1]}
			}
			local := time.Duration(wall)*time.Second + zone
			f := s.book.Facts(scopesOf(card), Moment{At: s.now, Day: s.day, Minute: int32((local/time.Minute + 3*24*60) % (7 * 24 * 60))})
			d := s.rules.Decide(Attempt{On: PreSale, What: Sale, Amount: e.Amount, Op: 1, Entry: Swiped}, f)
			live = append(live, say(d))
			if d.Changed {
				s.book.Keep(d.Cooled, s.now)
			}
			if d.Stops() {
				e.What, e.Outcome, e.RC, e.Rule = Stopped, NoOutcome, RC{}, d.Rule
			} else {
				c := s.book.Facts(scopesOf(card), Moment{}).Card
				s.book.Keep(c.Add(Seen{At: e.At, Amount: e.Amount, Outcome: e.Outcome, RC: e.RC, Op: 1, Kind: Sale}, s.day), s.now)
			}
			s.book.Note(e, s.day)
			events = append(events, e)
		}
		i := 0
		Default().Replay(events, Learned{}, zone, func(x Trial) {
			if got := say(x.Decision); got != live[i] {
				t.Fatalf("attempt %d was %s and is %s", i, live[i], got)
			}
			i++
		})
		if i != len(live) {
			t.Fatalf("%d of %d attempts", i, len(live))
		}
	})
}

// The keys and tags that cards happen to have decide nothing, nor does the order
// in which they lie in the table.
func TestKeysDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := newShop(), newShop()
		shift := rapid.IntRange(1, 9).Draw(t, "shift") * 100_000
		for range rapid.IntRange(0, 40).Draw(t, "events") {
			gap := time.Duration(rapid.IntRange(1, 400).Draw(t, "gap")) * time.Second
			card, amount := rapid.IntRange(0, 3).Draw(t, "card"), int64(rapid.IntRange(1, 4).Draw(t, "amount"))*1000
			rc := rapid.SampledFrom([]string{"00", "00", "51", "14", "05"}).Draw(t, "rc")
			o := Declined
			if rc == "00" {
				o = Approved
			}
			for s, n := range map[*shop]int{a: card, b: card + shift} {
				s.now += gap
				s.done(n, amount, o, rc)
			}
		}
		for card := range 4 {
			x, y := a.ask(card, 2000), b.ask(card+shift, 2000)
			x.Cooled, y.Cooled = Card{}, Card{}
			if x != y {
				t.Fatalf("card %d: %+v\nunder another name: %+v", card, x, y)
			}
		}
	})
}

// A cool-down and a penalty last as long as the device ran, and as the host has
// proved; setting a clock, back or forward, by hand or by a host that lies while
// the device runs, ends neither; and the day never goes back.
func TestNoClockStepEndsAPenalty(t *testing.T) {
	const zone = 8 * time.Hour
	rapid.Check(t, func(t *rapid.T) {
		logical, wall := time.Hour, int64(1_795_492_800_000)
		c := Clock{}.Told(wall, logical, zone, true)
		begin := c.Now(logical, zone)
		card := Card{Key: Key{1}}.cooled(begin.At, 20*time.Minute).cooled(begin.At, 20*time.Minute)
		proved, doubt, last := time.Duration(0), time.Duration(0), begin
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			run := time.Duration(rapid.IntRange(0, 240).Draw(t, "run")) * time.Second
			logical += run
			wall += run.Milliseconds()
			cold := rapid.Bool().Draw(t, "start")
			off := time.Duration(rapid.OneOf(rapid.Int64Range(-400*86_400, 800*86_400), rapid.Int64Range(-600, 600)).Draw(t, "step")) * time.Second
			said := wall + off.Milliseconds()
			if off >= -slack && (off <= slack || cold && off <= most) {
				proved += doubt // a second word agrees with the first
			}
			doubt = 0
			switch {
			case !cold || off <= slack:
			case off <= most:
				proved += off
			case off <= farthest:
				proved, doubt = proved+longGone, off-longGone
			default:
				proved += longGone
			}
			c, wall = c.Told(said, logical, zone, cold), said
			now := c.Now(logical, zone)
			if now.At < last.At || now.Day < last.Day {
				t.Fatalf("time went from %+v to %+v", last, now)
			}
			last = now
			gone := now.At - begin.At
			if ran := logical - time.Hour; gone != ran+proved {
				t.Fatalf("%v have gone by, %v ran and %v were proved", gone, ran, proved)
			}
			if left := card.Cooling(now.At); left != max(20*time.Minute-gone, 0) {
				t.Fatalf("%v left after %v", left, gone)
			}
			if level := card.Level(now.At); level != max(2-int(gone/decayCard), 0) {
				t.Fatalf("level %d after %v", level, gone)
			}
		}
	})
}

// The ladder is 15, 60, 240, 960 s, a step down each half hour, and never above
// four.
func TestLadder(t *testing.T) {
	c, now := Card{}, Time(time.Hour)
	for i, want := range []time.Duration{15, 60, 240, 960, 960} {
		c = c.cooled(now, 0)
		if got := c.Cooling(now); got != want*time.Second || c.Level(now) != min(i+1, 4) {
			t.Errorf("step %d: %v at level %d", i+1, got, c.Level(now))
		}
	}
	for i := range 6 {
		at := now + time.Duration(i)*decayCard
		if got := c.Level(at); got != max(4-i, 0) {
			t.Errorf("after %v: level %d", at-now, got)
		}
		if got := c.Level(at - 1); i > 0 && got != max(5-i, 0) {
			t.Errorf("just before: level %d", got)
		}
	}
	if c = (Card{}).cooled(now, maxCool+time.Hour); c.Cooling(now) != maxCool+time.Hour {
		t.Errorf("a rule's own wait is %v", c.Cooling(now))
	}
}

// A second person's word during a cool-down is for one payment: the next one,
// after the rest of the time, waits anew. Waiting it out is for one as well.
func TestApprovalIsForOne(t *testing.T) {
	s := newShop()
	for i := range 4 {
		s.done(1, int64(100+i), Approved, "00")
		s.now += 5 * time.Minute
	}
	d := s.wants(t, 1, 300, Cool, "R05")
	s.book.Keep(d.Cooled, s.now)
	s.now += 2 * time.Second
	s.done(1, 300, Approved, "00") // a supervisor said so
	s.now += 58 * time.Second
	d = s.wants(t, 1, 301, Cool, "R05")
	if d.Cooled.Level(s.now) != 2 {
		t.Errorf("the ladder stands at %d", d.Cooled.Level(s.now))
	}
	s.book.Keep(d.Cooled, s.now)
	s.now += d.Wait - s.now
	s.wants(t, 1, 301, Allow, "")
	s.done(1, 301, Approved, "00")
	s.now += time.Second
	d = s.wants(t, 1, 302, Cool, "R05")
	s.book.Keep(d.Cooled, s.now)
	// A stop of another sort afterwards is no waiting.
	s.now += d.Wait - s.now + time.Second
	s.done(1, 302, Approved, "00")
	s.now += 2 * time.Minute
	c := s.book.Facts(scopesOf(1), Moment{At: s.now}).Card
	s.book.Keep(c.penalised(s.now), s.now)
	s.wants(t, 1, 303, Cool, "R05")
}

// GCRA: in no stretch of time are there more than the rate and the burst allow;
// who keeps to the rate is never refused; a refusal says exactly how long to wait.
func TestGCRAConforms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := GCRA{T: time.Duration(rapid.IntRange(1, 20).Draw(t, "T")) * time.Second, Burst: rapid.IntRange(1, 10).Draw(t, "burst")}
		var tat, now Time
		var taken []Time
		slow := rapid.Bool().Draw(t, "slow")
		for range rapid.IntRange(1, 80).Draw(t, "n") {
			gap := time.Duration(rapid.IntRange(0, 30_000).Draw(t, "gap")) * time.Millisecond
			if slow {
				gap = g.T + gap
			}
			now += gap
			next, wait := g.Take(tat, now)
			switch {
			case wait == 0:
				taken = append(taken, now)
			case slow:
				t.Fatalf("one every %v and more waits %v", g.T, wait)
			default:
				if next != tat {
					t.Fatal("a refusal costs something")
				}
				if _, w := g.Take(tat, now+wait-1); w != 1 {
					t.Fatalf("%v before its time it waits %v", time.Duration(1), w)
				}
				if _, w := g.Take(tat, now+wait); w != 0 {
					t.Fatalf("at its time it waits %v", w)
				}
			}
			tat = next
		}
		for i := range taken {
			for k := i; k < len(taken); k++ {
				if most := g.Burst + int((taken[k]-taken[i])/g.T); k-i+1 > most {
					t.Fatalf("%d within %v, %d allowed", k-i+1, taken[k]-taken[i], most)
				}
			}
		}
	})
}

// A flood of new cards, each declined, is stopped by the rules on many cards at
// once: it would take days to wash one card out of the table, and what is guarded
// it never washes out.
func TestFloodIsStopped(t *testing.T) {
	s := newShop()
	s.done(1, 700, Unknown, "")
	owes := s.book.Facts(scopesOf(1), Moment{}).Card
	began, passed, next := s.now, 0, 1000
	for s.now < began+24*time.Hour {
		s.now += 2 * time.Second
		next += 100 // of another series each, so that R14 is not what stops it
		if s.ask(next, 100).Stops() {
			continue
		}
		passed++
		s.done(next, 100, Declined, "14")
	}
	// R15: seven a quarter of an hour.
	if most := 24 * 4 * 7; passed > most || passed < 100 {
		t.Errorf("%d of a flood pass in a day, %d can", passed, most)
	}
	if got := s.book.Facts(scopesOf(1), Moment{}).Card; got != owes {
		t.Error("the card that owes was washed out")
	}
	// Whatever comes, what a guarded card is asked or refused stays.
	rapid.Check(t, func(t *rapid.T) {
		s := newShop()
		s.book = NewBook(16)
		s.learn = Learned{P95: 10_000, Days: MinDays}
		s.book.Learn(s.learn)
		switch rapid.IntRange(0, 2).Draw(t, "guard") {
		case 0:
			s.done(1, 500, Unknown, "")
		case 1:
			s.done(1, 500, Approved, "00")
			c := s.book.Facts(scopesOf(1), Moment{}).Card
			s.book.Keep(c.cooled(s.now, time.Hour), s.now)
		case 2:
			s.done(1, 10_000, Approved, "00")
		}
		before := s.book.Facts(scopesOf(1), Moment{At: s.now}).Card
		for i := range rapid.IntRange(1, 400).Draw(t, "flood") {
			s.now += time.Second
			s.done(1000+100*i, int64(rapid.IntRange(1, 9_999).Draw(t, "amount")), rapid.SampledFrom([]Outcome{Approved, Declined}).Draw(t, "o"), "00")
		}
		if after := s.book.Facts(scopesOf(1), Moment{At: s.now}).Card; after != before {
			t.Fatalf("%+v became %+v", before, after)
		}
	})
}

// A lost table asks about every card for a day: what is stronger still wins, and
// a supervisor's word passes it.
func TestSafeMode(t *testing.T) {
	s := newShop()
	s.desk.Safe = s.now + SafeTime
	for i := range 20 {
		s.wants(t, i, 100, Ask, "R33")
	}
	s.done(1, 100, Declined, "43")
	s.wants(t, 1, 300, Refuse, "R07a")
	f := s.facts(2)
	f.Grant = Grant{Key: scopesOf(2).Key, Amount: 100, Until: s.now + 1, Factors: PIN}
	if d := s.rules.Decide(Attempt{On: PreSale, Amount: 100}, f); d.Action != Allow {
		t.Errorf("with a grant: %v", d.Action)
	}
	f = s.facts(2)
	if d := s.rules.Decide(Attempt{On: OnRefund, What: Refund, Amount: 100}, f); d.Rule == IDSafe {
		t.Error("a refund is asked about as a sale")
	}
	s.now += SafeTime - 1
	s.wants(t, 2, 100, Ask, "R33")
	s.now++
	s.wants(t, 2, 100, Allow, "")
	// A step of the clock does not end it: it is in throttle time.
	c := Clock{}.Told(1_795_492_800_000, time.Hour, 8*time.Hour, true)
	safe := c.Now(time.Hour, 8*time.Hour).At + SafeTime
	c = c.Told(1_795_492_800_000+86_400_000*3, time.Hour, 8*time.Hour, false)
	if c.Now(time.Hour, 8*time.Hour).At >= safe {
		t.Error("a clock set forward ends the safe day")
	}
}

// The strongest wins whatever the order of ids; of equal ones the lowest; and all
// that fired are listed.
func TestStrongestWins(t *testing.T) {
	s := newShop()
	for range 3 {
		s.done(1, 1280, Declined, "51") // R08 refuses; R10a cools; R10b calls
	}
	s.done(1, 1280, Approved, "00")
	s.now += time.Minute // R02b asks
	d := s.wants(t, 1, 1280, Refuse, "R08")
	var ids []string
	for _, h := range d.Hits[:d.HitCount] {
		ids = append(ids, h.ID.String())
	}
	for _, want := range []string{"R02b", "R08", "R02c", "R02d"} {
		if !slices.Contains(ids, want) {
			t.Errorf("%s fired and is not listed: %v", want, ids)
		}
	}
	// R02b and R02d ask alike: the lower one speaks.
	s = newShop()
	s.done(1, 1280, Approved, "00")
	s.now += time.Minute
	s.wants(t, 1, 1280, Ask, "R02b")
	// A later rule that is weaker changes nothing; one that is stronger does.
	rapid.Check(t, func(t *rapid.T) {
		d, best := Decision{}, Allow
		var low ID
		for range rapid.IntRange(1, 10).Draw(t, "n") {
			x := Rule{ID: ID(rapid.IntRange(1, 900).Draw(t, "id")), Action: Order{Do: Action(rapid.IntRange(int(Note), int(Ignore)).Draw(t, "do"))}}
			d.take(&x, hit{})
			if x.Action.Do > best || x.Action.Do == best && x.ID < low {
				best, low = x.Action.Do, x.ID
			}
			if d.Action != best || d.Rule != low {
				t.Fatalf("%v by %v, want %v by %v", d.Action, d.Rule, best, low)
			}
		}
	})
}

// A decision looks at no more than the ring and the log hold, allocates nothing,
// and takes the same however long the shop has been selling.
func TestDecisionIsBounded(t *testing.T) {
	s := newShop()
	for i := range 3 * InLog {
		s.now += time.Second
		s.done(i%MaxCards, int64(100+i%977), Approved, "00")
	}
	if n := s.book.Log().Len(); n != InLog {
		t.Fatalf("%d events in memory", n)
	}
	if c := s.facts(0).Card; c.Len() > Ring {
		t.Fatalf("%d outcomes of a card", c.Len())
	}
	f, a := s.facts(5), Attempt{On: PreSale, What: Sale, Amount: 12_345, Op: 1, Entry: Swiped}
	if n := testing.AllocsPerRun(100, func() { s.rules.Decide(a, f) }); n != 0 {
		t.Errorf("%v allocations a decision", n)
	}
	var took []time.Duration
	for range 101 {
		began := time.Now()
		s.rules.Decide(a, f)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	if took[50] > 2*time.Millisecond {
		t.Errorf("half of the decisions take %v and more", took[50])
	}
}

// No sum wraps round: what is too large to hold is as large as can be held.
func TestSumsSaturate(t *testing.T) {
	c := Card{}
	for range 40_000 {
		c = c.Add(Seen{At: time.Hour, Amount: 1<<40 - 1, Outcome: Approved, Kind: Sale}, 1)
	}
	if n, sum := c.Today(1); n != 40_000 || sum <= 0 || sum > 1<<48-1 {
		t.Errorf("%d for %d", n, sum)
	}
	for range 30_000 {
		c = c.Add(Seen{At: time.Hour, Amount: 1, Outcome: Approved, Kind: Sale}, 1)
	}
	if n, _ := c.Today(1); n != 1<<16-1 {
		t.Errorf("%d payments a day", n)
	}
}

// C9: at ten times what the pace allows, with banks that answer well, nobody is
// stopped for load: the cashier is asked to take one after another.
func TestLoadRefusesNobody(t *testing.T) {
	s := newShop()
	g, ok := s.rules.Pace()
	if !ok {
		t.Fatal("no pace")
	}
	paced := 0
	for i := range 2000 { // ten customers where one is expected
		s.now += g.T / 10
		d := s.ask(i*100, int64(1000+i))
		switch {
		case d.Stops():
			t.Fatalf("customer %d: %v by %v", i, d.Action, d.Rule)
		case d.Action == Pace:
			paced++
		}
		s.desk.TAT, _ = g.Take(s.desk.TAT, s.now)
		s.done(i*100, int64(1000+i), Approved, "00")
	}
	if paced < 1500 {
		t.Errorf("only %d of 2000 were asked to wait their turn", paced)
	}
}
