package terminal

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	"time"

	"swipewell/firmware/card"
	"swipewell/firmware/care"
	"swipewell/firmware/emv"
	"swipewell/firmware/hostlink"
	"swipewell/firmware/journal"
	"swipewell/firmware/keys"
	"swipewell/firmware/outbox"
	"swipewell/firmware/pos"
	"swipewell/firmware/store"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

func random() uint32 {
	var b [4]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint32(b[:])
}

// sealer gives the store the sealed PAN and expiry of a card in the vault.
type sealer struct{ t *Terminal }

func (s sealer) Seal(ref pos.CardRef, aad []byte) ([]byte, error) {
	d, ok := s.t.vault.Get(ref)
	if !ok {
		return nil, errors.New("terminal: no such card in the vault")
	}
	return keys.SealCard(s.t.board.Keys, d.PAN, d.Expiry, aad)
}

// Image seals a record for the acquirer; nil if the board names no key for it.
func (s sealer) Image(r pos.Record, aad []byte) ([]byte, error) {
	if s.t.o.Recovery == nil {
		return nil, nil
	}
	d, ok := s.t.vault.Get(r.Card)
	if !ok {
		return nil, errors.New("terminal: no such card in the vault")
	}
	return imageOf(s.t.o.Recovery, r, d.PAN, d.Expiry, aad)
}

// run carries out one effect; what it starts ends as a new event.
func (t *Terminal) run(x txn.Effect) {
	switch x := x.(type) {
	case txn.SendSale:
		t.sendSale(x.Intent)
	case txn.SendRecord:
		t.sendRecord(x)
	case txn.SendSignOn:
		t.exchange(pos.RecordID{}, t.o.Line.SignOn(x.STAN), func(r hostlink.Reply) { t.signedOn(r) })
	case txn.SendAdmin:
		t.exchange(pos.RecordID{}, t.adminRequest(x), func(r hostlink.Reply) { t.handle(txn.Event{Kind: txn.AdminDone, Reply: t.reply(r)}) })
	case txn.SendSettle:
		t.sendSettle(x)
	case txn.SendTables:
		t.sendTables(x)
	case txn.SendLog:
		t.sendLog(x)
	case txn.StopLog:
		t.logSend.stop()
	case txn.MakeLog:
		t.orderedLog()
	case txn.DropLog:
		t.dropLog()
	case txn.PutTables:
		t.switched(x.Of)
	case txn.FindSale:
		t.find(x.ID)
	case txn.Wake:
		t.post(func() { t.handle(txn.Event{Kind: txn.OutboxDue}) })
	case txn.ReadPIN:
		t.readPIN(x)
	case txn.Print:
		t.print(x)
	case txn.PrintTotals:
		t.paper(pos.RecordID{}, t.totalsSlip(x.Settled, x.Again), nil)
	case txn.PrintTicket:
		t.paper(pos.RecordID{}, t.ticket(x.Record, x.Reason), nil)
	case txn.Arm:
		if t.stopOp != nil {
			t.stopOp()
		}
		t.stopOp = t.clock.AfterFunc(x.D, func() { t.post(func() { t.handle(txn.Event{Kind: txn.TimerExpired, N: x.ID}) }) })
	case txn.ForgetCard:
		t.forget(x)
	case txn.StartChip:
		t.startChip(x)
	case txn.PickApp:
		t.answerChip(emv.Choice{Index: x.Index})
	case txn.GoChip:
		t.goChip()
	case txn.GiveChip:
		t.giveChip(x)
	case txn.TellChip:
		t.tellChip(x)
	case txn.Sound:
		if t.board.Sounder != nil {
			t.board.Sounder.Sound(hal.Tone(x.Tone))
		}
	case txn.NoteEvent:
		t.noteSoft(x.Event)
	case txn.ReadNumber:
		t.hide(hidden{kind: hiddenNumber})
	case txn.ReadSecret:
		t.hide(hidden{kind: hiddenPIN, who: x.Who, boss: x.Boss, tech: x.Tech})
	case txn.ReadToken:
		t.hide(hidden{kind: hiddenToken, who: x.Who})
	case txn.ReadPart:
		t.readPart(x.Part)
	case txn.DropParts:
		t.dropParts()
	case txn.Vouch:
		t.seal(x.What, x.Text, x.By)
	case txn.StopReading:
		t.hidden.wipe()
	case txn.Decided:
		t.decided(x)
	case txn.PageKey:
		t.pageKey(x)
	case txn.Log:
		t.careLog(x)
		t.o.Journal.Record(journal.Event{Code: x.Code, Source: "txn", Tx: txID(x.ID), Fields: []journal.Field{
			journal.Amount("amount", x.Amount), journal.Card("card", x.Masked), journal.RC("rc", x.RC), journal.Code("why", x.Why), journal.Count("n", x.N), journal.Word("what", x.Text)}})
		if sum, ok := t.guard.logged[t.state.Durable.Open.Card]; ok && x.Code == prompt.LogIntent {
			t.nameForLog(txID(x.ID), sum)
		}
	}
}

// txID names a transaction in the log: context, batch and STAN.
func txID(id pos.RecordID) string {
	if id.STAN == 0 {
		return ""
	}
	return id.Context + "-" + id.Batch.String() + "-" + id.STAN.String()
}

func (t *Terminal) forget(x txn.ForgetCard) {
	t.vault.Keep(x.Except, t.forgetChip(x))
	t.forgetScopes()
	if t.o.Sweep != nil {
		defer t.o.Sweep()
	}
	if x.Except.IsZero() && !x.KeepChip {
		t.forgetPIN()
	}
}

// exchange sends a packed request beside the loop. A request that could not be
// packed never left. id is the transaction that it is of, zero for none.
func (t *Terminal) exchange(id pos.RecordID, req hostlink.Request, done func(hostlink.Reply)) {
	t.exchangeIn(t.ctx, id, req, done)
}

// exchangeIn ends with a context of its own.
func (t *Terminal) exchangeIn(ctx context.Context, id pos.RecordID, req hostlink.Request, done func(hostlink.Reply)) {
	req.Point = t.point
	began, told := t.clock.Now().Boot, false
	view := req.View() // the request is wiped once it has left
	left := req.Waiting
	req.Waiting = func() {
		if left != nil {
			left()
		}
		sent := t.clock.Now().Boot
		t.post(func() {
			told = true
			t.traceSent(id, view)
			t.care.stages.Add(care.StageDial, sent-began)
			t.senses.sent = sent
			t.handle(txn.Event{Kind: txn.Progress, Code: prompt.Waiting})
		})
	}
	t.o.Spawn(func() {
		r := t.o.Line.Exchange(ctx, req)
		t.post(func() {
			t.sawExchange(r)
			if !told && r.Kind == txn.NoAnswer { // it left in part
				t.traceSent(id, view)
			}
			t.traceEnd(id, r)
			done(r)
		})
	})
}

func (t *Terminal) sendSale(in txn.Intent) {
	d, ok := t.vault.Get(in.Card)
	var req hostlink.Request
	if !ok {
		req = hostlink.Unpackable(errors.New("terminal: the card is gone from the vault"))
	} else {
		x := hostlink.TxnData{Spec: txn.SpecOf(in.Kind), ID: in.ID, Amount: in.Amount, Entry: in.Entry, Orig: in.Orig, Card: d, PIN: t.pin.digits, Chip: in.Chip}
		if t.slot.live && in.Chip.ICC != "" { // the record has what a reversal needs; the request more
			x.Chip.ICC = t.chipData(iccRequest).ICC
		}
		req = t.o.Line.Financial(x)
	}
	t.forgetPIN()
	req.Timeout = t.state.Durable.Params.Answer
	t.exchange(in.ID, req, func(r hostlink.Reply) {
		t.slot.reply = r.Answer.ICC
		t.handle(txn.Event{Kind: txn.SaleDone, Reply: t.reply(r)})
	})
}

// sendRecord sends what the outbox picks; the card comes out of its seal for
// as long as it takes to pack the message.
func (t *Terminal) sendRecord(x txn.SendRecord) {
	rec, ok := t.box.Pick(outbox.Want{Now: t.now().Logical, Card: x.Card, Since: x.Since, Later: x.Later})
	if !ok {
		t.post(func() { t.handle(txn.Event{Kind: txn.RecordDone}) })
		return
	}
	key := store.RecordKey{Class: rec.Class, ID: rec.RecordID}
	req := t.recordRequest(rec, key)
	t.exchange(rec.RecordID, req, func(r hostlink.Reply) {
		e := txn.Event{Kind: txn.RecordDone, Record: rec, Reply: t.reply(r)}
		if now, ok := t.box.Get(outbox.Key(key)); !ok || now.State != pos.RecordQueued {
			// A supervisor has decided meanwhile: the answer changes nothing.
			t.o.Journal.Record(journal.Event{Code: prompt.LogLateAnswer, Source: "txn", Tx: txID(rec.RecordID), Fields: []journal.Field{journal.RC("rc", r.Answer.RC)}})
			e.Record = pos.Record{}
		}
		t.handle(e)
		if t.state.Card != rec.Card {
			t.vault.Drop(rec.Card)
		}
	})
	t.point("outbox-try")
}

// recordRequest packs a record.
func (t *Terminal) recordRequest(rec pos.Record, key store.RecordKey) hostlink.Request {
	if rec.Class == pos.ClassUpload {
		return t.adminRequest(txn.SendAdmin{Kind: txn.AdminStatus}) // how the device is now
	}
	sealed, err := t.o.Store.Sealed(key)
	if err != nil {
		return hostlink.Unpackable(err)
	}
	pan, exp, err := keys.OpenCard(t.board.Keys, sealed, t.o.Store.AAD(rec.Class, rec.RecordID))
	if err != nil {
		return hostlink.Unpackable(err)
	}
	// A refund whose answer was lost may be booked by this try: its row wants
	// the card's seal.
	t.vault.Put(rec.Card, t.vault.Or(rec.Card, card.Data{PAN: pan, Expiry: exp}))
	return t.o.Line.Record(rec, pan, exp)
}

// signedOn takes the session keys of a good 0810 before the reducer hears of it.
func (t *Terminal) signedOn(r hostlink.Reply) {
	e := txn.Event{Kind: txn.SignOnDone, Reply: t.reply(r)}
	if r.Kind == txn.Answered && r.Answer.RC == "00" {
		in, err := keys.LoadSession(t.board.Keys, t.o.Host.KeyForm, r.Answer.Keys)
		if err == nil {
			err = in.Why
		}
		if e.Reply.KeysOK = err == nil; err != nil {
			e.Reply.KeysWhy = keysCode(in.Kind)
			t.o.Journal.Record(journal.Event{Code: prompt.KeyCheck, Level: slog.LevelError, Source: "keys",
				Fields: []journal.Field{journal.Word("keys", in.Kind.String()), journal.Word("slot", string(in.Slot)), journal.Err(err)}})
		}
	}
	t.handle(e)
}

// keysCode is what to say of the keys of a sign-on that were not taken.
func keysCode(k keys.LoadKind) prompt.Code {
	switch k {
	case keys.KeysMalformed, keys.KeysWeak:
		return prompt.KeyBlockBad
	case keys.KeysNoMaster:
		return prompt.KeyNoMaster
	case keys.KeysTaken: // the device itself could not keep them
		return prompt.StoreFault
	}
	return prompt.KeyCheck
}

// reply is the end of an exchange as the reducer may see it.
func (t *Terminal) reply(r hostlink.Reply) txn.Reply {
	a := r.Answer
	wall := t.setWall(r)
	return txn.Reply{
		Wall: wall,
		Kind: r.Kind, Code: r.Code, Broken: r.Broken, RC: a.RC, MAC: a.MAC, Amount: a.Amount, RRN: a.RRN, Auth: a.Auth,
		HostTime: a.HostTime, Issuer: a.Issuer, Org: a.Org, Host: a.Text, Order: a.Order, Batch: a.Batch,
		LeftBy: t.base + r.LeftBy - t.start.Boot, Balance: a.Balance, HasBal: a.HasBal, Code48: a.Code48, Totals: a.Totals, Params: a.Params,
	}
}

func (t *Terminal) print(x txn.Print) {
	row, err := t.o.Store.Sale(x.ID)
	t.paper(x.ID, t.slip(row, x.Copy, x.Again), err)
}

// paper prints a slip beside the loop; err is why there is none.
func (t *Terminal) paper(id pos.RecordID, slip hal.Slip, err error) {
	if t.board.Printer == nil {
		return
	}
	began := t.clock.Now().Boot
	t.o.Spawn(func() {
		if err == nil {
			err = t.board.Printer.Print(t.ctx, slip)
		}
		t.post(func() {
			e := txn.Event{Kind: txn.PrintDone, ID: id}
			if err == nil {
				took := t.clock.Now().Boot - began
				t.care.stages.Add(care.StagePrint, took)
				t.o.Journal.Record(journal.Event{Code: prompt.LogPath, Source: "printer", Tx: txID(id), Fields: []journal.Field{journal.Duration("print", took)}})
			}
			t.worn(func(w *care.Wear) { w.Slips++ })
			t.noPaper = printerCode(err) == prompt.PaperOut
			if err != nil {
				e.Code = printerCode(err)
				t.o.Journal.Record(journal.Event{Code: e.Code, Level: slog.LevelWarn, Source: "printer", Tx: txID(id), Fields: []journal.Field{journal.Err(err)}})
			}
			t.handle(e)
		})
	})
}

func printerCode(err error) prompt.Code {
	var pe *hal.PrinterError
	if errors.As(err, &pe) {
		switch pe.Cause {
		case hal.PaperOut:
			return prompt.PaperOut
		case hal.CoverOpen:
			return prompt.PrinterCover
		case hal.PrinterHot:
			return prompt.PrinterHot
		}
	}
	return prompt.PrinterFault
}

// device runs a reader until ctx ends; a device that fails is tried again.
func (t *Terminal) device(name string, read func(ctx context.Context) error) {
	go func() {
		for t.ctx.Err() == nil {
			if err := read(t.ctx); err != nil && t.ctx.Err() == nil {
				t.o.Journal.Record(journal.Event{Code: prompt.BoardDevice, Level: slog.LevelWarn, Source: name, Fields: []journal.Field{journal.Err(err)}})
				hal.Sleep(t.ctx, t.clock, 2*time.Second)
			}
		}
	}()
}

func (t *Terminal) readKeys() {
	if t.board.Keypad == nil {
		return
	}
	t.device("keypad", func(ctx context.Context) error {
		k, err := t.board.Keypad.ReadKey(ctx)
		if err == nil {
			t.Press(txn.Key(k.String()))
			t.post(func() { t.worn(func(w *care.Wear) { w.Keys++ }) })
		}
		return err
	})
}

func (t *Terminal) readCards() {
	if t.board.MSR == nil {
		return
	}
	t.device("msr", func(ctx context.Context) error {
		s, err := t.board.MSR.ReadSwipe(ctx)
		if err == nil && !t.Swipe(s) {
			s.Wipe()
		}
		return err
	})
}

// minute keeps the clock and the signal of the status bar true.
// Minute begins what happens each minute, for who drives a terminal without Run.
func (t *Terminal) Minute() { t.minute() }

func (t *Terminal) minute() {
	w := t.clock.Now().Wall
	t.clock.AfterFunc(w.Truncate(time.Minute).Add(time.Minute).Sub(w), func() {
		t.post(func() {
			t.sawRadio()
			t.careMinute()
			t.draw()
			t.minute()
		})
	})
}
