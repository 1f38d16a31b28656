package journal

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/shelf"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// Entry is one entry of the journal; Pair one of its fields.
type (
	Entry = entry.Entry
	Pair  = entry.Pair
)

// Opts of a journal.
type Opts struct {
	Dir      string
	MaxBytes int64      // of all files; 0 means 16 MiB: three quarters for entries below WARN, the rest for the others
	Clock    hal.Clock  // nil means the machine's
	Mirror   io.Writer  // gets every entry as a line of JSON, too (standard error); may be nil
	Level    slog.Level // lines of Handler below it are not kept; zero is Info
	Queue    int        // entries that may wait for the writer; 0 means 512
	// Age is how long entries below WARN are kept, Grave how long the others;
	// 0 means 90 days and a year.
	Age, Grave time.Duration
	// Rate is how many entries a source may make in a second, in the long run, and ten times
	// as many at once; what is over is counted and told of. 0 means 200, below 0 no bound.
	Rate int
	// DayBytes is what a day may write to the disk; one that writes more is told of. 0: no budget.
	DayBytes int64
	// Open tells the transactions whose money is not settled: their entries stay.
	// False: it is not known yet, and nothing is taken away before twice the bound.
	Open func() ([]string, bool)
	// Flush is the longest that an entry waits for the disk: real time, since
	// it is real power that fails. 0 means 2 s.
	Flush  time.Duration
	NoSync bool // training, tests: nobody waits for the disk
	// First is called before Open records anything: a crash of the life before is the first entry.
	First func(*Journal)
}

// Streams of a journal: folders of it.
const (
	lower = iota // below WARN
	grave        // WARN and ERROR: their own bounds, their own room on a full disk
	streams
)

// StreamNames are the folders.
var StreamNames = [streams]string{"info", "warn"}

// batchMost is how many entries a batch has at most.
const batchMost = 256

// Journal keeps events. A nil *Journal takes them and keeps nothing.
type Journal struct {
	o    Opts
	boot string

	mu      sync.Mutex
	seq     uint64 // last given
	base    time.Duration
	start   hal.Instant
	offset  time.Duration // of the wall clock to boottime, at the last entry
	ring    []Entry       // the youngest, for followers and for a disk that is full
	wake    chan struct{} // closed and replaced at each entry
	awaited bool          // somebody has the channel
	buckets map[string]*bucket
	held    uint64 // entries held back since the start
	ref     *refKey
	closed  bool
	queue   chan item
	calls   chan func() // for the writer, after what is queued
	done    chan struct{}
	dropped atomic.Uint64 // since the start
	owed    atomic.Uint64 // dropped, and not told of yet

	shelves [streams]*shelf.Shelf
	w       writer
}

// item is an entry for the writer; now: it does not wait for others.
type item struct {
	e   Entry
	now bool
}

// keep is how many of the youngest entries stay in memory at least: those that
// the writer may not have put on disk yet, and one page for followers.
func (j *Journal) keep() int { return cap(j.queue) + batchMost + 128 }

// Open opens or makes the journal. It is usable even if err is not nil: then
// entries go to the mirror, and to disk as soon as it can be written.
func Open(o Opts) (*Journal, error) {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 16 << 20
	}
	if o.Clock == nil {
		o.Clock = hal.SystemClock{}
	}
	if o.Queue <= 0 {
		o.Queue = 512
	}
	if o.Age == 0 {
		o.Age = 90 * 24 * time.Hour
	}
	if o.Grave == 0 {
		o.Grave = 365 * 24 * time.Hour
	}
	if o.Rate == 0 {
		o.Rate = 200
	}
	if o.Flush <= 0 {
		o.Flush = 2 * time.Second
	}
	var id [4]byte
	rand.Read(id[:])
	now := o.Clock.Now()
	j := &Journal{o: o, boot: hex.EncodeToString(id[:]), start: now, offset: now.Wall.Sub(time.Unix(0, 0)) - now.Boot, wake: make(chan struct{}),
		queue: make(chan item, o.Queue), calls: make(chan func()), done: make(chan struct{}), buckets: map[string]*bucket{}}
	var first error
	var founds [streams]shelf.Found
	for i, name := range StreamNames {
		so := shelf.Opts{Dir: filepath.Join(o.Dir, name), MaxBytes: o.MaxBytes * 3 / 4, MaxAge: o.Age, Open: o.Open, NoSync: o.NoSync,
			Now: func() time.Time { return o.Clock.Now().Wall }}
		if i == grave {
			so.MaxBytes, so.MaxAge, so.Reserve = o.MaxBytes/4, o.Grave, min(256<<10, o.MaxBytes/16)
		}
		var err error
		j.shelves[i], founds[i], err = shelf.Open(so)
		if err != nil && first == nil {
			first = err
		}
		j.seq = max(j.seq, founds[i].Last)
	}
	j.w.init(j)
	if o.First != nil {
		o.First(j)
	}
	for i, f := range founds {
		j.tellFound(StreamNames[i], f)
	}
	go j.write()
	return j, first
}

// tellFound records what an opening found: a cut of the power, or of the file.
func (j *Journal) tellFound(stream string, f shelf.Found) {
	switch {
	case f.New:
	case f.KeyLost:
		j.notice(slog.LevelError, "key-lost", Word("stream", stream), Count("after", int(f.Last)))
	case f.Cut > 0:
		j.notice(slog.LevelError, "cut", Word("stream", stream), Count("after", int(f.Last)), Count("checkpoints", int(f.Cut)))
	case f.Unclean && stream == StreamNames[lower]: // a life is one, whatever its streams
		j.notice(slog.LevelInfo, "unclean-end", Word("stream", stream), Count("after", int(f.Last)), Count("torn", int(f.Torn)))
	}
}

// notice is an entry of the journal about itself.
func (j *Journal) notice(l slog.Level, what string, fields ...Field) {
	j.Record(Event{Code: prompt.LogJournal, Level: l, Source: "journal", Fields: append([]Field{Word("what", what)}, fields...)})
}

// SetLogical says that the device's logical time was base at the instant at.
// Until then logical time is the time since Open.
func (j *Journal) SetLogical(base time.Duration, at hal.Instant) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.base = base - (at.Boot - j.start.Boot)
}

// BootID names this start of the program in every entry.
func (j *Journal) BootID() string { return j.boot }

// Dropped is how many entries could not be kept since the start.
func (j *Journal) Dropped() uint64 {
	if j == nil {
		return 0
	}
	return j.dropped.Load()
}

// Waiting is how many entries the writer has not taken yet.
func (j *Journal) Waiting() int { return len(j.queue) }

// urgent entries go to disk at once: errors, and those of a money commit.
func urgent(e *Entry) bool {
	switch e.Code {
	case prompt.LogIntent, prompt.LogOutcome, prompt.LogReversed:
		return true
	}
	return entry.Level(e.Level) >= slog.LevelError
}

// Record keeps an event. It never blocks.
func (j *Journal) Record(e Event) {
	if j == nil {
		return
	}
	fields := make([]Pair, 0, len(e.Fields))
	for _, f := range e.Fields {
		if f.val != nil {
			fields = append(fields, Pair{Key: clip(word(f.key), 32), Value: f.val})
		}
	}
	j.add(Entry{Level: e.Level.String(), Code: e.Code, Source: clip(word(e.Source), 48), Tx: clip(word(e.Tx), 80), Fields: fields})
}

// RecordCard says that a transaction is a card's. It takes nothing beside:
// the card's name is never in one entry with its masked number.
func (j *Journal) RecordCard(tx string, r Ref) {
	if j == nil || r == (Ref{}) {
		return
	}
	j.add(Entry{Level: slog.LevelInfo.String(), Code: prompt.LogCardRef, Source: "card", Tx: clip(word(tx), 80), Ref: r.String()})
}

// Ref is a card's name in the journal: a keyed hash in the journal's own scope,
// under a key that lives 90 days.
type Ref [8]byte

// String is its form in entries and for --card.
func (r Ref) String() string { return "j." + hex.EncodeToString(r[:]) }

// add stamps an entry and hands it to the writer.
func (j *Journal) add(e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		j.dropped.Add(1)
		return
	}
	now := j.o.Clock.Now()
	j.stepped(now)
	if j.limited(&e, now) {
		return
	}
	j.push(e, now)
}

// push gives an entry its number and times and queues it; the caller holds mu.
func (j *Journal) push(e Entry, now hal.Instant) {
	j.seq++
	e.Seq, e.Boot, e.Wall, e.Up = j.seq, j.boot, now.Wall.Truncate(time.Millisecond), (now.Boot - j.start.Boot).Truncate(time.Millisecond)
	e.Logical = (j.base + now.Boot - j.start.Boot).Truncate(time.Millisecond)
	if len(j.ring) == 2*j.keep() {
		n := copy(j.ring, j.ring[j.keep():])
		clear(j.ring[n:])
		j.ring = j.ring[:n]
	}
	j.ring = append(j.ring, e)
	if j.awaited {
		close(j.wake)
		j.wake, j.awaited = make(chan struct{}), false
	}
	select {
	case j.queue <- item{e: e, now: urgent(&e)}:
	default:
		j.dropped.Add(1)
		j.owed.Add(1)
	}
}

// Close writes what waits and closes the files.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	now := j.o.Clock.Now()
	for source, b := range j.buckets {
		if b.held > 0 {
			j.push(heldBack(source, b.held), now)
		}
	}
	j.closed = true
	close(j.queue)
	j.mu.Unlock()
	<-j.done
	return j.w.err
}

// mirror writes an entry's line.
func mirror(w io.Writer, e *Entry) {
	if raw, err := json.Marshal(e); err == nil {
		w.Write(append(raw, '\n'))
	}
}
