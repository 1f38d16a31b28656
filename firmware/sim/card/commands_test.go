package card

import (
	"errors"
	"strings"
	"testing"
)

func made(t *testing.T, name string, change func(*Profile)) *Card {
	t.Helper()
	p, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&p)
	}
	c, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// say sends commands and compares answers; an answer that ends in … is a beginning,
// one that begins with … an end.
func say(t *testing.T, c *Card, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		r := hexOf(c.Transmit(unhex(pairs[i])))
		want := pairs[i+1]
		ok := r == want
		if s, is := strings.CutSuffix(want, "…"); is {
			ok = strings.HasPrefix(r, s)
		} else if s, is := strings.CutPrefix(want, "…"); is {
			ok = strings.HasSuffix(r, s)
		}
		if !ok {
			t.Fatalf("%s: %s, want %s", pairs[i], r, want)
		}
	}
}

const (
	selDebit = "00A4040008A00000033301010100"
	gpo      = "80A800000883060156E0F8C82200"
	ac1      = "80AE800020" + "000000001234" + "000000000000" + "0156" + "0000000000" + "0156" + "261126" + "00" + "10111213" + "120000" + "00"
	ac2      = "80AE400029" + "3030" + "00000000000000000000" + "000000001234" + "000000000000" + "0156" + "0000000000" + "0156" + "261126" + "00" + "10111213" + "00"
)

func TestOrderOfCommands(t *testing.T) {
	c := made(t, "debit", nil)
	say(t, c,
		"80A8", "6700", gpo, "6985", "00A404000E315041592E5359532E444446303100", "6F…", "00B2010C00", "701B61194F08A000000333010101…", "00B2020C00", "6A83",
		"00A4040007A0000000031010"+"00", "6A82", selDebit, "6F2E8408…", "00FF000000", "6D00", "00B2010C00", "70275713…", "00B2090C00", "6A83",
		"0088000004101112"+"1300", "6985", ac1, "6985", "80A80000028300"+"00", "6700", "80A8000002990000", "6A80", gpo, "800E7C00…", gpo, "6985",
		"80CA9F3600", "9F360200019000", "80CA9F1300", "9F130200009000", "80CA9F1700", "9F1701039000", "80CA9F4F00", "6A88",
		"0088000004101112"+"1300", "808190…", "00820000080102030405060708", "6985", "80AE80000100"+"00", "6700", ac1, "8013800001…",
		"00820000080102030405060708", "6300", "00820000080102030405060708", "6985", ac2, "8013400001…", ac2, "6985", "00A404000501", "6700")
}

func TestPINOfCard(t *testing.T) {
	c := made(t, "debit", nil)
	say(t, c, selDebit, "6F…", gpo, "80…", "0020008008260000"+"00FFFFFFFF"+"", "63C2", "002000800826123456FFFFFFFF", "9000",
		"0020009908"+"0000000000000000", "6A86", "0020008808"+"0000000000000000", "6985", "0084000000", "…9000", "0020008890"+strings.Repeat("01", 144), "6984")
	if c.Tries() != 3 {
		t.Errorf("%d tries", c.Tries())
	}
	for _, want := range []string{"63C2", "63C1", "63C0", "6983"} {
		say(t, c, "0020008008240000FFFFFFFFFF", want)
	}
	c.Reset()
	say(t, c, selDebit, "6F…", "002000800826123456FFFFFFFF", "6983")
}

func TestScriptsOfCard(t *testing.T) {
	c := made(t, "debit", nil)
	p := c.p
	i := IssuerOf(p)
	say(t, c, "84240000080000000000000000", "6985", selDebit, "6F…", gpo, "80…", "84240000080000000000000000", "6985", ac1, "80…")
	arqc := c.arqc
	send := func(b []byte) string { return hexOf(c.Transmit(b)) }
	for n, x := range []struct {
		b    []byte
		want string
	}{
		{unhex("8424000003010203"), "6987"}, {unhex("84240000080102030405060708"), "6988"},
		{i.Command(p.PAN, p.PSN, arqc, 0x24, 0, 2, unhex("249999FFFFFFFFFF")), "9000"},
		{i.Command(p.PAN, p.PSN, arqc, 0x24, 0, 2, unhex("149999FFFFFFFFFF")), "6A80"},
		{i.Command(p.PAN, p.PSN, arqc, 0x24, 0, 2, unhex("219999FFFFFFFFFF")), "6A80"},
		{i.Command(p.PAN, p.PSN, arqc, 0x24, 0, 0, nil), "9000"},
		{i.Command(p.PAN, p.PSN, arqc, 0xDC, 1, 0x0C, unhex("0102")), "9000"},
		{i.Command(p.PAN, p.PSN, arqc, 0xDA, 0x9F, 0x58, nil), "6A80"},
		{i.Command(p.PAN, p.PSN, arqc, 0x18, 0, 0, nil), "9000"},
		{i.Command(p.PAN, p.PSN, arqc, 0x1E, 0, 0, nil), "9000"},
	} {
		if got := send(x.b); got != x.want {
			t.Errorf("script %d: %s, want %s", n, got, x.want)
		}
	}
	if !c.Blocked() {
		t.Error("not blocked")
	}
	say(t, c, "0020008008249999FFFFFFFFFF", "9000", selDebit, "…6283", gpo, "80…", ac1, "80130000…")
	say(t, c, selDebit, "…6283", gpo, "80…")
	c.appBlocked = false
	say(t, c, ac1, "801380…")
	if got := send(i.Command(p.PAN, p.PSN, c.arqc, 0x16, 0, 0, nil)); got != "9000" {
		t.Error(got)
	}
	say(t, c, "80CA9F1700", "6985", selDebit, "6A81")
	if scriptDecipher(c.mkSMC, []byte{1}) != nil || scriptDecipher(c.mkSMC, make([]byte, 8)) != nil {
		t.Error("padding that is none")
	}
}

// Each cryptogram version: what the card makes, the issuer accepts, and the
// issuer's answer, the card; one bit off and neither does.
func TestCardAndIssuer(t *testing.T) {
	for _, cvn := range []string{"01", "10", "18"} {
		for _, long := range []bool{false, true} {
			c := made(t, "debit", func(p *Profile) { p.CVN, p.OptionB = cvn, long })
			p := c.p
			say(t, c, selDebit, "6F…", gpo, "80…")
			r := c.Transmit(unhex(ac1))
			body := r[2 : len(r)-2]
			atc, arqc, iad := body[1:3], body[3:11], body[11:]
			v := split(unhex(p.CDOL1), unhex(ac1)[5:len(unhex(ac1))-1])
			v["82"], v["9F36"], v["9F10"] = unhex(p.AIP), atc, iad
			i := IssuerOf(p)
			if !i.Verify(p.PAN, p.PSN, arqc, v) {
				t.Errorf("version %s: the issuer does not know its card", cvn)
			}
			v["9F02"] = unhex("000000001235")
			if i.Verify(p.PAN, p.PSN, arqc, v) {
				t.Errorf("version %s: another amount passes", cvn)
			}
			v["9F10"] = nil
			if i.Verify(p.PAN, p.PSN, arqc, v) {
				t.Errorf("version %s: no application data passes", cvn)
			}
			a := i.Answer(p.PAN, p.PSN, atc, arqc, [2]byte{'0', '0'})
			bad := append([]byte(nil), a...)
			bad[0] ^= 1
			d := c.Copy()
			say(t, d, "00820000"+hexOf([]byte{byte(len(bad))})+hexOf(bad), "6300")
			say(t, c, "00820000"+hexOf([]byte{byte(len(a))})+hexOf(a), "9000")
			if !c.Proven() || d.Proven() {
				t.Errorf("version %s: proof %v %v", cvn, c.Proven(), d.Proven())
			}
		}
	}
}

func TestFaults(t *testing.T) {
	c := made(t, "debit", func(p *Profile) {
		p.Faults = []Fault{{On: "GET DATA", Nth: 2, SW: "6A88"}, {On: "GPO", Mute: true}, {On: "CHALLENGE", Answer: "0102" + "9000"}, {On: "SELECT", Nth: 1, Flip: 1}, {On: "SELECT", Nth: 2, Flip: -1}, {On: "SELECT", Nth: 3, Flip: 500}}
	})
	say(t, c, selDebit, "6E2E…", selDebit, "…6F9000", selDebit, "…6E9000", "80CA9F1700", "9F1701039000", "80CA9F1700", "6A88", "80CA9F1700", "9F1701039000", gpo, "", "0084000000", "01029000")
}

func TestProfilesAreProven(t *testing.T) {
	if names := Names(); len(names) < 2 {
		t.Fatal(names)
	}
	for _, name := range Names() {
		c := made(t, name, nil)
		if _, _, k, err := c.p.CAKey(); err != nil || len(k.N) == 0 {
			t.Error(err)
		}
		sum, double := 0, false
		for i := len(c.p.PAN) - 1; i >= 0; i-- {
			d := int(c.p.PAN[i] - '0')
			if double {
				if d *= 2; d > 9 {
					d -= 9
				}
			}
			sum, double = sum+d, !double
		}
		if sum%10 != 0 || !strings.HasPrefix(c.p.PAN, "62258800000") {
			t.Errorf("%s: not a test number", name)
		}
	}
	if _, err := Load("none"); !errors.Is(err, ErrProfile) {
		t.Error(err)
	}
	for _, s := range []string{"=", "Colour = 5"} {
		if _, err := Parse([]byte(s)); !errors.Is(err, ErrProfile) {
			t.Errorf("%q: %v", s, err)
		}
	}
	for name, spoil := range map[string]func(*Profile){
		"no master key": func(p *Profile) { p.IMKAC = "" }, "no such CA": func(p *Profile) { p.CA = "x" }, "no such key": func(p *Profile) { p.ICC = "x" },
		"no number": func(p *Profile) { p.PAN = "" }, "wire verb": func(p *Profile) { p.Wire = []string{"burn 5A"} }, "wire tag": func(p *Profile) { p.Wire = []string{"flip 9F99"} },
	} {
		p, err := Load("debit")
		if err != nil {
			t.Fatal(err)
		}
		spoil(&p)
		if _, err := New(p); !errors.Is(err, ErrProfile) && !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p, err := Load("debit")
	if err != nil {
		t.Fatal(err)
	}
	p.CAIndex = ""
	if _, _, _, err := p.CAKey(); err == nil {
		t.Error("no index")
	}
}

// An application beside the first answers SELECT, and its next.
func TestFurtherApplications(t *testing.T) {
	c := made(t, "debit", func(p *Profile) {
		p.More = []App{{AID: "A00000033301010199", Label: "OTHER", Priority: "02"}}
		p.Preferred, p.CodeTable = "416263", "01"
	})
	say(t, c, "00A4040005A000000333"+"00", "6F…", "00A4040205A000000333"+"00", "6F…", "00A4040205A000000333"+"00", "6A82", gpo, "6985")
}
