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
	classes [len(pos.Classes) + 1][]pos.Record // by class; in each by the time of the intent
	saf     SAF
	high    pos.STAN
	due     [2]due // cached: when the next record is due; 1 with advices and uploads
	stale   bool
}

type due struct {
	at  time.Duration
	any bool
}

// SAF is what was done offline and waits to be forwarded.
type SAF struct {
	Count int
	Sum   int64 // minor units
}

func (b *Box) find(k Key) int {
	if int(k.Class) >= len(b.classes) {
		return -1
	}
	return slices.IndexFunc(b.classes[k.Class], func(r pos.Record) bool { return r.RecordID == k.ID })
}

// Put adds a record or replaces it.
func (b *Box) Put(r pos.Record) {
	b.stale = true
	b.high = max(b.high, r.STAN)
	list := &b.classes[r.Class]
	// The youngest is the one that changes most: look from the end.
	for i := len(*list) - 1; i >= 0; i-- {
		if (*list)[i].RecordID == r.RecordID {
			b.count((*list)[i], -1)
			(*list)[i] = r
			b.count(r, 1)
			return
		}
	}
	at := len(*list)
	for at > 0 && (*list)[at-1].At.Logical > r.At.Logical {
		at--
	}
	*list = slices.Insert(*list, at, r)
	b.count(r, 1)
}

// Drop removes a record; one that is not there is no mistake.
func (b *Box) Drop(k Key) {
	if i := b.find(k); i >= 0 {
		b.stale = true
		b.count(b.classes[k.Class][i], -1)
		b.classes[k.Class] = slices.Delete(b.classes[k.Class], i, i+1)
	}
}

func (b *Box) count(r pos.Record, n int) {
	if r.Class == pos.ClassAdvice && r.State == pos.RecordQueued {
		b.saf.Count += n
		b.saf.Sum += int64(n) * r.Amount.Minor
	}
}

// Get is one record.
func (b *Box) Get(k Key) (pos.Record, bool) {
	if i := b.find(k); i >= 0 {
		return b.classes[k.Class][i], true
	}
	return pos.Record{}, false
}

// All lists every record: by class, then by age.
func (b *Box) All() (all []pos.Record) {
	for _, l := range b.classes {
		all = append(all, l...)
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
	Refused int
	SAF     SAF
	Oldest  time.Duration // logical: of the oldest of SAF
}

// Facts counts at a logical time; since is when the settlement began, 0 for
// none.
func (b *Box) Facts(now, since time.Duration) (f Facts) {
	for _, c := range []pos.Class{pos.ClassReversal, pos.ClassScript} {
		for _, r := range b.classes[c] {
			switch r.State {
			case pos.RecordQueued:
				if r.Next <= now {
					f.Due++
				}
				if since > 0 && r.Tried < since {
					f.Untried++
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
	f.SAF = b.saf
	for _, c := range []pos.Class{pos.ClassAdvice, pos.ClassUpload} {
		for _, r := range b.classes[c] {
			if r.State != pos.RecordQueued {
				continue
			}
			if c == pos.ClassAdvice && f.Oldest == 0 {
				f.Oldest = r.At.Logical
			}
			if since > 0 && r.Tried < since {
				f.Untried++
			}
			if r.Next <= now {
				f.Later = 1
				if since == 0 {
					break
				}
			}
		}
	}
	return f
}

// Gated tells whether a card has a payment whose fate is open.
func (b *Box) Gated(card pos.CardRef) bool {
	return slices.ContainsFunc(b.classes[pos.ClassReversal], func(r pos.Record) bool {
		return r.Card == card && r.State != pos.RecordArmed
	})
}

// SameOrig tells whether an advice for that original has no final answer yet.
func (b *Box) SameOrig(k pos.TxnKind, o pos.Original) bool {
	return slices.ContainsFunc(b.classes[pos.ClassAdvice], func(r pos.Record) bool {
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
func (b *Box) Pick(w Want) (best pos.Record, ok bool) {
	for _, c := range pos.Classes {
		if c >= pos.ClassAdvice && !w.Later {
			break
		}
		for _, r := range b.classes[c] {
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
			case mine && best.Card != w.Card:
				best, ok = r, true
			case !mine && ok && best.Card == w.Card && !w.Card.IsZero():
			case !ok || r.Next < best.Next || r.Next == best.Next && r.STAN < best.STAN:
				best, ok = r, true
			}
			if ok && c >= pos.ClassAdvice {
				return best, true // first in, first out
			}
		}
		if ok {
			return best, true
		}
	}
	return best, false
}

// NextDue is the logical time of the next try of any record, with or without
// advices and uploads; any is false if none waits.
func (b *Box) NextDue(later bool) (at time.Duration, any bool) {
	if b.stale {
		b.stale, b.due = false, [2]due{}
		for c, l := range b.classes {
			for _, r := range l {
				if r.State != pos.RecordQueued {
					continue
				}
				for i := range b.due {
					if (i == 1 || pos.Class(c) <= pos.ClassScript) && (!b.due[i].any || r.Next < b.due[i].at) {
						b.due[i] = due{r.Next, true}
					}
				}
			}
		}
	}
	i := 0
	if later {
		i = 1
	}
	return b.due[i].at, b.due[i].any
}
