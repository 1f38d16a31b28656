package acquirer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/sim/acquirer"
)

func TestReversal(t *testing.T) {
	c := start(t, acquirer.Opts{})
	f := c.sale("cup-debit-1", 12_80, nil)
	// Before its original: not there. The original books even so, later.
	c.want(c.send("0400", c.reversal("cup-debit-1", f, nil)), "25")
	c.want(c.send("0200", f), "00")
	c.want(c.send("0200", f), "94")
	c.want(c.send("0400", c.reversal("cup-debit-1", f, fields{4: "000000001281"})), "64")
	c.want(c.send("0400", c.reversal("cup-debit-1", f, fields{2: ll("4111111111111111")})), "25")
	if c.h.NetCapture(nil).Minor != 1280 {
		t.Error("a wrong reversal booked")
	}
	g := c.want(c.send("0400", c.reversal("cup-debit-1", f, nil)), "00")
	if g.mti != "0410" || g.amount != f[4] || g.stan != f[11] {
		t.Errorf("answer %+v", g)
	}
	for range 3 {
		c.want(c.send("0400", c.reversal("cup-debit-1", f, fields{39: asc("A0")})), "00")
	}
	if k, _ := c.h.Card("cup-debit-1"); c.h.NetCapture(nil).Minor != 0 || k.Balance != 100_000_00 {
		t.Errorf("net %v, balance %d", c.h.NetCapture(nil), k.Balance)
	}
	sale := c.h.Books()[1]
	if sale.Kind != acquirer.KindSale || sale.ReversedBy == 0 || c.h.Books()[sale.ReversedBy-1].Orig != sale.Seq {
		t.Errorf("the sale's entry is %v, reversed by %d", sale, sale.ReversedBy)
	}
	want := "[duplicate 0200 STAN 000002 DE 11: terminal, batch and STAN were used before (94)" +
		" reversal 0400 STAN 000002 DE 4: not the original's amount (64) reversal 0400 STAN 000002 DE 2: not the original's card (25)]"
	if got := fmt.Sprint(c.h.Findings()); got != want {
		t.Errorf("findings %s", got)
	}
}

func TestReversalIsStrict(t *testing.T) {
	for _, m := range []struct {
		name     string
		with     fields
		rc, find string
		field    int
		net      int64
	}{
		{"with a track", fields{35: ll("6225880000000000010=3012101")}, "30", acquirer.FindUnexpected, 35, 100},
		{"with a PIN", fields{26: "12"}, "30", acquirer.FindUnexpected, 26, 100},
		{"without a card", fields{2: "-"}, "30", acquirer.FindMissing, 2, 100},
		{"without a reason", fields{39: "-"}, "30", acquirer.FindMissing, 39, 100},
		{"with another reason", fields{39: asc("00")}, "30", acquirer.FindValue, 39, 100},
		{"another entry mode", fields{22: "0510"}, "00", acquirer.FindReversal, 22, 0},
		{"another DE 60", fields{60: lll("22000001000600")}, "00", acquirer.FindReversal, 60, 0},
		{"another processing code", fields{3: "200000"}, "00", acquirer.FindReversal, 3, 0},
		{"another approval", fields{38: asc("000000")}, "00", acquirer.FindReversal, 38, 0},
		{"MAC", fields{64: asc("00000000")}, "A0", acquirer.FindMAC, 64, 100},
		{"short DE 60", fields{60: lll("22000001")}, "30", acquirer.FindValue, 60, 100},
	} {
		c := start(t, acquirer.Opts{NotFound: "12"})
		c.want(c.send("0400", c.reversal("cup-debit-1", c.sale("cup-debit-1", 1, nil), nil)), "12")
		f := c.sale("cup-debit-1", 100, nil)
		c.want(c.send("0200", f), "00")
		if g := c.send("0400", c.reversal("cup-debit-1", f, m.with)); g.rc != m.rc || g.mti != "0410" {
			t.Errorf("%s: answered %s %s, want %s", m.name, g.mti, g.rc, m.rc)
		}
		if f := c.h.Findings(); len(f) != 1 || f[0].Name != m.find || f[0].Field != m.field {
			t.Errorf("%s: findings %v", m.name, f)
		}
		if net := c.h.NetCapture(nil).Minor; net != m.net {
			t.Errorf("%s: net %d", m.name, net)
		}
	}
}

// The other transactions: what refers to an original, and what that is worth.
func TestRelated(t *testing.T) {
	c := start(t, acquirer.Opts{})
	const card = "cup-debit-1"
	related := func(mti, t60, proc, cond string, o fields, g got, fen int, with fields) got {
		t.Helper()
		f := c.sale(card, fen, fields{3: proc, 25: cond, 37: asc(g.rrn), 61: lll(c.batch + o[11]), 60: lll(t60 + c.batch + "000500")})
		return c.send(mti, f.with(with))
	}
	net := func(want int64) {
		t.Helper()
		if got := c.h.NetCapture(nil).Minor; got != want {
			t.Fatalf("net %d, want %d", got, want)
		}
	}
	pay := func(fen int) (fields, got) {
		f := c.sale(card, fen, nil)
		return f, c.want(c.send("0200", f), "00")
	}
	void := func(o fields, g got, fen int) got {
		t.Helper()
		return related("0200", "23", "200000", "00", o, g, fen, fields{38: asc(g.auth)})
	}
	refund := func(o fields, g got, fen int) got {
		t.Helper()
		return related("0220", "25", "200000", "00", o, g, fen, fields{61: lll(c.batch + o[11] + "1123"), 63: "0003" + asc("000")})
	}

	o, g := pay(1000)
	c.want(void(o, g, 999), "64")
	c.want(void(o, got{rrn: "000000000000", auth: g.auth}, 1000), "25")
	c.want(void(o, g, 1000), "00")
	net(0)
	c.want(void(o, g, 1000), "12")
	c.want(c.send("0400", c.reversal(card, o, nil)), "22") // voided already
	net(0)

	// A reversed void leaves the sale, and it can be voided again.
	o, g = pay(700)
	v := c.sale(card, 700, fields{3: "200000", 37: asc(g.rrn), 38: asc(g.auth), 61: lll(c.batch + o[11]), 60: lll("23" + c.batch + "000500")})
	c.want(c.send("0200", v), "00")
	c.want(c.send("0400", c.reversal(card, v, fields{61: v[61]})), "00")
	net(700)
	c.want(void(o, g, 700), "00")
	net(0)

	o, g = pay(1000)
	c.want(refund(o, g, 400), "00")
	c.want(refund(o, g, 601), "64")
	c.want(refund(o, g, 600), "00")
	c.want(refund(o, g, 1), "64")
	net(0)

	// A pre-authorisation holds and charges nothing; its completion charges.
	preauth := func(fen int) (fields, got) {
		f := c.sale(card, fen, fields{3: "030000", 25: "06", 60: lll("10" + c.batch + "000500")})
		return f, c.want(c.send("0100", f), "00")
	}
	left := func() string {
		b := c.want(c.send("0200", c.sale(card, 0, fields{3: "310000", 4: "-", 60: lll("01" + c.batch + "000500")})), "00").balance
		return b[len(b)-13:]
	}
	o, g = preauth(5000)
	net(0)
	if left() != "C000009995000" {
		t.Errorf("left %s", left())
	}
	done := fields{37: "-", 38: asc(g.auth)}
	c.want(related("0200", "20", "000000", "06", o, g, 5751, done), "61")
	cf := c.sale(card, 5750, fields{25: "06", 38: asc(g.auth), 61: lll(c.batch + o[11]), 60: lll("20" + c.batch + "000500")})
	cg := c.want(c.send("0200", cf), "00")
	net(5750)
	c.want(related("0200", "20", "000000", "06", o, g, 5000, done), "12") // once
	c.want(related("0200", "21", "200000", "06", cf, cg, 5750, nil), "00")
	net(0)
	o, g = preauth(300)
	c.want(related("0100", "11", "200000", "06", o, g, 300, fields{37: "-"}), "00")
	o, g = preauth(300)
	c.want(related("0220", "24", "000000", "06", o, g, 200, fields{37: "-", 38: asc(g.auth)}), "00")
	net(200)
	c.want(c.send("0220", c.sale(card, 50, fields{60: lll("30" + c.batch + "000500")})), "00")
	net(250)
	o, g = pay(100)
	c.want(related("0220", "34", "000000", "00", o, g, 120, fields{48: lll("000000000020")}), "00")
	net(370)
	if left() != "C000009999630" {
		t.Errorf("left %s", left())
	}
	c.want(void(fields{11: "000099"}, g, 1), "25")
	c.clean()
}

// However sales, repetitions, reversals and voids are mixed, an order is never
// charged twice nor given back twice, and what the card has left is the books' sum.
func TestBooksNeverDoubleCount(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := start(t, acquirer.Opts{})
		defer c.c.Close()
		defer c.h.Close()
		type order struct {
			f   fields
			g   got
			fen int64
		}
		var orders []order
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			op := rapid.SampledFrom([]string{"sale", "again", "reverse", "void", "decline"}).Draw(rt, "op")
			if op == "sale" || op == "decline" || len(orders) == 0 {
				fen := rapid.IntRange(1, 50_000_00).Draw(rt, "fen")
				if op == "decline" {
					c.command("decline 51 -n 1")
				}
				f := c.sale("cup-debit-1", fen, nil)
				orders = append(orders, order{f, c.send("0200", f), int64(fen)})
				continue
			}
			o := &orders[rapid.IntRange(0, len(orders)-1).Draw(rt, "which")]
			switch op {
			case "again":
				c.want(c.send("0200", o.f), "94")
			case "reverse":
				c.send("0400", c.reversal("cup-debit-1", o.f, nil))
			case "void":
				c.send("0200", c.sale("cup-debit-1", int(o.fen), fields{3: "200000", 37: asc(o.g.rrn), 61: lll(c.batch + o.f[11]),
					60: lll("23" + c.batch + "000500")}))
			}
		}
		var sum int64
		for _, o := range orders {
			net := acquirer.NetCapture(c.h.Books(), func(e acquirer.Entry) bool { return e.Kind == "sale" && e.STAN.String() == o.f[11] })
			if net != 0 && net != o.fen || net != 0 && o.g.rc != "00" {
				rt.Fatalf("an order of %d (%s) is charged %d", o.fen, o.g.rc, net)
			}
			sum += net
		}
		if k, _ := c.h.Card("cup-debit-1"); k.Balance != 100_000_00-sum || c.h.NetCapture(nil).Minor != sum {
			rt.Fatalf("balance %d, sum %d, books %v", k.Balance, sum, c.h.NetCapture(nil))
		}
	})
}

// The books outlive the host; a line that a crash cut short is dropped.
func TestBooksFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.jsonl")
	c := start(t, acquirer.Opts{BooksFile: path, Batch: 3})
	kept, gone := c.sale("cup-debit-1", 100, nil), c.sale("cup-debit-2", 250, nil)
	c.want(c.send("0200", kept), "00")
	c.want(c.send("0200", gone), "00")
	c.want(c.send("0400", c.reversal("cup-debit-2", gone, nil)), "00")
	card, _ := c.h.Card("cup-debit-1")
	if err := c.h.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(b), card.PAN) || strings.Count(string(b), "\n") != 3 {
		t.Fatalf("the file has %d lines (%v), or a number", strings.Count(string(b), "\n"), err)
	}
	os.WriteFile(path, append(b, `{"seq":4,"ki`...), 0o600)

	c2 := start(t, acquirer.Opts{BooksFile: path})
	c2.stan = 10
	if c2.batch != "000003" || c2.h.NetCapture(nil).Minor != 100 {
		t.Errorf("batch %s, net %v", c2.batch, c2.h.NetCapture(nil))
	}
	if k, _ := c2.h.Card("cup-debit-1"); k.Balance != 100_000_00-100 {
		t.Errorf("balance %d", k.Balance)
	}
	c2.want(c2.send("0200", c2.sale("cup-debit-1", 100, fields{11: kept[11]})), "94")
	rev := c2.reversal("cup-debit-2", gone, fields{})
	c2.want(c2.send("0400", rev), "00") // once booked, before
	c2.want(c2.send("0400", c2.reversal("cup-debit-1", kept, nil)), "00")
	if c2.h.NetCapture(nil).Minor != 0 || len(c2.h.Books()) != 5 {
		t.Errorf("net %v of %d entries", c2.h.NetCapture(nil), len(c2.h.Books()))
	}
	c2.h.Close()
	os.WriteFile(path, []byte("{}\n"), 0o600)
	if _, err := acquirer.New(acquirer.Opts{Clock: c.clock, BooksFile: path}); err == nil {
		t.Error("took books that are none")
	}
}

// A repeated 0220 is 94 if it was booked, and refused again if it was refused.
func TestRepeatedAdvice(t *testing.T) {
	c := start(t, acquirer.Opts{})
	f := c.sale("cup-debit-1", 12_80, nil)
	g := c.want(c.send("0200", f), "00")
	refund := c.sale("cup-debit-1", 5_00, fields{3: "200000", 37: asc(g.rrn), 60: lll("25" + c.batch + "000500"), 61: lll(c.batch + f[11] + "1123"), 63: "0003" + asc("000")})
	c.command("decline 51 -n 1")
	first := c.send("0220", refund)
	again := c.send("0220", refund)
	if first.rc != "51" || again.rc != "51" {
		t.Errorf("refused with %s, then %s", first.rc, again.rc)
	}
}
