package console

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
	"swipewell/ui/text"
)

// Columns takes one cell for ASCII, two for what East Asian terminals draw wide.
func Columns(s string) (n int) {
	for _, r := range s {
		n++
		if r >= 0x1100 && r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 ||
			r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0xffe0 && r <= 0xffe6 {
			n++
		}
	}
	return n
}

// pad fills s with blanks up to n columns.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(n-Columns(s), 0)) }

// Explain is a code and its title: "F-NET-03 no signal".
func Explain(lang string, c prompt.Code) string {
	if c == "" {
		return ""
	}
	t := text.Format(lang, c, prompt.Args{}).Title
	if t == string(c) || t == "" {
		return string(c)
	}
	return string(c) + " " + t
}

const (
	dayForm    = "2006-01-02 15:04:05"
	shortForm  = "01-02 15:04:05"
	labelWidth = 14
)

// WriteStatus prints a status, some fifteen short lines.
func WriteStatus(w io.Writer, lang string, s Status) {
	row := func(key string, parts ...string) {
		kept := parts[:0]
		for _, p := range parts {
			if p != "" {
				kept = append(kept, p)
			}
		}
		fmt.Fprintf(w, "%s%s\n", pad(label(lang, key), labelWidth), strings.Join(kept, "  "))
	}
	bench := ""
	if s.Bench {
		bench = "[" + label(lang, "bench-device") + "]"
	}
	row("terminal-id", string(s.Terminal), string(s.Merchant), s.MerchantName, bench)
	row("version", s.Version, s.Board)
	row("state", label(lang, s.Phase), Explain(lang, s.Screen))
	on := "not-signed"
	if s.SignedOn {
		on = "signed-on"
	}
	row("host", label(lang, on), s.Context)
	row("batch", s.Batch.String(), fmt.Sprintf("%d %s", s.Sales, label(lang, "sales")), s.Total.String())
	open := fmt.Sprintf("%d %s", s.Reversals, label(lang, "waiting"))
	if s.Unresolved > 0 {
		open += fmt.Sprintf(", %d %s", s.Unresolved, label(lang, "by-person"))
	}
	if s.Open {
		open += ", " + label(lang, "open-intent")
	}
	row("queue-open", open)
	if l := s.Last; l != nil {
		mark := ""
		if l.Unprinted {
			mark = label(lang, "unprinted")
		}
		row("last", label(lang, string(l.Kind)), l.Amount.String(), l.Masked.Tail(), l.ID.STAN.String(), Explain(lang, l.Code), mark)
	} else {
		row("last", label(lang, "none"))
	}
	for i, l := range s.Links {
		key := ""
		if i == 0 {
			key = "links"
		}
		row(key, pad(l.Name, 8), label(lang, linkState(l.State)), signal(lang, l), l.Driver, Explain(lang, l.Code))
	}
	for i, d := range s.Devices {
		key := ""
		if i == 0 {
			key = "devices"
		}
		row(key, pad(d.Device, 8), label(lang, d.State), d.Driver, d.Why)
	}
	fault := label(lang, "good")
	if s.Store.Fault != "" {
		fault = Explain(lang, s.Store.Fault)
	}
	row("store", fault, fmt.Sprintf("%d %s, %s", s.Store.Commits, label(lang, "commits"), size(s.Store.Bytes)))
	row("clock", s.Time.WallTime(pos.CST).Format(dayForm), label(lang, "uptime")+" "+s.Up.Round(time.Second).String())
	if s.LogDropped > 0 {
		row("log", fmt.Sprintf("%d %s", s.LogDropped, label(lang, "dropped")))
	}
}

func linkState(s string) string {
	if s == "" || s == "unknown" {
		return "not-used"
	}
	return s
}

func signal(lang string, l Link) string {
	if l.Signal == nil {
		return ""
	}
	s := fmt.Sprintf("%s %d/4 (CSQ %d)", label(lang, "signal"), l.Signal.Bars(), l.Signal.CSQ)
	switch {
	case !l.Signal.Registered:
		s += " " + label(lang, "not-reg")
	case l.Signal.Roaming:
		s += " " + label(lang, "roaming")
	}
	return s
}

// size is bytes as people read them.
func size(n uint64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d kB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// WriteQueue prints the outbox, and under each record what it waits for; now is
// the device's logical time.
func WriteQueue(w io.Writer, lang string, rs []pos.Record, now time.Duration) {
	if len(rs) == 0 {
		fmt.Fprintln(w, label(lang, "queue-empty"))
		return
	}
	fmt.Fprintln(w, pad(label(lang, "stan"), 10)+pad(label(lang, "class"), 12)+pad(label(lang, "type"), 14)+pad(label(lang, "amount"), 12)+pad(label(lang, "card"), 10)+
		pad(label(lang, "time"), 16)+pad(label(lang, "state"), 13)+pad(label(lang, "tries"), 7)+pad(label(lang, "next-try"), 10)+label(lang, "reason"))
	for _, r := range rs {
		next := label(lang, "due")
		if d := r.Next - now; d > 0 {
			next = d.Round(time.Second).String()
		}
		if r.State != pos.RecordQueued {
			next = "-"
		}
		fmt.Fprintln(w, pad(r.STAN.String(), 10)+pad(label(lang, r.Class.String()), 12)+pad(label(lang, string(r.Kind)), 14)+pad(r.Amount.String(), 12)+pad(r.Masked.Tail(), 10)+
			pad(r.At.WallTime(pos.CST).Format(shortForm), 16)+pad(label(lang, string(r.State)), 13)+pad(fmt.Sprint(r.Tries), 7)+pad(next, 10)+
			strings.TrimSpace(string(r.Reason)+" "+lastError(lang, r.LastError)))
		fmt.Fprintln(w, "          "+explain(lang, r))
	}
}

// explain says what a record is there for, and how it leaves.
func explain(lang string, r pos.Record) string {
	switch r.State {
	case pos.RecordArmed:
		return label(lang, "x-armed")
	case pos.RecordRefused:
		return label(lang, "x-refused")
	case pos.RecordUnresolved:
		return label(lang, "x-unresolved")
	}
	if r.Class == pos.ClassReversal {
		return label(lang, "x-reversal")
	}
	return label(lang, "x-advice")
}

// lastError is a code, or a DE 39.
func lastError(lang, s string) string {
	if _, ok := prompt.Lookup(prompt.Code(s)); ok {
		return Explain(lang, prompt.Code(s))
	}
	return s
}

// WriteBatch prints rows of a batch, and what they come to.
func WriteBatch(w io.Writer, lang string, rows []pos.Sale) {
	if len(rows) == 0 {
		fmt.Fprintln(w, label(lang, "batch-empty"))
		return
	}
	fmt.Fprintln(w, pad(label(lang, "stan"), 10)+pad(label(lang, "type"), 14)+pad(label(lang, "amount"), 12)+pad(label(lang, "card"), 10)+pad(label(lang, "time"), 16)+
		pad(label(lang, "rrn"), 14)+pad(label(lang, "auth"), 8)+pad(label(lang, "rc"), 8)+label(lang, "state"))
	var sum pos.Totals
	for _, r := range rows {
		sum.Of(r)
		state := label(lang, "row-"+string(r.State))
		if !r.Printed {
			state += "  " + label(lang, "unprinted")
		}
		amount := r.Amount
		amount.Minor += r.Tip
		fmt.Fprintln(w, pad(r.STAN.String(), 10)+pad(label(lang, string(r.Kind)), 14)+pad(amount.String(), 12)+pad(r.Masked.Tail(), 10)+pad(r.At.WallTime(pos.CST).Format(shortForm), 16)+
			pad(string(r.RRN), 14)+pad(string(r.AuthCode), 8)+pad(string(r.RC), 8)+state)
	}
	fmt.Fprintf(w, "%s%d %s  %s %d  %s  %s %d  %s\n", pad(label(lang, "total"), 10), len(rows), label(lang, "rows"),
		label(lang, "debit"), sum.DebitN, pos.Fen(sum.Debit), label(lang, "credit"), sum.CreditN, pos.Fen(sum.Credit))
}

// WriteRestore prints what a restore gave, or would give.
func WriteRestore(w io.Writer, lang string, r Restore) {
	head, whole := "restore-tried", label(lang, "restore-whole")
	if r.Applied {
		head = "restore-done"
	}
	if r.Missing != "" {
		whole = label(lang, "restore-missing") + r.Missing
	}
	fmt.Fprintln(w, label(lang, head))
	fmt.Fprintf(w, "%s%s, %d %s\n", pad(label(lang, "copy-of"), 12), r.Made.WallTime(pos.CST).Format(shortForm), r.Redone, label(lang, "redone"))
	fmt.Fprintf(w, "%s%s, %d %s, %s %d  %s, %s %d  %s\n", pad(label(lang, "batch"), 12), r.Batch, r.Rows, label(lang, "rows"),
		label(lang, "debit"), r.Totals.DebitN, pos.Fen(r.Totals.Debit), label(lang, "credit"), r.Totals.CreditN, pos.Fen(r.Totals.Credit))
	fmt.Fprintf(w, "%s%s, %d %s\n", pad(label(lang, "stan"), 12), r.STAN, r.Records, label(lang, "records"))
	fmt.Fprintln(w, whole)
}

// EntryLine is one line of the log in words.
func EntryLine(lang string, e journal.Entry) string { return entryLine(lang, nil, e) }

// Words are an entry's words: its message, or what its code says.
func Words(lang string, e journal.Entry) string { return words1(lang, e) }

func words1(lang string, e journal.Entry) string {
	if e.Msg != "" {
		return e.Msg
	}
	return text.Format(lang, e.Code, args(e)).Title
}

func entryLine(lang string, zone *time.Location, e journal.Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", e.Wall.In(zoneOf(zone)).Format(shortForm+".000"), pad(string(e.Code), 8))
	if e.Level != "INFO" && e.Level != "" {
		b.WriteString(" " + e.Level)
	}
	b.WriteString(" " + words1(lang, e))
	if e.Tx != "" {
		b.WriteString(" [" + e.Tx + "]")
	}
	if e.Ref != "" {
		b.WriteString(" card=" + e.Ref)
	}
	if t := shortFields(e).Text(); t != "" {
		b.WriteString(" " + t)
	}
	if why, ok := e.Get("why").(string); ok {
		if t := text.Get(lang, prompt.Code(why)).Title; t != why && t != "" {
			b.WriteString(" (" + text.Format(lang, prompt.Code(why), args(e)).Title + ")")
		}
	}
	return b.String()
}

// shortFields is an entry for a line: of a tape only its size.
func shortFields(e journal.Entry) journal.Entry {
	for i, f := range e.Fields {
		if v, ok := f.Value.(string); ok && f.Key == journal.TapeKey {
			e.Fields = slices.Clone(e.Fields)
			e.Fields[i].Value = fmt.Sprintf("[%d]", len(v)*3/4)
		}
	}
	return e
}

// args fills a title's fields from an entry.
func args(e journal.Entry) (a prompt.Args) {
	str := func(key string) string { s, _ := e.Get(key).(string); return s }
	a.Amount, a.RC, a.RRN = str("amount"), str("rc"), str("rrn")
	a.Card = pos.MaskedPAN(str("card")).Tail()
	if n, ok := e.Get("n").(int64); ok {
		a.N = int(n)
	}
	if i := strings.LastIndexByte(e.Tx, '-'); i >= 0 {
		a.STAN = e.Tx[i+1:]
	}
	return a
}

// WriteItem prints one piece of what the device knows of a transaction.
func WriteItem(w io.Writer, lang string, v any) {
	switch v := v.(type) {
	case pos.Sale:
		fmt.Fprintf(w, "%s %s  %s  %s  %s %s  %s %s  %s %s%s\n", label(lang, string(v.Kind)), v.STAN, v.Amount, v.Masked,
			label(lang, "rc"), v.RC, label(lang, "rrn"), v.RRN, label(lang, "auth"), v.AuthCode, printed(lang, v.Printed))
	case pos.Record:
		fmt.Fprintf(w, "%s %s %s  %s  %s  %s  %s %d  %s\n", label(lang, v.Class.String()), label(lang, string(v.Kind)), v.STAN, v.Amount, v.Masked,
			label(lang, string(v.State)), label(lang, "tries"), v.Tries, lastError(lang, v.LastError))
		fmt.Fprintln(w, "  "+explain(lang, v))
	case journal.Entry:
		fmt.Fprintln(w, EntryLine(lang, v))
	}
}

func printed(lang string, yes bool) string {
	if yes {
		return "  " + label(lang, "printed")
	}
	return "  " + label(lang, "unprinted")
}

// WriteCheck prints that the store is whole.
func WriteCheck(w io.Writer, lang string, asJSON bool) {
	if asJSON {
		fmt.Fprintln(w, `{"ok":true}`)
		return
	}
	fmt.Fprintln(w, label(lang, "store-ok"))
}
