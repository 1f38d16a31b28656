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

// Row is one sub-cause: its code (which has the words), the signals that make
// it the one of its cause, and who can mend it. What it explains away stands in
// gates.
type Row struct {
	Cause Cause
	Sub   string // "signal"
	Code  prompt.Code
	By    []ID   // the one with the most weight decides among sub-causes
	Who   string // can mend it: of texts
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
	{NONE, "", prompt.CauseNone, []ID{Meant, Well}, "nobody", ""},
	{OPR, "repeat", prompt.CauseRepeat, []ID{Fast}, "cashier", "see-slip"},
	{OPR, "interface", prompt.CauseInterface, []ID{Wrong}, "cashier", "insert"},
	{OPR, "funds", prompt.CauseFunds, []ID{Funds}, "customer", "other-card"},
	{OPR, "technique", prompt.CauseTechnique, []ID{Hand}, "cashier", "slow-swipe"},
	{OPR, "flow", prompt.CauseFlow, []ID{Undo}, "cashier", ""},
	{NET, "signal", prompt.CauseSignal, []ID{CSQ, RTT, TMO}, "cashier", "move"},
	{NET, "route", prompt.CauseRoute, []ID{Backup, EchoBad}, "technician", "echo"},
	{NET, "quality", prompt.CauseQuality, []ID{ReTx, TMO}, "technician", "echo"},
	{NET, "sim", prompt.CauseSIM, []ID{SIM, Reg}, "technician", "sim"},
	{LIM, "count", prompt.CauseCount, []ID{Limit}, "customer", "other-card"},
	{LIM, "amount", prompt.CauseAmount, []ID{Limit}, "customer", "other-card"},
	{LIM, "host", prompt.CauseHost, []ID{HostBad, HostRC}, "acquirer", "echo"},
	{BAD, "card", prompt.CauseCard, []ID{MSROne, ICCOne}, "customer", "other-card"},
	{BAD, "keyed", prompt.CauseKeyed, []ID{Format}, "cashier", "read-card"},
	{BAD, "data", prompt.CauseData, []ID{Format, InputRC}, "technician", "other-card"},
	{SYS, "reader", prompt.CauseReader, []ID{MSRMany, ICCMany}, "technician", "other-card"},
	{SYS, "storage", prompt.CauseStorage, []ID{Disk}, "technician", ""},
	{SYS, "software", prompt.CauseSoftware, []ID{Starts, Machine}, "technician", ""},
	{SYS, "clock", prompt.CauseClock, []ID{Clock}, "technician", "sign-on"},
	{SYS, "tamper", prompt.CauseTamper, []ID{Case}, "acquirer", ""},
	{PEAK, "", prompt.CausePeak, []ID{Busy, Queue}, "cashier", ""},
	{FRD, "testing", prompt.CauseTesting, []ID{BIN}, "supervisor", ""},
	{FRD, "cashout", prompt.CauseCashOut, []ID{Sums, Many}, "supervisor", ""},
	{FRD, "stolen", prompt.CauseStolen, []ID{Pickup}, "supervisor", ""},
	{EXT, "radio", prompt.CauseRadio, []ID{BER, Reg}, "cashier", "move"},
	{EXT, "power", prompt.CausePower, []ID{Both}, "technician", "socket"},
}

// Table lists every sub-cause.
func Table() []Row { return table[:] }
