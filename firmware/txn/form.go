package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

func digit(k Key) (int64, bool) {
	if len(k) == 1 && k[0] >= '0' && k[0] <= '9' {
		return int64(k[0] - '0'), true
	}
	return 0, false
}

func (m *machine) key(k Key) {
	if k == "f4" && m.Phase != EnteringPIN && m.Phase != Starting {
		m.toggleLang()
		return
	}
	switch m.Phase {
	case Ready, Result:
		m.keyReady(k)
	case Keying:
		m.keyAmount(k)
	case Entering:
		m.keyNumber(k)
	case AwaitCard:
		if k == "cancel" || k == "clear" {
			m.cancel()
		}
	case Confirming:
		switch k {
		case "enter":
			m.confirmed()
		case "cancel", "clear":
			m.cancel()
		}
	case InMenu:
		m.keyMenu(k)
	}
}

// keyReady: any key acknowledges a result; a digit begins the next sale.
func (m *machine) keyReady(k Key) {
	if d, ok := digit(k); ok && d == 0 || k == "00" || k == "dot" {
		if m.Phase == Result {
			m.idle()
		}
		return // an amount does not begin with nothing
	} else if ok {
		m.begin(pos.KindSale)
		if m.Phase == Keying {
			m.keyAmount(k)
		}
		return
	}
	switch k {
	case "menu":
		m.idle()
		m.openMenu(MenuRoot)
	case "enter":
		if l := m.Durable.Last; l.Unprinted && !m.Printing && m.Profile.Printer && (m.Note != "" || m.Code == prompt.Recovered) {
			m.Note = ""
			m.print(l, true, false)
			return
		}
		m.idle()
	case "cancel", "clear":
		m.idle()
	}
}

// begin opens the form of a kind.
func (m *machine) begin(k pos.TxnKind) {
	m.idle()
	if m.Durable.Settle.Step != NotSettling {
		m.show(Result, prompt.SettleOpen, prompt.Args{})
		return
	}
	if r := m.Durable.Restored; r != NotRestored {
		m.show(Result, r.code(), prompt.Args{})
		m.do(Sound{ToneBad})
		return
	}
	m.Kind, m.Step = k, -1
	m.next()
}

func (m *machine) spec() *Spec {
	if s := SpecOf(m.Kind); s != nil {
		return s
	}
	return &sale
}

// next goes to the next step of the form; behind the last one the transaction
// is sent, or kept.
func (m *machine) next() {
	k := m.spec()
	m.Step++
	if m.Step >= len(k.form) {
		if k.Kept && m.Durable.Batch != 0 { // the first sign-on ever gives the batch its number
			m.keep()
		} else {
			m.prepare()
		}
		return
	}
	a := m.formArgs()
	switch k.form[m.Step] {
	case askAmount:
		c := prompt.Amount
		switch k.Kind {
		case pos.KindAdjust:
			c = prompt.NewAmount
		case pos.KindTip:
			c = prompt.TipAmount
		}
		m.show(Keying, c, a)
		m.arm(m.Profile.CardTimeout)
	case askCard:
		m.show(AwaitCard, prompt.Card, a)
		m.arm(m.Profile.CardTimeout)
	case askConfirm:
		c := prompt.Confirm
		if k.title != "" {
			c = prompt.ConfirmKind
		}
		tone := ToneKey
		if m.Twin != 0 && m.Kind == pos.KindSale {
			c, tone, a.STAN = prompt.Duplicate, ToneAttention, m.Twin.String()
		}
		m.show(Confirming, c, a)
		m.arm(m.Profile.ConfirmTime)
		m.do(Sound{tone})
	case askPIN:
		if !m.Profile.PINPad {
			m.next()
			return
		}
		m.show(EnteringPIN, prompt.PIN, a)
		m.disarm()
		m.do(ReadPIN{Timeout: m.Profile.PINTimeout})
	default:
		m.askNumber()
	}
}

// number is what one of the text fields takes.
type number struct {
	code prompt.Code
	len  int
}

var numbers = map[step]number{
	askSTAN: {prompt.AskSTAN, 6}, askRRN: {prompt.AskRRN, 12}, askDate: {prompt.AskDate, 4}, askAuth: {prompt.AskAuth, 6},
}

// offer is what enter takes if nothing was keyed: the transaction that this one
// most likely means.
func (m *machine) offer() string {
	from := m.Durable.Booked
	switch m.Kind {
	case pos.KindPreAuthVoid, pos.KindCompletion, pos.KindCompletionAdvice:
		from = m.Durable.PreAuth
	case pos.KindOffline:
		return "" // a voice code is nobody's but this sale's
	}
	switch m.spec().form[m.Step] {
	case askSTAN:
		if from.STAN != 0 {
			return from.STAN.String()
		}
	case askRRN:
		return string(from.RRN)
	case askDate:
		return from.Date
	case askAuth:
		return string(from.Auth)
	}
	return ""
}

func (m *machine) askNumber() {
	a := m.formArgs()
	a.Field = m.offer()
	m.Typed = ""
	m.show(Entering, numbers[m.spec().form[m.Step]].code, a)
	m.arm(m.Profile.CardTimeout)
}

func (m *machine) keyNumber(k Key) {
	f := m.spec().form[m.Step]
	n := numbers[f]
	switch d, ok := digit(k); {
	case ok && len(m.Typed) < n.len:
		m.Typed += string(rune('0' + d))
		m.Note = ""
	case k == "00" && len(m.Typed)+2 <= n.len:
		m.Typed += "00"
	case k == "clear" && m.Typed != "":
		m.Typed = m.Typed[:len(m.Typed)-1]
	case k == "clear" || k == "cancel":
		m.cancel()
	case k == "enter":
		m.numberDone(f, n)
	}
}

func (m *machine) numberDone(f step, n number) {
	v := m.Typed
	if v == "" {
		v = m.offer()
	}
	bad := v == "" || f == askDate && !date(v) || f == askRRN && len(v) != 12 || f == askAuth && len(v) < 2
	for f == askSTAN && !bad && len(v) < 6 {
		v = "0" + v
	}
	if bad || f == askSTAN && v == "000000" {
		m.Note = prompt.FieldWrong
		m.do(Sound{ToneBad})
		return
	}
	m.Typed = ""
	switch f {
	case askRRN:
		m.Orig.RRN = pos.RRN(v)
		if b := m.Durable.Booked; b.RRN == m.Orig.RRN {
			m.Orig.Batch, m.Orig.STAN = b.Batch, b.STAN
		}
	case askDate:
		m.Orig.Date = v
	case askAuth:
		m.Orig.Auth = pos.AuthCode(v)
		if p := m.Durable.PreAuth; p.Auth == m.Orig.Auth {
			m.Orig.Batch, m.Orig.STAN = p.Batch, p.STAN
		}
	case askSTAN:
		m.Orig.STAN = 0
		for _, c := range v {
			m.Orig.STAN = m.Orig.STAN*10 + pos.STAN(c-'0')
		}
		m.disarm()
		m.Phase = Looking
		m.do(FindSale{pos.RecordID{Context: m.Profile.Context, Batch: m.Durable.Batch, STAN: m.Orig.STAN}})
		return
	}
	m.next()
}

// date is MMDD of some day.
func date(s string) bool {
	_, err := time.Parse("20060102", "2000"+s) // a leap year
	return err == nil
}

// found is the row that a void or an adjustment names.
func (m *machine) found() {
	if m.Phase != Looking {
		return
	}
	r, k := m.e.Row, m.spec()
	a := m.formArgs()
	a.STAN = m.Orig.STAN.String()
	if r.STAN == 0 || k.origin == nil || !k.origin(r.Kind, r.State) {
		c := prompt.NoOriginal
		if r.STAN != 0 && r.State == pos.RowVoided {
			c = prompt.VoidedBefore
		}
		m.endForm(c, a, ToneBad)
		return
	}
	if k.Kind == pos.KindTip && r.Tip > 0 {
		m.endForm(prompt.TipLimit, a, ToneBad)
		return
	}
	if m.e.Gated {
		m.endForm(prompt.Gated, a, ToneAttention)
		return
	}
	m.Orig = pos.Original{Batch: r.Batch, STAN: r.STAN, Date: r.Date(), RRN: r.RRN, Auth: r.AuthCode}
	m.OrigKind, m.OrigAmount = r.Kind, r.Amount.Minor
	m.Card, m.Masked, m.Entry = r.Card, r.Masked, string(pos.EntryKeyed) // the number alone is sent
	if k.Kind == pos.KindVoid || k.Kind == pos.KindCompletionVoid {
		m.Keyed = r.Amount.Minor
	}
	m.next()
}

// keyAmount edits the amount. Digits shift in from the right as fen, as on any
// till; with a dot the digits before it are yuan.
func (m *machine) keyAmount(k Key) {
	next := m.Keyed
	switch d, ok := digit(k); {
	case ok && m.Decimals < 0:
		next = m.Keyed*10 + d
	case ok && m.Decimals == 0:
		next, m.Decimals = m.Keyed+d*10, 1
	case ok && m.Decimals == 1:
		next, m.Decimals = m.Keyed+d, 2
	case ok: // two decimals are all there are
	case k == "00" && m.Decimals < 0:
		next = m.Keyed * 100
	case k == "dot" && m.Decimals < 0:
		next, m.Decimals = m.Keyed*100, 0
	case k == "clear":
		next = m.Keyed / 10
		if m.Decimals >= 0 {
			next, m.Decimals = m.Keyed/100, -1
		}
		if next == 0 {
			m.cancelled()
			return
		}
	case k == "cancel":
		m.cancel()
		return
	case k == "enter":
		m.amountDone()
		return
	default:
		return
	}
	if next > m.Profile.MaxAmount {
		m.Note, m.NoteArgs = prompt.AmountLimit, prompt.Args{Amount: pos.Fen(m.Profile.MaxAmount).String()}
		m.do(Sound{ToneBad})
		return
	}
	m.Keyed, m.Note = next, ""
	m.Args = m.formArgs()
}

// cancelled: an amount that is cleared away ends a sale without a word, and
// any other form with one.
func (m *machine) cancelled() {
	if m.Kind == pos.KindSale {
		m.idle()
		return
	}
	m.cancel()
}

func (m *machine) amountDone() {
	switch {
	case m.Keyed <= 0:
		m.Note = prompt.AmountZero
	case m.Kind == pos.KindTip && m.overTip():
		m.Note = prompt.TipLimit
	default:
		m.next()
		return
	}
	m.do(Sound{ToneBad})
}

// overTip: more than the acquirer's share of the sale (parameter 19), or than
// the sale itself.
func (m *machine) overTip() bool {
	share := int64(100)
	if m.Durable.Params.TipMax > 0 {
		share = int64(m.Durable.Params.TipMax)
	}
	return m.Keyed*100 > m.OrigAmount*share
}

// cancel: nothing was sent.
func (m *machine) cancel() { m.abandon(prompt.Cancelled) }

// endForm ends a form of which nothing was sent.
func (m *machine) endForm(c prompt.Code, a prompt.Args, t Tone) {
	m.Keyed, m.Decimals = 0, -1
	m.end(c, a, t)
}

// formArgs are the words for the transaction in front of us.
func (m *machine) formArgs() prompt.Args {
	var a prompt.Args
	if m.Keyed > 0 {
		a.Amount = pos.Fen(m.Keyed).String()
	}
	if m.Masked != "" {
		a.Card = m.Masked.Tail()
	}
	if k := m.spec(); k.title != "" {
		a.Kind = k.title
	}
	return a
}
