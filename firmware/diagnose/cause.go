package diagnose

import "swipewell/ui/prompt"

// Cause of trouble.
type Cause uint8

const (
	NONE Cause = iota
	OPR        // cashier or cardholder
	NET        // signal, line, SIM
	LIM        // issuer or gateway
	BAD        // the card or its data
	SYS        // the device
	PEAK       // more than usual
	FRD        // a supervisor should look
	EXT        // interference
	Causes
)

var causeNames = [Causes]string{"NONE", "OPR", "NET", "LIM", "BAD", "SYS", "PEAK", "FRD", "EXT"}

func (c Cause) String() string { return causeNames[min(c, Causes-1)] }

// ParseCause reads "SYS"; ok is false for anything else.
func ParseCause(s string) (Cause, bool) {
	for i, n := range causeNames {
		if n == s {
			return Cause(i), true
		}
	}
	return 0, false
}

// Who can mend a cause.
type Who string

// Row is one sub-cause: its code (which has the words), the signals that make
// it the one of its cause, who can mend it, and which signals it explains away.
type Row struct {
	Cause Cause
	Sub   string // "signal"
	Code  prompt.Code
	By    []ID // the one with the most weight decides among sub-causes
	Who   string
	Hides []ID
	Test  string // what tells it from others: an index of tests
}

// Name is "NET.signal", or the cause alone.
func (r Row) Name() string {
	if r.Sub == "" {
		return r.Cause.String()
	}
	return r.Cause.String() + "." + r.Sub
}

// table is the one place of causes. THROTTLE §4, §4.1.
var table = [...]Row{
	{NONE, "", prompt.CauseNone, []ID{Meant, Well}, "nobody", nil, ""},
	{OPR, "repeat", prompt.CauseRepeat, []ID{Fast}, "cashier", []ID{Many}, "see-slip"},
	{OPR, "interface", prompt.CauseInterface, []ID{Wrong}, "cashier", nil, "insert"},
	{OPR, "funds", prompt.CauseFunds, []ID{Funds}, "customer", []ID{Fast}, "other-card"},
	{OPR, "technique", prompt.CauseTechnique, []ID{Hand}, "cashier", []ID{MSRMany}, "slow-swipe"},
	{OPR, "flow", prompt.CauseFlow, []ID{Undo}, "cashier", nil, ""},
	{NET, "signal", prompt.CauseSignal, []ID{CSQ, RTT, TMO}, "cashier", []ID{TMO, RTT}, "move"},
	{NET, "route", prompt.CauseRoute, []ID{Backup, EchoBad}, "technician", []ID{TMO}, "echo"},
	{NET, "quality", prompt.CauseQuality, []ID{ReTx, TMO}, "technician", []ID{RTT}, "echo"},
	{NET, "sim", prompt.CauseSIM, []ID{SIM, Reg}, "technician", []ID{TMO}, "sim"},
	{LIM, "count", prompt.CauseCount, []ID{Limit}, "customer", nil, "other-card"},
	{LIM, "amount", prompt.CauseAmount, []ID{Limit}, "customer", nil, "other-card"},
	{LIM, "host", prompt.CauseHost, []ID{HostBad, HostRC}, "acquirer", []ID{TMO, EchoBad}, "echo"},
	{BAD, "card", prompt.CauseCard, []ID{MSROne, ICCOne}, "customer", nil, "other-card"},
	{BAD, "keyed", prompt.CauseKeyed, []ID{Format}, "cashier", nil, "read-card"},
	{BAD, "data", prompt.CauseData, []ID{Format, InputRC}, "technician", nil, "other-card"},
	{SYS, "reader", prompt.CauseReader, []ID{MSRMany, ICCMany}, "technician", []ID{MSROne, ICCOne}, "other-card"},
	{SYS, "storage", prompt.CauseStorage, []ID{Disk}, "technician", nil, ""},
	{SYS, "software", prompt.CauseSoftware, []ID{Starts, Machine}, "technician", nil, ""},
	{SYS, "clock", prompt.CauseClock, []ID{Clock}, "technician", nil, "sign-on"},
	{SYS, "tamper", prompt.CauseTamper, []ID{Case}, "acquirer", []ID{Starts}, ""},
	{PEAK, "", prompt.CausePeak, []ID{Busy, Queue}, "cashier", nil, ""},
	{FRD, "testing", prompt.CauseTesting, []ID{BIN}, "supervisor", []ID{InputRC}, ""},
	{FRD, "cashout", prompt.CauseCashOut, []ID{Sums, Many}, "supervisor", nil, ""},
	{FRD, "stolen", prompt.CauseStolen, []ID{Pickup}, "supervisor", nil, ""},
	{EXT, "radio", prompt.CauseRadio, []ID{BER, Reg}, "cashier", []ID{CSQ}, "move"},
	{EXT, "power", prompt.CausePower, []ID{Both}, "technician", []ID{MSRMany, ICCMany}, "socket"},
}

// Table lists every sub-cause.
func Table() []Row { return table[:] }
