package delta

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrPatch is a patch that cannot be one for this old and new size.
var ErrPatch = errors.New("delta: not a patch for these builds")

// chunk is how much of old and patch is held at a time.
const chunk = 16 << 10

// Reader gives the new build as it reads the patch.
type Reader struct {
	old        io.ReaderAt
	oldSize    int64
	patch      *bufio.Reader
	left       int64 // of the new build
	pos        int64 // in old, 0 to oldSize
	add, extra int64 // left of the step
	buf        [chunk]byte
	err        error
}

// NewReader turns old into a build of newSize bytes. Errors of old and patch
// come through; [ErrPatch] is a patch that does not fit.
func NewReader(old io.ReaderAt, oldSize int64, patch io.Reader, newSize int64) *Reader {
	return &Reader{old: old, oldSize: oldSize, patch: bufio.NewReaderSize(patch, chunk), left: newSize}
}

// Read gives the next bytes of the new build; io.EOF after the last.
func (r *Reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.read(p)
	r.left -= int64(n)
	if err != nil {
		r.err = err
	}
	return n, err
}

func (r *Reader) read(p []byte) (int, error) {
	for r.add == 0 && r.extra == 0 {
		if r.left == 0 {
			return 0, io.EOF
		}
		if err := r.step(); err != nil {
			return 0, err
		}
	}
	if len(p) == 0 {
		return 0, nil
	}
	if r.add == 0 {
		n, err := r.patch.Read(p[:min(int64(len(p)), r.extra)])
		r.extra -= int64(n)
		return n, cut(err)
	}
	n := int(min(int64(len(p)), r.add, chunk))
	if _, err := io.ReadFull(r.patch, p[:n]); err != nil {
		return 0, cut(err)
	}
	if m, err := r.old.ReadAt(r.buf[:n], r.pos); m < n {
		return 0, fmt.Errorf("delta: old build: %w", cut(err))
	}
	for i := range n {
		p[i] += r.buf[i]
	}
	r.pos += int64(n)
	r.add -= int64(n)
	return n, nil
}

// step reads the numbers of the next one and refuses what would leave either build.
func (r *Reader) step() error {
	seek, err := binary.ReadVarint(r.patch)
	if err != nil {
		return cut(err)
	}
	add, err := binary.ReadUvarint(r.patch)
	if err != nil {
		return cut(err)
	}
	extra, err := binary.ReadUvarint(r.patch)
	if err != nil {
		return cut(err)
	}
	left := uint64(r.left)
	switch {
	case seek > r.oldSize-r.pos || seek < -r.pos:
		return fmt.Errorf("%w: a jump of %d from %d", ErrPatch, seek, r.pos)
	case add > left || extra > left-add || add+extra == 0:
		return fmt.Errorf("%w: a step of %d and %d bytes where %d are left", ErrPatch, add, extra, left)
	case add > uint64(r.oldSize-r.pos-seek):
		return fmt.Errorf("%w: a step outside the old build", ErrPatch)
	}
	r.pos += seek
	r.add, r.extra = int64(add), int64(extra)
	return nil
}

// cut: a patch that ends early is cut.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
