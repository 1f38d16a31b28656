package journal

import (
	"fmt"
	"io"

	"swipewell/firmware/journal/export"
	"swipewell/firmware/journal/query"
)

// Excerpt writes an export of what a query finds, in at most so many bytes; n is how many of the
// entries found are in it, of so many. The journal is sealed first.
func (j *Journal) Excerpt(w io.Writer, m export.Manifest, f Filter, most int) (n, of int, err error) {
	if j == nil {
		return 0, 0, nil
	}
	if m, err = j.sealed(m); err != nil {
		return 0, 0, err
	}
	es, err := j.Set().All(f)
	if err != nil {
		return 0, 0, err
	}
	wanted := map[uint64]bool{}
	for _, e := range es {
		wanted[e.Seq] = true
	}
	m.Excerpt = excerptOf(f)
	n, _, err = export.Excerpt(w, j.o.Dir, StreamNames[:], m, wanted, most)
	return n, len(es), err
}

func excerptOf(f query.Filter) string {
	if f.Tx != "" {
		return "tx " + f.Tx
	}
	return fmt.Sprintf("last %d", f.Last)
}
