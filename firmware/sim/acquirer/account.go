package acquirer

import (
	"strings"
	"time"

	"swipewell/firmware/pos"
)

// account is a card and what happened to it.
type account struct {
	Card
	held  int64 // pre-authorised and not yet captured
	day   string
	spent int64 // of the day's payments
	times int
	tries int // wrong PINs in a row
}

// maxPINTries is how many wrong PINs lock a card.
const maxPINTries = 3

// left is what can be spent.
func (a *account) left() int64 { return a.Balance - a.held }

func (a *account) today(now time.Time) {
	if day := now.In(pos.CST).Format("20060102"); day != a.day {
		a.day, a.spent, a.times = day, 0, 0
	}
}

// funds holds an amount against limits and balance. HOST §2.
func (a *account) funds(amount int64, now time.Time) string {
	a.today(now)
	switch {
	case a.Limit >= 0 && amount > a.Limit, a.Daily >= 0 && a.spent+amount > a.Daily:
		return "61"
	case a.Count >= 0 && a.times >= a.Count:
		return "65"
	case amount > a.left():
		return "51"
	}
	return ""
}

// apply moves money: net is charged, hold is held; counted tells that it is a
// payment of the day.
func (a *account) apply(net, hold int64, counted bool, now time.Time) {
	a.today(now)
	a.Balance -= net
	a.held += hold
	if counted {
		a.spent += net
		a.times++
	}
}

// undo takes back what an entry moved.
func (a *account) undo(o Entry, now time.Time) {
	a.today(now)
	a.Balance += o.Net
	a.held -= o.Hold
	if o.Kind == KindSale && o.At.In(pos.CST).Format("20060102") == a.day {
		a.spent -= o.Net
		a.times--
	}
}

// cardData is what a request says of its card.
type cardData struct {
	pan    string
	expiry string // "" none said
	track2 string // in clear, "" none
}

// cardData collects the card from DE 2, 14 and 35, which must agree.
func (x *exchange) cardData(k kind) (c cardData, a message, bad bool) {
	wrong := func(name string, de int, detail string) (cardData, message, bool) {
		return c, x.refuse(name, de, detail, "30"), true
	}
	mode := x.m.f[22]
	sec, secured := x.m.f[53]
	if secured && (!strings.Contains("012", sec[:1]) || !strings.Contains("06", sec[1:2]) || !strings.Contains("01", sec[2:3]) ||
		strings.Trim(sec[3:], "0") != "") {
		return wrong(FindValue, 53, "not a security control of this dialect")
	}
	if t, ok := x.m.f[35]; ok {
		if secured && sec[2] == '1' {
			if x.t.keys.tdk == nil {
				return wrong(FindValue, 53, "an encrypted track without a track key")
			}
			if t, ok = openTrack(x.t.keys.tdk, t); ok {
				x.h.checks.tracks++
			} else {
				return wrong(FindCard, 35, "too short to be encrypted")
			}
		}
		pan, rest, found := strings.Cut(t, "D")
		if !found || strings.ContainsAny(pan, "ABCEF") || len(pan) < 12 || len(pan) > 19 || strings.ContainsAny(rest, "ABCEF") {
			return wrong(FindCard, 35, "not a track 2")
		}
		c.pan, c.track2 = pan, t
		if len(rest) >= 4 && !strings.Contains(rest[:4], "D") {
			c.expiry = rest[:4]
		}
	}
	if v, ok := x.m.f[2]; ok {
		if c.pan != "" && c.pan != v {
			return wrong(FindCard, 2, "differs from track 2")
		}
		c.pan = v
	}
	if v, ok := x.m.f[14]; ok {
		if c.expiry != "" && c.expiry != v {
			return wrong(FindCard, 14, "differs from track 2")
		}
		c.expiry = v
	}
	var modeOK bool
	switch mode[:2] {
	case "01":
		modeOK = x.m.has(2) && !x.m.has(35)
	case "02":
		modeOK = x.m.has(35) || k.refers
	case "05", "07", "95":
		modeOK = x.m.has(55) || k.refers
	}
	switch {
	case c.pan == "":
		return wrong(FindMissing, 2, "no card: neither DE 2 nor 35")
	case !modeOK:
		return wrong(FindValue, 22, "does not fit to the card's fields")
	case mode[2] != '1' && mode[2] != '2', (mode[2] == '1') != x.m.has(52):
		return wrong(FindValue, 22, "its third digit does not fit to DE 52")
	case x.m.has(26) != x.m.has(52):
		return wrong(FindValue, 26, "comes with DE 52 and only with it")
	case x.m.has(52) && !secured:
		return wrong(FindMissing, 53, "a PIN block without it")
	}
	return c, a, false
}

// pin opens DE 52; "" if there is none. HOST §1.2: DE 53 tells the format and
// the algorithm, which must be that of the key we gave.
func (x *exchange) pin(c cardData) (pin string, a message, bad bool) {
	de52, ok := x.m.f[52]
	if !ok {
		return "", a, false
	}
	sec, alg := x.m.f[53], byte('6')
	if len(x.t.keys.pik) == 8 {
		alg = '0'
	}
	switch {
	case x.t.keys.sm4:
		return "", x.refuse(FindValue, 52, "a PIN block of SM4 has 16 bytes, this field 8", "30"), true
	case sec[0] == '0':
		return "", x.refuse(FindValue, 53, "says that there is no PIN", "30"), true
	case sec[1] != alg:
		return "", x.refuse(FindValue, 53, "not the algorithm of the PIN key", "30"), true
	}
	withPAN := sec[0] == '2'
	if why := x.t.repeated(de52, block{x.t.session, c.pan, x.m.f[11]}, withPAN); why != "" {
		return "", x.refuse(FindPINRepeat, 52, why, "99"), true
	}
	pin, ok = openPIN(x.t.keys.pik, de52, c.pan, withPAN)
	if !ok {
		why := "does not open to a PIN of this card"
		if x.t.old != nil && len(x.t.old.pik) == len(x.t.keys.pik) {
			if _, stale := openPIN(x.t.old.pik, de52, c.pan, withPAN); stale {
				why = "under the PIN key of the session before"
			}
		}
		return "", x.refuse(FindPINBlock, 52, why, "99"), true
	}
	x.h.checks.pins++
	return pin, a, false
}

// trackOf is the track 2 that a card has where it was read.
func (x *exchange) trackOf(acct *account) string {
	if t := acct.chipTrack(); t != "" && x.chipRead() {
		return t
	}
	return acct.Track2()
}

// chipRead tells that the request's card was read by its chip. HOST §1.2, DE 22.
func (x *exchange) chipRead() bool { return strings.HasPrefix(x.m.f[22], "05") }

// cardVerdict is what the issuer says of the card itself, "" if nothing.
func (x *exchange) cardVerdict(acct *account, k kind, c cardData, pin string) string {
	now := x.h.wall().In(pos.CST).Format("200601")
	swiped, fallback := x.m.f[22][:2] == "02", len(x.m.f[60]) > 12 && x.m.f[60][12] == '2'
	switch rc := acct.refusal(); {
	case rc != "":
		return rc
	case acct.tries >= maxPINTries:
		return "38"
	case "20"+acct.Expiry < now:
		return "54"
	case c.expiry != "" && c.expiry != acct.Expiry:
		x.finding(FindCard, 14, "not the account's expiry", "54")
		return "54"
	case c.track2 != "" && c.track2 != strings.ReplaceAll(x.trackOf(acct), "=", "D"):
		x.finding(FindCard, 35, "not the track of this card", "59")
		return "59"
	case swiped && !fallback && !k.refers && (acct.Service[0] == '2' || acct.Service[0] == '6'):
		return "45"
	case pin == "" || acct.PIN == "" || pin == acct.PIN:
		if pin != "" {
			acct.tries = 0
		}
		return ""
	}
	if acct.tries++; acct.tries >= maxPINTries {
		return "75"
	}
	return "55"
}
