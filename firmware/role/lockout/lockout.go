// Package lockout counts wrong tries at the service cable, in a file of its own: it
// holds over power cuts, new sessions and a store that does not open, and no clock
// that people can set shortens it.
//
// Sources:
//   - PTS: PCI PTS POI, sensitive services: limited tries
//   - WIRE: firmware/doc/wire.md §5, lockout.json
package lockout

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"swipewell/hal"
)

// Most wrong tries in a row, and how long nobody of that role gets in then. The
// time is that with the power on: hours without it do not count.
const (
	MaxWrong = 5
	Time     = 30 * time.Minute
)

// Locks are the tries of each role. Its methods may be called from several goroutines.
type Locks struct {
	path  string
	clock hal.Clock

	mu   sync.Mutex
	rows map[string]*row
	stop func() bool
	bad  error // the file could not be written: nobody gets in
}

type row struct {
	wrong int
	until time.Duration // boottime; 0 not locked
}

// file is what is kept. Left is what was still to wait when it was written.
type file struct {
	Version int       `json:"version"`
	Rows    []fileRow `json:"roles"`
	Sum     uint32    `json:"sum"` // CRC-32C of the rows
}

type fileRow struct {
	Name  string `json:"role"`
	Wrong int    `json:"wrong"`
	Left  int    `json:"left"` // seconds
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (f file) sum() uint32 {
	b, err := json.Marshal(f.Rows)
	if err != nil {
		return 0
	}
	return crc32.Checksum(b, castagnoli)
}

// everybody stands for all roles, where a file that cannot be read hides who was locked.
const everybody = "*"

// Open reads the tries; a file that is not there is none. One that cannot be read
// locks everybody, and err says why.
func Open(path string, clock hal.Clock) (l *Locks, err error) {
	l = &Locks{path: path, clock: clock, rows: map[string]*row{}}
	l.mu.Lock()
	defer l.mu.Unlock()
	b, err := os.ReadFile(path)
	var f file
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return l, nil
	case err != nil:
	default:
		f, err = parse(b)
	}
	now := clock.Now().Boot
	if err != nil {
		l.rows[everybody] = &row{until: now + Time}
		return l, errors.Join(fmt.Errorf("lockout: %w", err), l.save())
	}
	for _, r := range f.Rows {
		x := &row{wrong: r.Wrong}
		if r.Left > 0 {
			x.until = now + min(time.Duration(r.Left)*time.Second, Time)
		}
		l.rows[r.Name] = x
	}
	l.arm()
	return l, nil
}

var errForm = errors.New("not a file of wrong tries")

func parse(b []byte) (f file, err error) {
	if err := json.Unmarshal(b, &f); err != nil || f.Version != 1 || f.Sum != f.sum() {
		return file{}, errForm
	}
	for _, r := range f.Rows {
		if r.Wrong < 0 || r.Wrong > MaxWrong || r.Left < 0 || r.Left > int(Time/time.Second) {
			return file{}, errForm
		}
	}
	return f, nil
}

// Left is how long a role still has to wait; 0: it may try.
func (l *Locks) Left(role string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left(role)
}

func (l *Locks) left(role string) (left time.Duration) {
	now := l.clock.Now().Boot
	if l.bad != nil {
		if l.bad = l.save(); l.bad != nil {
			return Time // what cannot be counted cannot be allowed
		}
	}
	for _, name := range []string{role, everybody} {
		if r := l.rows[name]; r != nil {
			left = max(left, r.until-now)
		}
	}
	return left
}

// Wrong counts a wrong try, on the flash before it returns. It returns how long the
// role is locked, 0 if it may go on trying.
func (l *Locks) Wrong(role string) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rows[role]
	if r == nil {
		r = &row{}
		l.rows[role] = r
	}
	if r.wrong++; r.wrong >= MaxWrong {
		r.wrong, r.until = 0, l.clock.Now().Boot+Time
	}
	l.bad = l.save()
	l.arm()
	return l.left(role), l.bad
}

// Right forgets the wrong tries of a role: somebody of it is there.
func (l *Locks) Right(role string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.rows[role]; r == nil || r.wrong == 0 && r.until == 0 {
		return nil
	}
	delete(l.rows, role)
	l.bad = l.save()
	return l.bad
}

// arm writes once a minute what is left of a lock, so that a power cut costs whoever
// waits no more than that minute.
func (l *Locks) arm() {
	if l.stop != nil {
		l.stop()
		l.stop = nil
	}
	now, any := l.clock.Now().Boot, false
	for _, r := range l.rows {
		any = any || r.until > now
	}
	if !any {
		return
	}
	l.stop = l.clock.AfterFunc(time.Minute, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.bad = l.save()
		l.arm()
	})
}

// Close stops the timer.
func (l *Locks) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop != nil {
		l.stop()
		l.stop = nil
	}
}

// save replaces the file whole: a cut leaves the old one or the new.
func (l *Locks) save() error {
	now := l.clock.Now().Boot
	f := file{Version: 1}
	for name, r := range l.rows {
		left := 0
		if r.until > now {
			left = int((r.until - now + time.Second - 1) / time.Second)
		} else if r.wrong == 0 {
			continue
		}
		f.Rows = append(f.Rows, fileRow{name, r.wrong, left})
	}
	slices.SortFunc(f.Rows, func(a, b fileRow) int { return slices.Compare([]byte(a.Name), []byte(b.Name)) })
	f.Sum = f.sum()
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("lockout: %w", err)
	}
	if err := replace(l.path, append(b, '\n')); err != nil {
		return fmt.Errorf("lockout: %w", err)
	}
	return nil
}

func replace(path string, b []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
