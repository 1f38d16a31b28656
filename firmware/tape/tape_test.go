package tape

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"swipewell/firmware/diagnose"
	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
)

var (
	profile = txn.Profile{Context: "a", Currency: pos.CNY, MaxAmount: 5_000_000, SettleAfter: 90 * time.Second, MaxOpen: 3,
		CardTimeout: time.Minute, ConfirmTime: 30 * time.Second, PINTimeout: time.Minute, PINPad: true, Printer: true, Lang: "zh"}
	card   = pos.CardRef{0xC0, 0xFF, 0xEE, 4: 0xAB, 15: 0xCD}
	scopes = throttle.Scopes{Key: throttle.Key{0xBA, 0xDC, 0xAF, 0xE5}, Tags: throttle.Tags{Card: 0xFEEDFACECAFEBEEF, Bin8: 0x62258801}}
)

// till drives the reducer with rules and a recorder, as the terminal does.
type till struct {
	t     testing.TB
	s     txn.State
	rules *throttle.Rules
	book  *throttle.Book
	win   diagnose.Window
	now   time.Duration
	rec   *Recorder
	fx    []txn.Effect
}

func keep(s string) string { return s }

func newTill(t testing.TB) *till {
	x := &till{t: t, s: txn.New(txn.Durable{Batch: 1, STAN: 6, SignedOn: true}), rules: throttle.Default(), book: throttle.NewBook(0), now: time.Hour, rec: New("test", keep)}
	x.do(txn.Event{Kind: txn.Booted, Profile: profile})
	x.rec.Drop()
	return x
}

func (x *till) do(e txn.Event) {
	e.At = pos.Time{Wall: 1_790_000_000_000 + x.now.Milliseconds(), Logical: x.now}
	now := x.s.Durable.Clock.Now(x.now, 8*time.Hour)
	e.Rules, e.Rand = x.rules, uint32(x.now)
	sc := scopes
	if x.s.Card.IsZero() && e.Card.IsZero() {
		sc = throttle.Scopes{}
	}
	e.Watch = x.book.Facts(sc, now)
	next, fx := txn.Step(x.s, e)
	if !x.rec.Active() {
		x.rec.Begin(x.s, x.book.Log(), x.rules)
	}
	x.rec.Step(e, next, fx, diagnose.Rank(x.win.Read(x.now, diagnose.Base{}), diagnose.Told{}))
	for _, f := range fx {
		switch f := f.(type) {
		case txn.PutCard:
			x.book.Keep(f.Card, now.At)
		case txn.PutEvent:
			x.book.Note(f.Event, now.Day)
		case txn.NoteEvent:
			x.book.Note(f.Event, now.Day)
		}
	}
	x.s, x.fx = next, fx
	x.now += 100 * time.Millisecond
}

func (x *till) keys(s string) {
	for _, k := range strings.Fields(s) {
		x.do(txn.Event{Kind: txn.KeyPressed, Key: txn.Key(k)})
	}
}

// sale is one of 12.80 that is approved.
func (x *till) sale(rc pos.ResponseCode) {
	x.keys("1 2 8 0 enter")
	x.do(txn.Event{Kind: txn.Presented, Card: card, Masked: "622588******0091", Entry: pos.EntrySwipe})
	if x.s.Phase == txn.Confirming {
		x.now += 2 * time.Second
		x.keys("enter")
	}
	if x.s.Phase == txn.EnteringPIN {
		x.do(txn.Event{Kind: txn.PINDone, PIN: txn.PINEntered})
	}
	if x.s.Phase == txn.Online {
		x.win.Add(diagnose.Obs{Kind: diagnose.Sale, At: x.now, Code: diagnose.EndApproved})
		x.do(txn.Event{Kind: txn.SaleDone, Reply: txn.Reply{Kind: txn.Answered, RC: rc, MAC: txn.MACValid, Amount: 1280, RRN: "633015000003", Auth: "A1B2C3"}})
	}
}

// twice pays and, five seconds later, draws the same card again.
func twice(t testing.TB) Packed {
	x := newTill(t)
	x.sale("00")
	if x.s.Phase != txn.Result {
		t.Fatalf("the first sale ended in %v %v", x.s.Phase, x.s.Code)
	}
	x.now += 4 * time.Second
	x.keys("enter")
	x.sale("00")
	x.keys("enter")
	p, ok := x.rec.Take()
	if !ok {
		t.Fatal("no tape")
	}
	return p
}

// What is recorded runs again to the same end, step by step.
func TestRunIsEqual(t *testing.T) {
	p := twice(t)
	r, err := Run(p.Bytes(), throttle.Default(), keep)
	if err != nil || r.First != nil || r.Steps != p.Steps || r.Steps < 12 {
		t.Fatalf("%+v %v", r, err)
	}
	if r.Rules != "default 1" || r.Build != "test" {
		t.Errorf("%q by %q", r.Rules, r.Build)
	}
	t.Logf("%d steps, %d bytes", p.Steps, len(p.Bytes()))
}

// Another rule gives the first difference: the step at which it speaks, and what.
func TestMutatedRule(t *testing.T) {
	p := twice(t)
	text := strings.Replace(throttle.DefaultText(), "window: sliding 10s", "window: sliding 2s", 1)
	f, err := throttle.Parse("mutated", text)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := throttle.Build(f)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(p.Bytes(), rules, keep)
	if err != nil || r.First == nil {
		t.Fatalf("%+v %v", r, err)
	}
	d := r.First
	if d.Event != "presented" || d.Step != r.Steps {
		t.Errorf("step %d, %q", d.Step, d.Event)
	}
	all := fmt.Sprint(d.Lines)
	if !strings.Contains(all, "Decided") || !strings.Contains(all, "state Phase") {
		t.Errorf("%v", all)
	}
	if r.Steps == p.Steps {
		t.Error("it went on behind the first difference")
	}
}

// A diagnosis that weighs otherwise is a difference, too.
func TestOtherDiagnosis(t *testing.T) {
	p := twice(t)
	x, err := unpack(p.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Steps {
		if x.Steps[i].Rank != "" {
			x.Steps[i].Rank = "NET.signal 0.90, OPR.repeat 0.05, sure"
		}
	}
	r, err := Run(pack(x, new(*flate.Writer)), throttle.Default(), keep)
	if err != nil || r.First == nil || len(r.First.Lines) != 1 || r.First.Lines[0].What != "diagnosis" {
		t.Fatalf("%+v %v", r, err)
	}
}

// No name of a card is on a tape, in any form; nor DE 55; a number in free text is not.
func TestNothingOfTheCard(t *testing.T) {
	x := newTill(t)
	x.rec.sieve = func(s string) string { return strings.ReplaceAll(s, "6225880000000091", "********") }
	x.sale("00")
	x.do(txn.Event{Kind: txn.ChipSaid, Card: card, Chip: txn.Says{What: txn.ChipOnline, Chip: pos.Chip{ICC: "9F2608DEADBEEF", PSN: "001"}, Scripts: "DF31050BADF00D"}})
	x.do(txn.Event{Kind: txn.Closed, Record: pos.Record{Card: card, Masked: "6225880000000091", LastError: "x 6225880000000091"}, Reason: "6225880000000091"})
	p, _ := x.rec.Take()
	part, err := unpack(p.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	raw := fmt.Sprintf("%+v", part)
	for name, b := range map[string][]byte{"card": card[:6], "key": scopes.Key[:4], "tag": {0xFE, 0xED, 0xFA, 0xCE}, "bin": {0x62, 0x25, 0x88, 0x01}} {
		for _, form := range []string{hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)), base64.StdEncoding.EncodeToString(b), string(b), fmt.Sprint(b)} {
			if strings.Contains(raw, strings.TrimRight(form, "=")) {
				t.Errorf("the %s is on the tape as %q", name, form)
			}
		}
	}
	for _, s := range []string{fmt.Sprint(scopes.Tags.Card), fmt.Sprint(scopes.Tags.Bin8), "DEADBEEF", "0BADF00D", "6225880000000091"} {
		if strings.Contains(raw, s) {
			t.Errorf("%q is on the tape", s)
		}
	}
	if !strings.Contains(raw, "Chip.Chip.ICC:#14") {
		t.Error("the size of DE 55 is not told")
	}
}

// Whatever is recorded runs again without a difference, and stays within its bounds.
func TestAnyRunIsEqual(t *testing.T) {
	keys := []string{"0", "1", "5", "00", "dot", "enter", "enter", "cancel", "clear", "menu", "up", "down", "f1", "f2"}
	rapid.Check(t, func(rt *rapid.T) {
		x := newTill(t)
		n := rapid.IntRange(1, MostSteps+20).Draw(rt, "steps")
		for range n {
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0:
				x.do(txn.Event{Kind: txn.Presented, Card: card, Masked: "622588******0091", Entry: pos.EntrySwipe})
			case 1:
				rc := rapid.SampledFrom([]pos.ResponseCode{"00", "51", "05", "65"}).Draw(rt, "rc")
				x.do(txn.Event{Kind: txn.SaleDone, Reply: txn.Reply{Kind: txn.Answered, RC: rc, MAC: txn.MACValid, Amount: 1280}})
			case 2:
				x.do(txn.Event{Kind: txn.SaleDone, Reply: txn.Reply{Kind: txn.NoAnswer, Code: "F-NET-09", LeftBy: x.now}})
			case 3:
				x.do(txn.Event{Kind: txn.PINDone, PIN: txn.PINEntered})
			case 4:
				x.win.Add(diagnose.Obs{Kind: diagnose.Kind(rapid.IntRange(1, 20).Draw(rt, "obs")), At: x.now, Code: 1})
				x.now += time.Duration(rapid.IntRange(0, 600).Draw(rt, "pause")) * time.Second
			default:
				x.keys(rapid.SampledFrom(keys).Draw(rt, "key"))
			}
		}
		p, ok := x.rec.Take()
		if !ok {
			return
		}
		if len(p.Bytes()) > MostBytes {
			rt.Fatalf("%d bytes", len(p.Bytes()))
		}
		r, err := Run(p.Bytes(), throttle.Default(), keep)
		if err != nil || r.First != nil {
			rt.Fatalf("%+v %v", r.First, err)
		}
	})
}

func FuzzRun(f *testing.F) {
	b := twice(f).Bytes()
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add([]byte(nil))
	rules := throttle.Default()
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := Run(b, rules, keep); err == nil && r.First == nil && r.Steps == 0 && !bytes.Equal(b, nil) {
			if p, err := unpack(b); err != nil || len(p.Steps) != 0 {
				t.Fatal("nothing was run, and nothing said")
			}
		}
	})
}

// A part that goes on is run behind the one before it, and not alone.
func TestPartsGoOn(t *testing.T) {
	x := newTill(t)
	x.keys("1 2 8 0 enter")
	a, ok := x.rec.Take()
	x.sale("00")
	b, ok2 := x.rec.Take()
	if !ok || !ok2 {
		t.Fatalf("%d and %d bytes", len(a.Bytes()), len(b.Bytes()))
	}
	p := NewPlayer(throttle.Default(), keep)
	for _, part := range []Packed{a, b} {
		if r, err := p.Run(part.Bytes()); err != nil || r.First != nil || r.Steps != part.Steps {
			t.Fatalf("%+v %v", r, err)
		}
	}
	if _, err := Run(b.Bytes(), throttle.Default(), keep); !errors.Is(err, ErrGap) {
		t.Errorf("alone: %v", err)
	}
}
