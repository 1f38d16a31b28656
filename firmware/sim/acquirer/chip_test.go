package acquirer_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/tlv"
	"swipewell/firmware/sim/acquirer"
	"swipewell/firmware/sim/card"
)

// online are the objects of field 55 in a request and in an upload.
var online = []tlv.Tag{0x9F26, 0x9F27, 0x9F10, 0x9F37, 0x9F36, 0x95, 0x9A, 0x9C, 0x9F02, 0x5F2A, 0x82, 0x9F1A, 0x9F03, 0x9F33, 0x9F34, 0x9F35, 0x84, 0x9F09}

// chipClient is a terminal with a slot: the kernel between real cards and the host.
type chipClient struct {
	*client
	cards map[string]*card.Card
	un    uint32
}

func startChip(t testing.TB) *chipClient {
	return &chipClient{client: start(t, acquirer.Opts{}), cards: map[string]*card.Card{}}
}

// chipRun is a sale and how it ended.
type chipRun struct {
	profile card.Profile
	fen     int
	sent    fields
	got     got
	state   emv.State
	outcome emv.Outcome
}

// chipOpts are what differs in a sale.
type chipOpts struct {
	pin     string              // keyed at an online PIN; "": passed over
	with    fields              // of the request
	spoil   func(d55 []byte)    // of field 55, in place
	tags    []tlv.Tag           // of field 55; nil: online
	expired bool                // the answer does not come
	floor   int                 // fen
	more    func(v emv.Values)  // of the transaction's data
	lost    func(ins byte) bool // the card is out at this command
}

func field55(b []byte) string { return fmt.Sprintf("%04d", len(b)) + hex.EncodeToString(b) }

// chipSale plays a sale to its end.
func (c *chipClient) chipSale(name string, fen int, o chipOpts) chipRun {
	c.t.Helper()
	k := c.cards[name]
	if k == nil {
		p, err := card.Load(name)
		if err != nil {
			c.t.Fatal(err)
		}
		if k, err = card.New(p); err != nil {
			c.t.Fatal(err)
		}
		c.cards[name] = k
	}
	k.Reset()
	p := k.Profile()
	r := chipRun{profile: p, fen: fen}
	rid, index, ca, err := p.CAKey()
	if err != nil {
		c.t.Fatal(err)
	}
	cfg := &emv.Config{
		Data: emv.Values{0x9F1A: {0x01, 0x56}, 0x9F33: {0xE0, 0xF8, 0xC8}, 0x9F35: {0x22}, 0x9F40: {0xFA, 0, 0xF0, 0xA3, 0xFF}, 0x9F09: {0, 0x30},
			0x9F1B: {byte(o.floor >> 24), byte(o.floor >> 16), byte(o.floor >> 8), byte(o.floor)}, emv.TagDDOL: {0x9F, 0x37, 0x04}},
		Apps: []emv.App{{AID: unhex(c.t, "A000000333"), Partial: true}},
		Keys: []emv.CAKey{{RID: [5]byte(rid), Index: index, Modulus: ca.N, Exponent: ca.E}},
	}
	c.un++
	data := emv.Values{0x9F02: unhex(c.t, fmt.Sprintf("%012d", fen)), 0x9F03: make([]byte, 6), 0x5F2A: {0x01, 0x56}, 0x9A: unhex(c.t, "261123"), 0x9C: {0}}
	if o.more != nil {
		o.more(data)
	}
	s, out, err := emv.Begin(cfg, emv.Transaction{Data: data, UN: [4]byte{1, 2, byte(c.un >> 8), byte(c.un)}, Pick: 99})
	if err != nil {
		c.t.Fatal(err)
	}
	for {
		var in emv.Input
		switch q := out.(type) {
		case emv.Command:
			if in = emv.Lost(emv.Lost{}); o.lost == nil || !o.lost(q.APDU[1]) {
				in = emv.ParseResponse(k.Transmit(q.APDU))
			}
		case emv.AskPIN:
			in = emv.PIN{Result: emv.PINBypassed}
			if o.pin != "" {
				in = emv.PIN{Handle: 1}
			}
		case emv.Verify:
			b := unhex(c.t, (fmt.Sprintf("2%X", len(o.pin)) + o.pin + "FFFFFFFFFFFFFF")[:16])
			in = emv.ParseResponse(k.Transmit(append(append(q.Header[:], 8), b...)))
		case emv.AskFacts:
			in = emv.Facts{}
		case emv.AskChoice:
			in = emv.Choice{}
		case emv.AskOnline:
			in = c.online(&r, s, q, o)
		case emv.Outcome:
			r.state, r.outcome = s, q
			return r
		}
		s, out = emv.Step(s, in)
	}
}

// online sends the request and reads what the issuer says.
func (c *chipClient) online(r *chipRun, s emv.State, q emv.AskOnline, o chipOpts) emv.Host {
	c.t.Helper()
	r.state = s
	r.sent = c.request(*r, o)
	if q.HasPIN {
		r.sent.with(c.withPIN(r.profile.Name, o.pin, c.pik)).with(fields{22: "0510"}).with(o.with)
	}
	if r.got = c.send("0200", r.sent); o.expired {
		return emv.Host{Reach: emv.NoAnswer}
	}
	h := emv.Host{Approved: r.got.rc == "00", ARC: [2]byte([]byte(r.got.rc))}
	list, err := tlv.Parse([]byte(r.got.chip))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, d := range list {
		switch d.Tag {
		case 0x91:
			h.AuthData = d.Value
		case 0x71, 0x72:
			h.Scripts = append(h.Scripts, d.Raw)
		}
	}
	return h
}

// request is the 0200 of a chip's sale.
func (c *chipClient) request(r chipRun, o chipOpts) fields {
	tags := o.tags
	if tags == nil {
		tags = online
	}
	d55 := r.state.Pack(tags...)
	if o.spoil != nil {
		o.spoil(d55)
	}
	return c.ids(fields{2: ll(r.profile.PAN), 3: "000000", 4: fmt.Sprintf("%012d", r.fen), 11: c.next(), 14: r.profile.StripeExpiry(), 22: "0520",
		23: "00" + r.profile.PSN, 25: "00", 35: ll(r.profile.Track2()), 49: asc("156"), 55: field55(d55), 60: lll("22" + c.batch + "000500"), 64: ""}).with(o.with)
}

// result is the 0620 of a run.
func (c *chipClient) result(r chipRun, with fields) fields {
	results := []byte{}
	for _, s := range r.outcome.Scripts {
		results = append(results, s[:]...)
	}
	d := r.state.Pack(0x9F33, 0x95, 0x9F37, 0x9F10, 0x9F26, 0x9F36, 0x82, 0x9F1A, 0x9A)
	d = append(d, append([]byte{0xDF, 0x31, byte(len(results))}, results...)...)
	return c.ids(fields{2: r.sent[2], 3: "000000", 4: r.sent[4], 11: c.next(), 22: r.sent[22], 23: r.sent[23], 37: asc(r.got.rrn), 38: asc(r.got.auth),
		49: asc("156"), 55: field55(d), 60: lll("00" + c.batch + "951"), 61: lll(c.batch + r.sent[11] + "1123"), 64: ""}).with(with)
}

// upload is the 0320 of a run in a class of the chip batch.
func (c *chipClient) upload(r chipRun, code string, with fields) fields {
	head, tail := "61", ""
	if code == "204" || code == "206" {
		head, tail = "71", "00"
	}
	amount := fmt.Sprintf("%012d", r.fen)
	text := head + "00" + "00" + amount + "156" + tail
	return c.ids(fields{2: ll(r.profile.PAN), 4: amount, 11: c.next(), 22: "0520", 23: "00" + r.profile.PSN, 55: field55(r.state.Pack(online...)),
		60: lll("00" + c.batch + code), 62: fmt.Sprintf("%04d", len(text)) + asc(text)}).with(with)
}

// settle is the 0500 that agrees with the books, and its code.
func (c *chipClient) settle(debit, n int) {
	c.t.Helper()
	sums := fmt.Sprintf("%012d%03d%012d%03d0", debit, n, 0, 0)
	c.send("0500", c.ids(fields{11: c.next(), 48: lll(sums + strings.Repeat("0", 31)), 49: asc("156"), 60: lll("00" + c.batch + "201"), 63: "0003" + asc("01 ")}))
}

func (c *chipClient) end() {
	c.t.Helper()
	c.want(c.send("0320", c.ids(fields{11: c.next(), 48: lll("0001"), 60: lll("00" + c.batch + "207")})), "00")
}

// named are the findings' names.
func (c *chipClient) named() (names []string) {
	for _, f := range c.h.Findings() {
		names = append(names, f.Name)
	}
	return names
}

// found wants exactly these findings, the last ones, and excuses them.
func (c *chipClient) found(names ...string) {
	c.t.Helper()
	if got := c.named(); !slices.Equal(got, names) {
		c.t.Errorf("findings %v, want %v: %v", got, names, c.h.Findings())
	}
}

// Every card of the tree: what comes of a sale, the issuer's word, and the settlement.
func TestChipSales(t *testing.T) {
	for _, row := range []struct {
		name, pin, outcome, rc string
	}{
		{"debit", "", "approved-online", "00"}, {"debit-online", "123456", "approved-online", "00"}, {"debit-online", "111111", "declined-online", "55"},
		{"credit", "", "approved-online", "00"}, {"arpc-strict", "123456", "approved-online", "00"}, {"arpc-deaf", "123456", "approved-online", "00"},
		{"refuse-ac2", "123456", "refused", "00"}, {"debit-t1", "123456", "approved-online", "00"}, {"chip-expired", "123456", "declined-online", "54"},
		{"two-apps", "123456", "approved-online", "00"}, {"sda-only", "123456", "approved-online", "00"}, {"dda-only", "123456", "approved-online", "00"},
		{"chip-refuse", "", "declined-offline", ""}, {"app-blocked", "", "terminated/", ""},
	} {
		t.Run(row.name+row.rc, func(t *testing.T) {
			c := startChip(t)
			r := c.chipSale(row.name, 1280, chipOpts{pin: row.pin})
			if !strings.HasPrefix(r.outcome.String(), row.outcome) || r.got.rc != row.rc {
				t.Fatalf("%v, answered %q; %v", r.outcome, r.got.rc, c.h.Findings())
			}
			if row.rc == "" {
				c.clean()
				return
			}
			if r.got.chip == "" || !r.got.macOK {
				t.Error("the answer has no field 55")
			}
			class := "203"
			switch {
			case r.outcome.Kind == emv.Refused:
				d := r.state.Pack(0x95, 0x9F10, 0x9F36)
				c.want(c.send("0400", c.reversal(row.name, r.sent, fields{39: asc("06"), 23: r.sent[23], 55: field55(d)})), "00")
				class = "204"
			case row.rc != "00":
				class = "204"
			case row.name == "arpc-deaf":
				class = "204"
			}
			debit, n := 1280, 1
			if row.rc != "00" || r.outcome.Kind == emv.Refused {
				debit, n = 0, 0
			}
			c.settle(debit, n)
			c.want(c.send("0320", c.upload(r, class, nil)), "00")
			c.end()
			c.clean()
			if row.rc == "00" && !strings.Contains(must(c.h.Command("checks")), "ARQCs right 1\nTCs right 1") {
				t.Error(must(c.h.Command("checks")))
			}
		})
	}
}

func must(s string, err error) string {
	if err != nil {
		return err.Error()
	}
	return s
}

// A credit card approves by itself below the floor: its TC comes with an advice, is
// booked whatever the account has, and need not be uploaded.
func TestChipOffline(t *testing.T) {
	c := startChip(t)
	r := c.chipSale("floor", 1280, chipOpts{floor: 50000})
	if r.outcome.Kind != emv.ApprovedOffline {
		t.Fatal(r.outcome)
	}
	c.command("card floor balance=0")
	advice := c.request(r, chipOpts{with: fields{60: lll("36" + c.batch + "000500"), 35: "-"}})
	c.want(c.send("0220", advice), "00")
	if got := c.h.NetCapture(nil); got.Minor != 1280 {
		t.Errorf("captured %v", got)
	}
	c.clean()
	c.want(c.send("0220", advice), "94")
	c.found("duplicate")
	again := c.request(r, chipOpts{with: fields{60: lll("36" + c.batch + "000500"), 35: "-"}})
	c.want(c.send("0220", again), "34")
	c.found("duplicate", "atc")
	r = c.chipSale("floor", 1280, chipOpts{floor: 50000})
	bad := c.request(r, chipOpts{spoil: func(d []byte) { d[4] ^= 1 }, with: fields{60: lll("36" + c.batch + "000500"), 35: "-"}})
	c.want(c.send("0220", bad), "34")
	c.found("duplicate", "atc", "cryptogram")
	c.want(c.send("0220", c.request(r, chipOpts{with: fields{22: "0220", 60: lll("36" + c.batch + "000500")}})), "30")
	c.settle(1280, 1)
	c.end()
	c.found("duplicate", "atc", "cryptogram", "value")
}

// What is wrong with a request of a chip, each by its finding, its code, and what the
// books say: nothing.
func TestChipFaults(t *testing.T) {
	without := func(tag tlv.Tag) []tlv.Tag {
		return slices.DeleteFunc(slices.Clone(online), func(t tlv.Tag) bool { return t == tag })
	}
	at := func(d []byte, tag ...byte) []byte { // the value behind a tag and its length
		i := bytes.Index(d, tag)
		return d[i+len(tag)+1:]
	}
	type row struct {
		name, rc string
		find     []string
		o        chipOpts
	}
	rows := []row{
		{"cryptogram", "34", []string{"cryptogram"}, chipOpts{spoil: func(d []byte) { at(d, 0x9F, 0x26)[3] ^= 1 }}},
		{"terminal verification results", "34", []string{"cryptogram"}, chipOpts{spoil: func(d []byte) { at(d, 0x95)[4] ^= 1 }}},
		{"a TC", "30", []string{"cryptogram"}, chipOpts{spoil: func(d []byte) { at(d, 0x9F, 0x27)[0] = 0x40 }}},
		{"amount", "30", []string{"chip"}, chipOpts{with: fields{4: "000000001281"}}},
		{"currency", "30", []string{"chip", "cryptogram"}, chipOpts{spoil: func(d []byte) { at(d, 0x5F, 0x2A)[1] = 0x40 }}},
		{"country", "30", []string{"chip", "cryptogram"}, chipOpts{spoil: func(d []byte) { at(d, 0x9F, 0x1A)[1] = 0x40 }}},
		{"day", "30", []string{"chip"}, chipOpts{more: func(v emv.Values) { v[0x9A] = []byte{0x26, 0x11, 0x20} }}},
		{"no day", "30", []string{"chip", "cryptogram"}, chipOpts{spoil: func(d []byte) { at(d, 0x9A)[1] = 0x13 }}},
		{"kind", "30", []string{"chip"}, chipOpts{more: func(v emv.Values) { v[0x9C] = []byte{0x20} }}},
		{"profile", "30", []string{"chip", "cryptogram"}, chipOpts{spoil: func(d []byte) { at(d, 0x82, 0x02)[0] ^= 1 }}},
		{"application", "30", []string{"chip"}, chipOpts{spoil: func(d []byte) { at(d, 0x84)[7] ^= 1 }}},
		{"sequence number", "30", []string{"chip", "cryptogram"}, chipOpts{with: fields{23: "0002"}}},
		{"no sequence number", "30", []string{"chip", "cryptogram"}, chipOpts{with: fields{23: "-"}}},
		{"PIN without one", "30", []string{"chip", "cryptogram"}, chipOpts{spoil: func(d []byte) { at(d, 0x95)[2] |= 0x04 }}},
		{"results say PIN", "30", []string{"chip"}, chipOpts{spoil: func(d []byte) { copy(at(d, 0x9F, 0x34), "\x02\x03\x00") }}},
		{"results say failed", "30", []string{"chip"}, chipOpts{spoil: func(d []byte) { at(d, 0x9F, 0x34)[2] = 1 }}},
		{"not a list", "30", []string{"chip"}, chipOpts{with: fields{55: "00039f2609"}}},
		{"twice", "30", []string{"chip"}, chipOpts{tags: append(slices.Clone(online), 0x95)}},
		{"track 2 in it", "30", []string{"chip"}, chipOpts{tags: append(slices.Clone(online), 0x57)}},
		{"of a swipe", "30", []string{"unexpected"}, chipOpts{with: fields{22: "0220"}}},
		{"none", "30", []string{"value"}, chipOpts{with: fields{55: "-"}}},
		{"the stripe's track", "59", []string{"card"}, chipOpts{}},
	}
	for _, tag := range []tlv.Tag{0x9F26, 0x9F27, 0x9F10, 0x9F37, 0x9F36, 0x95, 0x9A, 0x9C, 0x9F02, 0x5F2A, 0x82, 0x9F1A, 0x9F03, 0x9F33} {
		rows = append(rows, row{"without " + tag.String(), "30", []string{"chip"}, chipOpts{tags: without(tag)}})
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			c := startChip(t)
			if r.name == "the stripe's track" {
				k, _ := c.h.Card("debit")
				r.o.with = fields{35: ll(k.Track2())}
			}
			run := c.chipSale("debit", 1280, r.o)
			if run.got.rc != r.rc || !run.got.macOK {
				t.Errorf("answered %s, want %s: %v", run.got.rc, r.rc, c.h.Findings())
			}
			c.found(r.find...)
			if got := c.h.NetCapture(nil); got.Minor != 0 {
				t.Errorf("captured %v", got)
			}
			if r.rc == "34" && run.got.chip != "" {
				t.Error("an issuer proves itself to a card that it does not know")
			}
		})
	}
}

// The counter rises, and no unpredictable number comes twice.
func TestChipCounter(t *testing.T) {
	c := startChip(t)
	first := c.chipSale("debit", 1280, chipOpts{})
	old := *c.cards["debit"] // a copy of the card, as it was
	c.want(c.chipSale("debit", 1280, chipOpts{}).got, "00")
	c.clean()
	c.want(c.send("0200", first.sent.with(fields{11: c.next()})), "34")
	c.found("atc")
	c.cards["debit"] = &old
	c.want(c.chipSale("debit", 1280, chipOpts{}).got, "34")
	c.found("atc", "atc")
	c.un--
	c.want(c.chipSale("credit", 1280, chipOpts{}).got, "34")
	c.found("atc", "atc", "atc")
}

// A stripe that has a chip beside it: refused as a real host does, unless the chip could
// not be read.
func TestChipSwiped(t *testing.T) {
	c := startChip(t)
	c.want(c.send("0200", c.sale("debit-online", 100, nil)), "45")
	c.want(c.send("0200", c.sale("debit-online", 100, fields{60: lll("22" + c.batch + "00052")})), "00")
	c.want(c.send("0200", c.sale("credit-pin", 100, fields{60: lll("22" + c.batch + "00052")})), "00")
	c.clean()
	k, _ := c.h.Card("credit-pin")
	track := k.PAN + "=" + k.Expiry + k.Service + "0000000000" // the chip's, on a stripe
	c.want(c.send("0200", c.sale("credit-pin", 100, fields{35: ll(track), 60: lll("22" + c.batch + "00052")})), "59")
	c.found("card")
}
