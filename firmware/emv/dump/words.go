package dump

import (
	"fmt"
	"strings"

	"swipewell/firmware/emv/tlv"
)

// status is SW1 SW2 with what it says where the walk meets it. B1 §11.3.5, B3 §6.3.5.
func status(sw uint16) string {
	s := map[uint16]string{0: "no answer", 0x6283: "blocked", 0x6A81: "the card is blocked, or has no SELECT", 0x6A82: "not found", 0x6A83: "no such record",
		0x6A88: "not there", 0x6985: "conditions not satisfied", 0x6D00: "no such command", 0x6E00: "no such class"}[sw]
	switch {
	case sw == 0:
		return s
	case s == "":
		return fmt.Sprintf("%04X", sw)
	}
	return fmt.Sprintf("%04X, %s", sw, s)
}

// profile are the bits of the AIP, byte 1. B3 Annex C1.
var profile = []struct {
	bit  byte
	word string
}{{0x40, "SDA"}, {0x20, "DDA"}, {0x10, "cardholder verification"}, {0x08, "terminal risk management"}, {0x04, "issuer authentication by EXTERNAL AUTHENTICATE"}, {0x01, "CDA"}}

// usage are the bits of the AUC. B3 Annex C2.
var usage = []struct {
	bit  uint16
	word string
}{{0x8000, "domestic cash"}, {0x4000, "international cash"}, {0x2000, "domestic goods"}, {0x1000, "international goods"}, {0x0800, "domestic services"},
	{0x0400, "international services"}, {0x0200, "at ATMs"}, {0x0100, "at terminals other than ATMs"}, {0x0080, "domestic cashback"}, {0x0040, "international cashback"}}

// methods of cardholder verification, by the low six bits. B3 Annex C3, Table 39.
var methods = map[byte]string{0x00: "fail", 0x01: "plain PIN checked by the card", 0x02: "enciphered PIN checked online", 0x03: "plain PIN checked by the card, and signature",
	0x04: "enciphered PIN checked by the card", 0x05: "enciphered PIN checked by the card, and signature", 0x1E: "signature", 0x1F: "none needed"}

// conditions under which a method applies. B3 Annex C3, Table 40.
var conditions = map[byte]string{0x00: "always", 0x01: "for unattended cash", 0x02: "unless cash or cashback", 0x03: "if the terminal can", 0x04: "for manual cash",
	0x05: "for cashback", 0x06: "below X in the card's currency", 0x07: "above X in the card's currency", 0x08: "below Y in the card's currency", 0x09: "above Y in the card's currency"}

// words are what a value says, one line each.
func (w *walker) words(o tlv.Object) (out []string) {
	v := o.Value
	switch {
	case o.Tag == 0x82 && len(v) == 2:
		for _, b := range profile {
			if v[0]&b.bit != 0 {
				out = append(out, b.word)
			}
		}
	case o.Tag == 0x9F07 && len(v) == 2:
		var on []string
		for _, b := range usage {
			if (uint16(v[0])<<8|uint16(v[1]))&b.bit != 0 {
				on = append(on, b.word)
			}
		}
		out = append(out, strings.Join(on, ", "))
	case o.Tag == 0x94:
		for ; len(v) >= 4; v = v[4:] {
			out = append(out, fmt.Sprintf("SFI %d, records %d to %d, the first %d signed", v[0]>>3, v[1], v[2], v[3]))
		}
	case o.Tag == 0x8E && len(v) >= 8:
		out = verification(v)
	case o.Tag == 0x8F && len(v) == 1:
		out = append(out, fmt.Sprintf("CA key %s %02X", w.rid, v[0]))
	case o.Tag == 0x90:
		out = append(out, fmt.Sprintf("CA key of %d bits", 8*len(v)))
	case o.Tag == 0x93, o.Tag == 0x9F46, o.Tag == 0x9F2D:
		out = append(out, fmt.Sprintf("issuer key of %d bits", 8*len(v)))
	case tlv.FormatOf(o.Tag) == tlv.DOL:
		list, err := tlv.ParseDOL(v)
		if err != nil {
			return []string{"not a list"}
		}
		for _, want := range list {
			e, _ := tlv.Lookup(want.Tag)
			out = append(out, strings.TrimRight(fmt.Sprintf("%v %d %s", want.Tag, want.Len, e.Name), " "))
		}
	}
	return out
}

// verification is the list of methods. B3 §10.5, Annex C3.
func verification(v []byte) (out []string) {
	x, y := number(v[:4]), number(v[4:8])
	if x != 0 || y != 0 {
		out = append(out, fmt.Sprintf("X %d, Y %d minor units", x, y))
	}
	for n, r := 1, v[8:]; len(r) >= 2; n, r = n+1, r[2:] {
		what, ok := methods[r[0]&0x3F]
		if !ok {
			what = fmt.Sprintf("method %02X", r[0]&0x3F)
		}
		when, ok := conditions[r[1]]
		if !ok {
			when = fmt.Sprintf("condition %02X", r[1])
		}
		then := "if that fails, verification has failed"
		if r[0]&0x40 != 0 {
			then = "if that fails, the next"
		}
		out = append(out, fmt.Sprintf("%d: %s, %s; %s", n, what, when, then))
	}
	return out
}

func number(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}
