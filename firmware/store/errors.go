package store

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	berrors "go.etcd.io/bbolt/errors"
)

// Errors that a caller can act on. All come wrapped: use errors.Is.
var (
	ErrDamaged  = errors.New("store: damaged")                 // the file is not what a store wrote
	ErrMissing  = errors.New("store: the file is gone")        // there was a store in this directory
	ErrBusy     = errors.New("store: held by another process") //
	ErrFull     = errors.New("store: no space")                // ENOSPC, or no room in reserve
	ErrReadOnly = errors.New("store: read-only")               // EROFS, or no permission
	ErrIO       = errors.New("store: input/output error")      // EIO and every other answer of the file system
	ErrNotFound = errors.New("store: no such row")
	// ErrFailed: an earlier commit failed, so nothing more is done. Close the
	// store and open it again.
	ErrFailed = errors.New("store: a commit failed before")
	// ErrInvariant is a bug of the caller: the change was refused whole.
	ErrInvariant = errors.New("store: change breaks an invariant")
)

// SchemaError says that another version wrote the file: newer if Have > Want.
type SchemaError struct{ Have, Want uint32 }

func (e *SchemaError) Error() string {
	if e.Have > e.Want {
		return fmt.Sprintf("store: written by a newer version (schema %d, this one reads %d)", e.Have, e.Want)
	}
	return fmt.Sprintf("store: written by an older version (schema %d, this one reads %d)", e.Have, e.Want)
}

// WaitsError says that the file is good, of an older schema, and may not be brought
// up to date yet. See Opts.Migrate.
type WaitsError struct{ Have, Want uint32 }

func (e *WaitsError) Error() string {
	return fmt.Sprintf("store: schema %d stays until the build that writes %d is confirmed", e.Have, e.Want)
}

// damaged wraps a reason as ErrDamaged.
func damaged(format string, a ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, a...))
}

// causes maps what the file system answers to what a person can act on.
var causes = []struct {
	errno syscall.Errno
	is    error
}{
	{syscall.ENOSPC, ErrFull}, {syscall.EDQUOT, ErrFull}, {syscall.EFBIG, ErrFull},
	{syscall.EROFS, ErrReadOnly}, {syscall.EACCES, ErrReadOnly}, {syscall.EPERM, ErrReadOnly},
	{syscall.EIO, ErrIO},
}

// classify puts one of the typed errors in front of err. bbolt formats some
// causes with %s (grow), so the text is looked at last.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case errors.Is(err, berrors.ErrMaxSizeReached):
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	for _, c := range causes {
		if errors.Is(err, c.errno) || strings.HasSuffix(err.Error(), ": "+c.errno.Error()) {
			return fmt.Errorf("%w: %w", c.is, err)
		}
	}
	var errno syscall.Errno
	if errors.As(err, &errno) || errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("%w: %w", ErrIO, err)
	}
	return err
}

// faults are what the bench can inject, by the words of its script language.
var faults = map[string]error{
	"full":     fmt.Errorf("%w: %w (bench)", ErrFull, syscall.ENOSPC),
	"readonly": fmt.Errorf("%w: %w (bench)", ErrReadOnly, syscall.EROFS),
	"eio":      fmt.Errorf("%w: %w (bench)", ErrIO, syscall.EIO),
}
