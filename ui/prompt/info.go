package prompt

// Severity says how grave a message is; lamps, colours and the log go by it.
type Severity uint8

const (
	Info Severity = iota
	Good
	Warning
	Bad
	Critical // the fate of money, or the device, is at stake
)

// Actor says who must act next.
type Actor uint8

const (
	Nobody Actor = iota
	Cashier
	Customer
	Supervisor
	Technician
	Acquirer
)

// Entry is one row of the catalogue.
type Entry struct {
	Code     Code
	Severity Severity
	Actor    Actor
	Help     string // id of the help page, "help/net"
}

// Args fill the words of a message; a field that a message does not name is
// ignored. The type is comparable, so that a View is.
type Args struct {
	Kind    Code   // the title of the kind of transaction
	Amount  string // "12.80"
	Card    string // "****1234"
	RC      string // DE 39
	STAN    string // "000123"
	RRN     string
	Auth    string
	Field   string // what is at fault: a field, a file, a device
	Host    string // words from the issuer or acquirer, DE 63
	N       int    // a count: stars, tries, open reversals
	Seconds int    // time left or to wait
	Time    string // "14:03:22" of the payment in question
	Left    string // time left: "00:45"
	Rule    string // "R-04"
	Span    string // how far a rule looks back: "30min"
}
