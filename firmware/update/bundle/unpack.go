package bundle

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"swipewell/firmware/update/delta"
	"swipewell/firmware/update/lzma"
)

// Errors of a payload.
var (
	ErrPiece = errors.New("bundle: bytes that the manifest does not know")
	ErrBase  = errors.New("bundle: what this is made from is not here")
	ErrBlock = errors.New("bundle: the unpacked image is not the one of the manifest")
)

// pieces lets bytes through once their hash fits.
type pieces struct {
	r    io.Reader
	m    *Manifest
	p    *Payload
	next int
	buf  []byte
	left []byte
}

func (x *pieces) Read(p []byte) (int, error) {
	if len(x.left) == 0 {
		if x.next == len(x.p.Pieces) {
			return 0, io.EOF
		}
		n := min(int64(1)<<x.m.PieceBits, x.p.Size-int64(x.next)<<x.m.PieceBits)
		if x.buf == nil {
			x.buf = make([]byte, 1<<x.m.PieceBits)
		}
		if err := full(x.r, x.buf[:n]); err != nil {
			return 0, err
		}
		if !x.m.Fits(x.p, x.next, x.buf[:n]) {
			return 0, fmt.Errorf("%w: piece %d", ErrPiece, x.next)
		}
		x.next++
		x.left = x.buf[:n]
	}
	n := copy(p, x.left)
	x.left = x.left[n:]
	return n, nil
}

// Fits tells whether b is piece i of a payload.
func (m *Manifest) Fits(p *Payload, i int, b []byte) bool {
	return i < len(p.Pieces) && int64(len(b)) == min(int64(1)<<m.PieceBits, p.Size-int64(i)<<m.PieceBits) && Sum(sha256.Sum256(b)) == p.Pieces[i]
}

// Unpack reads payload i, of Blocks all of them ([UnpackBlocks] takes fewer), and
// gives its blocks to put, in order, each checked before. old is the build that a
// delta is from; its sum is checked first. Errors of r, old and put come through. It
// takes the memory of the dictionary (at most 8 MiB), a block, a piece and 50 KiB.
func Unpack(m *Manifest, i int, r io.Reader, old io.ReaderAt, put func(block int, b []byte) error) error {
	p := &m.Payloads[i]
	if p.Kind == Blocks {
		s, err := ReadSet(r, m)
		if err != nil {
			return err
		}
		return UnpackBlocks(m, i, s, r, Missing, put)
	}
	if p.Kind == Delta {
		if old == nil {
			return ErrBase
		}
		if s, err := SumOf(io.NewSectionReader(old, 0, p.BaseSize), p.BaseSize); err != nil || s != p.Base {
			return errors.Join(ErrBase, err)
		}
	}
	packed := &pieces{r: r, m: m, p: p}
	un, err := lzma.NewReader(packed, MaxImage*2)
	if err != nil {
		return err
	}
	image := lzma.FilterReader(p.Filter, un)
	if p.Kind == Delta {
		image = delta.NewReader(old, p.BaseSize, un, m.Size)
	}
	whole, b := sha256.New(), make([]byte, 1<<m.BlockBits)
	for k := range m.Blocks {
		b := b[:min(int64(len(b)), m.Size-int64(k)<<m.BlockBits)]
		if err := full(image, b); err != nil {
			return err
		}
		if Sum(sha256.Sum256(b)) != m.Blocks[k] {
			return fmt.Errorf("%w: block %d", ErrBlock, k)
		}
		whole.Write(b)
		if err := put(k, b); err != nil {
			return err
		}
	}
	if !bytes.Equal(whole.Sum(nil), m.Sum[:]) {
		return fmt.Errorf("%w: its sum", ErrBlock)
	}
	return drain(packed)
}

// drain takes what a payload has behind the last byte that was needed, so that
// the next section begins where the reader stands.
func drain(r io.Reader) error {
	n, err := io.Copy(io.Discard, r)
	if err == nil && n > lastBytes {
		err = fmt.Errorf("%w: %d bytes behind the image", ErrPiece, n)
	}
	return err
}

// lastBytes is how much of a stream an unpacker may leave unread: the coder's
// flush and its buffer.
const lastBytes = 16

// SumOf is the SHA-256 of the first n bytes; io.ErrUnexpectedEOF if there are fewer.
func SumOf(r io.Reader, n int64) (s Sum, err error) {
	h := sha256.New()
	if m, err := io.CopyBuffer(h, io.LimitReader(r, n), make([]byte, 32<<10)); err != nil || m < n {
		return s, errors.Join(err, io.ErrUnexpectedEOF)
	}
	return Sum(h.Sum(nil)), nil
}
