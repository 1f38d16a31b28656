package txn

import (
	"strings"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// A card with a chip answers over and over, and has a word of its own at the end.
// Who talks to it is the loop, with the kernel; Step hears four things of it: there
// is a choice, a PIN is wanted, the issuer is wanted, it is over. EMV 4.3 Book 4 §6.

// ChipWhat is what the kernel says.
type ChipWhat uint8

const (
	NoChip     ChipWhat = iota
	ChipChoose          // several applications, or one that may not be taken unasked
	ChipPIN             // a PIN is wanted
	ChipOnline          // the issuer is wanted: Chip is what goes with the request
	ChipEnd             // it is over: How, and why
)

// ChipHow is how it ended.
type ChipHow uint8

const (
	ChipStopped      ChipHow = iota // nothing was decided
	ChipOffline                     // the card approved by itself
	ChipOnlineDone                  // the issuer approved, and the card did
	ChipDeclined                    // the card declined without the issuer
	ChipHostDeclined                // the issuer declined
	ChipRefused                     // the issuer approved, the card did not: reverse
)

// Says is one word of the kernel.
type Says struct {
	What ChipWhat
	N    int // ChipChoose: how many; ChipPIN: tries that are left, -1 unknown
	// Again: ChipChoose, the one chosen before could not be used; ChipPIN, the one
	// before was wrong.
	Again   bool
	Online  bool        // ChipPIN: the issuer verifies it
	Chip    pos.Chip    // ChipOnline, ChipEnd
	How     ChipHow     // ChipEnd
	Why     prompt.Code // ChipEnd: in words, "" if How says it all
	Unread  bool        // ChipEnd: the chip could not be read at all; the stripe may serve
	Scripts string      // ChipEnd: DE 55 of the script results in hexadecimal, "" none came
}

// Slot is the card in the slot, and the session with it.
type Slot struct {
	In      bool     // a card is in
	Used    bool     // it has had its session: it must come out first
	Live    bool     // the session of the form in front of us
	Unread  int      // chips that this form could not read
	Picks   int      // how many applications there are to choose from
	Online  bool     // the PIN that is asked for is the issuer's
	Chip    pos.Chip // what goes with the request
	Held    Reply    // the host's word, until the card has had its own
	Ends    Intent   // the payment whose card is being told the end
	EndsRRN pos.RRN
	EndsAut pos.AuthCode
	EndsDay string // MMDD
}

// chip tells whether the card in front of us is in the slot and its kernel runs.
func (m *machine) chip() bool { return m.Slot.Live && m.Entry == string(pos.EntryChip) }

// ofChip tells that the card of an intent has a word of its own to say: its request
// carries a cryptogram.
func (i Intent) ofChip() bool {
	k := SpecOf(i.Kind)
	return k != nil && k.full() && i.Chip.ICC != "" && strings.HasPrefix(i.Entry, string(pos.EntryChip))
}

// full tells that this kind asks the card for cryptograms; of others it is only
// read. HOST §1.4: a refund or completion names its original.
func (k *Spec) full() bool {
	return k.Kind == pos.KindSale || k.Kind == pos.KindPreAuth || k.Kind == pos.KindBalance
}

// wantCard shows the card step; a card that is in is read at once, one that has
// had its turn must come out first.
func (m *machine) wantCard() {
	m.show(AwaitCard, m.cardCode(), m.formArgs())
	m.arm(m.Profile.CardTimeout)
	m.tryChip()
}

// cardCode is what the card step says.
func (m *machine) cardCode() prompt.Code {
	switch {
	case m.Profile.Slot && m.Slot.In && m.Slot.Used:
		return prompt.TakeCard
	case m.Profile.Slot && m.Slot.Unread >= max(m.Profile.Fallback, 1):
		return prompt.CardFallback
	case m.Profile.Slot:
		return prompt.CardAny
	}
	return prompt.Card
}

// WantsChip tells that a card which has a chip must go into the slot.
func (s State) WantsChip() bool {
	return s.Profile.Slot && (s.Phase == AwaitCard || s.Phase == Stopped) && s.Slot.Unread < max(s.Profile.Fallback, 1)
}

// tryChip begins with the card that is in the slot.
func (m *machine) tryChip() {
	if m.Phase != AwaitCard || !m.Slot.In || m.Slot.Used || m.Slot.Live || !m.Profile.Slot || m.Slot.Ends.Open() { // the end of the session before comes first
		return
	}
	k := m.spec()
	m.Slot.Live, m.Slot.Used = true, true
	m.show(Reading, prompt.ChipReading, m.formArgs())
	m.disarm()
	m.do(StartChip{Kind: k.Kind, Process: k.Process, Amount: pos.Amount{Minor: m.Keyed, Currency: m.Profile.Currency}, Full: k.full(),
		STAN: m.Durable.STAN.Next(), Online: !m.mayOffline(k.Kind, m.Keyed)})
}

// mayOffline tells whether a card may approve so much by itself: a sale, within the
// limits of store and forward, and in a batch that the host has numbered. A hold and
// a balance are the issuer's.
func (m *machine) mayOffline(kind pos.TxnKind, amount int64) bool {
	return kind == pos.KindSale && m.Durable.Batch != 0 && m.Profile.Offline.refuses(m.e.SAF, amount, m.e.At.Logical) == ""
}

// inserted: a card went into the slot.
func (m *machine) inserted() {
	m.Slot.In, m.Slot.Used = true, false
	switch m.Phase {
	case AwaitCard:
		m.tryChip()
	case Stopped: // the amount stays, another card may pay
		m.dropCard()
		m.show(AwaitCard, m.cardCode(), m.formArgs())
		m.tryChip()
	case Ready, Result, Keying: // no mistake: it is read once there is an amount
		if m.Note == "" {
			m.Note = prompt.EntryFirst
		}
	}
}

// removed: the card was taken out. What was not sent is not paid; what was, the
// host's word and the card's absence settle.
func (m *machine) removed() {
	chip := m.Entry == string(pos.EntryChip) || m.Slot.Live
	m.Slot.In, m.Slot.Used = false, false
	switch {
	case m.Note == prompt.TakeCard:
		m.Note, m.NoteArgs = "", prompt.Args{}
		m.look()
	case m.Phase == AwaitCard && m.Code == prompt.TakeCard:
		m.wantCard()
	}
	if !chip {
		return
	}
	switch m.Phase {
	case Confirming, EnteringPIN, Choosing, Picking, Preparing:
		m.endForm(prompt.CardRemoved, m.formArgs(), ToneAttention)
	case Naming:
		if m.Name.For == ForApproval {
			m.unname("")
			m.again()
		}
	case Stopped: // there is nothing more to approve
		m.again()
	}
}

// said is what the kernel says.
func (m *machine) said() {
	switch x := m.e.Chip; x.What {
	case ChipChoose:
		if m.Phase != Reading {
			return
		}
		m.Sel, m.Slot.Picks = 0, x.N
		m.show(Picking, prompt.ChipChoose, m.formArgs())
		if x.Again {
			m.Note = prompt.ChipTryAgain
		}
		m.arm(m.Profile.CardTimeout)
		m.do(Sound{ToneKey})
	case ChipPIN:
		if m.Phase == Reading {
			m.chipPIN(x)
		}
	case ChipOnline:
		if m.Phase == Reading {
			m.Slot.Chip = x.Chip
			m.prepare()
		}
	case ChipEnd:
		m.chipEnd(x)
	}
}

// keyPicking chooses an application.
func (m *machine) keyPicking(k Key) {
	n := m.Slot.Picks
	if d, ok := digit(k); ok && d >= 1 && int(d) <= n {
		m.Sel, k = int(d)-1, "enter"
	}
	switch k {
	case "up":
		m.Sel = (m.Sel + n - 1) % max(n, 1)
	case "down":
		m.Sel = (m.Sel + 1) % max(n, 1)
	case "cancel", "clear":
		m.cancel()
	case "enter":
		m.reading(PickApp{m.Sel})
	}
}

// reading lets the kernel go on.
func (m *machine) reading(e Effect) {
	m.show(Reading, prompt.ChipReading, m.formArgs())
	m.disarm()
	m.do(e)
}

// chipPIN asks for the PIN that the card's list of methods wants.
func (m *machine) chipPIN(x Says) {
	m.Slot.Online = x.Online
	if !m.Profile.PINPad {
		m.reading(GiveChip{PIN: PINFailed})
		return
	}
	c := prompt.PIN
	if !m.mayBypass() {
		c = prompt.PINMust
	}
	m.PINLen = 0
	m.show(EnteringPIN, c, m.formArgs())
	switch {
	case x.Again && x.N == 1:
		m.Note = prompt.PINWrongLast
	case x.Again:
		m.Note, m.NoteArgs = prompt.PINWrong, prompt.Args{N: x.N}
	case x.N == 1:
		m.Note = prompt.PINLast
	}
	if m.Note != "" {
		m.do(Sound{ToneAttention})
	}
	m.disarm()
	m.do(ReadPIN{Timeout: m.Profile.PINTimeout, Bypass: m.mayBypass()})
}

// chipEnd is the card's last word.
func (m *machine) chipEnd(x Says) {
	if m.held(x) {
		return
	}
	if end := m.Slot.Ends; end.Open() { // it was told what the host had said
		m.Slot.Ends = Intent{}
		m.scripted(end, m.Slot.EndsRRN, m.Slot.EndsAut, m.Slot.EndsDay, x)
		m.do(ForgetCard{Except: m.Card, KeepChip: true}) // another customer may stand here already
		m.tryChip()
		return
	}
	if m.Phase != Reading {
		return
	}
	m.Slot.Live, m.Slot.Chip = false, x.Chip
	switch x.How {
	case ChipOffline:
		if m.spec().Kind != pos.KindSale { // it was not to
			m.endForm(prompt.ChipFailed, m.formArgs(), ToneBad)
			return
		}
		m.chipOffline()
	case ChipDeclined:
		in := m.newIntent()
		m.outcome(in, throttle.Declined, "", in.Amount.Minor)
		m.endForm(or(x.Why, prompt.ChipDeclined), m.formArgs(), ToneBad)
	default:
		m.chipFailed(x)
	}
}

// held lets the host's word, which waited for the card's, take effect; false if none
// waits.
func (m *machine) held(x Says) bool {
	in, r := m.Durable.Open, m.Slot.Held
	if m.Work != WorkCard || !in.Open() {
		return false
	}
	m.Work, m.Slot.Held, m.Slot.Chip, m.e.Reply = WorkNone, Reply{}, x.Chip, r
	m.decided(in, r, x)
	m.scripted(in, r.RRN, r.Auth, r.date(), x)
	return true
}

// chipFailed: nothing was decided and nothing sent. A chip that could not be read
// at all leaves the form where it is, and after enough tries opens the way to the
// stripe; every other end closes the form. EMV 4.3 Book 4 §11.
func (m *machine) chipFailed(x Says) {
	if !x.Unread || !m.Card.IsZero() {
		m.endForm(or(x.Why, prompt.ChipFailed), m.formArgs(), ToneBad)
		return
	}
	m.unreadChip(or(x.Why, prompt.ChipSilent))
}

// unreadChip keeps the form: again, another card, or the stripe where it may serve.
func (m *machine) unreadChip(c prompt.Code) {
	m.Slot.Live = false
	pulled := c == prompt.CardRemoved // who pulls a card has not shown that it cannot be read
	if !pulled {
		m.Slot.Unread++
	}
	if c == prompt.ChipSilent && m.Slot.Unread >= max(m.Profile.Fallback, 1) {
		c = prompt.ChipSwipe
	}
	m.do(ForgetCard{})
	m.dropCard()
	m.show(AwaitCard, c, m.formArgs())
	m.arm(m.Profile.CardTimeout)
	m.do(Sound{ToneBad})
	if !pulled {
		m.readFailed()
	}
	if m.Note == "" && m.Slot.Unread >= max(m.Profile.Fallback, 1) {
		m.Note = prompt.CardFallback
	}
}

// chipOffline keeps what the card has approved by itself: row and advice in one
// commit, as any transaction that is made here. HOST §1.4, 60.1 = 36.
func (m *machine) chipOffline() {
	if m.e.NoRoom != "" {
		m.endForm(m.e.NoRoom, m.formArgs(), ToneBad)
		return
	}
	m.Durable.STAN = m.Durable.STAN.Next()
	m.keepOffline(m.newIntent())
}

func (m *machine) keepOffline(in Intent) {
	in.Kind, in.Chip = pos.KindChipOffline, m.Slot.Chip
	a := prompt.Args{Amount: in.Amount.String(), Card: in.Masked.Tail(), STAN: in.ID.STAN.String()}
	m.Durable.Open = Intent{}
	rec := m.record(in, pos.RecordQueued, "")
	rec.Next = m.e.At.Logical
	m.do(PutRecord{rec})
	m.later++
	row := m.row(in, Reply{RC: "00"})
	row.State = pos.RowPending
	addRow(m, in, row)
	m.outcome(in, throttle.Approved, "00", in.Amount.Minor)
	if in.Order != "" {
		m.do(PutOrder{in.Order, row})
	}
	m.setLast(in, row, prompt.ChipOfflineDone)
	m.log(prompt.LogOutcome, in.ID, func(l *Log) { l.Why, l.Amount = prompt.ChipOfflineDone, in.Amount })
	m.endForm(prompt.ChipOfflineDone, a, ToneGood)
	if m.Profile.Printer {
		m.print(m.Durable.Last, false, false)
	}
}

// chipSale is the advice of a payment that the card approved. Its form is that of
// a sale; no menu begins it.
var chipSale = Spec{Kind: pos.KindChipOffline, MTI: 0x0220, Process: "000000", Condition: "00", Type: "36", Unknown: Repeat, Kept: true, done: prompt.ChipOfflineDone}

// hold keeps the host's word until the card has had its own: an approval is none
// before the card agrees, and where no byte left the card may approve by itself.
func (m *machine) hold(r Reply, approved bool) {
	m.Work, m.Slot.Held = WorkCard, r
	m.Code = prompt.ChipFinal
	m.do(TellChip{Reach: r.Kind, Approved: approved, RC: r.RC, Never: r.Kind == NotSent && !m.mayOffline(m.Durable.Open.Kind, m.Durable.Open.Amount.Minor)})
}

// decided is what host and card together say. Commit 2 of a chip sale.
func (m *machine) decided(in Intent, r Reply, x Says) {
	a := prompt.Args{Amount: in.Amount.String(), Card: in.Masked.Tail(), STAN: in.ID.STAN.String(), RC: string(r.RC), Host: r.Host}
	m.Slot.Live = false
	switch {
	case r.Kind == NotSent && x.How == ChipOffline && in.Kind == pos.KindSale:
		m.do(DropRecord{classOf(in), in.ID})
		m.keepOffline(in)
	case r.Kind == NotSent:
		m.drop(in, r.Code, prompt.LogDropped)
		m.end(r.Code, a, ToneBad)
	case SpecOf(in.Kind).Unknown == Nothing, x.How == ChipOnlineDone: // a balance is the host's word alone
		m.approved(in, r, a)
	default:
		m.unknown(in, prompt.UnknownChip, "06", r.LeftBy)
	}
}

// tellEnd lets the card hear of an end that is decided already: it is asked to
// decline, and its scripts are run.
func (m *machine) tellEnd(in Intent, r Reply, unknown bool) {
	if !m.chip() {
		return
	}
	m.Slot.Live = false
	m.Slot.Ends, m.Slot.EndsRRN, m.Slot.EndsAut, m.Slot.EndsDay = in, r.RRN, r.Auth, r.date()
	reach := r.Kind
	if unknown {
		reach = NoAnswer
	}
	m.do(TellChip{Reach: reach, RC: r.RC, After: true})
}

// scripted notes what became of the issuer's scripts; the host is told before the
// next payment. HOST §1.4, 0620.
func (m *machine) scripted(in Intent, rrn pos.RRN, auth pos.AuthCode, day string, x Says) {
	if x.Scripts == "" {
		return
	}
	m.Durable.STAN = m.Durable.STAN.Next()
	k := SpecOf(in.Kind)
	m.do(PutRecord{pos.Record{
		RecordID: pos.RecordID{Context: in.ID.Context, Batch: in.ID.Batch, STAN: m.Durable.STAN}, Class: pos.ClassScript, Kind: in.Kind, State: pos.RecordQueued,
		Amount: in.Amount, Card: in.Card, Masked: in.Masked, Process: k.Process, Entry: in.Entry, Condition: k.Condition,
		Type60: "00" + in.ID.Batch.String() + "951", Orig: pos.Original{Batch: in.ID.Batch, STAN: in.ID.STAN, Date: day, RRN: rrn, Auth: auth},
		At: m.e.At, Next: m.e.At.Logical, Chip: pos.Chip{PSN: in.Chip.PSN, ICC: x.Scripts},
	}})
	m.due++
	m.log(prompt.LogScript, in.ID, nil)
}

// date is MMDD of an answer.
func (r Reply) date() string { return r.HostTime[:min(4, len(r.HostTime))] }

func or(c, d prompt.Code) prompt.Code {
	if c != "" {
		return c
	}
	return d
}
