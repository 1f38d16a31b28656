package journal

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"swipewell/ui/prompt"
)

// Filter picks entries; its zero value picks all.
type Filter struct {
	Last     int         `json:"last,omitempty"`      // only the last so many of what fits
	Since    time.Time   `json:"since,omitzero"`      // by the wall clock
	AfterSeq uint64      `json:"after_seq,omitempty"` // younger than this one
	Tx       string      `json:"tx,omitempty"`        // a transaction's id, or the end of it: its STAN
	Code     prompt.Code `json:"code,omitempty"`      // a code, or the beginning of one: "F-NET"
}

func (f Filter) fits(e Entry) bool {
	return e.Seq > f.AfterSeq && !e.Wall.Before(f.Since) &&
		(f.Tx == "" || e.Tx == f.Tx || strings.HasSuffix(e.Tx, "-"+f.Tx)) &&
		strings.HasPrefix(string(e.Code), string(f.Code))
}

// last keeps what f.Last asks for.
func (f Filter) last(es []Entry) []Entry {
	if f.Last > 0 && len(es) > f.Last {
		es = es[len(es)-f.Last:]
	}
	return es
}

// Read picks entries from the files of a journal, oldest first, without the
// program that writes them. Torn and foreign lines are skipped.
func Read(path string, f Filter) ([]Entry, error) {
	es, err := read(path, f)
	return f.last(es), err
}

func read(path string, f Filter) (es []Entry, err error) {
	for _, name := range []string{path + ".1", path} {
		r, oerr := os.Open(name)
		if oerr != nil {
			if !os.IsNotExist(oerr) {
				err = oerr
			}
			continue
		}
		readLines(r, func(e Entry) {
			if !f.fits(e) {
				return
			}
			if f.Last > 0 && len(es) >= 2*f.Last+64 {
				es = append(es[:0], f.last(es)...)
			}
			es = append(es, e)
		})
		r.Close()
	}
	return es, err
}

// Query picks entries, oldest first: from the files, and from memory what has
// not reached them.
func (j *Journal) Query(f Filter) ([]Entry, error) {
	if j == nil {
		return nil, nil
	}
	// Memory first: what leaves it meanwhile is in the file by then.
	j.mu.Lock()
	ring := slices.Clone(j.ring)
	j.mu.Unlock()
	es, err := read(j.o.Path, f)
	seen := make(map[uint64]bool, len(ring))
	for _, e := range es[max(0, len(es)-2*len(ring)):] {
		seen[e.Seq] = true
	}
	for _, e := range ring {
		if f.fits(e) && !seen[e.Seq] {
			es = append(es, e)
		}
	}
	slices.SortStableFunc(es, func(a, b Entry) int { return cmp.Compare(a.Seq, b.Seq) })
	return f.last(es), err
}

// Follow gives what Query gives, then each new entry, until fn fails or ctx
// ends (nil). An entry that came too fast for fn is read from the file.
func (j *Journal) Follow(ctx context.Context, f Filter, fn func(Entry) error) error {
	if j == nil {
		<-ctx.Done()
		return nil
	}
	for {
		j.mu.Lock()
		wake, newest := j.wake, j.seq
		var es []Entry
		ring := f.Last == 0 && len(j.ring) > 0 && j.ring[0].Seq <= f.AfterSeq+1
		if ring {
			es = slices.Clone(j.ring)
		}
		j.mu.Unlock()
		if !ring {
			var err error
			if es, err = j.Query(f); err != nil {
				return err
			}
		}
		f.Last = 0
		for _, e := range es {
			if !f.fits(e) {
				continue
			}
			if err := fn(e); err != nil {
				return err
			}
			f.AfterSeq = e.Seq
		}
		f.AfterSeq = max(f.AfterSeq, newest)
		select {
		case <-wake:
		case <-ctx.Done():
			return nil
		}
	}
}
