package query

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

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

// run reads segments, as many at a time as there are processors, and gives
// what fits in the segments' order. last > 0: only so many of each, the youngest.
func run(js []job, p *plan, last int, quit <-chan struct{}) <-chan []entry.Entry {
	workers := max(1, min(runtime.GOMAXPROCS(0), 4))
	slots := make(chan chan []entry.Entry, workers)
	go func() {
		defer close(slots)
		for _, j := range js {
			c := make(chan []entry.Entry, 1)
			select {
			case slots <- c:
			case <-quit:
				return
			}
			go func() { c <- j.read(p, last) }()
		}
	}()
	out := make(chan []entry.Entry)
	go func() {
		defer close(out)
		for c := range slots {
			select {
			case out <- <-c:
			case <-quit:
				return
			}
		}
	}()
	return out
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// read gives what fits of one segment.
func (j job) read(p *plan, last int) (es []entry.Entry) {
	f, c, err := j.s.Open(j.m.Name)
	if err != nil {
		return nil // retention was faster
	}
	defer c.Close()
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	q := *p
	q.found = q.Grep != ""
	var line []byte
	take := func(batch []byte) {
		if !q.mayHold(batch) {
			return
		}
		segment.Records(batch, func(rec []byte, _ [4]byte) bool {
			if !q.mayHold(rec) {
				return true
			}
			if q.found {
				if line = entry.AppendLine(line[:0], rec); !q.grepped(line) {
					return true
				}
			}
			if e, err := entry.Parse(rec); err == nil && q.fits(&e) {
				es = append(es, e)
			}
			return true
		})
	}
	if x := segment.Open(f, j.m.Size); x != nil {
		blocks := x.Pick(p.want())
		if last == 0 {
			for _, b := range blocks {
				if batch, err := segment.ReadBlock(f, b, *buf); err == nil {
					*buf = batch
					take(batch)
				}
			}
			return es
		}
		var parts [][]entry.Entry
		for i := len(blocks) - 1; i >= 0 && last > 0; i-- {
			if batch, err := segment.ReadBlock(f, blocks[i], *buf); err == nil {
				*buf = batch
				es = nil
				take(batch)
				parts, last = append(parts, es), last-len(es)
			}
		}
		slices.Reverse(parts)
		return slices.Concat(parts...)
	}
	size := j.m.Size
	if o, ok := f.(*os.File); ok {
		if st, err := o.Stat(); err == nil {
			size = st.Size() // a live one grew since
		}
	}
	b, err := segment.All(f, size)
	if err != nil {
		return nil
	}
	segment.Scan(b, func(f segment.Frame) bool {
		if f.Kind == segment.Batch {
			if batch, err := f.Payload(nil); err == nil {
				take(batch)
			}
		}
		return true
	})
	return es
}

func (p *plan) mayHold(b []byte) bool {
	for _, n := range p.needles {
		if !bytes.Contains(b, n) {
			return false
		}
	}
	return true
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

// Empty tells, of a query that found nothing, which of its conditions is in the
// way: one that nothing in the journal fits, or the first that leaves nothing of what those before it left.
func (s Set) Empty(f Filter) string {
	type cond struct {
		name string
		put  func(*Filter)
	}
	var cs []cond
	add := func(on bool, name string, put func(*Filter)) {
		if on {
			cs = append(cs, cond{name, put})
		}
	}
	add(f.AfterSeq > 0, "--cursor "+strconv.FormatUint(f.AfterSeq, 10), func(g *Filter) { g.AfterSeq = f.AfterSeq })
	add(!f.Since.IsZero(), "--since "+f.Since.Format("2006-01-02 15:04:05"), func(g *Filter) { g.Since = f.Since })
	add(!f.Until.IsZero(), "--until "+f.Until.Format("2006-01-02 15:04:05"), func(g *Filter) { g.Until = f.Until })
	add(f.Boot != "", "--boot "+f.Boot, func(g *Filter) { g.Boot = f.Boot })
	add(f.Tx != "", "--tx "+f.Tx, func(g *Filter) { g.Tx = f.Tx })
	add(f.Card != "", "--card "+f.Card, func(g *Filter) { g.Card = f.Card })
	add(f.Code != "", "--code "+string(f.Code), func(g *Filter) { g.Code = f.Code })
	add(f.Cause != "", "--cause "+f.Cause, func(g *Filter) { g.Cause = f.Cause })
	add(f.Source != "", "-u "+f.Source, func(g *Filter) { g.Source = f.Source })
	add(f.Level != "", "-p "+strings.ToLower(f.Level), func(g *Filter) { g.Level = f.Level })
	add(f.Grep != "", "--grep "+f.Grep, func(g *Filter) { g.Grep = f.Grep })
	some := func(g Filter) bool {
		g.Last = 1
		es, err := s.All(g)
		return err != nil || len(es) > 0
	}
	if !some(Filter{}) {
		return "the journal is empty"
	}
	for _, c := range cs {
		var g Filter
		if c.put(&g); !some(g) {
			return "nothing fits " + c.name
		}
	}
	var g Filter
	for i, c := range cs {
		if c.put(&g); !some(g) {
			var before []string
			for _, b := range cs[:i] {
				before = append(before, b.name)
			}
			return "nothing of " + strings.Join(before, " ") + " fits " + c.name + " as well"
		}
	}
	return ""
}
