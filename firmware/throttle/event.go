package throttle

import (
	"encoding/binary"

	"swipewell/firmware/pos"
)

// What happened at the desk.
type What uint8

const (
	NoWhat What = iota
	Sale
	Refund
	Void
	PreAuth
	Completion
	Offline
	Balance
	Confirm   // a person confirmed what a rule asked about
	Override  // a second person approved what a rule stopped
	Stopped   // a rule stopped an attempt
	Absorbed  // the same card and amount again within seconds: the result was shown again
	Cancelled // by a key or by time, a card having been read or not
	ReadFail  // a card was not read
	Misuse    // out of order, or the wrong interface
	InputBad  // a number, an expiry or a track that cannot be
	LoginBad  // a wrong PIN of an operator
	Boot
	Paced // the desk was busier than its rate
	Alert
	Train  // a training lesson ended: N of 100
	Check  // a self-check ended: N failed
	Ticket // a customer's complaint was opened
	Drill  // a contingency drill ended
	whats
)

var whatNames = [...]string{"", "sale", "refund", "void", "preauth", "complete", "offline", "balance", "confirm", "override", "stop", "absorb", "cancel",
	"readfail", "misuse", "input", "login", "boot", "pace", "alert", "train", "check", "ticket", "drill"}

func (w What) String() string { return whatNames[min(int(w), len(whatNames)-1)] }

// WhatOf is the kind of a transaction.
func WhatOf(k pos.TxnKind) What {
	switch k {
	case pos.KindSale:
		return Sale
	case pos.KindRefund:
		return Refund
	case pos.KindVoid, pos.KindCompletionVoid, pos.KindPreAuthVoid:
		return Void
	case pos.KindPreAuth:
		return PreAuth
	case pos.KindCompletion, pos.KindCompletionAdvice:
		return Completion
	case pos.KindOffline:
		return Offline
	case pos.KindBalance:
		return Balance
	}
	return NoWhat
}

// Entry is how the card came in.
type Entry uint8

const (
	NoEntry Entry = iota
	Swiped
	Keyed
	Chip
	Fallback // swiped after the chip had failed
)

var entries = [...]string{"", "swipe", "keyed", "chip", "fallback"}

func (e Entry) String() string { return entries[min(int(e), len(entries)-1)] }

// EntryOf is DE 22 digits 1 and 2.
func EntryOf(m pos.EntryMode) Entry {
	switch m {
	case pos.EntrySwipe:
		return Swiped
	case pos.EntryKeyed:
		return Keyed
	case pos.EntryChip:
		return Chip
	}
	return NoEntry
}

// Event is one thing that happened at the desk: the history of a month, by
// which rules look back, a new rule file is tried, and hours are learned.
type Event struct {
	At      Time
	Wall    int64 // Unix seconds, for people; may be wrong
	What    What
	Outcome Outcome
	RC      RC
	Op      uint8 // the operator's number, 0 nobody
	Entry   Entry
	Rule    ID     // Confirm, Override, Stopped: of the rule
	N       uint16 // a count, or what a kind says
	Took    uint16 // of a sale: seconds from its amount to its outcome
	Amount  int64  // minor units
	Tags    Tags
}

// eventRow is the size of an event in the store.
const (
	eventRow     = 1 + 4 + 4 + 1 + 1 + 2 + 1 + 1 + 2 + 2 + 2 + 5 + 8 + 4
	eventVersion = 1
)

// AppendRow is the event as the store keeps it.
func (e Event) AppendRow(b []byte) []byte {
	b = append(b, eventVersion)
	b = binary.BigEndian.AppendUint32(b, ticks(e.At))
	b = binary.BigEndian.AppendUint32(b, uint32(min(max(e.Wall, 0), 1<<32-1)))
	b = append(b, byte(e.What), byte(e.Outcome), e.RC[0], e.RC[1], e.Op, byte(e.Entry))
	b = binary.BigEndian.AppendUint16(b, uint16(e.Rule))
	b = binary.BigEndian.AppendUint16(b, e.N)
	b = binary.BigEndian.AppendUint16(b, e.Took)
	a := uint64(min(max(e.Amount, 0), pos.MaxMinor))
	b = append(b, byte(a>>32), byte(a>>24), byte(a>>16), byte(a>>8), byte(a))
	b = binary.BigEndian.AppendUint64(b, e.Tags.Card)
	return binary.BigEndian.AppendUint32(b, e.Tags.Bin8)
}

// ParseEvent is the inverse of AppendRow.
func ParseEvent(b []byte) (e Event, err error) {
	if len(b) != eventRow || b[0] != eventVersion || b[9] >= byte(whats) || int(b[10]) >= len(outcomes) || int(b[14]) >= len(entries) {
		return e, ErrRow
	}
	e.At, e.Wall = fromTicks(binary.BigEndian.Uint32(b[1:])), int64(binary.BigEndian.Uint32(b[5:]))
	e.What, e.Outcome, e.RC, e.Op, e.Entry = What(b[9]), Outcome(b[10]), RC{b[11], b[12]}, b[13], Entry(b[14])
	e.Rule, e.N, e.Took = ID(binary.BigEndian.Uint16(b[15:])), binary.BigEndian.Uint16(b[17:]), binary.BigEndian.Uint16(b[19:])
	if e.Amount = int64(b[21])<<32 | int64(binary.BigEndian.Uint32(b[22:])); e.Amount > pos.MaxMinor {
		return Event{}, ErrRow
	}
	e.Tags = Tags{binary.BigEndian.Uint64(b[26:]), binary.BigEndian.Uint32(b[34:])}
	return e, nil
}

// InLog is how many events stay in memory: more than a day's of a busy till.
const InLog = 2048

// Log is the youngest events, a ring. The zero value is empty.
type Log struct {
	list []Event
	head int // where the next one goes, once the ring is full
}

// Add notes an event.
func (l *Log) Add(e Event) {
	if len(l.list) < InLog {
		l.list = append(l.list, e)
		return
	}
	l.list[l.head] = e
	l.head = (l.head + 1) % InLog
}

// Len is how many there are.
func (l *Log) Len() int {
	if l == nil {
		return 0
	}
	return len(l.list)
}

// halves are the events, each half with its youngest last; the first half is the
// younger.
func (l *Log) halves() (young, old []Event) {
	if l == nil {
		return nil, nil
	}
	return l.list[:l.head], l.list[l.head:]
}

// At is the i-th event, the youngest at 0.
func (l *Log) At(i int) *Event {
	n := len(l.list)
	return &l.list[(l.head+2*n-1-i)%n]
}

// Amend changes what became of the youngest event of a card and an amount that
// stands as was.
func (l *Log) Amend(card uint64, amount int64, was, is Outcome) bool {
	for i := range l.Len() {
		if e := l.At(i); e.Tags.Card == card && e.Amount == amount && e.Outcome == was && e.What <= Offline {
			e.Outcome = is
			return true
		}
	}
	return false
}

// Learned is what a merchant's own past says; zero is nothing yet.
type Learned struct {
	P90, P95, P99 int64     // amounts that so many per cent of sales stay below, minor units
	MedianHour    int64     // what an hour that is worked in usually takes, minor units
	Hours         [3]uint64 // a bit for each hour of the week in which this shop sells
	Days          int       // of history behind it; rules that need a past wait for MinDays
}

// MinDays of history make hours and amounts worth believing.
const MinDays = 14

// Open tells whether the shop usually sells at that minute of the week, or
// within margin minutes of it; true where nothing is known.
func (l Learned) Open(minute int32, margin int32) bool {
	if l.Days < MinDays || minute < 0 {
		return true
	}
	const week = 7 * 24 * 60
	for _, m := range [...]int32{minute - margin, minute, minute + margin} {
		h := ((m + week) % week) / 60
		if l.Hours[h/64]>>(h%64)&1 == 1 {
			return true
		}
	}
	return false
}
