package iso8583

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"swipewell/firmware/emv/tlv"
)

// View is what a log may keep of a message: the fields that say which message it
// is and what was answered, of the others the size, and of the rest nothing. It has no
// way to be made but from a message. PCI 3.4: no number, no track, no PIN block.
type View struct {
	mti    MTI
	fields []viewed
}

type viewed struct {
	de   int
	text string
}

// Of these fields the text is kept, of those the size. DE 37 is no card number, though
// it is as long; DE 60 is type, batch and tail.
var (
	viewText = []int{DEProcessing, DEAmount, DESTAN, DEEntryMode, DEPANSequence, DECondition, DERRN, DEAuthCode, DEResponse, DETerminalID, DEBatch}
	viewSize = []int{DETrack2, DEPIN, DEICC, DEKeys, DEMAC}
)

// cardTags of DE 55 are not even named, nor are those that the dictionary holds secret:
// they are the card's own. B3 annex A.
var cardTags = []tlv.Tag{0x56, 0x5F24, 0x5F25, 0x5F30, 0x9F6B}

// View takes what may be kept.
func (m *Message) View() View {
	v := View{mti: m.MTI}
	for de := range m.Fields {
		text := ""
		switch {
		case de == DEAmount: // minor units without the zeros, which could look like a number
			if n, ok := m.Number(de); ok {
				text = strconv.FormatUint(n, 10)
			}
		case de == DEBatch:
			d := m.Digits(de)
			if len(d) > 8 {
				d = d[:2] + "." + d[2:8] + "." + d[8:]
			}
			text = d
		case slices.Contains(viewText, de):
			if text = m.Digits(de); text == "" {
				text = shortText(m.Text(de), 12)
			}
		case slices.Contains(viewSize, de):
			text = "[" + strconv.Itoa(m.Len(de)) + "]"
			if de == DEICC {
				text += tagNames(m.Bytes(de))
			}
		default:
			continue
		}
		v.fields = append(v.fields, viewed{de, text})
	}
	return v
}

// shortText keeps what a field of letters and digits may have.
func shortText(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == ' ' {
			return r
		}
		return '?'
	}, s)
	return strings.TrimSpace(s[:min(len(s), most)])
}

// tagNames lists the tags of DE 55 that are not card data.
func tagNames(b []byte) string {
	objects, err := tlv.Parse(b)
	if err != nil {
		return " not TLV"
	}
	var s strings.Builder
	for _, o := range objects {
		if e, _ := tlv.Lookup(o.Tag); !e.Secret && !slices.Contains(cardTags, o.Tag) {
			fmt.Fprintf(&s, " %X", uint32(o.Tag))
		}
	}
	return s.String()
}

// MTI of the message; zero: there was none.
func (v View) MTI() MTI { return v.mti }

// Fields are the numbers and texts, ascending.
func (v View) Fields(yield func(de int, text string) bool) {
	for _, f := range v.fields {
		if !yield(f.de, f.text) {
			return
		}
	}
}
