package journal

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"

	"swipewell/firmware/journal/query"
)

// Filter picks entries.
type Filter = query.Filter

// Read picks entries from a journal's folder, oldest first, without the
// program that writes it.
func Read(dir string, f Filter) ([]Entry, error) {
	s, err := Folder(dir)
	if err != nil {
		return nil, err
	}
	return s.All(f)
}

// Folder opens a journal's folder for reading.
func Folder(dir string) (query.Set, error) {
	var s query.Set
	for _, name := range StreamNames {
		st, err := query.OpenFolder(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		s = append(s, st)
	}
	return s, nil
}

// Set is the journal's files, as they are now.
func (j *Journal) Set() (s query.Set) {
	if j == nil {
		return nil
	}
	for i, sh := range j.shelves {
		s = append(s, query.Live{Shelf: sh, Dir: filepath.Join(j.o.Dir, StreamNames[i])})
	}
	return s
}

// Query picks entries, oldest first: from the files, and from memory what has
// not reached them.
func (j *Journal) Query(f Filter) ([]Entry, error) {
	if j == nil {
		return nil, nil
	}
	if f.Boot == "0" {
		f.Boot = j.boot
	}
	fits, err := f.Matcher()
	if err != nil {
		return nil, err
	}
	// Memory first: what leaves it meanwhile is in the file by then.
	j.mu.Lock()
	ring := slices.Clone(j.ring)
	j.mu.Unlock()
	var es []Entry
	if f.Card != "" {
		if err := j.Sync(false); err != nil { // which transactions are the card's, the files tell
			return nil, err
		}
	}
	es, err = j.Set().All(f)
	if f.Card != "" {
		return es, err
	}
	seen := make(map[uint64]bool, len(ring))
	for _, e := range es[max(0, len(es)-2*len(ring)):] {
		seen[e.Seq] = true
	}
	more := false
	for i := range ring {
		if fits(&ring[i]) && !seen[ring[i].Seq] {
			es, more = append(es, ring[i]), true
		}
	}
	if more {
		slices.SortStableFunc(es, func(a, b Entry) int { return cmp.Compare(a.Seq, b.Seq) })
	}
	if f.Last > 0 && len(es) > f.Last {
		es = es[len(es)-f.Last:]
	}
	return es, err
}

// Empty tells which condition of a query that found nothing was in the way.
func (j *Journal) Empty(f Filter) string {
	if j == nil {
		return ""
	}
	j.Sync(false) // what cannot be written is not looked for
	return j.Set().Empty(f)
}

// Follow gives what Query gives, then each new entry, until fn fails or ctx
// ends (nil). An entry that came too fast for fn is read from the file.
func (j *Journal) Follow(ctx context.Context, f Filter, fn func(Entry) error) error {
	if j == nil {
		<-ctx.Done()
		return nil
	}
	if f.Boot == "0" {
		f.Boot = j.boot
	}
	for {
		fits, err := f.Matcher()
		if err != nil {
			return err
		}
		j.mu.Lock()
		j.awaited = true
		wake, newest := j.wake, j.seq
		var es []Entry
		ring := f.Last == 0 && f.Card == "" && len(j.ring) > 0 && j.ring[0].Seq <= f.AfterSeq+1
		if ring {
			i, _ := slices.BinarySearchFunc(j.ring, f.AfterSeq+1, func(e Entry, n uint64) int { return cmp.Compare(e.Seq, n) })
			es = slices.Clone(j.ring[i:])
		}
		j.mu.Unlock()
		if !ring {
			if es, err = j.Query(f); err != nil {
				return err
			}
		}
		f.Last = 0
		for i := range es {
			if ring && !fits(&es[i]) {
				continue
			}
			if err := fn(es[i]); err != nil {
				return err
			}
			f.AfterSeq = es[i].Seq
		}
		f.AfterSeq = max(f.AfterSeq, newest)
		select {
		case <-wake:
		case <-ctx.Done():
			return nil
		}
	}
}
