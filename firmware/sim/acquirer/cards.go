package acquirer

import (
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"strings"

	"swipewell/firmware/pos"
	chipcard "swipewell/firmware/sim/card"
)

// Card is a test card and the account behind it. It prints without its number.
type Card struct {
	Name    string `json:"name"` // in the card tray
	About   string `json:"about,omitempty"`
	PAN     string `json:"-"`
	Expiry  string `json:"-"` // YYMM
	PIN     string `json:"-"` // "": none is checked
	Holder  string `json:"-"` // as on track 1
	Service string `json:"service"`
	Status  string `json:"status"`  // a word of statuses, or a response code
	Balance int64  `json:"balance"` // what can still be spent, fen
	Limit   int64  `json:"limit"`   // of one payment, fen; -1 none
	Daily   int64  `json:"daily"`   // of a day's payments, fen; -1 none
	Count   int    `json:"count"`   // payments a day; -1 no limit
	track1  string
	track2  string            // "" unless set by hand
	chip    *chipcard.Profile // nil: it has none
}

// HasChip tells whether the card can go into a slot.
func (c Card) HasChip() bool { return c.chip != nil }

// Chip is what personalises its chip; nil: it has none.
func (c Card) Chip() *chipcard.Profile { return c.chip }

// rechip makes the chip's personalisation that of the account: what a script has
// changed of the one is changed of the other.
func (c *Card) rechip() {
	if c.chip == nil {
		return
	}
	p := *c.chip
	p.PAN, p.PIN, p.Service = c.PAN, c.PIN, c.Service
	if p.StripeExpiry() != c.Expiry {
		p.Expiry = c.Expiry + "28"
	}
	c.chip = &p
}

// chipTrack is the track 2 that the chip gives, which is not the stripe's: a card that
// was copied from the one to the other is noticed. Only the separator differs from HOST.
func (c Card) chipTrack() string {
	if c.chip == nil {
		return ""
	}
	return strings.Replace(c.chip.Track2(), "D", "=", 1)
}

// String names the card and shows no digits but the usual ten.
func (c Card) String() string { return c.Name + " " + string(mask(c.PAN)) }

// Format prints String for every verb: no way of printing shows more.
func (c Card) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// Track2 is what stands between the sentinels of track 2. ISO7813 §6.
func (c Card) Track2() string {
	if c.track2 != "" {
		return c.track2
	}
	return c.PAN + "=" + c.Expiry + c.Service + c.discretionary()
}

// Track1 is what stands between the sentinels of track 1, format B. ISO7813 §5.
func (c Card) Track1() string {
	if c.track1 != "" {
		return c.track1
	}
	return "B" + c.PAN + "^" + c.Holder + "^" + c.Expiry + c.Service + c.discretionary()
}

// discretionary is where a real card has its CVV: ten digits that hang on the
// number, so that a track with a damaged end does not pass.
func (c Card) discretionary() string {
	h := fnv.New32a()
	h.Write([]byte(c.PAN))
	return fmt.Sprintf("%010d", h.Sum32())
}

// Org is DE 63.1: the card organisation.
func (c Card) Org() string {
	switch c.PAN[0] {
	case '4':
		return "VIS"
	case '5', '2':
		return "MCC"
	}
	return "CUP"
}

// statuses of an account and the DE 39 that each has for every payment. HOST §2.
var statuses = map[string]string{
	"ok": "", "lost": "41", "stolen": "43", "restricted": "62", "pickup": "04", "closed": "14", "expired": "54",
	"locked": "75", "blocked": "38", "inactive": "21", "no-issuer": "15", "refer": "01", "refused": "05", "fraud": "34",
	"not-permitted": "57", "wrong-terminal": "58", "not-supported": "40", "issuer-down": "91", "issuer-slow": "68",
	"chip-only": "45",
}

const unlimited = -1

// tray is the default card tray: a card that pays with one field changed, so
// that each natural refusal has its card. The numbers are from test ranges.
var tray = []struct{ name, pan, about, field string }{
	{"cup-debit-1", "6225880000000000010", "pays", ""},
	{"cup-debit-2", "6226090000000000022", "pays", ""},
	{"cup-credit-1", "6225760000000013", "pays", ""},
	{"visa-credit-1", "4111111111111111", "pays", ""},
	{"mc-credit-1", "5555555555554444", "pays", ""},
	{"cup-poor", "6225880000000000036", "51, no money", "balance=0"},
	{"cup-lost", "6225880000000000044", "41, lost", "status=lost"},
	{"cup-stolen", "6225880000000000051", "43, stolen", "status=stolen"},
	{"cup-expired", "6225880000000000069", "54, expired", "expiry=2412"},
	{"cup-restricted", "6225880000000000077", "62, restricted", "status=restricted"},
	{"cup-limit-amount", "6225880000000000085", "61, over its limit at any amount", "limit=0"},
	{"cup-limit-count", "6225880000000000093", "65, no payment left today", "count=0"},
	{"cup-chip-1", "6225880000000000101", "45, a chip card: a swipe is refused", "service=221"},
	{"cup-pin-1", "6225880000000000192", "pays, with its PIN only", "service=120"},
	{"cup-pin-locked", "6225880000000000119", "75, PIN tries used up", "status=locked"},
	{"cup-unknown", "6225880000000000127", "14, no such account", "status=closed"},
	{"cup-pickup", "6225880000000000135", "04, keep the card", "status=pickup"},
	{"cup-refer", "6225880000000000143", "01, call the issuer", "status=refer"},
	{"cup-refused", "6225880000000000150", "05, not honoured", "status=refused"},
	{"cup-not-permitted", "6225880000000000168", "57, not permitted", "status=not-permitted"},
	{"cup-inactive", "6225880000000000176", "21, not active", "status=inactive"},
	{"cup-issuer-down", "6225880000000000184", "91, issuer not available", "status=issuer-down"},
}

// defaultTray makes the cards of the tray.
func defaultTray() ([]Card, error) {
	var out []Card
	for _, row := range tray {
		c := blank(row.name, row.pan)
		c.About = row.about
		if field, value, ok := strings.Cut(row.field, "="); ok {
			if err := c.set(field, value); err != nil {
				return nil, err
			}
		}
		out = append(out, c)
	}
	chips, err := chipTray()
	return append(out, chips...), err
}

// chipTray makes the accounts of the chip cards out of what personalised them, so that
// a card and its account cannot differ.
func chipTray() ([]Card, error) {
	var out []Card
	for _, name := range chipcard.Names() {
		p, err := chipcard.Load(name)
		if err != nil {
			return nil, err
		}
		c := blank(name, p.PAN)
		c.About, c.Expiry, c.PIN, c.Service, c.Holder, c.chip = "chip: "+p.About, p.StripeExpiry(), p.PIN, p.Service, p.Holder, &p
		out = append(out, c)
	}
	return out, nil
}

// blank is a card that pays, before its fields are set.
func blank(name, pan string) Card {
	holder := strings.ToUpper(strings.Map(func(r rune) rune {
		if r == '-' || r == '_' {
			return ' '
		}
		return r
	}, name))
	return Card{Name: name, PAN: pan, Expiry: "3012", PIN: "123456", Holder: "TEST/" + holder[:min(len(holder), 20)], Service: "101",
		Status: "ok", Balance: 100_000_00, Limit: unlimited, Daily: unlimited, Count: unlimited}
}

// generated is a number from the test range for a card that has none yet.
func generated(name string) string {
	h := fnv.New64a()
	h.Write([]byte(name))
	return withCheckDigit(fmt.Sprintf("6226220%011d", h.Sum64()%1e11))
}

// withCheckDigit appends the check digit. ISO7812 Annex B.
func withCheckDigit(body string) string {
	sum := 0
	for i := range len(body) {
		v := int(body[len(body)-1-i] - '0')
		if i%2 == 0 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return body + strconv.Itoa((10-sum%10)%10)
}

// mask shows the first six and the last four digits; of less than thirteen,
// nothing.
func mask(pan string) pos.MaskedPAN {
	if len(pan) < 13 {
		return pos.MaskedPAN(strings.Repeat("*", len(pan)))
	}
	return pos.MaskedPAN(pan[:6] + strings.Repeat("*", len(pan)-10) + pan[len(pan)-4:])
}

// set changes one field of a card, as the script language names them.
func (c *Card) set(field, value string) (err error) {
	number := func(most int) (s string) {
		if value == "" || len(value) > most || strings.Trim(value, "0123456789") != "" {
			err = fmt.Errorf("acquirer: card field %s takes up to %d digits", field, most)
		}
		return value
	}
	money := func() int64 {
		if value == "none" {
			return unlimited
		}
		var a pos.Amount
		a, err = pos.ParseAmount(value)
		return a.Minor
	}
	switch field {
	case "pan":
		if c.PAN = number(19); err == nil && len(value) < 13 {
			err = fmt.Errorf("acquirer: a card number has 13 to 19 digits")
		}
	case "expiry":
		if c.Expiry = number(4); err == nil && (len(value) != 4 || value[2:] < "01" || value[2:] > "12") {
			err = fmt.Errorf("acquirer: card field expiry is YYMM")
		}
	case "pin":
		if c.PIN = value; value != "" {
			if number(12); err == nil && len(value) < 4 {
				err = fmt.Errorf("acquirer: a PIN has 4 to 12 digits")
			}
		}
	case "service":
		if c.Service = number(3); err == nil && len(value) != 3 {
			err = fmt.Errorf("acquirer: a service code has 3 digits")
		}
	case "name", "holder":
		c.Holder = value
	case "about":
		c.About = value
	case "balance":
		if c.Balance = money(); c.Balance < 0 {
			err = fmt.Errorf("acquirer: a balance is an amount")
		}
	case "limit":
		c.Limit = money()
	case "daily":
		c.Daily = money()
	case "count":
		if value == "none" {
			c.Count = unlimited
			break
		}
		number(6)
		c.Count, _ = strconv.Atoi(value)
	case "status":
		_, word := statuses[value]
		if c.Status = value; !word && (len(value) != 2 || strings.ContainsFunc(value, notLetter)) {
			err = fmt.Errorf("acquirer: no card status %q", value)
		}
	case "chip":
		if c.chip = nil; value != "none" {
			p, e := chipcard.Load(value)
			if e != nil {
				return fmt.Errorf("acquirer: no chip %q: %s", value, strings.Join(chipcard.Names(), " "))
			}
			p.Name, c.chip = c.Name, &p
		}
	case "track1":
		c.track1 = value
	case "track2":
		c.track2 = strings.ReplaceAll(value, "D", "=")
	default:
		err = fmt.Errorf("acquirer: a card has no field %q (pan expiry pin balance service name limit daily count status chip track1 track2)", field)
	}
	return err
}

// refusal is the DE 39 of an account's status, "" if it is in order.
func (c Card) refusal() string {
	if rc, ok := statuses[c.Status]; ok {
		return rc
	}
	return c.Status
}
