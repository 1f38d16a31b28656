package txn

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// TestChipAnyOrder: whatever card, cashier, host and power do in whatever order. The
// customer hears of an approval only where the card has agreed, an UNKNOWN leaves its
// reversal, and a stripe stands in for a chip only where one could not be read.
func TestChipAnyOrder(t *testing.T) {
	keys := []Key{"1", "2", "enter", "enter", "enter", "cancel", "menu", "down"}
	for name, weights := range map[string][]int{"even": nil, "mostly on": {2, 3, 4, 5, 6, 8}} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				d := chipDesk(t)
				word := ChipHow(255) // the card's last, of the sale under way
				for i := range rapid.IntRange(1, 80).Draw(t, "n") {
					l := fmt.Sprint(i)
					d.now += time.Duration(rapid.IntRange(0, 20).Draw(t, "dt"+l)) * time.Second
					reply := Reply{
						Kind: rapid.SampledFrom([]ReplyKind{NotSent, NoAnswer, Answered, Answered, Answered}).Draw(t, "reply"+l),
						RC:   rapid.SampledFrom([]pos.ResponseCode{"00", "00", "10", "51", "96", "A0"}).Draw(t, "rc"+l),
						MAC:  rapid.SampledFrom([]MACState{MACValid, MACValid, MACValid, MACWrong}).Draw(t, "mac"+l), KeysOK: true, LeftBy: d.now,
						Amount: rapid.Int64Range(0, 3000).Draw(t, "amt"+l), Order: rapid.SampledFrom([]int{0, 0, 3, 4, 5}).Draw(t, "ord"+l),
					}
					before, e := d.s, Event{}
					was := len(d.sales)
					kind := rapid.IntRange(0, 12).Draw(t, "ev"+l)
					if weights != nil {
						kind = rapid.SampledFrom(weights).Draw(t, "w"+l)
					}
					switch kind {
					case 0, 1:
						e = Event{Kind: KeyPressed, Key: rapid.SampledFrom(keys).Draw(t, "key"+l)}
					case 2: // what fits
						d.onward()
						continue
					case 3:
						e = Event{Kind: Inserted}
					case 4:
						e = Event{Kind: ChipSaid, Chip: Says{What: ChipEnd, How: ChipHow(rapid.IntRange(0, 5).Draw(t, "how"+l)), Unread: rapid.Bool().Draw(t, "unread"+l),
							Chip: pos.Chip{ICC: iccLast}, Scripts: rapid.SampledFrom([]string{"", iccDone}).Draw(t, "scripts"+l)}}
					case 5:
						e = Event{Kind: SaleDone, Reply: reply}
					case 6:
						var due pos.Record
						for _, r := range d.rows {
							if r.State == pos.RecordQueued && (due.STAN == 0 || r.Next < due.Next) {
								due = r
							}
						}
						e = Event{Kind: RecordDone, Record: due, Reply: reply}
					case 7:
						e = Event{Kind: Removed}
					case 8:
						e = Event{Kind: rapid.SampledFrom([]Kind{SignOnDone, OutboxDue, TimerExpired, PrintDone, TablesDone}).Draw(t, "k"+l), N: d.s.Timer, ID: d.s.Durable.Last.ID, Reply: reply}
					case 9:
						prof := d.s.Profile
						d.s = New(d.s.Durable)
						before = d.s
						e = Event{Kind: Booted, Profile: prof}
					case 10:
						e = Event{Kind: Presented, Card: cardB, Masked: "622588******0010", Entry: pos.EntrySwipe, HasChip: rapid.Bool().Draw(t, "chip"+l)}
					case 11:
						e = Event{Kind: rapid.SampledFrom([]Kind{Faulted, Mended}).Draw(t, "f"+l), Code: prompt.KeyNoMaster}
					case 12:
						e = Event{Kind: Unreadable, HasChip: true, Code: rapid.SampledFrom([]prompt.Code{prompt.ChipSilent, prompt.CardRemoved}).Draw(t, "u"+l)}
					}
					d.do(e)
					if e.Kind == ChipSaid {
						word = e.Chip.How
					}
					in := before.Durable.Open
					if len(d.sales) > was && (in.ofChip() || before.Entry == string(pos.EntryChip) && before.spec().full()) {
						if e.Kind != ChipSaid || word != ChipOnlineDone && word != ChipOffline {
							t.Fatalf("a chip sale is booked at %v, the card's word %v", e.Kind, word)
						}
					}
					if d.s.Code == prompt.Approved && before.Code != prompt.Approved && in.ofChip() && word != ChipOnlineDone {
						t.Fatalf("approved, the card's word %v", word)
					}
					if in.ofChip() && SpecOf(in.Kind).Unknown != Nothing && !d.s.Durable.Open.Open() {
						r, open := d.rows[in.ID]
						_, booked := d.sales[in.ID]
						if open == booked && strings.HasPrefix(string(d.s.Durable.Last.Code), "U") {
							t.Fatalf("UNKNOWN and no reversal: %v", d.s.Durable.Last)
						}
						if open && r.Class == pos.ClassReversal && !slices.Contains([]pos.ResponseCode{"06", "98", "A0"}, r.Reason) {
							t.Fatalf("%+v", r)
						}
					}
					if e.Kind == Presented && e.HasChip && d.s.Card == cardB && before.Card != cardB && before.Slot.Unread < 1 {
						t.Fatalf("the stripe of a chip is taken after %d", before.Slot.Unread)
					}
					if d.s.Form != before.Form && d.s.Slot.Unread != 0 {
						t.Fatal("unread chips of another form")
					}
				}
			})
		})
	}
}

func (s State) spec() *Spec {
	m := machine{State: s}
	return m.spec()
}

// onward is what brings a sale on from where it stands.
func (d *desk) onward() {
	switch d.s.Phase {
	case Ready, Result:
		d.keys("cancel", "1", "2", "enter")
	case Keying:
		d.keys("enter")
	case AwaitCard:
		if d.s.Slot.In {
			d.do(Event{Kind: Removed})
		}
		d.do(Event{Kind: Inserted})
	case Confirming:
		d.keys("enter")
	case Picking:
		d.keys("1")
	case EnteringPIN:
		d.do(Event{Kind: PINDone, PIN: PINEntered})
	case Reading:
		if d.s.Card.IsZero() {
			d.do(Event{Kind: Presented, Card: cardA, Masked: "622588******0091", Entry: pos.EntryChip})
			return
		}
		d.says(Says{What: ChipOnline, Chip: pos.Chip{ICC: iccAsked}})
	}
}
