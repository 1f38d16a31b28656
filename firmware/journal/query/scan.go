package query

import (
	"bytes"
	"os"
	"runtime"
	"slices"
	"sync"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/segment"
)

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
