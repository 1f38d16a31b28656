package verify

import (
	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/segment"
)

// walk is the way through one segment.
type walk struct {
	c     *checker
	era   uint32
	chain seal.Hash
	next  seal.Public
	n     uint32 // checkpoints
	sure  bool   // the chain is known
	prev  uint64 // the last entry
	good  uint64 // the last entry that a signature covers
	heads int
	span  int // entries since the last checkpoint
	tail  bool
	ends  int64 // of the last frame
	marks [][2]uint64
	buf   []byte
}

// gapAfter is the last entry before a place in the file.
func (w *walk) gapAfter(off int64) (seq uint64) {
	for _, m := range w.marks {
		if int64(m[0]) <= off {
			seq = m[1]
		}
	}
	return max(seq, w.c.prev.last)
}

func (w *walk) frame(f segment.Frame) bool {
	c := w.c
	if f.Off != w.ends {
		w.sure = false
	}
	w.ends = f.Off + f.Size
	c.Newer = c.Newer || f.Version > segment.Version
	p, err := f.Payload(w.buf)
	if err != nil {
		c.find(Damaged, w.prev+1, 0, w.era, "%v", err)
		w.sure = false
		return true
	}
	c.measured(w.era, f, len(p))
	switch f.Kind {
	case segment.Head:
		if w.heads++; w.heads > 1 {
			c.find(Foreign, w.prev+1, 0, w.era, "a second head")
		}
	case segment.Batch:
		err := segment.Records(p, func(rec []byte, tag [4]byte) bool {
			w.record(rec, tag)
			return true
		})
		if err != nil {
			c.find(Damaged, w.prev+1, 0, w.era, "%v", err)
			w.sure = false
		}
	case segment.Check:
		w.check(p)
	case segment.Tail:
		w.tail = true
	}
	w.marks = append(w.marks, [2]uint64{uint64(w.ends), w.prev})
	return true
}

func (w *walk) record(rec []byte, tag [4]byte) {
	c := w.c
	seq := entry.SeqOf(rec)
	if c.Entries++; c.First == 0 {
		c.First = seq
	}
	if seq <= w.prev {
		c.find(Order, seq, 0, w.era, "entry %d comes after entry %d", seq, w.prev)
	}
	if h, ok := entry.ParseHead(rec); ok {
		c.walls[w.era] = max(c.walls[w.era], h.Wall)
	}
	w.prev = max(w.prev, seq)
	w.span++
	c.Last = max(c.Last, seq)
	if !w.sure {
		return
	}
	w.chain = w.chain.Next(rec)
	if w.chain.Tag() != tag {
		c.find(Changed, seq, 0, w.era, "entry %d is not what was chained, or one before it is missing", seq)
		w.sure = false
	}
}

func (w *walk) check(p []byte) {
	c := w.c
	k, err := seal.ParseCheckpoint(p)
	if err != nil {
		c.find(Damaged, w.prev, 0, w.era, "%v", err)
		return
	}
	signed := w.n == k.N && k.Era == w.era && k.Signed(w.next)
	switch {
	case k.Era != w.era || k.N < w.n:
		c.find(Foreign, w.good+1, w.prev, w.era, "a checkpoint of era %d, number %d, does not belong here", k.Era, k.N)
	case k.N > w.n:
		c.find(Missing, w.good+1, k.Seq, w.era, "checkpoints %d to %d of era %d are gone", w.n, k.N-1, w.era)
	case !signed:
		c.find(Broken, w.good+1, k.Seq, w.era, "the checkpoint at entry %d is not signed by the key in force", k.Seq)
	case c.src.Excerpt && w.span == 0 && k.Seq >= w.prev:
		if k.Seq > w.prev {
			c.leftOut(w.prev+1, k.Seq, w.era)
		}
		w.prev = k.Seq
	case k.Seq != w.prev:
		c.find(Missing, min(k.Seq, w.prev)+1, max(k.Seq, w.prev), w.era, "a checkpoint at entry %d comes after entry %d", k.Seq, w.prev)
	case w.sure && k.Hash != w.chain:
		c.find(Changed, w.good+1, k.Seq, w.era, "one of the entries %d to %d was changed, and what follows it chained anew", w.good+1, k.Seq)
	case !w.sure:
	default:
		w.good, c.Proven = k.Seq, k.Seq
	}
	if signed {
		w.good = max(w.good, k.Seq)
	}
	if k.Era == w.era {
		c.checks[[2]uint32{k.Era, k.N}] = k
		w.span = 0
		w.chain, w.next, w.n, w.sure = k.Hash, k.Next, k.N+1, true
	}
}
