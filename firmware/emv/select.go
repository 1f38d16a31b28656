package emv

import (
	"bytes"

	"swipewell/firmware/emv/tlv"
)

// pse is the name of the payment system environment. B1 §12.2.2.
const pse = "1PAY.SYS.DDF01"

// Limits of selection. B1 §12.2.3 lets a directory have 10 entries or so; a card
// that never ends its directory, or its list of partial matches, is cut here.
const (
	maxDirectory  = 32
	maxCandidates = 40
)

// Statuses that selection tells apart. B1 §11.3.5, §12.3.
const (
	swOK          = 0x9000
	swInvalidated = 0x6283 // file invalidated: application blocked
	swNotSupport  = 0x6A81 // function not supported: card blocked, or no SELECT
	swNoRecord    = 0x6A83
	swConditions  = 0x6985
	swAuthBlocked = 0x6983
	swDataInvalid = 0x6984
)

// selectPSE begins. B1 §12.3.2, step 1.
func (n *session) selectPSE() Output { return n.send(atPSE, apduSelect([]byte(pse), false)) }

// gotPSE: 6A81 ends the session; an FCI with a usable SFI opens the directory;
// everything else leads to the list of AIDs. B1 §12.3.2, steps 1 and 2.
func (n *session) gotPSE(r Response) Output {
	if r.SW == swNotSupport {
		return n.stop(CardBlocked)
	}
	if r.SW != swOK {
		return n.listAIDs()
	}
	name, props, ok := readFCI(r.Data)
	sfi, found := tlv.Find(props, 0x88)
	if !ok || string(name) != pse || !found || len(sfi) != 1 || sfi[0] < 1 || sfi[0] > 10 {
		return n.listAIDs()
	}
	n.keepLanguage(props)
	n.pseSFI, n.pseRecord = sfi[0], 1
	return n.send(atPSERecord, apduReadRecord(n.pseSFI, n.pseRecord))
}

// readFCI takes a SELECT answer apart: DF name and proprietary template. B1 §11.3.4.
func readFCI(b []byte) (name, props []byte, ok bool) {
	fci, ok := tlv.Only(b, 0x6F)
	if !ok {
		return nil, nil, false
	}
	name, ok = tlv.Find(fci, 0x84)
	if !ok || len(name) < 5 || len(name) > 16 {
		return nil, nil, false
	}
	props, ok = tlv.Find(fci, 0xA5)
	if _, err := tlv.Parse(props); err != nil {
		return nil, nil, false
	}
	return name, props, ok
}

// gotPSERecord reads one record of the directory until 6A83. A record or a status
// that is wrong makes the terminal leave the PSE. B1 §12.3.2, steps 3 to 5.
func (n *session) gotPSERecord(r Response) Output {
	if r.SW == swNoRecord {
		return n.directoryRead()
	}
	body, ok := tlv.Only(r.Data, 0x70)
	if r.SW != swOK || !ok {
		n.candidates = nil
		return n.listAIDs()
	}
	entries, err := tlv.Parse(body)
	if err != nil {
		n.candidates = nil
		return n.listAIDs()
	}
	for _, e := range entries {
		if e.Tag != 0x61 {
			continue
		}
		if name, ok := tlv.Find(e.Value, 0x4F); ok && len(n.candidates) < maxCandidates {
			n.add(candidate(name, e.Value))
		}
	}
	if n.pseRecord == maxDirectory {
		return n.directoryRead()
	}
	n.pseRecord++
	return n.send(atPSERecord, apduReadRecord(n.pseSFI, n.pseRecord))
}

func (n *session) directoryRead() Output {
	if len(n.candidates) == 0 {
		return n.listAIDs() // B1 §12.3.2, step 5: nothing in common
	}
	return n.choose()
}

// listAIDs tries each AID of the terminal. B1 §12.3.3, step 1.
func (n *session) listAIDs() Output {
	n.wanted, n.next = 0, false
	return n.tryAID()
}

func (n *session) tryAID() Output {
	if n.wanted == len(n.cfg.Apps) || len(n.candidates) >= maxCandidates {
		return n.choose()
	}
	return n.send(atAID, apduSelect(n.cfg.Apps[n.wanted].AID, n.next))
}

func (n *session) nextAID() Output {
	n.wanted, n.next = n.wanted+1, false
	return n.tryAID()
}

// gotAID: B1 §12.3.3, steps 2 to 5. An application that is blocked (6283) is not
// listed; after a partial match the card is asked for its next occurrence.
func (n *session) gotAID(r Response) Output {
	if r.SW == swNotSupport && !n.next {
		return n.stop(CardBlocked)
	}
	sw1 := r.SW >> 8
	if r.SW != swOK && r.SW != swInvalidated && (!n.next || sw1 != 0x62 && sw1 != 0x63) {
		return n.nextAID()
	}
	want := n.cfg.Apps[n.wanted]
	name, props, ok := readFCI(r.Data)
	if !ok || !bytes.HasPrefix(name, want.AID) {
		return n.nextAID() // a bad FCI is not a candidate
	}
	if len(name) == len(want.AID) {
		if r.SW == swOK {
			n.add(candidate(name, props))
		}
		return n.nextAID()
	}
	if !want.Partial {
		return n.nextAID()
	}
	if r.SW == swOK {
		n.add(candidate(name, props))
	}
	n.next = true
	return n.tryAID()
}

// choose picks the application, or asks. B1 §12.4.
func (n *session) choose() Output {
	n.order()
	if !n.cfg.CanChoose {
		for _, c := range n.candidates {
			if !c.Confirm {
				return n.selectApp(c)
			}
		}
		return n.stop(NoApplication)
	}
	switch {
	case len(n.candidates) == 0:
		return n.stop(NoApplication)
	case len(n.candidates) == 1 && !n.candidates[0].Confirm:
		return n.selectApp(n.candidates[0])
	}
	n.at = atChoice
	return AskChoice{Candidates: State{n}.Candidates(), Confirm: len(n.candidates) == 1, Again: n.again}
}

func (n *session) chose(c Choice) Output {
	if c.Index < 0 || c.Index >= len(n.candidates) {
		return n.stop(Cancelled)
	}
	return n.selectApp(n.candidates[c.Index])
}

// selectApp: the final SELECT, by the card's own DF name. B1 §12.4.
func (n *session) selectApp(c Candidate) Output {
	n.trying, n.app = c, c.app
	return n.send(atFinalSelect, apduSelect(c.AID, false))
}

// gotFinalSelect: an application that does not answer as it was listed is dropped
// and the choice is made again. B1 §12.4.
func (n *session) gotFinalSelect(r Response) Output {
	if r.SW == swNotSupport {
		return n.stop(CardBlocked)
	}
	name, props, ok := readFCI(r.Data)
	if r.SW != swOK || !ok || !bytes.Equal(name, n.trying.AID) {
		n.drop()
		return n.choose()
	}
	n.selected = true
	lang, hasLang := n.card.get(0x5F2D)
	n.card = list{}
	if hasLang {
		n.card.put(0x5F2D, lang)
	}
	n.card.put(0x84, bytes.Clone(name))
	objects, _ := tlv.Parse(props)
	for _, o := range objects {
		switch o.Tag {
		case 0x50, 0x87, 0x9F11, 0x9F12, 0x5F2D, 0x9F38, 0xBF0C:
			n.card.put(o.Tag, bytes.Clone(o.Value))
		}
	}
	if inner, ok := n.card.get(0xBF0C); ok {
		if v, ok := tlv.Find(inner, 0x9F4D); ok {
			n.card.put(0x9F4D, bytes.Clone(v))
		}
	}
	return n.initiate()
}

// keepLanguage takes the card's languages from the PSE; an application's own
// replace them. B1 §12.2.4.
func (n *session) keepLanguage(props []byte) {
	if v, ok := tlv.Find(props, 0x5F2D); ok {
		n.card.put(0x5F2D, bytes.Clone(v))
	}
}
