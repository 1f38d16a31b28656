package console

import (
	"context"
	"time"

	"swipewell/firmware/care"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/recovery"
	"swipewell/firmware/role"
	"swipewell/firmware/role/challenge"
	"swipewell/firmware/throttle"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// Backend is the device as the service sees it. Its methods may be called from
// several goroutines and must not block on the world.
type Backend interface {
	Status(ctx context.Context) (Status, error)
	// Queue is the outbox, in the order of the intents; an armed record is of
	// the sale that is under way.
	Queue(ctx context.Context) ([]pos.Record, error)
	// Batch calls fn for each row of the open batch until fn fails.
	Batch(ctx context.Context, fn func(pos.Sale) error) error
	// CloseRecord takes a record out of the outbox on a supervisor's word.
	CloseRecord(ctx context.Context, stan pos.STAN, reason string) (pos.Record, error)
	// ParkRecord puts a record that is being sent on the unresolved list.
	ParkRecord(ctx context.Context, stan pos.STAN, reason string) (pos.Record, error)
	// Restore makes a store from the last copy and the side logs, adds it up,
	// and with apply puts it in the place of one that cannot be opened.
	Restore(ctx context.Context, apply bool) (Restore, error)
	// Accept is a supervisor's word that a restored terminal may sell again.
	Accept(ctx context.Context, reason string) error
	// Check examines the store; nil if it is whole.
	Check(ctx context.Context) error
	// Page is one of the pages of the device's screen; lang "" is the device's.
	Page(ctx context.Context, name, lang string) (string, error)
	// Alerts are those that nobody has taken yet, or all; TakeAlert is the receipt.
	Alerts(ctx context.Context, all bool) ([]care.Alert, error)
	TakeAlert(ctx context.Context, n int) (care.Alert, error)
	// Limits is what banks' limits cost in thirty days.
	Limits(ctx context.Context) ([]care.LimitSum, error)
	// Recovery is what of money the outbox holds, sealed to the acquirer.
	Recovery(ctx context.Context) (recovery.Head, []recovery.Item, error)
	// Seals is the chain of what must be provable; broken says where it breaks.
	Seals(ctx context.Context) (list []care.Seal, broken, err error)
	// Enrol takes the next card that is drawn as a supervisor's token.
	Enrol(ctx context.Context, who int) error
	// Rules are those in force. TryRules tries a file on the device's own past;
	// LoadRules takes a signed, newer set, which waits; ActivateRules puts it in
	// force.
	Rules(ctx context.Context) (RulesInfo, error)
	TryRules(ctx context.Context, text string, days int) (RulesReport, error)
	LoadRules(ctx context.Context, text string) (RulesReport, error)
	ActivateRules(ctx context.Context) error
}

// RulesInfo are the rules in force.
type RulesInfo struct {
	Name    string   `json:"name"`
	Version int      `json:"version"`
	KeyID   string   `json:"key,omitempty"` // "" of the build
	Profile string   `json:"profile,omitempty"`
	Waiting string   `json:"waiting,omitempty"`
	Rules   []string `json:"rules"` // each as a file writes it
	Text    string   `json:"text"`  // the whole set, likewise
}

// RulesReport is what another set would change.
type RulesReport struct {
	Name    string         `json:"name"`
	Version int            `json:"version"`
	Have    int            `json:"have"` // version in force
	KeyID   string         `json:"key,omitempty"`
	Days    int            `json:"days"`
	Changes []string       `json:"changes"`
	Was     throttle.Tried `json:"was"` // what those in force would have done
	Is      throttle.Tried `json:"is"`
	More    int            `json:"more"` // attempts that only the new set stops
	Less    int            `json:"less"`
	Waits   bool           `json:"waits,omitempty"` // it was taken, and waits for a supervisor
}

// Opts of a Server and a Shell.
type Opts struct {
	Backend Backend
	Journal *journal.Journal
	Clock   hal.Clock // nil means the machine's
	Lang    string    // of the Shell at its start: "zh" or "en"; "" means en
	// Desk lets in who has a key, by challenge; nil: nobody has one.
	Desk *challenge.Desk
	// Logins are the roles that may log in by PIN, with the hashes of their PINs
	// (role.Hash): on a bench, and where nobody of the role has a key.
	Logins map[Role]string
	// Locks count wrong tries; nil: nobody logs in.
	Locks Locks
	// Upkeep is updates and restarts from a Shell; nil: this device has none.
	Upkeep Upkeep
}

// Locks count the wrong tries of each role over all sessions and power cuts.
type Locks interface {
	Left(role string) time.Duration           // 0: it may try
	Wrong(role string) (time.Duration, error) // counted when it returns; how long it is locked now
	Right(role string) error
}

// Role of a person at the service cable; "" is nobody.
type Role = role.Role

const (
	Cashier    = role.Cashier
	Technician = role.Technician
	Supervisor = role.Supervisor
	Engineer   = role.Engineer
)

// Status is what the device says of itself.
type Status struct {
	Version      string         `json:"version"`
	Board        string         `json:"board"`
	Bench        bool           `json:"bench"`
	Terminal     pos.TerminalID `json:"terminal"`
	Merchant     pos.MerchantID `json:"merchant"`
	MerchantName string         `json:"merchant_name,omitempty"`
	Context      string         `json:"context"` // name of the host context

	Phase    string      `json:"phase"`  // txn.Phase in words
	Screen   prompt.Code `json:"screen"` // what the screen says
	SignedOn bool        `json:"signed_on"`

	Batch pos.BatchNo `json:"batch"`
	Sales int         `json:"sales"` // rows in the open batch
	Total pos.Amount  `json:"total"` // their sum
	STAN  pos.STAN    `json:"stan"`  // last used

	Open       bool      `json:"open"`       // an intent is open: the fate of a sale is not known
	Reversals  int       `json:"reversals"`  // waiting to be sent
	Advices    int       `json:"advices"`    // offline sales, refunds and others that wait
	Refused    int       `json:"refused"`    // of these, refused by the host; a person must settle them
	Unresolved int       `json:"unresolved"` // a person must settle these
	Last       *LastSale `json:"last,omitempty"`

	Links   []Link   `json:"links"`
	Devices []Device `json:"devices"` // the board's report
	Store   Store    `json:"store"`

	Time       pos.Time      `json:"time"` // wall and logical, now
	Up         time.Duration `json:"up"`   // since the program began
	LogDropped uint64        `json:"log_dropped"`
}

// LastSale is the outcome of the last transaction.
type LastSale struct {
	ID        pos.RecordID  `json:"id"`
	Kind      pos.TxnKind   `json:"kind"`
	Amount    pos.Amount    `json:"amount"`
	Masked    pos.MaskedPAN `json:"masked"`
	Auth      pos.AuthCode  `json:"auth,omitempty"`
	RRN       pos.RRN       `json:"rrn,omitempty"`
	Code      prompt.Code   `json:"code"`
	Unprinted bool          `json:"unprinted,omitempty"`
}

// Link is a way to the host, in order of preference.
type Link struct {
	Name   string      `json:"name"`
	Driver string      `json:"driver"`
	State  string      `json:"state"`          // "idle", "open", "failed", "unknown" before the first use
	Code   prompt.Code `json:"code,omitempty"` // why it failed
	Signal *hal.Signal `json:"signal,omitempty"`
}

// Device is one line of the board's report.
type Device struct {
	Device string `json:"device"`
	Driver string `json:"driver,omitempty"`
	State  string `json:"state"` // "loaded", "skipped", "failed"
	Why    string `json:"why,omitempty"`
}

// DevicesOf turns a board's report into a status.
func DevicesOf(report []hal.DeviceReport) []Device {
	ds := make([]Device, 0, len(report))
	for _, r := range report {
		ds = append(ds, Device{r.Device, r.Driver, r.State.String(), r.Why})
	}
	return ds
}

// Store is what the store says of itself.
type Store struct {
	ID      string      `json:"id"`
	Commits uint64      `json:"commits"`         // since the program began
	Bytes   uint64      `json:"bytes"`           // written by them
	Fault   prompt.Code `json:"fault,omitempty"` // why no sale may start
}

// Restore is what a restore gives, or would give.
type Restore struct {
	Applied bool        `json:"applied"`
	Made    pos.Time    `json:"made"` // the copy
	Logs    int         `json:"logs"`
	Redone  int         `json:"redone"` // commits from them
	Missing string      `json:"missing,omitempty"`
	Batch   pos.BatchNo `json:"batch"`
	Rows    int         `json:"rows"`
	Records int         `json:"records"` // in the outbox
	Totals  pos.Totals  `json:"totals"`  // of the rows, and they are what the state says
	STAN    pos.STAN    `json:"stan"`    // last used; after a jump, if a tail is missing
}
