package throttle

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// TestFormatIsTheLanguage: what Format writes reads back as the same rule, for
// every rule of the build and of each profile.
func TestFormatIsTheLanguage(t *testing.T) {
	sets := []*Rules{Default()}
	for _, p := range Profiles() {
		r, err := Default().WithProfile(p)
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, r)
	}
	for _, r := range sets {
		for _, x := range r.List {
			head := "rules x version 1\n"
			for _, c := range r.Classes {
				head += "class " + c.Name + " { " + strings.Join(names(c.RCs), " ") + " }\n"
			}
			f, err := Parse("f", head+x.Format())
			if err != nil {
				t.Errorf("%v of %s:\n%s%v", x.ID, r.Base, x.Format(), err)
				continue
			}
			if d := cmp.Diff(x, f.Rules[0], cmpopts.IgnoreUnexported(Rule{}), cmpopts.IgnoreFields(Rule{}, "Line")); d != "" {
				t.Errorf("%v of %s: %s", x.ID, r.Base, d)
			}
		}
	}
}

// TestSetFormat: a whole set reads back as itself.
func TestSetFormat(t *testing.T) {
	for _, p := range append(Profiles(), "") {
		r := Default()
		if p != "" {
			var err error
			if r, err = r.WithProfile(p); err != nil {
				t.Fatal(err)
			}
		}
		f, err := Parse("f", r.Format())
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		n, err := Build(f)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		if d := Diff(r, n); len(d) > 0 {
			t.Errorf("%s: %v", p, d)
		}
	}
}

func TestDiff(t *testing.T) {
	if d := Diff(Default(), Default()); len(d) != 0 {
		t.Errorf("a set differs from itself: %v", d)
	}
	n, err := Default().WithText("m", "merchant for default version 1\nadjust R05 { measure: count >= 3 }\nsettings { limit: 500.00 }\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"~ R05 measure: count >= 4 -> count >= 3", "~ settings limit: none -> 500.00"}
	if d := cmp.Diff(want, Diff(Default(), n)); d != "" {
		t.Error(d)
	}
}

// day makes a history of honest and of repeated payments.
func day(rt *rapid.T) (events []Event) {
	at, wall := Time(time.Hour), int64(1_795_000_000)
	for range rapid.IntRange(1, 80).Draw(rt, "events") {
		gap := time.Duration(rapid.IntRange(1, 900).Draw(rt, "gap")) * time.Second
		at += gap
		wall += int64(gap / time.Second)
		e := Event{At: at, Wall: wall, What: Sale, Entry: Swiped, Amount: rapid.SampledFrom([]int64{1000, 2500, 100000, 4000000}).Draw(rt, "amount"),
			Tags: Tags{Card: rapid.Uint64Range(1, 6).Draw(rt, "card"), Bin8: rapid.Uint32Range(1, 2).Draw(rt, "bin")}}
		switch rapid.IntRange(0, 9).Draw(rt, "end") {
		case 0:
			e.Outcome, e.RC = Declined, RC{'5', '1'}
		case 1:
			e.Outcome = Unknown
		case 2:
			e.What = Stopped
		default:
			e.Outcome = Approved
		}
		events = append(events, e)
	}
	return events
}

// TestReplayIsDeterministic: a replay gives the same decisions each time, asks
// about every attempt, and a rule that is tighter stops at least as often.
func TestReplayIsDeterministic(t *testing.T) {
	tight, err := Default().WithText("m", "merchant for default version 1\nadjust R04 { measure: count >= 1 }\n")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		events := day(rt)
		a, as := Default().Try(events, Learned{}, 8*time.Hour)
		b, bs := Default().Try(events, Learned{}, 8*time.Hour)
		if a.Attempts != len(events) || cmp.Diff(a, b) != "" {
			rt.Fatalf("%d attempts of %d, %v", a.Attempts, len(events), cmp.Diff(a, b))
		}
		if more, less := Compare(as, bs); more+less != 0 {
			rt.Fatalf("a set differs from itself: %d %d", more, less)
		}
		_, ts := tight.Try(events, Learned{}, 8*time.Hour)
		if _, less := Compare(as, ts); less != 0 {
			rt.Fatalf("a tighter set let %d pass", less)
		}
	})
}

// TestReplayFindsRepeats: the two that the rules ask about are found, and nothing
// else.
func TestReplayFindsRepeats(t *testing.T) {
	e := func(s int, card uint64, amount int64, o Outcome) Event {
		return Event{At: time.Duration(s) * time.Second, Wall: 1_795_000_000 + int64(s), What: Sale, Outcome: o, Amount: amount, Tags: Tags{Card: card, Bin8: 1}}
	}
	events := []Event{e(0, 1, 1280, Approved), e(60, 2, 1280, Approved), e(120, 1, 1280, Approved), e(900, 1, 1280, Approved), e(910, 3, 500, Unknown),
		{At: 911 * time.Second, Wall: 1_795_000_911, What: Sale, Outcome: Reversed, Amount: 500, Tags: Tags{Card: 3, Bin8: 1}}, e(915, 3, 500, Approved)}
	tried, stops := Default().Try(events, Learned{}, 8*time.Hour)
	if d := cmp.Diff([]bool{false, false, true, false, false, false}, stops); d != "" || tried.Hits["R02b"] != 1 || tried.Hits["R02c"] != 2 {
		t.Errorf("%v %+v", d, tried)
	}
}
