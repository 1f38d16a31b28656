package txn

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

const (
	iccAsked = "9F2608AA" // of the request
	iccLast  = "9F2608CC" // of the card's last word
	iccDone  = "DF310100" // results of scripts
)

// chipDesk is one at which the host has numbered the batch.
func chipDesk(t interface{ Fatalf(string, ...any) }) *desk {
	d := slotted(t)
	d.s.Durable.SignedOn, d.s.Durable.Batch = true, 7
	return d
}

func (d *desk) says(x Says) { d.do(Event{Kind: ChipSaid, Card: d.s.Card, Chip: x}) }

// ends is the card's last word.
func (d *desk) ends(h ChipHow) {
	d.says(Says{What: ChipEnd, How: h, Chip: pos.Chip{ICC: iccLast, TSI: "F800"}, Scripts: iccDone})
}

// at are the places of a chip sale, each reached from the one before.
var chipPlaces = []struct {
	name string
	to   func(d *desk)
	want Phase
}{
	{"amount", func(d *desk) { d.keys("1", "2", "8", "0") }, Keying},
	{"card wanted", func(d *desk) { d.keys("enter") }, AwaitCard},
	{"reading", func(d *desk) { d.do(Event{Kind: Inserted}) }, Reading},
	{"application", func(d *desk) { d.says(Says{What: ChipChoose, N: 2}) }, Picking},
	{"chosen", func(d *desk) { d.keys("2") }, Reading},
	{"confirm", func(d *desk) {
		d.do(Event{Kind: Presented, Card: cardA, Masked: "622588******0091", Entry: pos.EntryChip})
	}, Confirming},
	{"behind confirm", func(d *desk) { d.keys("enter") }, Reading},
	{"PIN", func(d *desk) { d.says(Says{What: ChipPIN, N: -1, Online: true}) }, EnteringPIN},
	{"behind PIN", func(d *desk) { d.do(Event{Kind: PINDone, PIN: PINEntered}) }, Reading},
	{"online", func(d *desk) { d.says(Says{What: ChipOnline, Chip: pos.Chip{PSN: "001", ICC: iccAsked}}) }, Online},
}

// goTo brings a sale of 12.80 to a place.
func (d *desk) goTo(name string) {
	for _, p := range chipPlaces {
		if p.to(d); d.s.Phase != p.want {
			d.t.Fatalf("%s: %v %v", p.name, d.s.Phase, d.s.Code)
		}
		if p.name == name {
			return
		}
	}
	d.t.Fatalf("no place %s", name)
}

func (d *desk) reversal() (pos.Record, bool) {
	for _, r := range d.rows {
		if r.Class == pos.ClassReversal {
			return r, true
		}
	}
	return pos.Record{}, false
}

func (d *desk) of(c pos.Class) (out []pos.Record) {
	for _, r := range d.rows {
		if r.Class == c {
			out = append(out, r)
		}
	}
	return out
}

var chipReplies = map[string]Reply{
	"approves":           approval(),
	"approves, MAC":      {Kind: Answered, RC: "00", MAC: MACWrong, Amount: 1280},
	"approves a part":    {Kind: Answered, RC: "10", MAC: MACValid, Amount: 1000},
	"approves too much":  {Kind: Answered, RC: "10", MAC: MACValid, Amount: 9999},
	"declines":           {Kind: Answered, RC: "51", MAC: MACValid},
	"declines, MAC":      {Kind: Answered, RC: "51", MAC: MACMissing},
	"proves nothing":     {Kind: Answered, RC: "96", MAC: MACValid},
	"no answer":          {Kind: NoAnswer},
	"line broke":         {Kind: NoAnswer, Broken: true},
	"not sent":           {Kind: NotSent, Code: prompt.NetNoSignal},
	"wrong keys, no MAC": {Kind: Answered, RC: "A0", MAC: MACMissing},
}

var allHows = map[string]ChipHow{"stopped": ChipStopped, "offline": ChipOffline, "online": ChipOnlineDone, "declined": ChipDeclined, "host declined": ChipHostDeclined, "refused": ChipRefused}

// TestChipEveryEnd: every word of the host with every last word of the card, in a
// sale, a hold and a balance. What the screen says, what is in the batch and what the
// outbox holds follow from both. EMV 4.3 Book 3 §10.11, Book 4 §12.2.1.
func TestChipEveryEnd(t *testing.T) {
	for said, reply := range chipReplies {
		for how, h := range allHows {
			for _, kind := range []pos.TxnKind{pos.KindSale, pos.KindPreAuth, pos.KindBalance} {
				t.Run(fmt.Sprintf("%s/%s/%s", said, how, kind), func(t *testing.T) {
					d := chipDesk(t)
					if kind == pos.KindSale {
						d.goTo("online")
					} else {
						d.toChipKind(kind)
					}
					d.do(Event{Kind: SaleDone, Reply: reply})
					tell, told := has[TellChip](d.fx)
					if !told {
						t.Fatal("the card does not hear of it")
					}
					if d.s.Durable.Open.Open() == tell.After {
						t.Errorf("open %v, told behind it %v", d.s.Durable.Open.Open(), tell.After)
					}
					if wait := d.s.Work == WorkCard; wait == tell.After {
						t.Errorf("it waits for the card: %v", wait)
					}
					if tell.Reach == NotSent && tell.Never != (kind != pos.KindSale) {
						t.Errorf("offline %v for a %s", !tell.Never, kind)
					}
					d.ends(h)
					approved := said == "approves" || said == "approves a part"
					var code prompt.Code
					var reason pos.ResponseCode
					switch {
					case kind == pos.KindBalance && (approved || said == "approves too much"):
						// The host's word alone: nothing is paid.
						code = d.s.Code
					case kind == pos.KindBalance:
						code = d.s.Code
					case approved && h == ChipOnlineDone:
						code = d.s.Code
					case approved, said == "approves too much" && h != ChipOnlineDone:
						code, reason = prompt.UnknownChip, "06"
					case said == "approves too much":
						code, reason = prompt.UnknownHost, "06"
					case said == "approves, MAC":
						code, reason = prompt.UnknownMAC, "A0"
					case said == "declines, MAC", said == "wrong keys, no MAC":
						code, reason = prompt.UnknownMAC, "98"
					case said == "proves nothing":
						code, reason = prompt.UnknownHost, "98"
					case said == "no answer":
						code, reason = prompt.UnknownNoAnswer, "98"
					case said == "line broke":
						code, reason = prompt.UnknownLink, "98"
					case said == "declines":
						code = "D-HST-51"
					case h == ChipOffline && kind == pos.KindSale:
						code = prompt.ChipOfflineDone
					default:
						code = prompt.NetNoSignal
					}
					if d.s.Code != code {
						t.Errorf("the screen says %s, want %s", d.s.Code, code)
					}
					rec, open := d.reversal()
					if open != (reason != "") || rec.Reason != reason {
						t.Errorf("reversal %v %q, want %q", open, rec.Reason, reason)
					}
					if open && (rec.Chip.ICC != iccAsked || rec.Process != SpecOf(kind).Process || rec.Entry != "051" || rec.State != pos.RecordQueued) {
						t.Errorf("%+v", rec)
					}
					booked := approved && h == ChipOnlineDone && kind != pos.KindBalance
					offline := code == prompt.ChipOfflineDone
					if want := map[bool]int{true: 1}[booked || offline]; len(d.sales) != want {
						t.Errorf("%d rows, want %d", len(d.sales), want)
					}
					for _, r := range d.sales {
						if r.Chip.ICC != iccLast || offline != (r.State == pos.RowPending) || offline != (r.Kind == pos.KindChipOffline) {
							t.Errorf("%+v", r)
						}
					}
					if got := d.of(pos.ClassAdvice); (len(got) == 1) != offline {
						t.Errorf("%d advices", len(got))
					}
					if got := d.of(pos.ClassScript); len(got) != 1 || got[0].Chip.ICC != iccDone || got[0].Orig.STAN == 0 || got[0].STAN <= got[0].Orig.STAN {
						t.Errorf("results of scripts: %+v", got)
					}
					if d.s.Slot.Live || d.s.Slot.Ends.Open() || d.s.Slot.Held != (Reply{}) || d.s.Work == WorkCard || d.s.Durable.Open.Open() {
						t.Errorf("not over: %+v %v", d.s.Slot, d.s.Work)
					}
				})
			}
		}
	}
}

// toChipKind brings another kind to the line.
func (d *desk) toChipKind(k pos.TxnKind) {
	d.keys(menuOf(k)...)
	if k != pos.KindBalance {
		d.keys("1", "2", "8", "0", "enter")
	}
	d.do(Event{Kind: Inserted})
	d.do(Event{Kind: Presented, Card: cardA, Masked: "622588******0091", Entry: pos.EntryChip})
	if d.s.Phase == Confirming {
		d.keys("enter")
	}
	d.says(Says{What: ChipPIN, N: -1, Online: true})
	d.do(Event{Kind: PINDone, PIN: PINEntered})
	d.says(Says{What: ChipOnline, Chip: pos.Chip{PSN: "001", ICC: iccAsked}})
	if d.s.Phase != Online {
		d.t.Fatalf("%s: %v %v", k, d.s.Phase, d.s.Code)
	}
}

func menuOf(k pos.TxnKind) (keys []Key) {
	if k == pos.KindSale {
		return nil
	}
	for _, s := range MenuKeys(map[pos.TxnKind]prompt.Code{pos.KindPreAuth: prompt.TitlePreAuth, pos.KindBalance: prompt.TitleBalance}[k]) {
		keys = append(keys, Key(s))
	}
	return keys
}

// TestChipRemoved: the card is pulled at each place. Before the request is on its way
// nothing is charged and nothing stays; behind it the host's word and the card's
// absence settle.
func TestChipRemoved(t *testing.T) {
	for _, p := range chipPlaces {
		t.Run(p.name, func(t *testing.T) {
			d := chipDesk(t)
			d.goTo(p.name)
			phase := d.s.Phase
			d.do(Event{Kind: Removed})
			switch phase {
			case Keying, AwaitCard:
				if d.s.Phase != phase {
					t.Errorf("%v", d.s.Phase)
				}
				return
			case Reading: // the kernel finds out
				d.says(Says{What: ChipEnd, Why: prompt.CardRemoved, Unread: p.name == "reading"})
			case Online:
				d.do(Event{Kind: SaleDone, Reply: approval()})
				d.ends(ChipRefused)
				if r, ok := d.reversal(); !ok || r.Reason != "06" || len(d.sales) != 0 {
					t.Errorf("%+v %d", r, len(d.sales))
				}
				d.want(prompt.UnknownChip)
				return
			}
			d.want(prompt.CardRemoved)
			if len(d.rows)+len(d.sales) != 0 || d.s.Slot.Live || d.s.Slot.Unread != 0 || d.s.Durable.Open.Open() {
				t.Errorf("%d records, %d rows, %+v", len(d.rows), len(d.sales), d.s.Slot)
			}
			if _, ok := has[SendSale](d.fx); ok {
				t.Error("it is sent")
			}
		})
	}
}

// TestChipPower: the power fails at each place. An approval that the card had no word
// on is none.
func TestChipPower(t *testing.T) {
	for _, p := range append(slices.Clone(chipPlaces), struct {
		name string
		to   func(d *desk)
		want Phase
	}{name: "held"}) {
		t.Run(p.name, func(t *testing.T) {
			d := chipDesk(t)
			if p.name == "held" {
				d.goTo("online")
				d.do(Event{Kind: SaleDone, Reply: approval()})
			} else {
				d.goTo(p.name)
			}
			open := d.s.Durable.Open.Open()
			prof := d.s.Profile
			d.s = New(d.s.Durable)
			d.do(Event{Kind: Booted, Profile: prof})
			d.ends(ChipOnlineDone) // of a session that is no more
			r, reversed := d.reversal()
			if open != reversed || open && (r.Reason != "98" || r.State != pos.RecordQueued) || len(d.sales) != 0 {
				t.Errorf("open %v, reversal %+v, %d rows", open, r, len(d.sales))
			}
			if open && d.s.Code != prompt.UnknownPower {
				t.Errorf("%v", d.s.Code)
			}
		})
	}
}

// TestChipHalts: what stops the device while a card is at it leaves nothing that waits
// for the card for ever, and no approval without its word.
func TestChipHalts(t *testing.T) {
	for name, c := range map[string]struct {
		to     func(d *desk)
		after  func(d *desk)
		reason pos.ResponseCode
	}{
		"asked":          {func(d *desk) { d.goTo("online") }, func(d *desk) { d.do(Event{Kind: SaleDone, Reply: approval()}) }, "06"},
		"held":           {func(d *desk) { d.goTo("online"); d.do(Event{Kind: SaleDone, Reply: approval()}) }, nil, "06"},
		"held, not sent": {func(d *desk) { d.goTo("online"); d.do(Event{Kind: SaleDone, Reply: chipReplies["not sent"]}) }, nil, ""},
		"PIN":            {func(d *desk) { d.goTo("PIN") }, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := chipDesk(t)
			c.to(d)
			d.do(Event{Kind: Faulted, Code: prompt.KeyNoMaster})
			d.want(prompt.KeyNoMaster)
			if c.after != nil {
				c.after(d)
			}
			d.ends(ChipOnlineDone)
			r, ok := d.reversal()
			if ok != (c.reason != "") || r.Reason != c.reason || len(d.sales) != 0 || d.s.Durable.Open.Open() {
				t.Errorf("%v %+v, %d rows, open %v", ok, r, len(d.sales), d.s.Durable.Open.Open())
			}
			if ok && r.AuthCode != "A1B2C3" {
				t.Errorf("the reversal has no authorisation code: %+v", r)
			}
			d.do(Event{Kind: Mended})
			if d.s.Work == WorkCard || d.s.Work == WorkSale {
				t.Errorf("it waits for ever: %v", d.s.Work)
			}
		})
	}
}

// TestChipOfflineFirst: what a card may decide by itself is a sale's; a hold or a
// balance is the issuer's, whatever the card says.
func TestChipOfflineFirst(t *testing.T) {
	for _, kind := range []pos.TxnKind{pos.KindSale, pos.KindPreAuth, pos.KindBalance} {
		d := chipDesk(t)
		d.keys(menuOf(kind)...)
		if kind != pos.KindBalance {
			d.keys("1", "2", "8", "0", "enter")
		}
		d.do(Event{Kind: Inserted})
		start, ok := has[StartChip](d.fx)
		if !ok || !start.Full || start.Online != (kind != pos.KindSale) {
			t.Errorf("%s: %+v", kind, start)
		}
		d.do(Event{Kind: Presented, Card: cardA, Masked: "622588******0091", Entry: pos.EntryChip})
		if d.s.Phase == Confirming {
			d.keys("enter")
		}
		d.ends(ChipOffline)
		want := prompt.ChipFailed
		if kind == pos.KindSale {
			want = prompt.ChipOfflineDone
		}
		d.want(want)
		if n := len(d.rows); n != map[bool]int{true: 1}[kind == pos.KindSale] {
			t.Errorf("%s: %d records", kind, n)
		}
	}
}

// TestFallback: the stripe of a card with a chip is taken once enough chips of this
// form could not be read, and of no other form.
func TestFallback(t *testing.T) {
	stripe := Event{Kind: Presented, Card: cardA, Masked: "622588******0091", Entry: pos.EntrySwipe, HasChip: true}
	unread := func(why prompt.Code) func(d *desk) {
		return func(d *desk) {
			d.do(Event{Kind: Inserted})
			d.says(Says{What: ChipEnd, Why: why, Unread: true})
			d.do(Event{Kind: Removed})
		}
	}
	reset := func(code prompt.Code) func(d *desk) {
		return func(d *desk) {
			d.do(Event{Kind: Inserted})
			d.do(Event{Kind: Unreadable, HasChip: true, Code: code})
			d.do(Event{Kind: Removed})
		}
	}
	stopped := func(d *desk) {
		d.do(Event{Kind: Inserted})
		d.says(Says{What: ChipEnd, Why: prompt.ChipBlocked})
		d.do(Event{Kind: Removed})
		d.keys("1", "enter")
	}
	for _, c := range []struct {
		name  string
		need  int
		do    []func(d *desk)
		taken bool
	}{
		{"nothing before", 1, nil, false},
		{"silent", 1, []func(*desk){reset(prompt.ChipSilent)}, true},
		{"unread", 1, []func(*desk){unread("")}, true},
		{"pulled", 1, []func(*desk){unread(prompt.CardRemoved), reset(prompt.CardRemoved), unread(prompt.CardRemoved)}, false},
		{"blocked", 1, []func(*desk){stopped}, false},
		{"one of two", 2, []func(*desk){unread("")}, false},
		{"two of two", 2, []func(*desk){unread(""), reset(prompt.ChipSilent)}, true},
		{"no number set", 0, []func(*desk){unread("")}, true},
		{"another form", 1, []func(*desk){unread(""), func(d *desk) { d.keys("cancel", "1", "enter") }}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := chipDesk(t)
			d.s.Profile.Fallback = c.need
			d.keys("1", "enter")
			for _, f := range c.do {
				f(d)
			}
			d.do(stripe)
			if taken := d.s.Phase == Confirming; taken != c.taken {
				t.Fatalf("%v %v, unread %d", d.s.Phase, d.s.Code, d.s.Slot.Unread)
			}
			if !c.taken {
				d.want(prompt.InsertChip)
				return
			}
			if in := d.s.Slot.Chip; !in.Fallback {
				t.Error("the message does not say so")
			}
		})
	}
}

// TestChipEndsLate: a card that is still being told of an end keeps nobody else's card
// from paying, and loses none of its scripts.
func TestChipEndsLate(t *testing.T) {
	d := chipDesk(t)
	d.goTo("online")
	d.do(Event{Kind: SaleDone, Reply: chipReplies["declines"]})
	d.keys("cancel", "1", "enter")
	d.present(cardB)
	if d.s.Phase != Confirming {
		t.Fatalf("%v", d.s.Phase)
	}
	d.ends(ChipHostDeclined)
	f, ok := has[ForgetCard](d.fx)
	if !ok || f.Except != cardB || !f.KeepChip {
		t.Errorf("%+v: the next customer's card is forgotten", f)
	}
	if n := len(d.of(pos.ClassScript)); n != 1 {
		t.Errorf("%d results", n)
	}

	// The next card goes in before the last one has ended: first the end, then the next.
	d = chipDesk(t)
	d.goTo("online")
	d.do(Event{Kind: SaleDone, Reply: chipReplies["declines"]})
	d.keys("cancel", "1", "enter")
	d.do(Event{Kind: Removed})
	d.do(Event{Kind: Inserted})
	if _, ok := has[StartChip](d.fx); ok {
		t.Fatal("the session before is lost")
	}
	d.ends(ChipHostDeclined)
	if _, ok := has[StartChip](d.fx); !ok || len(d.of(pos.ClassScript)) != 1 || d.s.Phase != Reading {
		t.Errorf("%v %v", d.s.Phase, d.fx)
	}
}

// TestChipScriptsFirst: the host hears of scripts before the next payment goes.
func TestChipScriptsFirst(t *testing.T) {
	d := chipDesk(t)
	d.goTo("online")
	d.do(Event{Kind: SaleDone, Reply: approval()})
	d.ends(ChipOnlineDone)
	rec, ok := has[SendRecord](d.fx)
	if !ok || d.s.Work != WorkRecord {
		t.Fatalf("%+v %v", rec, d.fx)
	}
	d.do(Event{Kind: RecordDone, Record: d.of(pos.ClassScript)[0], Reply: Reply{Kind: NoAnswer}})
	d.do(Event{Kind: PrintDone, ID: d.s.Durable.Last.ID})
	d.do(Event{Kind: Removed})
	d.now += time.Minute // its next try is due; nothing has woken the outbox
	d.s.Hold = d.now + time.Minute
	d.goTo("behind PIN")
	d.says(Says{What: ChipOnline, Chip: pos.Chip{ICC: iccAsked}})
	if _, sent := has[SendSale](d.fx); sent || d.s.Phase != Preparing {
		t.Fatalf("%v: the payment overtakes it", d.s.Phase)
	}
	d.do(Event{Kind: RecordDone, Record: d.of(pos.ClassScript)[0], Reply: Reply{Kind: Answered, RC: "00", MAC: MACValid}})
	if _, sent := has[SendSale](d.fx); !sent || len(d.of(pos.ClassScript)) != 0 {
		t.Errorf("%v", d.fx)
	}
}
