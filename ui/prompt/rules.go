package prompt

// What a rule stopped, asked or said (class T). The rule's own number is in the
// words.
const (
	RuleDupNow      Code = "T-DUP-01" // the same card and amount within seconds: the result again
	RuleDupLate     Code = "T-DUP-02" // the same card and amount within hours: shown beside the confirm step
	RuleOrderPaid   Code = "T-DUP-03" // this order is paid
	RuleThird       Code = "T-FRQ-01" // the third time in five minutes: asked
	RuleWait        Code = "T-FRQ-02" // too often in half an hour: wait, or a supervisor
	RuleDay         Code = "T-FRQ-03" // too often in a day: a supervisor
	RuleCooling     Code = "T-FRQ-04" // it waits already
	RuleBankKeep    Code = "T-BNK-01" // the bank wants the card kept
	RuleCardBad     Code = "T-BNK-02" // the bank does not know the card: asked
	RuleFunds       Code = "T-FND-01" // three times too little money
	RuleLimitCount  Code = "T-LIM-01" // the issuer's count of today
	RuleLimitAmount Code = "T-LIM-02" // the issuer's amount
	RuleDeclWait    Code = "T-DEC-01" // two refusals: wait
	RuleDeclSup     Code = "T-DEC-02" // three: a supervisor
	RuleDeclDay     Code = "T-DEC-03" // eight in a day
	RulePINWarn     Code = "T-PIN-01" // a third wrong PIN may lock the card
	RulePINStop     Code = "T-PIN-02" // locked at the issuer
	RulePace        Code = "T-PCE-01" // busy: one after another
	RuleHostBusy    Code = "T-HST-01" // the bank's side is in trouble
	RuleBinLock     Code = "T-SUP-01" // R14
	RuleManyBad     Code = "T-SUP-02" // R15
	RuleNearLimit   Code = "T-SUP-03" // R16
	RuleRound       Code = "T-SUP-04" // R17
	RuleOddHour     Code = "T-SUP-05" // R18
	RuleFewCards    Code = "T-SUP-06" // R19
	RuleRefunds     Code = "T-SUP-07" // R20
	RuleNoSale      Code = "T-SUP-08" // R20: a refund without a sale
	RuleOverrides   Code = "T-SUP-09" // R21
	RuleGuide       Code = "T-GUI-01" // R22: three pictures
	RuleGuideCancel Code = "T-GUI-02"
	RuleKeyedOff    Code = "T-KEY-01" // R23
	RuleOtherWay    Code = "T-RDF-01" // R24
	RuleSafe        Code = "T-SAF-01" // the table was lost: every card is asked about
	RuleLocked      Code = "T-LCK-01" // a way of entry is locked
	RuleCardDay     Code = "T-AMT-01" // the card's day is full
	RuleDeskDay     Code = "T-AMT-02" // the terminal's day is full
	RuleTypo        Code = "T-AMT-03" // far above anything sold here: key it again
)

// RuleTexts are the texts that a rule file may name. A file can choose among
// them and bring none of its own: each has passed the tests on what may be said
// to a customer.
var RuleTexts = map[string]Code{
	"IN_FLIGHT": Waiting, "OPEN_PAYMENT": Gated,
	"DUP_NOW": RuleDupNow, "DUP_SAME": Duplicate, "DUP_LATE": RuleDupLate, "ORDER_PAID": RuleOrderPaid,
	"FREQ_THIRD": RuleThird, "FREQ_WAIT": RuleWait, "FREQ_DAY": RuleDay,
	"BANK_KEEP": RuleBankKeep, "CARD_BAD": RuleCardBad, "FUNDS": RuleFunds,
	"LIMIT_COUNT": RuleLimitCount, "LIMIT_AMOUNT": RuleLimitAmount,
	"DECL_WAIT": RuleDeclWait, "DECL_SUP": RuleDeclSup, "DECL_DAY": RuleDeclDay,
	"PIN_WARN": RulePINWarn, "PIN_STOP": RulePINStop,
	"PACE": RulePace, "HOST_BUSY": RuleHostBusy,
	"BIN_LOCK": RuleBinLock, "MANY_BAD": RuleManyBad, "NEAR_LIMIT": RuleNearLimit, "ROUND_SUMS": RuleRound,
	"ODD_HOUR": RuleOddHour, "FEW_CARDS": RuleFewCards, "REFUNDS": RuleRefunds, "REFUND_NO_SALE": RuleNoSale, "OVERRIDES": RuleOverrides,
	"GUIDE": RuleGuide, "GUIDE_CANCEL": RuleGuideCancel, "KEYED_OFF": RuleKeyedOff, "OTHER_WAY": RuleOtherWay,
	"SAFE": RuleSafe, "LOCKED": RuleLocked,
}
