package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
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
	if m.keyHelp(k) {
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
		switch k {
		case "cancel", "clear":
			m.cancel()
		case "f3":
			m.typeCard()
		}
	case Reading:
		if k == "cancel" {
			m.cancel()
		}
	case Picking:
		m.keyPicking(k)
	case Confirming:
		switch k {
		case "enter":
			m.confirmed()
		case "cancel", "clear":
			m.cancel()
		}
	case InMenu:
		m.keyMenu(k)
	case Choosing:
		m.keyChoice(k)
	case Stopped:
		m.keyStopped(k)
	case Naming:
		m.keyNaming(k)
	case Paging:
		m.keyPage(k)
	case Loading:
		m.keyLoading(k)
	case Fetching:
		m.keyTables(k)
	case Halted: // what is open may be longer than the screen
		switch {
		case m.NoKey && k == "menu": // a master key ends it
			m.openPage(PageKeys)
		case k == "up":
			m.Line = max(m.Line-pageStep, 0)
		case k == "down":
			m.Line = min(m.Line+pageStep, m.e.Scroll)
		}
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
	if c := m.dutyStops(k); c != "" {
		m.show(Result, c, prompt.Args{N: int(m.overdue() / time.Hour), Field: m.Durable.Batch.String()})
		m.do(Sound{ToneBad})
		return
	}
	if k == pos.KindRefund && m.e.NoRefund {
		m.show(Result, prompt.ShiftLow, prompt.Args{N: int(m.Durable.Operator)})
		m.do(Sound{ToneBad})
		return
	}
	m.Form++
	m.Slot.Unread = 0
	m.Began = m.e.At.Logical
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
		m.wantCard()
	case askConfirm:
		c := prompt.Confirm
		if k.title != "" {
			c = prompt.ConfirmKind
		}
		tone := ToneKey
		m.show(Confirming, c, a)
		if m.Caution != "" {
			m.Note, m.NoteArgs, tone = m.Caution, m.CautionA, ToneAttention
		}
		m.Shown = m.e.At.Logical
		m.arm(m.confirmTime())
		m.do(Sound{tone})
	case askPIN:
		if m.chip() && k.full() { // the card says which PIN, if any
			m.reading(GoChip{})
			return
		}
		if !m.Profile.PINPad {
			if m.Must {
				m.endForm(prompt.PINNeeded, a, ToneAttention)
				return
			}
			m.next()
			return
		}
		c := prompt.PIN
		if !m.mayBypass() {
			c = prompt.PINMust
		}
		m.show(EnteringPIN, c, a)
		if m.Caution == prompt.RulePINWarn { // the customer reads this one
			m.Note, m.NoteArgs = m.Caution, m.CautionA
		}
		m.disarm()
		m.do(ReadPIN{Timeout: m.Profile.PINTimeout, Bypass: m.mayBypass()})
	case askQuantity:
		if m.settings().Quantity == throttle.Off {
			m.next()
			return
		}
		m.askNumber()
	case askOrder:
		if m.settings().OrderRef == throttle.Off {
			m.next()
			return
		}
		m.askNumber()
	default:
		m.askNumber()
	}
}

// mayBypass tells whether this card may pay without a PIN. ISO7813 §6, table 2, the
// third digit: the issuer says so; the acquirer may be stricter.
func (m *machine) mayBypass() bool { return !m.Must && !m.Profile.NoBypass }

// confirmTime is how long the confirm step waits; then nothing is charged.
func (m *machine) confirmTime() time.Duration {
	if d := m.settings().Confirm; d > 0 {
		return d
	}
	return m.Profile.ConfirmTime
}

// number is what one of the text fields takes.
type number struct {
	code prompt.Code
	len  int
}

var numbers = map[step]number{
	askQuantity: {prompt.AskQuantity, 2}, askOrder: {prompt.AskOrder, 12}, askSTAN: {prompt.AskSTAN, 6}, askRRN: {prompt.AskRRN, 12}, askDate: {prompt.AskDate, 4}, askAuth: {prompt.AskAuth, 6},
}

// offer is what enter takes if nothing was keyed: the transaction that this one
// most likely means.
func (m *machine) offer() string {
	from := m.Durable.Booked
	if m.spec().form[m.Step] == askQuantity {
		return "1"
	}
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
	if m.spec().form[m.Step] == askQuantity {
		a.Amount = pos.Fen(m.Keyed).String()
	}
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
	if f == askOrder {
		m.orderDone(v)
		return
	}
	if f == askQuantity {
		m.quantityDone(v)
		return
	}
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

// orderDone takes an order reference; none is one, where the profile leaves it
// open.
func (m *machine) orderDone(v string) {
	if v == "" && m.settings().OrderRef == throttle.Required {
		m.Note = prompt.FieldWrong
		m.do(Sound{ToneBad})
		return
	}
	m.Order, m.Typed = v, ""
	m.next()
}

// quantityDone multiplies the price: one payment for several tickets, instead of
// several that look like mistakes.
func (m *machine) quantityDone(v string) {
	n := 0
	for _, c := range v {
		n = n*10 + int(c-'0')
	}
	if v == "" && m.settings().Quantity != throttle.Required { // one piece, and nobody has counted
		m.Typed = ""
		m.next()
		return
	}
	total := m.Keyed * int64(n)
	if n == 0 || total > m.limit() {
		m.Note, m.NoteArgs = prompt.AmountLimit, prompt.Args{Amount: pos.Fen(m.limit()).String()}
		m.do(Sound{ToneBad})
		return
	}
	m.Qty, m.Keyed, m.Typed = n, total, ""
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
		m.Keyed, m.Order = r.Amount.Minor, r.Order
		m.weigh()
		return
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
	if next > m.limit() {
		m.Note, m.NoteArgs = prompt.AmountLimit, prompt.Args{Amount: pos.Fen(m.limit()).String()}
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
	case m.typo():
		// The amount goes away and must be keyed once more: the same again is meant.
		m.Typo, m.Keyed, m.Decimals = m.Keyed, 0, -1
		m.Note, m.NoteArgs = prompt.RuleTypo, prompt.Args{Amount: pos.Fen(m.Typo).String(), Field: pos.Fen(m.e.Watch.Learned.P99).String(), Rule: ruleName(throttle.IDTypo)}
		m.Args = m.formArgs()
	default:
		m.next()
		return
	}
	m.do(Sound{ToneBad})
}

// typo: many times what this merchant's largest sales are. THROTTLE §1 C11.
func (m *machine) typo() bool {
	l, n := m.e.Watch.Learned, m.settings().Typo
	return n > 0 && l.Days >= throttle.MinDays && l.P99 > 0 && m.Keyed > int64(n)*l.P99 && m.Keyed != m.Typo
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
