package care

import (
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/throttle"
)

func testMac(key string) Mac {
	return func(b []byte) (sum [32]byte, err error) {
		h := hmac.New(sha256.New, []byte(key))
		h.Write(b)
		copy(sum[:], h.Sum(nil))
		return sum, nil
	}
}

// TestSealChain: an entry that was edited, taken out, put in another place, or
// sealed with another key is found, and so is a chain that lost its beginning.
func TestSealChain(t *testing.T) {
	mac := testMac("k")
	rapid.Check(t, func(t *rapid.T) {
		var c Chain
		n := rapid.IntRange(3, 12).Draw(t, "n")
		for i := range n {
			if _, drop, err := c.Add("seal.refund", num(i), uint8(i), at+int64(i), mac); err != nil || drop != 0 {
				t.Fatal(drop, err)
			}
		}
		whole := c.All()
		if err := Verify(whole, mac); err != nil {
			t.Fatal(err)
		}
		if Verify(whole, testMac("other")) == nil {
			t.Fatal("another key fits")
		}
		i := rapid.IntRange(0, n-2).Draw(t, "at")
		list := slices.Clone(whole)
		what := rapid.SampledFrom([]string{"text", "what", "time", "by", "number", "prev", "mac", "cut", "swap", "twice", "front"}).Draw(t, "what")
		switch what {
		case "text":
			list[i].Text += "0"
		case "what":
			list[i].What = "seal.care"
		case "time":
			list[i].At++
		case "by":
			list[i].By++
		case "number":
			list[i].N += 100
		case "prev":
			list[i].Prev = strings.Repeat("0", 64)
		case "mac":
			list[i].Mac = list[i+1].Mac
		case "cut":
			list = slices.Delete(list, i+1, i+2)
			if i+1 == len(list) { // that was the end
				return
			}
		case "swap":
			list[i], list[i+1] = list[i+1], list[i]
		case "twice":
			list = slices.Insert(list, i, list[i])
		case "front":
			list = list[i+1:]
		}
		var again Chain
		if again.Load(list, mac) == nil {
			t.Fatalf("%s at %d is not found", what, i)
		}
		// The chain goes on all the same, and the break stays visible.
		again.Add("seal.care", "", 0, at, mac)
		if Verify(again.All(), mac) == nil {
			t.Fatalf("%s at %d is healed by the next entry", what, i)
		}
	})
	// A long chain drops its oldest entries and stays whole.
	var c Chain
	for i := range MostSeals + 5 {
		_, drop, err := c.Add("seal.check", "", 0, at, mac)
		if err != nil || (drop != 0) != (i >= MostSeals) {
			t.Fatalf("entry %d: drop %d, %v", i, drop, err)
		}
	}
	var again Chain
	if err := again.Load(c.All(), mac); err != nil || len(c.All()) != MostSeals || c.All()[0].N != 6 {
		t.Errorf("%d kept from %d on: %v", len(c.All()), c.All()[0].N, err)
	}
}

// event is what operator 3 does on the second day.
func event(w throttle.What, o throttle.Outcome, cardTag uint64) throttle.Event {
	return throttle.Event{Wall: at, What: w, Outcome: o, Op: 3, Tags: throttle.Tags{Card: cardTag}}
}

// TestScore: the number is 100 less what the formula takes, added up by hand.
func TestScore(t *testing.T) {
	type n struct{ sales, misuse, inputs, undos, overrides, nosale, lessons int }
	for _, c := range []struct {
		name  string
		n     n
		want  int
		topic int
	}{
		{"nothing done", n{}, 100, 0},
		{"as much as is free", n{sales: 100, misuse: 3, undos: 5, overrides: 2}, 100, 0},
		{"one misuse more", n{sales: 100, misuse: 4}, 98, LessonInterface},
		{"entries count as misuse", n{sales: 100, misuse: 2, inputs: 3}, 96, LessonInterface},
		{"two hundred sales make twice as much free", n{sales: 200, misuse: 6, undos: 10, overrides: 4}, 100, 0},
		{"101 sales as well", n{sales: 101, misuse: 6}, 100, 0},
		{"each kind", n{sales: 50, misuse: 5, undos: 7, overrides: 4, nosale: 1}, 100 - 4 - 4 - 10 - 20, LessonRefund},
		{"at most thirty for misuse", n{sales: 1, misuse: 40}, 70, LessonInterface},
		{"at most twenty for cancels", n{undos: 99}, 80, LessonSale},
		{"at most thirty for approvals", n{overrides: 99}, 70, LessonRepeat},
		{"refunds without a sale", n{nosale: 2}, 60, LessonRefund},
		{"at most sixty for them", n{nosale: 4}, 40, LessonRefund},
		{"all together stay above nothing", n{misuse: 99, undos: 99, overrides: 99, nosale: 99}, 100 - 30 - 20 - 30 - 60, LessonRefund},
		{"a lesson gives ten back", n{nosale: 2, lessons: 1}, 70, LessonRefund},
		{"three at most", n{nosale: 4, lessons: 5}, 70, LessonRefund},
		{"and not above a hundred", n{misuse: 5, lessons: 3}, 100, LessonInterface},
	} {
		r := NewRecords()
		for range c.n.sales {
			r.Add(event(throttle.Sale, throttle.Approved, 9))
		}
		for range c.n.misuse {
			r.Add(event(throttle.Misuse, 0, 0))
		}
		for range c.n.inputs {
			r.Add(event(throttle.InputBad, 0, 0))
		}
		for range c.n.undos {
			r.Add(event(throttle.Cancelled, 0, 0))
		}
		for range c.n.overrides {
			r.Add(event(throttle.Override, 0, 0))
		}
		for i := range c.n.nosale {
			r.Add(event(throttle.Refund, throttle.Approved, uint64(1000+i)))
		}
		for i := range c.n.lessons {
			e := event(throttle.Train, 0, 0)
			e.RC, e.N = throttle.RC{byte('0' + i), ' '}, Passed
			r.Add(e)
		}
		s := r.Score(3, at)
		sum := 100
		for _, p := range s.Parts {
			sum += p.Points
		}
		if s.Points != c.want || sum != s.Points || s.Topic != c.topic {
			t.Errorf("%s: %+v, want %d and lesson %d", c.name, s, c.want, c.topic)
		}
		// A week later it is forgotten.
		if s := r.Score(3, at+7*86400); s.Points != 100 {
			t.Errorf("%s: a week later %d", c.name, s.Points)
		}
		if s := r.Score(3, at+6*86400); s.Points != c.want {
			t.Errorf("%s: six days later %d", c.name, s.Points)
		}
	}
}

// TestLowScore: below sixty refunds rest, until the lesson on refunds is passed
// or the merchant contests; nobody else is touched, and nothing but refunds.
func TestLowScore(t *testing.T) {
	low := func() *Records {
		r := NewRecords()
		for i := range 3 {
			r.Add(event(throttle.Refund, throttle.Approved, uint64(1000+i)))
		}
		return r
	}
	r := low()
	if !r.NoRefund(3, at) || r.NoRefund(4, at) || r.NoRefund(0, at) {
		t.Error("who may refund")
	}
	lesson := func(i, mark int) throttle.Event {
		e := event(throttle.Train, 0, 0)
		e.RC, e.N = throttle.RC{byte('0' + i), ' '}, uint16(mark)
		return e
	}
	r.Add(lesson(LessonRefund, Passed-1))
	if !r.NoRefund(3, at) {
		t.Error("79 passes")
	}
	r.Add(lesson(LessonRefund, Passed))
	if r.NoRefund(3, at) {
		t.Error("80 does not pass")
	}
	r = low()
	c, ok := r.Contest(3, at)
	if !ok || c.Week != 40 || r.NoRefund(3, at) || !r.NoRefund(3, at+week*86400) && r.Score(3, at+week*86400).Points < Enough {
		t.Errorf("%+v %v", c, ok)
	}
	again := low()
	again.Load([]Contest{c})
	if again.NoRefund(3, at) {
		t.Error("a contest is lost with a start")
	}
	if _, ok := r.Contest(5, at); ok {
		t.Error("a hundred points are contested")
	}
	// A refund to a card that has bought is one with a sale.
	r = NewRecords()
	r.Add(event(throttle.Sale, throttle.Approved, 77))
	r.Add(event(throttle.Refund, throttle.Approved, 77))
	if w := r.Week(3, at); w.Refunds != 1 || w.NoSale != 0 {
		t.Errorf("%+v", w)
	}
	if !says(r.StaffPage(3, at), "staff.money", "1") || !says(low().StaffPage(3, at), "staff.low", "") {
		t.Error("the page does not say it")
	}
}
