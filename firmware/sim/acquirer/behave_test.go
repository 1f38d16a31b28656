package acquirer_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/sim/acquirer"
	"swipewell/hal"
)

// echo is a request that is always answered: what comes before its answer was
// sent before, and what does not was not sent.
func (c *client) echo() {
	c.t.Helper()
	if g := c.send("0820", c.ids(fields{60: lll("00000001301")})); g.mti != "0830" {
		c.t.Fatalf("something else came: %s %s", g.mti, g.rc)
	}
}

// booked waits for nothing: a request that was followed by an echo is done.
func (c *client) booked(fen int64) {
	c.t.Helper()
	if got := c.h.NetCapture(nil).Minor; got != fen {
		c.t.Fatalf("booked %d, want %d", got, fen)
	}
}

func TestBehaviours(t *testing.T) {
	c := start(t, acquirer.Opts{})
	sale := func() fields { return c.sale("cup-debit-1", 100, nil) }

	c.command("answer lost")
	c.write(c.raw("0200", sale()))
	c.echo()
	c.booked(100)

	c.command("answer silent")
	f := sale()
	c.write(c.raw("0200", f))
	c.echo()
	c.booked(100)
	if c.h.Seen("0200") != 2 {
		t.Error("a silent host sees too")
	}
	c.want(c.send("0400", c.reversal("cup-debit-1", f, nil)), "25") // 04xx is not meant

	c.command("answer late 40s")
	f = sale()
	c.write(c.raw("0200", f))
	c.echo()
	c.booked(200)
	c.clock.Jump(39 * time.Second)
	c.echo()
	c.clock.Jump(time.Second)
	if g := c.want(c.read(), "00"); g.stan != f[11] {
		t.Errorf("late: STAN %s", g.stan)
	}

	c.command("answer duplicate")
	f = sale()
	first := c.want(c.send("0200", f), "00")
	if second := c.want(c.read(), "00"); string(first.raw) != string(second.raw) {
		t.Error("the second answer differs")
	}
	c.booked(300)

	c.command("answer wrong-stan")
	f = sale()
	if g := c.want(c.send("0200", f), "00"); g.stan == f[11] {
		t.Error("wrong-stan: the right STAN")
	}
	c.booked(400)

	c.command("answer bad-mac")
	if g := c.send("0200", sale()); g.rc != "00" || g.macOK {
		t.Errorf("bad-mac: %s, MAC right %v", g.rc, g.macOK)
	}
	c.booked(500)

	c.command("answer garbage")
	if g := c.send("0200", sale()); g.mti == "0210" {
		t.Errorf("garbage has an MTI, %s", g.mti)
	}
	c.booked(600)

	c.command("answer mangle")
	if g := c.send("0200", sale()); g.macOK && g.rc == "00" {
		t.Error("a mangled answer is right")
	}
	c.booked(700)

	c.command("answer normal")
	c.want(c.send("0200", sale()), "00")
	c.booked(800)
	c.clean()
}

// Orders stay, count down, and hold for the MTIs they name; the last counts.
func TestOrders(t *testing.T) {
	c := start(t, acquirer.Opts{Name: "main"})
	sale := func() fields { return c.sale("cup-debit-1", 100, nil) }
	lost := func(mti string, f fields) {
		t.Helper()
		c.write(c.raw(mti, f))
		c.echo()
	}
	c.command("main answer lost -n 2")
	lost("0200", sale())
	lost("0200", sale())
	c.want(c.send("0200", sale()), "00")

	c.command("answer silent -mti 0400")
	f := sale()
	c.want(c.send("0200", f), "00")
	lost("0400", c.reversal("cup-debit-1", f, nil))
	c.command("answer normal") // for 01xx and 02xx
	lost("0400", c.reversal("cup-debit-1", f, nil))
	c.command("answer normal -mti 04xx")
	c.want(c.send("0400", c.reversal("cup-debit-1", f, nil)), "00")

	c.command("answer lost")
	c.command("answer duplicate -mti 0200 -n 1")
	c.want(c.send("0200", sale()), "00")
	c.read()
	c.want(c.send("0200", sale()), "00") // used up: normal
	lost("0220", c.sale("cup-debit-1", 100, fields{60: lll("30" + c.batch + "000500")}))

	c.command("answer normal")
	c.command("decline 51 -n 1")
	c.want(c.send("0200", sale()), "51")
	c.want(c.send("0200", sale()), "00")
	c.command("decline 05")
	net := c.h.NetCapture(nil)
	f = sale()
	c.want(c.send("0200", f), "05")
	c.want(c.send("0400", c.reversal("cup-debit-1", f, nil)), "25") // nothing was booked
	c.command("answer normal")
	if c.h.NetCapture(nil) != net {
		t.Error("a decline booked")
	}
	c.command("approve 10 0.40 -n 1")
	if g := c.want(c.send("0200", sale()), "10"); g.amount != "000000000040" || c.h.NetCapture(nil).Minor != net.Minor+40 {
		t.Errorf("partial: %s", g.amount)
	}
	c.command("approve 11 -n 1")
	c.want(c.send("0200", sale()), "11")
	c.command("decline 96 -mti 0400 -n 1")
	c.want(c.send("0400", c.reversal("cup-debit-1", f, nil)), "96")

	c.command("order 3")
	c.signOn("003") // no order rides on an administrative answer
	if g := c.want(c.send("0200", sale()), "00"); g.order != 3 {
		t.Errorf("header order %d", g.order)
	}
	if g := c.want(c.send("0200", sale()), "00"); g.order != 0 {
		t.Errorf("header order %d again", g.order)
	}
	c.command("text THANK YOU")
	if g := c.want(c.send("0200", sale()), "00"); !strings.HasPrefix(g.text, "CUPTHANK YOU ") || len(g.text) != 63 {
		t.Errorf("text %q", g.text)
	}
	c.clean()
}

func TestCommandErrors(t *testing.T) {
	c := start(t, acquirer.Opts{})
	for _, words := range []string{"", "jump", "answer", "answer loud", "answer late", "answer late soon", "answer late -5s", "answer lost now",
		"answer lost -n", "answer lost -n 0", "answer lost -mti 02", "answer lost -mti 02zz", "decline", "decline 5", "decline 00", "decline 51 52",
		"approve 51", "approve 10 much", "order", "order 33", "card", "card x", "card x pan", "card x pan=12", "card x pan=abc", "card x expiry=3013",
		"card x balance=-1", "card x status=odd", "card x pin=12", "card x colour=red", "card 卡 balance=1", "sees", "text " + strings.Repeat("x", 61)} {
		if words == "card x" {
			continue // a card with nothing set pays
		}
		if out, err := c.h.Command(strings.Fields(words)...); err == nil || out != "" {
			t.Errorf("%q: %q, no error", words, out)
		}
	}
	c.command("card mine balance=5 pan=6226220000000000000 status=91")
	if k, _ := c.h.Card("mine"); k.Balance != 500 || k.Status != "91" || k.Name != "mine" {
		t.Errorf("card %v", k)
	}
	c.want(c.send("0200", c.sale("mine", 100, nil)), "91")
	if out, err := c.h.Command("help"); err != nil || out != acquirer.Usage {
		t.Error("no help")
	}
	if out, _ := c.h.Command("sees", "0200"); out != "1" {
		t.Errorf("sees %s", out)
	}
	c.command("mark")
	if c.h.Seen("0200") != 0 {
		t.Error("the mark does not count")
	}
	if _, err := acquirer.New(acquirer.Opts{}); err == nil {
		t.Error("a host without a clock")
	}
	for _, o := range []acquirer.Opts{{MAC: "rot13"}, {Terminals: []acquirer.Terminal{{TID: "1", MID: acquirer.BenchMID, TMK: acquirer.BenchTMK}}},
		{Terminals: []acquirer.Terminal{{TID: acquirer.BenchTID, MID: acquirer.BenchMID, TMK: "00"}}}, {Cards: [][]string{{"x", "y=z"}}}} {
		o.Clock = c.clock
		if _, err := acquirer.New(o); err == nil {
			t.Errorf("took %+v", o)
		}
	}
}

// Down refuses and cuts, Up is the same address, and the books are those.
func TestDownUp(t *testing.T) {
	c := start(t, acquirer.Opts{})
	addr := c.h.Addr()
	c.want(c.send("0200", c.sale("cup-debit-1", 100, nil)), "00")
	c.command("answer late 1m")
	c.write(c.raw("0200", c.sale("cup-debit-1", 100, nil)))
	c.echo()
	c.command("down")
	if _, err := io.ReadAll(c.c); err == nil {
		t.Error("the connection ended in peace")
	}
	if k, err := net.Dial("tcp", addr); err == nil {
		k.Close()
		t.Error("it listens")
	}
	c.clock.Jump(time.Minute) // nobody is there to hear it
	c.command("up")
	c.command("up")
	c.command("answer normal")
	c.dial()
	c.want(c.send("0200", c.sale("cup-debit-1", 100, nil)), "00")
	if c.h.Addr() != addr || c.h.NetCapture(nil).Minor != 300 {
		t.Errorf("%s, net %v", c.h.Addr(), c.h.NetCapture(nil))
	}
	c.clean()
	if err := c.h.Close(); err != nil || c.h.Up() == nil {
		t.Errorf("a closed host: %v", err)
	}
}

// A connection whose answer was withheld is closed in the end.
func TestLostConnectionCloses(t *testing.T) {
	for _, how := range []string{"lost", "silent"} {
		c := start(t, acquirer.Opts{LostClose: time.Minute})
		c.command("answer " + how)
		c.write(c.raw("0200", c.sale("cup-debit-1", 100, nil)))
		c.echo()
		c.clock.Jump(time.Minute)
		c.c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if n, err := c.c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%s: %d bytes, %v", how, n, err)
		}
	}
}

// The other MAC algorithms of a board file are understood too.
func TestOtherMACsAnswer(t *testing.T) {
	for _, alg := range []string{"x9.9", "x9.19", "3des-cbc"} {
		c := start(t, acquirer.Opts{MAC: alg, DoubleMAK: true})
		if g := c.send("0200", c.sale("cup-debit-1", 100, nil)); g.rc != "A0" {
			t.Errorf("%s: the ECB MAC passes", alg)
		}
	}
}

// A host is told how to behave in the words of a script, and its books say
// what the cards were charged.
func Example() {
	h, err := acquirer.New(acquirer.Opts{Clock: hal.SystemClock{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()
	for _, line := range []string{"card vip balance=1000000.00", "answer late 40s -n 1", "decline 51 -mti 01xx", "answer loud"} {
		if _, err := h.Command(strings.Fields(line)...); err != nil {
			fmt.Println(err)
		}
	}
	vip, _ := h.Card("vip")
	fmt.Println(vip)
	fmt.Println(h.NetCapture(nil), len(h.Books()), h.Seen("0200"))
	// Output:
	// acquirer: answer normal|lost|late D|duplicate|wrong-stan|bad-mac|garbage|mangle|silent [-mti MTI] [-n N]
	// vip 622622*********2404
	// 0.00 0 0
}
