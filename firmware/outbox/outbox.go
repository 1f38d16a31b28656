// Package outbox is the copy in memory of the store's outbox: what waits to be
// sent, in the order in which it goes. It decides nothing about money; it
// counts and picks. It has no I/O and no lock: the loop owns it.
//
// Sources:
//   - HOST: firmware/doc/wire.md and host §3.4, strict classes, each with an order of its own
//   - DESIGN: design §2, queues are rows in store and State holds their counts
package outbox

import (
	"slices"
	"time"

	"swipewell/firmware/pos"
)

// Key names a record.
type Key struct {
	Class pos.Class
	ID    pos.RecordID
}

// Box holds the records. The zero value is empty.
type Box struct {
	classes [len(pos.Classes) + 1]class
	saf     SAF
	queued  int
	refused int
	high    pos.STAN
}

// class is the records of one class: by the time of the intent, and by id.
// Records are shared with nobody.
type class struct {
	list  []*pos.Record
	byID  map[pos.RecordID]*pos.Record
	next  time.Duration // of the queued one that is due first; meaningless if stale
	any   bool          // one is queued
	stale bool
}

// SAF is what was done offline and waits to be forwarded.
type SAF struct {
	Count int
	Sum   int64 // minor units
}

// Put adds a record or replaces it.
func (b *Box) Put(r pos.Record) {
	b.high = max(b.high, r.STAN)
	c := &b.classes[r.Class]
	if old := c.byID[r.RecordID]; old != nil {
		b.count(old, -1)
		c.leaves(old)
		*old = r
	} else {
		if c.byID == nil {
			c.byID = map[pos.RecordID]*pos.Record{}
		}
		at := len(c.list)
		for at > 0 && c.list[at-1].At.Logical > r.At.Logical {
			at--
		}
		own := r
		c.list = slices.Insert(c.list, at, &own)
		c.byID[r.RecordID] = &own
	}
	b.count(&r, 1)
	c.comes(&r)
}

// Drop removes a record; one that is not there is no mistake.
func (b *Box) Drop(k Key) {
	if int(k.Class) >= len(b.classes) {
		return
	}
	c := &b.classes[k.Class]
	old := c.byID[k.ID]
	if old == nil {
		return
	}
	b.count(old, -1)
	c.leaves(old)
	delete(c.byID, k.ID)
	i := slices.Index(c.list, old) // the oldest go first: found at once
	c.list = slices.Delete(c.list, i, i+1)
}

// comes and leaves keep the time of the next try without a scan, save where
// the one that was due first goes.
func (c *class) comes(r *pos.Record) {
	if r.State == pos.RecordQueued && !c.stale && (!c.any || r.Next < c.next) {
		c.next, c.any = r.Next, true
	}
}

func (c *class) leaves(r *pos.Record) {
	if r.State == pos.RecordQueued && r.Next <= c.next {
		c.stale = true
	}
}

func (c *class) due() (at time.Duration, any bool) {
	if c.stale {
		c.stale, c.any = false, false
		for _, r := range c.list {
			c.comes(r)
		}
	}
	return c.next, c.any
}

func (b *Box) count(r *pos.Record, n int) {
	if r.State == pos.RecordQueued {
		b.queued += n
	}
	if r.Class != pos.ClassAdvice {
		return
	}
	switch r.State {
	case pos.RecordQueued:
		b.saf.Count += n
		b.saf.Sum += int64(n) * r.Amount.Minor
	case pos.RecordRefused:
		b.refused += n
	}
}

// Queued is how many records wait to be sent.
func (b *Box) Queued() int { return b.queued }

// Get is one record.
func (b *Box) Get(k Key) (pos.Record, bool) {
	if int(k.Class) < len(b.classes) {
		if r := b.classes[k.Class].byID[k.ID]; r != nil {
			return *r, true
		}
	}
	return pos.Record{}, false
}

// All lists every record: by class, then by age.
func (b *Box) All() (all []pos.Record) {
	for _, c := range b.classes {
		for _, r := range c.list {
			all = append(all, *r)
		}
	}
	return all
}

// High is the highest STAN ever put.
func (b *Box) High() pos.STAN { return b.high }

// Facts are what a step wants to know.
type Facts struct {
	Due     int // reversals and script results to be sent now
	Later   int // 1 if an advice or upload is to be sent now
	Untried int // queued and not tried since Since
	Open    int // reversals that gate: queued or unresolved
	OpenSum int64
	Refused int // advices that the host will not book
	Uploads int // status uploads that wait
	Waiting int // queued records of all classes, due or not
	SAF     SAF
	Oldest  time.Duration // logical: of the oldest of SAF
}

// Facts counts at a logical time; since is when the settlement began, 0 for
// none.
func (b *Box) Facts(now, since time.Duration) (f Facts) {
	for _, c := range []pos.Class{pos.ClassReversal, pos.ClassScript} {
		for _, r := range b.classes[c].list {
			switch r.State {
			case pos.RecordQueued:
				f.Waiting++
				if r.Next <= now {
					f.Due++
				}
			case pos.RecordUnresolved:
			default:
				continue
			}
			if c == pos.ClassReversal {
				f.Open++
				f.OpenSum += r.Amount.Minor
			}
		}
	}
	f.SAF, f.Refused, f.Uploads = b.saf, b.refused, len(b.classes[pos.ClassUpload].list)
	f.Waiting += f.SAF.Count
	for _, r := range b.classes[pos.ClassUpload].list {
		if r.State == pos.RecordQueued {
			f.Waiting++
		}
	}
	for _, r := range b.classes[pos.ClassAdvice].list {
		if r.State == pos.RecordQueued {
			f.Oldest = r.At.Logical
			break
		}
	}
	for _, c := range []pos.Class{pos.ClassAdvice, pos.ClassUpload} {
		if at, any := b.classes[c].due(); any && at <= now {
			f.Later = 1
		}
	}
	if since > 0 {
		for _, c := range b.classes {
			for _, r := range c.list {
				if r.State == pos.RecordQueued && r.Tried < since {
					f.Untried++
				}
			}
		}
	}
	return f
}

// Gated tells whether a card has a payment whose fate is open.
func (b *Box) Gated(card pos.CardRef) bool {
	return slices.ContainsFunc(b.classes[pos.ClassReversal].list, func(r *pos.Record) bool {
		return r.Card == card && r.State != pos.RecordArmed
	})
}

// SameOrig tells whether an advice for that original has no final answer yet.
func (b *Box) SameOrig(k pos.TxnKind, o pos.Original) bool {
	return slices.ContainsFunc(b.classes[pos.ClassAdvice].list, func(r *pos.Record) bool {
		return r.Kind == k && r.State == pos.RecordQueued && r.Orig == o
	})
}

// Want says which record is to be picked.
type Want struct {
	Now   time.Duration
	Card  pos.CardRef   // not zero: that card's reversal, due or not
	Since time.Duration // not zero: one that was not tried since then, due or not
	Later bool          // advices and uploads, too
}

// Pick is the record to send: of the first class that has one the one that
// waited longest. ok is false if there is none.
func (b *Box) Pick(w Want) (pos.Record, bool) {
	for _, c := range pos.Classes {
		if c >= pos.ClassAdvice && !w.Later {
			break
		}
		var best *pos.Record
		for _, r := range b.classes[c].list {
			if r.State != pos.RecordQueued {
				continue
			}
			mine := !w.Card.IsZero() && r.Card == w.Card && c == pos.ClassReversal
			if !mine && r.Next > w.Now && (w.Since == 0 || r.Tried >= w.Since) {
				continue
			}
			if w.Since > 0 && r.Tried >= w.Since {
				continue
			}
			switch {
			case best == nil, mine && best.Card != w.Card:
				best = r
			case !mine && best.Card == w.Card && !w.Card.IsZero():
			case r.Next < best.Next || r.Next == best.Next && r.STAN < best.STAN:
				best = r
			}
			if c >= pos.ClassAdvice {
				break // first in, first out
			}
		}
		if best != nil {
			return *best, true
		}
	}
	return pos.Record{}, false
}

// NextDue is the logical time of the next try of any record, with or without
// advices and uploads; any is false if none waits.
func (b *Box) NextDue(later bool) (at time.Duration, any bool) {
	for _, c := range pos.Classes {
		if c >= pos.ClassAdvice && !later {
			break
		}
		if n, ok := b.classes[c].due(); ok && (!any || n < at) {
			at, any = n, true
		}
	}
	return at, any
}
