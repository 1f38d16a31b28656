package iso7816_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"swipewell/drivers/iso7816"
	"swipewell/drivers/iso7816/cardsim"
)

// checked appends TCK.
func checked(s string) string {
	b := unhex(strings.ReplaceAll(s, " ", ""))
	sum := byte(0)
	for _, c := range b[1:] {
		sum ^= c
	}
	return strings.ReplaceAll(s, " ", "") + string("0123456789ABCDEF"[sum>>4]) + string("0123456789ABCDEF"[sum&15])
}

// EMV1 §8.3, character by character: what is accepted, and which character is
// named if not.
func TestRulesOfTheATR(t *testing.T) {
	for _, c := range []struct{ name, atr, want string }{
		{"T=0, basic", "3B600000", ""},
		{"T=0, inverse, historical bytes", "3F65000001020304" + "05", ""},
		{"T=0, nothing but T0", "3B00", ""},
		{"T=0, 15 historical bytes", "3B6F0000" + strings.Repeat("31", 15), ""},
		{"TS", "3A600000", "TS"},
		{"TB1 of programming voltage", "3B602500", ""},
		{"TB1 absent", "3B4000", ""},
		{"TC1 FF", "3B6000FF", ""},
		{"TC1 absent", "3B2000", ""},
		{"TC1 01", "3B600001", "TC1"},
		{"TC1 FE", "3B6000FE", "TC1"},
		{"TA1 11, negotiable", "3B70110000", ""},
		{"TA1 12, negotiable", "3B70120000", ""},
		{"TA1 13, negotiable", "3B70130000", ""},
		{"TA1 96, negotiable", "3B70960000", ""},
		{"TA1 11, specific", "3BF01100001000", ""},
		{"TA1 12, specific", "3BF01200001000", ""},
		{"TA1 13, specific", "3BF01300001000", ""},
		{"TA1 14, specific", "3BF01400001000", "TA1"},
		{"TA1 10, specific", "3BF01000001000", "TA1"},
		{"TA1 21, specific", "3BF02100001000", "TA1"},
		{"TA2 for T=1 on a T=0 card", "3BF0110000" + "1001", "TA2"},
		{"TA2 with implicit terms", "3BF0110000" + "1010", "TA2"},
		{"TA2 without TA1", "3BE0000010" + "00", ""},
		{"TD1 T=0", "3BE0000000", ""},
		{"TD1 T=2", checked("3BE0000002"), "TD1"},
		{"TD1 T=15", checked("3BE000000F"), "TD1"},
		{"TB2", "3BE000002000", "TB2"},
		{"TC2 0A", "3BE00000400A", ""},
		{"TC2 00", "3BE000004000", "TC2"},
		{"TC2 0B", "3BE00000400B", "TC2"},
		{"TC2 of T=1", checked("3BE0 0000 C10A 31FE 45"), "TC2"},
		{"TD2 of another protocol, T=1", checked("3BE0 0000 80 01"), ""},
		{"TD2 T=0 again", "3BE000008000", "TD2"},
		{"TD2 T=14", checked("3BE0 0000 80 0E"), ""},
		{"T=1, basic", checked("3BE0 0000 81 31 FE 45"), ""},
		{"T=1, IFSC 10", checked("3BE0 0000 81 31 10 45"), ""},
		{"T=1, IFSC 0F", checked("3BE0 0000 81 31 0F 45"), "TA3"},
		{"T=1, IFSC 00", checked("3BE0 0000 81 31 00 45"), "TA3"},
		{"T=1, IFSC FF", checked("3BE0 0000 81 31 FF 45"), "TA3"},
		{"T=1, IFSC absent", checked("3BE0 0000 81 21 45"), ""},
		{"T=1, BWI 5", checked("3BE0 0000 81 31 FE 55"), "TB3"},
		{"T=1, CWI 6", checked("3BE0 0000 81 31 FE 46"), "TB3"},
		{"T=1, CWI 0 with N = 0", checked("3BE0 0000 81 31 FE 40"), "TB3"},
		{"T=1, CWI 0 with N = 255", checked("3BE0 00FF 81 31 FE 40"), ""},
		{"T=1, TB3 absent", checked("3BE0 0000 81 11 FE"), "TB3"},
		{"T=1, no TD2", checked("3BE0 0000 01"), "TD2"},
		{"T=1, TD2 T=14", checked("3BE0 0000 81 3E FE 45"), "TD2"},
		{"T=1, CRC", checked("3BE0 0000 81 71 FE 45 01"), "TC3"},
		{"T=1, LRC said", checked("3BE0 0000 81 71 FE 45 00"), ""},
		{"T=1, T=15 after it", checked("3BE0 0000 81 B1 FE 45 1F 03"), ""},
		{"T=1, a wrong TCK", "3BE0000081" + "31FE4500", "TCK"},
		{"cut short", "3B65000001", "bytes"},
		{"too long", "3B60000000", "bytes"},
		{"one byte", "3B", "bytes"},
		{"interface bytes without end", "3B80" + strings.Repeat("81", 32), "bytes"},
	} {
		a, err := iso7816.ParseATR(unhex(c.atr))
		if err == nil {
			err = a.CheckEMV()
		} else if !errors.Is(err, iso7816.ErrATR) {
			t.Errorf("%s: %v", c.name, err)
		}
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %s: %v", c.name, c.atr, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %s: %v, want one about %s", c.name, c.atr, err, c.want)
		}
	}
}

// What the terms are, read from the answer.
func TestParams(t *testing.T) {
	for _, c := range []struct {
		atr  string
		want iso7816.Params
	}{
		{"3B600000", iso7816.Params{FI: 1, DI: 1, WI: 10, IFSC: 32, BWI: 4, CWI: 13}},
		{"3BF0130000" + "1000", iso7816.Params{FI: 1, DI: 3, WI: 10, IFSC: 32, BWI: 4, CWI: 13}},
		{"3BF0960005" + "4014", iso7816.Params{FI: 1, DI: 1, N: 5, WI: 20, IFSC: 32, BWI: 4, CWI: 13}},
		{checked("3BE0 00FF 81 71 80 32 01"), iso7816.Params{Protocol: 1, FI: 1, DI: 1, N: -1, WI: 10, IFSC: 128, BWI: 3, CWI: 2, CRC: true}},
	} {
		a, err := iso7816.ParseATR(unhex(c.atr))
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Params(); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.atr, got, c.want)
		}
	}
}

// What a card does at its reset, and how that ends.
func TestResets(t *testing.T) {
	long := func(b string) string { return b + strings.Repeat("81", 40) }
	for _, c := range []struct {
		name   string
		m      cardsim.Machine
		faults []cardsim.Fault
		change func(w *cardsim.Wire)
		want   string
		warm   bool
		rules  iso7816.Rules
	}{
		{name: "good", m: cardsim.NewScript("3B600000")},
		{name: "mute", m: cardsim.NewScript(""), want: "mute"},
		{name: "stops", m: cardsim.NewScript("3B65000001"), want: "mute"},
		{name: "no card", change: func(w *cardsim.Wire) { w.In = false }, want: "removed"},
		{name: "withdrawn in its answer", change: func(w *cardsim.Wire) { w.RemoveAt = 2 }, want: "removed"},
		{name: "shorted", change: func(w *cardsim.Wire) { w.Shorted = true }, want: "shorted"},
		{name: "refused twice", m: cardsim.NewScript("3B600001"), want: "refused"},
		{name: "spoken with all the same", m: cardsim.NewScript("3B600001"), rules: iso7816.RulesISO},
		{name: "no TS, twice", m: cardsim.NewScript("55600000"), want: "refused"},
		{name: "no TS once", m: cardsim.New(cardsim.Opts{Knobs: cardsim.Knobs{MuteUntil: 1}}), warm: true},
		{name: "no TS twice", m: cardsim.New(cardsim.Opts{Knobs: cardsim.Knobs{MuteUntil: 2}}), want: "refused"},
		{name: "without end", m: cardsim.NewScript(long("3B80")), want: "refused"},
		{name: "parity in TS", faults: []cardsim.Fault{{FromCard: true, At: 0, Kind: cardsim.Parity}}, warm: true},
		{name: "parity once", faults: []cardsim.Fault{{FromCard: true, At: 3, Kind: cardsim.Parity}}, warm: true},
		{name: "parity twice", faults: []cardsim.Fault{{FromCard: true, At: 3, Kind: cardsim.Parity}, {FromCard: true, At: 5, Kind: cardsim.Parity}}, want: "parity"},
		{name: "T=2", m: cardsim.NewScript(checked("3B80 02")), want: "refused", rules: iso7816.RulesISO},
		{name: "a reserved rate", m: cardsim.NewScript("3BF07100001000"), want: "refused", rules: iso7816.RulesISO},
		{name: "WI 0", m: cardsim.NewScript("3BE000004000"), want: "refused", rules: iso7816.RulesISO},
		{name: "IFSC 0", m: cardsim.NewScript(checked("3BE0 0000 81 31 00 45")), want: "refused", rules: iso7816.RulesISO},
		{name: "BWI 10", m: cardsim.NewScript(checked("3BE0 0000 81 31 20 A5")), want: "refused", rules: iso7816.RulesISO},
		{name: "no answer to PPS", m: cardsim.NewScript("3B70130000", [2]string{"FF1013FC", ""}), want: "mute", rules: iso7816.RulesISO},
		{name: "PPS declined", m: cardsim.NewScript("3B70130000", [2]string{"FF1013FC", "FF00FF"}), rules: iso7816.RulesISO},
		{name: "PPS with another rate", m: cardsim.NewScript("3B70130000", [2]string{"FF1013FC", "FF1012FD"}), want: "protocol", rules: iso7816.RulesISO},
		{name: "PPS with a wrong check", m: cardsim.NewScript("3B70130000", [2]string{"FF1013FC", "FF1013FD"}), want: "protocol", rules: iso7816.RulesISO},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.m == nil {
				c.m = cardsim.New(cardsim.Opts{App: files(), ATR: unhex("3B600000")})
			}
			s, w := slot(t, &cardsim.Faulty{Machine: c.m, Faults: c.faults}, iso7816.Opts{Rules: c.rules})
			if c.change != nil {
				c.change(w)
			}
			r, err := s.PowerUp(t.Context())
			if cause(err) != c.want || r.Warm != c.warm {
				t.Errorf("%+v %v, want %q, warm %v", r, err, c.want, c.warm)
			}
			if w.Powered != (c.want == "") {
				t.Errorf("power %v", w.Powered)
			}
			if w.Now().Boot > 6*time.Second { // the whole answer may take 20,160 etu, twice
				t.Errorf("took %v", w.Now().Boot)
			}
		})
	}
}

// The inverse convention: the port checks by the other parity until the answer is
// over, and a character with a wrong one is found wherever it stands.
func TestInverseParity(t *testing.T) {
	for at := range 7 {
		f := &cardsim.Faulty{Machine: cardsim.New(cardsim.Opts{App: files(), Inverse: true}), Faults: []cardsim.Fault{{FromCard: true, At: at, Kind: cardsim.Parity}}}
		s, _ := slot(t, f, iso7816.Opts{})
		r, err := s.PowerUp(t.Context())
		if err != nil || r.ATR[0] != 0x3F {
			t.Fatalf("at %d: %v", at, err)
		}
		if !r.Warm {
			t.Errorf("at %d: a wrong parity is believed", at)
		}
		run(t, s)
	}
}

func FuzzATR(f *testing.F) {
	for _, s := range []string{"3B600000", "3F6500000102030405", "3BF01300001000", checked("3BE0 0000 81 71 FE 45 01"), checked("3BE0 0000 81 B1 FE 45 1F 03")} {
		f.Add(unhex(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := iso7816.ParseATR(b)
		if err != nil {
			if !errors.Is(err, iso7816.ErrATR) {
				t.Error(err)
			}
			return
		}
		p := a.Params()
		if len(b) > 33 || len(a.Historical) > 15 || p.Protocol > 15 || p.N > 254 {
			t.Errorf("% X: %+v", b, p)
		}
		if a.CheckEMV() != nil {
			return
		}
		if p.Protocol == 1 && (p.IFSC < 0x10 || p.IFSC > 0xFE || p.BWI > 4 || p.CWI > 5) || p.Protocol > 1 {
			t.Errorf("% X passes: %+v", b, p)
		}
		if _, _, ok := p.Rate(); !ok {
			t.Errorf("% X passes without a rate", b)
		}
	})
}
