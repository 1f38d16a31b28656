package dump

import (
	"encoding/hex"
	"fmt"
	"strings"

	"swipewell/firmware/card"
	"swipewell/firmware/emv/tlv"
)

// Exchange carries one C-APDU to a card and brings its R-APDU, data and status. B3 §6.3.
type Exchange func(capdu []byte) ([]byte, error)

// Bounds of what a card is asked: one that never ends its lists is cut here. B1 §12.2.3
// and B3 §10.2 give no number.
const (
	maxDirectory    = 16
	maxApplications = 16
	maxRecords      = 64
)

// schemes are the RIDs that are tried on a card without a directory. B1 §12.3.3.
var schemes = []string{"A000000333", "A000000003", "A000000004", "A000000025", "A000000065", "A000000152"}

// terminal is what a PDOL is filled with; the rest is zeros. B3 §5.4, §10.1.
var terminal = map[tlv.Tag]string{0x9F1A: "0156", 0x5F2A: "0156", 0x9F33: "E0F8C8", 0x9F35: "22", 0x9F40: "FA00F0A3FF"}

// Node is one line of the tree with what hangs below it.
type Node struct {
	Text string  `json:"text"`
	Sub  []*Node `json:"sub,omitempty"`
}

func (n *Node) add(format string, a ...any) *Node {
	s := &Node{Text: fmt.Sprintf(format, a...)}
	n.Sub = append(n.Sub, s)
	return s
}

// String is the tree, two columns deeper with each step down.
func (n *Node) String() string {
	var b strings.Builder
	n.write(&b, "")
	return b.String()
}

func (n *Node) write(b *strings.Builder, margin string) {
	b.WriteString(margin + n.Text + "\n")
	for _, s := range n.Sub {
		s.write(b, margin+"  ")
	}
}

// walker is one reading of a card.
type walker struct {
	send    Exchange
	pan     string // digits, once an application has shown them
	rid     string
	records int
}

// Read walks through a card that has answered to reset with atr. On an error of the
// exchange it returns the tree so far beside it. B1 §12.2, B3 §10.1, §10.2.
func Read(atr []byte, send Exchange) (*Node, error) {
	w := &walker{send: send}
	root := &Node{Text: "card"}
	if len(atr) > 0 {
		root.Text = fmt.Sprintf("card, ATR %X", atr)
	}
	aids, err := w.directory(root)
	if err == nil && len(aids) == 0 {
		aids, err = w.list(root)
	}
	for i := 0; i < len(aids) && i < maxApplications && err == nil; i++ {
		err = w.application(root.add("application %X", aids[i]), aids[i])
	}
	if err == nil && len(aids) == 0 {
		root.add("no application")
	}
	return root, err
}

// ask sends a command; sw is 0 for an answer that is none.
func (w *walker) ask(capdu ...byte) (data []byte, sw uint16, err error) {
	r, err := w.send(capdu)
	if err != nil || len(r) < 2 {
		return nil, 0, err
	}
	n := len(r) - 2
	return r[:n], uint16(r[n])<<8 | uint16(r[n+1]), nil
}

func (w *walker) choose(name []byte, next bool) ([]byte, uint16, error) {
	p2 := byte(0)
	if next {
		p2 = 2
	}
	return w.ask(append(append([]byte{0x00, 0xA4, 0x04, p2, byte(len(name))}, name...), 0)...)
}

// directory reads the payment system environment and the AIDs in it. B1 §12.2.2.
func (w *walker) directory(root *Node) (aids [][]byte, err error) {
	data, sw, err := w.choose([]byte("1PAY.SYS.DDF01"), false)
	if err != nil {
		return nil, err
	}
	n := root.add("directory 1PAY.SYS.DDF01")
	if sw != 0x9000 {
		n.Text += ": " + status(sw)
		return nil, nil
	}
	w.show(n, data)
	fci, _ := tlv.Only(data, 0x6F)
	props, _ := tlv.Find(fci, 0xA5)
	sfi, ok := tlv.Find(props, 0x88)
	if !ok || len(sfi) != 1 || sfi[0] < 1 || sfi[0] > 10 {
		n.add("no usable SFI")
		return nil, nil
	}
	for no := byte(1); no <= maxDirectory; no++ {
		data, sw, err := w.ask(0x00, 0xB2, no, sfi[0]<<3|4, 0)
		if err != nil || sw == 0x6A83 {
			return aids, err
		}
		rec := n.add("record %d.%d", sfi[0], no)
		if sw != 0x9000 {
			rec.Text += ": " + status(sw)
			return aids, nil
		}
		w.show(rec, data)
		body, _ := tlv.Only(data, 0x70)
		entries, _ := tlv.Parse(body) // what is broken has been shown as such
		for _, e := range entries {
			if aid, ok := tlv.Find(e.Value, 0x4F); ok && e.Tag == 0x61 && len(aid) >= 5 && len(aid) <= 16 {
				aids = append(aids, aid)
			}
		}
	}
	return aids, nil
}

// list tries the schemes by their RIDs, and each again for its next. B1 §12.3.3.
func (w *walker) list(root *Node) (aids [][]byte, err error) {
	for _, s := range schemes {
		rid, _ := hex.DecodeString(s)
		for next := false; len(aids) < maxApplications; next = true {
			data, sw, err := w.choose(rid, next)
			if err != nil {
				return nil, err
			}
			fci, _ := tlv.Only(data, 0x6F)
			aid, ok := tlv.Find(fci, 0x84)
			if sw != 0x9000 && sw != 0x6283 || !ok || len(aid) < 5 || len(aid) > 16 {
				break
			}
			aids = append(aids, aid)
		}
	}
	return aids, nil
}

// application shows one application. B3 §10.1, §10.2.
func (w *walker) application(n *Node, aid []byte) error {
	w.pan, w.rid, w.records = "", fmt.Sprintf("%X", aid[:5]), 0
	data, sw, err := w.choose(aid, false)
	if err != nil {
		return err
	}
	if sw != 0x9000 && len(data) == 0 {
		n.Text += ": " + status(sw)
		return nil
	}
	if sw != 0x9000 {
		n.Text += ": " + status(sw)
	}
	w.show(n.add("FCI"), data)
	fci, _ := tlv.Only(data, 0x6F)
	props, _ := tlv.Find(fci, 0xA5)
	pdol, _ := tlv.Find(props, 0x9F38)
	body, err := tlv.Fill(pdol, func(t tlv.Tag) ([]byte, bool) {
		v, _ := hex.DecodeString(terminal[t])
		return v, len(v) > 0
	})
	if err != nil {
		n.add("its PDOL is no list")
		return nil
	}
	body = tlv.Append(nil, 0x83, body)
	data, sw, err = w.ask(append(append([]byte{0x80, 0xA8, 0, 0, byte(len(body))}, body...), 0)...)
	if err != nil {
		return err
	}
	options := n.add("processing options")
	if sw != 0x9000 {
		options.Text += ": " + status(sw)
	} else if err := w.files(n, options, data); err != nil {
		return err
	}
	return w.counters(n)
}

// files shows AIP and AFL, and reads what the AFL names. B3 §10.2.
func (w *walker) files(n, options *Node, data []byte) error {
	aip, afl := processing(data)
	if len(aip) != 2 {
		options.Text += ": no profile in them"
		return nil
	}
	w.object(options, tlv.Object{Tag: 0x82, Value: aip})
	w.object(options, tlv.Object{Tag: 0x94, Value: afl})
	type place struct{ sfi, no byte }
	records := map[place][]byte{}
	var order []place
	for ; len(afl) >= 4; afl = afl[4:] {
		sfi, first, last := afl[0]>>3, afl[1], afl[2]
		if first == 0 || last < first || sfi == 0 || sfi > 30 {
			continue
		}
		for no := int(first); no <= int(last) && w.records < maxRecords; no++ {
			w.records++
			data, sw, err := w.ask(0x00, 0xB2, byte(no), sfi<<3|4, 0)
			if err != nil {
				return err
			}
			if sw != 0x9000 {
				n.add("record %d.%d: %s", sfi, no, status(sw))
				continue
			}
			at := place{sfi, byte(no)}
			records[at], order = data, append(order, at)
			w.learn(data)
		}
	}
	for _, at := range order {
		w.show(n.add("record %d.%d", at.sfi, at.no), records[at])
	}
	return nil
}

// processing takes the answer of GET PROCESSING OPTIONS apart. B3 §6.5.8.4.
func processing(data []byte) (aip, afl []byte) {
	if b, ok := tlv.Only(data, 0x80); ok && len(b) >= 2 {
		return b[:2], b[2:]
	}
	if b, ok := tlv.Only(data, 0x77); ok {
		aip, _ = tlv.Find(b, 0x82)
		afl, _ = tlv.Find(b, 0x94)
	}
	return aip, afl
}

// learn finds the number, which then is shown nowhere. It stands in 5A, or before the
// separator of 57.
func (w *walker) learn(data []byte) {
	body, ok := tlv.Only(data, 0x70)
	if !ok {
		return
	}
	v, ok := tlv.Find(body, 0x5A)
	if !ok {
		v, ok = tlv.Find(body, 0x57)
	}
	if ok && w.pan == "" {
		w.pan, _, _ = strings.Cut(strings.TrimRight(fmt.Sprintf("%X", v), "F"), "D")
	}
}

// counters are what GET DATA gives. B3 §6.5.7.
func (w *walker) counters(n *Node) error {
	data := n.add("GET DATA")
	for _, t := range []tlv.Tag{0x9F36, 0x9F13, 0x9F17, 0x9F4F} {
		e, _ := tlv.Lookup(t)
		r, sw, err := w.ask(0x80, 0xCA, byte(t>>8), byte(t), 0)
		switch v, ok := tlv.Only(r, t); {
		case err != nil:
			return err
		case sw != 0x9000:
			data.add("%v %s: %s", t, e.Name, status(sw))
		case !ok:
			data.add("%v %s: not an answer", t, e.Name)
		default:
			w.object(data, tlv.Object{Tag: t, Value: v})
		}
	}
	return nil
}

// show hangs the objects of a template under n.
func (w *walker) show(n *Node, data []byte) {
	list, err := tlv.Parse(data)
	for _, o := range list {
		w.object(n, o)
	}
	if err != nil || len(list) == 0 {
		n.add("%d bytes that are no list of objects", len(data))
	}
}

// object is one object and, of a template, what is in it.
func (w *walker) object(n *Node, o tlv.Object) {
	e, known := tlv.Lookup(o.Tag)
	if !known {
		e.Name = "(not in the dictionary)"
	}
	name := fmt.Sprintf("%v %s", o.Tag, e.Name)
	if o.Tag.Constructed() {
		w.show(n.add("%s", name), o.Value)
		return
	}
	s := n.add("%s: %s", name, w.value(e, known, o))
	for _, words := range w.words(o) {
		s.add("%s", words)
	}
}

// value is what may be shown of a value.
func (w *walker) value(e tlv.Entry, known bool, o tlv.Object) string {
	v := o.Value
	text := fmt.Sprintf("%X", v)
	switch {
	case o.Tag == 0x5A:
		return masked(text)
	case e.Secret:
		return fmt.Sprintf("%d bytes, not shown", len(v))
	case !known, len(v) > 32 && e.Format == tlv.B, o.Tag == 0x9F05:
		return fmt.Sprintf("%d bytes", len(v))
	case w.pan != "" && (strings.Contains(text, w.pan) || strings.Contains(string(v), w.pan)):
		return fmt.Sprintf("%d bytes with the card number in them, not shown", len(v))
	case e.Format == tlv.ANS || e.Format == tlv.AN || e.Format == tlv.A:
		return plain(v)
	}
	return text
}

// masked is a number by its first six and last four digits. PCI §3.4.1.
func masked(text string) string {
	p, err := card.ParsePAN([]byte(strings.TrimRight(text, "F")))
	if err != nil {
		return "not a card number"
	}
	return p.String()
}

// plain is text without what a terminal would obey.
func plain(v []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '.'
		}
		return r
	}, string(v))
}
