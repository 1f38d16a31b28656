package iso8583

// UnionPay is the dialect of HOST §1.2. The document has the same table, and a
// test holds the two together.
var UnionPay = &Dialect{name: "unionpay", f: [65]spec{
	2:  {"PAN", kindN, 19, ll, firstSix, !right},
	3:  {"processing code", kindN, 6, fixed, shown, !right},
	4:  {"amount", kindN, 12, fixed, shown, !right},
	11: {"STAN", kindN, 6, fixed, shown, !right},
	12: {"local time", kindN, 6, fixed, shown, !right},
	13: {"local date", kindN, 4, fixed, shown, !right},
	14: {"expiry", kindN, 4, fixed, hidden, !right},
	15: {"settlement date", kindN, 4, fixed, shown, !right},
	22: {"POS entry mode", kindN, 3, fixed, shown, !right},
	23: {"PAN sequence number", kindN, 3, fixed, shown, right},
	25: {"POS condition code", kindN, 2, fixed, shown, !right},
	26: {"PIN length", kindN, 2, fixed, shown, !right},
	32: {"acquirer id", kindN, 11, ll, shown, !right},
	35: {"track 2", kindZ, 37, ll, hidden, !right},
	36: {"track 3", kindZ, 104, lll, hidden, !right},
	37: {"RRN", kindAN, 12, fixed, shown, !right},
	38: {"authorisation code", kindAN, 6, fixed, shown, !right},
	39: {"response code", kindAN, 2, fixed, shown, !right},
	41: {"terminal id", kindANS, 8, fixed, shown, !right},
	42: {"merchant id", kindANS, 15, fixed, shown, !right},
	44: {"additional response", kindANS, 25, ll, shown, !right},
	48: {"private 48", kindN, 322, lll, hidden, !right}, // batch details hold card numbers
	49: {"currency", kindAN, 3, fixed, shown, !right},
	52: {"PIN block", kindB, 8, fixed, hidden, !right},
	53: {"security control", kindN, 16, fixed, shown, !right},
	54: {"additional amounts", kindAN, 20, lll, hidden, !right}, // a balance is the cardholder's
	55: {"ICC data", kindB, 255, lll, hidden, !right},
	58: {"purse data", kindB, 999, lll, hidden, !right},
	59: {"location", kindB, 999, lll, hidden, !right},
	60: {"type and batch", kindN, 40, lll, shown, !right}, // 17 and an acquirer's own
	61: {"original transaction", kindN, 29, lll, shown, !right},
	62: {"private 62", kindB, 512, lll, hidden, !right},
	63: {"private 63", kindText, 163, lll, hidden, !right},
	64: {"MAC", kindB, 8, fixed, hidden, !right},
}}
