package pos

import "time"

// TxnKind names a kind of transaction, in the words of the script language.
type TxnKind string

// KindSale is a purchase, 0200.
const KindSale TxnKind = "sale"

// RecordState of a record in the outbox.
type RecordState string

const (
	// RecordArmed: written with the intent, before the first byte leaves. It
	// goes out only if the intent ends unknown; any intent found at boot does.
	RecordArmed      RecordState = "armed"
	RecordQueued     RecordState = "queued"     // due, or waiting for its next try
	RecordUnresolved RecordState = "unresolved" // the host's word did not close it; a person must
)

// RecordID names a record of the outbox and of the batch: unique on the device
// (the host's own key is terminal + batch + STAN).
type RecordID struct {
	Context string  `json:"context"` // the host context (TID, MID, keys, batch, STAN) it belongs to
	Batch   BatchNo `json:"batch"`
	STAN    STAN    `json:"stan"`
}

// Reversal is the complete image of a 0400, save for the card number and its
// expiry, which the store keeps sealed beside it. HOST §1.4.
type Reversal struct {
	RecordID
	Kind      TxnKind       `json:"kind"` // of the original
	State     RecordState   `json:"state"`
	Amount    Amount        `json:"amount"`
	Card      CardRef       `json:"card"`
	Masked    MaskedPAN     `json:"masked"`
	Process   string        `json:"process"`   // DE 3 of the original
	Entry     string        `json:"entry"`     // DE 22 of the original, "021"
	Condition string        `json:"condition"` // DE 25 of the original
	Type60    string        `json:"type60"`    // DE 60 of the original
	AuthCode  AuthCode      `json:"auth,omitempty"`
	Reason    ResponseCode  `json:"reason"` // DE 39: 98 no answer, A0 wrong MAC, 06 the terminal failed
	Order     string        `json:"order,omitempty"`
	At        Time          `json:"at"`                   // of the intent
	LeftBy    time.Duration `json:"left_by"`              // logical time after which no byte of the original can leave any more
	Tries     int           `json:"tries"`                // times sent; a failed dial uses up none
	Next      time.Duration `json:"next"`                 // logical time of the next try
	LastError string        `json:"last_error,omitempty"` // a code or DE 39
}

// Sale is a row of the batch: one transaction the host approved.
type Sale struct {
	RecordID
	Kind     TxnKind      `json:"kind"`
	Amount   Amount       `json:"amount"` // what was approved
	Asked    Amount       `json:"asked"`  // what was asked; differs on a partial approval (DE 39 = 10)
	Card     CardRef      `json:"card"`
	Masked   MaskedPAN    `json:"masked"`
	Entry    string       `json:"entry"` // DE 22
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
}
