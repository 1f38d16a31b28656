package txn

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// guarded is a desk at which persons can name themselves.
func guarded(t *testing.T) *desk {
	d := &desk{t: t, s: New(Durable{}), rows: map[pos.RecordID]pos.Record{}, sales: map[pos.RecordID]pos.Sale{}}
	p := profile
	p.Staff = 4
	d.do(Event{Kind: Booted, Profile: p})
	d.s.Durable.SignedOn, d.s.Durable.Batch = true, 1
	return d
}

func orders[E Effect](fx []Effect) bool {
	return slices.ContainsFunc(fx, func(x Effect) bool { _, ok := x.(E); return ok })
}

// custodian names themselves, with the right PIN.
func (d *desk) custodian(n string) {
	for _, c := range n {
		d.keys(Key(c))
	}
	d.keys("enter")
	d.do(Event{Kind: Named, N: d.s.Name.Number, OK: true})
}

// begun is a desk at which the part of one custodian is in.
func begun(t *testing.T) *desk {
	d := guarded(t)
	d.keys("menu", "9", "6", "4", "2")
	d.custodian("90")
	if !orders[ReadPart](d.fx) || d.s.Phase != Loading {
		t.Fatalf("%s %s after a custodian's PIN", d.s.Phase, d.s.Code)
	}
	d.do(Event{Kind: PartDone, N: 1, OK: true, Check: "08D7B4"})
	return d
}

func TestCustodians(t *testing.T) {
	d := begun(t)
	if d.s.Code != prompt.KeyPartTaken || d.s.Args.Field != "08D7B4" {
		t.Fatalf("%s %q: the check value is to be compared", d.s.Code, d.s.Args.Field)
	}
	d.keys("enter", "9", "0", "enter")
	if d.s.Note != prompt.KeySamePerson || d.s.Phase != Naming || d.s.Custody.Part != 2 {
		t.Fatalf("%s %s: one person entered two parts", d.s.Phase, d.s.Note)
	}
	d.custodian("91")
	d.do(Event{Kind: PartDone, N: 2, OK: true, Check: "D9A2A4"})
	d.keys("enter")
	if x := d.fx; !slices.Contains(x, Effect(ReadPart{Part: 0})) || d.s.Code != prompt.KeyWhole {
		t.Fatalf("%s: the check value of the key is wanted", d.s.Code)
	}
	d.do(Event{Kind: KeyDone, OK: true, Check: "43C6CC"})
	if d.s.Code != prompt.KeyTaken || d.s.Args.Field != "43C6CC" || d.s.Durable.SignedOn || d.s.Custody != (Custody{}) {
		t.Errorf("%s %q, signed on %v", d.s.Code, d.s.Args.Field, d.s.Durable.SignedOn)
	}
	if d.s.Work != WorkSignOn || !orders[SendSignOn](d.fx) || !orders[Vouch](d.fx) {
		t.Error("no sign-on follows, or nothing of it can be proven")
	}
	d.do(Event{Kind: SignOnDone, Reply: Reply{Kind: Answered, RC: "00", KeysWhy: prompt.KeyCheck}})
	if d.s.Code != prompt.KeyTaken || d.s.Note != prompt.KeyCheck || d.s.Durable.SignedOn {
		t.Errorf("%s %s: the host has another key, and nothing says so", d.s.Code, d.s.Note)
	}
}

// Whatever ends it, the parts are forgotten, and nobody is asked for a next one.
func TestCustodyEnds(t *testing.T) {
	for name, end := range map[string]struct {
		do   func(d *desk)
		code prompt.Code
	}{
		"cancel":                {func(d *desk) { d.keys("cancel") }, prompt.KeyGivenUp},
		"time":                  {func(d *desk) { d.do(Event{Kind: TimerExpired, N: d.s.Timer}) }, prompt.KeyGivenUp},
		"time at a name":        {func(d *desk) { d.keys("enter"); d.do(Event{Kind: TimerExpired, N: d.s.Timer}) }, prompt.KeyGivenUp},
		"the case":              {func(d *desk) { d.do(Event{Kind: Faulted, Code: prompt.TamperOpen}) }, prompt.TamperOpen},
		"cancel at a name":      {func(d *desk) { d.keys("enter", "cancel") }, prompt.KeyGivenUp},
		"cancel at a PIN":       {func(d *desk) { d.keys("enter", "9", "1", "enter"); d.do(Event{Kind: KeyPressed, Key: "cancel"}) }, prompt.KeyGivenUp},
		"the key's check value": {func(d *desk) { whole(d); d.do(Event{Kind: KeyDone, Code: prompt.KeyWholeWrong}) }, prompt.KeyWholeWrong},
		"a weak key":            {func(d *desk) { whole(d); d.do(Event{Kind: KeyDone, Code: prompt.KeyUnfit}) }, prompt.KeyUnfit},
		"three wrong checks": {func(d *desk) {
			d.keys("enter")
			d.custodian("91")
			for i := range 3 {
				if i > 0 {
					d.keys("enter")
				}
				d.do(Event{Kind: PartDone, N: 2, Code: prompt.KeyPartWrong})
			}
		}, prompt.KeyPartWrong},
	} {
		t.Run(name, func(t *testing.T) {
			d := begun(t)
			end.do(d)
			if !orders[DropParts](d.fx) || d.s.Code != end.code || d.s.Custody != (Custody{}) {
				t.Errorf("%s %s, dropped %v", d.s.Phase, d.s.Code, orders[DropParts](d.fx))
			}
			if !d.s.Durable.SignedOn {
				t.Error("the session under the old key is over")
			}
		})
	}
}

func whole(d *desk) {
	d.keys("enter")
	d.custodian("91")
	d.do(Event{Kind: PartDone, N: 2, OK: true, Check: "D9A2A4"})
	d.keys("enter")
}

// Five wrong PINs close names for custodians as for everybody.
func TestCustodiansAreLockedOut(t *testing.T) {
	d := begun(t)
	d.keys("enter")
	for range maxWrong {
		d.keys("9", "1", "enter")
		d.do(Event{Kind: Named, N: 91, Code: prompt.NameWrong})
	}
	if d.s.Note != prompt.NameClosed || d.s.Custody != (Custody{}) || d.s.Durable.Desk.Closed == 0 {
		t.Errorf("%s, closed until %v", d.s.Note, d.s.Durable.Desk.Closed)
	}
	d.keys("cancel", "menu", "9", "6", "4", "2")
	if d.s.Code != prompt.NameClosed || d.s.Phase == Naming {
		t.Errorf("%s %s: names are closed", d.s.Phase, d.s.Code)
	}
}

// Whatever happens in whatever order: parts are of different persons, the whole key is
// asked for when all are in, and what was entered is forgotten unless it became the key.
func TestCustodyInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := guarded(t)
		d.keys("menu", "9", "6", "4", Key(rapid.SampledFrom([]string{"2", "3"}).Draw(rt, "of")))
		in, waits := map[uint8]bool{}, d.s.Custody.Of > 0 // parts in the key store, by person
		for i := range rapid.IntRange(1, 60).Draw(rt, "n") {
			label := fmt.Sprint(i)
			part := d.s.Custody
			var e Event
			switch rapid.IntRange(0, 5).Draw(rt, "ev"+label) {
			case 0:
				e = Event{Kind: KeyPressed, Key: rapid.SampledFrom([]Key{"enter", "enter", "cancel", "clear", "menu", "2", "f1"}).Draw(rt, "key"+label)}
			case 1, 2:
				if d.s.Phase == Naming && d.s.Name.Step == nameNumber {
					d.keys("9", rapid.SampledFrom([]Key{"0", "1", "2"}).Draw(rt, "who"+label), "enter")
				}
				e = Event{Kind: Named, N: d.s.Name.Number, OK: rapid.IntRange(0, 3).Draw(rt, "pin"+label) > 0, Code: prompt.NameWrong}
			case 3, 4:
				e = Event{Kind: PartDone, N: part.Part, OK: rapid.IntRange(0, 3).Draw(rt, "ok"+label) > 0, Code: prompt.KeyPartWrong, Check: "08D7B4"}
			case 5:
				e = rapid.SampledFrom([]Event{{Kind: KeyDone, OK: true, Check: "43C6CC"}, {Kind: KeyDone, Code: prompt.KeyWholeWrong}, {Kind: TimerExpired, N: d.s.Timer},
					{Kind: TimerExpired, N: d.s.Timer}, {Kind: OutboxDue}, {Kind: Faulted, Code: prompt.TamperOpen}}).Draw(rt, "else"+label)
			}
			before := d.s
			d.do(e)
			if e.Kind == PartDone && e.OK && before.Phase == Loading && before.Custody.Step == custodyKeys && before.Custody.Part > 0 && d.s.Custody.Step == custodyTaken {
				in[before.Custody.Who[before.Custody.Part-1]] = true
			}
			if orders[DropParts](d.fx) {
				in, waits = map[uint8]bool{}, d.s.Custody.Of > 0
			}
			if x, ok := has[ReadPart](d.fx); ok && x.Part == 0 && len(in) != d.s.Custody.Of {
				rt.Fatalf("the key is put together of %d persons' parts, %d are wanted", len(in), d.s.Custody.Of)
			}
			if d.s.Custody.Of == 0 {
				if taken := e.Kind == KeyDone && e.OK; waits && len(in) > 0 && !taken {
					rt.Fatalf("%s %s: parts of %d persons are left", d.s.Phase, d.s.Code, len(in))
				}
				return
			}
			if d.s.Phase != Loading && d.s.Phase != Naming {
				rt.Fatalf("%s %s in the middle of a key", d.s.Phase, d.s.Code)
			}
		}
	})
}

// Without a key nothing is sold, whatever page was looked at; a key ends it.
func TestNoKeyStaysHalted(t *testing.T) {
	d := guarded(t)
	d.do(Event{Kind: Faulted, Code: prompt.KeyNoMaster})
	d.keys("1", "menu")
	if d.s.Page != PageKeys {
		t.Fatalf("%s %s", d.s.Phase, d.s.Code)
	}
	d.keys("cancel")
	if d.s.Phase != Halted || d.s.Code != prompt.KeyNoMaster {
		t.Fatalf("%s %s: it must stay halted", d.s.Phase, d.s.Code)
	}
	d.keys("menu", "2", "cancel")
	if d.s.Phase != Halted || d.s.Note != prompt.KeyGivenUp {
		t.Fatalf("%s %s %s", d.s.Phase, d.s.Code, d.s.Note)
	}
	d.keys("menu", "2")
	d.custodian("90")
	d.do(Event{Kind: PartDone, N: 1, OK: true, Check: "08D7B4"})
	d.s.WantSignOn = true
	d.do(Event{Kind: OutboxDue})
	if d.s.Work != WorkNone {
		t.Error("it signs on without a key")
	}
	whole(d)
	d.do(Event{Kind: KeyDone, OK: true, Check: "43C6CC"})
	if d.s.NoKey || d.s.Phase != Result || d.s.Work != WorkSignOn {
		t.Errorf("%s %v %v", d.s.Phase, d.s.NoKey, d.s.Work)
	}
	d.do(Event{Kind: Faulted, Code: prompt.TamperOpen})
	d.keys("menu")
	if d.s.Phase != Halted {
		t.Error("an opened case takes a key")
	}
}
