package throttle

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/signature"
)

// Every profile of the build is a file without an error, for the set of the
// build, and loosens only what its rules allow.
func TestProfiles(t *testing.T) {
	if len(Profiles()) < 8 {
		t.Fatal(Profiles())
	}
	for _, name := range Profiles() {
		r, err := Default().WithProfile(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.Base != name || len(r.List) != len(Default().List) {
			t.Errorf("%s: base %q, %d rules", name, r.Base, len(r.List))
		}
	}
	if _, err := Default().WithProfile("nothing"); err == nil {
		t.Error("a profile that is not there")
	}
}

// The default has every rule of the table, a reason on each, and texts that
// there are.
func TestDefaultIsWhole(t *testing.T) {
	for n := range 25 {
		found := false
		for _, r := range Default().List {
			if r.ID.Num() != n {
				continue
			}
			found = true
			if r.Why == "" || r.TextOf() == "" {
				t.Errorf("%v has no reason or no text", r.ID)
			}
		}
		if !found {
			t.Errorf("there is no R%02d", n)
		}
	}
}

// What is wrong is said with line and column.
func TestErrors(t *testing.T) {
	head := "rules x version 1\n"
	rule := func(fields string) string {
		return head + "rule R40 {\n  window: sliding 60s\n  text: FUNDS\n  why: \"w\"\n" + fields + "\n}\n"
	}
	for _, c := range []struct{ text, at, why string }{
		{"", "1:1", "'rules', 'profile' or 'merchant'"},
		{"rulez x version 1", "1:1", "'rulez'"},
		{"rules x version 0", "1:17", "from 1 on"},
		{"rules x version one", "1:17", "from 1 on"},
		{"rules x version 1 2", "1:19", "behind the version"},
		{head + "rule R4 {", "2:6", "R00 to R99"},
		{head + "rule R04z {}", "2:6", "R00 to R99"},
		{head + "foo", "2:1", "'rule', 'adjust', 'class' or 'settings'"},
		{head + "adjust R04 {}", "2:1", "adjusts none"},
		{rule("  action: confirm(default=CHARGE)"), "6:27", "never charges"},
		{rule("  action: explode"), "6:11", "no action"},
		{rule("  action: cooldown"), "6:11", "needs a length"},
		{rule("  action: cooldown(5)"), "6:20", "no length of time"},
		{rule("  action: refuse(forever)"), "6:18", "no length of time"},
		{rule("  action: supervisor(token)"), "6:22", "'pin'"},
		{rule("  action: warn\n  measure: count > 3"), "7:18", ">= or <="},
		{rule("  action: warn\n  measure: sum(card) >= 3"), "7:16", "not measured"},
		{rule("  action: warn\n  match: outcome in {good}"), "7:22", "no outcome"},
		{rule("  action: warn\n  match: rc in {5}"), "7:17", "no response code"},
		{rule("  action: warn\n  match: class in {zzz}"), "2:1", "class zzz"},
		{rule("  action: warn\n  window: sliding 61s"), "7:3", "window stands twice"},
		{rule("  action: warn\n  colour: red"), "7:3", "no field colour"},
		{rule("  action: warn\n  text: NONE"), "7:3", "text stands twice"},
		{rule("  action: warn\n  cap: whatever"), "7:8", "no cap"},
		{rule("  action: warn\n  evidence: OPR.flow += 99"), "7:25", "-5 to 5"},
		{rule("  action: warn\n  unless: sunday"), "7:11", "no exemption"},
		{head + "rule R40 {\n window: sliding 60s\n text: FUNDS\n why: \"w\" action: warn\n}", "5:11", "behind the value"},
		{head + "rule R40 {\n window: sliding 60s\n text: FUNDS\n action: warn\n}", "2:6", "has no why"},
		{head + "rule R40 {\n action: warn", "3:14", "'}'"},
		{head + "class a { 00 1 }", "2:14", "no response code"},
		{head + "class a { 00 }\nclass a { 01 }", "3:7", "twice"},
		{head + "why: \"no end", "2:6", "closing quote"},
		{head + "rule R40 { window: sliding 60s; action: warn; text: FUNDS; why: \"刷卡\" §\n}", "2:70", "does not belong"},
		{"profile p for default version 1\nadjust R06 {\n  text: FUNDS\n}", "3:3", "cannot be adjusted"},
		{"profile p for default version 1\nrule R06 {\n}", "2:1", "it makes none"},
		{"profile p for default version 1\nsettings {\n  limit: much\n}", "3:10", "no amount"},
		{"profile p for default version 1\nsettings {\n  confirm: 5s\n}", "3:12", "not from"},
	} {
		_, err := Parse("f", c.text)
		var es Errors
		if !errors.As(err, &es) {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		found := false
		for _, e := range es {
			found = found || strings.HasPrefix(e.Error(), "f:"+c.at+": ") && strings.Contains(e.Why, c.why)
		}
		if !found {
			t.Errorf("%q: want %s %q, got\n%v", c.text, c.at, c.why, err)
		}
	}
	// All errors at once, in their order.
	_, err := Parse("f", rule("  action: explode\n  cap: whatever"))
	if n := strings.Count(err.Error(), "\n") + 1; n < 2 {
		t.Errorf("only %d errors:\n%v", n, err)
	}
}

// The words of the specification's own example are understood.
func TestSpecExample(t *testing.T) {
	f, err := Parse("f", `rules x version 7
rule R02 { on: presale            # a comment
  match: outcome in {approved, unknown}, same card, same amount
  window: sliding 600s
  measure: count >= 1
  unless: order_ref differs from matched, mode=ticket and qty confirmed, grace token valid
  action: confirm(default=VIEW)
  text: DUP_SAME ; evidence: OPR.repeat += 1.3 ; cap: may_tighten
  why: "asked"
}`)
	if err != nil {
		t.Fatal(err)
	}
	r := f.Rules[0]
	if f.Version != 7 || r.ID != MakeID(2, 0) || r.Match.Same != SameCard|SameAmount || r.Unless != UnlessOrder|UnlessQuantity|UnlessGrant ||
		r.Action.Do != Ask || len(r.Evidence) != 1 || r.Cap != MayTighten {
		t.Errorf("%+v", r)
	}
}

// R00 to R03 cannot be switched off, in whatever way it is tried.
func TestFloor(t *testing.T) {
	for name, change := range map[string][2]string{
		"no R00":                   {"rule R00 {", "rule R90 {"},
		"no R01":                   {"rule R01 {", "rule R91 {"},
		"R01 only warns":           {"action: hold", "action: warn"},
		"no R03":                   {"rule R03 {", "rule R93 {"},
		"R02 for a minute":         {"window: sliding 600s\n  measure: count >= 1", "window: sliding 60s\n  measure: count >= 1"},
		"R02 from the third on":    {"window: sliding 600s\n  measure: count >= 1", "window: sliding 600s\n  measure: count >= 2"},
		"R02 warns":                {"action: confirm(default=VIEW)\n  override: supervisor(pin)\n  text: DUP_SAME", "action: warn\n  text: DUP_SAME"},
		"R02 for large sums":       {"text: DUP_SAME", "text: DUP_SAME\n  this: amount >= 100.00"},
		"R01 with an exemption":    {"action: hold", "action: hold\n  unless: grant"},
		"R01 with a supervisor":    {"action: hold", "action: hold\n  override: supervisor(pin)"},
		"R02 on another card only": {"match: outcome in {approved, unknown}, same card, same amount\n  window: sliding 600s", "match: outcome in {approved, unknown}, same bin8, same amount\n  window: sliding 600s"},
	} {
		if strings.Count(DefaultText(), change[0]) < 1 {
			t.Fatalf("%s: its place is gone", name)
		}
		f, err := Parse("f", strings.Replace(DefaultText(), change[0], change[1], 1))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := Build(f); !errors.Is(err, ErrFloor) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A merchant may only tighten; a profile loosens what its rules allow.
func TestTighten(t *testing.T) {
	for _, c := range []struct {
		body string
		ok   bool
	}{
		{"adjust R06 { measure: count >= 5 }", true},
		{"adjust R06 { measure: count >= 9 }", false},
		{"adjust R05 { action: cooldown(120s) }", true},
		{"adjust R05 { action: cooldown(30s) }", false},
		{"adjust R05 { action: note }", false},
		{"adjust R05 { action: supervisor(pin) }", true},
		{"adjust R08 { unless: none }", true},
		{"adjust R16 { unless: grant, linked, order_ref differs }", false},
		{"adjust R08 { window: sliding 2h }", false},
		{"adjust R08 { window: sliding 48h }", true},
		{"adjust R02b { window: sliding 60s }", false},
		{"adjust R01 { action: warn }", false},
		{"adjust R10b { override: none }", true},
		{"adjust R07a { override: supervisor(pin) }", false},
		{"adjust R12 { window: gcra T=3s burst=8 }", false},
		{"settings { limit: 500.00 }", true},
		{"settings { read: 100ms }", false},
		{"settings { keyed: required }", false},
		{"settings { card_day: 9000.00 }", true},
		{"class funds { 51 61 }", false},
		{"adjust R77 { measure: count >= 1 }", false},
		// What ends by itself stands for no question that does not.
		{"adjust R02b { action: refuse(1s) }", false},
		{"adjust R02b { action: cooldown(1s) }", false},
		{"adjust R02b { action: refuse(600s) }", true},
		{"adjust R04 { action: cooldown(60s) }", false},
		{"adjust R04 { action: cooldown(300s) }", true},
		{"adjust R10b { action: lock(1s, keyed, swipe) }", false},
		{"adjust R06 { action: refuse(1h) }", false},
		{"adjust R06 { action: refuse(day) }", true},
		{"adjust R14 { action: lock(15m, keyed, chip) }", false},
		{"adjust R14 { action: lock(15m, keyed, swipe, chip) }", true},
	} {
		_, err := Default().WithText("m", "merchant for default version 1\n"+c.body+"\n")
		if (err == nil) != c.ok {
			t.Errorf("merchant %s: %v", c.body, err)
		}
		var es Errors
		if err != nil && !errors.As(err, &es) && !errors.Is(err, ErrFloor) {
			t.Errorf("%s: an error without its place: %v", c.body, err)
		}
	}
	if _, err := Default().WithText("p", "profile p for default version 1\nadjust R07a { action: refuse(1h) }\n"); err == nil {
		t.Error("a profile loosened what is fixed")
	}
	if _, err := Default().WithText("p", "profile p for other version 1\n"); err == nil {
		t.Error("a profile of other rules was taken")
	}
}

func TestSignature(t *testing.T) {
	pub, key, _ := ed25519.GenerateKey(strings.NewReader(strings.Repeat("k", 64)))
	other, _, _ := ed25519.GenerateKey(strings.NewReader(strings.Repeat("o", 64)))
	text := signature.Sign(strings.Replace(DefaultText(), "version 1", "version 5", 1), key)
	r, err := Load("f", text, []ed25519.PublicKey{other, pub}, 4)
	if err != nil || r.Version != 5 || r.KeyID != signature.KeyID(pub) {
		t.Fatal(r, err)
	}
	if again := signature.Sign(text, key); again != text {
		t.Error("signing twice is not signing once")
	}
	for name, c := range map[string]struct {
		text string
		keys []ed25519.PublicKey
		have int
		want error
	}{
		"older":         {text, []ed25519.PublicKey{pub}, 6, ErrOlder},
		"the same":      {text, []ed25519.PublicKey{pub}, 5, ErrOlder},
		"unsigned":      {DefaultText(), []ed25519.PublicKey{pub}, 0, signature.ErrUnsigned},
		"another key":   {text, []ed25519.PublicKey{other}, 0, signature.ErrUnknownKey},
		"no key":        {text, nil, 0, signature.ErrUnknownKey},
		"one byte":      {strings.Replace(text, "count >= 8", "count >= 9", 1), []ed25519.PublicKey{pub}, 0, signature.ErrSignature},
		"a line behind": {text + "# more\n", []ed25519.PublicKey{pub}, 0, signature.ErrUnsigned},
		"cut":           {text[:len(text)-20], []ed25519.PublicKey{pub}, 0, signature.ErrSignature},
	} {
		_, err := Load("f", c.text, c.keys, c.have)
		var es Errors
		if !errors.As(err, &es) || !strings.Contains(err.Error(), strings.TrimPrefix(c.want.Error(), "throttle: ")) || es[0].Line == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParse: no text makes the parser fail otherwise than with Errors, and what
// it takes can be built or is refused.
func FuzzParse(f *testing.F) {
	f.Add(DefaultText())
	for _, p := range Profiles() {
		text, _ := ProfileText(p)
		f.Add(text)
	}
	f.Add("rules x version 1\nrule R40 { on: presale; action: lock(1s, keyed+swipe) }")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse("f", text)
		var es Errors
		switch {
		case err != nil && (!errors.As(err, &es) || len(es) == 0 || es[0].Line < 1 || es[0].Col < 1):
			t.Fatalf("%v", err)
		case err != nil:
			return
		case file.Sort == SortRules:
			if r, err := Build(file); err == nil {
				r.Decide(Attempt{On: PreSale, Amount: 100}, Facts{Log: &Log{}})
			}
		default:
			Default().Apply(file, "f")
		}
	})
}

// What a merchant may change opens nothing: whatever happened before, an attempt
// that the rules of the build ask about or stop is asked about or stopped by the
// merchant's as well.
func TestTighterStopsAsMuch(t *testing.T) {
	actions := []string{"confirm(default=VIEW)", "refuse(day)", "supervisor(pin)", "warn"}
	for _, d := range []int{1, 60, 300, 600, 1800, 86400} {
		actions = append(actions, fmt.Sprintf("cooldown(%ds)", d), fmt.Sprintf("refuse(%ds)", d), fmt.Sprintf("lock(%ds, keyed, swipe)", d))
	}
	taken := 0
	for _, rule := range []string{"R02b", "R04", "R05", "R06", "R08", "R10a", "R10b", "R10c", "R16", "R17"} {
		for _, action := range actions {
			set, err := Default().WithText("m", fmt.Sprintf("merchant for default version 1\nadjust %s { action: %s }\n", rule, action))
			if err != nil {
				continue
			}
			taken++
			for seed := range uint64(12) {
				if a, b, ok := asMuch(set, rand.New(rand.NewPCG(seed, 3))); !ok {
					t.Fatalf("%s { %s } seed %d: %v %v becomes %v %v", rule, action, seed, a.Action, a.Rule, b.Action, b.Rule)
				}
			}
		}
	}
	if taken < 20 {
		t.Errorf("%d changes were taken", taken)
	}
}

// asMuch lets a card or two pay again and again under both sets.
func asMuch(set *Rules, r *rand.Rand) (da, db Decision, ok bool) {
	a, b := newShop(), newShop()
	b.rules = set
	pick := func(list ...int) int { return list[r.IntN(len(list))] }
	for range 40 {
		step := time.Duration(pick(1, 31, 90, 130, 301, 700, 3600)) * time.Second
		a.now, b.now = a.now+step, b.now+step
		card, amount := pick(0, 0, 1), int64(pick(1000, 1000, 1000, 100_000, 4_500_000))
		da, db = a.ask(card, amount), b.ask(card, amount)
		for s, d := range map[*shop]Decision{a: da, b: db} {
			if d.Changed {
				s.book.Keep(d.Cooled, s.now)
			}
		}
		if da.Action >= Ask && da.Action != Cool && db.Action < Ask {
			return da, db, false
		}
		if da.Action > Ask || db.Action > Ask {
			continue
		}
		o, rc := Approved, "00"
		if r.IntN(4) == 0 {
			o, rc = Declined, []string{"05", "51"}[r.IntN(2)]
		}
		a.done(card, amount, o, rc)
		b.done(card, amount, o, rc)
	}
	return da, db, true
}
