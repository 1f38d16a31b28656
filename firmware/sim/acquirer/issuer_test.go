package acquirer_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"swipewell/firmware/emv"
)

// The issuer's word and its proof, on order.
func TestIssuerOrders(t *testing.T) {
	for _, row := range []struct {
		command, card, rc, outcome string
		tvr5                       byte // its bit 7: issuer authentication failed
		proof                      bool
	}{
		{"issuer arpc right", "arpc-strict", "00", "approved-online", 0x00, true},
		{"issuer arpc wrong", "arpc-strict", "00", "refused", 0x40, true},
		{"issuer arpc none", "arpc-strict", "00", "refused", 0x00, false},
		{"issuer arpc wrong", "debit", "00", "approved-online", 0x40, true},
		{"issuer arpc wrong", "credit", "00", "approved-online", 0x40, true},
		{"issuer decline 51", "debit", "51", "declined-online", 0x00, true},
		{"issuer approve", "chip-expired", "00", "approved-online", 0x00, true},
		{"issuer approve 10", "debit", "10", "declined-online", 0x00, true}, // this terminal knows 00 alone
		{"decline 05", "debit", "05", "declined-online", 0x00, true},
		{"issuer normal", "chip-expired", "54", "declined-online", 0x00, true},
	} {
		t.Run(row.command+" "+row.card, func(t *testing.T) {
			c := startChip(t)
			c.command(row.command)
			r := c.chipSale(row.card, 1280, chipOpts{})
			tvr := r.state.TVR()
			if r.got.rc != row.rc || r.outcome.Kind.String() != row.outcome || tvr[4]&0x40 != row.tvr5 || strings.HasPrefix(r.got.chip, "\x91") != row.proof {
				t.Errorf("answered %s, %v, TVR %X, proof %X", r.got.rc, r.outcome, tvr, r.got.chip)
			}
			c.clean()
		})
	}
	c := startChip(t)
	c.command("issuer arpc wrong -n 1")
	c.command("issuer decline 61 -n 1")
	c.want(c.send("0200", c.sale("cup-debit-1", 1, nil)), "00") // no chip
	for _, rc := range []string{"61", "00"} {
		c.want(c.chipSale("debit", 1280, chipOpts{}).got, rc)
	}
	for _, bad := range []string{"issuer", "issuer arpc", "issuer arpc left", "issuer approve 51", "issuer decline 00", "issuer decline", "issuer script",
		"issuer script burn", "issuer script 71", "issuer script pin-change 12", "issuer script pin-change", "issuer script put-data 9F5801=00",
		"issuer script put-data 9F58", "issuer script update-record 31.1=00", "issuer script update-record 1=00", "issuer script block 73", "issuer normal now"} {
		if _, err := c.h.Command(strings.Fields(bad)...); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	for range 5 { // 24 bytes each
		c.command("issuer script block")
	}
	if _, err := c.h.Command("issuer", "script", "block"); err == nil {
		t.Error("scripts of more than 128 bytes")
	}
	c.command("issuer script off")
	c.command("issuer script block")
}

// Scripts before and behind the last cryptogram: what the card makes of them, what the
// terminal tells, and what the issuer says to a result that is not of its script.
func TestIssuerScripts(t *testing.T) {
	for _, row := range []struct {
		orders  string // separated by ;
		outcome string
		results string // DF31, without identifiers
		after   string // outcome of the next sale
	}{
		{"block", "approved-online", "20", "terminated"},
		{"block 71", "refused", "20", "terminated"},
		{"card-block", "approved-online", "20", "terminated"},
		{"bad-mac 71", "approved-online", "11", "approved-online"},
		{"pin-unblock", "approved-online", "20", "approved-online"},
		{"put-data 9F58=03 71;update-record 2.3=7000 72", "approved-online", "20 20", "approved-online"},
		{"block;unblock", "approved-online", "20 20", "approved-online"},
	} {
		t.Run(row.orders, func(t *testing.T) {
			c := startChip(t)
			for _, o := range strings.Split(row.orders, ";") {
				c.command("issuer script " + o)
			}
			r := c.chipSale("debit", 1280, chipOpts{})
			var results []string
			for _, s := range r.outcome.Scripts {
				results = append(results, hex.EncodeToString(s[:1]))
			}
			if r.outcome.Kind.String() != row.outcome || strings.Join(results, " ") != row.results {
				t.Errorf("%v, results %v", r.outcome, results)
			}
			c.want(c.send("0620", c.result(r, nil)), "00")
			c.want(c.send("0620", c.result(r, nil)), "00") // its answer may have been lost
			c.clean()
			if next := c.chipSale("debit", 100, chipOpts{}); next.outcome.Kind.String() != row.after {
				t.Errorf("afterwards %v", next.outcome)
			}
			c.clean()
		})
	}
	c := startChip(t)
	c.command("issuer script pin-change 8642")
	r := c.chipSale("debit-online", 1280, chipOpts{pin: "123456"})
	if k, _ := c.h.Card("debit-online"); k.PIN != "123456" {
		t.Error("the account has the new PIN before the card said so")
	}
	c.want(c.send("0620", c.result(r, nil)), "00")
	c.want(c.chipSale("debit-online", 1280, chipOpts{pin: "123456"}).got, "55")
	c.want(c.chipSale("debit-online", 1280, chipOpts{pin: "8642"}).got, "00")
	c.clean()

	c = startChip(t)
	c.command("issuer script put-data 9F58=03")
	r = c.chipSale("debit", 1280, chipOpts{})
	d55 := c.result(r, nil)[55]
	other := strings.Replace(d55, "df31052000000001", "df31052000000002", 1)
	odd := strings.Replace(d55, "df31052000000001", "df31053000000001", 1)
	at := strings.Index(d55, "9f3602") + len("9f3602")
	atc := d55[:at] + "9999" + d55[at+4:]
	for _, w := range []struct {
		with fields
		rc   string
		find string
	}{
		{fields{55: other}, "00", "script-result"}, {fields{55: odd}, "00", "script-result"}, {fields{4: "000000001281"}, "00", "script-result"},
		{fields{61: lll(c.batch + "999999" + "1123")}, "25", "script-result"}, {fields{2: ll("6225880000009000029")}, "00", "script-result"},
		{fields{23: "0002"}, "00", "script-result"}, {fields{55: atc}, "00", "script-result"}, {fields{55: "0001df"}, "30", "chip"},
		{fields{55: "0003" + "950100"}, "30", "chip"}, {fields{60: lll("22" + c.batch + "951")}, "30", "value"}, {fields{61: "00041234"}, "30", "value"}, {fields{61: "-"}, "30", "missing"},
	} {
		before := len(c.h.Findings())
		if g := c.send("0620", c.result(r, w.with)); g.rc != w.rc {
			t.Errorf("%v: %s", w.with, g.rc)
		}
		if f := c.h.Findings()[before:]; len(f) != 1 || f[0].Name != w.find {
			t.Errorf("%v: %v", w.with, f)
		}
	}
}

// A reversal of a chip's sale has its sequence number and a part of field 55.
func TestChipReversal(t *testing.T) {
	for _, row := range []struct {
		name string
		with func(r chipRun) fields
		find []string
	}{
		{"right", func(r chipRun) fields { return fields{55: field55(r.state.Pack(0x95, 0x9F10, 0x9F36))} }, nil},
		{"no counter", func(r chipRun) fields { return fields{55: field55(r.state.Pack(0x95, 0x9F10))} }, nil},
		{"no field 55", func(chipRun) fields { return nil }, []string{"reversal"}},
		{"no 9F10", func(r chipRun) fields { return fields{55: field55(r.state.Pack(0x95))} }, []string{"reversal"}},
		{"too much", func(r chipRun) fields { return fields{55: field55(r.state.Pack(0x95, 0x9F10, 0x9F26))} }, []string{"reversal"}},
		{"another counter", func(r chipRun) fields {
			return fields{55: field55(append(r.state.Pack(0x95, 0x9F10), 0x9F, 0x36, 2, 9, 9))}
		}, []string{"reversal"}},
		{"not a list", func(chipRun) fields { return fields{55: "000195"} }, []string{"reversal"}},
		{"another card of the account", func(r chipRun) fields {
			return fields{23: "0002", 55: field55(r.state.Pack(0x95, 0x9F10))}
		}, []string{"reversal"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := startChip(t)
			r := c.chipSale("debit", 1280, chipOpts{expired: true})
			if r.outcome.Reversal != emv.Reverse98 {
				t.Fatal(r.outcome)
			}
			f := c.reversal("debit", r.sent, fields{23: r.sent[23]}).with(row.with(r))
			c.want(c.send("0400", f), "00")
			c.found(row.find...)
			c.settle(0, 0)
			c.end() // nothing is wanted of a sale that was taken back
			c.found(row.find...)
		})
	}
	c := startChip(t)
	sale := c.sale("cup-debit-1", 100, nil)
	c.want(c.send("0200", sale), "00")
	c.want(c.send("0400", c.reversal("cup-debit-1", sale, fields{55: "0007" + "95050000000000"})), "00")
	c.found("reversal")
}

// The chip batch: each standing sale once, in its class, with its own cryptogram.
func TestChipBatch(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(c *chipClient, r, bad chipRun)
		find []string
	}{
		{"right", func(c *chipClient, r, bad chipRun) {
			c.want(c.send("0320", c.upload(r, "203", nil)), "00")
			c.want(c.send("0320", c.upload(bad, "204", nil)), "00")
		}, nil},
		{"nothing", func(*chipClient, chipRun, chipRun) {}, []string{"chip-batch"}},
		{"one twice", func(c *chipClient, r, bad chipRun) {
			c.want(c.send("0320", c.upload(r, "203", nil)), "00")
			c.want(c.send("0320", c.upload(r, "203", nil)), "00")
			c.want(c.send("0320", c.upload(bad, "204", nil)), "00")
		}, []string{"chip-batch"}},
		{"one repeated", func(c *chipClient, r, bad chipRun) {
			f := c.upload(r, "203", nil)
			c.want(c.send("0320", f), "00")
			c.want(c.send("0320", f), "00")
			c.want(c.send("0320", c.upload(bad, "204", nil)), "00")
		}, []string{"duplicate"}},
		{"the wrong class", func(c *chipClient, r, bad chipRun) {
			c.want(c.send("0320", c.upload(r, "204", nil)), "00")
			c.want(c.send("0320", c.upload(bad, "203", nil)), "00")
		}, []string{"chip-batch", "chip-batch"}},
		{"as if it did not balance", func(c *chipClient, r, bad chipRun) {
			c.want(c.send("0320", c.upload(r, "205", nil)), "00")
			c.want(c.send("0320", c.upload(bad, "206", nil)), "00")
		}, []string{"chip-batch", "chip-batch"}},
		{"the ARQC for a TC", func(c *chipClient, r, bad chipRun) {
			c.want(c.send("0320", c.upload(r, "203", fields{55: r.sent[55]})), "00")
			c.want(c.send("0320", c.upload(bad, "204", nil)), "00")
		}, []string{"cryptogram"}},
		{"a spoiled TC", func(c *chipClient, r, bad chipRun) {
			d := r.state.Pack(online...)
			d[4] ^= 1
			c.want(c.send("0320", c.upload(r, "203", fields{55: field55(d)})), "00")
			c.want(c.send("0320", c.upload(bad, "204", nil)), "00")
		}, []string{"cryptogram"}},
		{"another amount", func(c *chipClient, r, bad chipRun) {
			r.fen++
			c.want(c.send("0320", c.upload(r, "203", nil)), "00")
			c.want(c.send("0320", c.upload(bad, "204", nil)), "00")
		}, []string{"chip-batch"}},
		{"a wrong head", func(c *chipClient, r, bad chipRun) {
			c.want(c.send("0320", c.upload(r, "203", fields{62: "0021" + asc("71"+"00"+"00"+"000000001280"+"156")})), "30")
			c.want(c.send("0320", c.upload(r, "203", fields{62: "0020" + asc("61"+"00"+"00"+"00000001280"+"156")})), "30")
			c.want(c.send("0320", c.upload(r, "203", fields{62: "0021" + asc("61"+"00"+"00"+"000000001281"+"156")})), "30")
			c.want(c.send("0320", c.upload(r, "203", fields{62: "0021" + asc("61"+"07"+"00"+"000000001280"+"156")})), "30")
			c.want(c.send("0320", c.upload(r, "203", fields{55: "-"})), "30")
			c.want(c.send("0320", c.upload(r, "203", fields{55: "000195"})), "30")
			c.want(c.send("0320", c.upload(r, "203", fields{55: "0007" + "95050000000000"})), "30")
			c.want(c.send("0320", c.upload(r, "203", nil)), "00")
			c.want(c.send("0320", c.upload(bad, "204", nil)), "00")
		}, []string{"chip-batch", "chip-batch", "chip-batch", "chip-batch", "missing", "chip", "chip"}},
		{"a stranger", func(c *chipClient, r, bad chipRun) {
			c.want(c.send("0320", c.upload(r, "203", fields{2: ll("6225880000000000010")})), "00")
			c.want(c.send("0320", c.upload(r, "203", nil)), "00")
			c.want(c.send("0320", c.upload(bad, "204", nil)), "00")
		}, []string{"chip-batch"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := startChip(t)
			r := c.chipSale("debit", 1280, chipOpts{})
			bad := c.chipSale("arpc-deaf", 500, chipOpts{pin: "123456"})
			c.clean()
			c.settle(1780, 2)
			row.do(c, r, bad)
			c.end()
			c.found(row.find...)
			c.end() // repeated: the batch is closed
			c.found(row.find...)
		})
	}
	c := startChip(t)
	c.command("issuer script put-data 9F58=03")
	r := c.chipSale("debit", 1280, chipOpts{})
	c.settle(1280, 1)
	c.want(c.send("0320", c.upload(r, "203", nil)), "00")
	c.end() // and nobody told what became of the script
	c.found("script-result")
}

// Any bytes as field 55: an answer, and no cryptogram that is right.
func FuzzField55(f *testing.F) {
	c := startChip(f)
	r := c.chipSale("debit", 1280, chipOpts{})
	f.Add(r.state.Pack(online...))
	f.Add([]byte{0x9F, 0x26, 0x82, 0x00, 0x08})
	f.Add([]byte{0x9F, 0x80, 0x80, 0x01, 0x00, 0x00})
	f.Add([]byte{0x95, 0x81, 0x05, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, d []byte) {
		if len(d) > 255 {
			return
		}
		c.t = t
		for mti, with := range map[string]fields{"0200": r.sent.with(fields{11: c.next(), 55: field55(d)}), "0320": c.upload(r, "203", fields{55: field55(d)}),
			"0620": c.result(r, fields{55: field55(d)})} {
			if g := c.send(mti, with); len(g.rc) != 2 || g.rc == "?" {
				t.Errorf("%s: %q", mti, g.rc)
			}
		}
	})
}
