// Package receipt writes slips: pure functions from plain values to the lines
// that a printer takes, and to a picture of the paper.
//
// Sources, cited by short name:
//   - HOST: specs/host.md §1.3 (DE 63 texts are printed), §3.5, §5.4 (masking, 重打印)
//   - DESIGN: design §2, rule (1): a copy after a power cut is marked 补打
package receipt

import (
	"strings"

	"swipewell/hal"
	"swipewell/ui/font"
	"swipewell/ui/prompt"
	"swipewell/ui/text"
)

// Columns of the paper, half-width; a hanzi takes two. 58 mm paper of 384 dots
// has 32.
const Columns = 32

// Merchant heads every slip.
type Merchant struct {
	Name     string // as registered, any of GB 2312
	ID       string // DE 42
	Terminal string // DE 41
}

// Copy says for whom a slip is.
type Copy uint8

const (
	BothCopies Copy = iota // the merchant's, a tear line, the cardholder's
	MerchantCopy
	CardholderCopy
)

// Data is what a slip says, as plain strings; an empty one leaves its line out.
type Data struct {
	Lang     string // "zh", "en"
	Merchant Merchant
	Bench    bool   // the bench: 测试/TEST on top
	Train    bool   // training: 训练 on top and below
	Kind     string // "sale", "reversal": a key of text.Label
	Copy     Copy
	Amount   string // "12.80", what was approved
	Asked    string // what was asked; printed if it differs
	Card     string // masked: first six, stars, last four
	Entry    string // DE 22, "021"
	Batch    string
	STAN     string
	RRN      string
	Auth     string
	RC       string // DE 39
	Time     string // "2026-11-23 14:03:22"
	Org      string // DE 63.1
	Issuer   string // DE 44
	HostText string // DE 63, for people
	Operator string
	Orig     string // batch and trace number of the original, "000001/000012"
	State    string // "pending": the host has not heard of it; "refused"
	PINUsed  bool
	Chip     Chip // of a card in the slot
	Delayed  bool // printed after a power cut: 补打
	Reprint  bool // asked for from the menu: 重打印
}

// Chip is what a slip says of a chip; an empty string leaves its line out. EMV 4.3
// Book 4 §11.4.
type Chip struct {
	Label, AID    string
	TVR, TSI, ATC string // hexadecimal
	AC            string // the last cryptogram, hexadecimal
	CVM           CVM
}

// CVM is how the cardholder was verified, where a chip decided it.
type CVM uint8

const (
	ByRule CVM = iota // no chip did: a PIN, or else a signature
	BySignature
	ByPIN
	ByPINAndSignature
	ByNothing // the card wants neither
)

// Sale is the slip of an approved payment.
func Sale(d Data) hal.Slip {
	var w writer
	w.Data = d
	switch d.Copy {
	case MerchantCopy, CardholderCopy:
		w.sale(d.Copy)
	default:
		w.sale(MerchantCopy)
		w.tear()
		w.sale(CardholderCopy)
	}
	return hal.Slip{Lines: w.lines, Cut: true}
}

// Reversal is the slip that tells that a payment was reversed and nothing is
// charged.
func Reversal(d Data) hal.Slip {
	w := writer{Data: d}
	w.head("reversal-title")
	w.fields("reversal")
	w.rule()
	w.centre(w.label("reversed")+" "+w.label("not-charged"), hal.StyleBold)
	w.foot()
	return hal.Slip{Lines: w.lines, Cut: true}
}

// Result is the slip of a payment that was refused or whose fate is not known
// yet: the words of its code, never a receipt.
func Result(d Data, code prompt.Code, a prompt.Args) hal.Slip {
	w := writer{Data: d}
	w.head("outcome-title")
	w.fields(d.Kind)
	w.rule()
	m := text.Format(d.Lang, code, a)
	w.para(m.Title, hal.StyleBold)
	w.para(m.Body, hal.StyleNormal)
	w.para(m.Next, hal.StyleBold)
	w.pair(w.label("code"), string(code), hal.StyleNormal)
	w.foot()
	return hal.Slip{Lines: w.lines, Cut: true}
}

// writer collects lines; it never makes one wider than the paper.
type writer struct {
	Data
	lines []hal.PrintLine
}

func (w *writer) label(key string) string { return text.Label(w.Lang, key) }

func (w *writer) put(s string, st hal.PrintStyle) {
	w.lines = append(w.lines, hal.PrintLine{Text: s, Style: st})
}

func (w *writer) rule() { w.put("", hal.StyleRule) }

// para wraps a text over as many lines as it needs.
func (w *writer) para(s string, st hal.PrintStyle) {
	for _, row := range font.Wrap(s, Columns) {
		w.put(row, st)
	}
}

func (w *writer) centre(s string, st hal.PrintStyle) {
	cols := Columns
	if st&hal.StyleBig != 0 {
		cols /= 2
	}
	for _, row := range font.Wrap(s, cols) {
		w.put(row, st|hal.StyleCenter)
	}
}

// pair is a label at the left and its value at the right of one line, or of
// two if they do not fit in one.
func (w *writer) pair(label, value string, st hal.PrintStyle) {
	if value == "" {
		return
	}
	if gap := Columns - font.Columns(label) - font.Columns(value); gap > 0 {
		w.put(label+strings.Repeat(" ", gap)+value, st)
		return
	}
	w.put(label, st)
	for _, row := range font.Wrap(value, Columns) {
		w.put(strings.Repeat(" ", max(Columns-font.Columns(row), 0))+row, st)
	}
}

// marks say that no money moved.
func (w *writer) marks() {
	switch {
	case w.Train:
		w.centre("*** "+w.label("train-slip")+" ***", hal.StyleBold)
	case w.Bench:
		w.centre("*** "+w.label("bench-slip")+" ***", hal.StyleBold)
	}
}

// head is the title with the marks that must not be overlooked.
func (w *writer) head(title string) {
	w.marks()
	w.centre(w.label(title), hal.StyleBig)
	switch {
	case w.Delayed:
		w.centre("*** "+w.label("mark-copy")+" ***", hal.StyleBold)
	case w.Reprint:
		w.centre("*** "+w.label("mark-reprint")+" ***", hal.StyleBold)
	}
}

// fields are the facts of the transaction.
func (w *writer) fields(kind string) {
	w.rule()
	w.pair(w.label("merchant"), w.Merchant.Name, hal.StyleNormal)
	w.pair(w.label("merchant-id"), w.Merchant.ID, hal.StyleNormal)
	w.pair(w.label("terminal-id"), w.Merchant.Terminal, hal.StyleNormal)
	w.pair(w.label("operator"), w.Operator, hal.StyleNormal)
	w.rule()
	w.pair(w.label("card"), w.Card, hal.StyleBold)
	w.pair(w.label("issuer"), strings.TrimSpace(w.Issuer), hal.StyleNormal)
	w.pair(w.label("org"), strings.TrimSpace(w.Org), hal.StyleNormal)
	w.pair(w.label("type"), kindText(w.Lang, kind), hal.StyleBold)
	if len(w.Entry) >= 2 {
		w.pair(w.label("entry"), w.label("entry-"+w.Entry[:2]), hal.StyleNormal)
	}
	w.pair(w.label("app"), w.Chip.Label, hal.StyleNormal)
	w.pair("AID", w.Chip.AID, hal.StyleNormal)
	w.pair("TVR", w.Chip.TVR, hal.StyleNormal)
	w.pair("TSI", w.Chip.TSI, hal.StyleNormal)
	w.pair("ATC", w.Chip.ATC, hal.StyleNormal)
	w.pair("TC", w.Chip.AC, hal.StyleNormal)
	w.pair(w.label("batch"), w.Batch, hal.StyleNormal)
	w.pair(w.label("stan"), w.STAN, hal.StyleNormal)
	w.pair(w.label("auth"), w.Auth, hal.StyleNormal)
	w.pair(w.label("rrn"), w.RRN, hal.StyleNormal)
	w.pair(w.label("original"), w.Orig, hal.StyleNormal)
	w.pair(w.label("date-time"), w.Time, hal.StyleNormal)
	if w.Asked != "" && w.Asked != w.Amount {
		w.pair(w.label("asked"), "RMB "+w.Asked, hal.StyleNormal)
		w.pair(w.label("outcome"), w.label("partial"), hal.StyleBold)
	}
	w.amount()
}

// lastFour is a masked number with nothing but its last four digits: what a
// customer leaves on the counter names no card. PCI DSS 3.4.1, FACTA.
func lastFour(masked string) string {
	n := max(len(masked)-4, 0)
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '*'
		}
		return r
	}, masked[:n]) + masked[n:]
}

// kindText is a label in both languages on a Chinese slip, as the trade
// prints it: 消费/SALE.
func kindText(lang, kind string) string {
	zh, en := text.Label(text.ZH, kind), text.Label(text.EN, kind)
	if lang == text.EN || zh == en {
		return en
	}
	return zh + "/" + en
}

// amount is the largest line of the slip, as far as the paper is wide enough.
func (w *writer) amount() {
	if w.Amount == "" {
		return
	}
	if s := w.label("amount") + " RMB " + w.Amount; font.Columns(s) <= Columns/2 {
		w.put(s, hal.StyleBig)
		return
	}
	w.pair(w.label("amount"), "RMB "+w.Amount, hal.StyleBold)
}

func (w *writer) sale(c Copy) {
	w.head("slip-title")
	if c == MerchantCopy {
		w.centre(w.label("copy-merchant"), hal.StyleNormal)
	} else {
		w.centre(w.label("copy-cardholder"), hal.StyleNormal)
	}
	masked := w.Card
	if c == CardholderCopy {
		w.Card = lastFour(masked)
	}
	w.fields(w.Kind)
	w.Card = masked
	switch w.State {
	case "pending":
		w.centre(kindText(w.Lang, "offline-mark"), hal.StyleBold)
	case "refused":
		w.centre(kindText(w.Lang, "declined"), hal.StyleBold)
	default:
		w.centre(kindText(w.Lang, "approved"), hal.StyleBold)
	}
	if w.RC != "" && w.RC != "00" {
		w.pair(w.label("rc"), w.RC, hal.StyleNormal)
	}
	if host := strings.TrimSpace(w.HostText); host != "" {
		w.rule()
		w.para(host, hal.StyleNormal)
	}
	w.rule()
	switch cvm := w.Chip.CVM; {
	case cvm == ByNothing:
		w.para(w.label("no-cvm"), hal.StyleNormal)
	case cvm == ByPIN, cvm == ByRule && w.PINUsed:
		w.para(w.label("no-signature"), hal.StyleNormal)
	case c == MerchantCopy:
		w.put(w.label("signature")+":", hal.StyleNormal)
		w.put("", hal.StyleNormal)
		w.put("", hal.StyleNormal)
		w.rule()
	}
	if c == MerchantCopy {
		w.para(w.label("agree"), hal.StyleNormal)
	} else {
		w.para(w.label("keep-slip"), hal.StyleNormal)
	}
	w.foot()
}

// foot ends a slip; on the bench it says so once more, so that no half of the
// paper looks real.
func (w *writer) foot() {
	switch {
	case w.Train:
		w.centre("*** "+w.label("train-slip")+" ***", hal.StyleBold)
	case w.Bench:
		w.centre("*** "+w.label("bench")+" ***", hal.StyleBold)
	}
}

// tear is where the two copies come apart.
func (w *writer) tear() {
	w.put("", hal.StyleNormal)
	w.put(strings.Repeat("- ", Columns/2), hal.StyleNormal)
	w.put("", hal.StyleNormal)
}
