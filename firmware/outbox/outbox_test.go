package outbox

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"swipewell/firmware/pos"
)

// naive is the same in the plainest way: lists that are walked each time.
type naive struct {
	classes [len(pos.Classes) + 1][]pos.Record // by class; in each by the time of the intent
	saf     SAF
	high    pos.STAN
	due     [2]naiveDue // cached: when the next record is due; 1 with advices and uploads
	stale   bool
}

type naiveDue struct {
	at  time.Duration
	any bool
}

func (b *naive) find(k Key) int {
	if int(k.Class) >= len(b.classes) {
		return -1
	}
	return slices.IndexFunc(b.classes[k.Class], func(r pos.Record) bool { return r.RecordID == k.ID })
}

// Put adds a record or replaces it.
func (b *naive) Put(r pos.Record) {
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
func (b *naive) Drop(k Key) {
	if i := b.find(k); i >= 0 {
		b.stale = true
		b.count(b.classes[k.Class][i], -1)
		b.classes[k.Class] = slices.Delete(b.classes[k.Class], i, i+1)
	}
}

func (b *naive) count(r pos.Record, n int) {
	if r.Class == pos.ClassAdvice && r.State == pos.RecordQueued {
		b.saf.Count += n
		b.saf.Sum += int64(n) * r.Amount.Minor
	}
}

// Get is one record.
func (b *naive) Get(k Key) (pos.Record, bool) {
	if i := b.find(k); i >= 0 {
		return b.classes[k.Class][i], true
	}
	return pos.Record{}, false
}

// All lists every record: by class, then by age.
func (b *naive) All() (all []pos.Record) {
	for _, l := range b.classes {
		all = append(all, l...)
	}
	return all
}

// High is the highest STAN ever put.
func (b *naive) High() pos.STAN { return b.high }

// Facts counts at a logical time; since is when the settlement began, 0 for
// none.
func (b *naive) Facts(now, since time.Duration) (f Facts) {
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
	f.SAF, f.Uploads = b.saf, len(b.classes[pos.ClassUpload])
	for _, c := range b.classes {
		for _, r := range c {
			if r.State == pos.RecordQueued {
				f.Waiting++
			}
		}
	}
	for _, c := range []pos.Class{pos.ClassAdvice, pos.ClassUpload} {
		for _, r := range b.classes[c] {
			if c == pos.ClassAdvice && r.State == pos.RecordRefused {
				f.Refused++
			}
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
			}
		}
	}
	return f
}

// Gated tells whether a card has a payment whose fate is open.
func (b *naive) Gated(card pos.CardRef) bool {
	return slices.ContainsFunc(b.classes[pos.ClassReversal], func(r pos.Record) bool {
		return r.Card == card && r.State != pos.RecordArmed
	})
}

// SameOrig tells whether an advice for that original has no final answer yet.
func (b *naive) SameOrig(k pos.TxnKind, o pos.Original) bool {
	return slices.ContainsFunc(b.classes[pos.ClassAdvice], func(r pos.Record) bool {
		return r.Kind == k && r.State == pos.RecordQueued && r.Orig == o
	})
}

// Pick is the record to send: of the first class that has one the one that
// waited longest. ok is false if there is none.
func (b *naive) Pick(w Want) (best pos.Record, ok bool) {
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
func (b *naive) NextDue(later bool) (at time.Duration, any bool) {
	if b.stale {
		b.stale, b.due = false, [2]naiveDue{}
		for c, l := range b.classes {
			for _, r := range l {
				if r.State != pos.RecordQueued {
					continue
				}
				for i := range b.due {
					if (i == 1 || pos.Class(c) <= pos.ClassScript) && (!b.due[i].any || r.Next < b.due[i].at) {
						b.due[i] = naiveDue{r.Next, true}
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

// Whatever is put and dropped, the box says what the plain one says.
func TestBoxIsTheList(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var b Box
		var n naive
		now := 10 * time.Second
		for i := range rapid.IntRange(1, 40).Draw(rt, "steps") {
			now += time.Duration(rapid.IntRange(0, 3).Draw(rt, "t")) * time.Second
			id := pos.RecordID{Context: "a", Batch: 1, STAN: pos.STAN(rapid.IntRange(1, 12).Draw(rt, "stan"))}
			c := rapid.SampledFrom(pos.Classes[:]).Draw(rt, "class")
			if rapid.IntRange(0, 3).Draw(rt, "drop") == 0 {
				b.Drop(Key{c, id})
				n.Drop(Key{c, id})
			} else {
				r := pos.Record{RecordID: id, Class: c, Kind: pos.KindRefund, Amount: pos.Fen(int64(i)), Card: pos.CardRef{byte(rapid.IntRange(0, 2).Draw(rt, "card"))},
					State: rapid.SampledFrom([]pos.RecordState{pos.RecordArmed, pos.RecordQueued, pos.RecordQueued, pos.RecordRefused, pos.RecordUnresolved}).Draw(rt, "state"),
					Next:  now + time.Duration(rapid.IntRange(-2, 4).Draw(rt, "next"))*time.Second, Tried: now - time.Duration(rapid.IntRange(0, 3).Draw(rt, "tried"))*time.Second}
				r.At.Logical = time.Duration(id.STAN) * time.Second
				if old, ok := n.Get(Key{c, id}); ok {
					r.At = old.At
				}
				b.Put(r)
				n.Put(r)
			}
			since := time.Duration(0)
			if rapid.Bool().Draw(rt, "settling") {
				since = now - time.Second
			}
			w := Want{Now: now, Since: since, Later: rapid.Bool().Draw(rt, "later"), Card: pos.CardRef{byte(rapid.IntRange(0, 2).Draw(rt, "of"))}}
			br, bok := b.Pick(w)
			nr, nok := n.Pick(w)
			if bok != nok || br != nr {
				rt.Fatalf("pick %+v: %v %v, want %v %v", w, br, bok, nr, nok)
			}
			if diff := cmp.Diff(n.Facts(now, since), b.Facts(now, since)); diff != "" {
				rt.Fatal(diff)
			}
			for _, later := range []bool{false, true} {
				bt, ba := b.NextDue(later)
				nt, na := n.NextDue(later)
				if ba != na || ba && bt != nt {
					rt.Fatalf("next %v %v, want %v %v", bt, ba, nt, na)
				}
			}
			queued := 0
			for _, r := range n.All() {
				if r.State == pos.RecordQueued {
					queued++
				}
			}
			if b.Queued() != queued {
				rt.Fatalf("%d queued, and %d are", b.Queued(), queued)
			}
			if b.High() != n.High() || b.Gated(w.Card) != n.Gated(w.Card) || len(b.All()) != len(n.All()) {
				rt.Fatal("high, gate or length")
			}
		}
	})
}

func BenchmarkStep(b *testing.B) {
	var x Box
	for i := range 10_000 {
		x.Put(pos.Record{RecordID: pos.RecordID{STAN: pos.STAN(i + 1)}, Class: pos.ClassAdvice, State: pos.RecordQueued, Next: time.Hour, At: pos.Time{Logical: time.Duration(i)}})
	}
	r := pos.Record{RecordID: pos.RecordID{STAN: 20_000}, Class: pos.ClassReversal, State: pos.RecordArmed}
	b.ReportAllocs()
	for b.Loop() {
		x.Put(r)
		x.Facts(time.Minute, 0)
		x.NextDue(true)
		x.Drop(Key{r.Class, r.RecordID})
	}
}
