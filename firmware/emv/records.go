package emv

import (
	"bytes"

	"swipewell/firmware/card"
	"swipewell/firmware/emv/tlv"
)

// afl is one entry of the Application File Locator. B3 §10.2.
type afl struct{ sfi, first, last, auth byte }

// readAFL checks and reads the locator: fours of bytes, SFI 1 to 30 in the upper
// five bits, first record at least 1, last not before first, and not more records
// for offline data authentication than there are. B3 §10.2.
func readAFL(b []byte) ([]afl, bool) {
	if len(b) == 0 || len(b)%4 != 0 {
		return nil, false
	}
	var files []afl
	for ; len(b) > 0; b = b[4:] {
		f := afl{b[0] >> 3, b[1], b[2], b[3]}
		if b[0]&7 != 0 || f.sfi < 1 || f.sfi > 30 || f.first < 1 || f.last < f.first || int(f.auth) > int(f.last)-int(f.first)+1 {
			return nil, false
		}
		files = append(files, f)
	}
	return files, true
}

// readNext asks for the next record of the AFL, or goes on to offline data
// authentication. B3 §10.2.
func (n *session) readNext() Output {
	if len(n.files) == 0 {
		return n.recordsRead()
	}
	return n.send(atRecord, apduReadRecord(n.files[0].sfi, n.record))
}

// gotRecord keeps a record. Any status but 9000 ends the session, as does a
// template that is wrong in SFI 1 to 10 or an object that comes twice. B3 §10.2.
func (n *session) gotRecord(r Response) Output {
	if r.SW != swOK {
		return n.stop(CardStatus)
	}
	f := n.files[0]
	body, framed := tlv.Only(r.Data, 0x70)
	if f.sfi <= 10 {
		objects, err := tlv.Parse(body)
		if !framed || err != nil {
			return n.stop(CardData)
		}
		for _, o := range objects {
			if !n.keep(o) {
				return n.stop(CardData)
			}
		}
	}
	if n.record-f.first < f.auth {
		n.authenticate(f.sfi, r.Data, body, framed)
	}
	if n.record == f.last {
		n.files = n.files[1:]
		if len(n.files) > 0 {
			n.record = n.files[0].first
		}
	} else {
		n.record++
	}
	return n.readNext()
}

// keep stores one object of a record; false if it has come before. What belongs
// to the terminal or the issuer is not the card's to say. B3 §7.5, §10.2.
func (n *session) keep(o tlv.Object) bool {
	e, known := tlv.Lookup(o.Tag)
	if known && e.Origin != tlv.ICC {
		return true
	}
	if _, before := n.card.get(o.Tag); before && o.Tag != 0x5F2D && o.Tag != 0x50 && o.Tag != 0x87 && o.Tag != 0x9F12 && o.Tag != 0x9F11 {
		return false
	}
	n.card.put(o.Tag, bytes.Clone(o.Value))
	return true
}

// maxAuth bounds the static data to be authenticated. B2 §5.1.1 gives none; the
// AFL's records of at most 254 bytes cannot need more.
const maxAuth = 1 << 15

// authenticate adds a record to the static data: of SFI 1 to 10 the value of
// template 70, of SFI 11 to 30 the whole record. A record without the template
// cannot be authenticated, and offline data authentication fails. B2 §5.1.1, B3 §10.3.
func (n *session) authenticate(sfi byte, record, body []byte, framed bool) {
	size := len(record)
	for _, b := range n.auth {
		size += len(b)
	}
	switch {
	case !framed || size > maxAuth:
		n.noAuth = true
	case sfi <= 10:
		n.auth = grow(n.auth, bytes.Clone(body))
	default:
		n.auth = grow(n.auth, bytes.Clone(record))
	}
}

// shapes of what later functions rely on, when it is there. B3 §7.5, Annex A.
var shapes = []struct {
	tag      tlv.Tag
	min, max int
}{
	{0x5F25, 3, 3}, {0x5F28, 2, 2}, {0x5F34, 1, 1}, {0x9F07, 2, 2}, {0x9F08, 2, 2}, {0x9F0D, 5, 5}, {0x9F0E, 5, 5}, {0x9F0F, 5, 5},
	{0x9F14, 1, 1}, {0x9F23, 1, 1}, {0x9F42, 2, 2}, {0x8F, 1, 1},
}

// mandatory objects of every application. B3 §7.2, Table 26.
var mandatory = []tlv.Tag{0x5A, 0x5F24, 0x8C, 0x8D}

// recordsRead checks what must be there and how it must look. B3 §7.2, §7.5.
func (n *session) recordsRead() Output {
	for _, t := range mandatory {
		if len(n.cardValue(t)) == 0 {
			return n.stop(CardData)
		}
	}
	for _, s := range shapes {
		if v, ok := n.card.get(s.tag); ok && (len(v) < s.min || len(v) > s.max) {
			return n.stop(CardData)
		}
	}
	for _, t := range []tlv.Tag{0x5F24, 0x5F25} {
		if v, ok := n.card.get(t); ok && !goodDate(v) {
			return n.stop(CardData)
		}
	}
	for _, t := range []tlv.Tag{0x8C, 0x8D, 0x97, 0x9F49} {
		if _, err := tlv.ParseDOL(n.cardValue(t)); err != nil {
			return n.stop(CardData)
		}
	}
	if _, ok := n.pan(); !ok {
		return n.stop(CardData)
	}
	return n.authenticateData()
}

// pan reads the card number. B3 Annex A1, tag 5A: compressed numeric, F behind.
func (n *session) pan() (card.PAN, bool) {
	d, ok := nibbles(n.cardValue(0x5A))
	if !ok {
		return card.PAN{}, false
	}
	p, err := card.ParsePAN(d)
	clear(d)
	return p, err == nil
}
