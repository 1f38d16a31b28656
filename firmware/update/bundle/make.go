package bundle

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"swipewell/firmware/update/delta"
	"swipewell/firmware/update/lzma"
)

// Opts of a bundle. Product, Board, Version, Floor and Schemas go into the
// manifest as they are.
type Opts struct {
	Product, Board string
	Version, Floor Version
	Schemas        Schemas
	Filter         lzma.Filter // for the whole image
	Bases          [][]byte    // builds that devices have
	ByBlock        bool        // each block by itself, too: see [Worth]
}

// Bundle is a head and the packed bytes of each of its payloads; of Blocks as a
// section has them: the set of those that are here, and these.
type Bundle struct {
	Head
	Packed [][]byte
}

const (
	blockBits = 16
	pieceBits = 14
)

// Make packs an image. The same image and Opts give the same bytes. A delta that
// is no smaller than the whole is left out; payloads stand in order of size.
func Make(image []byte, o Opts) (*Bundle, error) {
	m := &Manifest{Product: o.Product, Board: o.Board, Version: o.Version, Floor: o.Floor, Schemas: o.Schemas, Size: int64(len(image)),
		Sum: sha256.Sum256(image), BlockBits: blockBits, PieceBits: pieceBits, Blocks: sums(image, blockBits)}
	code := bytes.Clone(image)
	lzma.Branches(o.Filter, code, 0, false)
	type way struct {
		Payload
		packed []byte
	}
	whole := lzma.Pack(code, lzma.ForCode)
	ways := []way{{Payload{Kind: Whole, Filter: o.Filter}, whole}}
	for _, base := range o.Bases {
		sum := Sum(sha256.Sum256(base))
		if sum == m.Sum || slices.ContainsFunc(ways, func(w way) bool { return w.Base == sum }) {
			continue
		}
		if packed := lzma.Pack(delta.Make(base, image), lzma.ForCode); len(packed) < len(whole) {
			ways = append(ways, way{Payload{Kind: Delta, Base: sum, BaseSize: int64(len(base))}, packed})
		}
	}
	if o.ByBlock {
		p, section := byBlock(m, image, o.Filter)
		ways = append(ways, way{p, section})
	}
	slices.SortStableFunc(ways, func(a, b way) int { return cmp.Compare(len(a.packed), len(b.packed)) })
	b := &Bundle{}
	for _, w := range ways {
		if w.Kind != Blocks {
			w.Size, w.Pieces = int64(len(w.packed)), sums(w.packed, pieceBits)
		}
		m.Payloads = append(m.Payloads, w.Payload)
		b.Packed = append(b.Packed, w.packed)
	}
	b.Manifest, b.Raw = m, m.Append(nil)
	if _, err := ParseManifest(b.Raw); err != nil {
		return nil, err
	}
	if len(b.Raw) > MaxManifest {
		return nil, fmt.Errorf("%w: %d bytes", ErrManifest, len(b.Raw))
	}
	return b, nil
}

func sums(b []byte, bits uint8) []Sum {
	var s []Sum
	for p := range slices.Chunk(b, 1<<bits) {
		s = append(s, sha256.Sum256(p))
	}
	return s
}

// File gives the bytes of the bundle with the payloads named, or all.
func (b *Bundle) File(only ...int) []byte {
	out := b.Head.Append(nil)
	for i, p := range b.Packed {
		if p != nil && (len(only) == 0 || slices.Contains(only, i)) {
			out = append(append(out, byte(i)), p...)
		}
	}
	return out
}

// Parse reads a bundle's file; payloads that it lacks are nil. Their bytes are
// held against the manifest: [ErrPiece].
func Parse(file []byte) (*Bundle, error) {
	r := bytes.NewReader(file)
	h, err := ReadHead(r)
	if err != nil {
		return nil, err
	}
	b := &Bundle{Head: *h, Packed: make([][]byte, len(h.Manifest.Payloads))}
	for r.Len() > 0 {
		i, err := Section(r, h.Manifest)
		if err != nil {
			return nil, err
		}
		p := &h.Manifest.Payloads[i]
		if b.Packed[i] != nil {
			return nil, fmt.Errorf("%w: payload %d twice", ErrNotABundle, i)
		}
		if p.Kind == Blocks {
			if b.Packed[i], err = parseBlocks(r, h.Manifest, i); err != nil {
				return nil, err
			}
			continue
		}
		packed := make([]byte, min(p.Size, int64(r.Len())))
		if err := full(r, packed); err != nil || int64(len(packed)) < p.Size {
			return nil, fmt.Errorf("payload %d: %w", i, full(r, make([]byte, 1)))
		}
		for k, piece := range slices.Collect(slices.Chunk(packed, 1<<h.Manifest.PieceBits)) {
			if !h.Manifest.Fits(p, k, piece) {
				return nil, fmt.Errorf("%w: payload %d, piece %d", ErrPiece, i, k)
			}
		}
		b.Packed[i] = packed
	}
	return b, nil
}

// parseBlocks gives a section of blocks, each held against the manifest.
func parseBlocks(r *bytes.Reader, m *Manifest, i int) ([]byte, error) {
	p := &m.Payloads[i]
	s, err := ReadSet(r, m)
	if err != nil {
		return nil, fmt.Errorf("payload %d: %w", i, err)
	}
	n := p.SizeOf(s)
	if n > int64(r.Len()) {
		return nil, fmt.Errorf("payload %d: %w", i, io.ErrUnexpectedEOF)
	}
	section := append([]byte(s), make([]byte, n)...)
	packed := section[len(s):]
	if err := full(r, packed); err != nil {
		return nil, err
	}
	for k, n := range p.Sizes {
		if !s.Has(k) {
			continue
		}
		if Sum(sha256.Sum256(packed[:n])) != p.Pieces[k] {
			return nil, fmt.Errorf("%w: payload %d, block %d", ErrPiece, i, k)
		}
		packed = packed[n:]
	}
	return section, nil
}
