package acquirer

import (
	"encoding/hex"
	"fmt"
	"strconv"

	"swipewell/firmware/pos"
)

// Terminal is one that this host knows.
type Terminal struct {
	TID pos.TerminalID
	MID pos.MerchantID
	TMK string // hex, 8, 16 or 24 bytes
}

// terminal is a Terminal and its session.
type terminal struct {
	tid  pos.TerminalID
	mid  pos.MerchantID
	tmk  secret
	keys *workingKeys // nil: nobody signed on
	old  *workingKeys // of the session before, to tell an old key from a wrong MAC

	session int              // sign-ons so far
	blocks  map[string]block // PIN blocks that came
	batch   pos.BatchNo      // open batch, as a sign-on hears it
	balance byte             // code of the last settlement, 0 before the first
}

func newTerminal(t Terminal, batch pos.BatchNo) (*terminal, error) {
	tmk, err := hex.DecodeString(t.TMK)
	if err != nil || len(tmk) != 8 && len(tmk) != 16 && len(tmk) != 24 {
		return nil, fmt.Errorf("acquirer: the master key of terminal %s is not 16, 32 or 48 hex digits", t.TID)
	}
	if len(t.TID) != 8 || len(t.MID) != 15 {
		return nil, fmt.Errorf("acquirer: terminal id %q and merchant id %q need 8 and 15 characters", t.TID, t.MID)
	}
	return &terminal{tid: t.TID, mid: t.MID, tmk: tmk, batch: batch}, nil
}

func (t *terminal) forget() {
	if t.keys != nil {
		t.old, t.keys = t.keys, nil
	}
}

// admin answers 0800 and 0820: sign-on, sign-off, echo. HOST §1.3, §1.4. They
// carry no MAC.
func (x *exchange) admin() message {
	code := ""
	if v := x.m.f[60]; len(v) == 11 && v[:2] == "00" {
		code = v[8:]
	}
	if c, ok := tableCodes[code]; ok && c.mti == x.m.mti {
		return x.download(code)
	}
	if code == codeLog && x.m.mti == "0820" {
		return x.logPiece()
	}
	signOn := x.m.mti == "0800" && (code == "001" || code == "003" || code == "004" || code == "005" && len(x.t.tmk) == 16)
	var needs, may []int
	switch {
	case signOn:
		needs, may = []int{11, 41, 42, 60}, []int{62, 63}
	case x.m.mti == "0820" && code == "002":
		needs = []int{11, 41, 42, 60}
	case x.m.mti == "0820" && code == "301":
		needs, may = []int{41, 42, 60}, []int{11}
	case x.m.mti == "0800" && code == "360":
		needs, may = []int{41, 42, 60}, []int{11}
	case x.m.mti == "0820" && code == "362":
		needs, may = []int{41, 42, 60, 62}, []int{11}
	default:
		return x.refuse(FindKind, 60, "no such administrative message", "40")
	}
	if a, bad := x.fields(needs, may); bad {
		return a
	}
	if rc := x.how.rc; rc != "" && !approving[rc] {
		return x.answer(rc)
	}
	a := x.answer("00")
	switch {
	case signOn:
		w, err := drawKeys(x.h.rand, code, x.h.o.DoubleMAK)
		if err != nil {
			return x.refuse(FindOwnMistake, 62, err.Error(), "96")
		}
		x.t.forget()
		x.t.keys = &w
		a.f[60] = "00" + x.t.batch.String() + code
		x.t.session++
		a.f[62] = w.spoil(w.bundle(x.t.tmk), x.h.spoils.take(), x.t.tmk)
	case code == "002":
		x.t.forget()
	case code == "360":
		a.f[62] = x.h.parameters()
		if a.f[62] == "" {
			a.f[62] = "1230"
		}
	}
	return a
}

// macRight checks DE 64. A MAC that is right under keys no longer in force is
// no fault of the terminal's codec.
func (x *exchange) macRight() (message, bool) {
	got, ok := x.m.f[64]
	mab := x.raw[:max(0, len(x.raw)-8)]
	switch {
	case !ok:
		return x.refuse(FindMAC, 64, "no DE 64", "A0"), false
	case x.t.keys != nil && got == x.t.keys.mac(x.h.o.MAC, mab):
		x.h.checks.macs++
		return message{}, true
	case x.t.old != nil && got == x.t.old.mac(x.h.o.MAC, mab):
		return x.refuse(FindStaleKey, 64, "MAC under the session before", "A0"), false
	case x.t.keys == nil && x.t.old == nil:
		return x.refuse(FindNoKey, 64, "nobody signed on", "A0"), false
	}
	return x.refuse(FindMAC, 64, "wrong MAC", "A0"), false
}

// number reads a numeric field; fields are digits already.
func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}
