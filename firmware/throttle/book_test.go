package throttle

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"swipewell/firmware/pos"
)

// A card that waits, owes or lately paid much is never forgotten, however many
// new ones come; and while new ones come, the rules on many cards fire first.
func TestEviction(t *testing.T) {
	tab := NewTable(64)
	g := Guard{Now: 100 * time.Hour, P95: 10_000}
	old := map[int]Card{}
	for i := range 4 {
		c := Card{Key: scopesOf(i).Key}
		switch i {
		case 0:
			c = c.Add(Seen{At: g.Now, Amount: 1, Outcome: Unknown, Kind: Sale}, 1)
		case 1:
			c = c.cooled(g.Now, time.Minute)
		case 2:
			c = c.Add(Seen{At: g.Now - time.Hour, Amount: 10_000, Outcome: Approved, Kind: Sale}, 1)
		}
		old[i] = c
		tab.Put(c, g)
	}
	for i := range 10_000 {
		c := Card{Key: scopesOf(1000 + i).Key}.Add(Seen{At: g.Now, Amount: 5, Outcome: Declined, Kind: Sale}, 1)
		if _, ok := tab.Put(c, g); !ok {
			t.Fatal("full")
		}
	}
	for i := range 3 {
		if got := tab.Get(old[i].Key); got != old[i] {
			t.Errorf("card %d was washed out", i)
		}
	}
	if tab.Has(old[3].Key) {
		t.Error("a card with nothing to say stayed")
	}
	// All guarded: the next one does not get in, and is asked about.
	full := NewBook(8)
	for i := range 8 {
		full.Keep(Card{Key: scopesOf(i).Key}.cooled(g.Now, time.Minute), g.Now)
	}
	if _, room := full.Keep(Card{Key: scopesOf(99).Key}, g.Now); !room {
		t.Error("a guarded card went")
	}
	f := full.Facts(scopesOf(99), Moment{At: g.Now, Minute: -1})
	if d := Default().Decide(Attempt{On: PreSale, Amount: 100}, f); d.Action != Ask || d.Rule != IDSafe {
		t.Errorf("a full table: %v by %v", d.Action, d.Rule)
	}
	// A flood of new cards trips R14 or R15 long before the table is full.
	s := newShop()
	for i := range 7 {
		s.done(100*i, 100, Declined, "14")
		s.now += 5 * time.Second
	}
	if d := s.ask(9000, 100); !d.Stops() {
		t.Error("a flood goes on")
	}
}

// The table is a map with an order, whatever is done to it.
func TestTableIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab, want := NewTable(32), map[Key]Card{}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			k := scopesOf(rapid.IntRange(0, 24).Draw(t, "card")).Key
			if rapid.IntRange(0, 3).Draw(t, "op") == 0 {
				tab.Drop(k)
				delete(want, k)
				continue
			}
			c := tab.Get(k).Add(Seen{At: time.Duration(rapid.IntRange(0, 1000).Draw(t, "at")) * time.Second, Amount: 7, Outcome: Approved, Kind: Sale}, 3)
			tab.Put(c, Guard{})
			want[k] = c
		}
		n := 0
		tab.Each(func(c Card) {
			n++
			if want[c.Key] != c {
				t.Fatalf("card %x differs", c.Key[:2])
			}
		})
		if n != len(want) || tab.Len() != len(want) {
			t.Fatalf("%d and %d cards, want %d", n, tab.Len(), len(want))
		}
	})
}

// Rows survive the store to the bit, and nothing else is taken for one.
func TestRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Card{Key: scopesOf(1).Key}
		for range rapid.IntRange(0, 12).Draw(t, "n") {
			c = c.Add(Seen{At: time.Duration(rapid.IntRange(0, 1<<31).Draw(t, "at")) * tick, Amount: rapid.Int64Range(0, pos.MaxMinor).Draw(t, "amount"),
				Outcome: Outcome(rapid.IntRange(0, 5).Draw(t, "o")), RC: RC{'5', '1'}, Op: rapid.Uint8().Draw(t, "op"), Kind: Sale}, 20_000)
		}
		row := c.AppendRow(nil)
		got, err := ParseCard(c.Key, row)
		if err != nil || got != c || len(row) != cardRow {
			t.Fatalf("%v\n%+v\n%+v", err, got, c)
		}
		if _, err := ParseCard(c.Key, row[:len(row)-1]); err == nil {
			t.Fatal("a short row")
		}
		e := Event{At: time.Duration(rapid.IntRange(0, 1<<31).Draw(t, "eat")) * tick, Wall: int64(rapid.Uint32().Draw(t, "wall")), What: What(rapid.IntRange(0, int(whats)-1).Draw(t, "what")),
			Outcome: Approved, RC: RC{'A', '0'}, Op: 9, Entry: Keyed, Rule: MakeID(10, 2), N: rapid.Uint16().Draw(t, "n2"), Took: 77, Amount: rapid.Int64Range(0, pos.MaxMinor).Draw(t, "ea"),
			Tags: Tags{rapid.Uint64().Draw(t, "tag"), rapid.Uint32().Draw(t, "bin")}}
		if back, err := ParseEvent(e.AppendRow(nil)); err != nil || back != e || len(e.AppendRow(nil)) != eventRow {
			t.Fatalf("%v\n%+v\n%+v", err, back, e)
		}
	})
}

func FuzzRows(f *testing.F) {
	c := Card{}
	f.Add(c.AppendRow(nil))
	f.Add(Event{}.AppendRow(nil))
	large := Event{Amount: pos.MaxMinor}.AppendRow(nil) // and one more is no amount
	large[25]++
	f.Add(large)
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ParseCard(Key{1}, b); err == nil && string(c.AppendRow(nil)) != string(b) {
			t.Error("a card's row does not come back")
		}
		if e, err := ParseEvent(b); err == nil && string(e.AppendRow(nil)) != string(b) {
			t.Error("an event's row does not come back")
		}
	})
}

// history draws a past.
func history(t *rapid.T, s *shop, cards int) {
	for range rapid.IntRange(0, 30).Draw(t, "events") {
		s.now += time.Duration(rapid.IntRange(1, 900).Draw(t, "gap")) * time.Second
		card := rapid.IntRange(0, cards-1).Draw(t, "card")
		rc := rapid.SampledFrom([]string{"00", "51", "05", "14", "65", "61", "91", "55", "41"}).Draw(t, "rc")
		o := Declined
		if rc == "00" {
			o = Approved
		}
		s.done(card, int64(rapid.IntRange(1, 6).Draw(t, "amount"))*1000, o, rc)
	}
}

// Cards that have nothing to do with the one in front of us, and are not
// refused, change no decision about it; the same facts give the same answer;
// and the order in which cards were loaded does not matter.
func TestDecisionsAreAboutTheCard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newShop()
		history(t, s, 3)
		amount := int64(rapid.IntRange(1, 6).Draw(t, "ask")) * 1000
		before := s.ask(0, amount)
		if again := s.ask(0, amount); again != before {
			t.Fatalf("twice is not once: %+v %+v", before, again)
		}
		for i := range rapid.IntRange(1, 20).Draw(t, "others") {
			s.done(100_000+100*i, int64(13_370+i), Approved, "00")
		}
		after := s.ask(0, amount)
		if after.Action != before.Action || after.Rule != before.Rule {
			t.Fatalf("%v %v before, %v %v after others paid", before.Action, before.Rule, after.Action, after.Rule)
		}
		// Loaded from rows in another order.
		var cards []Card
		var events []Event
		s.book.cards.Each(func(c Card) { cards = append(cards, c) })
		for i := s.book.log.Len() - 1; i >= 0; i-- {
			events = append(events, *s.book.log.At(i))
		}
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(cards), func(i, j int) { cards[i], cards[j] = cards[j], cards[i] })
		n := *s
		n.book = NewBook(0)
		n.book.Load(cards, events, 0)
		if again := n.ask(0, amount); again.Action != after.Action || again.Rule != after.Rule {
			t.Fatalf("%v %v, and %v %v after a restart", after.Action, after.Rule, again.Action, again.Rule)
		}
	})
}

// More of the same never makes a decision weaker.
func TestMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newShop()
		history(t, s, 3)
		amount := int64(rapid.IntRange(1, 6).Draw(t, "ask")) * 1000
		before := s.ask(0, amount)
		o, rc := Approved, "00"
		if rapid.Bool().Draw(t, "declined") {
			o, rc = Declined, rapid.SampledFrom([]string{"51", "05", "65", "41"}).Draw(t, "rc")
		}
		for range rapid.IntRange(1, 5).Draw(t, "more") {
			s.done(0, amount, o, rc)
		}
		// Beside the log, the ring keeps eight: a decision that hung on what was
		// pushed out may go; that is what the ring is.
		if after := s.ask(0, amount); after.Action < before.Action && before.Action != Lock && !pushedOut(before) {
			t.Fatalf("%v by %v became %v by %v", before.Action, before.Rule, after.Action, after.Rule)
		}
	})
}

// pushedOut: a rule on the ring about another sort of outcome.
func pushedOut(d Decision) bool {
	for _, h := range d.Hits[:d.HitCount] {
		if h.Action == d.Action && h.ID == d.Rule {
			r, _ := Default().Find(h.ID)
			return r.slot < 0
		}
	}
	return false
}

// No clock that a person can set ends a wait, and hours without power count once
// the host has proved them.
func TestClock(t *testing.T) {
	const zone = 8 * time.Hour
	noon := int64(1_795_492_800_000) // 2026-11-24 04:00 UTC, a Tuesday, noon in China
	var c Clock
	if m := c.Now(time.Hour, zone); m.At != time.Hour || m.Minute != -1 {
		t.Errorf("without a host: %+v", m)
	}
	c = c.Told(noon, time.Hour, zone, true)
	m := c.Now(time.Hour, zone)
	if m.At != time.Hour || m.Minute != 24*60+12*60 || m.Day != int32(noon/86_400_000) {
		t.Errorf("%+v", m)
	}
	// Ten hours of power off: logical time stood still.
	day := m.Day
	c2 := c.Told(noon+10*3_600_000, time.Hour+time.Minute, zone, true)
	if got := c2.Now(time.Hour+time.Minute, zone).At; got != time.Hour+time.Minute+10*time.Hour-time.Minute {
		t.Errorf("after a night: %v", got)
	}
	// The same word without a start is a host that lies: it moves nothing.
	if got := c.Told(noon+10*3_600_000, 2*time.Hour, zone, false).Now(2*time.Hour, zone).At; got != 2*time.Hour {
		t.Errorf("a lying host: %v", got)
	}
	// One word is no proof of ten days, a second one that agrees is; of years nothing is.
	ten := c.Told(noon+10*86_400_000, time.Hour, zone, true)
	if ten.Away != longGone {
		t.Errorf("ten days at one word: %v", ten.Away)
	}
	if got := ten.Told(noon+10*86_400_000+60_000, time.Hour+time.Minute, zone, false).Away; got != 10*24*time.Hour {
		t.Errorf("ten days at the second: %v", got)
	}
	if got := ten.Told(noon+60_000, time.Hour+time.Minute, zone, false); got.Away != longGone || got.Doubt != 0 {
		t.Errorf("the second word differs: %+v", got)
	}
	if got := ten.Told(noon+20*86_400_000, time.Hour+time.Minute, zone, false).Away; got != longGone {
		t.Errorf("the second word is further: %v", got)
	}
	if got := c.Told(noon+3650*86_400_000, time.Hour, zone, true); got.Away != longGone || got.Doubt != 0 {
		t.Errorf("ten years: %+v", got)
	}
	// Backwards: time stands, and the day never goes back.
	back := c.Told(noon-48*3_600_000, time.Hour, zone, true)
	if m := back.Now(time.Hour, zone); m.At != time.Hour || m.Day != day {
		t.Errorf("backwards: %+v", m)
	}
}

func TestGCRA(t *testing.T) {
	g := GCRA{T: 6 * time.Second, Burst: 8}
	tat, now, taken := Time(0), Time(time.Hour), 0
	for range 600 { // ten minutes, one try a second
		var wait time.Duration
		if tat, wait = g.Take(tat, now); wait == 0 {
			taken++
		} else if wait > g.T {
			t.Fatalf("waits %v", wait)
		}
		now += time.Second
	}
	if taken < 100+7 || taken > 100+8 {
		t.Errorf("%d in ten minutes", taken)
	}
}

func TestSizes(t *testing.T) {
	if n := unsafe.Sizeof(node{}) + 4; n > 160 {
		t.Errorf("%d bytes a card", n)
	}
	// A full table has room for its cards and for no more.
	tab := NewTable(0)
	for i := range MaxCards + 100 {
		c := Card{}
		binary.BigEndian.PutUint64(c.Key[:], uint64(i+1))
		tab.Put(c, Guard{})
	}
	if n := cap(tab.nodes)*int(unsafe.Sizeof(node{})) + 2*cap(tab.index) + 2*cap(tab.free); n > 161*MaxCards || tab.Len() != MaxCards {
		t.Errorf("%d bytes for %d cards", n, tab.Len())
	}
}

func BenchmarkDecide(b *testing.B) {
	s := newShop()
	for i := range MaxCards + 500 {
		s.now += time.Second
		o, rc := Approved, "00"
		if i%9 == 0 {
			o, rc = Declined, "51"
		}
		s.done(i, int64(100+i%977), o, rc)
	}
	if s.book.Cards() != MaxCards {
		b.Fatal(s.book.Cards())
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		s.ask(i%MaxCards, int64(100+i%977))
	}
}
