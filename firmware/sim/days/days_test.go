package days

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"swipewell/firmware/throttle"
)

// lived is a life of a shop with the rules of the build.
func lived(t *testing.T, shop string, o Opts) (Result, []Attempt) {
	t.Helper()
	s, ok := ShopNamed(shop)
	if !ok {
		t.Fatalf("no shop %s", shop)
	}
	o.Shop = s
	r, trace, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	return r, trace
}

func rules(t *testing.T, shop string) *throttle.Rules {
	t.Helper()
	r, err := throttle.Default().WithProfile(shop)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every profile of the build has a shop, and every shop a profile.
func TestShopsAreProfiles(t *testing.T) {
	for _, name := range throttle.Profiles() {
		s, ok := ShopNamed(name)
		if !ok {
			t.Errorf("nobody sells by profile %s", name)
			continue
		}
		r, luck := rules(t, name), newChance(1, 1)
		for range 2000 { // no amount that the device refuses at the key
			if a := s.Prices.amount(luck) * int64(max(s.Prices.Party, 1)); a > r.Set.Limit {
				t.Errorf("%s sells for %d, over its limit %d", name, a, r.Set.Limit)
			}
		}
	}
	if len(Shops) != len(throttle.Profiles()) {
		t.Errorf("%d shops, %d profiles", len(Shops), len(throttle.Profiles()))
	}
}

// A seed replays exactly, and another one does not.
func TestReplay(t *testing.T) {
	for _, shop := range []string{"ticket", "hotel"} {
		t.Run(shop, func(t *testing.T) {
			t.Parallel()
			o := Opts{Seed: 5, Days: 2, Fresh: true, Rules: rules(t, shop)}
			one, a := lived(t, shop, o)
			two, b := lived(t, shop, o)
			if d := cmp.Diff(one, two); d != "" || !cmp.Equal(a, b) {
				t.Errorf("(-first +second):\n%s", d)
			}
			o.Seed++
			if _, c := lived(t, shop, o); cmp.Equal(a, c) {
				t.Error("another seed, the same traffic")
			}
		})
	}
}

// A few days of every shop: what a short run can show of the goals. Stops are
// too rare for it.
func TestGoals(t *testing.T) {
	shops := make([]Result, len(Shops))
	t.Run("shops", func(t *testing.T) { // ends when all of them have
		for i, s := range Shops {
			t.Run(s.Name, func(t *testing.T) {
				t.Parallel()
				r, trace := lived(t, s.Name, Opts{Seed: 3, Days: 10, Rules: rules(t, s.Name)})
				truth(t, s.Name, trace)
				shops[i] = r
				if r.Payments < 100 || r.Paid < r.Payments*98/100 {
					t.Errorf("%d of %d purchases were paid", r.Paid, r.Payments)
				}
			})
		}
	})
	var total Result
	for _, r := range shops {
		total.Add(r)
	}
	for _, g := range Goals(shops, total) {
		if !g.Met && g.Name != "needless stops of 1000" {
			t.Errorf("%+v", g)
		}
	}
	if n := total.All(); n.Count < 30 || total.Reswipes < 20 || total.Booked == 0 || total.Booked == total.Reswipes {
		t.Errorf("too few accidents for a test: %+v, re-swipes %d, %d booked", n, total.Reswipes, total.Booked)
	}
}

// truth holds every attempt's label against what had happened to its order, as
// the trace alone tells it: an accident is never taken for an honest purchase,
// and an honest purchase never for an accident.
func truth(t *testing.T, shop string, trace []Attempt) {
	t.Helper()
	type fate struct {
		paid, open bool
		card       int32
	}
	orders := map[int32]fate{}
	kinds := map[Truth]int{}
	for i, a := range trace {
		f := orders[a.Order]
		if a.Undo {
			orders[a.Order] = fate{}
			continue
		}
		want := Honest
		switch {
		case f.paid:
			want = Repeat
		case f.open && f.card == a.Card:
			want = Reswipe
		}
		if a.Truth != want {
			t.Fatalf("%s, attempt %d: labelled %v, and is %v", shop, i, a.Truth, want)
		}
		if a.Truth == Repeat && (a.Late <= 0 || f.card != a.Card) {
			t.Fatalf("%s, attempt %d: a repeat %v after, on another card: %v", shop, i, a.Late, f.card != a.Card)
		}
		kinds[a.Truth]++
		switch {
		case a.Sent && a.Answer == Approves:
			orders[a.Order] = fate{paid: true, card: a.Card}
		case a.Sent && a.Answer >= LostBooked:
			orders[a.Order] = fate{open: true, card: a.Card}
		}
	}
	if kinds[Honest] == 0 {
		t.Errorf("%s: no honest attempt", shop)
	}
}

// The throttle is what surfaces repeats: without it none is. A card whose
// payment is open is held all the same: that is the reducer's own.
func TestWithoutThrottle(t *testing.T) {
	r, trace := lived(t, "conv", Opts{Seed: 3, Days: 20, Fresh: true})
	truth(t, "conv", trace)
	n := r.All()
	if n.Count == 0 || n.Surfaced() != 0 || r.Again == 0 {
		t.Errorf("with no rules %d of %d repeats are surfaced, %d orders charged twice", n.Surfaced(), n.Count, r.Again)
	}
	if r.Asked+r.Noted+r.Absorbed+r.Stops() > r.Own {
		t.Errorf("with no rules: %+v", r)
	}
	if r.Reswipes == 0 || r.Held != r.Reswipes || r.Double > 0 {
		t.Errorf("re-swipes %d, held %d, double %d", r.Reswipes, r.Held, r.Double)
	}
	with, _ := lived(t, "conv", Opts{Seed: 3, Days: 20, Fresh: true, Rules: rules(t, "conv")})
	if n := with.All(); Percent(n.Surfaced(), n.Count) < LeastSurfaced {
		t.Errorf("with rules only %d of %d", n.Surfaced(), n.Count)
	}
}

// More honest repeats, more questions: the goals are not met by traffic that has
// none.
func TestStories(t *testing.T) {
	few, _ := lived(t, "hotel", Opts{Seed: 1, Days: 40, Fresh: true, Rules: rules(t, "hotel")})
	many, _ := lived(t, "hotel", Opts{Seed: 1, Days: 40, Fresh: true, Rules: rules(t, "hotel"), Stories: 4})
	if few.Asked == 0 || many.Per(many.Asked) < 2*few.Per(few.Asked) {
		t.Errorf("asked %.1f, with four times the stories %.1f", few.Per(few.Asked), many.Per(many.Asked))
	}
}
