package world

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"swipewell/drivers/panel/panelsim"
	"swipewell/firmware/console"
	"swipewell/firmware/pos"
	"swipewell/firmware/sim/acquirer"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// order is what a customer means to pay. An implicit order, of attempts with
// the same card and amount, has no name.
type order struct {
	name   string
	pan    string // implicit: the card
	amount int64
	word   prompt.Code // the last word to the customer, "" none yet
	tip    int64       // of said
	said   int64       // the amount of an approval told
}

// presentation is one card held out for one order.
type presentation struct {
	pan    string
	amount int64
	order  *order
	tail   string
}

// refundWord is a refund that the customer was told of.
type refundWord struct {
	pan    string
	amount int64
}

// ledger is what posbench knows of orders; the device never sees it.
type ledger struct {
	orders  []*order
	named   *order
	shown   []*presentation
	heard   string                    // the last screen that was a word
	refunds []refundWord              // that the customer was told of
	paidAt  map[paidKey]time.Duration // boottime of the last approval
	meant   map[string]int            // how often the script asked for a refund, void or completion
}

// Order is the script's `order ID AMOUNT`.
func (w *World) Order(name string, a pos.Amount) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := &order{name: name, amount: a.Minor}
	for _, old := range w.ledger.orders {
		if old.name == name {
			o = old
			o.amount = a.Minor
		}
	}
	if o.word == "" && o.said == 0 {
		w.ledger.add(o)
	}
	w.ledger.named = o
}

func (l *ledger) add(o *order) {
	for _, old := range l.orders {
		if old == o {
			return
		}
	}
	l.orders = append(l.orders, o)
}

var amountRE = regexp.MustCompile(`(\d+\.\d\d)`)

// amountOn finds the amount on a screen.
func amountOn(lines []string) int64 {
	for _, l := range lines[min(1, len(lines)):] { // the status bar has a sum of its own
		if m := amountRE.FindString(strings.ReplaceAll(l, ",", "")); m != "" {
			if a, err := pos.ParseAmount(m); err == nil {
				return a.Minor
			}
		}
	}
	return 0
}

// presented notes that a card was held out to the device as it is now.
func (w *World) presented(c acquirer.Card, quality string) {
	v, _ := w.Panel.View()
	if v.Caption.Input != "card" || quality == "lrc" || quality == "parity" || quality == "short" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.present(c, amountOn(v.Caption.Lines))
}

// holdOut is presented for a card that goes into the slot: it may lie there before the
// device says what it is to pay.
func (w *World) holdOut(c acquirer.Card) {
	v, _ := w.Panel.View()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inserted = &c
	if v.Caption.Input == "card" {
		w.present(c, amountOn(v.Caption.Lines))
		w.inserted = nil
	}
}

// present notes that a card was held out for an amount; the caller holds mu.
func (w *World) present(c acquirer.Card, amount int64) {
	l := &w.ledger
	o := l.named
	if o == nil {
		for _, old := range l.orders {
			if old.name == "" && old.pan == c.PAN && old.amount == amount {
				o = old
			}
		}
		if o == nil {
			o = &order{pan: c.PAN, amount: amount}
			l.add(o)
		}
	}
	l.shown = append(l.shown, &presentation{pan: c.PAN, amount: amount, order: o, tail: c.PAN[len(c.PAN)-4:]})
}

// captioned hears every screen: what it says last of a payment is the word
// that the customer has.
func (w *World) captioned(c hal.Caption) {
	code := prompt.Code(c.Code)
	w.mu.Lock()
	w.shownCodes[c.Code] = true
	if c.Input == "confirm" && w.caption != c.Code {
		w.confirmAt = w.Clock.Now().Boot
	}
	w.caption = c.Code
	if asks := c.Input == "card" || c.Input == "confirm" || c.Input == "pin"; asks && w.inserted != nil && amountOn(c.Lines) > 0 {
		w.present(*w.inserted, amountOn(c.Lines))
		w.inserted = nil
	}
	w.mu.Unlock()
	word := false
	for _, class := range []string{"A-SAL-", "A-RCV-", "A-REV-", "A-VOI-", "A-REF-", "A-PRE-", "A-OFF-", "D-HST-", "D-OFF-", "U-", "N-", "F-NET-", "F-SGN-"} {
		word = word || strings.HasPrefix(c.Code, class)
	}
	if !word {
		return
	}
	text := strings.Join(c.Lines, "\n")
	amount := amountOn(c.Lines)
	w.mu.Lock()
	defer w.mu.Unlock()
	// The payment spoken of: the last one presented whose card the screen
	// names, of the amount that it names; a screen that names none speaks of the
	// last.
	var p, card *presentation
	for _, s := range w.ledger.shown {
		if strings.Contains(text, s.tail) {
			if card = s; s.amount == amount {
				p = s
			}
		}
	}
	if p == nil {
		p = card // another amount: a partial approval
	}
	if p == nil {
		if len(w.ledger.shown) == 0 || strings.Contains(text, "****") {
			return
		}
		p = w.ledger.shown[len(w.ledger.shown)-1]
	}
	key := c.Code + "/" + p.tail + "/" + fmt.Sprint(amount)
	again := key == w.ledger.heard // the same screen, drawn anew
	w.ledger.heard = key
	o := p.order
	switch {
	case strings.HasPrefix(c.Code, "A-SAL-"), strings.HasPrefix(c.Code, "A-RCV-"), code == prompt.CompleteDone, code == prompt.OfflineDone, code == prompt.ChipOfflineDone, code == prompt.AdjustDone:
		o.word, o.said = code, amount+o.tip
		if l := &w.ledger; !again {
			if l.paidAt == nil {
				l.paidAt = map[paidKey]time.Duration{}
			}
			l.paidAt[paidKey{p.pan, amount}] = w.Clock.Now().Boot
		}
	case code == prompt.VoidDone, code == prompt.OfflineRefused:
		o.word, o.said = code, 0
	case code == prompt.RefundDone: // of the order that its original belongs to, which the books know
		if !again {
			w.ledger.refunds = append(w.ledger.refunds, refundWord{p.pan, amount})
		}
	case code == prompt.TipDone:
		if !again {
			o.said += amount
			o.tip += amount
		}
	case code == prompt.PreAuthDone, code == prompt.PreAuthVoidDone, code == prompt.AdviceOpen, o.said != 0:
		// They charge nothing; and a later attempt that was not done takes nothing
		// back.
	default:
		o.word, o.said = code, 0
	}
}

// paid tells whether the order in front of the device has been paid.
func (w *World) paid() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := &w.ledger
	if l.named != nil {
		return l.named.said > 0
	}
	if n := len(l.shown); n > 0 {
		return l.shown[n-1].order.said > 0
	}
	return false
}

// soon is how long a customer with an order of their own would take to come
// after another with the same card and amount: within ten seconds the device
// takes it for the same swipe. 0 where that is what it is.
func (w *World) soon(pan string, amount int64) time.Duration {
	const absorbed = 10*time.Second + 100*time.Millisecond
	w.mu.Lock()
	defer w.mu.Unlock()
	l := &w.ledger
	if l.named == nil || l.named.said > 0 {
		return 0
	}
	at, ok := l.paidAt[paidKey{pan, amount}]
	if !ok {
		return 0
	}
	return max(at+absorbed-w.Clock.Now().Boot, 0)
}

type paidKey struct {
	pan    string
	amount int64
}

// printed hears every slip; words on paper are read in Paper.
func (w *World) printed(panelsim.Slip) { w.changed() }

// net is what the host's books charged for each order, and what they charged
// for nobody. A booking belongs to the oldest presentation of its card and
// amount that has none yet; what refers to it is summed with it.
func (w *World) net() (of map[*order]int64, stray int64, back []refundOf) {
	books := w.Host.Books()
	w.mu.Lock()
	shown := append([]*presentation(nil), w.ledger.shown...)
	w.mu.Unlock()
	of = map[*order]int64{}
	owner := make([]*order, len(books)+1)
	used := map[*presentation]bool{}
	for _, e := range books {
		if e.Orig != 0 {
			owner[e.Seq] = owner[e.Orig]
		} else if e.Booked {
			owner[e.Seq] = assign(shown, used, e)
		}
		if owner[e.Seq] == nil {
			if e.Net != 0 {
				stray += e.Net
			}
			continue
		}
		of[owner[e.Seq]] += e.Net
		if e.Booked && e.Kind == acquirer.KindRefund && e.ReversedBy == 0 {
			back = append(back, refundOf{owner[e.Seq], e})
		}
	}
	return of, stray, back
}

// refundOf is a refund in the books and whose it is.
type refundOf struct {
	o     *order
	entry acquirer.Entry
}

func assign(shown []*presentation, used map[*presentation]bool, e acquirer.Entry) *order {
	// Same card and amount, oldest first; then, for a partial approval or an
	// amount that changed on the way, any presentation of the card.
	for _, exact := range []bool{true, false} {
		for _, p := range shown {
			if e.IsPAN(p.pan) && !used[p] && (!exact || p.amount == e.Asked) {
				used[p] = true
				return p.order
			}
		}
	}
	for _, p := range shown { // more bookings than presentations: that is a double
		if e.IsPAN(p.pan) && p.amount == e.Asked {
			return p.order
		}
	}
	return nil
}

var errNoBooks = errors.New("the acquirer is not posbench's: there are no books to look at")

// Double counts orders that were charged more than they are.
func (w *World) Double() (int, error) {
	if w.Host == nil {
		return 0, errNoBooks
	}
	of, stray, _ := w.net()
	n := 0
	for o, net := range of {
		if net > o.amount {
			n++
		}
	}
	if stray > 0 {
		n++
	}
	booked := map[string]int{}
	for _, e := range w.Host.Books() {
		if e.Booked && e.ReversedBy == 0 {
			booked[e.Kind]++
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for kind, meant := range w.ledger.meant {
		if booked[kind] > meant {
			n += booked[kind] - meant
		}
	}
	return n, nil
}

// status asks the device over its service socket.
func (w *World) status(ctx context.Context) (s console.Status, err error) {
	ctx, cancel := hal.WithTimeout(ctx, hal.SystemClock{}, 3*time.Second)
	defer cancel()
	c, err := console.Dial(ctx, w.Socket())
	if err != nil {
		return s, err
	}
	defer c.Close()
	return c.Status(ctx)
}

// Status is what the device says of itself.
func (w *World) Status(ctx context.Context) (console.Status, error) { return w.status(ctx) }

// Batch is the device's open batch.
func (w *World) Batch(ctx context.Context) ([]pos.Sale, error) {
	ctx, cancel := hal.WithTimeout(ctx, hal.SystemClock{}, 5*time.Second)
	defer cancel()
	c, err := console.Dial(ctx, w.Socket())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Batch(ctx)
}

// Open counts intents and reversals that are not closed.
func (w *World) Open(ctx context.Context) (int, error) {
	s, err := w.status(ctx)
	if err != nil {
		return 0, err
	}
	n := s.Reversals + s.Unresolved
	if s.Open {
		n++
	}
	return n, nil
}

// Lost lists orders of which the customer or the batch has another story than
// the host, a line each. It waits first until nothing is open.
func (w *World) Lost(ctx context.Context, limit time.Duration) ([]string, error) {
	if w.Host == nil {
		return nil, errNoBooks
	}
	if !w.Running() {
		return nil, errors.New("posd is down: what it would say cannot be known")
	}
	if err := w.waitFor(ctx, limit, "outbox and intents empty", func() (bool, error) {
		if !w.Running() {
			return false, errors.New("posd went down")
		}
		s, err := w.status(ctx)
		return err == nil && !s.Open && s.Reversals+s.Unresolved+s.Advices == 0, nil
	}); err != nil {
		return nil, err
	}
	w.Panel.Settle(ctx)
	return w.disagreements(ctx)
}

func (w *World) disagreements(ctx context.Context) (lost []string, err error) {
	rows, err := w.Batch(ctx)
	if err != nil {
		return nil, err
	}
	of, _, back := w.net()
	w.mu.Lock()
	words := slices.Clone(w.ledger.refunds)
	for _, r := range back {
		i := slices.IndexFunc(words, func(x refundWord) bool { return r.entry.IsPAN(x.pan) && x.amount == r.entry.Amount })
		if i < 0 {
			lost = append(lost, fmt.Sprintf("refund %s of %d: the customer was not told", r.entry.STAN, r.entry.Amount))
		} else {
			words = slices.Delete(words, i, i+1)
		}
		of[r.o] += r.entry.Amount
	}
	if len(words) > 0 {
		lost = append(lost, fmt.Sprintf("%d refunds were told and never booked", len(words)))
	}
	for _, o := range w.ledger.orders {
		if of[o] != o.said {
			lost = append(lost, fmt.Sprintf("order %q: the customer heard %s %d, the host charged %d", o.name, o.word, o.said, of[o]))
		}
	}
	w.mu.Unlock()
	return append(lost, w.rowsAndBooks(rows)...), nil
}

// rowsAndBooks compares the open batch with the host's books, row by row.
func (w *World) rowsAndBooks(rows []pos.Sale) (lost []string) {
	var batch pos.BatchNo
	st, err := w.status(context.Background())
	if err == nil {
		batch = st.Batch
	}
	books := map[pos.STAN]acquirer.Entry{}
	changed := map[int]int64{} // by adjustments
	for _, e := range w.Host.Books() {
		if !e.Booked || e.ReversedBy != 0 || e.Kind == acquirer.KindReversal || e.Batch != batch {
			continue
		}
		books[e.STAN] = e
		if e.Kind == acquirer.KindAdjust {
			changed[e.Orig] += e.Net
		}
	}
	for _, r := range rows {
		e, ok := books[r.STAN]
		delete(books, r.STAN)
		switch {
		case r.State == pos.RowRefused:
			if ok {
				lost = append(lost, fmt.Sprintf("STAN %s: refused here, booked there", r.STAN))
			}
		case !ok || e.Amount+changed[e.Seq] != r.Amount.Minor:
			lost = append(lost, fmt.Sprintf("STAN %s: %s %d in the batch, %d in the books", r.STAN, r.Kind, r.Amount.Minor, e.Amount+changed[e.Seq]))
		case (r.State == pos.RowVoided) != (e.VoidedBy != 0) && r.Kind != pos.KindPreAuth:
			lost = append(lost, fmt.Sprintf("STAN %s: %q here, voided by %d there", r.STAN, r.State, e.VoidedBy))
		}
	}
	for stan, e := range books {
		lost = append(lost, fmt.Sprintf("STAN %s: %s %d in the books, not in the batch", stan, e.Kind, e.Amount))
	}
	return append(lost, w.paperLies(rows)...)
}

// paperLies lists slips that say "approved" of what is not in the batch.
func (w *World) paperLies(rows []pos.Sale) (lies []string) {
	st, err := w.status(context.Background())
	if err != nil {
		return nil
	}
	ours := regexp.MustCompile(`(批次号|Batch no) +` + st.Batch.String()) // slips of settled batches are history
	v, _ := w.Panel.View()
	for i, s := range v.Slips {
		text := slipText(s)
		if !ours.MatchString(text) || !s.Whole || !strings.Contains(text, "APPROVED") && !strings.Contains(text, "交易成功") {
			continue
		}
		if !slices.ContainsFunc(rows, func(r pos.Sale) bool { return strings.Contains(text, r.STAN.String()) }) {
			lies = append(lies, fmt.Sprintf("slip %d says approved, and is not in the batch", i+1))
		}
	}
	return lies
}

func slipText(s panelsim.Slip) string {
	var b strings.Builder
	for _, l := range s.Lines {
		fmt.Fprintln(&b, l.Text)
	}
	return b.String()
}

// Paper is everything printed, torn slips included.
func (w *World) Paper() string {
	v, _ := w.Panel.View()
	var b strings.Builder
	for _, s := range v.Slips {
		b.WriteString(slipText(s))
		b.WriteByte('\n')
	}
	return b.String()
}

// Codes are those of every screen so far.
func (w *World) Codes() (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.shownCodes {
		all = append(all, c)
	}
	return all
}

// Told lists what customers were told is paid, an amount each.
func (w *World) Told() (amounts []int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range w.ledger.orders {
		if o.said > 0 {
			amounts = append(amounts, o.said)
		}
	}
	return amounts
}

// Data is the device's data folder. It is empty until the first start.
func (w *World) Data() string { return w.path("data") }
