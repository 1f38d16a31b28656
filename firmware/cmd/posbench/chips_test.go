package main

import (
	"bytes"
	"testing"

	"swipewell/drivers/iso7816/cardsim"
	"swipewell/firmware/sim/card"
)

// Every chip of the tray is in the wallet, and keeps its counter from one insertion to
// the next; a stranger is an error.
func TestWallet(t *testing.T) {
	made := wallet()
	chip := func(name string) (*cardsim.Opts, error) {
		p, err := card.Load(name)
		if err != nil {
			return made(name, nil)
		}
		return made(name, &p)
	}
	for _, name := range card.Names() {
		o, err := chip(name)
		if err != nil || o == nil || o.App == nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	const selectDebit, gpo = "\x00\xA4\x04\x00\x08\xA0\x00\x00\x03\x33\x01\x01\x01", "\x80\xA8\x00\x00\x08\x83\x06\x01\x56\xE0\xF8\xC8\x22"
	for want := byte(1); want <= 2; want++ {
		o, err := chip("debit")
		if err != nil {
			t.Fatal(err)
		}
		o.Reset()
		o.App([]byte(selectDebit))
		o.App([]byte(gpo))
		if r := o.App([]byte{0x80, 0xCA, 0x9F, 0x36, 0}); !bytes.Equal(r, []byte{0x9F, 0x36, 2, 0, want, 0x90, 0}) {
			t.Errorf("counter %X, want %d", r, want)
		}
	}
	if _, err := chip("nobody"); err == nil {
		t.Error("a card that nobody has")
	}
}

// posbench card shows what postool card dump would.
func TestCardCommand(t *testing.T) {
	for name, want := range map[string]string{"credit-pin": "application A000000333010102", "chip-mute": "", "cup-debit-1": "", "nobody": ""} {
		c := cardCommand()
		var out bytes.Buffer
		c.SetOut(&out)
		c.SetErr(&out)
		c.SetArgs([]string{name})
		if err := c.Execute(); (err == nil) != (want != "") || want != "" && !bytes.Contains(out.Bytes(), []byte(want)) {
			t.Errorf("%s: %v %s", name, err, &out)
		}
	}
}
