package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"swipewell/firmware/pos"
	"swipewell/hal"
)

// Opts of a store; the zero value serves tests and tools.
type Opts struct {
	// Judge reads an existing file before this process does; see [Judge]. Nil
	// judges in this process, where a damaged file may hang or exhaust it.
	Judge func(ctx context.Context, path string) error
	// FaultFn is asked before each commit: "full", "readonly" and "eio" make it
	// fail with nothing written, anything else lets it pass. Bench only.
	FaultFn func() string
	// Wait is how long a store that another process holds is waited for: that
	// process may be about to end. 0 means 500 ms.
	Wait time.Duration
	// NoSync leaves out every fdatasync: for simulations on a RAM disk, where no
	// power fails. A device never sets it.
	NoSync bool
	// Migrate tells whether a file of an older schema may be brought up to date now;
	// nil: it may. If not, Open gives a *WaitsError and the file is as it was: the
	// build before, which may still be started, reads it.
	Migrate func(have uint32) bool
	// Log is told each commit first; nil: there is none. See [Store.SetLog].
	Log SideLog
}

// Store is an open store. Its methods may be called from several goroutines.
type Store struct {
	mu     sync.Mutex // one commit, check or growth at a time
	db     *bolt.DB
	opts   Opts
	dir    string
	path   string
	id     string
	lock   *os.File
	outbox map[RecordKey]pos.RecordState // what the outbox holds
	armed  int                           // of these, armed
	failed error                         // the commit that failed; nothing more is done

	commits, written atomic.Uint64
}

const (
	idFile    = "store.id"
	cleanFile = "store.clean"
	lockFile  = "store.lock"
)

// openStep is how long one try for a lock waits.
const openStep = 25 * time.Millisecond

// Open opens the store at path ("DIR/state.db"), or makes one if this directory
// never held any. What is wrong with an existing file comes as one of the typed
// errors, and the file is left as it is: there is never a fresh one in its place.
func Open(path string, o Opts) (*Store, error) {
	if o.Wait <= 0 {
		o.Wait = 500 * time.Millisecond
	}
	s := &Store{opts: o, path: path, dir: filepath.Dir(path), outbox: map[RecordKey]pos.RecordState{}}
	if err := s.open(); err != nil {
		if s.db != nil {
			s.db.Close()
		}
		if s.lock != nil {
			s.lock.Close()
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s *Store) open() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return classify(err)
	}
	if err := s.takeLock(); err != nil {
		return err
	}
	clean := false
	switch _, err := os.Lstat(s.path); {
	case errors.Is(err, os.ErrNotExist):
		if _, err := os.Lstat(s.file(idFile)); err == nil {
			return ErrMissing
		} else if !errors.Is(err, os.ErrNotExist) {
			return classify(err)
		}
		if err := s.create(); err != nil {
			return err
		}
		clean = true
	case err != nil:
		return classify(err)
	default:
		if clean, err = s.examine(); err != nil {
			return err
		}
	}
	if err := s.openDB(); err != nil {
		return err
	}
	if err := s.settleID(); err != nil {
		return err
	}
	if err := s.dropMark(); err != nil {
		return err
	}
	if !clean {
		// A killed process may have left a commit in the kernel's memory only:
		// what is acted upon from here must be on the flash first.
		if err := syncFile(s.path); err != nil {
			return err
		}
	}
	s.reserve() // a disk that is full now is Room's to tell
	return nil
}

func (s *Store) file(name string) string { return filepath.Join(s.dir, name) }

// takeLock keeps a second process away from the start, before either judges.
func (s *Store) takeLock() error {
	f, err := os.OpenFile(s.file(lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return classify(err)
	}
	s.lock = f
	for left := s.opts.Wait; ; left -= openStep {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR):
			return classify(err)
		case left <= 0:
			return fmt.Errorf("%w: %s is locked", ErrBusy, lockFile)
		}
		hal.Sleep(context.Background(), hal.SystemClock{}, openStep)
	}
}

// examine judges an existing file; clean tells that it is byte for byte what a
// clean Close left.
func (s *Store) examine() (clean bool, err error) {
	f, err := os.Open(s.path)
	if err != nil {
		return false, classify(err)
	}
	defer f.Close()
	head, err := readHeader(f)
	if err != nil {
		return false, err
	}
	if m, ok := s.readMark(); ok {
		st, err := f.Stat()
		if err != nil {
			return false, classify(err)
		}
		sum, err := sumFile(f, m.Used)
		if err != nil {
			return false, err
		}
		if m.TxID != head.txid || m.Size != st.Size() || m.Sum != sum {
			return false, damaged("changed since it was closed")
		}
		return true, nil
	}
	judge := s.opts.Judge
	if judge == nil {
		judge = func(_ context.Context, path string) error { return judgeFile(path) }
	}
	return false, judge(context.Background(), s.path)
}

// openDB opens the file and reads what must be in memory. A file that got past
// the judge and still makes bbolt panic is damaged, too.
func (s *Store) openDB() (err error) {
	defer recoverDamage(&err)()
	s.db, err = bolt.Open(s.path, 0o600, boltOptions(s.opts.Wait))
	if err != nil {
		return classify(err)
	}
	s.db.NoSync = s.opts.NoSync
	var waits *WaitsError
	if err := migrate(s.db, s.opts.Migrate); errors.As(err, &waits) {
		return err
	} else if err != nil {
		return classify(err)
	}
	return s.db.View(func(tx *bolt.Tx) error {
		if s.id, err = readMeta(tx); err != nil {
			return err
		}
		return eachRecord(tx, func(r RecordRow) error {
			s.follow(map[RecordKey]pos.RecordState{{r.Class, r.RecordID}: r.State})
			return nil
		})
	})
}

// boltOptions: the freelist stays synced (without it Open scans the file), and
// is a map, which costs the same here and does not degrade with fragments.
func boltOptions(wait time.Duration) *bolt.Options {
	return &bolt.Options{Timeout: wait, FreelistType: bolt.FreelistMapType}
}

// recoverDamage turns a panic of bbolt, and a fault in its memory map, into
// ErrDamaged. Use: defer recoverDamage(&err)().
func recoverDamage(err *error) func() {
	old := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			*err = damaged("bbolt: %v", r)
		}
	}
}

// readMeta checks the schema, then returns the store's id.
func readMeta(tx *bolt.Tx) (id string, err error) {
	b := tx.Bucket(metaBucket)
	if b == nil {
		return "", damaged("no meta bucket")
	}
	v, err := unframe(metaBucket, schemaKey, b.Get(schemaKey))
	if err != nil {
		return "", err
	}
	if len(v) != 4 {
		return "", damaged("a schema of %d bytes", len(v))
	}
	if have := binary.BigEndian.Uint32(v); !readable(have) {
		return "", &SchemaError{Have: have, Want: Schema}
	}
	v, err = unframe(metaBucket, idKey, b.Get(idKey))
	return string(v), err
}

// settleID compares the store's id with the one beside it, and writes that one
// if a power cut came between the two steps of creation.
func (s *Store) settleID() error {
	have, err := os.ReadFile(s.file(idFile))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return s.writeFile(idFile, []byte(s.id+"\n"))
	case err != nil:
		return classify(err)
	case string(bytes.TrimSpace(have)) != s.id:
		return damaged("belongs to another device: its id is not that of %s", idFile)
	}
	return nil
}

// create makes a fresh store under a temporary name, checks it, and only then
// gives it its own: a torn creation is never seen (DESIGN §6).
func (s *Store) create() error {
	tmp := s.path + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return classify(err)
	}
	db, err := bolt.Open(tmp, 0o600, boltOptions(s.opts.Wait))
	if err != nil {
		return classify(err)
	}
	var raw [16]byte
	rand.Read(raw[:])
	err = db.Update(func(tx *bolt.Tx) error { return layOut(tx, Schema, hex.EncodeToString(raw[:])) })
	if err == nil {
		err = db.View(checkTx)
	}
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = growFile(tmp, reserveMin)
	}
	if err == nil {
		err = os.Rename(tmp, s.path)
	}
	if err != nil {
		os.Remove(tmp)
		return classify(err)
	}
	return syncFile(s.dir)
}

// layOut makes the buckets that every store has.
func layOut(tx *bolt.Tx, schema uint32, id string) error {
	names := [][]byte{metaBucket, stateBucket}
	for _, c := range pos.Classes {
		names = append(names, classBucket(c))
	}
	names = append(names, roomsOf(schema)...)
	for _, name := range names {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	m := tx.Bucket(metaBucket)
	if err := put(m, metaBucket, schemaKey, binary.BigEndian.AppendUint32(nil, schema)); err != nil {
		return err
	}
	return put(m, metaBucket, idKey, []byte(id))
}

// cleanMark is what a clean Close leaves beside the file.
type cleanMark struct {
	ID   string `json:"id"`
	TxID uint64 `json:"txid"`
	Size int64  `json:"size"` // of the file
	Used int64  `json:"used"` // bytes that are summed: up to bbolt's high-water mark
	Sum  uint32 `json:"sum"`  // CRC-32C
}

// readMark is false if there is no mark, or a torn one.
func (s *Store) readMark() (m cleanMark, ok bool) {
	v, err := os.ReadFile(s.file(cleanFile))
	if err != nil {
		return m, false
	}
	p, err := unframe([]byte(cleanFile), nil, v)
	return m, err == nil && json.Unmarshal(p, &m) == nil
}

// dropMark removes the mark, durably, before anything can be written.
func (s *Store) dropMark() error {
	if err := os.Remove(s.file(cleanFile)); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return classify(err)
	}
	return syncFile(s.dir)
}

// Close closes the store and, unless a commit had failed, leaves the mark by
// which the next Open need not judge the whole file.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return nil
	}
	defer func() {
		s.lock.Close()
		s.lock = nil
	}()
	if err := s.db.Close(); err != nil {
		return classify(err)
	}
	if s.failed != nil {
		return nil
	}
	s.failed = fmt.Errorf("%w: closed", ErrFailed)
	f, err := os.Open(s.path)
	if err != nil {
		return classify(err)
	}
	defer f.Close()
	head, err := readHeader(f)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		return classify(err)
	}
	m := cleanMark{ID: s.id, TxID: head.txid, Size: st.Size(), Used: int64(head.pages * head.pageSize)}
	if m.Sum, err = sumFile(f, m.Used); err != nil {
		return err
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return s.writeFile(cleanFile, frame([]byte(cleanFile), nil, raw))
}

// writeFile writes a small file in one durable step.
func (s *Store) writeFile(name string, data []byte) error {
	tmp := s.file(name + ".new")
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return classify(err)
	}
	if err := syncFile(tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, s.file(name)); err != nil {
		return classify(err)
	}
	return syncFile(s.dir)
}

// syncFile makes a file, or the names in a directory, durable.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return classify(err)
	}
	defer f.Close()
	return classify(f.Sync())
}

// Replace puts the store at scratch (a folder of its own, closed) in the place
// of the one at path, which stays beside it under another name; kept is that
// name. Nobody may have the store open.
func Replace(path, scratch string) (kept string, err error) {
	s := &Store{opts: Opts{Wait: 500 * time.Millisecond}, path: path, dir: filepath.Dir(path)}
	if err := s.takeLock(); err != nil {
		return "", err
	}
	defer s.lock.Close()
	from := filepath.Join(scratch, filepath.Base(path))
	id, err := os.ReadFile(filepath.Join(scratch, idFile))
	if err != nil {
		return "", classify(err)
	}
	if err := syncFile(from); err != nil {
		return "", err
	}
	if err := s.dropMark(); err != nil {
		return "", err
	}
	if err := s.writeFile(idFile, id); err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		kept = fmt.Sprintf("%s.replaced-%d", path, n)
		if _, err := os.Lstat(kept); errors.Is(err, os.ErrNotExist) {
			break
		}
	}
	if err := os.Link(path, kept); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", classify(err)
	}
	if err := os.Rename(from, path); err != nil {
		return "", classify(err)
	}
	return kept, syncFile(s.dir)
}
