package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"swipewell/firmware/pos"
	"swipewell/firmware/store"
)

// ErrNoCopy says that there is nothing to restore from.
var ErrNoCopy = errors.New("backup: no good copy")

// Restore is how a scratch store came to be.
type Restore struct {
	Copy    Note
	Skipped int    // newer copies that were not good
	Logs    int    // files read
	Entries int    // of these, redone
	Orphans int    // entries that the store never took
	Seq     uint64 // the last money commit
	// Missing is why a tail may be missing, "" if none is.
	Missing string
}

// Into makes a store at scratch (a folder that is not there yet) from what
// stands in dir. last is the number of the last transaction of the store that
// is to be replaced, 0 if its file does not tell. The caller checks what it is
// told to be missing, audits, and decides.
func Into(ctx context.Context, scratch, dir string, keys Sealer, last uint64, judge func(context.Context, string) error) (*store.Store, Restore, error) {
	var r Restore
	have, err := list(dir)
	if err != nil {
		return nil, r, err
	}
	var bad []error
	for i := len(have.copies) - 1; i >= 0; i-- {
		n := have.copies[i]
		st, err := r.open(scratch, dir, n, judge)
		if err == nil {
			if err = r.redo(ctx, st, dir, have, keys, last); err == nil {
				return st, r, nil
			}
			st.Close()
		}
		bad = append(bad, fmt.Errorf("copy %d: %w", n, err))
		r = Restore{Skipped: r.Skipped + 1}
		if err := os.RemoveAll(scratch); err != nil {
			return nil, r, err
		}
	}
	return nil, r, fmt.Errorf("%w: %w", ErrNoCopy, errors.Join(bad...))
}

// open copies a copy and opens it.
func (r *Restore) open(scratch, dir string, n int, judge func(context.Context, string) error) (*store.Store, error) {
	note, err := readNote(dir, n)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(scratch, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(scratch, "state.db")
	src, err := os.Open(copyPath(dir, n))
	if err != nil {
		return nil, err
	}
	defer src.Close()
	dst, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(dst, sum), src)
	if cerr := dst.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, err
	}
	if hex.EncodeToString(sum.Sum(nil)) != note.Sum {
		return nil, errors.New("its hash is not that of its note")
	}
	st, err := store.Open(path, store.Opts{Judge: judge, NoSync: true})
	if err != nil {
		return nil, err
	}
	if st.ID() != note.ID {
		st.Close()
		return nil, errors.New("it is of another store")
	}
	r.Copy, r.Seq = note, note.Seq
	return st, nil
}

// Drill tries a restore into scratch, checks it and adds it up, and keeps the
// day if it came out well.
func (k *Keeper) Drill(ctx context.Context, scratch string, now pos.Time) (Restore, error) {
	os.RemoveAll(scratch)
	defer os.RemoveAll(scratch)
	want, err := k.Store.Seq()
	if err != nil {
		return Restore{}, err
	}
	st, r, err := Into(ctx, scratch, k.Dir, k.Keys, 0, k.Judge)
	if err != nil {
		return r, err
	}
	defer st.Close()
	switch {
	case r.Missing != "":
		return r, errors.New("backup: " + r.Missing)
	case r.Seq < want:
		return r, fmt.Errorf("backup: it ends at commit %d, the store is at %d", r.Seq, want)
	}
	if err := st.Check(); err != nil {
		return r, err
	}
	if k.Audit != nil {
		if err := k.Audit(st); err != nil {
			return r, fmt.Errorf("backup: %w", err)
		}
	}
	note, ok := k.Last()
	if !ok {
		return r, ErrNoCopy
	}
	note.Drill = &now
	return r, writeNote(k.Dir, note)
}

// chunk is how many entries one transaction redoes.
const chunk = 128

// redo applies the logs from the copy's number on.
func (r *Restore) redo(ctx context.Context, st *store.Store, dir string, have files, keys Sealer, last uint64) error {
	var logs []read
	for _, n := range have.logs {
		if n < r.Copy.N {
			continue
		}
		l, err := readLog(dir, n, r.Copy.ID, keys)
		if err != nil {
			// It cannot be believed, and nothing behind it fits.
			r.Missing = err.Error()
			break
		}
		if len(l.entries) == 0 && l.torn && l.base == 0 {
			continue // the power failed while it was made: nothing was in it
		}
		logs = append(logs, l)
	}
	tx, _ := store.LastTx(copyPath(dir, r.Copy.N))
	for i, l := range logs {
		r.Logs++
		if l.base > r.Seq {
			r.missing("commits %d to %d stand in no log", r.Seq+1, l.base)
			break
		}
		final := i == len(logs)-1
		entries := l.entries
		for len(entries) > 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			part := entries[:min(chunk, len(entries))]
			entries = entries[len(part):]
			good := part[:0:0]
			for _, e := range part {
				switch {
				case !final && e.Seq > logs[i+1].base:
					r.Orphans++
				case !e.Aside && e.Seq <= r.Seq: // in the copy
				case !e.Aside && e.Seq != r.Seq+1:
					r.missing("commit %d stands in no log", r.Seq+1)
					entries = nil
				default:
					good = append(good, e)
					r.Seq, tx = e.Seq, max(tx, e.TxID)
				}
				if r.Missing != "" {
					break
				}
			}
			if err := st.Apply(good); err != nil {
				return err
			}
			r.Entries += len(good)
		}
		if r.Missing != "" {
			break
		}
		if final && l.torn && last == 0 {
			// Either the power failed while this entry was written, and nothing
			// was acted upon, or it was there and is gone: the old file could tell.
			r.missing("the last log ends in a torn entry, and the old store does not tell its last one")
		}
	}
	if n := lastLog(dir); r.Missing == "" && n > 0 && (len(have.logs) == 0 || have.logs[len(have.logs)-1] < n) {
		r.missing("log %d is gone", n)
	}
	if r.Missing == "" && last > tx {
		r.missing("the old store had transactions up to %d, the logs end at %d", last, tx)
	}
	return nil
}

func (r *Restore) missing(format string, a ...any) {
	if r.Missing == "" {
		r.Missing = fmt.Sprintf(format, a...)
	}
}
