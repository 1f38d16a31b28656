// Package prompt is the catalogue of message codes: what can be said to a
// person, how grave it is and who acts on it. Screen, slip, log, postool and
// posbench all print from it; the words stand in ui/text. It is a leaf and
// imports nothing.
//
// A code is CLASS-TOPIC-NN. Classes: P a step that waits for someone, A done
// well, D declined by the host, U the fate of money is not known yet, N not
// done and proven so, F a fault someone must mend, T stopped, asked or said by a
// rule, C a cause, E an entry of the log only, M an item of a menu.
//
// Sources, cited by short name:
//   - HOST: specs/host.md §2, DE 39 after Q/CUP 006.6-2014 A.2
package prompt

// Code names one message, "F-NET-03".
type Code string

// Steps.
const (
	Boot       Code = "P-BOT-01" // starting
	Idle       Code = "P-IDL-01" // ready for an amount
	Amount     Code = "P-AMT-01" // an amount is being keyed
	Card       Code = "P-CRD-01" // swipe the card
	Confirm    Code = "P-CNF-01" // check amount and card, press enter
	PIN        Code = "P-PIN-01" // the customer enters the PIN, or enter for none
	PINMust    Code = "P-PIN-02" // likewise; this card does not pay without
	Preparing  Code = "P-ONL-00" // an earlier reversal or a sign-on goes first
	Dialling   Code = "P-ONL-01" // the link is being opened
	Waiting    Code = "P-ONL-02" // sent, waiting for the answer; do not swipe again
	SigningOn  Code = "P-SGN-01"
	Reversing  Code = "P-REV-01"
	Printing   Code = "P-PRN-01"
	Menu       Code = "P-MNU-01"
	StatusPage Code = "P-STA-01" // the status page of the menu: open reversals, batch, sign-on

	ConfirmKind   Code = "P-CNF-02" // check kind, amount and card, press enter
	Duplicate     Code = "P-DUP-01" // this card paid this amount minutes ago: enter pays again
	NewAmount     Code = "P-AMT-02" // the new amount of an offline sale
	TipAmount     Code = "P-AMT-03" // the tip
	AskSTAN       Code = "P-ORG-01" // the trace number of the original
	AskRRN        Code = "P-ORG-02"
	AskDate       Code = "P-ORG-03"
	AskAuth       Code = "P-ORG-04"
	SettleRuns    Code = "P-STL-01" // the batch is being settled
	SettleResumed Code = "P-STL-02" // a settlement that the power cut goes on
	SettleWaits   Code = "P-STL-03" // it waits for the line or the host, and goes on by itself
)

// Items of the menu.
const (
	MenuSignOn  Code = "M-SGN-01"
	MenuEcho    Code = "M-ECH-01"
	MenuReprint Code = "M-PRN-01"
	MenuStatus  Code = "M-STA-01"
	MenuLang    Code = "M-LNG-01"

	MenuVoid       Code = "M-VOI-01"
	MenuRefund     Code = "M-REF-01"
	MenuPreAuths   Code = "M-PRE-00"
	MenuBalance    Code = "M-BAL-01"
	MenuOfflines   Code = "M-OFF-00"
	MenuSettle     Code = "M-STL-01"
	MenuManage     Code = "M-MNG-01"
	MenuSignOff    Code = "M-SGN-02"
	MenuParams     Code = "M-PRM-01"
	MenuUpload     Code = "M-UPL-01"
	MenuLastSettle Code = "M-STL-02"
	MenuTables     Code = "M-TAB-01"
)

// Titles of the forms; those that a menu offers directly are its items.
const (
	TitleVoid                = MenuVoid
	TitleRefund              = MenuRefund
	TitleBalance             = MenuBalance
	TitlePreAuth        Code = "M-PRE-01"
	TitlePreAuthVoid    Code = "M-PRE-02"
	TitleComplete       Code = "M-PRE-03"
	TitleCompleteAdvice Code = "M-PRE-04"
	TitleCompleteVoid   Code = "M-PRE-05"
	TitleOffline        Code = "M-OFF-01"
	TitleAdjust         Code = "M-OFF-02"
	TitleTip            Code = "M-OFF-03"
)

// Done well.
const (
	Approved        Code = "A-SAL-01" // 00
	ApprovedPartial Code = "A-SAL-10" // 10: less than was asked
	ApprovedVIP     Code = "A-SAL-11" // 11
	ApprovedConfirm Code = "A-SAL-A2" // A2 A4 A5 A6: approved, confirm with the issuer
	SignedOn        Code = "A-SGN-01"
	EchoOK          Code = "A-ECH-01"
	VoidDone        Code = "A-VOI-01"
	RefundDone      Code = "A-REF-01"
	PreAuthDone     Code = "A-PRE-01"
	PreAuthVoidDone Code = "A-PRE-02"
	CompleteDone    Code = "A-PRE-03"
	BalanceIs       Code = "A-BAL-01"
	OfflineDone     Code = "A-OFF-01" // kept here, the host hears of it later
	AdjustDone      Code = "A-OFF-02"
	TipDone         Code = "A-OFF-03"
	Settled         Code = "A-STL-01"
	SettledUneven   Code = "A-STL-02" // settled; the host had other totals and got every row
	SignedOff       Code = "A-SGN-02"
	ParamsDone      Code = "A-PRM-01"
	StatusSent      Code = "A-UPL-01"
	StatusLater     Code = "A-UPL-02" // it waits in the outbox
	ClosedByHand    Code = "A-CLS-01" // a supervisor closed a record
	Reversed        Code = "A-REV-01" // the unknown payment is reversed: no money moved
	Recovered       Code = "A-RCV-01" // after a power cut: the last sale had succeeded; its slip is printed again
)

// The fate of money is not known yet. None of these ever says "try again".
const (
	UnknownNoAnswer Code = "U-ANS-01" // sent, no answer in time
	AdviceOpen      Code = "U-ADV-01" // an advice has no final answer yet; it is sent again by itself
	Unresolved      Code = "U-REV-03" // the host cannot say; a supervisor must settle it with the acquirer
	UnknownLink     Code = "U-ANS-02" // the line broke after bytes had left
	UnknownMAC      Code = "U-MAC-01" // an answer with a missing or wrong MAC
	UnknownHost     Code = "U-HST-01" // 06 09 68 96 98: no proof that nothing was booked
	UnknownPower    Code = "U-PWR-01" // power failed during the sale
	ReversalQueued  Code = "U-REV-02" // the reversal did not get through yet; it goes on by itself
	Gated           Code = "U-GAT-01" // this card's last payment is not settled yet; another card may pay
	TooManyOpen     Code = "U-GAT-02" // too many reversals open: no sale until one is through
)

// Not done, and proven so: no byte left, or no sale had begun.
const (
	Cancelled    Code = "N-CAN-01"
	OperatorTime Code = "N-TMO-01" // nobody pressed a key in time
	CardRemoved  Code = "N-CRD-01" // taken out of the slot too early
	PINNeeded    Code = "N-PIN-01" // this card does not pay without a PIN, and none was to be had
	NotSent      Code = "N-SND-01" // dropped before the first byte left, for want of a more exact cause
)

// Cards and the hand that swipes them.
const (
	CardUnreadable Code = "F-CRD-01"
	CardParity     Code = "F-CRD-02" // dirty or worn: slower, wipe the card
	CardLRC        Code = "F-CRD-03"
	CardNoStart    Code = "F-CRD-04" // other way round
	CardNoEnd      Code = "F-CRD-05" // pulled out too early
	CardShort      Code = "F-CRD-06"
	CardForm       Code = "F-CRD-07" // not a bank card
	CardExpired    Code = "F-CRD-08"
	CardNumber     Code = "F-CRD-09" // the card number's check digit is wrong
	CardBlank      Code = "F-CRD-10" // nothing on track 2
	ChipNoReader   Code = "F-CRD-11" // reserved for the chip-first rule
	ChipSilent     Code = "F-CRD-12" // no answer to the reset
	AmountZero     Code = "F-AMT-01"
	AmountLimit    Code = "F-AMT-02"
	EntryFirst     Code = "F-OPR-01" // a card came before the amount
)

// The way to the host: one code per hal.LinkCause, all proven not sent.
const (
	NetUnknown       Code = "F-NET-00"
	NetModemSilent   Code = "F-NET-01"
	NetNoSIM         Code = "F-NET-02"
	NetNoSignal      Code = "F-NET-03"
	NetNotRegistered Code = "F-NET-04"
	NetRefused       Code = "F-NET-05"
	NetNoData        Code = "F-NET-06"
	NetDNS           Code = "F-NET-07"
	NetHostRefused   Code = "F-NET-08"
	NetHostSilent    Code = "F-NET-09"
	NetTLS           Code = "F-NET-10"
	NetClosed        Code = "F-NET-11"
	NetBusy          Code = "F-NET-12"
	NetNoDialTone    Code = "F-NET-13"
	NetNoCarrier     Code = "F-NET-14"
	NetNoCable       Code = "F-NET-15"
	NetDevice        Code = "F-NET-16"
)

// The device itself.
const (
	StoreFault     Code = "F-STO-01" // a commit failed; do not swipe again
	StoreDamaged   Code = "F-STO-02"
	StoreNewer     Code = "F-STO-03" // written by a newer version
	StoreMissing   Code = "F-STO-04"
	StoreFull      Code = "F-STO-05"
	StoreReadOnly  Code = "F-STO-06"
	StoreBusy      Code = "F-STO-07" // another posd holds it
	StoreOlder     Code = "F-STO-08" // a version that this build no longer reads
	Restored       Code = "F-STO-09" // from a backup whose tail may be missing: settle first
	RestoredSign   Code = "F-STO-10" // settled since; a supervisor must sign
	KeyNoMaster    Code = "F-KEY-01" // no terminal master key
	KeyCheck       Code = "F-KEY-02" // a session key did not match its check value
	SignOnFailed   Code = "F-SGN-01" // the host refused or did not answer the sign-on
	SignOnDeclined Code = "F-SGN-02"
	PaperOut       Code = "F-PRN-01"
	PrinterCover   Code = "F-PRN-02"
	PrinterHot     Code = "F-PRN-03"
	PrinterFault   Code = "F-PRN-04"
	BoardFile      Code = "F-BRD-01" // the board file has an error
	BoardDevice    Code = "F-BRD-02" // a device did not open; the rest runs
	BoardMoney     Code = "F-BRD-03" // a device without which no sale is safe did not open
	TamperOpen     Code = "F-TMP-01"
	Internal       Code = "F-INT-01"
)

// Entries of the log only.
const (
	LogBoot       Code = "E-BOT-01"
	LogStop       Code = "E-BOT-02"
	LogDevice     Code = "E-BRD-01" // one line of the board's report
	LogSwipe      Code = "E-CRD-01"
	LogIntent     Code = "E-TXN-01" // the intent is on flash
	LogSent       Code = "E-TXN-02"
	LogAnswer     Code = "E-TXN-03"
	LogOutcome    Code = "E-TXN-04"
	LogPrinted    Code = "E-TXN-05"
	LogDropped    Code = "E-TXN-06" // an intent proven never sent was dropped
	LogPath       Code = "E-TXN-08" // what led to an intent: screens, the time of each phase, the rules that spoke
	LogScreen     Code = "E-TXN-09" // what the screen says while a transaction is under way
	LogTape       Code = "E-TXN-10" // the reducer's events of a transaction, for postool replay
	LogReversal   Code = "E-REV-01" // a try of a reversal
	LogReversed   Code = "E-REV-02" // a reversal was closed by the host's word
	LogSignOn     Code = "E-SGN-01"
	LogLink       Code = "E-NET-01" // a link opened, closed or failed
	LogLateAnswer Code = "E-NET-02" // an answer that nobody waits for
	LogBadAnswer  Code = "E-NET-03" // an answer that is none: does not parse, wrong STAN, terminal or amount
	LogService    Code = "E-SVC-01"
	LogMessage    Code = "E-LOG-01" // a plain line of the program
	LogJournal    Code = "E-LOG-02" // the journal of itself: an unclean end, a cut, a step of the clock, what was held back
	LogCrash      Code = "E-LOG-03" // the program before this one crashed; with its stack
	LogKernel     Code = "E-LOG-04" // a message of the kernel
	LogCardRef    Code = "E-CRD-02" // a transaction is that of a card, by its name in the journal
	LogHostOrder  Code = "E-HST-01" // the host ordered something in its header
	LogStore      Code = "E-STO-01"
)

// Declined is the code of a host's refusal: one per DE 39 of the table in
// ui/text, and D-HST-XX for a code that the table does not know.
func Declined(rc string) Code {
	c := Code("D-HST-" + rc)
	if _, ok := Lookup(c); ok {
		return c
	}
	return DeclinedOther
}

// DeclinedOther is a refusal with a code that no table knows.
const DeclinedOther Code = "D-HST-XX"

// What stops a transaction before anything is sent, and what comes of one that
// was made offline.
const (
	FieldWrong     Code = "F-FLD-01" // the number is not complete or not possible
	NoOriginal     Code = "F-ORG-01" // no such row in this batch that this kind may refer to
	VoidedBefore   Code = "F-ORG-02"
	TipLimit       Code = "F-TIP-01"
	SettleOpen     Code = "F-STL-01" // no sale into a half-settled batch
	OfflineOff     Code = "F-SAF-01"
	OfflineEach    Code = "F-SAF-02"
	OfflineTotal   Code = "F-SAF-03"
	OfflineCount   Code = "F-SAF-04"
	OfflineAge     Code = "F-SAF-05"
	OfflineRefused Code = "D-OFF-01" // the host would not have a sale that was made offline
	NoAnswerYet    Code = "F-HST-01" // no answer to a question that moves no money
)

// More entries of the log.
const (
	LogDelivered  Code = "E-OUT-01"
	LogRefused    Code = "E-OUT-02"
	LogUnresolved Code = "E-OUT-03"
	LogClosed     Code = "E-OUT-04"
	LogSettle     Code = "E-STL-01"
	LogSettled    Code = "E-STL-02"
	LogAdmin      Code = "E-ADM-01"
	LogReady      Code = "E-BOT-03" // what the first screen of a life says, and after how long
	LogCopy       Code = "E-BAK-01" // a copy of the store was made
	LogDrill      Code = "E-BAK-02" // a restore was tried
	LogRestored   Code = "E-BAK-03"
	LogSigned     Code = "E-BAK-04" // a supervisor lets a restored terminal sell
	LogClock      Code = "E-CLK-01" // the wall clock was set by the host's
)

// Tables for chip cards: keys of certification authorities and applications.
const (
	TablesRun     Code = "P-TAB-01" // they are being downloaded: N of Seconds records of Kind
	TablesKeys    Code = "P-TAB-02" // the table of keys
	TablesApps    Code = "P-TAB-03" // the table of applications
	TablesQuit    Code = "P-TAB-04" // it ends once the message under way has its answer
	TablesDone    Code = "A-TAB-01" // N records are new
	TablesPartly  Code = "F-TAB-03" // likewise, and Seconds records were refused
	TablesStopped Code = "A-TAB-02" // a person ended it: what was in force is
	TablesBad     Code = "F-TAB-01" // the host's list cannot be read
	TablesEndless Code = "F-TAB-02" // the host's list has no end
	LogTables     Code = "E-TAB-01" // a download ended, a record was refused, a file was not taken
)

// The log on its way to the host.
const (
	UploadGoes    Code = "P-UPL-01" // N of Seconds pieces are there
	UploadDone    Code = "A-UPL-03" // the host has all Seconds pieces
	UploadRefused Code = "F-UPL-01" // the host does not take it: RC
	UploadGivenUp Code = "F-UPL-02" // it was tried often enough; the host has N of Seconds pieces
	LogUpload     Code = "E-UPL-01" // it began, ended, or could not be made
)
