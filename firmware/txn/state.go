package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// Phase is where the terminal stands with its cashier.
type Phase uint8

const (
	Starting    Phase = iota // no Booted event yet
	Ready                    // idle, or a result of earlier on the screen
	Keying                   // an amount is being keyed
	AwaitCard                // amount done, card wanted
	Confirming               // amount and card on the screen, enter wanted
	EnteringPIN              // the PIN pad is active
	Preparing                // what must go before the transaction: reversals, sign-on
	Online                   // the intent is on flash; the fate of money is open
	Result                   // the outcome is on the screen
	InMenu
	Busy     // a sign-on or echo that the cashier asked for
	Halted   // no sale: a fault that someone must mend
	Entering // a number of an original is being keyed: STAN, RRN, date, code
	Looking  // the row of an original is being looked up
	Settling // the batch is being settled: no sale into it
	Choosing // a rule asks: the default never charges
	Stopped  // a rule stopped this card; another may be presented
	Naming   // a person names themselves: number, PIN, token
	Typing   // a card number is being typed; its digits are nobody's but the vault's
	Paging   // a page for people is on the screen
	Loading  // custodians enter a master key
	Reading  // the chip of a card is at work
	Picking  // the cardholder chooses an application of the chip
	Fetching // tables for chip cards are downloaded
)

var phases = [...]string{"starting", "ready", "keying", "await-card", "confirming", "entering-pin", "preparing", "online", "result", "in-menu", "busy", "halted",
	"entering", "looking", "settling", "choosing", "stopped", "naming", "typing", "paging", "loading", "reading", "picking", "fetching"}

func (p Phase) String() string { return phases[min(int(p), len(phases)-1)] }

// Work is what the line does at the moment: one thing at a time.
type Work uint8

const (
	WorkNone   Work = iota
	WorkSale        // the transaction in front of us
	WorkRecord      // one record of the outbox
	WorkSignOn
	WorkAdmin  // echo, sign-off, parameters, status
	WorkSettle // one message of the settlement
	WorkCard   // nothing: the card must have its word first
	WorkTables // one message of a download
	WorkLog    // one piece of the log
)

// Profile is what the acquirer and the board decide. It is constant between
// two boots and rides in State so that Step needs nothing else.
type Profile struct {
	Context       string        // name of the host context
	Currency      pos.Currency  //
	MaxAmount     int64         // minor units; a sale above it is refused at the key
	SettleAfter   time.Duration // money rule 5: 12 or 25 closes a reversal only so long after the last byte (90 s)
	MaxOpen       int           // open reversals with which other cards may still pay (3; 0 = none)
	CardTimeout   time.Duration // wait for a card, for a confirm key, for a PIN
	ConfirmTime   time.Duration
	PINTimeout    time.Duration
	PINPad        bool   // fitted; without one no PIN is asked
	NoBypass      bool   // no card may do without its PIN, whatever its issuer says
	Printer       bool   // fitted
	Slot          bool   // for chips, fitted
	Fallback      int    // so many chips unread, and the stripe may serve; 0 is 1
	NoMACDeclines bool   // this host sends no MAC on a refusal (money rule 4)
	NoMAC         bool   // this host sends no MAC at all
	Tail60        string // DE 60 behind type and batch: network code 000, capability, condition
	Offline       Offline
	Lang          string // language of a fresh store
	Staff         int    // persons that can name themselves; 0: nobody can approve
	Duty          Duty
	LogUpload     bool // this host takes the log, by a message of the dialect's private use
	LogOrder      bool // and may ask for it
}

// Intent is a request whose fate is open: from the commit before its first
// byte leaves to the commit of its outcome.
type Intent struct {
	ID     pos.RecordID
	Kind   pos.TxnKind
	Amount pos.Amount
	Card   pos.CardRef
	Masked pos.MaskedPAN
	Entry  string // DE 22
	Orig   pos.Original
	At     pos.Time
	PIN    bool
	Order  string        // an order reference, "" none
	Op     uint8         // the operator
	Began  time.Duration // logical: when its amount was begun
	Chip   pos.Chip      `json:",omitzero"` // what goes with the request
}

// Outcome of the last transaction, for the first screen after a boot.
type Last struct {
	ID        pos.RecordID
	Kind      pos.TxnKind
	Amount    pos.Amount
	Masked    pos.MaskedPAN
	Auth      pos.AuthCode
	RRN       pos.RRN
	Date      string // MMDD
	Code      prompt.Code
	Unprinted bool // approved, and the slip is not known to be out
}

// Params are what the acquirer's parameter download has set; zero: not set.
// HOST §1.3, "62 status upload".
type Params struct {
	Answer time.Duration // 12: wait for an answer
	TipOn  bool          // 18
	TipMax int           // 19: per cent of the sale
}

// Durable is the part of State that the store keeps.
type Durable struct {
	STAN      pos.STAN    // last used
	Batch     pos.BatchNo // 0 before the first sign-on
	SignedOn  bool        // the session keys fit, as far as we know
	Lang      string      // "zh" or "en"
	Open      Intent      // zero: none
	Last      Last
	Sales     int          // rows in the open batch
	Totals    pos.Totals   // of those that count
	Reversals int          // reversals in the outbox, armed one excluded
	Booked    pos.Original // the last row that counts: what a void or refund offers first
	PreAuth   pos.Original // the last pre-authorisation that is open
	Settle    Settle
	Settled   Settled // the batch before this one
	Params    Params
	ParamsAt  int64    // Unix seconds at which they came
	Restored  Restored // nothing is sold while it is not zero
	Tampered  bool     `json:",omitempty"` // the case was opened: out of use for good
	Clock     throttle.Clock
	Desk      throttle.Desk
	Seen      bool          // a card was remembered: an empty table is a lost one
	Operator  uint8         // who is signed on at the desk, 0 nobody
	Opened    time.Duration // throttle time of the first row of the open batch; 0 none
	Log       LogRun        `json:",omitzero"` // what of the log is on its way to the host
	LogAt     time.Duration `json:",omitzero"` // logical: when the last such run was begun
	Saved     pos.Time      // when this was written: logical time goes on from here
}

// Restored tells that the store came from a backup of which a tail may be
// missing: the batch is compared with the host first, then a supervisor signs.
type Restored uint8

const (
	NotRestored     Restored = iota
	RestoredCompare          // a settlement must compare the batch with the host
	RestoredSign             // done; a supervisor must sign
)

func (r Restored) code() prompt.Code {
	return [...]prompt.Code{"", prompt.Restored, prompt.RestoredSign}[min(r, RestoredSign)]
}

// Skipped is the durable part of a store whose tail may be missing. No day has
// so many transactions: the numbers go past every one that can have been used.
func (d Durable) Skipped() Durable {
	const jump = 100_000
	d.STAN = (d.STAN+jump-1)%pos.MaxSTAN + 1
	d.Restored, d.SignedOn = RestoredCompare, false
	// What cards did lately may be lost as well: each is asked about for a day.
	d.Desk.Safe = d.Clock.Now(d.Saved.Logical, zone).At + throttle.SafeTime
	return d
}

// State is small and comparable: it can be a map key, it is stored whole.
type State struct {
	Durable Durable
	Profile Profile

	Phase    Phase
	Code     prompt.Code // what the screen says
	Args     prompt.Args
	Note     prompt.Code // a second message below it
	NoteArgs prompt.Args

	Kind       pos.TxnKind // of the transaction in front of us
	Step       int         // where its form stands
	Keyed      int64       // amount being keyed, minor units
	Decimals   int8        // -1: digits shift in from the right; 0..2: so many keyed behind the dot
	Typed      string      // digits of the number being keyed
	Orig       pos.Original
	OrigKind   pos.TxnKind
	OrigAmount int64 // of the row that was looked up
	Menu       Level
	Sel        int // selected menu item

	Card   pos.CardRef // in front of us, AwaitCard..Online
	Masked pos.MaskedPAN
	Entry  string // DE 22 digits 1–2
	PINLen int    // stars on the screen
	Slot   Slot
	Must   bool     // the issuer of this card demands a PIN
	PIN    bool     // a PIN was entered
	Twin   pos.STAN // the sale that this one may be by mistake; 0 none, or no longer in the batch

	Cold     bool          // the host has not told the time since the start
	Form     uint16        // number of this form since the start: what happened to one customer
	Began    time.Duration // logical: when the form was begun
	Shown    time.Duration // logical: when the confirm step came up
	Order    string        // the order reference, "" none
	Typo     int64         // an amount that was asked for once more
	Qty      int           // how many of the price were keyed; 0 not asked
	Stop     Stop          // what a rule says of the card in front of us
	Caution  prompt.Code   // said beside the next steps
	CautionA prompt.Args
	Grant    throttle.Grant
	Name     Person // who is naming themselves, and for what
	Custody  Custody
	NoKey    bool // halted for want of a master key: custodians may enter one
	Help     bool // a help page covers the screen
	Page     Page
	Line     int // first line of the page or the help

	Work       Work
	Admin      AdminKind
	Tables     TablesRun
	Wanted     Wanted
	WantSignOn bool          // the host ordered one, or an answer said the keys are off
	DialFails  int           // failed dials in a row; they use up no try of a record
	Hold       time.Duration // logical: the outbox rests until then
	Resigned   int           // sign-ons in a row that a reversal asked for
	Timer      int           // id of the running operator timer; older expiries are stale
	Printing   bool
	LogGen     int         // of the piece of the log that is under way
	LogSaid    prompt.Code // what became of the last upload of the log, "" none yet
	LogArgs    prompt.Args
}

// Open tells whether an intent is open.
func (i Intent) Open() bool { return i.ID.STAN != 0 }

// New is the state before the first Booted event.
func New(d Durable) State { return State{Durable: d, Phase: Starting, Code: prompt.Boot, Decimals: -1} }
