// Package fetch takes the pieces of an export over a line that may break, and puts them together:
// what came whole is never carried twice, and half a piece goes on where it ended.
//
// Sources:
//   - WIRE: doc/wire.md, pieces of the log
package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"swipewell/firmware/journal/export"
)

// Source is the device at the other end.
type Source interface {
	// Pieces lists what there is.
	Pieces(ctx context.Context) (export.Manifest, []export.Piece, error)
	// Read gives of a piece, from an offset on, what a request carries: at least one byte; none
	// at its end. What it gave before an error is good.
	Read(ctx context.Context, name string, off int64, fn func([]byte) error) error
}

// Progress is told of what has come: of all bytes, and of these how many an earlier try had.
type Progress func(have, kept, all int64)

// rounds is how often the list is asked for: pieces change while they are carried.
const rounds = 4

// ErrMoving says that the log changed faster than it could be carried.
var ErrMoving = errors.New("fetch: the log changed while it was carried; try again")

// Into fetches an export into a file. Until it is whole its pieces are in the folder file.part,
// where a later call finds them.
func Into(ctx context.Context, s Source, file string, p Progress) error {
	if p == nil {
		p = func(int64, int64, int64) {}
	}
	part := file + ".part"
	if err := os.MkdirAll(part, 0o700); err != nil {
		return err
	}
	for range rounds {
		m, ps, err := s.Pieces(ctx)
		if err != nil {
			return err
		}
		whole, err := take(ctx, s, part, ps, p)
		if err != nil {
			return err
		}
		if whole {
			return finish(file, part, m, ps)
		}
	}
	return ErrMoving
}

// local is where a piece is kept.
func local(part string, q export.Piece) string {
	return filepath.Join(part, strings.ReplaceAll(q.Name, "/", "_"))
}

func take(ctx context.Context, s Source, part string, ps []export.Piece, p Progress) (whole bool, err error) {
	var all, have int64
	for _, q := range ps {
		if !export.Safe(q.Name) || q.Size < 0 {
			return false, fmt.Errorf("fetch: not a piece's name: %q", q.Name)
		}
		all += q.Size
		if st, err := os.Stat(local(part, q)); err == nil {
			have += min(st.Size(), q.Size)
		}
	}
	kept := have
	p(have, kept, all)
	whole = true
	for _, q := range ps {
		n, err := one(ctx, s, local(part, q), q, func(n int) { have += int64(n); p(have, kept, all) })
		if have += n; err != nil {
			return false, err
		}
		whole = whole && n == 0
	}
	return whole, nil
}

// one takes a piece; back < 0: it is not what was listed, and those bytes do not count.
func one(ctx context.Context, s Source, path string, q export.Piece, more func(int)) (back int64, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	off := st.Size()
	if off > q.Size { // of another form of it
		off = 0
	}
	if err := f.Truncate(off); err != nil {
		return 0, err
	}
	for off < q.Size {
		before := off
		err := s.Read(ctx, q.Name, off, func(b []byte) error {
			b = b[:min(int64(len(b)), q.Size-off)]
			if _, err := f.WriteAt(b, off); err != nil {
				return err
			}
			off += int64(len(b))
			more(len(b))
			return nil
		})
		if err != nil {
			return 0, errors.Join(err, f.Sync())
		}
		if off == before {
			break // it is shorter now
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	if export.Sum(b) == q.Sum {
		return 0, f.Sync()
	}
	if len(b) == 0 {
		return -1, nil
	}
	return -off, f.Truncate(0)
}

// finish puts an export together.
func finish(file, part string, m export.Manifest, ps []export.Piece) error {
	tmp := file + "~"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	at := map[string]export.Piece{}
	var names []string
	for _, q := range ps {
		at[q.Name], names = q, append(names, q.Name)
	}
	err = export.Assemble(f, m, names, func(name string) ([]byte, error) { return os.ReadFile(local(part, at[name])) })
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(tmp)
		return err
	}
	return errors.Join(os.Rename(tmp, file), os.RemoveAll(part))
}
