package prompt

// What a shop does beside selling: shifts, pages, what a person names themselves
// for.
const (
	AskQuantity Code = "P-QTY-01" // how many of the price
	AskOrder    Code = "P-ORD-01" // an order reference
	KeyNumber   Code = "P-KEY-01" // a card number is typed
	KeyExpiry   Code = "P-KEY-02"
	NameNumber  Code = "P-NAM-01" // who: a number
	NamePIN     Code = "P-NAM-02"
	NameToken   Code = "P-NAM-03" // the staff card

	PageWhy     Code = "P-PGE-01"
	PageCheck   Code = "P-PGE-02"
	PageTicket  Code = "P-PGE-03"
	PageWatch   Code = "P-PGE-04"
	PagePeak    Code = "P-PGE-05"
	PageStaff   Code = "P-PGE-06"
	PageLimits  Code = "P-PGE-07"
	PageSpot    Code = "P-PGE-08"
	PageCare    Code = "P-PGE-09"
	PageAssets  Code = "P-PGE-10"
	PageSurvey  Code = "P-PGE-11"
	PageRunbook Code = "P-PGE-12"
	PageTrain   Code = "P-PGE-13"
	PageRules   Code = "P-PGE-14"
	PageSeal    Code = "P-PGE-15"
	PageManual  Code = "P-PGE-16"
	PageKeys    Code = "P-PGE-17"
	PageLog     Code = "P-PGE-18"

	KeyPart      Code = "P-TMK-01" // a custodian keys their part of the master key
	KeyPartCheck Code = "P-TMK-02" // and its check value
	KeyPartTaken Code = "P-TMK-03" // it is the one on the letter
	KeyWhole     Code = "P-TMK-04" // the check value of the whole key
	KeyCustodian Code = "P-TMK-05" // which custodian is to name themselves

	HintTicket  Code = "P-HNT-01" // beside the ready screen
	HintRules   Code = "P-HNT-02"
	HintCare    Code = "P-HNT-03"
	HintPeak    Code = "P-HNT-04"
	HintAlert   Code = "P-HNT-05"
	HintOld     Code = "P-HNT-06"
	HintSpot    Code = "P-HNT-07"
	HintSettle  Code = "P-HNT-08"
	HintLesson  Code = "P-HNT-09" // training: what is to be done
	HintTrained Code = "P-HNT-10" // what a lesson came to

	HintBack Code = "P-HNT-11" // how long it took to be back

	RuleView Code = "T-DUP-04" // the earlier payment, in full

	NameWrong    Code = "F-NAM-01" // the PIN or the token is not theirs
	NameClosed   Code = "F-NAM-02" // too many wrong ones: closed for a while
	NameSame     Code = "F-NAM-03" // the operator cannot approve their own sale
	NameUnknown  Code = "F-NAM-04" // nobody has this number, or they may not
	NameNoToken  Code = "F-NAM-05" // no token is enrolled for them
	KeyedNotHere Code = "F-KEY-03" // this profile types no card numbers
	ShiftNone    Code = "F-SHF-01" // no operators are set up
	ShiftLow     Code = "F-SHF-02" // refunds want a lesson first
	DutyRefund   Code = "F-DTY-01" // settle first: no refund
	DutySale     Code = "F-DTY-02" // settle first: no sale

	KeyPartWrong  Code = "F-TMK-01" // not the check value on the letter
	KeyWholeWrong Code = "F-TMK-02" // likewise of the whole key: nothing is kept
	KeySamePerson Code = "F-TMK-03" // they have entered a part already
	KeyGivenUp    Code = "F-TMK-04" // cancelled, or nobody keyed in time
	KeyUnfit      Code = "F-TMK-05" // a key that no honest generator makes
	KeyBlockBad   Code = "F-KEY-04" // keys of a sign-on that cannot be any
	KeyTaken      Code = "P-TMK-06"

	ShiftOn  Code = "A-SHF-01"
	ShiftOff Code = "A-SHF-02"
)

// Items of the menu.
const (
	MenuShop     Code = "M-SHP-00"
	MenuShift    Code = "M-SHF-01"
	MenuWhy      Code = "M-WHY-01"
	MenuCheck    Code = "M-CHK-01"
	MenuTicket   Code = "M-TKT-01"
	MenuWatching Code = "M-WCH-00"
	MenuCaring   Code = "M-CAR-00"
	MenuRunbook  Code = "M-RUN-01"
	MenuTrain    Code = "M-TRN-01"
	MenuManual   Code = "M-MAN-01"
	MenuWatch    Code = "M-WCH-01"
	MenuPeak     Code = "M-PEK-01"
	MenuStaff    Code = "M-STF-01"
	MenuLimits   Code = "M-LIM-01"
	MenuSpot     Code = "M-SPT-01"
	MenuRules    Code = "M-RUL-01"
	MenuSeal     Code = "M-SEA-01"
	MenuCare     Code = "M-CAR-01"
	MenuAssets   Code = "M-AST-01"
	MenuSurvey   Code = "M-SRV-01"
	MenuKeys     Code = "M-TMK-01"
	MenuLog      Code = "M-LOG-01"

	ChoiceView    Code = "M-CHO-01"
	ChoiceReprint Code = "M-CHO-02"
	ChoiceSecond  Code = "M-CHO-03"
	ChoiceCard    Code = "M-CHO-04"
	ChoiceStop    Code = "M-CHO-05"
	ChoiceGoOn    Code = "M-CHO-06"
)

// Entries of the log only.
const (
	LogDecision    Code = "E-THR-01" // what the rules said: rule, count, window, action
	LogRules       Code = "E-RUL-01" // a rule file was taken or refused
	LogParams      Code = "E-PAR-01" // a parameter file was taken or refused
	LogApproval    Code = "E-APR-01" // a second person approved, or did not
	LogShift       Code = "E-SHF-01"
	LogMisuse      Code = "E-OPR-01"
	LogHelp        Code = "E-HLP-01"
	LogCause       Code = "E-DIA-01" // what is thought to be the cause, with its evidence
	LogCheck       Code = "E-CHK-01" // a self-check: item by item
	LogAlert       Code = "E-ALT-01" // raised, taken, acknowledged, escalated
	LogTicket      Code = "E-FBK-01" // a customer's complaint was opened or closed
	LogCare        Code = "E-MNT-01" // maintenance is due, or was done
	LogSpot        Code = "E-SPT-01"
	LogSurvey      Code = "E-SRV-01"
	LogContingency Code = "E-DRL-02"
	LogPeak        Code = "E-PLN-01" // a forecast, and what came of it
	LogScore       Code = "E-SCO-01"
	LogTrain       Code = "E-TRN-01"
	LogLimits      Code = "E-LIM-01"
	LogSeal        Code = "E-SEA-01"
	LogNames       Code = "E-KEY-01" // all cards in the store have new names
	LogStages      Code = "E-STG-01" // how long the stages of sales take
	LogRecovery    Code = "E-RCV-01" // to whom records are sealed a second time, and every export
	LogCustody     Code = "E-TMK-01" // custodians: begun, each part, refused, taken
	LogHealth      Code = "E-HLT-01" // counters of readers and of what wears out
)
