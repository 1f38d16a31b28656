package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// Kind of an event.
type Kind string

const (
	Booted       Kind = "booted"
	KeyPressed   Kind = "key"
	Presented    Kind = "presented"  // a card was read
	Unreadable   Kind = "unreadable" // a card was swiped and not read; Code says why
	PINCounted   Kind = "pin-count"
	PINDone      Kind = "pin-done"
	TimerExpired Kind = "timer"
	OutboxDue    Kind = "outbox-due" // a record's next try is due
	Progress     Kind = "progress"   // the exchange moved on: Code is the step's prompt
	SaleDone     Kind = "sale-done"  // the exchange of the open intent ended; Reply
	RecordDone   Kind = "record-done"
	SignOnDone   Kind = "signon-done"
	AdminDone    Kind = "admin-done"
	SettleDone   Kind = "settle-done"
	TablesDone   Kind = "tables-done"
	LogReady     Kind = "log-ready" // a piece of the log lies ready for the host: Log
	LogDone      Kind = "log-done"  // a piece of it was tried: N, Reply
	Found        Kind = "found"     // the row that was looked up; Row, empty if there is none
	PrintDone    Kind = "print-done"
	Closed       Kind = "closed"  // a supervisor closed a record: Record, Reason
	Parked       Kind = "parked"  // a supervisor put a record on the unresolved list: Record, Reason
	Signed       Kind = "signed"  // a supervisor lets a restored terminal sell: Reason
	Faulted      Kind = "faulted" // the device halts: Code says why
	Mended       Kind = "mended"  // the fault is gone
	Typed        Kind = "typed"   // a hidden entry has N digits
	TypeDone     Kind = "type-done"
	PartDone     Kind = "part-done"  // a custodian's part N was keyed: OK and its check value, or Code
	KeyDone      Kind = "key-done"   // the parts were put together: OK and the check value of the key, or Code
	Inserted     Kind = "inserted"   // a card went into the slot
	Removed      Kind = "removed"    // the card was taken out of the slot
	ChipSaid     Kind = "chip"       // the kernel of the card in the slot: Chip
	NameTried    Kind = "name-tried" // a person's PIN is about to be checked: N
	Named        Kind = "named"      // a person's PIN or token was checked: N, OK, Code
	PageAsks     Kind = "page-asks"  // the page that is open wants a person's PIN; OK: a technician's
	PageEcho     Kind = "page-echo"  // the page that is open, or the night, wants an echo
	Tick         Kind = "tick"       // a minute has gone by
)

// Key is a key's name as hal.Key prints it.
type Key string

// PINOutcome of a PIN entry.
type PINOutcome string

const (
	PINEntered   PINOutcome = "entered"
	PINBypassed  PINOutcome = "bypassed"
	PINCancelled PINOutcome = "cancelled"
	PINTimedOut  PINOutcome = "timed-out"
	PINFailed    PINOutcome = "failed"
)

// ReplyKind is how an exchange ended.
type ReplyKind string

const (
	// NotSent: known, not guessed, that no byte of the message left.
	NotSent ReplyKind = "not-sent"
	// NoAnswer: bytes may have left, and no valid answer came in time.
	NoAnswer ReplyKind = "no-answer"
	// Answered: an answer that parses and matches came.
	Answered ReplyKind = "answered"
)

// MACState of an answer.
type MACState string

const (
	MACValid   MACState = "valid"
	MACWrong   MACState = "wrong"
	MACMissing MACState = "missing"
)

// Reply is the end of one exchange, without anything that only the host link
// or the vault may know.
type Reply struct {
	Kind     ReplyKind
	Code     prompt.Code // NotSent, NoAnswer: the link's cause as a prompt
	Broken   bool        // NoAnswer: the link broke, rather than time running out
	RC       pos.ResponseCode
	MAC      MACState
	Amount   int64 // DE 4 of the answer, minor units; -1 if absent
	RRN      pos.RRN
	Auth     pos.AuthCode
	HostTime string // DE 13 + DE 12
	Issuer   string
	Org      string
	Host     string        // DE 63 texts
	Order    int           // processing requirement of the header; 0 none
	Batch    pos.BatchNo   // sign-on: DE 60.2
	KeysOK   bool          // sign-on: all check values matched and the keys are in
	KeysWhy  prompt.Code   // sign-on: why they are not
	LeftBy   time.Duration // logical time after which no byte of the request can leave any more
	Balance  int64         // DE 54 of a balance inquiry, minor units
	HasBal   bool
	Wall     int64      // Unix ms: what the host's clock says, if the answer is believed; 0 nothing
	Code48   byte       // settlement: '1' balanced, '2' not, '3' error; 0 none
	Totals   pos.Totals // settlement: the host's; zero if it sends none
	Params   Params     // parameter download
}

// Cause is why things go wrong lately, in one sentence.
type Cause struct {
	Code  prompt.Code
	Args  prompt.Args
	Lasts bool // it is about the device or its surroundings, and stands on the ready screen, too
	// Perhaps are what prompt.CauseUnsure hesitates between: it is said where
	// each of them could be.
	Perhaps [2]prompt.Code
}

// Event is one fact, with its time in it.
type Event struct {
	Kind Kind
	At   pos.Time

	// What Step cannot know by itself, gathered by the loop for every event.
	Due      int      // reversals and script results whose next try is due now
	Later    int      // advices and uploads that are due now
	Untried  int      // records not tried since the settlement began
	HighSTAN pos.STAN // the highest STAN of any row kept, for money rule 6
	OpenRev  int      // reversals in the outbox, armed one excluded
	Twin     pos.Sale // Presented: the youngest row of the batch with that card and amount; zero none
	OpenSum  int64    // their sum, minor units
	Uploads  int      // status uploads that wait
	// While a piece of the log is on its way: records of the outbox that wait, due or not, and
	// the logical time at which somebody was at the desk last.
	Waiting int
	Touched time.Duration
	SAF     SAF         // advices that wait
	Upload  Upload      // settling: the next rows to upload
	Rand    uint32      // for jitter
	NoRoom  prompt.Code // the store could not hold another sale: why; "" it can

	// What the rules look at. Rules nil: there are none, and nothing is stopped.
	Rules *throttle.Rules
	Watch throttle.Facts // of the card that this event is about; its Key is zero if there is none
	// Cause is what the diagnosis is sure of; zero: of nothing.
	Cause Cause
	// Hint is what the ready screen should say beside it; zero: nothing.
	Hint Cause
	// Scroll is how far the page on the screen can be scrolled, in lines.
	Scroll int
	// NoRefund: the operator's score wants a lesson first.
	NoRefund bool
	Paid     pos.Sale // Presented: what the order reference has paid; zero nothing

	Key      Key
	Card     pos.CardRef
	Masked   pos.MaskedPAN
	Entry    pos.EntryMode
	MustPIN  bool // Presented: the issuer demands a PIN, by service code or application
	Gated    bool // this card has an open reversal
	HasChip  bool // Presented: a stripe that says that the card has a chip; Unreadable: it was a chip
	Chip     Says
	Code     prompt.Code
	N        int          // PINCounted: digits; TimerExpired: the timer's id; LogDone: SendLog's Gen
	ID       pos.RecordID // PrintDone
	PIN      PINOutcome
	Reply    Reply
	Tables   TablesFacts // TablesDone
	Log      LogRun      // LogReady
	Record   pos.Record  // RecordDone, Closed: the record as it was
	Row      pos.Sale    // Found
	SameOrig bool        // an advice for the same original is on its way
	Reason   string      // Closed: the supervisor's
	Profile  Profile     // Booted
	OK       bool        // Named, TypeDone, PartDone, KeyDone
	Check    string      // PartDone, KeyDone: a check value, six hex digits
}
