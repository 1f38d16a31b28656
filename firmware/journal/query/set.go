package query

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/segment"
	"swipewell/firmware/journal/shelf"
)

// Stream is a row of segments in the order of their entries.
type Stream interface {
	Segments() []segment.Meta
	Open(name string) (segment.File, io.Closer, error)
}

// Folder is the stream in a folder, as it was when it was opened.
type Folder struct {
	dir  string
	segs []segment.Meta
}

// OpenFolder reads what a folder has; one that is not there is empty.
func OpenFolder(dir string) (Folder, error) {
	segs, err := shelf.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return Folder{dir, segs}, err
}

// Segments are those of the folder.
func (f Folder) Segments() []segment.Meta { return f.segs }

// Open opens one.
func (f Folder) Open(name string) (segment.File, io.Closer, error) {
	r, err := os.Open(filepath.Join(f.dir, name))
	return r, r, err
}

// Live is the stream of a shelf that is being written.
type Live struct {
	*shelf.Shelf
	Dir string
}

// Open opens one.
func (l Live) Open(name string) (segment.File, io.Closer, error) {
	r, err := os.Open(filepath.Join(l.Dir, name))
	return r, r, err
}

// Set is a journal: its streams.
type Set []Stream

// job is one segment that may have something.
type job struct {
	s Stream
	m segment.Meta
}

func (s Set) jobs(st Stream, p *plan) (js []job) {
	w := p.want()
	for _, m := range st.Segments() {
		if m.Count == 0 && m.Closed || m.Last <= p.AfterSeq || m.Count > 0 && (w.To != 0 && m.From > w.To || m.To < w.From || w.Levels != 0 && m.Levels&w.Levels == 0) {
			continue
		}
		js = append(js, job{st, m})
	}
	return js
}

// Each calls fn for each entry that fits, the oldest first, until fn returns
// false. What is damaged is passed over: package verify names it.
func (s Set) Each(f Filter, fn func(*entry.Entry) bool) error {
	p, err := s.plan(f)
	if err != nil {
		return err
	}
	if f.Last > 0 {
		es, err := s.last(p, f.Last)
		for i := range es {
			if !fn(&es[i]) {
				break
			}
		}
		return err
	}
	quit := make(chan struct{})
	defer close(quit)
	var ins []<-chan []entry.Entry
	for _, st := range s {
		ins = append(ins, run(s.jobs(st, p), p, 0, quit))
	}
	heads := make([][]entry.Entry, len(ins))
	for {
		best := -1
		for i, in := range ins {
			for len(heads[i]) == 0 && in != nil {
				es, ok := <-in
				if !ok {
					ins[i], in = nil, nil
				}
				heads[i] = es
			}
			if len(heads[i]) > 0 && (best < 0 || heads[i][0].Seq < heads[best][0].Seq) {
				best = i
			}
		}
		if best < 0 {
			return nil
		}
		if !fn(&heads[best][0]) {
			return nil
		}
		heads[best] = heads[best][1:]
	}
}

// All is Each in a slice.
func (s Set) All(f Filter) (es []entry.Entry, err error) {
	err = s.Each(f, func(e *entry.Entry) bool { es = append(es, *e); return true })
	return es, err
}

// last goes from the youngest segment back until it has enough.
func (s Set) last(p *plan, n int) ([]entry.Entry, error) {
	var out []entry.Entry
	for _, st := range s {
		js := s.jobs(st, p)
		slices.Reverse(js)
		quit := make(chan struct{})
		have := 0
		for es := range run(js, p, n, quit) {
			out = append(out, es...)
			if have += len(es); have >= n {
				break
			}
		}
		close(quit)
	}
	slices.SortStableFunc(out, func(a, b entry.Entry) int { return cmp.Compare(a.Seq, b.Seq) })
	return out[max(0, len(out)-n):], nil
}

// plan makes a filter ready; a counted boot and a card need a look at the journal.
func (s Set) plan(f Filter) (*plan, error) {
	p, err := f.plan()
	if err != nil {
		return nil, err
	}
	if n, err := strconv.Atoi(f.Boot); err == nil && n <= 0 && len(f.Boot) < 5 {
		boots := s.Boots()
		if i := len(boots) - 1 + n; i >= 0 {
			p.boot = boots[i].ID
		} else {
			p.boot = "none"
		}
	}
	if f.Card != "" {
		q := &plan{Filter: Filter{Card: f.Card}, needles: [][]byte{[]byte(f.Card)}}
		p.txs = map[string]bool{}
		for _, st := range s {
			for es := range run(s.jobs(st, q), q, 0, nil) {
				for _, e := range es {
					if e.Tx != "" {
						p.txs[e.Tx] = true
					}
				}
			}
		}
	}
	return p, nil
}
