package emv_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/tlv"
	"swipewell/firmware/sim/card"
)

// The same state and input give the same answer, and the state that was given
// stays what it was.
func TestStepIsPure(t *testing.T) {
	p := profile(t, "debit", nil)
	cfg, txn := setup(t, p)
	c, err := card.New(p)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{host: emv.Host{Approved: true, ARC: [2]byte{'0', '0'}, AuthData: make([]byte, 10), Scripts: [][]byte{unhex("7109860784240000040000")}}, pin: emv.PIN{Handle: 1}}
	s, out, err := emv.Begin(cfg, txn)
	if err != nil {
		t.Fatal(err)
	}
	type moment struct {
		s    emv.State
		in   emv.Input
		next emv.State
		out  emv.Output
	}
	var film []moment
	for {
		if _, ok := out.(emv.Outcome); ok {
			break
		}
		in := w.answer(out)
		if in == nil {
			in = emv.ParseResponse(response(c, out))
		}
		next, o := emv.Step(s, in)
		film = append(film, moment{s, in, next, o})
		s, out = next, o
	}
	for i, m := range film {
		next, o := emv.Step(m.s, m.in)
		if !reflect.DeepEqual(o, m.out) || !reflect.DeepEqual(next, m.next) {
			t.Fatalf("step %d: %v, and before %v", i, o, m.out)
		}
	}
	again, o := emv.Step(s, emv.Cancel{})
	if !reflect.DeepEqual(o, out) || again != s {
		t.Errorf("after the outcome: %v", o)
	}
}

// Nothing that fmt can do shows the number of the card.
func TestNothingIsPrinted(t *testing.T) {
	p := profile(t, "debit", nil)
	cfg, txn := setup(t, p)
	c, err := card.New(p)
	if err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	say := func(v any) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%X", "%s", "%d", "%q"} {
			fmt.Fprintf(&seen, verb+"\n", v)
		}
	}
	w := &world{host: emv.Host{Approved: true}, pin: emv.PIN{Handle: 1}}
	s, out, err := emv.Begin(cfg, txn)
	if err != nil {
		t.Fatal(err)
	}
	for {
		say(s)
		say(&s)
		say(out)
		say(struct {
			s emv.State
			o emv.Output
		}{s, nil})
		if _, ok := out.(emv.Outcome); ok {
			break
		}
		in := w.answer(out)
		if in == nil {
			in = emv.ParseResponse(response(c, out))
		}
		say(in)
		s, out = emv.Step(s, in)
	}
	text := strings.ToUpper(seen.String())
	for _, secret := range []string{p.PAN, p.PAN[:16], fmt.Sprint([]byte(unhex(p.PAN[:16]))), fmt.Sprintf("% X", unhex(p.PAN[:16])), p.Holder} {
		if strings.Contains(text, secret) {
			t.Errorf("%q was printed", secret[:4]+"…")
		}
	}
	if len(text) < 1000 {
		t.Error("nothing was tried")
	}
}

func TestConfigIsProven(t *testing.T) {
	p := profile(t, "debit", nil)
	for name, spoil := range map[string]func(*emv.Config, *emv.Transaction){
		"no country":           func(c *emv.Config, _ *emv.Transaction) { delete(c.Data, 0x9F1A) },
		"capabilities short":   func(c *emv.Config, _ *emv.Transaction) { c.Data[0x9F33] = []byte{1} },
		"no application":       func(c *emv.Config, _ *emv.Transaction) { c.Apps = nil },
		"AID short":            func(c *emv.Config, _ *emv.Transaction) { c.Apps[0].AID = []byte{1, 2} },
		"floor of three bytes": func(c *emv.Config, _ *emv.Transaction) { c.Data[0x9F1B] = []byte{1, 2, 3} },
		"action code of four":  func(c *emv.Config, _ *emv.Transaction) { c.Apps[0].Data = emv.Values{emv.TagTACOnline: {1, 2, 3, 4}} },
		"default DDOL broken":  func(c *emv.Config, _ *emv.Transaction) { c.Data[emv.TagDDOL] = []byte{0x9F} },
		"CA key of no size":    func(c *emv.Config, _ *emv.Transaction) { c.Keys[0].Modulus = nil },
		"CA key even": func(c *emv.Config, _ *emv.Transaction) {
			c.Keys[0].Modulus = append(c.Keys[0].Modulus[:len(c.Keys[0].Modulus)-1:len(c.Keys[0].Modulus)-1], 2)
		},
		"CA key with e = 5":     func(c *emv.Config, _ *emv.Transaction) { c.Keys[0].Exponent = []byte{5} },
		"CA key with wrong sum": func(c *emv.Config, _ *emv.Transaction) { c.Keys[0].Checksum = make([]byte, 20) },
		"no amount":             func(_ *emv.Config, x *emv.Transaction) { delete(x.Data, 0x9F02) },
		"amount of letters":     func(_ *emv.Config, x *emv.Transaction) { x.Data[0x9F02] = unhex("00000000000A") },
		"other amount short":    func(_ *emv.Config, x *emv.Transaction) { x.Data[0x9F03] = []byte{1} },
		"date that is none":     func(_ *emv.Config, x *emv.Transaction) { x.Data[0x9A] = unhex("261301") },
		"pick 0":                func(_ *emv.Config, x *emv.Transaction) { x.Pick = 0 },
		"pick 100":              func(_ *emv.Config, x *emv.Transaction) { x.Pick = 100 },
	} {
		cfg, txn := setup(t, p)
		spoil(cfg, &txn)
		if _, _, err := emv.Begin(cfg, txn); !errors.Is(err, emv.ErrConfig) && !errors.Is(err, emv.ErrChecksum) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The published key of a scheme's test pages, with its published checksum. B2 Annex B3.
func TestChecksum(t *testing.T) {
	// Visa's test key 99.
	k := emv.CAKey{RID: [5]byte(unhex("A000000003")), Index: 0x99, Exponent: []byte{3},
		Modulus:  unhex("AB79FCC9520896967E776E64444E5DCDD6E13611874F3985722520425295EEA4BD0C2781DE7F31CD3D041F565F747306EED62954B17EDABA3A6C5B85A1DE1BEB9A34141AF38FCF8279C9DEA0D5A6710D08DB4124F041945587E20359BAB47B7575AD94262D4B25F264AF33DEDCF28E09615E937DE32EDC03C54445FE7E382777"),
		Checksum: unhex("4ABFFD6B1C51212D05552E431C5B17007D2F5E6D")}
	if err := k.Check(); err != nil {
		t.Error(err)
	}
	k.Index = 0x98
	if err := k.Check(); !errors.Is(err, emv.ErrChecksum) {
		t.Error(err)
	}
}

// Wrong answers are bugs of the caller: the transaction ends, nothing is approved.
func TestWrongInput(t *testing.T) {
	p := profile(t, "debit", nil)
	cfg, txn := setup(t, p)
	for _, in := range []emv.Input{emv.Choice{}, emv.PIN{}, emv.Facts{}, emv.Host{Approved: true}, nil} {
		s, _, err := emv.Begin(cfg, txn)
		if err != nil {
			t.Fatal(err)
		}
		if _, out := emv.Step(s, in); out.(emv.Outcome).Cause != emv.WrongInput {
			t.Errorf("%T: %v", in, out)
		}
	}
	var zero emv.State
	if _, out := emv.Step(zero, emv.Cancel{}); out.(emv.Outcome).Kind != emv.Terminated {
		t.Errorf("%v", out)
	}
	if _, ok := zero.Get(0x95); ok || zero.TVR() != (emv.TVR{}) || zero.TSI() != (emv.TSI{}) || zero.Candidates() != nil {
		t.Error("a state of nothing has something")
	}
	if in := emv.ParseResponse([]byte{0x90}); in != (emv.Lost{}) {
		t.Errorf("%v", in)
	}
}

// A response while a person or the host is asked is the caller's bug; once a byte
// may have left, it leaves the sale unknown.
func TestResponseWhileAsking(t *testing.T) {
	p := profile(t, "debit", func(p *card.Profile) { p.CVMList = "00000000000000001F00" })
	cfg, txn := setup(t, p)
	for in, want := range map[emv.Input]string{emv.Lost{}: "unknown/card-lost", emv.Cancel{}: "unknown/cancelled", emv.Choice{}: "unknown/wrong-input"} {
		c, err := card.New(p)
		if err != nil {
			t.Fatal(err)
		}
		s, out, err := emv.Begin(cfg, txn)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{}
		for {
			if _, ok := out.(emv.AskOnline); ok {
				break
			}
			answer := w.answer(out)
			if answer == nil {
				answer = emv.ParseResponse(response(c, out))
			}
			s, out = emv.Step(s, answer)
		}
		if _, out = emv.Step(s, in); out.(emv.Outcome).String() != want || out.(emv.Outcome).Reversal != emv.Reverse98 {
			t.Errorf("%T: %v", in, out)
		}
	}
}

func TestPack(t *testing.T) {
	p := profile(t, "debit", func(p *card.Profile) { p.CVMList = "00000000000000001F00" })
	cfg, txn := setup(t, p)
	c, err := card.New(p)
	if err != nil {
		t.Fatal(err)
	}
	s, o := drive(t, cfg, txn, &world{host: emv.Host{Approved: true, ARC: [2]byte{'0', '0'}}}, func(_ int, out emv.Output) emv.Input {
		return emv.ParseResponse(response(c, out))
	})
	if o.String() != "approved-online" {
		t.Fatal(o)
	}
	if got := upper(s.Pack(0x9F1A, 0x9F7C, 0x95, 0x9A, 0x84, 0x8A)); got != "9F1A02015695050000000000"+"9A03261126"+"8408A000000333010101"+"8A023030" {
		t.Error(got)
	}
	if s.TVR().Has(emv.FloorLimit) || !s.TSI().Has(emv.DidRisk) || s.TSI().Has(emv.DidScript) {
		t.Errorf("%X %X", s.TVR(), s.TSI())
	}
	if v, ok := s.Get(tlv.Tag(0x9F02)); !ok || upper(v) != "000000001234" {
		t.Errorf("%X", v)
	}
}

// TestName: B1 §12.4, with a code table that the terminal has or has not.
func TestName(t *testing.T) {
	add := unhex("FA00F0A3FF")
	for _, c := range []struct {
		c    emv.Candidate
		add  string
		want string
	}{
		{emv.Candidate{AID: unhex("A000000333"), Label: []byte("DEBIT")}, "", "DEBIT"},
		{emv.Candidate{AID: unhex("A000000333")}, "", "A000000333"},
		{emv.Candidate{Label: []byte("\x01DE\x7fBIT \x00")}, "", "DEBIT"},
		{emv.Candidate{Label: []byte("L"), Preferred: unhex("BAE0E0E2E0"), CodeTable: 5}, "", "Крртр"},
		{emv.Candidate{Label: []byte("L"), Preferred: []byte("Caf\xe9"), CodeTable: 1}, "", "Café"},
		{emv.Candidate{Label: []byte("L"), Preferred: []byte("Caf\xe9"), CodeTable: 1}, "FA00F0A300", "L"},
		{emv.Candidate{Label: []byte("L"), Preferred: []byte("P")}, "", "L"},
		{emv.Candidate{Label: []byte("L"), Preferred: []byte("P"), CodeTable: 9}, "", "P"},
		{emv.Candidate{Label: []byte("L"), Preferred: []byte("P"), CodeTable: 9}, "FA00F0A0FF", "L"},
		{emv.Candidate{Label: []byte("L"), Preferred: []byte("P"), CodeTable: 10}, "", "P"},
		{emv.Candidate{Label: []byte("L"), Preferred: []byte("P"), CodeTable: 11}, "", "L"},
		{emv.Candidate{Label: []byte("L"), Preferred: []byte("\x01"), CodeTable: 1}, "", "L"},
	} {
		a := add
		if c.add != "" {
			a = unhex(c.add)
		}
		if got := c.c.Name(a); got != c.want {
			t.Errorf("%+v: %q, want %q", c.c, got, c.want)
		}
	}
}

// BenchmarkCDASale is the kernel's part of a whole online sale with CDA on both
// cryptograms, keys of 1984, 1976 and 1408 bits.
func BenchmarkCDASale(b *testing.B) {
	p := profile(b, "credit", func(p *card.Profile) { p.OfflineMax = 0 })
	cfg, txn := setup(b, p)
	c, err := card.New(p)
	if err != nil {
		b.Fatal(err)
	}
	w := &world{host: emv.Host{Approved: true, ARC: [2]byte{'0', '0'}, AuthData: make([]byte, 8)}, pin: emv.PIN{Handle: 1}}
	var tape []emv.Input
	_, o := drive(b, cfg, txn, w, func(_ int, out emv.Output) emv.Input {
		in := emv.ParseResponse(response(c, out))
		tape = append(tape, in)
		return in
	})
	if o.String() != "approved-online" {
		b.Fatal(o)
	}
	b.ReportAllocs()
	for b.Loop() {
		drive(b, cfg, txn, w, func(n int, _ emv.Output) emv.Input { return tape[n] })
	}
}
