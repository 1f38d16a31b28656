package terminal

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"swipewell/firmware/card"
	"swipewell/firmware/diagnose"
	"swipewell/firmware/emv"
	"swipewell/firmware/emv/tlv"
	"swipewell/firmware/journal"
	"swipewell/firmware/keys"
	"swipewell/firmware/pos"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// slot is the card in the slot and the session of the kernel with it. The kernel
// runs in the loop; what blocks, a command at the card, runs beside it.
type slot struct {
	run   int  // which session: what an older one says counts no more
	live  bool // a session is under way
	shown bool // the card has been presented to the rules
	full  bool // with cryptograms; else it is only read
	ends  bool // the payment is decided: the card only hears of it
	gone  bool // pulled while the host was asked: it is told of nothing any more
	atIt  bool // a command is at the card
	ref   pos.CardRef
	state emv.State
	want  emv.Output // what the kernel waits for, when that is not the card
	reply []byte     // DE 55 of the host's answer
	began time.Duration
	stop  context.CancelFunc
}

// maxRAPDU is the most that a card answers: 256 bytes and the status. B3 §6.3.3. A
// buffer of that size does not grow, and so leaves no copy behind.
const maxRAPDU = 258

// Insert takes the end of an attempt to reset a card in the slot: nil, or why it
// gave no answer. What a chip has to say beyond its reset is the kernel's matter.
func (t *Terminal) Insert(err error) bool { return t.post(func() { t.wasReset(err) }) }

// wasReset notes how a reset ended; false if there is no card to go on with. A card
// that was pulled at once and a reader that does not work say nothing of the chip.
func (t *Terminal) wasReset(err error) bool {
	o := diagnose.Obs{Kind: diagnose.Insert}
	if err == nil {
		t.see(o)
		return true
	}
	code, cause := prompt.ChipSilent, hal.ChipUnknown
	var ce *hal.ChipError
	if errors.As(err, &ce) {
		cause = ce.Cause
	}
	switch cause {
	case hal.ChipRemoved:
		code = prompt.CardRemoved
	case hal.ChipDevice:
		code = prompt.ChipDevice
	case hal.ChipProtocol, hal.ChipParity, hal.ChipRefused:
		o.Code = 2
		t.see(o)
	default:
		o.Code = 1
		t.see(o)
	}
	t.o.Journal.Record(journal.Event{Code: code, Source: "icc", Fields: []journal.Field{journal.Word("cause", cause.String()), journal.Err(err)}})
	t.handle(txn.Event{Kind: txn.Unreadable, HasChip: true, Code: code})
	return false
}

// readChips watches the slot, if one is fitted. In training no chip is read: the
// lesson's bank has no issuer.
func (t *Terminal) readChips() {
	if t.board.Chip == nil || t.o.Train {
		return
	}
	t.device("icc", func(ctx context.Context) error {
		if err := t.board.Chip.WaitCard(ctx, true); err != nil {
			return err
		}
		t.CardIn(true)
		err := t.board.Chip.WaitCard(ctx, false)
		t.CardIn(false)
		return err
	})
}

// CardIn tells that the slot has been filled, or is empty again.
func (t *Terminal) CardIn(in bool) bool {
	if in {
		return t.post(func() { t.handle(txn.Event{Kind: txn.Inserted}) })
	}
	return t.post(t.pulled)
}

// pulled: the slot is empty.
func (t *Terminal) pulled() {
	s := &t.slot
	if s.live && !s.atIt {
		if _, asked := s.want.(emv.AskOnline); asked {
			s.gone = true // the host's word comes first, then the card's absence
			t.contactsOff()
		} else if s.shown || s.want != nil {
			defer t.step(emv.Lost{})
		}
	}
	t.handle(txn.Event{Kind: txn.Removed})
}

// startChip resets the card and begins.
func (t *Terminal) startChip(x txn.StartChip) {
	t.endChip()
	s := &t.slot
	cfg, why := t.emvConfig()
	if why == "" && t.board.Chip == nil {
		why = prompt.ChipDevice
	}
	if why != "" {
		t.post(func() {
			t.handle(txn.Event{Kind: txn.ChipSaid, Chip: txn.Says{What: txn.ChipEnd, Why: why, Unread: true}})
		})
		return
	}
	*s = slot{run: s.run + 1, live: true, full: x.Full, began: t.clock.Now().Boot}
	run, tx := s.run, t.transaction(x)
	t.beside(func(ctx context.Context) func() {
		reset, err := t.board.Chip.PowerUp(ctx)
		return func() {
			if run != s.run {
				return
			}
			if !t.wasReset(err) {
				t.endChip()
				return
			}
			t.o.Journal.Record(journal.Event{Code: prompt.LogChip, Source: "icc", Fields: []journal.Field{journal.Word("what", "reset"), journal.Count("t", reset.Protocol), journal.Flag("warm", reset.Warm)}})
			st, out, err := emv.Begin(cfg, tx)
			if err != nil { // the terminal's own data: no card can mend it
				t.o.Log.Error("emv", "err", err)
				t.endChip()
				t.handle(txn.Event{Kind: txn.ChipSaid, Chip: txn.Says{What: txn.ChipEnd, Why: prompt.ChipNoTables, Unread: true}})
				return
			}
			s.state = st
			t.kernel(out)
		}
	})
}

// beside runs what blocks at the card; what it returns runs in the loop. The device
// counts as busy meanwhile: time on the bench waits for it.
func (t *Terminal) beside(f func(ctx context.Context) func()) {
	s := &t.slot
	ctx, stop := context.WithCancel(t.ctx)
	s.atIt, s.stop = true, stop
	run := s.run
	t.busy.Add(1)
	t.o.Spawn(func() {
		defer t.busy.Add(-1)
		then := f(ctx)
		t.post(func() {
			stop()
			if run == s.run {
				s.atIt = false
			}
			then()
		})
	})
}

// step hands the kernel what it has waited for.
func (t *Terminal) step(in emv.Input) {
	s := &t.slot
	if !s.live {
		return
	}
	var out emv.Output
	s.want = nil
	s.state, out = emv.Step(s.state, in)
	t.kernel(out)
}

// kernel does what it wants next.
func (t *Terminal) kernel(out emv.Output) {
	s := &t.slot
	if o, over := out.(emv.Outcome); over {
		t.chipOver(o)
		return
	}
	if !s.shown && s.state.Identified() {
		s.shown, s.want = true, out
		t.identified()
		return
	}
	switch out := out.(type) {
	case emv.Command:
		t.command(hal.NewSecret(out.APDU))
	case emv.Verify:
		apdu, err := keys.CardPIN{Header: out.Header, Modulus: out.Modulus, Exponent: out.Exponent, Challenge: out.Challenge}.Command(t.pin.digits, rand.Reader)
		t.forgetPIN()
		if err != nil {
			t.o.Log.Error("emv: pin", "err", err)
			t.step(emv.Cancel{})
			return
		}
		t.command(apdu)
	case emv.AskFacts:
		t.step(t.cardFacts())
	default:
		s.want = out
		t.ask(out)
	}
}

// ask turns a question of the kernel into an event.
func (t *Terminal) ask(out emv.Output) {
	s := &t.slot
	switch out := out.(type) {
	case emv.AskChoice:
		t.handle(txn.Event{Kind: txn.ChipSaid, Chip: txn.Says{What: txn.ChipChoose, N: len(out.Candidates), Again: out.Again}})
	case emv.AskPIN:
		t.handle(txn.Event{Kind: txn.ChipSaid, Chip: txn.Says{What: txn.ChipPIN, N: out.Left, Again: out.Bad, Online: out.Kind == emv.OnlinePIN}})
	case emv.AskOnline:
		c := t.chipData(iccReversal)
		t.handle(txn.Event{Kind: txn.ChipSaid, Card: s.ref, Chip: txn.Says{What: txn.ChipOnline, Chip: c}})
	}
}

// command sends one APDU; it is wiped once the card has it.
func (t *Terminal) command(apdu *hal.Secret) {
	s := &t.slot
	if s.gone {
		apdu.Wipe()
		t.step(emv.Lost{})
		return
	}
	run := s.run
	t.beside(func(ctx context.Context) func() {
		var r []byte
		var err error
		apdu.Use(func(b []byte) { r, err = t.board.Chip.Transmit(ctx, make([]byte, 0, maxRAPDU), b) })
		apdu.Wipe()
		return func() {
			if run != s.run {
				return
			}
			if err != nil {
				var ce *hal.ChipError
				cause := hal.ChipUnknown
				if errors.As(err, &ce) {
					cause = ce.Cause
				}
				if cause == hal.ChipProtocol || cause == hal.ChipParity || cause == hal.ChipMute {
					t.see(diagnose.Obs{Kind: diagnose.Insert, Code: 2})
				}
				t.o.Journal.Record(journal.Event{Code: prompt.LogChip, Source: "icc", Fields: []journal.Field{journal.Word("what", "lost"), journal.Word("cause", cause.String()), journal.Err(err)}})
				t.step(emv.Lost{})
				return
			}
			t.step(emv.ParseResponse(r))
			clear(r) // the kernel has its own
			hal.Scrub()
		}
	})
}

// identified puts the card into the vault and before the rules.
func (t *Terminal) identified() {
	s := &t.slot
	pan, ok := s.state.PAN()
	if !ok || !pan.LuhnOK() {
		t.step(emv.Cancel{})
		return
	}
	d := card.Data{PAN: pan}
	if v, ok := s.state.Get(0x5F24); ok && len(v) == 3 {
		d.Expiry, _ = card.ParseExpiry(hex.EncodeToString(v[:2]))
	}
	if v, ok := s.state.Get(0x57); ok {
		raw := hal.NewSecret(track2Text(v))
		if t2, err := card.ParseTrack2(raw); err == nil && t2.PAN == pan {
			d.Track2 = t2
		} else {
			raw.Wipe()
		}
	}
	ref, err := cardRef(t.board.Keys, t.generation, pan)
	if err == nil {
		err = t.nameCard(ref, pan)
	}
	if err != nil {
		d.Track2.Wipe()
		t.endChip()
		t.handle(txn.Event{Kind: txn.Faulted, Code: prompt.KeyNoMaster})
		return
	}
	s.ref = ref
	t.vault.Put(ref, d)
	t.handle(txn.Event{Kind: txn.Presented, Card: ref, Masked: pan.Masked(), Entry: pos.EntryChip})
	if s.live && !s.full { // of this kind the card is only read
		t.endChip()
	}
}

// chipOver is the outcome. The contacts are dead before anybody is told.
func (t *Terminal) chipOver(o emv.Outcome) {
	s := &t.slot
	st, ends := s.state, s.ends
	x := txn.Says{What: txn.ChipEnd, How: hows[o.Kind], Why: t.chipWhy(o), Unread: o.ReadFailure, Chip: t.chipData(iccRequest)}
	x.Chip.AuthFailed, x.Chip.Sign = st.TVR().Has(emv.IssuerAuthFailed), o.Signature
	if o.Kind == emv.UnknownFate {
		x.How = txn.ChipRefused
	}
	if len(o.Scripts) > 0 {
		x.Scripts = t.chipData(iccScript).ICC
	}
	t.o.Journal.Record(journal.Event{Code: prompt.LogChip, Source: "emv", Tx: t.trace.tx, Fields: []journal.Field{
		journal.Word("what", o.Kind.String()), journal.Word("cause", o.Cause.String()), journal.Word("tvr", fmt.Sprintf("%X", st.TVR())),
		journal.Word("tsi", fmt.Sprintf("%X", st.TSI())), journal.Word("aid", x.Chip.AID), journal.Count("apdus", o.APDUs), journal.Count("scripts", len(o.Scripts)),
		journal.Duration("took", t.clock.Now().Boot-s.began)}})
	t.endChip()
	t.handle(txn.Event{Kind: txn.ChipSaid, Card: s.ref, Chip: x})
	if ends && t.state.Card != s.ref {
		t.vault.Drop(s.ref)
		t.forgetScopes()
		if t.o.Sweep != nil {
			t.o.Sweep()
		}
	}
}

// goChip and the like let the kernel go on behind a step of the form.
func (t *Terminal) goChip() {
	s := &t.slot
	if !s.live {
		t.noChip()
		return
	}
	if s.want == nil || s.atIt {
		return
	}
	out := s.want
	s.want = nil
	run := s.run
	t.post(func() {
		if run == s.run && s.live {
			t.kernel(out)
		}
	})
}

// noChip ends what waits for a session that is no more: its card was pulled while
// nobody was asked.
func (t *Terminal) noChip() {
	run := t.slot.run
	t.post(func() {
		if run == t.slot.run {
			t.handle(txn.Event{Kind: txn.ChipSaid, Card: t.slot.ref, Chip: txn.Says{What: txn.ChipEnd, Why: prompt.CardRemoved}})
		}
	})
}

func (t *Terminal) answerChip(in emv.Input) {
	if !t.slot.live {
		t.noChip()
		return
	}
	run := t.slot.run
	t.post(func() {
		if run == t.slot.run {
			t.step(in)
		}
	})
}

var pinResults = map[txn.PINOutcome]emv.PINResult{txn.PINEntered: emv.PINEntered, txn.PINBypassed: emv.PINBypassed, txn.PINTimedOut: emv.PINTimeout}

// giveChip tells what came of a PIN.
func (t *Terminal) giveChip(x txn.GiveChip) {
	r, ok := pinResults[x.PIN]
	if !ok {
		r = emv.PINBroken
	}
	if r != emv.PINEntered {
		t.forgetPIN()
	}
	t.answerChip(emv.PIN{Result: r, Handle: uint64(t.pin.n)})
}

// tellChip hands it the host's word.
func (t *Terminal) tellChip(x txn.TellChip) {
	s := &t.slot
	s.ends = s.live && x.After
	h := emv.Host{Reach: emv.NoAnswer, Approved: x.Approved}
	switch {
	case x.Reach == txn.Answered:
		h.Reach = emv.Answered
		copy(h.ARC[:], x.RC)
		objects, err := tlv.Parse(s.reply)
		if err != nil { // the host's fault: no script of it runs, and the card is not told who spoke
			objects = nil
			t.o.Journal.Record(journal.Event{Code: prompt.LogBadAnswer, Source: "emv", Fields: []journal.Field{journal.Word("what", "DE 55"), journal.Err(err)}})
		}
		for _, o := range objects {
			switch o.Tag {
			case 0x91:
				h.AuthData = o.Value
			case 0x71, 0x72:
				h.Scripts = append(h.Scripts, tlv.Append(nil, o.Tag, o.Value))
			}
		}
	case x.Reach == txn.NotSent && !x.After && !x.Never:
		h.Reach = emv.NeverSent
	}
	t.answerChip(h)
}

// forgetChip ends a session whose form has ended, unless the card is still being
// told; it says which card that session still needs, if any.
func (t *Terminal) forgetChip(x txn.ForgetCard) pos.CardRef {
	s := &t.slot
	switch {
	case !s.live:
	case s.ends && x.Except.IsZero(), x.KeepChip:
		return s.ref
	default:
		t.endChip()
	}
	return pos.CardRef{}
}

// endChip ends the session: what is under way is given up, and the contacts go
// dead.
func (t *Terminal) endChip() {
	s := &t.slot
	if !s.live {
		return
	}
	if s.stop != nil {
		s.stop()
	}
	s.state.Wipe()
	clear(s.reply)
	*s = slot{run: s.run + 1, ref: s.ref}
	t.contactsOff()
}

// contactsOff makes the contacts dead.
func (t *Terminal) contactsOff() {
	t.busy.Add(1)
	t.o.Spawn(func() {
		defer t.busy.Add(-1)
		if err := t.board.Chip.PowerDown(); err != nil {
			t.o.Log.Warn("icc", "err", err)
		}
	})
}
