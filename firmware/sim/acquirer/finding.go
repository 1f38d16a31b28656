package acquirer

import (
	"fmt"
	"slices"
	"time"

	"swipewell/firmware/pos"
)

// What a Finding may be named. A test that seeds a bug in a terminal looks for
// one of these.
const (
	FindFrame      = "frame"         // length, TPDU or header
	FindParse      = "parse"         // the message does not parse: 30
	FindTerminal   = "terminal"      // unknown terminal: 97
	FindMerchant   = "merchant"      // not this terminal's merchant: 03
	FindMAC        = "mac"           // DE 64 is wrong: A0
	FindKind       = "kind"          // MTI, DE 3, 25 and 60 name no transaction: 12 or 40
	FindMissing    = "missing"       // a field that the kind needs is not there: 30
	FindUnexpected = "unexpected"    // a field that the kind must not carry: 30
	FindValue      = "value"         // a field whose value cannot be: 30
	FindCard       = "card"          // PAN, track, expiry do not fit together or to the account
	FindPINBlock   = "pin-block"     // DE 52 does not open to a PIN: 99
	FindPINRepeat  = "pin-repeat"    // DE 52 is one that came before, where it must differ: 99
	FindReversal   = "reversal"      // a reversal that differs from its original
	FindDuplicate  = "duplicate"     // terminal, batch and STAN used before: 94
	FindChip       = "chip"          // field 55 misshaped, or against the message around it: 30
	FindCryptogram = "cryptogram"    // 9F26 is not this card's over these values: 34
	FindATC        = "atc"           // a card's counter or an unpredictable number that came before: 34
	FindScript     = "script-result" // what is told of a script is not of the one that was sent, or nothing is
	FindUpload     = "chip-batch"    // an upload of a chip's sale that does not fit, or is not there at the batch end
	FindTotals     = "totals"        // the batch differs from the books
	FindStaleKey   = "stale-key"     // benign: MAC right under keys that are no longer in force: A0
	FindNoKey      = "no-key"        // benign: nobody signed on: A0
	FindCutFrame   = "cut-frame"     // benign: the line ended inside a frame
	FindUndeliver  = "undelivered"   // benign: the connection was gone when the answer was due
	FindOwnMistake = "own"           // the simulator could not pack an answer
)

// Finding is something a right terminal on a right line does not do; a benign
// one is no fault of its codec. It shows no number, track, PIN or key.
type Finding struct {
	At     time.Time      `json:"at"`
	Name   string         `json:"name"`
	MTI    string         `json:"mti,omitempty"`
	TID    pos.TerminalID `json:"tid,omitempty"`
	STAN   string         `json:"stan,omitempty"`
	Field  int            `json:"field,omitempty"`
	Detail string         `json:"detail,omitempty"`
	RC     string         `json:"rc,omitempty"` // what it was answered with
	Benign bool           `json:"benign,omitempty"`
}

func (f Finding) String() string {
	s := f.Name
	if f.MTI != "" {
		s += " " + f.MTI
	}
	if f.STAN != "" {
		s += " STAN " + f.STAN
	}
	if f.Field != 0 {
		s += fmt.Sprintf(" DE %d", f.Field)
	}
	if f.Detail != "" {
		s += ": " + f.Detail
	}
	if f.RC != "" {
		s += " (" + f.RC + ")"
	}
	return s
}

// Event is what the host saw or did, for a log and for the bench's page; PANs
// are masked.
type Event struct {
	At      time.Time `json:"at"`
	What    string    `json:"what"` // connect, disconnect, request, answer, book, finding, command
	MTI     string    `json:"mti,omitempty"`
	TID     string    `json:"tid,omitempty"`
	STAN    string    `json:"stan,omitempty"`
	RC      string    `json:"rc,omitempty"`
	Answer  string    `json:"answer,omitempty"` // the behaviour, if it is not normal
	Detail  string    `json:"detail,omitempty"`
	Entry   *Entry    `json:"entry,omitempty"`
	Finding *Finding  `json:"finding,omitempty"`
}

// note appends an event; the caller holds mu.
func (h *Host) note(e Event) {
	h.stir.Add(1)
	e.At = h.wall()
	h.events = append(h.events, e)
}

// find keeps a finding; the caller holds mu.
func (h *Host) find(f Finding) {
	f.At = h.wall()
	switch f.Name {
	case FindStaleKey, FindNoKey, FindCutFrame, FindUndeliver:
		f.Benign = true
	}
	h.findings = append(h.findings, f)
	h.note(Event{What: "finding", MTI: f.MTI, TID: string(f.TID), STAN: f.STAN, RC: f.RC, Finding: &f})
}

// flush hands the events to the observer in their order, outside mu.
func (h *Host) flush() {
	h.tell.Lock()
	defer h.tell.Unlock()
	h.mu.Lock()
	events := h.events
	h.events = nil
	h.mu.Unlock()
	if h.o.Observe != nil {
		for _, e := range events {
			h.o.Observe(e)
		}
	}
}

// Findings are what a right terminal does not do, oldest first; benign ones
// are left out. See [Host.AllFindings].
func (h *Host) Findings() []Finding {
	var out []Finding
	for _, f := range h.AllFindings() {
		if !f.Benign {
			out = append(out, f)
		}
	}
	return out
}

// Faults are the findings that are an error of a run, but for the excused names. An
// advice or an upload that comes again and totals that differ are what a world has in which answers
// are lost and books are changed; what is no frame at all, one whose modem is brought
// back to its senses while the line is still open.
func (h *Host) Faults(excused ...string) (out []Finding) {
	for _, f := range h.Findings() {
		switch {
		case f.Name == FindDuplicate && (f.MTI == "0220" || f.MTI == "0320"), f.Name == FindTotals, f.Name == FindFrame:
			continue
		}
		if !slices.Contains(excused, f.Name) {
			out = append(out, f)
		}
	}
	return out
}

// AllFindings also has the benign ones.
func (h *Host) AllFindings() []Finding {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Finding(nil), h.findings...)
}
