package journal

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/shelf"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// graveMost is how many entries of WARN and ERROR wait in memory for a disk
// that takes nothing.
const graveMost = 1024

// writer is the one goroutine that writes.
type writer struct {
	j       *Journal
	pend    [streams][]Entry
	tick    chan struct{}
	armed   bool
	stop    func() bool
	err     error
	day     int64 // by logical time
	dayFrom int64 // written before it
	lastDay int64 // written in the day before it, if the program ran then
	told    bool
	stats   atomic.Pointer[Stats]
	anchors atomic.Pointer[[]Anchor]
}

// Anchor is the last checkpoint of a stream, for whoever keeps it outside.
type Anchor struct {
	Stream string
	shelf.Anchor
}

// Stats tells what a journal holds and costs.
type Stats struct {
	Seq      uint64                 `json:"seq"`
	Dropped  uint64                 `json:"dropped"`
	Written  int64                  `json:"written"`   // bytes to disk since the start
	Today    int64                  `json:"today"`     // of these, in this day of logical time
	LastDay  int64                  `json:"last_day"`  // in the last whole day since the start
	DayBytes int64                  `json:"day_bytes"` // the budget; 0: none
	Held     uint64                 `json:"held"`      // entries held back since the start: their source said too much
	Streams  map[string]shelf.Stats `json:"streams"`
}

func (w *writer) init(j *Journal) {
	w.j, w.tick = j, make(chan struct{}, 1)
	w.publish()
}

// write is the writer's life.
func (j *Journal) write() {
	w := &j.w
	defer close(j.done)
	for _, s := range j.shelves {
		w.err = errors.Join(w.err, s.Tidy())
	}
	w.err = nil // what cannot be packed stays as it is
	for {
		select {
		case it, ok := <-j.queue:
			if !ok {
				w.finish()
				return
			}
			w.take(it)
		case <-w.tick:
			w.armed = false
			w.flush(true)
		case call := <-j.calls:
			for n := len(j.queue); n > 0; n-- {
				if it, ok := <-j.queue; ok {
					w.take(it)
				}
			}
			w.flush(true)
			call()
		}
	}
}

func (w *writer) take(it item) {
	if w.j.o.Mirror != nil {
		e := it.e // a copy that escapes only here
		mirror(w.j.o.Mirror, &e)
	}
	at := lower
	if entry.Level(it.e.Level) >= slog.LevelWarn {
		at = grave
	}
	w.pend[at] = append(w.pend[at], it.e)
	switch {
	case it.now:
		w.flush(true)
	case len(w.pend[lower]) >= batchMost || len(w.pend[grave]) >= batchMost && len(w.pend[grave])%batchMost == 0:
		w.flush(false)
	}
	if !it.now && !w.armed {
		w.armed = true
		w.stop = hal.SystemClock{}.AfterFunc(w.j.o.Flush, func() {
			select {
			case w.tick <- struct{}{}:
			default:
			}
		})
	}
}

// flush writes what waits; with sync it is on disk then.
func (w *writer) flush(sync bool) {
	j := w.j
	now := j.o.Clock.Now()
	for at, s := range j.shelves {
		if owed := j.owed.Load(); at == grave && owed > 0 {
			w.pend[grave] = append(w.pend[grave], w.notice(slog.LevelWarn, "lines dropped", "n", int64(owed)))
			if w.append(s, at, now.Wall, sync) {
				j.owed.Add(-owed)
			} else if n := len(w.pend[grave]); n > 0 {
				w.pend[grave] = w.pend[grave][:n-1]
			}
			continue
		}
		w.append(s, at, now.Wall, sync)
	}
	w.budget()
	w.publish()
}

// append writes one stream's; false: the disk took nothing.
func (w *writer) append(s *shelf.Shelf, at int, now time.Time, sync bool) bool {
	if err := s.Append(w.pend[at], now, sync); err != nil {
		lose := len(w.pend[at])
		if at == grave { // they wait for room; only the oldest of too many are lost
			lose = max(0, lose-graveMost)
		}
		w.pend[at] = append(w.pend[at][:0], w.pend[at][lose:]...)
		w.j.dropped.Add(uint64(lose))
		w.j.owed.Add(uint64(lose))
		return false
	}
	clear(w.pend[at])
	w.pend[at] = w.pend[at][:0]
	return true
}

// notice is an entry that the writer itself makes.
func (w *writer) notice(l slog.Level, msg, key string, n int64) Entry {
	j := w.j
	j.mu.Lock()
	defer j.mu.Unlock()
	now := j.o.Clock.Now()
	j.seq++
	return Entry{Seq: j.seq, Boot: j.boot, Wall: now.Wall.Truncate(time.Millisecond), Up: (now.Boot - j.start.Boot).Truncate(time.Millisecond),
		Logical: (j.base + now.Boot - j.start.Boot).Truncate(time.Millisecond), Level: l.String(), Code: prompt.LogMessage, Source: "journal", Msg: msg, Fields: []Pair{{Key: key, Value: n}}}
}

// budget counts a day's bytes, and tells once of a day that has too many.
func (w *writer) budget() {
	j := w.j
	written := w.written()
	j.mu.Lock()
	day := int64((j.base + j.o.Clock.Now().Boot - j.start.Boot) / (24 * time.Hour))
	j.mu.Unlock()
	if day != w.day {
		if w.lastDay = 0; day == w.day+1 {
			w.lastDay = written - w.dayFrom
		}
		w.day, w.dayFrom, w.told = day, written, false
	}
	if b := j.o.DayBytes; b > 0 && written-w.dayFrom > b && !w.told {
		w.told = true
		w.pend[grave] = append(w.pend[grave], w.notice(slog.LevelWarn, "more written today than the board allows", "bytes", written-w.dayFrom))
	}
}

func (w *writer) written() (n int64) {
	for _, s := range w.j.shelves {
		n += s.Stats().Written
	}
	return n
}

// publish shows readers what the writer knows.
func (w *writer) publish() {
	st := Stats{Dropped: w.j.dropped.Load(), DayBytes: w.j.o.DayBytes, Streams: map[string]shelf.Stats{}}
	var as []Anchor
	for i, s := range w.j.shelves {
		ss := s.Stats()
		st.Streams[StreamNames[i]] = ss
		st.Written += ss.Written
		if a, ok := s.Anchor(); ok {
			as = append(as, Anchor{StreamNames[i], a})
		}
	}
	st.Today, st.LastDay = st.Written-w.dayFrom, w.lastDay
	w.stats.Store(&st)
	w.anchors.Store(&as)
}

func (w *writer) finish() {
	if w.stop != nil {
		w.stop()
	}
	w.flush(false)
	w.flush(true) // what the first said itself
	for i, s := range w.j.shelves {
		if n := len(w.pend[i]); n > 0 {
			w.j.dropped.Add(uint64(n))
		}
		w.err = errors.Join(w.err, s.Close())
	}
	w.publish()
}

// Stats tells what the journal holds and costs.
func (j *Journal) Stats() (st Stats) {
	if j == nil {
		return st
	}
	st = *j.w.stats.Load()
	j.mu.Lock()
	st.Seq, st.Held = j.seq, j.held
	j.mu.Unlock()
	return st
}

// Anchors are the last checkpoints that are on disk: whoever can keep them with
// money keeps the journal's end from being cut off unseen.
func (j *Journal) Anchors() []Anchor {
	if j == nil {
		return nil
	}
	return *j.w.anchors.Load()
}

// Sync has all that was recorded on disk when it returns; with seal it is signed, too.
func (j *Journal) Sync(seal bool) error {
	if j == nil {
		return nil
	}
	var err error
	done := make(chan struct{})
	call := func() {
		for _, s := range j.shelves {
			if seal {
				err = errors.Join(err, s.Checkpoint())
			}
		}
		j.w.publish()
		close(done)
	}
	select {
	case j.calls <- call:
		<-done
	case <-j.done:
	}
	return err
}
