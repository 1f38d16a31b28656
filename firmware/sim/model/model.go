// Package model explores the reducer with a small host to the end: every
// interleaving of a few orders with every loss, duplicate, late answer, late or
// reordered request, and a power failure between any commit and any effect.
//
// Sources:
//   - DESIGN: design §2, commit first, then act; the money rules (1) to (7)
//   - HOST: host §3.5, what must be true on flash at each step
//
// A node is all that matters: the reducer's state, what the store holds, what
// the host has booked, what is still on its way, and what customers were told.
// From each node every possible event leads on; nodes seen before are not
// entered again. Two sets of invariants are checked: one at every node, one
// where nothing is open any more.
//
// With chips the card has a word of its own behind the host's: it agrees, refuses or is
// gone, approves by itself where no byte left, and tells what became of scripts.
//
// What it leaves out: the wall clock, the printer, PINs, other kinds than a
// sale, and sign-on faults; the tests of txn and the soak have those. Time has
// two values that matter: before and after settle_after.
package model

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"swipewell/firmware/outbox"
	"swipewell/firmware/pos"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

// Opts bound the search.
type Opts struct {
	Orders   int  // customers; each with a card of their own, but the last uses the first one's
	Tries    int  // presentations of one order
	Crashes  int  // power failures in one history
	Wrong    int  // answers with a wrong MAC in one history
	Chip     bool // the cards have one
	MaxNodes int  // 0: no limit
	Progress func(nodes, waiting int)
}

// Violation is a history that breaks an invariant.
type Violation struct {
	Invariant string
	History   []string
}

func (v *Violation) Error() string { return v.Invariant + ":\n  " + strings.Join(v.History, "\n  ") }

// Result of a search that reached its end.
type Result struct {
	Nodes, Edges, Ends int
	Complete           bool
}

const (
	amount      = 100
	settleAfter = 90 * time.Second
	exchange    = 30 * time.Second
)

var profile = txn.Profile{Context: "m", Currency: pos.CNY, MaxAmount: 10_000, SettleAfter: settleAfter, MaxOpen: 3, CardTimeout: time.Minute, ConfirmTime: time.Minute}

// slotted is the same device with a slot for chips, whose host has numbered the batch.
var slotted = func() txn.Profile {
	p := profile
	p.Slot, p.Fallback = true, 1
	p.Offline = txn.Offline{Each: amount, Total: 100 * amount, Count: 100, Age: 24 * time.Hour}
	return p
}()

// booking is what the host has booked under a STAN.
type booking struct {
	stan     pos.STAN
	order    int8
	reversed bool
}

// letter is a request that left and has not arrived; after until it never will
// (the assumption behind settle_after).
type letter struct {
	stan  pos.STAN
	order int8
	until time.Duration
}

// node is one state of everything.
type node struct {
	s       txn.State
	box     []pos.Record
	sales   []pos.STAN // rows of the batch
	books   []booking
	late    []letter // may arrive any time before settle_after is over
	told    []bool   // by order: "approved"
	tries   []int8
	owner   []letter // which order a STAN was for
	now     time.Duration
	crashes int8
	wrong   int8
	pending []txn.Effect // committed and not carried out
	chip    bool
	agreed  []pos.STAN // what the card approved
	bad     string     // an invariant that an edge broke
	path    *step
}

type step struct {
	what string
	up   *step
}

func (n *node) history() (out []string) {
	for p := n.path; p != nil; p = p.up {
		out = append(out, p.what)
	}
	slices.Reverse(out)
	return out
}

// key is what makes two nodes the same: what only counts up is left out.
func (n *node) key() string {
	s := n.s
	s.Timer, s.Durable.Saved, s.Profile = 0, pos.Time{}, txn.Profile{}
	s.Args, s.NoteArgs, s.Note = prompt.Args{}, prompt.Args{}, ""
	s.Hold, s.DialFails, s.Printing = 0, 0, false
	s.Began, s.Durable.Open.Began, s.Slot.Ends.Began, s.Slot.Ends.At = 0, 0, 0, pos.Time{}
	if s.Slot.Held.Kind != txn.NotSent {
		s.Slot.Held.LeftBy = max((s.Slot.Held.LeftBy+settleAfter-n.now)/exchange, -1)
	}
	s.Durable.Open.At, s.Durable.Booked, s.Durable.Last = pos.Time{}, pos.Original{}, txn.Last{Code: s.Durable.Last.Code}
	var b strings.Builder
	fmt.Fprintf(&b, "%v|%v|%v|%v|%v|%v|%d %d|", s, n.agreed, n.sales, n.books, n.told, n.tries, n.crashes, n.wrong)
	for _, l := range n.late { // time counts in exchanges: that is how it passes
		fmt.Fprintf(&b, "%d %d;", l.stan, (l.until-n.now)/exchange)
	}
	for _, r := range n.box {
		fmt.Fprintf(&b, "%d %s %s %s %d;", r.STAN, r.Class, r.State, r.Reason, max((r.LeftBy+settleAfter-n.now)/exchange, -1))
	}
	for _, x := range n.pending {
		fmt.Fprintf(&b, "%T", x)
	}
	return b.String()
}

func (n *node) clone(what string, a ...any) *node {
	c := *n
	c.box, c.sales, c.books, c.late = slices.Clone(n.box), slices.Clone(n.sales), slices.Clone(n.books), slices.Clone(n.late)
	c.told, c.tries, c.owner = slices.Clone(n.told), slices.Clone(n.tries), slices.Clone(n.owner)
	c.pending, c.agreed = nil, slices.Clone(n.agreed)
	c.path = &step{fmt.Sprintf(what, a...), n.path}
	return &c
}

// event is one step of the reducer and its commit; the effects wait.
func (n *node) event(e txn.Event) {
	var box outbox.Box
	for _, r := range n.box {
		box.Put(r)
	}
	f := box.Facts(n.now, 0)
	e.At = pos.Time{Logical: n.now}
	e.OpenRev, e.Due, e.Later = f.Open, f.Due, f.Later
	e.HighSTAN, e.Rand = max(box.High(), n.s.Durable.STAN), 200
	if e.Kind == txn.Presented {
		e.Gated = box.Gated(e.Card)
	}
	next, fx := txn.Step(n.s, e)
	n.s = next
	for _, x := range fx {
		switch x := x.(type) {
		case txn.PutRecord:
			n.drop(x.Record.RecordID)
			n.box = append(n.box, x.Record)
		case txn.DropRecord:
			n.drop(x.ID)
		case txn.PutSale:
			n.sales = append(n.sales, x.Row.STAN)
		case txn.SendSale, txn.SendRecord, txn.SendSignOn, txn.TellChip:
			n.pending = append(n.pending, x)
		}
	}
	slices.SortFunc(n.box, func(a, b pos.Record) int { return int(a.STAN) - int(b.STAN) })
	n.hear()
}

func (n *node) drop(id pos.RecordID) {
	n.box = slices.DeleteFunc(n.box, func(r pos.Record) bool { return r.RecordID == id })
}

func (n *node) orderOf(stan pos.STAN) int8 {
	for _, l := range n.owner {
		if l.stan == stan {
			return l.order
		}
	}
	return -1
}

// hear is the customer reading the screen.
func (n *node) hear() {
	if n.s.Phase == txn.Result && (n.s.Code == prompt.Approved || n.s.Code == prompt.ChipOfflineDone) {
		if o := n.orderOf(n.s.Durable.Last.ID.STAN); o >= 0 {
			n.told[o] = true
		}
	}
}

// book is the host booking a request once.
func (n *node) book(stan pos.STAN, order int8) (fresh bool) {
	for _, b := range n.books {
		if b.stan == stan {
			return false
		}
	}
	n.books = append(n.books, booking{stan, order, false})
	slices.SortFunc(n.books, func(a, b booking) int { return int(a.stan) - int(b.stan) })
	return true
}

// reverse is the host's answer to a 0400.
func (n *node) reverse(stan pos.STAN) pos.ResponseCode {
	for i := range n.books {
		if n.books[i].stan == stan {
			n.books[i].reversed = true
			return "00"
		}
	}
	return "25"
}

func (n *node) reply(rc pos.ResponseCode) txn.Reply {
	return txn.Reply{Kind: txn.Answered, RC: rc, MAC: txn.MACValid, Amount: -1, KeysOK: true, Batch: 1, LeftBy: n.now}
}

func card(i int8) pos.CardRef { return pos.CardRef{byte(i + 1)} }
