package bundle

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"

	"swipewell/firmware/update/lzma"
)

// Set says which blocks of an image are meant: block k is bit k%8 of byte k/8.
type Set []byte

// NewSet is an empty set for n blocks.
func NewSet(n int) Set { return make(Set, (n+7)/8) }

// All is the set of all n blocks.
func All(n int) Set {
	s := NewSet(n)
	for k := range n {
		s.Add(k)
	}
	return s
}

// Has tells whether block k is in it.
func (s Set) Has(k int) bool { return k/8 < len(s) && s[k/8]>>(k%8)&1 == 1 }

// Add puts block k in.
func (s Set) Add(k int) { s[k/8] |= 1 << (k % 8) }

// Without is s less what t has.
func (s Set) Without(t Set) Set {
	out := bytes.Clone(s)
	for i := range min(len(s), len(t)) {
		out[i] &^= t[i]
	}
	return out
}

// ReadSet reads the front of a section of [Blocks]: which of them follow. A bit
// behind the last block is no set: [ErrNotABundle].
func ReadSet(r io.Reader, m *Manifest) (Set, error) {
	s := NewSet(len(m.Blocks))
	if err := full(r, s); err != nil {
		return nil, err
	}
	for k := len(m.Blocks); k < 8*len(s); k++ {
		if s.Has(k) {
			return nil, fmt.Errorf("%w: block %d of %d", ErrNotABundle, k, len(m.Blocks))
		}
	}
	return s, nil
}

// SizeOf is how many packed bytes a section with these blocks has behind its set.
func (p *Payload) SizeOf(s Set) (n int64) {
	for k, size := range p.Sizes {
		if s.Has(k) {
			n += size
		}
	}
	return n
}

// blockSize is the length of block k of the image.
func (m *Manifest) blockSize(k int) int64 {
	return min(int64(1)<<m.BlockBits, m.Size-int64(k)<<m.BlockBits)
}

// forBlock is for streams of one block: a larger dictionary would cost the device
// memory and find nothing more.
var forBlock = lzma.Opts{Dictionary: 1 << MaxBlock, LC: lzma.ForCode.LC, LP: lzma.ForCode.LP, PB: lzma.ForCode.PB}

// byBlock packs each block by itself: behind the filter as in a whole image, so
// that a call has the same bytes in both; a block that does not shrink stays raw.
func byBlock(m *Manifest, image []byte, f lzma.Filter) (Payload, []byte) {
	p, section := Payload{Kind: Blocks, Filter: f}, []byte(All(len(m.Blocks)))
	for k := range m.Blocks {
		at := int64(k) << m.BlockBits
		raw := image[at : at+m.blockSize(k)]
		code := bytes.Clone(raw)
		lzma.Branches(f, code, uint32(at), false)
		packed := lzma.Pack(code, forBlock)
		if len(packed) >= len(raw) {
			packed = raw
		}
		p.Sizes, p.Pieces = append(p.Sizes, int64(len(packed))), append(p.Pieces, sha256.Sum256(packed))
		p.Size += int64(len(packed))
		section = append(section, packed...)
	}
	return p, section
}

// block gives block k of a payload from its packed bytes, which fit already.
func (m *Manifest) block(p *Payload, k int, packed, b []byte) error {
	if len(packed) == len(b) {
		copy(b, packed)
		return nil
	}
	in := bytes.NewReader(packed)
	un, err := lzma.NewReader(in, uint64(len(b)))
	if err != nil {
		return err
	}
	if un.Size() != uint64(len(b)) {
		return fmt.Errorf("%w: block %d of %d bytes", ErrBlock, k, un.Size())
	}
	if err := full(un, b); err != nil {
		return err
	}
	lzma.Branches(p.Filter, b, uint32(k)<<m.BlockBits, true)
	return nil
}

// UnpackBlocks reads payload i, of kind [Blocks], behind its set, and gives the
// image's blocks to put, in order, each checked before. have fills b with a block
// that the section leaves out, from wherever that is: what it gives is held against
// the manifest like what was sent, and [ErrBase] if it does not fit. Errors of r,
// have and put come through. It takes the memory of three blocks and 50 KiB.
func UnpackBlocks(m *Manifest, i int, s Set, r io.Reader, have, put func(block int, b []byte) error) error {
	p := &m.Payloads[i]
	whole, room, in := sha256.New(), make([]byte, 1<<m.BlockBits), make([]byte, 1<<m.BlockBits)
	for k, sum := range m.Blocks {
		b := room[:m.blockSize(k)]
		bad := ErrBlock
		if s.Has(k) {
			packed := in[:p.Sizes[k]]
			if err := full(r, packed); err != nil {
				return err
			}
			if Sum(sha256.Sum256(packed)) != p.Pieces[k] {
				return fmt.Errorf("%w: packed block %d", ErrPiece, k)
			}
			if err := m.block(p, k, packed, b); err != nil {
				return err
			}
		} else {
			bad = ErrBase
			if err := have(k, b); err != nil {
				return err
			}
		}
		if Sum(sha256.Sum256(b)) != sum {
			return fmt.Errorf("%w: block %d", bad, k)
		}
		whole.Write(b)
		if err := put(k, b); err != nil {
			return err
		}
	}
	if Sum(whole.Sum(nil)) != m.Sum {
		return fmt.Errorf("%w: its sum", ErrBlock)
	}
	return nil
}

// Missing is of whom nothing more can be had: every block that a section leaves out
// is one too many.
func Missing(k int, _ []byte) error { return fmt.Errorf("%w: block %d", ErrBase, k) }

// Index finds blocks in an image by their sums, each at any place that is a
// multiple of their size.
type Index struct {
	sums []Sum
	by   map[[8]byte]int // by the first bytes of a sum: the first of those places
}

// IndexOf reads size bytes of r; what cannot be read is not there. Bits are 12 to 16.
func IndexOf(r io.ReaderAt, size int64, bits uint8) *Index {
	x := &Index{by: map[[8]byte]int{}}
	b := make([]byte, 1<<bits)
	for at := int64(0); at < size; at += 1 << bits {
		b := b[:min(int64(len(b)), size-at)]
		n, _ := r.ReadAt(b, at)
		s := Sum(sha256.Sum256(b[:n]))
		if _, twice := x.by[[8]byte(s[:8])]; n == len(b) && !twice {
			x.by[[8]byte(s[:8])] = len(x.sums)
		}
		x.sums = append(x.sums, s)
	}
	return x
}

// Begins tells whether a block's sum begins so: a hint.
func (x *Index) Begins(head [8]byte) bool { _, ok := x.by[head]; return ok }

// Find is the number of a block with this sum.
func (x *Index) Find(s Sum) (int, bool) {
	k, ok := x.by[[8]byte(s[:8])]
	return k, ok && x.sums[k] == s
}

// Worth tells whether blocks are worth a section of their own: the image is more
// than a program (a FIT: kernel, root and device tree), or a base shares at least an
// eighth of its blocks. Two builds of a bare program share none. ADR 47.
func Worth(image []byte, bases ...[]byte) bool {
	if bytes.HasPrefix(image, []byte{0xD0, 0x0D, 0xFE, 0xED}) {
		return true
	}
	blocks := sums(image, blockBits)
	for _, base := range bases {
		x := IndexOf(bytes.NewReader(base), int64(len(base)), blockBits)
		same := 0
		for _, s := range blocks {
			if _, ok := x.Find(s); ok {
				same++
			}
		}
		if 8*same >= len(blocks) && same > 0 {
			return true
		}
	}
	return false
}

// Set is the blocks that the file has of payload i, of kind [Blocks].
func (b *Bundle) Set(i int) Set {
	none := NewSet(len(b.Manifest.Blocks))
	if len(b.Packed[i]) < len(none) {
		return none
	}
	return Set(b.Packed[i][:len(none)])
}

// Slim gives the bytes of a file with those of these blocks that this bundle has of
// payload i, and nothing else.
func (b *Bundle) Slim(i int, want Set) []byte {
	here := b.Set(i)
	want = here.Without(here.Without(want))
	out := append(append(b.Head.Append(nil), byte(i)), want...)
	from := b.Packed[i][len(here):]
	for k, n := range b.Manifest.Payloads[i].Sizes {
		if !here.Has(k) {
			continue
		}
		if want.Has(k) {
			out = append(out, from[:n]...)
		}
		from = from[n:]
	}
	return out
}
