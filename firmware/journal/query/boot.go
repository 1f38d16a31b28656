package query

import (
	"cmp"
	"slices"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/segment"
)

// Boot is one start of the program.
type Boot struct {
	ID    string `json:"boot"`
	First uint64 `json:"first"`
	From  int64  `json:"from"` // wall, Unix milliseconds
	To    int64  `json:"to"`
}

// Boots are the starts of which the journal has entries, the oldest first. Each
// began a segment, so that a segment's first entry tells.
func (s Set) Boots() (out []Boot) {
	p, _ := Filter{}.plan()
	at := map[string]int{}
	for _, st := range s {
		for _, m := range st.Segments() {
			e, ok := job{st, m}.first(p)
			if !ok {
				continue
			}
			i, seen := at[e.Boot]
			if !seen {
				i = len(out)
				at[e.Boot], out = i, append(out, Boot{ID: e.Boot, First: e.Seq, From: m.From, To: m.To})
			}
			out[i].First, out[i].From, out[i].To = min(out[i].First, e.Seq), min(out[i].From, m.From), max(out[i].To, m.To)
		}
	}
	slices.SortFunc(out, func(a, b Boot) int { return cmp.Compare(a.First, b.First) })
	return out
}

func (j job) first(p *plan) (e entry.Entry, ok bool) {
	f, c, err := j.s.Open(j.m.Name)
	if err != nil {
		return e, false
	}
	defer c.Close()
	one := func(batch []byte) {
		segment.Records(batch, func(rec []byte, _ [4]byte) bool {
			e, err = entry.Parse(rec)
			ok = err == nil
			return !ok
		})
	}
	if x := segment.Open(f, j.m.Size); x != nil {
		if len(x.Blocks) > 0 {
			if b, err := segment.ReadBlock(f, x.Blocks[0], nil); err == nil {
				one(b)
			}
		}
		return e, ok
	}
	b, err := segment.All(f, j.m.Size)
	if err != nil {
		return e, false
	}
	segment.Scan(b, func(f segment.Frame) bool {
		if f.Kind == segment.Batch {
			if batch, err := f.Payload(nil); err == nil {
				one(batch)
			}
		}
		return !ok
	})
	return e, ok
}
