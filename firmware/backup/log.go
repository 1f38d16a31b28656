package backup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"swipewell/firmware/store"
)

// Sealer is what of hal.KeyStore a log needs.
type Sealer interface {
	Seal(dst, plain, aad []byte) ([]byte, error)
	Open(dst, sealed, aad []byte) ([]byte, error)
}

const (
	// ahead is how much of a log is written in advance (zeros), so that an
	// append changes no length and its sync no more than its data; least is
	// what must be there before a sale may start: the outcome, the reversal and
	// a settlement, some 4 kB each at most.
	ahead = 256 << 10
	least = 48 << 10
	// tooLong asks for a copy: a log of it is read in a second or two.
	tooLong = 16 << 20
)

// Log is the side log of one store. It is a [store.SideLog].
type Log struct {
	mu   sync.Mutex
	dir  string
	id   string // of the store
	keys Sealer
	n    int    // number of the file that is written, or will be
	base uint64 // the store's last money commit before this file
	last uint64 // the last one in it

	f         *os.File // nil until the first entry
	at, size  int64
	frame     uint64 // number of the next frame
	total     int64  // bytes in all files since the last copy
	Syncs     uint64 // fdatasyncs done, for the bench
	appending bool   // an append failed half-way: nothing more is written
}

// NewLog goes on behind the files in dir. Its own file is made with the first
// entry: a start costs nothing.
func NewLog(dir, id string, base uint64, keys Sealer) (*Log, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	have, err := list(dir)
	if err != nil {
		return nil, err
	}
	l := &Log{dir: dir, id: id, keys: keys, n: have.next(), base: base, last: base}
	for _, n := range have.logs {
		if st, err := os.Stat(logPath(dir, n)); err == nil && n >= have.lastCopy() {
			l.total += st.Size()
		}
	}
	return l, nil
}

func logPath(dir string, n int) string { return filepath.Join(dir, fmt.Sprintf("side-%08d.log", n)) }

// aad binds a frame to its store, its file and its place there.
func aad(id string, n int, frame uint64) []byte {
	b := append([]byte("swipewell/side/"), id...)
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	return binary.BigEndian.AppendUint64(b, frame)
}

// Append writes an entry, and syncs it unless it is an aside.
func (l *Log) Append(e store.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.appending {
		return errors.New("backup: an earlier entry failed")
	}
	l.appending = true
	if err := l.open(); err != nil {
		return err
	}
	if err := l.write(encode(e)); err != nil {
		return err
	}
	l.last = max(l.last, e.Seq)
	if !e.Aside {
		if err := unix.Fdatasync(int(l.f.Fd())); err != nil {
			return fmt.Errorf("backup: sync: %w", err)
		}
		l.Syncs++
	}
	l.appending = false
	return nil
}

// write appends one frame.
func (l *Log) write(plain []byte) error {
	sealed, err := l.keys.Seal(nil, plain, aad(l.id, l.n, l.frame))
	if err != nil {
		return fmt.Errorf("backup: seal: %w", err)
	}
	b := appendFrame(nil, sealed)
	if err := l.grow(int64(len(b)) + frameHead); err != nil {
		return err
	}
	if _, err := l.f.WriteAt(b, l.at); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	l.at += int64(len(b))
	l.total += int64(len(b))
	l.frame++
	return nil
}

// open makes the file, durable with its name and its first frame: whose it is
// and where it begins.
func (l *Log) open() error {
	if l.f != nil {
		return nil
	}
	f, err := os.OpenFile(logPath(l.dir, l.n), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	l.f, l.at, l.size, l.frame = f, 0, 0, 0
	if err := l.write(binary.BigEndian.AppendUint64([]byte(l.id), l.base)); err != nil {
		return err
	}
	if err := writeSmall(lastPath(l.dir), []byte(strconv.Itoa(l.n)+"\n")); err != nil {
		return err
	}
	return syncDir(l.dir)
}

// lastPath is the file that names the newest log: one that is gone whole is missed.
func lastPath(dir string) string { return filepath.Join(dir, "side.last") }

func lastLog(dir string) int {
	raw, err := os.ReadFile(lastPath(dir))
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(raw)))
	return n
}

// grow writes zeros until need more bytes fit.
func (l *Log) grow(need int64) error {
	if l.at+need <= l.size {
		return nil
	}
	zeros := make([]byte, ahead)
	if _, err := l.f.WriteAt(zeros, l.size); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	l.size += ahead
	return l.f.Sync()
}

// Reserve makes sure that what follows a sale's start fits.
func (l *Log) Reserve() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return l.open()
	}
	return l.grow(least)
}

// Long tells that a copy should be made soon, whatever the hour.
func (l *Log) Long() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total > tooLong
}

// turn ends this file: the next entry goes into a new one. It returns the new
// file's number.
func (l *Log) turn() (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil {
		if err := l.f.Close(); err != nil {
			return 0, err
		}
		l.f, l.n = nil, l.n+1
	}
	l.base, l.total = l.last, 0
	return l.n, nil
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil
	}
	err := l.f.Close()
	l.f, l.appending = nil, true
	return err
}

// read is a log file as a restore sees it.
type read struct {
	base    uint64
	entries []store.Entry
	torn    bool // it ends in something that is no frame
}

// readLog reads one file. A damaged frame ends it: nothing behind it is believed.
func readLog(dir string, n int, id string, keys Sealer) (r read, err error) {
	raw, err := os.ReadFile(logPath(dir, n))
	if err != nil {
		return r, err
	}
	for frame := uint64(0); ; frame++ {
		sealed, rest, err := nextFrame(raw)
		if err != nil {
			r.torn = true
			return r, nil
		}
		if sealed == nil {
			r.torn = frame == 0 // not even a first frame
			return r, nil
		}
		plain, err := keys.Open(nil, sealed, aad(id, n, frame))
		if err != nil {
			return r, fmt.Errorf("backup: log %d, frame %d: %w", n, frame, err)
		}
		raw = rest
		if frame == 0 {
			if len(plain) != len(id)+8 || string(plain[:len(id)]) != id {
				return r, fmt.Errorf("backup: log %d is of another store", n)
			}
			r.base = binary.BigEndian.Uint64(plain[len(id):])
			continue
		}
		e, err := decode(plain)
		if err != nil {
			return r, fmt.Errorf("backup: log %d, frame %d: %w", n, frame, err)
		}
		r.entries = append(r.entries, e)
	}
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// exists tells whether a file is there.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
