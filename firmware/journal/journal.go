package journal

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"swipewell/hal"
	"swipewell/ui/prompt"
)

// Opts of a journal.
type Opts struct {
	Path     string     // of the file; the one before it is Path + ".1"
	MaxBytes int64      // of one file; 0 means 4 MiB. Both together are the bound.
	Clock    hal.Clock  // nil means the machine's
	Mirror   io.Writer  // gets every line, too (standard error); may be nil
	Level    slog.Level // lines of Handler below it are not kept; zero is Info
	Queue    int        // lines that may wait for the disk; 0 means 512
}

// Journal keeps events. A nil *Journal takes them and keeps nothing.
type Journal struct {
	o    Opts
	boot string

	mu      sync.Mutex
	seq     uint64 // last given
	base    time.Duration
	start   hal.Instant
	ring    []Entry       // the youngest, for followers and for a disk that is full
	wake    chan struct{} // closed and replaced at each entry
	closed  bool
	queue   chan []byte
	done    chan struct{}
	dropped atomic.Uint64 // since the start
	owed    atomic.Uint64 // lines dropped that the file does not tell of yet

	// Owned by the writer.
	file *os.File
	size int64
	torn bool // the last line in the file has no end
}

// keep is how many of the youngest entries stay in memory at least: those that
// the writer may not have put into the file yet, and one page for followers.
func (j *Journal) keep() int { return cap(j.queue) + 128 }

// Open opens or makes the journal. It is usable even if err is not nil: then
// lines go to the mirror, and to the file as soon as it can be opened.
func Open(o Opts) (*Journal, error) {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 4 << 20
	}
	if o.Clock == nil {
		o.Clock = hal.SystemClock{}
	}
	if o.Queue <= 0 {
		o.Queue = 512
	}
	var id [4]byte
	rand.Read(id[:])
	j := &Journal{o: o, boot: hex.EncodeToString(id[:]), start: o.Clock.Now(), wake: make(chan struct{}),
		queue: make(chan []byte, o.Queue), done: make(chan struct{})}
	j.seq = max(lastSeq(o.Path), lastSeq(o.Path+".1"))
	err := j.openFile()
	go j.write()
	return j, err
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

// BootID names this start of the program in every line.
func (j *Journal) BootID() string { return j.boot }

// Dropped is how many lines could not be kept since the start.
func (j *Journal) Dropped() uint64 {
	if j == nil {
		return 0
	}
	return j.dropped.Load()
}

// Record keeps an event. It never blocks.
func (j *Journal) Record(e Event) {
	if j == nil {
		return
	}
	fields := make([]Pair, 0, len(e.Fields))
	for _, f := range e.Fields {
		if f.val != nil {
			fields = append(fields, Pair{clip(word(f.key), 32), f.val})
		}
	}
	j.add(Entry{Level: e.Level.String(), Code: e.Code, Source: clip(word(e.Source), 48), Tx: clip(word(e.Tx), 80), Fields: fields})
}

// add stamps an entry and hands it to the writer.
func (j *Journal) add(e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		j.dropped.Add(1)
		return
	}
	raw, err := json.Marshal(j.stamp(&e))
	if err != nil {
		j.dropped.Add(1)
		return
	}
	if len(j.ring) == 2*j.keep() {
		j.ring = append(j.ring[:0], j.ring[j.keep():]...)
	}
	j.ring = append(j.ring, e)
	close(j.wake)
	j.wake = make(chan struct{})
	select {
	case j.queue <- append(raw, '\n'):
	default:
		j.dropped.Add(1)
		j.owed.Add(1)
	}
}

// stamp gives an entry its number and times; the caller holds mu.
func (j *Journal) stamp(e *Entry) *Entry {
	now := j.o.Clock.Now()
	j.seq++
	e.Seq, e.Boot, e.Wall, e.Up = j.seq, j.boot, now.Wall, now.Boot-j.start.Boot
	e.Logical = j.base + e.Up
	return e
}

// Close writes what waits and closes the file.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	close(j.queue)
	j.mu.Unlock()
	<-j.done
	if j.file == nil {
		return nil
	}
	return errors.Join(j.file.Sync(), j.file.Close())
}

// write is the one writer.
func (j *Journal) write() {
	defer close(j.done)
	for raw := range j.queue {
		if j.o.Mirror != nil {
			j.o.Mirror.Write(raw)
		}
		if owed := j.owed.Load(); owed > 0 && j.put(j.notice(owed)) {
			j.owed.Add(-owed)
		}
		if !j.put(raw) {
			j.dropped.Add(1)
			j.owed.Add(1)
		}
	}
}

// notice is the line that tells of lines that are missing.
func (j *Journal) notice(n uint64) []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := Entry{Level: slog.LevelWarn.String(), Code: prompt.LogMessage, Source: "journal", Msg: "lines dropped", Fields: []Pair{{"n", int64(n)}}}
	raw, err := json.Marshal(j.stamp(&e))
	if err != nil {
		return nil
	}
	return append(raw, '\n')
}

// put appends one line; false if it is not in the file whole.
func (j *Journal) put(raw []byte) bool {
	if j.file == nil && j.openFile() != nil {
		return false
	}
	if j.size+int64(len(raw)) > j.o.MaxBytes && j.size > 0 {
		if j.rotate() != nil && j.size > 2*j.o.MaxBytes {
			return false // it cannot be renamed: the bound comes first
		}
		if j.file == nil {
			return false
		}
	}
	if j.torn {
		raw = append([]byte{'\n'}, raw...)
	}
	n, err := j.file.Write(raw)
	j.size += int64(n)
	if n > 0 {
		j.torn = raw[n-1] != '\n'
	}
	return err == nil
}

func (j *Journal) rotate() error {
	if err := os.Rename(j.o.Path, j.o.Path+".1"); err != nil {
		return err
	}
	j.file.Close()
	j.file = nil
	return j.openFile()
}

// openFile opens the file for appending. A last line that a power cut tore
// gets its end with the next write.
func (j *Journal) openFile() error {
	f, err := os.OpenFile(j.o.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	j.file, j.size, j.torn = f, st.Size(), false
	if j.size > 0 {
		var last [1]byte
		_, err := f.ReadAt(last[:], j.size-1)
		j.torn = err != nil || last[0] != '\n'
	}
	return nil
}

// lastSeq is the highest number near the end of a file, 0 if there is none.
func lastSeq(path string) (seq uint64) {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	const tail = 256 << 10
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() { // a device may give bytes without end
		return 0
	}
	if st.Size() > tail {
		f.Seek(-tail, io.SeekEnd)
	}
	readLines(f, func(e Entry) { seq = max(seq, e.Seq) })
	return seq
}

// readLines gives each line that parses; the others are torn, and skipped.
func readLines(r io.Reader, fn func(Entry)) {
	br := bufio.NewReaderSize(r, 64<<10)
	for {
		raw, err := br.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull): // no line of ours is so long
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = br.ReadSlice('\n')
			}
		case len(bytes.TrimSpace(raw)) > 0:
			var e Entry
			if json.Unmarshal(raw, &e) == nil && e.Seq > 0 {
				fn(e)
			}
		}
		if err != nil {
			return
		}
	}
}
