package terminal_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"swipewell/firmware/care"
	"swipewell/firmware/sim/acquirer"
	"swipewell/firmware/sim/stage"
	"swipewell/firmware/store"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// wire is a line on which nothing goes wrong, while it is up.
type wire struct{ down bool }

func (w *wire) Dial() error {
	if w.down {
		return &hal.LinkError{Cause: hal.CauseBusy}
	}
	return nil
}
func (*wire) Request([]byte) stage.Fate { return stage.Fate{} }
func (*wire) Answer([]byte) stage.Fate  { return stage.Fate{} }
func (*wire) Point(string)              {}
func (*wire) Takes(int) time.Duration   { return 100 * time.Millisecond }

// house is a terminal on the stage with the rules of the build.
type house struct {
	*stage.House
	t    *testing.T
	wire *wire
}

func newHouse(t *testing.T) house {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "terminal-test-")
	if err != nil {
		dir = t.TempDir()
	}
	w := &wire{}
	// Monday 2026-11-23, 08:00 in the acquirer's zone.
	h, err := stage.New(stage.Opts{Dir: dir, Seed: 1, Wires: []stage.NamedWire{{Name: "a", Wire: w}}, Wall: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
		Rules: throttle.Default(), Minutes: true, Board: func(b *hal.Board) { b.PINPad = stage.NoPIN{} }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	x := house{h, t, w}
	x.must(h.Do(func() { x.must(h.Boot()) }))
	return x
}

func (h house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// cards are so many of one series that pay whatever is asked.
func (h house) cards(series string, n int) (list []acquirer.Card) {
	h.t.Helper()
	for i := range n {
		name := fmt.Sprintf("%s-%d", series, i)
		body := fmt.Sprintf("%s%07d", series, 1_000_001+i*37)
		sum := 0
		for k := range len(body) { // ISO/IEC 7812-1 Annex B
			v := int(body[len(body)-1-k] - '0')
			if k%2 == 0 {
				if v *= 2; v > 9 {
					v -= 9
				}
			}
			sum += v
		}
		h.must(h.Host.DefineCard(name, fmt.Sprintf("pan=%s%d", body, (10-sum%10)%10), "balance=9000000.00", "limit=none", "daily=none", "count=none"))
		c, ok := h.Host.Card(name)
		if !ok {
			h.t.Fatal("a card that was made is not there")
		}
		list = append(list, c)
	}
	return list
}

// sell rings up an amount with a card; what a rule asks or says is where it ends.
func (h house) sell(c acquirer.Card, fen int) txn.State {
	h.t.Helper()
	if p := h.State().Phase; p != txn.Ready && p != txn.Result {
		h.must(h.Press("cancel"))
	}
	h.must(h.Press(append(stage.Digits(fmt.Sprint(fen)), "enter")...))
	h.must(h.Swipe(c, hal.TrackOK))
	for range 60 {
		switch s := h.State(); s.Phase {
		case txn.Confirming:
			h.must(h.Wait(2 * time.Second))
			h.must(h.Press("enter"))
		case txn.Preparing, txn.Online, txn.Busy:
			h.must(h.Wait(time.Second))
		default:
			return s
		}
	}
	h.t.Fatalf("it stays with %v %s", h.State().Phase, h.State().Code)
	return txn.State{}
}

// alerts are those not yet delivered, or all.
func (h house) alerts(all bool) (list []care.Alert) {
	h.t.Helper()
	h.must(h.Do(func() { list = h.Term.Alerts(all) }))
	return list
}

func (h house) alert(key string, all bool) (a care.Alert, ok bool) {
	for _, x := range h.alerts(all) {
		if x.Key == key {
			return x, true
		}
	}
	return a, false
}

// TestRuleAlert: four refused cards of one series make an alert for the acquirer
// within a minute; with the line down and over a power cut it waits; taken, it is
// delivered once; nobody having looked at it for a quarter of an hour, it is told
// again.
func TestRuleAlert(t *testing.T) {
	h := newHouse(t)
	good := h.cards("62258899", 1)[0]
	if s := h.sell(good, 1000); s.Code != prompt.Approved {
		t.Fatalf("an ordinary sale: %v %s", s.Phase, s.Code)
	}
	h.Host.Command("decline", "14")
	began := h.Clock.Now().Wall.Unix()
	for i, c := range h.cards("62284801", 4) {
		if _, ok := h.alert("rule.R14", true); ok {
			t.Fatalf("an alert after %d cards", i)
		}
		h.sell(c, 2000+i)
		h.must(h.Wait(5 * time.Second))
	}
	a, ok := h.alert("rule.R14", false)
	if !ok || a.Route != care.Acquirer || a.Grave != 3 || a.At-began > 60 || a.Facts[0] != "R-14" {
		t.Fatalf("%+v %v", a, ok)
	}
	h.wire.down = true
	h.must(h.Wait(time.Minute))
	h.must(h.Restart())
	if b, ok := h.alert("rule.R14", false); !ok || b.N != a.N {
		t.Fatalf("after a power cut: %+v %v", b, ok)
	}
	h.must(h.Do(func() {
		if b, err := h.Term.TakeAlert(a.N); err != nil || b.Taken == 0 {
			t.Errorf("%+v %v", b, err)
		}
	}))
	if _, ok := h.alert("rule.R14", false); ok {
		t.Error("delivered and still queued")
	}
	h.must(h.Wait(15 * time.Minute))
	if b, ok := h.alert("rule.R14", false); !ok || !b.Raised {
		t.Errorf("a quarter of an hour later: %+v %v", b, ok)
	}
}

// TestOddHour: three weeks of a steady shop in virtual time make no alert; then
// three repeats within an hour that never has any make one, for the merchant; and
// the page names the peak of the day before it comes.
func TestOddHour(t *testing.T) {
	h := newHouse(t)
	cards := h.cards("62258899", 30)
	perHour := map[int]int{9: 1, 10: 1, 11: 2, 12: 4, 13: 2, 14: 1, 15: 1, 16: 1}
	n := 0
	hour := func(sales int) {
		for range sales {
			if s := h.sell(cards[n%len(cards)], 1000+n%977); s.Code != prompt.Approved {
				t.Fatalf("sale %d: %v %s", n, s.Phase, s.Code)
			}
			n++
			h.must(h.Wait(4 * time.Minute))
		}
	}
	until := func(day, at int) {
		h.must(h.Wait(time.Duration(day*24+at-8)*time.Hour - h.Clock.Boot))
	}
	for day := range 21 {
		for at := 9; at < 17; at++ {
			until(day, at)
			hour(perHour[at])
		}
	}
	if list := h.alerts(true); len(list) != 0 {
		t.Fatalf("three steady weeks: %+v", list)
	}
	until(21, 9)
	hour(1)
	page := ""
	h.must(h.Do(func() {
		var err error
		page, err = h.Term.PageText("peak", "en")
		h.must(err)
	}))
	if want := "Peak expected 12:00-13:00"; len(page) < len(want) || page[:len(want)] != want {
		t.Errorf("the forecast says %q", page)
	}
	until(21, 10)
	for i := range 3 {
		hour(1)
		last := cards[(n-1)%len(cards)]
		if s := h.sell(last, 1000+(n-1)%977); s.Phase != txn.Choosing && s.Code != prompt.RuleDupNow {
			t.Fatalf("repeat %d: %v %s", i, s.Phase, s.Code)
		}
		h.must(h.Press("3")) // a second one
		for range 20 {
			if p := h.State().Phase; p == txn.Result || p == txn.Ready {
				break
			}
			h.must(h.Wait(2 * time.Second))
			if h.State().Phase == txn.Confirming {
				h.must(h.Press("enter"))
			}
		}
		h.must(h.Wait(61 * time.Second))
	}
	a, ok := h.alert("odd.m.repeats", false)
	if !ok || a.Route != care.Merchant || a.Count < 1 {
		t.Errorf("three repeats: %+v %v, all %+v", a, ok, h.alerts(true))
	}
	for _, x := range h.alerts(true) {
		if x.Key != "odd.m.repeats" && x.Key != "odd.m.forms" {
			t.Errorf("%+v", x)
		}
	}
}

// TestDamagedRow: a row of a card that cannot be read makes a day on which every
// card is asked about, and one only: starts afterwards do not begin it again.
func TestDamagedRow(t *testing.T) {
	h := newHouse(t)
	cards := h.cards("62258899", 6)
	for i, c := range cards[:3] {
		h.sell(c, 1000+i)
	}
	h.must(h.Store.Commit(store.Change{Rows: []store.Row{{Room: store.Velocity, Key: make([]byte, 16), Value: []byte("damaged")}}}, nil))
	h.must(h.Restart())
	if s := h.sell(cards[3], 5000); s.Code != prompt.RuleSafe {
		t.Fatalf("after the damage: %v %s", s.Phase, s.Code)
	}
	h.must(h.Press("cancel"))
	h.must(h.Restart()) // at once: nothing that was learned is lost
	if s := h.sell(cards[3], 5000); s.Code != prompt.RuleSafe {
		t.Fatalf("after another start: %v %s", s.Phase, s.Code)
	}
	h.must(h.Press("3"))
	h.must(h.Wait(25 * time.Hour))
	if s := h.sell(cards[4], 6000); s.Code != prompt.Approved {
		t.Errorf("a day later: %v %s", s.Phase, s.Code)
	}
	h.must(h.Restart())
	if s := h.sell(cards[5], 7000); s.Code != prompt.Approved {
		t.Errorf("after a start a day later: %v %s", s.Phase, s.Code)
	}
}
