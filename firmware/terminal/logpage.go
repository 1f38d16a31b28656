package terminal

import (
	"fmt"
	"strconv"
	"time"

	"swipewell/firmware/care"
	"swipewell/firmware/journal"
	"swipewell/firmware/journal/qr"
	"swipewell/firmware/pos"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
	"swipewell/ui/screen"
)

// logOut is the page on which the log leaves the device without a cable: to a USB stick, or as
// QR codes. A technician says so, each time anew.
type logOut struct {
	by    int // who was named; 0 nobody
	busy  bool
	said  care.Line // of the last copy
	codes []string
	at    int
	grid  *screen.Grid // the one at at
}

// Stick is what the page needs of the machine. Its functions are called from other goroutines.
type Stick struct {
	Here func() bool                         // one is there
	Copy func(by int) (name string, e error) // writes an export to it
}

// logCodes is how many codes a row of the last entries has at most: what a person scans. A
// one-bit display's codes hold less, and are twice as many.
const logCodes = 8

func (t *Terminal) logLines() []care.Line {
	l := &t.care.logOut
	if len(l.codes) > 0 {
		key := "logout.code"
		if t.o.Size.Mono { // it stands in half the width
			key = "logout.code1"
		}
		return []care.Line{{Key: key, A: []string{strconv.Itoa(l.at + 1), strconv.Itoa(len(l.codes))}}}
	}
	st := t.o.Journal.Stats()
	n, from := 0, int64(0)
	for _, s := range st.Streams {
		if n += s.Entries; s.From > 0 && (from == 0 || s.From < from) {
			from = s.From
		}
	}
	since := "-"
	if from > 0 {
		since = time.UnixMilli(from).In(pos.CST).Format("2006-01-02")
	}
	lines := []care.Line{{Key: "logout.held", A: []string{strconv.Itoa(n), since}}}
	if l.said.Key != "" {
		lines = append(lines, l.said)
	}
	if l.by == 0 {
		return append(lines, care.Line{Key: "logout.ask"})
	}
	switch s := t.o.Care.Stick; {
	case l.busy:
		lines = append(lines, care.Line{Key: "logout.busy"})
	case s != nil && s.Here():
		lines = append(lines, care.Line{Key: "logout.stick"})
	default:
		lines = append(lines, care.Line{Key: "logout.none"})
	}
	lines = append(lines, t.uploadLines()...)
	if t.o.Size.Modules() == 0 {
		return append(lines, care.Line{Key: "logout.small"})
	}
	return append(lines, care.Line{Key: "logout.last"}, care.Line{Key: "logout.sale"})
}

// logKey is a key for the page.
func (t *Terminal) logKey(x txn.PageKey, digit bool, d int) {
	l := &t.care.logOut
	switch {
	case x.Key == "" || x.Key == "cancel":
		*l = logOut{busy: l.busy, said: l.said}
	case x.Key == "named":
		l.by = x.Who
	case x.Key == "enter" && l.by == 0:
		t.handle(txn.Event{Kind: txn.PageAsks, OK: true})
	case l.by == 0 || !digit:
	case len(l.codes) > 0:
		l.grid = nil
		if l.at++; l.at == len(l.codes) {
			l.codes, l.at = nil, 0
		}
	case d == 1:
		t.copyLog()
	case d == 4:
		t.noteUpload(t.UploadLog(journal.Filter{}, l.by, nil))
	case d == 2:
		t.showCodes(journal.Filter{Last: 400}, "last")
	case d == 3:
		if id := t.state.Durable.Last.ID; id.STAN != 0 {
			t.showCodes(journal.Filter{Tx: id.STAN.String(), Last: 400}, "sale")
		}
	}
}

// copyLog writes an export to the stick, beside the loop: sticks are slow.
func (t *Terminal) copyLog() {
	l, s := &t.care.logOut, t.o.Care.Stick
	if l.busy || s == nil || !s.Here() {
		return
	}
	by := l.by
	l.busy, l.said = true, care.Line{}
	go func() {
		name, err := s.Copy(by)
		t.post(func() {
			l.busy, l.said = false, care.Line{Key: "logout.done", A: []string{name}}
			if err != nil {
				l.said = care.Line{Key: "logout.failed", A: []string{journal.Sieve(err.Error())}}
			}
			t.noteOut("stick", by, err, 0)
			t.draw()
		})
	}()
}

// showCodes makes codes of what a query finds: the youngest that fit.
func (t *Terminal) showCodes(f journal.Filter, what string) {
	l := &t.care.logOut
	chars, most := qr.Fits(t.o.Size.Modules()), logCodes
	if t.o.Size.Mono {
		most *= 2
	}
	es, err := t.o.Journal.Query(f)
	if err == nil {
		var b []byte
		if b, _, err = qr.PackLast(es, most, chars); err == nil {
			l.codes, err = qr.Texts(b, chars)
		}
	}
	l.grid = nil
	if l.at = 0; err != nil {
		l.codes, l.said = nil, care.Line{Key: "logout.failed", A: []string{journal.Sieve(err.Error())}}
	}
	t.noteOut("qr."+what, l.by, err, len(l.codes))
}

func (t *Terminal) noteOut(what string, by int, err error, codes int) {
	t.o.Journal.Record(journal.Event{Code: prompt.LogService, Source: "log", Fields: []journal.Field{journal.Word("do", "export"), journal.Word("what", what),
		journal.Count("who", by), journal.Flag("ok", err == nil), journal.Count("codes", codes), journal.Err(err)}})
}

// grid is the code that the page shows; nil none.
func (t *Terminal) grid(s txn.State) *screen.Grid {
	l := &t.care.logOut
	if s.Page != txn.PageLog || len(l.codes) == 0 {
		return nil
	}
	if l.grid != nil {
		return l.grid
	}
	g, err := qr.Draw(l.codes[l.at])
	if err != nil {
		t.o.Log.Warn("qr", "err", fmt.Errorf("code %d: %w", l.at+1, err))
		return nil
	}
	l.grid = (*screen.Grid)(&g)
	return l.grid
}
