package terminal

import (
	"errors"

	"swipewell/firmware/card"
	"swipewell/firmware/diagnose"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// swiped turns a pass of a card into an event. Card data goes into the vault
// and no further; the reducer sees a CardRef and a masked number.
func (t *Terminal) swiped(s hal.Swipe) {
	if t.token(s) {
		return
	}
	defer func() {
		s.Tracks[0].Data.Wipe()
		s.Tracks[2].Data.Wipe()
		if t.o.Sweep != nil {
			t.o.Sweep()
		}
	}()
	t.o.Journal.Record(journal.Event{Code: prompt.LogSwipe, Source: "msr", Fields: []journal.Field{
		journal.Word("t1", s.Tracks[0].Fault.String()), journal.Word("t2", s.Tracks[1].Fault.String()), journal.Word("t3", s.Tracks[2].Fault.String())}})
	t.sawPass(s)
	if !s.Readable() {
		t.handle(txn.Event{Kind: txn.Unreadable, Code: faultCode(s)})
		return
	}
	t2, err := card.ParseTrack2(s.Tracks[1].Data)
	if err != nil {
		s.Tracks[1].Data.Wipe()
		code := prompt.CardForm
		if errors.Is(err, card.ErrPANLength) {
			code = prompt.CardNumber
		}
		t.handle(txn.Event{Kind: txn.Unreadable, Code: code})
		return
	}
	if !t2.PAN.LuhnOK() {
		t2.Wipe()
		t.handle(txn.Event{Kind: txn.Unreadable, Code: prompt.CardNumber})
		return
	}
	if t.o.Train {
		if t2, err = t.disguise(t2); err != nil {
			t.handle(txn.Event{Kind: txn.Unreadable, Code: prompt.CardForm})
			return
		}
	}
	ref, err := cardRef(t.board.Keys, t.generation, t2.PAN)
	if err != nil {
		t2.Wipe()
		t.handle(txn.Event{Kind: txn.Faulted, Code: prompt.KeyNoMaster})
		return
	}
	if err := t.nameCard(ref, t2.PAN); err != nil {
		t2.Wipe()
		t.handle(txn.Event{Kind: txn.Faulted, Code: prompt.KeyNoMaster})
		return
	}
	t.vault.Put(ref, card.Data{PAN: t2.PAN, Expiry: t2.Expiry, Track2: t2})
	if t2.Service.Chip() && t.state.WantsChip() {
		t.see(diagnose.Obs{Kind: diagnose.Misuse, Code: 1})
	}
	t.handle(txn.Event{Kind: txn.Presented, Card: ref, Masked: t2.PAN.Masked(), Entry: pos.EntrySwipe, MustPIN: t2.Service.PINRequired(), HasChip: t2.Service.Chip()})
}

// faultCode is what to tell about a pass that could not be read, by track 2,
// the one that counts.
func faultCode(s hal.Swipe) prompt.Code {
	switch s.Tracks[1].Fault {
	case hal.FaultParity:
		return prompt.CardParity
	case hal.FaultLRC:
		return prompt.CardLRC
	case hal.FaultNoStart:
		return prompt.CardNoStart
	case hal.FaultNoEnd:
		return prompt.CardNoEnd
	case hal.FaultShort:
		return prompt.CardShort
	case hal.FaultForm:
		return prompt.CardForm
	case hal.TrackAbsent:
		return prompt.CardBlank
	}
	return prompt.CardUnreadable
}

// Gated tells whether a payment of that card is open; only for who drives the
// terminal by Turn.
func (t *Terminal) Gated(ref pos.CardRef) bool { return t.box.Gated(ref) }
