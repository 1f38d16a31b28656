package store

import (
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// No sale starts unless what follows it is sure to fit: its outcome, its
// reversal and one settlement. So the file always has a tail of pages that are
// written (not only allocated: a commit into written pages needs nothing from
// the file system) and not used yet.
const (
	// reserveMin: a settlement rewrites a few paths of the tree, twelve pages
	// at most, and each of the three commits some ten. A fourfold margin.
	reserveMin = 512 << 10
	// reservePerPage: each commit writes the freelist, 8 bytes a page at worst
	// (after a settlement freed a whole batch), and the old one is free only
	// after the next commit.
	reservePerPage = 16
	// reserveStep is how much more than needed is taken at a time: a few
	// hundred sales, some milliseconds.
	reserveStep = 256 << 10
)

// Room tells whether a sale may start: nil, or ErrFull, ErrReadOnly, ErrIO,
// ErrFailed with their causes. It is cheap, save that the file grows by
// reserveStep once in some hundred sales.
func (s *Store) Room() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return fmt.Errorf("%w: %w", ErrFailed, s.failed)
	}
	if err := s.fault(); err != nil {
		return err
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(s.dir, &fs); err != nil {
		return classify(fmt.Errorf("statfs: %w", err))
	}
	if fs.Flags&unix.ST_RDONLY != 0 {
		return fmt.Errorf("%w: %w", ErrReadOnly, unix.EROFS)
	}
	if err := s.reserve(); err != nil || s.opts.Log == nil {
		return err
	}
	return classify(s.opts.Log.Reserve())
}

// reserve grows the tail if it is short; nil if what is needed is there.
func (s *Store) reserve() error {
	used := int64(0)
	if err := s.db.View(func(tx *bolt.Tx) error { used = tx.Size(); return nil }); err != nil {
		return classify(err)
	}
	st, err := os.Stat(s.path)
	if err != nil {
		return classify(err)
	}
	need := int64(reserveMin) + used/int64(s.db.Info().PageSize)*reservePerPage
	tail := st.Size() - used
	if tail >= need+reserveStep/2 {
		return nil
	}
	err = growFile(s.path, used+need+reserveStep)
	if err != nil && tail >= need {
		return nil
	}
	return err
}

// growFile writes zeros behind the end until the file has size bytes.
func growFile(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return classify(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return classify(err)
	}
	zeros := make([]byte, 64<<10)
	for at := st.Size(); at < size; {
		n, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at)
		if err != nil {
			return classify(err)
		}
		at += int64(n)
	}
	return classify(f.Sync())
}

// Dir is where the store lies.
func (s *Store) Dir() string { return s.dir }
