package emv

import (
	"bytes"
	"slices"
	"strings"

	"swipewell/firmware/emv/tlv"
)

// Candidate is an application that card and terminal have in common. B1 §12.3.
type Candidate struct {
	AID       []byte // the card's DF name, maybe longer than the terminal's AID
	Label     []byte // Application Label 50
	Preferred []byte // Application Preferred Name 9F12, in the code table
	CodeTable byte   // Issuer Code Table Index 9F11, 0 if none
	Priority  byte   // 1 the highest to 15, 0 none. B1 §12.2.3, Table 48
	Confirm   bool   // not without the cardholder's word. B1 §12.2.3, Table 48, bit 8
	app       int    // index into Config.Apps
}

// hasCodeTable reads Additional Terminal Capabilities. B4 Annex A3, Table 32.
func hasCodeTable(add []byte, i byte) bool {
	switch {
	case len(add) != 5 || i == 0 || i > 10:
		return false
	case i <= 8:
		return add[addCodeTables]&(1<<(i-1)) != 0
	}
	return add[addCodeTables9]&(1<<(i-9)) != 0
}

// Name is what a cardholder reads: the preferred name if the terminal has its
// code table, else the label, else the AID; add is tag 9F40. Control characters
// are dropped. B1 §12.4.
func (c Candidate) Name(add []byte) string {
	if len(c.Preferred) > 0 && hasCodeTable(add, c.CodeTable) {
		if s := strings.TrimSpace(decode(c.Preferred, c.CodeTable)); s != "" {
			return s
		}
	}
	if s := strings.TrimSpace(decode(c.Label, 1)); s != "" {
		return s
	}
	return strings.ToUpper(tlvHex(c.AID))
}

func tlvHex(b []byte) string {
	const d = "0123456789ABCDEF"
	var s strings.Builder
	for _, c := range b {
		s.WriteByte(d[c>>4])
		s.WriteByte(d[c&15])
	}
	return s.String()
}

// candidate reads what a directory entry or the FCI says of an application.
// B1 §12.2.3, §11.3.4: labels and priority lie beside each other in both.
func candidate(name, props []byte) Candidate {
	c := Candidate{AID: bytes.Clone(name)}
	for t, dst := range map[tlv.Tag]*[]byte{0x50: &c.Label, 0x9F12: &c.Preferred} {
		if v, ok := tlv.Find(props, t); ok && len(v) <= 16 {
			*dst = bytes.Clone(v)
		}
	}
	if v, ok := tlv.Find(props, 0x9F11); ok && len(v) == 1 {
		c.CodeTable = v[0]
	}
	if v, ok := tlv.Find(props, 0x87); ok && len(v) == 1 {
		c.Priority, c.Confirm = v[0]&15, v[0]&0x80 != 0
	}
	return c
}

// match finds the terminal's application for a DF name: the longest AID that it
// equals, or begins with if partial selection is allowed. B1 §12.3.1.
func (n *session) match(name []byte) (int, bool) {
	best, size := -1, 0
	for i, a := range n.cfg.Apps {
		if len(a.AID) > size && bytes.HasPrefix(name, a.AID) && (a.Partial || len(name) == len(a.AID)) {
			best, size = i, len(a.AID)
		}
	}
	return best, best >= 0
}

// add puts an application on the candidate list, once.
func (n *session) add(c Candidate) {
	i, ok := n.match(c.AID)
	if !ok || len(c.AID) > 16 || slices.ContainsFunc(n.candidates, func(o Candidate) bool { return bytes.Equal(o.AID, c.AID) }) {
		return
	}
	c.app = i
	n.candidates = grow(n.candidates, c)
}

// order sorts by priority, those without one last, and keeps the card's order
// among equals. B1 §12.4.
func (n *session) order() {
	n.candidates = slices.Clone(n.candidates)
	slices.SortStableFunc(n.candidates, func(a, b Candidate) int { return int(a.Priority+15)%16 - int(b.Priority+15)%16 })
}

// drop takes the application that could not be used off the list. B1 §12.4.
func (n *session) drop() {
	n.candidates = slices.DeleteFunc(slices.Clone(n.candidates), func(c Candidate) bool { return bytes.Equal(c.AID, n.trying.AID) })
	n.again = true
}
