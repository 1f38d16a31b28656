// Package powercut proves what a power cut leaves: it records every write and
// sync of the real posd's data folder, with what the host had booked and the
// customer been told by then, makes the disks that a cut at any moment could
// leave, and holds each against the host's books.
//
// Sources:
//   - BBOLT: go.etcd.io/bbolt v1.5.0
//   - POSIX: fsync(2), rename(2): what is durable, and when
//   - ALICE: "All File Systems Are Not Created Equal", OSDI 2014: which states a cut can leave
//
// The disk that is assumed: what was written to a file is on it after a later
// sync of that file; before, any subset of the writes may be, in any order,
// each torn between sectors of 512 bytes. Names (create, rename, unlink) are on
// it in their order: all up to the last sync of their folder, and any number of
// the ones behind. A recording runs in real time: a seed gives the same faults,
// not the same bytes.
package powercut

import "sync"

// OpKind is what was done to the disk.
type OpKind uint8

const (
	OpCreate OpKind = iota
	OpWrite
	OpTruncate
	OpSync // of a file
	OpRename
	OpUnlink
	OpSyncDir
)

// Op is one of them. Paths are relative to the folder.
type Op struct {
	Kind OpKind
	Path string
	To   string // OpRename
	Off  int64
	Data []byte // OpWrite
	Size int64  // OpTruncate
	Fact int    // index of the facts that held before it was done
}

// Log is a recording.
type Log struct {
	mu    sync.Mutex
	Ops   []Op
	Facts []Facts
	facts func() Facts
	skip  func(path string) bool
	Syncs int // OpSync among them
}

// add notes an op before it is done, with what is true of the world then: a cut
// may come between the two.
func (l *Log) add(op Op) {
	if l.skip(op.Path) {
		return
	}
	f := l.facts()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.Facts) == 0 || !l.Facts[len(l.Facts)-1].same(f) {
		l.Facts = append(l.Facts, f)
	}
	op.Fact = len(l.Facts) - 1
	if op.Kind == OpSync {
		l.Syncs++
	}
	l.Ops = append(l.Ops, op)
}
