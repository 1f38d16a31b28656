package iso7816

import "fmt"

// RuleError says which character of an answer to reset a rule refuses.
type RuleError struct {
	Name  string // "TC1"
	Value int    // -1: absent
	Rule  string // "EMV1 §8.3.3.3"
}

func (e *RuleError) Error() string {
	if e.Value < 0 {
		return fmt.Sprintf("iso7816: %s is absent (%s)", e.Name, e.Rule)
	}
	return fmt.Sprintf("iso7816: %s = %02X is refused (%s)", e.Name, e.Value, e.Rule)
}

// CheckEMV tells whether a terminal may go on with this card: nil, or the
// *RuleError of the first character against EMV1 §8.3. TB1 may have any value
// (EMVL1 §8.3.3.2; Book 1 still wanted 00 at a cold reset). TA1 without TA2 is
// an offer that is not taken up: the session runs at D = 1, F = 372.
func (a *ATR) CheckEMV() error {
	refuse := func(name string, v int, rule string) error {
		return &RuleError{Name: name, Value: v, Rule: "EMV1 §" + rule}
	}
	p := a.Params()
	switch {
	case p.Protocol > 1:
		return refuse("TD1", a.TD[0], "8.3.3.4")
	case p.N > 0:
		return refuse("TC1", a.TC[0], "8.3.3.3")
	}
	if ta2 := a.TA[1]; ta2 >= 0 { // specific mode
		switch {
		case ta2&0x0F != p.Protocol || ta2&0x10 != 0:
			return refuse("TA2", ta2, "8.3.3.5")
		case a.TA[0] >= 0 && (p.FI != 1 || p.DI < 1 || p.DI > 3):
			return refuse("TA1", a.TA[0], "8.3.3.1")
		}
	}
	switch {
	case a.TB[1] >= 0:
		return refuse("TB2", a.TB[1], "8.3.3.6")
	case p.Protocol == 0 && a.TC[1] >= 0 && a.TC[1] != 0x0A, p.Protocol == 1 && a.TC[1] >= 0:
		return refuse("TC2", a.TC[1], "8.3.3.7")
	}
	if td2 := a.TD[1]; td2 >= 0 {
		if t := td2 & 0x0F; t != 1 && (t != 0x0E || p.Protocol != 0) {
			return refuse("TD2", td2, "8.3.3.8")
		}
	}
	if p.Protocol == 0 {
		return nil
	}
	switch {
	case !a.first1():
		return refuse("TD2", a.TD[1], "8.3.3.8")
	case p.IFSC < 0x10 || p.IFSC > 0xFE:
		return refuse("TA3", a.TA[2], "8.3.3.9")
	case a.TB[2] < 0 || p.BWI > 4 || p.CWI > 5 || 1<<p.CWI <= p.N+1:
		return refuse("TB3", a.TB[2], "8.3.3.10")
	case a.TC[2] > 0:
		return refuse("TC3", a.TC[2], "8.3.3.11")
	}
	return nil
}

// checkISO refuses what this driver cannot speak, whatever the rules.
func (a *ATR) checkISO() error {
	p := a.Params()
	_, _, ok := p.Rate()
	switch {
	case p.Protocol > 1:
		return &RuleError{Name: "TD1", Value: a.TD[0], Rule: "ISO7816-3 §8.2.3"}
	case !ok:
		return &RuleError{Name: "TA1", Value: a.TA[0], Rule: "ISO7816-3 §8.3"}
	case p.Protocol == 0 && p.WI == 0:
		return &RuleError{Name: "TC2", Value: 0, Rule: "ISO7816-3 §10.2"}
	case p.Protocol == 1 && (p.IFSC == 0 || p.IFSC == 0xFF):
		return &RuleError{Name: "TA3", Value: p.IFSC, Rule: "ISO7816-3 §11.4.2"}
	case p.Protocol == 1 && p.BWI > 9:
		return &RuleError{Name: "TB3", Value: a.TB[2], Rule: "ISO7816-3 §11.4.3"}
	}
	return nil
}
