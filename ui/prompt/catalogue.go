package prompt

// Catalogue rows in ascending order of their codes (a test holds it). The
// rows D-HST-.. are one per DE 39 of HOST §2, older hosts' codes included; the
// approvals among them (00 10 11 A2 A4 A5 A6) are class A.
var catalogue = [...]Entry{
	{EchoOK, Good, Cashier, "help/echo"},
	{Recovered, Good, Cashier, "help/recovered"},
	{Reversed, Good, Cashier, "help/reversed"},
	{Approved, Good, Cashier, "help/approved"},
	{ApprovedPartial, Warning, Cashier, "help/partial"},
	{ApprovedVIP, Good, Cashier, "help/approved"},
	{ApprovedConfirm, Good, Customer, "help/approved"},
	{SignedOn, Good, Cashier, "help/signon"},
	{"D-HST-01", Bad, Customer, "help/decline-issuer"},
	{"D-HST-02", Bad, Customer, "help/decline-issuer"},
	{"D-HST-03", Bad, Acquirer, "help/decline-acquirer"},
	{"D-HST-04", Bad, Supervisor, "help/decline-keep"},
	{"D-HST-05", Bad, Customer, "help/decline-final"},
	{"D-HST-06", Critical, Cashier, "help/decline-unproven"},
	{"D-HST-07", Bad, Supervisor, "help/decline-keep"},
	{"D-HST-09", Critical, Cashier, "help/decline-unproven"},
	{"D-HST-12", Bad, Customer, "help/decline-final"},
	{"D-HST-13", Bad, Customer, "help/decline-final"},
	{"D-HST-14", Bad, Customer, "help/decline-final"},
	{"D-HST-15", Bad, Customer, "help/decline-final"},
	{"D-HST-19", Warning, Cashier, "help/decline-format"},
	{"D-HST-20", Bad, Customer, "help/decline-final"},
	{"D-HST-21", Bad, Customer, "help/decline-issuer"},
	{"D-HST-22", Bad, Customer, "help/decline-final"},
	{"D-HST-23", Bad, Customer, "help/decline-final"},
	{"D-HST-25", Bad, Customer, "help/decline-final"},
	{"D-HST-30", Warning, Cashier, "help/decline-format"},
	{"D-HST-31", Bad, Customer, "help/decline-final"},
	{"D-HST-33", Bad, Supervisor, "help/decline-keep"},
	{"D-HST-34", Bad, Supervisor, "help/decline-keep"},
	{"D-HST-35", Bad, Supervisor, "help/decline-keep"},
	{"D-HST-36", Bad, Supervisor, "help/decline-keep"},
	{"D-HST-37", Bad, Supervisor, "help/decline-keep"},
	{"D-HST-38", Bad, Customer, "help/decline-pin-locked"},
	{"D-HST-39", Bad, Customer, "help/decline-final"},
	{"D-HST-40", Bad, Customer, "help/decline-final"},
	{"D-HST-41", Bad, Supervisor, "help/decline-keep"},
	{"D-HST-42", Bad, Customer, "help/decline-final"},
	{"D-HST-43", Bad, Supervisor, "help/decline-keep"},
	{"D-HST-44", Bad, Customer, "help/decline-final"},
	{"D-HST-45", Warning, Customer, "help/decline-chip"},
	{"D-HST-51", Bad, Customer, "help/decline-funds"},
	{"D-HST-52", Bad, Customer, "help/decline-final"},
	{"D-HST-53", Bad, Customer, "help/decline-final"},
	{"D-HST-54", Bad, Customer, "help/decline-final"},
	{"D-HST-55", Warning, Customer, "help/decline-pin"},
	{"D-HST-56", Bad, Customer, "help/decline-final"},
	{"D-HST-57", Bad, Customer, "help/decline-final"},
	{"D-HST-58", Bad, Acquirer, "help/decline-acquirer"},
	{"D-HST-59", Warning, Customer, "help/decline-chip"},
	{"D-HST-60", Bad, Acquirer, "help/decline-acquirer"},
	{"D-HST-61", Bad, Customer, "help/decline-limit"},
	{"D-HST-62", Bad, Customer, "help/decline-final"},
	{"D-HST-63", Bad, Customer, "help/decline-final"},
	{"D-HST-64", Bad, Customer, "help/decline-final"},
	{"D-HST-65", Bad, Customer, "help/decline-limit"},
	{"D-HST-66", Bad, Acquirer, "help/decline-acquirer"},
	{"D-HST-67", Bad, Supervisor, "help/decline-keep"},
	{"D-HST-68", Critical, Cashier, "help/decline-unproven"},
	{"D-HST-75", Bad, Customer, "help/decline-pin-locked"},
	{"D-HST-77", Warning, Cashier, "help/decline-key"},
	{"D-HST-79", Warning, Supervisor, "help/decline-batch"},
	{"D-HST-87", Warning, Supervisor, "help/decline-batch"},
	{"D-HST-88", Warning, Cashier, "help/decline-key"},
	{"D-HST-90", Warning, Cashier, "help/decline-later"},
	{"D-HST-91", Warning, Cashier, "help/decline-later"},
	{"D-HST-92", Warning, Cashier, "help/decline-later"},
	{"D-HST-93", Bad, Customer, "help/decline-final"},
	{"D-HST-94", Warning, Cashier, "help/decline-stan"},
	{"D-HST-95", Warning, Supervisor, "help/decline-batch"},
	{"D-HST-96", Critical, Cashier, "help/decline-unproven"},
	{"D-HST-97", Bad, Acquirer, "help/decline-acquirer"},
	{"D-HST-98", Critical, Cashier, "help/decline-unproven"},
	{"D-HST-99", Warning, Cashier, "help/decline-key"},
	{"D-HST-A0", Warning, Cashier, "help/decline-key"},
	{"D-HST-A1", Bad, Customer, "help/decline-final"},
	{"D-HST-A3", Bad, Customer, "help/decline-final"},
	{"D-HST-A7", Warning, Cashier, "help/decline-key"},
	{"D-HST-C1", Warning, Cashier, "help/decline-later"},
	{DeclinedOther, Bad, Customer, "help/decline-final"},
	{LogBoot, Info, Nobody, "help/log"},
	{LogStop, Info, Nobody, "help/log"},
	{LogDevice, Info, Nobody, "help/log"},
	{LogSwipe, Info, Nobody, "help/log"},
	{LogHostOrder, Warning, Nobody, "help/log"},
	{LogMessage, Info, Nobody, "help/log"},
	{LogLink, Info, Nobody, "help/log"},
	{LogLateAnswer, Warning, Nobody, "help/log"},
	{LogBadAnswer, Warning, Nobody, "help/log"},
	{LogReversal, Warning, Nobody, "help/log"},
	{LogReversed, Warning, Nobody, "help/log"},
	{LogSignOn, Info, Nobody, "help/log"},
	{LogStore, Info, Nobody, "help/log"},
	{LogService, Info, Nobody, "help/log"},
	{LogIntent, Info, Nobody, "help/log"},
	{LogSent, Info, Nobody, "help/log"},
	{LogAnswer, Info, Nobody, "help/log"},
	{LogOutcome, Info, Nobody, "help/log"},
	{LogPrinted, Info, Nobody, "help/log"},
	{LogDropped, Warning, Nobody, "help/log"},
	{AmountZero, Warning, Cashier, "help/amount"},
	{AmountLimit, Warning, Cashier, "help/amount"},
	{BoardFile, Bad, Technician, "help/board"},
	{BoardDevice, Bad, Technician, "help/board"},
	{BoardMoney, Critical, Technician, "help/board"},
	{CardUnreadable, Warning, Cashier, "help/swipe"},
	{CardParity, Warning, Cashier, "help/swipe"},
	{CardLRC, Warning, Cashier, "help/swipe"},
	{CardNoStart, Warning, Cashier, "help/swipe"},
	{CardNoEnd, Warning, Cashier, "help/swipe"},
	{CardShort, Warning, Cashier, "help/swipe"},
	{CardForm, Warning, Customer, "help/card-invalid"},
	{CardExpired, Warning, Customer, "help/card-invalid"},
	{CardNumber, Warning, Customer, "help/card-invalid"},
	{CardBlank, Warning, Customer, "help/card-invalid"},
	{ChipNoReader, Warning, Customer, "help/chip"},
	{Internal, Bad, Technician, "help/internal"},
	{KeyNoMaster, Bad, Acquirer, "help/key"},
	{KeyCheck, Bad, Acquirer, "help/key"},
	{NetUnknown, Bad, Technician, "help/net"},
	{NetModemSilent, Bad, Technician, "help/modem"},
	{NetNoSIM, Bad, Technician, "help/sim"},
	{NetNoSignal, Warning, Cashier, "help/signal"},
	{NetNotRegistered, Warning, Cashier, "help/signal"},
	{NetRefused, Bad, Acquirer, "help/sim"},
	{NetNoData, Bad, Acquirer, "help/sim"},
	{NetDNS, Bad, Technician, "help/host"},
	{NetHostRefused, Bad, Acquirer, "help/host"},
	{NetHostSilent, Bad, Acquirer, "help/host"},
	{NetTLS, Bad, Technician, "help/host"},
	{NetClosed, Warning, Cashier, "help/net"},
	{NetBusy, Bad, Technician, "help/net"},
	{NetNoDialTone, Bad, Cashier, "help/cable"},
	{NetNoCarrier, Bad, Cashier, "help/cable"},
	{NetNoCable, Bad, Cashier, "help/cable"},
	{NetDevice, Bad, Technician, "help/net"},
	{EntryFirst, Warning, Cashier, "help/amount"},
	{PaperOut, Warning, Cashier, "help/printer"},
	{PrinterCover, Warning, Cashier, "help/printer"},
	{PrinterHot, Warning, Cashier, "help/printer"},
	{PrinterFault, Bad, Technician, "help/printer"},
	{SignOnFailed, Bad, Cashier, "help/signon"},
	{SignOnDeclined, Bad, Acquirer, "help/signon"},
	{StoreFault, Critical, Supervisor, "help/store-fault"},
	{StoreDamaged, Critical, Technician, "help/store"},
	{StoreNewer, Critical, Technician, "help/store"},
	{StoreMissing, Critical, Technician, "help/store"},
	{StoreFull, Bad, Technician, "help/store-room"},
	{StoreReadOnly, Bad, Technician, "help/store-room"},
	{StoreBusy, Bad, Technician, "help/store-room"},
	{StoreOlder, Critical, Technician, "help/store"},
	{TamperOpen, Critical, Acquirer, "help/tamper"},
	{MenuEcho, Info, Cashier, "help/menu"},
	{MenuLang, Info, Cashier, "help/menu"},
	{MenuReprint, Info, Cashier, "help/menu"},
	{MenuSignOn, Info, Cashier, "help/menu"},
	{MenuStatus, Info, Cashier, "help/menu"},
	{Cancelled, Info, Cashier, "help/cancelled"},
	{NotSent, Warning, Cashier, "help/not-sent"},
	{OperatorTime, Info, Cashier, "help/cancelled"},
	{Amount, Info, Cashier, "help/amount"},
	{Boot, Info, Nobody, "help/boot"},
	{Confirm, Info, Cashier, "help/confirm"},
	{Card, Info, Customer, "help/card"},
	{Idle, Info, Cashier, "help/amount"},
	{Menu, Info, Cashier, "help/menu"},
	{Preparing, Info, Nobody, "help/wait"},
	{Dialling, Info, Nobody, "help/wait"},
	{Waiting, Info, Nobody, "help/wait"},
	{PIN, Info, Customer, "help/pin"},
	{Printing, Info, Nobody, "help/printer"},
	{Reversing, Warning, Nobody, "help/reversal"},
	{SigningOn, Info, Nobody, "help/signon"},
	{StatusPage, Info, Cashier, "help/status"},
	{UnknownNoAnswer, Critical, Cashier, "help/unknown"},
	{UnknownLink, Critical, Cashier, "help/unknown"},
	{Gated, Warning, Cashier, "help/gate"},
	{TooManyOpen, Warning, Cashier, "help/gate"},
	{UnknownHost, Critical, Cashier, "help/unknown"},
	{UnknownMAC, Critical, Cashier, "help/unknown"},
	{UnknownPower, Critical, Cashier, "help/unknown"},
	{ReversalQueued, Warning, Nobody, "help/reversal"},
}

// Lookup gives the row of a code.
func Lookup(c Code) (Entry, bool) {
	lo, hi := 0, len(catalogue)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch {
		case catalogue[mid].Code == c:
			return catalogue[mid], true
		case catalogue[mid].Code < c:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return Entry{}, false
}

// All gives every row, in ascending order of the codes.
func All() []Entry { return append([]Entry(nil), catalogue[:]...) }

var (
	severities = [...]string{"info", "good", "warning", "bad", "critical"}
	actors     = [...]string{"nobody", "cashier", "customer", "supervisor", "technician", "acquirer"}
)

// String is a short stable word, as logs and postool show it.
func (s Severity) String() string {
	if int(s) < len(severities) {
		return severities[s]
	}
	return "unknown"
}

// String is a short stable word, as logs and postool show it.
func (a Actor) String() string {
	if int(a) < len(actors) {
		return actors[a]
	}
	return "unknown"
}
