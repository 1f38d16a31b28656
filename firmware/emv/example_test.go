package emv_test

import (
	"fmt"

	"swipewell/firmware/emv"
	"swipewell/firmware/sim/card"
)

// A whole sale: the caller carries commands to the card and questions to people,
// to the terminal's files and to the issuer, until there is an outcome.
func Example() {
	p, err := card.Load("debit")
	if err != nil {
		fmt.Println(err)
		return
	}
	p.CVMList = "0000000000000000" + "0100" // plain offline PIN
	c, err := card.New(p)
	if err != nil {
		fmt.Println(err)
		return
	}
	rid, index, key, err := p.CAKey()
	if err != nil {
		fmt.Println(err)
		return
	}
	cfg := &emv.Config{
		Data: emv.Values{
			0x9F1A: {0x01, 0x56}, 0x9F33: {0xE0, 0xF8, 0xC8}, 0x9F35: {0x22}, 0x9F40: {0xFA, 0, 0xF0, 0xA3, 0xFF},
			0x9F09: {0x00, 0x30}, 0x9F1B: {0, 0, 0x27, 0x10}, emv.TagDDOL: {0x9F, 0x37, 0x04},
		},
		Apps: []emv.App{{AID: []byte{0xA0, 0, 0, 3, 0x33, 1, 1}, Partial: true}},
		Keys: []emv.CAKey{{RID: [5]byte(rid), Index: index, Modulus: key.N, Exponent: key.E}},
	}
	s, out, err := emv.Begin(cfg, emv.Transaction{
		Data: emv.Values{0x9F02: {0, 0, 0, 0, 0x12, 0x80}, 0x5F2A: {0x01, 0x56}, 0x9A: {0x26, 0x11, 0x26}, 0x9C: {0}},
		UN:   [4]byte{1, 2, 3, 4}, Pick: 50,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		var in emv.Input
		switch o := out.(type) {
		case emv.Command:
			in = emv.ParseResponse(c.Transmit(o.APDU))
		case emv.AskPIN:
			in = emv.PIN{Handle: 1}
		case emv.Verify: // the PIN pad's work: its entry 1 as a block of format 2
			in = emv.ParseResponse(c.Transmit(append(append(o.Header[:], 8), 0x26, 0x12, 0x34, 0x56, 0xFF, 0xFF, 0xFF, 0xFF)))
		case emv.AskFacts:
			fmt.Println("log and exception file:", o.PAN)
			in = emv.Facts{}
		case emv.AskOnline:
			fmt.Printf("field 55: %X\n", s.Pack(0x95, 0x9F34, 0x9A, 0x9F27, 0x9F36))
			in = emv.Host{Approved: true, ARC: [2]byte{'0', '0'}}
		case emv.Outcome:
			fmt.Println(o, "after", o.APDUs, "commands")
			return
		}
		s, out = emv.Step(s, in)
	}
	// Output:
	// log and exception file: 622588*********0011
	// field 55: 950500000000009F34030100029A032611269F2701809F36020001
	// approved-online after 20 commands
}
