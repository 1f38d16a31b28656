package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// Effect is one order as data. Row effects are part of the commit; the others
// run after it.
type Effect interface{ effect() }

// Row effects.
type (
	// PutReversal writes or replaces a record of the outbox.
	PutReversal struct{ Record pos.Reversal }
	// DropReversal removes one: by the host's word, or because its intent was
	// proven never sent.
	DropReversal struct{ ID pos.RecordID }
	// PutSale writes a row of the batch.
	PutSale struct{ Row pos.Sale }
	// MarkPrinted sets the printed mark of a row.
	MarkPrinted struct{ ID pos.RecordID }
)

// Effects that act on the world.
type (
	// SendSale sends the open intent; it ends as SaleDone.
	SendSale struct{ Intent Intent }
	// SendReversal sends the most urgent record that is due; it ends as
	// ReversalDone. Card, if not zero, asks for that card's record, due or not.
	SendReversal struct{ Card pos.CardRef }
	// SendSignOn and SendEcho end as SignOnDone and EchoDone.
	SendSignOn struct{ STAN pos.STAN }
	SendEcho   struct{}
	// ReadPIN activates the PIN pad; it ends as PINDone.
	ReadPIN struct{ Timeout time.Duration }
	// Print prints a row's slip; it ends as PrintDone. Copy marks one that a
	// power cut or the paper delayed (补打); Again a reprint (重打印).
	Print struct {
		ID          pos.RecordID
		Copy, Again bool
	}
	// Arm starts the operator's timer; a later Arm replaces it.
	Arm struct {
		ID int
		D  time.Duration
	}
	// ForgetCard wipes what the vault holds of every card but Except.
	ForgetCard struct{ Except pos.CardRef }
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

func (PutReversal) effect()  {}
func (DropReversal) effect() {}
func (PutSale) effect()      {}
func (MarkPrinted) effect()  {}
func (SendSale) effect()     {}
func (SendReversal) effect() {}
func (SendSignOn) effect()   {}
func (SendEcho) effect()     {}
func (ReadPIN) effect()      {}
func (Print) effect()        {}
func (Arm) effect()          {}
func (ForgetCard) effect()   {}
func (Sound) effect()        {}
func (Log) effect()          {}

// IsRow tells whether an effect is written by the commit.
func IsRow(e Effect) bool {
	switch e.(type) {
	case PutReversal, DropReversal, PutSale, MarkPrinted:
		return true
	}
	return false
}
