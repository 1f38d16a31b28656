package dump_test

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"swipewell/firmware/emv/dump"
	"swipewell/firmware/sim/card"
)

var update = flag.Bool("update", false, "write testdata anew")

func made(t testing.TB, name string, change func(*card.Profile)) (*card.Card, card.Profile) {
	t.Helper()
	p, err := card.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&p)
	}
	c, err := card.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return c, p
}

func with(c *card.Card) dump.Exchange {
	return func(b []byte) ([]byte, error) { return c.Transmit(b), nil }
}

// hidden: neither number, track nor name, in digits or in bytes.
func hidden(t *testing.T, p card.Profile, tree string) {
	t.Helper()
	for _, s := range []string{p.PAN, p.PAN[6 : len(p.PAN)-4], p.Holder, "TEST CARD"} {
		if strings.Contains(tree, s) {
			t.Errorf("%s: it shows %q", p.Name, s)
		}
	}
}

// The trees as they are, and that each card of the tray has one.
func TestTrees(t *testing.T) {
	for _, name := range card.Names() {
		c, p := made(t, name, nil)
		n, err := dump.Read([]byte{0x3B, 0x60, 0, 0}, with(c))
		if err != nil {
			t.Fatal(err)
		}
		hidden(t, p, n.String())
		if name != "debit" && name != "credit-pin" && name != "two-apps" && name != "app-blocked" {
			continue
		}
		file := "testdata/" + name + ".txt"
		if *update {
			if err := os.WriteFile(file, []byte(n.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || string(want) != n.String() {
			t.Errorf("%s: %v\n%s", name, err, n)
		}
	}
}

// A number is masked wherever it stands.
func TestNumberElsewhere(t *testing.T) {
	c, p := made(t, "debit", func(p *card.Profile) {
		p.Tags = map[string]string{"9F1F": "313233", "9F10": p.PAN + "F", "9F5B": p.PAN + "0", "5F50": "687474703A2F2F" + asHex(p.PAN), "DF01": p.PAN + "F"}
	})
	n, err := dump.Read(nil, with(c))
	if err != nil {
		t.Fatal(err)
	}
	hidden(t, p, n.String())
	if got := strings.Count(n.String(), "card number in them"); got != 3 {
		t.Errorf("%d values with the number: %s", got, n)
	}
	c, p = made(t, "debit", func(p *card.Profile) { // the number in 57 alone
		p.Tags = map[string]string{"5A": "-", "9F10": p.PAN + "F"}
	})
	if n, err = dump.Read(nil, with(c)); err != nil {
		t.Fatal(err)
	}
	hidden(t, p, n.String())
}

func asHex(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteString("3" + string(c))
	}
	return b.String()
}

// Cards that are not as they should be.
func TestOddCards(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*card.Profile)
		want   string
	}{
		"no directory":   {func(p *card.Profile) { p.PSE = false }, "directory 1PAY.SYS.DDF01: 6A82, not found\n  application A000000333010101\n"},
		"no application": {func(p *card.Profile) { p.PSE, p.AID = false, "A00000099901" }, "no application"},
		"no options":     {func(p *card.Profile) { p.Faults = []card.Fault{{On: "GPO", SW: "6985"}} }, "processing options: 6985, conditions not satisfied"},
		"odd options":    {func(p *card.Profile) { p.Faults = []card.Fault{{On: "GPO", Answer: "019000"}} }, "processing options: no profile in them"},
		"a bad record":   {func(p *card.Profile) { p.Faults = []card.Fault{{On: "READ RECORD", Nth: 2, Answer: "70059F9000"}} }, "bytes that are no list of objects"},
		"no record":      {func(p *card.Profile) { p.Faults = []card.Fault{{On: "READ RECORD", SW: "6A82"}} }, "record 1.1: 6A82, not found"},
		"odd list":       {func(p *card.Profile) { p.CVMList = "0000271000001388 5F03 4406 1F99" }, "X 10000, Y 5000 minor units"},
		"a bad DOL":      {func(p *card.Profile) { p.Tags = map[string]string{"8C": "9F"} }, "not a list"},
		"a bad PDOL":     {func(p *card.Profile) { p.PDOL = "9F" }, "its PDOL is no list"},
		"odd counters":   {func(p *card.Profile) { p.Faults = []card.Fault{{On: "GET DATA", Answer: "9000"}} }, "not an answer"},
		"mute behind":    {func(p *card.Profile) { p.Faults = []card.Fault{{On: "GET DATA", Mute: true}} }, "9F36 Application Transaction Counter (ATC): no answer"},
		"no SFI":         {func(p *card.Profile) { p.Faults = []card.Fault{{On: "SELECT", Nth: 1, Answer: "6F028400" + "9000"}} }, "no usable SFI"},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := made(t, "debit", row.change)
			n, err := dump.Read(nil, with(c))
			if err != nil || !strings.Contains(n.String(), row.want) {
				t.Errorf("%v: %s", err, n)
			}
			hidden(t, p, n.String())
		})
	}
	gone := errors.New("withdrawn")
	for after := range 30 {
		c, _ := made(t, "two-apps", nil)
		left := after
		n, err := dump.Read(nil, func(b []byte) ([]byte, error) {
			if left--; left < 0 {
				return nil, gone
			}
			return c.Transmit(b), nil
		})
		if !errors.Is(err, gone) || n == nil {
			t.Errorf("withdrawn after %d: %v", after, err)
		}
	}
}

// A card that says anything, as long as it likes.
func FuzzRead(f *testing.F) {
	f.Add([]byte("\x6F\x05\x84\x00\xA5\x01\x88\x90\x00"), byte(3))
	f.Add([]byte("\x70\x09\x61\x07\x4F\x05\xA0\x00\x00\x03\x33\x90\x00"), byte(1))
	f.Add([]byte("\x80\x06\x7C\x00\x08\x01\xFF\x00\x90\x00"), byte(2))
	f.Fuzz(func(t *testing.T, b []byte, step byte) {
		sent, at := 0, 0
		n, err := dump.Read(b, func([]byte) ([]byte, error) {
			if sent++; sent > 3000 {
				t.Fatal("it never ends")
			}
			at += int(step)
			return b[min(at%(len(b)+1), len(b)):], nil
		})
		if err != nil || n == nil {
			t.Error(err)
		}
	})
}
