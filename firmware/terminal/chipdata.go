package terminal

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/tlv"
	"swipewell/firmware/pos"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

// DE 55 by message. HOST §1.4; an object that the card or the terminal does not
// have is left out.
var (
	iccRequest  = []tlv.Tag{0x9F26, 0x9F27, 0x9F10, 0x9F37, 0x9F36, 0x95, 0x9A, 0x9C, 0x9F02, 0x5F2A, 0x82, 0x9F1A, 0x9F03, 0x9F33, 0x9F34, 0x9F35, 0x9F1E, 0x84, 0x9F09, 0x9F41, 0x9F63, 0x9F74}
	iccReversal = []tlv.Tag{0x95, 0x9F1E, 0x9F10, 0x9F36}
	iccScript   = []tlv.Tag{0x9F33, 0x95, 0x9F37, 0x9F1E, 0x9F10, 0x9F26, 0x9F36, 0x82, 0x9F1A, 0x9A}
)

// tagScripts carries the issuer script results, 9F5B of the kernel, to the host.
const tagScripts tlv.Tag = 0xDF31

// emvConfig is what the acquirer has said of chips, for today, or why there is
// nothing.
func (t *Terminal) emvConfig() (*emv.Config, prompt.Code) {
	c := t.CardTables(t.ownData())
	if len(c.Apps) == 0 {
		return nil, prompt.ChipNoTables
	}
	own := *c // what it points to is shared
	own.CanChoose = t.board.Keypad != nil && t.board.Display != nil
	return &own, ""
}

// ownData are the terminal's own data objects: what is fitted decides. EMV 4.3 Book 4
// Annex A.
func (t *Terminal) ownData() emv.Values {
	capable := []byte{0x60, 0x08, 0xC8} // stripe and contacts; no verification; SDA, DDA, CDA
	if t.o.Profile.Printer {
		capable[1] |= 0x20 // signature
	}
	if t.o.Profile.PINPad {
		capable[1] |= 0x80 | 0x40 | 0x10 // PIN in clear, online, enciphered
	}
	serial := fmt.Sprintf("%-8.8s", t.o.Merchant.Terminal)
	return emv.Values{
		0x9F1A: {0x01, 0x56}, 0x9F33: capable, 0x9F35: {0x22}, // attended, a merchant's, offline with online capability
		0x9F40: {0x60, 0x00, 0xF0, 0xA0, 0x01}, // goods and services; keys; prints and shows; ISO 8859-1
		0x9F1E: []byte(serial), 0x9F1C: []byte(serial),
	}
}

// transaction is what the kernel is told of the sale. EMV 4.3 Book 3 §10.1.
func (t *Terminal) transaction(x txn.StartChip) emv.Transaction {
	wall := t.clock.Now().Wall.In(pos.CST)
	bcd := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			return nil
		}
		return b
	}
	var un [4]byte
	r := t.o.Rand()
	un[0], un[1], un[2], un[3] = byte(r), byte(r>>8), byte(r>>16), byte(r>>24)
	return emv.Transaction{
		Data: emv.Values{
			0x9F02: bcd(fmt.Sprintf("%012d", x.Amount.Minor)), 0x9F03: bcd("000000000000"), 0x5F2A: bcd(fmt.Sprintf("%04d", x.Amount.Currency)),
			0x9A: bcd(wall.Format("060102")), 0x9F21: bcd(wall.Format("150405")), 0x9C: bcd(x.Process[:2]), 0x9F41: bcd(fmt.Sprintf("%08d", x.STAN)),
		},
		UN: un, Pick: uint8(1 + t.o.Rand()%99), ForceOnline: x.Online,
	}
}

// track2Text is track 2 equivalent data as a stripe would have it. B3 Annex A1, 57.
func track2Text(b []byte) []byte {
	out := make([]byte, 0, 2*len(b))
	for _, c := range b {
		out = append(out, "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
	}
	if n := len(out); n > 0 && out[n-1] == 'F' {
		out = out[:n-1]
	}
	return out
}

// cardFacts are what the terminal's files say of the card. B3 §10.6.1.
func (t *Terminal) cardFacts() emv.Facts {
	var f emv.Facts
	for _, r := range t.box.All() {
		if r.Card == t.slot.ref && r.Kind == pos.KindChipOffline && r.State == pos.RecordQueued {
			f.Logged += uint64(r.Amount.Minor)
		}
	}
	f.Logged += uint64(t.twins.sum(t.slot.ref))
	return f
}

// chipData is what records and rows keep of the session as it stands.
func (t *Terminal) chipData(tags []tlv.Tag) pos.Chip {
	st := t.slot.state
	data := st.Pack(tags...)
	if v, ok := st.Get(0x9F5B); ok {
		data = tlv.Append(data, tagScripts, v)
	}
	c := pos.Chip{PSN: "000", ICC: hex.EncodeToString(data)}
	if v, ok := st.Get(0x5F34); ok && len(v) == 1 {
		c.PSN = fmt.Sprintf("%03x", v[0])
	}
	if v, ok := st.Get(0x9F06); ok {
		c.AID = fmt.Sprintf("%X", v)
	}
	add, _ := st.Get(0x9F40)
	c.Label, c.TSI = st.Chosen().Name(add), fmt.Sprintf("%X", st.TSI())
	return c
}

var hows = map[emv.Kind]txn.ChipHow{
	emv.Terminated: txn.ChipStopped, emv.ApprovedOffline: txn.ChipOffline, emv.ApprovedOnline: txn.ChipOnlineDone,
	emv.DeclinedOffline: txn.ChipDeclined, emv.DeclinedOnline: txn.ChipHostDeclined, emv.Refused: txn.ChipRefused,
}

// chipWhy says an early end in words.
func (t *Terminal) chipWhy(o emv.Outcome) prompt.Code {
	if o.Kind == emv.DeclinedOffline {
		if t.slot.state.TVR().Has(emv.Expired) {
			return prompt.CardExpired
		}
		return ""
	}
	if o.Kind != emv.Terminated {
		return ""
	}
	switch o.Cause {
	case emv.CardLost:
		if in, err := t.board.Chip.Present(); err == nil && !in {
			return prompt.CardRemoved
		}
		return prompt.ChipSilent
	case emv.CardBlocked:
		return prompt.ChipBlocked
	case emv.NoApplication:
		return prompt.ChipNoApp
	case emv.Cancelled:
		return prompt.ChipFailed
	}
	return ""
}

// apps lists what there is to choose from, as the card names it. B1 §12.4.
func (t *Terminal) apps(sel int) string {
	ask, _ := t.slot.want.(emv.AskChoice)
	add, _ := t.slot.state.Get(0x9F40)
	var lines []string
	for i, c := range ask.Candidates {
		mark := "  "
		if i == sel {
			mark = "> "
		}
		lines = append(lines, mark+strconv.Itoa(i+1)+" "+c.Name(add))
	}
	return strings.Join(lines, "\n")
}
