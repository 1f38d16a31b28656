package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// Effect is one order as data. Row effects are part of the commit; the others
// run after it.
type Effect interface{ effect() }

// Row effects.
type (
	// PutRecord writes or replaces a record of the outbox.
	PutRecord struct{ Record pos.Record }
	// DropRecord removes one: by the host's word, by a supervisor's, or because
	// its intent was proven never sent.
	DropRecord struct {
		Class pos.Class
		ID    pos.RecordID
	}
	// PutSale writes a row of the batch.
	PutSale struct{ Row pos.Sale }
	// EditSale changes what it names of a row and leaves the rest.
	EditSale struct {
		ID       pos.RecordID
		State    pos.RowState // "" leaves it
		Sent     bool         // it was pending, and the host has it now
		RRN      pos.RRN
		Printed  bool
		Uploaded bool
		Amount   int64 // minor units; 0 leaves it
		Tip      int64
	}
	// PutCard writes what is remembered of a card; PutEvent appends to the
	// desk's history; PutOrder notes what an order reference has paid, or, with a
	// zero row, that it has not.
	PutCard  struct{ Card throttle.Card }
	PutEvent struct{ Event throttle.Event }
	PutOrder struct {
		Order string
		Row   pos.Sale
	}
	// CloseBatch removes a settled batch with its rows.
	CloseBatch struct {
		Context string
		Batch   pos.BatchNo
	}
)

// NoTip in EditSale takes a tip away.
const NoTip int64 = -1

// Effects that act on the world.
type (
	// SendSale sends the open intent; it ends as SaleDone.
	SendSale struct{ Intent Intent }
	// SendRecord sends the most urgent record of the outbox; it ends as
	// RecordDone. Card, if not zero, asks for that card's reversal, due or not;
	// Since, if not zero, for one that was not tried since that logical time.
	SendRecord struct {
		Card  pos.CardRef
		Since time.Duration
		Later bool // advices and uploads, too
	}
	// SendSignOn ends as SignOnDone.
	SendSignOn struct{ STAN pos.STAN }
	// SendAdmin ends as AdminDone.
	SendAdmin struct {
		Kind AdminKind
		STAN pos.STAN
	}
	// SendSettle sends one message of the settlement; it ends as SettleDone.
	SendSettle struct {
		Settle Settle
		STAN   pos.STAN
		Batch  pos.BatchNo
		Upload Upload
	}
	// Wake asks for an OutboxDue event at once: its facts are needed.
	Wake struct{}
	// FindSale looks a row up; it ends as Found, and puts its card into the vault.
	FindSale struct{ ID pos.RecordID }
	// ReadPIN activates the PIN pad; it ends as PINDone. Bypass: enter on nothing
	// means that there is no PIN. ForgetCard{} ends it, and what was entered is wiped.
	ReadPIN struct {
		Timeout time.Duration
		Bypass  bool
	}
	// Print prints a row's slip; it ends as PrintDone. Copy marks one that a
	// power cut or the paper delayed (补打); Again a reprint (重打印).
	Print struct {
		ID          pos.RecordID
		Copy, Again bool
	}
	// PrintTotals prints the slip of a settlement; it ends as PrintDone.
	PrintTotals struct {
		Settled Settled
		Again   bool
	}
	// PrintTicket prints that a supervisor closed a record, and why.
	PrintTicket struct {
		Record pos.Record
		Reason string
	}
	// Arm starts the operator's timer; a later Arm replaces it.
	Arm struct {
		ID int
		D  time.Duration
	}
	// ForgetCard wipes what the vault holds of every card but Except, and ends the
	// session with the chip, unless KeepChip.
	ForgetCard struct {
		Except   pos.CardRef
		KeepChip bool
	}
	// StartChip begins with the card in the slot; Full: with cryptograms, else it is
	// only read. Online: it may not approve by itself. It ends as Presented, then
	// waits for GoChip; or as Unreadable or ChipSaid.
	StartChip struct {
		Kind    pos.TxnKind
		Process string // DE 3
		Amount  pos.Amount
		STAN    pos.STAN // that the request will have
		Full    bool
		Online  bool
	}
	// PickApp, GoChip and GiveChip let it go on: with an application, behind the
	// rules and the confirm step, with what came of a PIN.
	PickApp  struct{ Index int }
	GoChip   struct{}
	GiveChip struct{ PIN PINOutcome }
	// TellChip hands it the host's word, or that there is none. After: the payment is
	// decided, the card only hears of it.
	TellChip struct {
		Reach    ReplyKind
		Approved bool
		RC       pos.ResponseCode
		After    bool
		Never    bool // the card may not approve by itself
	}
	// NoteEvent is PutEvent for what needs no commit of its own: it goes with the
	// next one.
	NoteEvent struct{ Event throttle.Event }
	// ReadNumber lets the keypad fill a card number and its expiry, unseen; it
	// ends as Presented or TypeDone. ReadSecret likewise a PIN, checked against
	// that of a person; it ends as Named. StopReading ends either.
	ReadNumber struct{}
	ReadSecret struct {
		Who  int
		Boss bool // a supervisor or a technician is wanted
		Tech bool // a technician, and nobody else
	}
	// ReadToken takes the next card as a person's token; it ends as Named.
	ReadToken   struct{ Who int }
	StopReading struct{}
	// ReadPart lets a custodian key part Part of the master key and its check
	// value, unseen; it ends as PartDone. Part 0: the check value of the whole key,
	// and the parts are put together; it ends as KeyDone. DropParts forgets them.
	ReadPart  struct{ Part int }
	DropParts struct{}
	// Vouch adds to the chain of what must be provable.
	Vouch struct {
		What, Text string
		By         uint8
	}
	// PageKey hands a key to the page that is open; Key "" opens it, "cancel"
	// closes it.
	PageKey struct {
		Page Page
		Key  Key
		Who  int // Key "named": the person the page had asked for
	}
	// Decided tells what the rules said, for the log and the diagnosis.
	Decided struct {
		Decision throttle.Decision
		On       throttle.Point
		ID       pos.RecordID
		Masked   pos.MaskedPAN
	}
	// Sound and Log.
	Sound struct{ Tone Tone }
	Log   struct {
		Code   prompt.Code
		ID     pos.RecordID
		Amount pos.Amount
		Masked pos.MaskedPAN
		RC     pos.ResponseCode
		Why    prompt.Code
		N      int
		Text   string
	}
)

// Tone of a Sound.
type Tone uint8

const (
	ToneKey Tone = iota
	ToneGood
	ToneBad
	ToneAttention
)

func (PutRecord) effect()   {}
func (StartChip) effect()   {}
func (PickApp) effect()     {}
func (GoChip) effect()      {}
func (GiveChip) effect()    {}
func (TellChip) effect()    {}
func (DropRecord) effect()  {}
func (PutSale) effect()     {}
func (EditSale) effect()    {}
func (CloseBatch) effect()  {}
func (PutCard) effect()     {}
func (PutEvent) effect()    {}
func (PutOrder) effect()    {}
func (NoteEvent) effect()   {}
func (ReadNumber) effect()  {}
func (ReadSecret) effect()  {}
func (ReadToken) effect()   {}
func (StopReading) effect() {}
func (ReadPart) effect()    {}
func (DropParts) effect()   {}
func (Vouch) effect()       {}
func (PageKey) effect()     {}
func (Decided) effect()     {}
func (SendSale) effect()    {}
func (SendRecord) effect()  {}
func (SendSignOn) effect()  {}
func (SendAdmin) effect()   {}
func (SendSettle) effect()  {}
func (FindSale) effect()    {}
func (ReadPIN) effect()     {}
func (Print) effect()       {}
func (PrintTotals) effect() {}
func (PrintTicket) effect() {}
func (Wake) effect()        {}
func (Arm) effect()         {}
func (ForgetCard) effect()  {}
func (Sound) effect()       {}
func (Log) effect()         {}

// IsRow tells whether an effect is written by the commit.
func IsRow(e Effect) bool {
	switch e.(type) {
	case PutRecord, DropRecord, PutSale, EditSale, CloseBatch, PutCard, PutEvent, PutOrder, KeepTable, PutTables:
		return true
	}
	return false
}
