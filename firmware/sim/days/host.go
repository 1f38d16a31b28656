package days

import (
	"fmt"
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/txn"
)

// host is the acquirer: what it answers is planned by who makes the traffic,
// and its books say what every order was charged.
type host struct {
	rnd   chance
	plan  plan
	books map[pos.RecordID]*booking
	open  map[pos.RecordID]*order // whose answer was lost, until the reversal is done
	heard time.Duration           // logical: until then no reversal gets an answer
	used  bool                    // the plan: a sale was sent
	refs  int

	// says25: what it never got it calls unknown, rather than reversed.
	says25 bool
}

// reply is an answer under a valid MAC, with the time in it.
func (h *host) reply(rc pos.ResponseCode, at pos.Time) txn.Reply {
	h.refs++
	return txn.Reply{Kind: txn.Answered, RC: rc, MAC: txn.MACValid, Amount: -1, LeftBy: at.Logical, Wall: at.Wall,
		RRN: pos.RRN(fmt.Sprintf("%012d", h.refs)), Auth: pos.AuthCode(fmt.Sprintf("%06d", h.refs%1_000_000))}
}

// sale books what the plan says and gives the reply and how long it takes; at
// is when it is sent.
func (h *host) sale(in txn.Intent, at pos.Time) (txn.Reply, time.Duration) {
	took := h.rnd.between(answerFirst, answerMost)
	if in.Kind == pos.KindVoid {
		id := in.ID
		id.Batch, id.STAN = in.Orig.Batch, in.Orig.STAN
		if b := h.books[id]; b != nil {
			b.undo()
		}
		return h.reply("00", later(at, took)), took
	}
	h.used = true
	p := h.plan
	if p.answer == Approves || p.answer == LostBooked {
		h.books[in.ID] = &booking{o: p.o, amount: in.Amount.Minor, standing: true}
		p.o.charges++
		p.o.net += in.Amount.Minor
	}
	switch p.answer {
	case Approves:
		r := h.reply("00", later(at, took))
		r.Amount = in.Amount.Minor
		return r, took
	case Declines:
		return h.reply(p.rc, later(at, took)), took
	}
	h.open[in.ID] = p.o
	h.heard = at.Logical + noAnswer + p.trouble
	return txn.Reply{Kind: txn.NoAnswer, LeftBy: at.Logical + time.Second}, noAnswer
}

// record answers one record of the outbox, all of them reversals.
func (h *host) record(rec pos.Record, at pos.Time) (txn.Reply, time.Duration) {
	if at.Logical < h.heard {
		return txn.Reply{Kind: txn.NoAnswer, LeftBy: at.Logical + time.Second}, noAnswer
	}
	took := h.rnd.between(answerFirst, answerMost)
	rc := pos.ResponseCode("00")
	if b := h.books[rec.RecordID]; b != nil {
		b.undo()
	} else if h.says25 {
		rc = "25"
	}
	return h.reply(rc, later(at, took)), took
}

func later(at pos.Time, d time.Duration) pos.Time {
	return pos.Time{Wall: at.Wall + d.Milliseconds(), Logical: at.Logical + d}
}
