package days

import (
	"encoding/xml"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/throttle"
)

// Repeats come as late as is said: half within 45 s, 95 of 100 within ten
// minutes.
func TestRepeatDelay(t *testing.T) {
	c := newChance(1, 1)
	var all []time.Duration
	for range 20_000 {
		all = append(all, c.late(repeatMedian, repeatSigma))
	}
	slices.Sort(all)
	if m, l := all[len(all)/2], all[len(all)*95/100]; math.Abs(m.Seconds()-45) > 2 || math.Abs(l.Seconds()-600) > 40 {
		t.Errorf("median %v, 95 %% within %v", m, l)
	}
}

func TestChance(t *testing.T) {
	c := newChance(2, 1)
	for _, mean := range []float64{0.5, 7, 200} {
		sum := 0
		for range 4000 {
			sum += c.poisson(mean)
		}
		if got := float64(sum) / 4000; math.Abs(got-mean) > 0.1*mean {
			t.Errorf("poisson of %v has mean %v", mean, got)
		}
	}
	var n [3]int
	for range 11_000 {
		n[c.zipf(3)]++
	}
	if n[0] < 5700 || n[0] > 6300 || n[1] < 2700 || n[1] > 3300 {
		t.Errorf("zipf %v", n)
	}
	s, _ := ShopNamed("clinic")
	for range 1000 {
		if m := s.minute(c); m < s.Open*60 || m > s.Close*60 {
			t.Fatalf("a visit at minute %v", m)
		}
	}
}

// What a purchase met counts once for each sort, and a refusal that the bank
// would have made as well is not needless.
func TestMetOnce(t *testing.T) {
	r := Result{Causes: map[Cause]int{}, Guides: map[Cause]int{}}
	o := &order{counted: true}
	r04, r05 := throttle.MakeID(4, 0), throttle.MakeID(5, 0)
	r.met(o, throttle.Ask, r04, false)
	r.met(o, throttle.Ask, r04, false)
	r.met(o, throttle.Cool, r05, false)
	r.met(o, throttle.Supervise, r05, false)
	r.met(&order{counted: true}, throttle.Refuse, r05, true)
	r.met(&order{counted: true}, throttle.Cool, ruleOpen, false)
	r.met(&order{}, throttle.Refuse, r05, false) // before the count
	if r.Asked != 1 || r.Waited != 2 || r.Called != 1 || r.Refused != 0 || r.Passed != 1 || r.Needless != 1 || r.Own != 1 || r.Stops() != 4 {
		t.Errorf("%+v", r)
	}
	if c := r.Causes[Cause{"R04", "confirm"}]; c != 1 {
		t.Errorf("R04 counted %d times", c)
	}
}

// A card answers as its bank has begun: what stays refused stays so for the day.
func TestBank(t *testing.T) {
	w := newWallet(newChance(1, 2), 50)
	n := w.add()
	c := w.at(n)
	c.no, c.noFrom, c.noDay = "65", 0, 7
	for range 50 {
		if rc := c.answer(w.rnd, 100, 7); rc != "65" {
			t.Fatalf("%s after 65", rc)
		}
	}
	if c.refuses(100, 8) != "" {
		t.Error("it is another day")
	}
	c.no, c.wrong = "", 2
	for c.wrong > 0 {
		if rc := c.answer(w.rnd, 100, 9); rc != "00" && rc != "75" {
			t.Fatalf("%s after two wrong PINs", rc)
		}
	}
	c.no, c.noFrom, c.noDay = "51", 500, 9
	if c.refuses(499, 9) != "" || c.refuses(500, 9) == "" {
		t.Error("too little money for as much, enough for less")
	}
	if o := w.second(n); w.second(o) != n || w.second(n) != o {
		t.Error("two cards of one person do not know each other")
	}
	if w.scopesOf(w.at(n).ref) != w.at(n).scopes || w.scopesOf(w.at(n).ref).Key.IsZero() {
		t.Error("a card is not found by its reference")
	}
}

// The picture is XML and names everybody.
func TestPlot(t *testing.T) {
	total := Result{Payments: 1000, Days: 3, Asked: 2, Reswipes: 4, Held: 4, Peers: ComparePeers(nil)}
	svg := Plot(total)
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range Peers {
		if !strings.Contains(svg, ">"+p.Name+"<") {
			t.Errorf("%s is not in the picture", p.Name)
		}
	}
}
