package acquirer_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/sim/acquirer"
)

func TestSale(t *testing.T) {
	c := start(t, acquirer.Opts{})
	f := c.sale("cup-debit-1", 12_80, nil)
	g := c.want(c.send("0200", f), "00")
	if g.mti != "0210" || g.stan != f[11] || g.amount != "000000001280" || len(g.auth) != 6 || g.text != "CUP" || len(g.rrn) != 12 {
		t.Errorf("answer %+v", g)
	}
	e := c.h.Books()[0]
	if e.Kind != "sale" || !e.Booked || e.Amount != 1280 || e.Card != "cup-debit-1" || string(e.RRN) != g.rrn || e.PAN != "622588*********0010" ||
		string(e.Auth) != g.auth || e.STAN != 2 || e.Batch != 1 || !e.At.Equal(noon) {
		t.Errorf("entry %+v", e)
	}
	if s := fmt.Sprintf("%v %+v %#v %d", e, e, e, e); strings.Contains(s, "6225880000") || !strings.Contains(s, "sale") {
		t.Errorf("an entry prints as %s", s)
	}
	if k, _ := c.h.Card("cup-debit-1"); k.Balance != 100_000_00-12_80 || !e.IsPAN(k.PAN) || e.IsPAN("4111111111111111") {
		t.Errorf("balance %d", k.Balance)
	}
	if c.h.Seen("0200") != 1 || c.h.Seen("08xx") != 1 || c.h.NetCapture(nil).Minor != 1280 {
		t.Error("what was seen")
	}
	c.clean()
}

// Each form of the sign-on gives keys that work, single, double, with a track key.
func TestSignOnForms(t *testing.T) {
	for _, double := range []bool{false, true} {
		c := start(t, acquirer.Opts{DoubleMAK: double, Batch: 7})
		for code, size := range map[string]int{"001": 24, "003": 40, "004": 60} {
			if g := c.signOn(code); len(g.keys) != size || g.f60 != "00000007"+code+"0" || g.mti != "0810" {
				t.Errorf("%s: %d bytes, DE 60 %s", code, len(g.keys), g.f60)
			}
			with := c.withPIN("cup-debit-1", "123456", c.pik)
			if code == "001" {
				with[53] = "2000000000000000" // single DES
			}
			c.want(c.send("0200", c.sale("cup-debit-1", 100, with)), "00")
		}
		c.signOn("004")
		k, _ := c.h.Card("cup-debit-1")
		track := n(k.Track2()) // 37 digits: the eight bytes before the last
		at := len(k.Track2()) - 17
		if len(k.Track2())%2 == 0 {
			at--
		}
		inner := hex.EncodeToString(ecb(block(c.tdk).Encrypt, unhex(t, track[at:at+16])))
		enc := track[:at] + inner + track[at+16:]
		c.want(c.send("0200", c.sale("cup-debit-1", 100, fields{35: fmt.Sprintf("%02d", len(k.Track2())) + enc, 53: "2610000000000000"})), "00")
		c.clean()
	}
}

// The test cards by name, each with its natural answer.
func TestTray(t *testing.T) {
	c := start(t, acquirer.Opts{})
	want := map[string]string{"cup-poor": "51", "cup-lost": "41", "cup-stolen": "43", "cup-expired": "54", "cup-restricted": "62",
		"cup-limit-amount": "61", "cup-limit-count": "65", "cup-chip-1": "45", "cup-pin-locked": "75", "cup-unknown": "14", "cup-pickup": "04",
		"cup-refer": "01", "cup-refused": "05", "cup-not-permitted": "57", "cup-inactive": "21", "cup-issuer-down": "91"}
	for _, k := range c.h.Cards() {
		rc := want[k.Name]
		switch {
		case k.Name == "chip-expired":
			rc = "54"
		case k.HasChip():
			rc = "45"
		case rc == "":
			rc = "00"
		}
		c.want(c.send("0200", c.sale(k.Name, 1, nil)), rc)
		sum := 0
		for i := range len(k.PAN) {
			v := int(k.PAN[len(k.PAN)-1-i] - '0')
			if v *= 1 + i%2; v > 9 {
				v -= 9
			}
			sum += v
		}
		if sum%10 != 0 {
			t.Errorf("%s: the check digit is wrong", k.Name)
		}
		if !strings.HasPrefix(k.Track1(), "B"+k.PAN+"^") || len(k.Track1()) > 76 || len(k.Track2()) > 37 {
			t.Errorf("%s: tracks of %d and %d characters", k.Name, len(k.Track1()), len(k.Track2()))
		}
		if s := fmt.Sprintf("%v %+v %#v %s", k, k, k, k); strings.Contains(s, k.PAN) || strings.Contains(s, k.PIN) {
			t.Errorf("%s prints its number", k.Name)
		}
	}
	for name := range want {
		if _, ok := c.h.Card(name); !ok {
			t.Errorf("no %s", name)
		}
	}
	c.clean()
}

func TestLimits(t *testing.T) {
	c := start(t, acquirer.Opts{})
	c.command("card few balance=100 limit=50 daily=80 count=3")
	pay := func(fen int, rc string) {
		t.Helper()
		c.want(c.send("0200", c.sale("few", fen, nil)), rc)
	}
	pay(50_01, "61")
	pay(50_00, "00")
	pay(30_01, "61") // of the day
	pay(10_00, "00")
	pay(1_00, "00")
	pay(1_00, "65")
	c.clock.Jump(24 * time.Hour)
	pay(39_01, "51")
	pay(39_00, "00")
	pay(0, "13")
	c.command("card few balance=1")
	pay(1_00, "00")
	c.clean()
}

func TestPIN(t *testing.T) {
	c := start(t, acquirer.Opts{})
	pay := func(pin, rc string) {
		t.Helper()
		c.want(c.send("0200", c.sale("cup-debit-1", 100, c.withPIN("cup-debit-1", pin, c.pik))), rc)
	}
	pay("123456", "00")
	pay("1234", "55")
	pay("654321", "55")
	pay("123456", "00") // starts the count again
	pay("111111", "55")
	pay("111111", "55")
	pay("111111", "75")
	pay("123456", "38")
	c.command("card cup-debit-1 pin=111111")
	pay("111111", "00")
	c.clean()
	// Under another key it is no block: 99, found.
	wrong := c.withPIN("cup-debit-1", "111111", unhex(t, "0123456789ABCDEFFEDCBA9876543210"))
	c.want(c.send("0200", c.sale("cup-debit-1", 100, wrong)), "99")
	if f := c.h.Findings(); len(f) != 1 || f[0].Name != acquirer.FindPINBlock || f[0].Field != 52 {
		t.Errorf("findings %v", f)
	}
}

// Each mistake that a terminal's code could make is answered as a host would
// and named.
func TestFindings(t *testing.T) {
	debit, _ := start(t, acquirer.Opts{}).h.Card("cup-debit-1")
	for _, m := range []struct {
		name     string
		with     fields
		rc, find string
		field    int
	}{
		{"MAC", fields{64: asc("00000000")}, "A0", acquirer.FindMAC, 64},
		{"no MAC", fields{64: "-"}, "A0", acquirer.FindMAC, 64},
		{"terminal", fields{41: asc("99999999")}, "97", acquirer.FindTerminal, 41},
		{"merchant", fields{42: asc("898100012340002")}, "03", acquirer.FindMerchant, 42},
		{"bad length", fields{35: "38" + n(debit.Track2())}, "", acquirer.FindParse, 35},
		{"bad length behind the terminal", fields{60: "0099" + "22000001000500"}, "30", acquirer.FindParse, 60},
		{"no amount", fields{4: "-"}, "30", acquirer.FindMissing, 4},
		{"no card", fields{35: "-"}, "30", acquirer.FindMissing, 2},
		{"a field of an answer", fields{39: asc("00")}, "30", acquirer.FindUnexpected, 39},
		{"processing code", fields{3: "010000"}, "30", acquirer.FindValue, 3},
		{"kind", fields{60: lll("99000001000500")}, "12", acquirer.FindKind, 60},
		{"condition", fields{25: "01"}, "12", acquirer.FindKind, 60},
		{"network code", fields{60: lll("22000001001500")}, "30", acquirer.FindValue, 60},
		{"batch", fields{60: lll("22000000000500")}, "30", acquirer.FindValue, 60},
		{"currency", fields{49: asc("840")}, "30", acquirer.FindValue, 49},
		{"STAN", fields{11: "000000"}, "30", acquirer.FindValue, 11},
		{"entry without PIN", fields{22: "0210"}, "30", acquirer.FindValue, 22},
		{"keyed with a track", fields{22: "0120"}, "30", acquirer.FindValue, 22},
		{"PAN and track", fields{2: ll("4111111111111111")}, "30", acquirer.FindCard, 2},
		{"expiry and track", fields{14: "3101"}, "30", acquirer.FindCard, 14},
		{"another expiry", fields{14: "-", 35: ll(strings.Replace(debit.Track2(), "=3012", "=3101", 1))}, "54", acquirer.FindCard, 14},
		{"a track cut short", fields{35: ll(debit.Track2()[:len(debit.Track2())-1])}, "59", acquirer.FindCard, 35},
		{"no track", fields{35: ll(debit.PAN)}, "30", acquirer.FindCard, 35},
		{"security without key", fields{53: "2610000000000000"}, "30", acquirer.FindValue, 53},
		{"security", fields{53: "9600000000000000"}, "30", acquirer.FindValue, 53},
	} {
		t.Run(m.name, func(t *testing.T) {
			c := start(t, acquirer.Opts{})
			c.write(c.raw("0200", c.sale("cup-debit-1", 100, m.with)))
			if m.rc != "" {
				if g := c.read(); g.rc != m.rc || g.mti != "0210" {
					t.Errorf("answered %s %s, want %s", g.mti, g.rc, m.rc)
				}
			}
			c.want(c.send("0200", c.sale("cup-debit-1", 100, nil)), "00") // and goes on
			f := c.h.Findings()
			if len(f) != 1 || f[0].Name != m.find || f[0].Field != m.field || f[0].RC != m.rc {
				t.Errorf("findings %v, want %s DE %d", f, m.find, m.field)
			}
			if len(f) > 0 && strings.Contains(f[0].String(), debit.PAN) {
				t.Error("a finding shows a number")
			}
			if c.h.NetCapture(nil).Minor != 100 {
				t.Error("booked what is wrong")
			}
		})
	}
}

// What is wrong below the message ends the connection, and is found.
func TestFrames(t *testing.T) {
	for _, m := range []struct{ name, bytes, find string }{
		{"length", "FFFF", acquirer.FindFrame},
		{"length of nothing", "0000", acquirer.FindFrame},
		{"TPDU", "0015 7000030000 603100311003 0800 0000000000000000", acquirer.FindFrame},
		{"cut", "0015 6000030000", acquirer.FindCutFrame},
	} {
		c := start(t, acquirer.Opts{})
		c.c.Write(unhex(t, strings.ReplaceAll(m.bytes, " ", "")))
		if m.find == acquirer.FindCutFrame {
			c.c.(interface{ CloseWrite() error }).CloseWrite()
		}
		if b, _ := io.ReadAll(c.c); len(b) != 0 {
			t.Errorf("%s: answered", m.name)
		}
		c.h.Close()
		f := c.h.AllFindings()
		if len(f) != 1 || f[0].Name != m.find || f[0].Benign != (m.find == acquirer.FindCutFrame) {
			t.Errorf("%s: findings %v", m.name, f)
		}
	}
}

// An old key is no mistake of a codec; it is answered A0 all the same.
func TestStaleKeys(t *testing.T) {
	c := start(t, acquirer.Opts{})
	old := c.mak
	c.signOn("003")
	now := c.mak
	c.mak = old
	if g := c.send("0200", c.sale("cup-debit-1", 100, nil)); g.rc != "A0" {
		t.Errorf("old key: %s", g.rc)
	}
	c.mak = now
	c.want(c.send("0200", c.sale("cup-debit-1", 100, nil)), "00")
	c.command("keys")
	if g := c.send("0200", c.sale("cup-debit-1", 100, nil)); g.rc != "A0" || g.macOK {
		t.Errorf("forgotten keys: %s", g.rc)
	}
	c.signOn("003")
	c.want(c.send("0200", c.sale("cup-debit-1", 100, nil)), "00")
	if g := c.send("0820", c.ids(fields{11: c.next(), 60: lll("00000001002")})); g.rc != "00" || g.mti != "0830" {
		t.Errorf("sign-off: %s", g.rc)
	}
	if g := c.send("0820", c.ids(fields{60: lll("00000001301")})); g.rc != "00" {
		t.Errorf("echo: %s", g.rc)
	}
	if g := c.send("0200", c.sale("cup-debit-1", 100, nil)); g.rc != "A0" {
		t.Errorf("after sign-off: %s", g.rc)
	}
	c.clean()
	if len(c.h.AllFindings()) != 3 || c.h.NetCapture(nil).Minor != 200 {
		t.Errorf("findings %v", c.h.AllFindings())
	}
	if g := c.send("0820", c.ids(fields{60: lll("00000001777")})); g.rc != "40" || len(c.h.Findings()) != 1 {
		t.Errorf("an unknown network code: %s", g.rc)
	}
}

// Nothing that the host tells of itself holds a number, a track, a PIN or a key.
func TestObserverSeesNoSecrets(t *testing.T) {
	var lines strings.Builder
	c := start(t, acquirer.Opts{Observe: func(e acquirer.Event) {
		b, err := json.Marshal(e)
		if err != nil {
			t.Error(err)
		}
		lines.Write(append(b, '\n'))
	}})
	c.command("card cup-debit-1 pin=987654 track1=B6225880000000000010^A/B^3012101")
	f := c.sale("cup-debit-1", 100, c.withPIN("cup-debit-1", "987654", c.pik))
	c.want(c.send("0200", f), "00")
	c.want(c.send("0400", c.reversal("cup-debit-1", f, nil)), "00")
	c.want(c.send("0200", c.sale("cup-debit-1", 100, fields{14: "3101"})), "30")
	for _, words := range []string{"books", "findings", "cards", "status"} {
		s, err := c.h.Command(words)
		if err != nil || s == "" {
			t.Errorf("%s: %q %v", words, s, err)
		}
		lines.WriteString(s)
	}
	c.h.Close()
	k, _ := c.h.Card("cup-debit-1")
	s := strings.ToUpper(lines.String())
	for _, secret := range []string{k.PAN, k.Track2(), "987654", hex.EncodeToString(c.mak), hex.EncodeToString(c.pik), f[52]} {
		if strings.Contains(s, strings.ToUpper(secret)) {
			t.Error("a secret of the sale is told")
		}
	}
	for _, what := range []string{`"CONNECT"`, `"REQUEST"`, `"BOOK"`, `"ANSWER"`, `"FINDING"`, `"COMMAND"`, "622588*********0010"} {
		if !strings.Contains(s, what) {
			t.Errorf("the observer was not told of %s", what)
		}
	}
}
