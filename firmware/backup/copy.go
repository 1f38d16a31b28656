package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/store"
)

// Note is what is known of a copy; it stands beside it.
type Note struct {
	N     int       `json:"n"`     // the first log that is not in it
	ID    string    `json:"id"`    // of the store
	Seq   uint64    `json:"seq"`   // the last money commit in it
	At    pos.Time  `json:"at"`    // when it was made
	Size  int64     `json:"size"`  // bytes
	Sum   string    `json:"sum"`   // SHA-256, hex
	Drill *pos.Time `json:"drill"` // when a restore from it was last tried with success
}

// keep is how many copies stay.
const keep = 2

// Keeper makes copies of a running store and tries them.
type Keeper struct {
	Dir   string
	Store *store.Store
	Log   *Log
	Keys  Sealer
	// Judge reads a copy in a child with limits; see store.Judge.
	Judge func(ctx context.Context, path string) error
	// Audit adds a store up: its rows against its totals.
	Audit func(*store.Store) error
}

// Due tells that it is time for a copy: none yet, the log is long, a day of
// logical time has gone by, or a day by the wall with an hour of power in it (a shop
// that switches its terminal off at night), or it is night and this day has none.
func (k *Keeper) Due(now pos.Time) bool {
	n, ok := k.Last()
	if !ok || k.Log.Long() {
		return true
	}
	lived := now.Logical - n.At.Logical
	if lived >= 24*time.Hour || lived > time.Hour && now.Wall-n.At.Wall >= int64(24*time.Hour/time.Millisecond) {
		return true
	}
	wall, was := now.WallTime(pos.CST), n.At.WallTime(pos.CST)
	return wall.Hour() >= 3 && wall.Hour() < 6 && wall.Format("20060102") != was.Format("20060102") && lived > time.Hour
}

// DrillDue tells that a week has gone by since a restore was last tried.
func (k *Keeper) DrillDue(now pos.Time) bool {
	n, ok := k.Last()
	if !ok {
		return false
	}
	if n.Drill == nil {
		return true
	}
	return now.Logical-n.Drill.Logical >= 7*24*time.Hour || now.Wall-n.Drill.Wall >= int64(7*24*time.Hour/time.Millisecond)
}

// Last is the newest copy.
func (k *Keeper) Last() (Note, bool) {
	have, err := list(k.Dir)
	if err != nil || len(have.copies) == 0 {
		return Note{}, false
	}
	n, err := readNote(k.Dir, have.lastCopy())
	return n, err == nil
}

// Copy makes one: written, synced, judged, and only then named. Old ones and
// the logs that only they need go last.
func (k *Keeper) Copy(ctx context.Context, now pos.Time) (Note, error) {
	note := Note{ID: k.Store.ID(), At: now}
	tmp := filepath.Join(k.Dir, "copy.new")
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return note, fmt.Errorf("backup: %w", err)
	}
	defer os.Remove(tmp)
	defer f.Close()
	sum := sha256.New()
	if last, ok := k.Last(); ok {
		note.Drill = last.Drill
	}
	note.Seq, err = k.Store.Copy(io.MultiWriter(f, sum), func() (err error) {
		note.N, err = k.Log.turn()
		return err
	})
	if err == nil {
		err = f.Sync()
	}
	if err == nil && k.Judge != nil {
		err = k.Judge(ctx, tmp)
	}
	if err != nil {
		return note, fmt.Errorf("backup: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		return note, fmt.Errorf("backup: %w", err)
	}
	note.Size, note.Sum = st.Size(), hex.EncodeToString(sum.Sum(nil))
	if err := os.Rename(tmp, copyPath(k.Dir, note.N)); err != nil {
		return note, fmt.Errorf("backup: %w", err)
	}
	if err := writeNote(k.Dir, note); err != nil {
		return note, err
	}
	return note, k.prune()
}

// prune keeps the newest copies and the logs from the oldest of these on.
func (k *Keeper) prune() error {
	have, err := list(k.Dir)
	if err != nil || len(have.copies) <= keep {
		return err
	}
	oldest := have.copies[len(have.copies)-keep]
	var errs []error
	for _, n := range have.copies {
		if n < oldest {
			errs = append(errs, os.Remove(notePath(k.Dir, n)), os.Remove(copyPath(k.Dir, n)))
		}
	}
	for _, n := range have.logs {
		if n < oldest {
			errs = append(errs, os.Remove(logPath(k.Dir, n)))
		}
	}
	return errors.Join(errs...)
}

func copyPath(dir string, n int) string { return filepath.Join(dir, fmt.Sprintf("copy-%08d.db", n)) }
func notePath(dir string, n int) string { return filepath.Join(dir, fmt.Sprintf("copy-%08d.json", n)) }

func readNote(dir string, n int) (note Note, err error) {
	raw, err := os.ReadFile(notePath(dir, n))
	if err == nil {
		err = json.Unmarshal(raw, &note)
	}
	return note, err
}

// writeNote names a copy, durably.
func writeNote(dir string, n Note) error {
	raw, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if err := writeSmall(notePath(dir, n.N), append(raw, '\n')); err != nil {
		return err
	}
	return syncDir(dir)
}

// writeSmall writes a small file in one step; the folder is the caller's to sync.
func writeSmall(path string, b []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// files are the numbers of what a folder holds, each in order.
type files struct{ copies, logs []int }

func list(dir string) (h files, err error) {
	names, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return h, fmt.Errorf("backup: %w", err)
	}
	for _, e := range names {
		var n int
		switch {
		case scan(e.Name(), "copy-%08d.json", &n):
			if exists(copyPath(dir, n)) {
				h.copies = append(h.copies, n)
			}
		case scan(e.Name(), "side-%08d.log", &n):
			h.logs = append(h.logs, n)
		}
	}
	slices.Sort(h.copies)
	slices.Sort(h.logs)
	return h, nil
}

func scan(name, form string, n *int) bool {
	_, err := fmt.Sscanf(name, form, n)
	return err == nil && name == fmt.Sprintf(form, *n)
}

func (h files) lastCopy() int {
	if len(h.copies) == 0 {
		return 0
	}
	return h.copies[len(h.copies)-1]
}

// next is the number of the next log.
func (h files) next() int {
	n := max(h.lastCopy(), 1)
	if len(h.logs) > 0 {
		n = max(n, h.logs[len(h.logs)-1]+1)
	}
	return n
}
