package hostlink

import (
	"fmt"
	"strings"

	"swipewell/firmware/card"
	"swipewell/firmware/iso8583"
	"swipewell/firmware/iso8583/tpdu"
	"swipewell/firmware/pos"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// Profile is who we are to this host, and its manners.
type Profile struct {
	TID           pos.TerminalID
	MID           pos.MerchantID
	TPDU          tpdu.Header
	Header        iso8583.Header
	Tail60        string // DE 60 of a sale behind type and batch: network code 000, capability, condition
	KeyForm       string // DE 60.3 of the sign-on: 001, 003, 004, 005
	EncryptTracks bool
}

// algorithm is the second digit of DE 53: the cipher of the session keys. HOST §1.2.
func (p Profile) algorithm() byte {
	switch p.KeyForm {
	case "001":
		return '0'
	case "005":
		return '3'
	}
	return '6'
}

func (p Profile) check() error {
	if len(p.TID) != 8 || len(p.MID) != 15 {
		return fmt.Errorf("hostlink: terminal id has %d characters and merchant id %d, want 8 and 15", len(p.TID), len(p.MID))
	}
	return nil
}

// want is what an answer must match. HOST §1.4: MTI = request + 10, DE 3, 11,
// 41 equal, DE 42 if DE 39 = 00, DE 4 unless DE 39 = 10.
type want struct {
	mti     iso8583.MTI
	stan    string // "" where the request has none (echo)
	process string
	amount  string
	mac     bool   // the answer's MAC counts
	points  bool   // the bench's fault points belong to this exchange
	settle  bool   // a 0510: no DE 39, totals in DE 48
	params  bool   // a 0810 whose DE 62 are parameters
	table   bool   // a 0810 or 0830 whose DE 62 is of the tables for chip cards
	echo    string // DE 62 that an approval must repeat; "" any
	tid     string
	mid     string
}

// TxnData is a financial request beside the profile.
type TxnData struct {
	Spec   *txn.Spec
	ID     pos.RecordID
	Amount pos.Amount
	Entry  string // DE 22
	Orig   pos.Original
	Tip    int64     // DE 48 of a tip, minor units
	Card   card.Data // with the track if the card is in front of us; else number and expiry
	PIN    *hal.Secret
	Chip   pos.Chip
}

// message is an empty one on the heap. It holds a card number while it is built: on a
// stack that grows meanwhile, its copy would stay behind where nobody wipes it.
//
//go:noinline
func message() *iso8583.Message { return new(iso8583.Message) }

// Financial packs a 0100, 0200 or 0220 of any kind. HOST §1.4.
func (l *Line) Financial(d TxnData) Request {
	m := message()
	defer m.Reset(0) // whatever the way out
	m.Reset(iso8583.MTI(d.Spec.MTI))
	m.SetDigits(iso8583.DEProcessing, d.Spec.Process)
	if !d.Spec.NoAmount {
		m.SetDigits(iso8583.DEAmount, amount12(d.Amount))
	}
	m.SetDigits(iso8583.DESTAN, d.ID.STAN.String())
	if e := d.Card.Expiry.Reveal(); e != "" {
		m.SetDigits(iso8583.DEExpiry, e)
	}
	m.SetDigits(iso8583.DEEntryMode, d.Entry)
	m.SetDigits(iso8583.DECondition, d.Spec.Condition)
	security := []byte("0000000000000000")
	if d.PIN.Len() > 0 {
		m.SetDigits(iso8583.DEPINMax, "12")
		security[0], security[1] = '2', l.o.Profile.algorithm()
		block, err := l.o.Signer.PINBlock(d.PIN, d.Card.PAN)
		if err != nil {
			return Unpackable(err)
		}
		defer clear(block[:])
		m.SetBytes(iso8583.DEPIN, block[:])
	}
	if d.Card.Track2.Present() {
		if err := l.track2(m, d.Card.Track2, security); err != nil {
			return Unpackable(err)
		}
	} else if !d.Card.PAN.IsZero() {
		l.pan(m, d.Card.PAN)
	}
	if security[0] != '0' || security[2] != '0' {
		m.SetDigits(iso8583.DESecurity, string(security))
	}
	if d.Orig.RRN != "" {
		m.SetText(iso8583.DERRN, string(d.Orig.RRN))
	}
	if d.Orig.Auth != "" {
		m.SetText(iso8583.DEAuthCode, fmt.Sprintf("%-6s", d.Orig.Auth))
	}
	l.identity(m)
	if d.Spec.Kind == pos.KindTip {
		m.SetDigits(iso8583.DEPrivate48, fmt.Sprintf("%012d", d.Tip))
	}
	m.SetText(iso8583.DECurrency, fmt.Sprintf("%03d", d.Amount.Currency))
	m.SetDigits(iso8583.DEBatch, d.Spec.Type+d.ID.Batch.String()+txn.Tail60(l.o.Profile.Tail60, d.Chip))
	if err := icc(m, d.Chip); err != nil {
		return Unpackable(err)
	}
	if o := original(d.Spec.Kind, d.Orig); o != "" {
		m.SetDigits(iso8583.DEOriginal, o)
	}
	if d.Spec.Kind == pos.KindRefund {
		m.SetText(iso8583.DETexts, "000")
	}
	r := l.pack(m, true)
	r.want.points = true
	return r
}

// original is DE 61: batch and STAN, and the date where the original may be of
// another day. HOST §1.3; "" for a kind that names none.
func original(k pos.TxnKind, o pos.Original) string {
	s := o.Batch.String() + o.STAN.String()
	switch k {
	case pos.KindVoid, pos.KindCompletionVoid:
		return s
	case pos.KindRefund, pos.KindPreAuthVoid, pos.KindCompletion, pos.KindCompletionAdvice, pos.KindAdjust, pos.KindTip:
		return s + fmt.Sprintf("%04s", o.Date)
	}
	return ""
}

// Record packs a record of the outbox with the card that was sealed beside it.
func (l *Line) Record(r pos.Record, p card.PAN, e card.Expiry) Request {
	switch r.Class {
	case pos.ClassReversal:
		return l.reversal(r, p, e)
	case pos.ClassScript:
		return l.script(r, p)
	case pos.ClassAdvice:
		s := txn.SpecOf(r.Kind)
		if s == nil {
			break
		}
		d := TxnData{Spec: s, ID: r.RecordID, Amount: r.Amount, Entry: r.Entry, Orig: r.Orig, Tip: r.Tip, Card: card.Data{PAN: p, Expiry: e}, Chip: r.Chip}
		if d.Orig.Auth == "" {
			d.Orig.Auth = r.AuthCode
		}
		if strings.HasPrefix(d.Entry, string(pos.EntrySwipe)) { // no track is kept: a repeat has the number alone
			d.Entry = string(pos.EntryKeyed) + d.Entry[2:]
		}
		req := l.Financial(d)
		req.want.points = false
		return req
	}
	return Unpackable(fmt.Errorf("hostlink: no message for a record of class %v", r.Class))
}

// track2 sets DE 35, in clear or under the track key.
func (l *Line) track2(m *iso8583.Message, t card.Track2, security []byte) (err error) {
	t.Reveal(func(b []byte) {
		if l.o.Profile.EncryptTracks {
			if b, err = l.o.Signer.EncryptTrack(b); err != nil {
				return
			}
			defer clear(b)
			security[1], security[2] = l.o.Profile.algorithm(), '1'
			if security[0] == '0' {
				security[0] = '2'
			}
			m.SetTrack(iso8583.DETrack2, b)
			return
		}
		m.SetTrack(iso8583.DETrack2, b)
	})
	return err
}

// pan sets DE 2; without a number the field is refused, and with it the message.
func (l *Line) pan(m *iso8583.Message, p card.PAN) {
	p.Reveal(func(digits []byte) { m.SetSecret(iso8583.DEPAN, digits) })
}

// reversal packs a 0400: the original's STAN and fields, the reason in DE 39,
// never a track nor a PIN. HOST §1.4.
func (l *Line) reversal(r pos.Record, p card.PAN, e card.Expiry) Request {
	m := message()
	defer m.Reset(0)
	m.Reset(0x0400)
	l.pan(m, p)
	m.SetDigits(iso8583.DEProcessing, r.Process)
	m.SetDigits(iso8583.DEAmount, amount12(r.Amount))
	m.SetDigits(iso8583.DESTAN, r.STAN.String())
	if y := e.Reveal(); y != "" {
		m.SetDigits(iso8583.DEExpiry, y)
	}
	m.SetDigits(iso8583.DEEntryMode, r.Entry)
	m.SetDigits(iso8583.DECondition, r.Condition)
	if r.AuthCode != "" {
		m.SetText(iso8583.DEAuthCode, fmt.Sprintf("%-6s", r.AuthCode))
	}
	m.SetText(iso8583.DEResponse, string(r.Reason))
	l.identity(m)
	m.SetText(iso8583.DECurrency, fmt.Sprintf("%03d", r.Amount.Currency))
	m.SetDigits(iso8583.DEBatch, r.Type60)
	if err := icc(m, r.Chip); err != nil {
		return Unpackable(err)
	}
	switch r.Kind { // HOST §1.4: DE 61 only for these
	case pos.KindVoid, pos.KindPreAuthVoid, pos.KindCompletion, pos.KindCompletionVoid:
		m.SetDigits(iso8583.DEOriginal, original(r.Kind, r.Orig))
	}
	return l.pack(m, true)
}

// SignOn packs a 0800. HOST §1.4.
func (l *Line) SignOn(stan pos.STAN) Request {
	m := message()
	m.Reset(0x0800)
	m.SetDigits(iso8583.DESTAN, stan.String())
	l.identity(m)
	form := l.o.Profile.KeyForm
	if form == "" {
		form = "003"
	}
	m.SetDigits(iso8583.DEBatch, "00"+"000001"+form)
	m.SetText(iso8583.DETexts, "01 ")
	return l.pack(m, false)
}

func (l *Line) identity(m *iso8583.Message) {
	m.SetText(iso8583.DETerminalID, string(l.o.Profile.TID))
	m.SetText(iso8583.DEMerchantID, string(l.o.Profile.MID))
}

func amount12(a pos.Amount) string { return fmt.Sprintf("%012d", a.Minor) }

// pack makes the raw message, with its MAC where the kind has one.
func (l *Line) pack(m *iso8583.Message, mac bool) Request {
	r := Request{want: want{mti: m.MTI.Response(), stan: m.Digits(iso8583.DESTAN), process: m.Digits(iso8583.DEProcessing),
		amount: m.Digits(iso8583.DEAmount), mac: mac, tid: string(l.o.Profile.TID), mid: string(l.o.Profile.MID)}}
	if mac {
		m.SetBytes(iso8583.DEMAC, make([]byte, 8))
	}
	r.view = m.View()
	defer hal.Scrub()
	r.raw, r.err = iso8583.UnionPay.Append(nil, m)
	m.Reset(0)
	if r.err != nil || !mac {
		return r
	}
	mab, de64, _ := iso8583.MACRegion(r.raw)
	sum, err := l.o.Signer.MAC(mab)
	if err != nil {
		r.err = err
	}
	copy(de64, sum[:])
	return r
}

func (l *Line) frame(raw []byte) []byte {
	return iso8583.AppendFrame(nil, l.o.Profile.TPDU, l.o.Profile.Header, raw)
}

// Answer is what an answer says, without anything secret but the session keys,
// which are encrypted.
type Answer struct {
	view     iso8583.View
	RC       pos.ResponseCode
	MAC      txn.MACState
	Amount   int64 // DE 4, -1 if absent
	RRN      pos.RRN
	Auth     pos.AuthCode
	HostTime string // DE 13 + DE 12
	Issuer   string // DE 44
	Org      string // DE 63.1
	Text     string // DE 63 behind it, for people
	Order    int    // processing requirement of the header
	Batch    pos.BatchNo
	Keys     []byte // DE 62 of a sign-on: cryptograms
	Balance  int64  // DE 54, minor units
	HasBal   bool
	Code48   byte       // settlement: DE 48 position 31
	Totals   pos.Totals // settlement: the host's; zero if it sends none
	Params   txn.Params
	ICC      []byte // DE 55: 91, 71, 72
	Table    []byte // DE 62 of a list of tables, or of one record
}

// check parses one frame and holds it against the request. What does not
// match is returned as a notice for the log, by field name.
func (l *Line) check(body []byte, w want) (Answer, *Notice) {
	defer hal.Scrub()
	defer clear(body)
	f, err := iso8583.ParseFrame(body)
	m := message()
	if err == nil {
		err = iso8583.UnionPay.Parse(m, f.Message)
	}
	if err != nil {
		return Answer{}, &Notice{Code: prompt.LogBadAnswer, What: "does not parse", Field: fieldOf(err), Err: err}
	}
	if bad, field := mismatch(m, w); bad != "" {
		code := prompt.LogBadAnswer
		if field == iso8583.DESTAN || bad == "another piece" {
			code = prompt.LogLateAnswer
		}
		return Answer{}, &Notice{Code: code, What: bad, Field: field}
	}
	a := Answer{view: m.View(), RC: pos.ResponseCode(m.Text(iso8583.DEResponse)), MAC: txn.MACValid, Amount: -1,
		RRN: pos.RRN(m.Text(iso8583.DERRN)), Auth: pos.AuthCode(strings.TrimSpace(m.Text(iso8583.DEAuthCode))),
		HostTime: m.Digits(iso8583.DEDate) + m.Digits(iso8583.DETime), Order: f.Header.Processing(),
		Issuer: printable(m.Text(iso8583.DEAdditional))}
	if v, ok := m.Number(iso8583.DEAmount); ok {
		a.Amount = int64(v)
	}
	if t := m.Text(iso8583.DETexts); len(t) >= 3 {
		a.Org, a.Text = printable(t[:3]), printable(t[3:])
	}
	if d := m.Digits(iso8583.DEBatch); len(d) >= 8 {
		fmt.Sscanf(d[2:8], "%d", &a.Batch)
	}
	a.Keys = append([]byte(nil), m.Bytes(iso8583.DEKeys)...)
	a.ICC = append([]byte(nil), m.Bytes(iso8583.DEICC)...)
	a.Balance, a.HasBal = available(m.Text(iso8583.DEBalance))
	if w.settle {
		if d := m.Digits(iso8583.DEPrivate48); len(d) >= 31 {
			a.Code48 = d[30]
			fmt.Sscanf(d[:30], "%12d%3d%12d%3d", &a.Totals.Debit, &a.Totals.DebitN, &a.Totals.Credit, &a.Totals.CreditN)
		}
	}
	if w.params {
		a.Params = parseParams(m.Bytes(iso8583.DEKeys))
	}
	if w.table {
		a.Keys, a.Table = nil, a.Keys
	}
	if w.mac {
		a.MAC = l.macState(f.Message)
	}
	return a, nil
}

func (l *Line) macState(raw []byte) txn.MACState {
	mab, mac, ok := iso8583.MACRegion(raw)
	if !ok {
		return txn.MACMissing
	}
	if ok, err := l.o.Signer.Verify(mab, mac); err != nil || !ok {
		return txn.MACWrong
	}
	return txn.MACValid
}

// mismatch names the field in which an answer is not the answer to w.
func mismatch(m *iso8583.Message, w want) (string, int) {
	rc := m.Text(iso8583.DEResponse)
	switch {
	case m.MTI != w.mti:
		return "MTI differs", 0
	case w.stan != "" && m.Digits(iso8583.DESTAN) != w.stan:
		return "STAN differs", iso8583.DESTAN
	case w.process != "" && m.Digits(iso8583.DEProcessing) != w.process:
		return "processing code differs", iso8583.DEProcessing
	case m.Text(iso8583.DETerminalID) != w.tid:
		return "terminal differs", iso8583.DETerminalID
	case rc == "00" && m.Has(iso8583.DEMerchantID) && m.Text(iso8583.DEMerchantID) != w.mid:
		return "merchant differs", iso8583.DEMerchantID
	case rc == "00" && w.echo != "" && string(m.Bytes(iso8583.DEKeys)) != w.echo:
		return "another piece", iso8583.DEKeys
	case rc != "10" && m.Has(iso8583.DEAmount) && m.Digits(iso8583.DEAmount) != w.amount:
		return "amount differs", iso8583.DEAmount
	case len(rc) != 2 && !w.settle: // a 0510 has none
		return "no response code", iso8583.DEResponse
	}
	return "", 0
}

// printable keeps what can be shown: letters, digits and marks of ASCII.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7E {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
