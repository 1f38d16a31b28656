package acquirer

import (
	"fmt"
	"slices"

	"swipewell/firmware/pos"
)

// exchange is one request on its way through the host. It is used under mu.
type exchange struct {
	h   *Host
	m   message
	raw []byte // MTI to the end, as received
	t   *terminal
	how order // decline or approve, if one stands
	out order // the manner in which the answer will go out
}

// echoed are the fields that an answer repeats from its request. HOST §1.4.
var echoed = []int{2, 3, 4, 11, 14, 23, 25, 41, 42, 49, 60}

// answer begins the answer to the request, MTI + 10: what it repeats, the host's time,
// reference and institution, and DE 39.
func (x *exchange) answer(rc string) message {
	a := message{mti: x.m.mti[:2] + string(rune(x.m.mti[2]+1)) + x.m.mti[3:], f: map[int]string{}}
	for _, de := range echoed {
		if v, ok := x.m.f[de]; ok {
			a.f[de] = v
		}
	}
	now := x.h.wall().In(pos.CST)
	a.f[12], a.f[13] = now.Format("150405"), now.Format("0102")
	a.f[32] = institution
	a.f[37] = x.h.rrn()
	a.f[39] = rc
	return a
}

// refuse keeps a finding and answers with rc.
func (x *exchange) refuse(name string, field int, detail, rc string) message {
	x.finding(name, field, detail, rc)
	return x.answer(rc)
}

func (x *exchange) finding(name string, field int, detail, rc string) {
	x.h.find(Finding{Name: name, MTI: x.m.mti, TID: pos.TerminalID(x.m.f[41]), STAN: x.m.f[11], Field: field, Detail: detail, RC: rc})
}

// fields checks that all of needs are there and nothing but needs and may.
func (x *exchange) fields(needs, may []int) (message, bool) {
	for _, de := range needs {
		if !x.m.has(de) {
			return x.refuse(FindMissing, de, "needed and not there", "30"), true
		}
	}
	for de := 2; de <= 64; de++ {
		if x.m.has(de) && !slices.Contains(needs, de) && !slices.Contains(may, de) {
			return x.refuse(FindUnexpected, de, "does not belong into this message", "30"), true
		}
	}
	return message{}, false
}

// serve answers a request that parsed. The order of the checks is that of a
// host: terminal, merchant, MAC, form, and only then money.
func (x *exchange) serve() message {
	x.t = x.h.terminals[pos.TerminalID(x.m.f[41])]
	switch {
	case !x.m.has(41):
		return x.refuse(FindMissing, 41, "needed and not there", "30")
	case x.t == nil:
		return x.refuse(FindTerminal, 41, "unknown terminal", "97")
	case x.m.f[42] != string(x.t.mid):
		return x.refuse(FindMerchant, 42, "not this terminal's merchant", "03")
	}
	switch x.m.mti {
	case "0800", "0820":
		return x.admin()
	case "0500":
		return x.settlement()
	case "0320":
		return x.upload()
	}
	if a, ok := x.macRight(); !ok {
		return a
	}
	switch x.m.mti {
	case "0100", "0200", "0220":
		return x.payment()
	case "0400":
		return x.reversal()
	case "0620":
		return x.scriptResult()
	}
	return x.refuse(FindKind, 0, "no such message type here", "40")
}

// rrn is DE 37: year, day, hour and a number of our own. ISO8583 §4.
func (h *Host) rrn() string {
	now := h.wall().In(pos.CST)
	h.refs++
	return fmt.Sprintf("%d%03d%02d%06d", now.Year()%10, now.YearDay(), now.Hour(), h.refs%1_000_000)
}
