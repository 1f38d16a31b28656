package pos

import (
	"fmt"
	"time"
)

// TxnKind names a kind of transaction, in the words of the script language.
type TxnKind string

// The kinds of HOST §1.4 that move or hold money, or ask about it.
const (
	KindSale             TxnKind = "sale"            // 0200
	KindVoid             TxnKind = "void"            // 0200, of a sale of this batch
	KindRefund           TxnKind = "refund"          // 0220, of a sale of an earlier batch
	KindPreAuth          TxnKind = "preauth"         // 0100
	KindPreAuthVoid      TxnKind = "preauth-void"    // 0100
	KindCompletion       TxnKind = "complete"        // 0200
	KindCompletionAdvice TxnKind = "complete-advice" // 0220
	KindCompletionVoid   TxnKind = "complete-void"   // 0200
	KindBalance          TxnKind = "balance"         // 0200
	KindOffline          TxnKind = "offline"         // 0220, with a voice authorisation
	KindChipOffline      TxnKind = "chip-offline"    // 0220, approved by the card itself
	KindAdjust           TxnKind = "adjust"          // 0220, another amount for an offline sale
	KindTip              TxnKind = "tip"             // 0220
	KindStatus           TxnKind = "status"          // 0820, moves nothing
)

// Class of a record in the outbox. Each has an order of its own; a lower one
// goes before a higher one. HOST §3.4.
type Class uint8

const (
	ClassReversal Class = 1 // 0400
	ClassScript   Class = 2 // 0620, issuer script results
	ClassAdvice   Class = 3 // 0220
	ClassUpload   Class = 4 // 0820, status and logs
)

// Classes lists them in the order in which they go out.
var Classes = [...]Class{ClassReversal, ClassScript, ClassAdvice, ClassUpload}

var classNames = [...]string{"", "reversal", "script", "advice", "upload"}

func (c Class) String() string { return classNames[min(int(c), len(classNames)-1)] }

// RecordState of a record in the outbox.
type RecordState string

const (
	// RecordArmed: written with the intent, before the first byte leaves. It
	// goes out only if the intent ends unknown; any intent found at boot does.
	RecordArmed      RecordState = "armed"
	RecordQueued     RecordState = "queued"     // due, or waiting for its next try
	RecordRefused    RecordState = "refused"    // an advice that the host will not book; a person must
	RecordUnresolved RecordState = "unresolved" // the host's word did not close it; a person must
)

// RecordID names a record of the outbox and of the batch: unique on the device
// (the host's own key is terminal + batch + STAN).
type RecordID struct {
	Context string  `json:"context"` // the host context (TID, MID, keys, batch, STAN) it belongs to
	Batch   BatchNo `json:"batch"`
	STAN    STAN    `json:"stan"`
}

// Original is what a void, refund, completion or adjustment says of the
// transaction it refers to: DE 61, 37 and 38. HOST §1.3.
type Original struct {
	Batch BatchNo  `json:"batch,omitempty"`
	STAN  STAN     `json:"stan,omitempty"`
	Date  string   `json:"date,omitempty"` // MMDD
	RRN   RRN      `json:"rrn,omitempty"`
	Auth  AuthCode `json:"auth,omitempty"`
}

// Record is one message of the outbox, complete save for the card number and
// its expiry, which the store keeps sealed beside it; the MAC is made anew on
// each try. HOST §1.4.
type Record struct {
	RecordID
	Class     Class         `json:"class"`
	Kind      TxnKind       `json:"kind"` // of the original, or of the advice
	State     RecordState   `json:"state"`
	Amount    Amount        `json:"amount"`
	Card      CardRef       `json:"card"`
	Masked    MaskedPAN     `json:"masked"`
	Process   string        `json:"process"`              // DE 3
	Entry     string        `json:"entry"`                // DE 22, "021"
	Condition string        `json:"condition"`            // DE 25
	Type60    string        `json:"type60"`               // DE 60
	Orig      Original      `json:"orig,omitzero"`        // DE 61
	Tip       int64         `json:"tip,omitempty"`        // DE 48 of a tip, minor units
	Was       int64         `json:"was,omitempty"`        // the amount before an adjustment, minor units
	AuthCode  AuthCode      `json:"auth,omitempty"`       // DE 38: got with the answer, or by voice
	Reason    ResponseCode  `json:"reason,omitempty"`     // DE 39 of a reversal: 98 no answer, A0 wrong MAC, 06 the terminal failed
	At        Time          `json:"at"`                   // of the intent
	LeftBy    time.Duration `json:"left_by"`              // logical time after which no byte of the original can leave any more
	Tries     int           `json:"tries"`                // times sent; a failed dial uses up none
	Tried     time.Duration `json:"tried,omitempty"`      // logical time of the last try
	Next      time.Duration `json:"next"`                 // logical time of the next try
	LastError string        `json:"last_error,omitempty"` // a code or DE 39
	Chip      Chip          `json:"chip,omitzero"`        // DE 23 and 55
}

// Chip is what a record or a row keeps of the card's chip: no number, no track and
// no PIN is in it.
type Chip struct {
	PSN string `json:"psn,omitempty"` // DE 23, three digits
	// ICC is in hexadecimal: of a record DE 55 of its message, of a row the data of
	// the last cryptogram, which settlement uploads.
	ICC   string `json:"icc,omitempty"`
	AID   string `json:"aid,omitempty"` // 9F06, hexadecimal
	Label string `json:"label,omitempty"`
	TSI   string `json:"tsi,omitempty"` // hexadecimal; it is in no message
	// AuthFailed: the issuer approved, and the card did not believe that it was the
	// issuer. Settlement has a class of its own for it. HOST §1.4.
	AuthFailed bool `json:"auth_failed,omitempty"`
	Sign       bool `json:"sign,omitempty"`     // the cardholder signs
	Fallback   bool `json:"fallback,omitempty"` // the stripe of a card whose chip could not be read
}

// RowState is what has become of a row of the batch.
type RowState string

const (
	RowBooked  RowState = ""        // the host approved it
	RowPending RowState = "pending" // 待上送: made offline, the host has not heard of it
	RowRefused RowState = "refused" // made offline, and the host would not have it
	RowVoided  RowState = "voided"  // taken back by a void of this batch
)

// Sale is a row of the batch: one transaction that the customer was told of as
// done.
type Sale struct {
	RecordID
	Kind     TxnKind      `json:"kind"`
	State    RowState     `json:"row_state,omitempty"`
	Amount   Amount       `json:"amount"` // what was approved
	Asked    Amount       `json:"asked"`  // what was asked; differs on a partial approval (DE 39 = 10)
	Tip      int64        `json:"tip,omitempty"`
	Card     CardRef      `json:"card"`
	Masked   MaskedPAN    `json:"masked"`
	Entry    string       `json:"entry"` // DE 22
	Orig     Original     `json:"orig,omitzero"`
	RC       ResponseCode `json:"rc"`
	RRN      RRN          `json:"rrn"`
	AuthCode AuthCode     `json:"auth,omitempty"`
	HostTime string       `json:"host_time,omitempty"` // DE 13 + DE 12, MMDDhhmmss
	Issuer   string       `json:"issuer,omitempty"`    // DE 44
	Org      string       `json:"org,omitempty"`       // DE 63.1, CUP
	Host     string       `json:"host,omitempty"`      // DE 63 texts for people
	At       Time         `json:"at"`
	Printed  bool         `json:"printed"`
	PINUsed  bool         `json:"pin"`
	Uploaded bool         `json:"uploaded,omitempty"` // its detail went up in a batch upload
	Order    string       `json:"order,omitempty"`    // the merchant's order reference
	Op       uint8        `json:"op,omitempty"`       // the operator's number
	Chip     Chip         `json:"chip,omitzero"`
}

// Date is MMDD of the transaction: the host's, or else the device's own.
func (s Sale) Date() string {
	if len(s.HostTime) >= 4 {
		return s.HostTime[:4]
	}
	return s.At.WallTime(CST).Format("0102")
}

// Totals of a batch as they are settled. HOST §1.4, 0500.
type Totals struct {
	DebitN  int   `json:"debit_n"`
	Debit   int64 `json:"debit"` // sales, completions, offline sales, tips; minor units
	CreditN int   `json:"credit_n"`
	Credit  int64 `json:"credit"` // refunds
}

// Add books a row of kind k once (n = 1) or takes it back (n = -1).
func (t *Totals) Add(k TxnKind, amount int64, n int) {
	switch k {
	case KindSale, KindCompletion, KindCompletionAdvice, KindOffline, KindChipOffline:
		t.DebitN += n
		t.Debit += int64(n) * amount
	case KindRefund:
		t.CreditN += n
		t.Credit += int64(n) * amount
	case KindTip, KindAdjust: // they change a row that is there
		t.Debit += int64(n) * amount
	}
}

// Of adds up rows, as a check of what was counted along the way.
func (t *Totals) Of(s Sale) {
	if s.State == RowVoided || s.State == RowRefused {
		return
	}
	switch s.Kind {
	case KindVoid, KindCompletionVoid, KindPreAuth, KindPreAuthVoid, KindBalance, KindTip, KindAdjust:
		return
	}
	t.Add(s.Kind, s.Amount.Minor+s.Tip, 1)
}

// String is for people and logs: "12 188.00 / 1 5.00".
func (t Totals) String() string {
	return fmt.Sprintf("%d %s / %d %s", t.DebitN, Fen(t.Debit), t.CreditN, Fen(t.Credit))
}
