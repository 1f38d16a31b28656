package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"swipewell/firmware/update/lzma"
)

// Sum is a SHA-256.
type Sum [sha256.Size]byte

// Kind of a payload.
type Kind uint8

const (
	Whole Kind = 1 // the image, packed
	Delta Kind = 2 // its difference from a base, packed
	// Blocks is each block of the image, packed by itself: a file may leave out those
	// that a device has.
	Blocks Kind = 3
)

func (k Kind) String() string {
	switch k {
	case Whole:
		return "whole"
	case Delta:
		return "delta"
	case Blocks:
		return "blocks"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Limits of a manifest.
const (
	MaxManifest = 256 << 10
	MaxImage    = 64 << 20
	MaxPayloads = 16
	MinBlock    = 12 // bits: 4 KiB
	MaxBlock    = 16 // 64 KiB
)

// Payload is one way to come by the image.
type Payload struct {
	Kind     Kind
	Filter   lzma.Filter // of a whole image, and of blocks
	Base     Sum         // of the build that a delta is from
	BaseSize int64
	Size     int64   // packed; of Blocks: all of them
	Pieces   []Sum   // of each piece of the packed bytes; of Blocks: of each block's
	Sizes    []int64 // of Blocks: of each block, packed; as large as the block: it is not packed
}

// Manifest says what an image is and which bytes it has.
type Manifest struct {
	Product, Board string // printable ASCII, 1 to 32
	Version        Version
	Floor          Version // once confirmed, the device takes no build older than this
	Schemas        Schemas
	Size           int64
	Sum            Sum
	BlockBits      uint8 // a block of the image has 2^BlockBits bytes, the last one fewer
	Blocks         []Sum
	PieceBits      uint8 // likewise for the packed bytes
	Payloads       []Payload
}

// ErrManifest is bytes that are no manifest.
var ErrManifest = errors.New("bundle: not a manifest")

// format is the version of what follows.
const format = 1

// Append adds the manifest's bytes: big endian, strings with a length byte. WIRE.
func (m *Manifest) Append(b []byte) []byte {
	b = append(b, format)
	for _, s := range []string{m.Product, m.Board} {
		b = append(append(b, byte(len(s))), s...)
	}
	for _, v := range []Version{m.Version, m.Floor} {
		for _, n := range []uint16{v.Major, v.Minor, v.Patch} {
			b = binary.BigEndian.AppendUint16(b, n)
		}
	}
	b = binary.BigEndian.AppendUint16(b, m.Schemas.Lo)
	b = binary.BigEndian.AppendUint16(b, m.Schemas.Hi)
	b = binary.BigEndian.AppendUint32(b, uint32(m.Size))
	b = append(append(b, m.Sum[:]...), m.BlockBits, m.PieceBits)
	for _, s := range m.Blocks {
		b = append(b, s[:]...)
	}
	b = append(b, byte(len(m.Payloads)))
	for _, p := range m.Payloads {
		b = append(b, byte(p.Kind), byte(p.Filter))
		if p.Kind == Blocks {
			for k, s := range p.Pieces {
				b = binary.BigEndian.AppendUint16(b, uint16(p.Sizes[k]-1))
				b = append(b, s[:]...)
			}
			continue
		}
		if p.Kind == Delta {
			b = append(b, p.Base[:]...)
			b = binary.BigEndian.AppendUint32(b, uint32(p.BaseSize))
		}
		b = binary.BigEndian.AppendUint32(b, uint32(p.Size))
		for _, s := range p.Pieces {
			b = append(b, s[:]...)
		}
	}
	return b
}

// parser takes fields from the front; after the first failure it gives zeros.
type parser struct {
	b   []byte
	err error
}

func (p *parser) take(n int) []byte {
	if p.err != nil || n > len(p.b) {
		p.fail("it ends early")
		return make([]byte, n)
	}
	b := p.b[:n]
	p.b = p.b[n:]
	return b
}

func (p *parser) fail(why string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: "+why, append([]any{ErrManifest}, args...)...)
	}
}

func (p *parser) u8() uint8   { return p.take(1)[0] }
func (p *parser) u16() uint16 { return binary.BigEndian.Uint16(p.take(2)) }
func (p *parser) sum() Sum    { return Sum(p.take(sha256.Size)) }

func (p *parser) size(what string) int64 {
	n := binary.BigEndian.Uint32(p.take(4))
	if n > MaxImage {
		p.fail("%s of %d bytes, at most %d", what, n, MaxImage)
		return 0
	}
	return int64(n)
}

func (p *parser) word(what string) string {
	s := string(p.take(int(p.u8())))
	if len(s) < 1 || len(s) > 32 {
		p.fail("%s of %d characters", what, len(s))
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			p.fail("%s %q", what, s)
		}
	}
	return s
}

func (p *parser) version() Version { return Version{p.u16(), p.u16(), p.u16()} }

func (p *parser) bits(what string) uint8 {
	n := p.u8()
	if n < MinBlock || n > MaxBlock {
		p.fail("%s of 2^%d bytes", what, n)
		return MinBlock
	}
	return n
}

func (p *parser) sums(size int64, bits uint8) []Sum {
	n := count(size, bits)
	if n*sha256.Size > len(p.b) {
		p.fail("it ends early")
		return nil
	}
	s := make([]Sum, n)
	for i := range s {
		s[i] = p.sum()
	}
	return s
}

// blocks reads of each block how large it is packed, and the sum of that.
func (p *parser) blocks(m *Manifest, l *Payload) {
	if len(m.Blocks)*(2+sha256.Size) > len(p.b) {
		p.fail("it ends early")
		return
	}
	for k, sum := range m.Blocks {
		n, s, most := int64(p.u16())+1, p.sum(), m.blockSize(k)
		if n > most || n == most && s != sum {
			p.fail("block %d of %d bytes, packed %d", k, most, n)
			return
		}
		l.Sizes, l.Pieces, l.Size = append(l.Sizes, n), append(l.Pieces, s), l.Size+n
	}
}

// count is how many blocks of 2^bits bytes size has.
func count(size int64, bits uint8) int { return int((size + 1<<bits - 1) >> bits) }

// ParseManifest reads what Append wrote, all of it and nothing else: [ErrManifest].
func ParseManifest(b []byte) (*Manifest, error) {
	p := &parser{b: b}
	if f := p.u8(); f != format {
		p.fail("format %d", f)
	}
	m := &Manifest{Product: p.word("product"), Board: p.word("board"), Version: p.version(), Floor: p.version(),
		Schemas: Schemas{p.u16(), p.u16()}, Size: p.size("an image"), Sum: p.sum(), BlockBits: p.bits("blocks"), PieceBits: p.bits("pieces")}
	m.Blocks = p.sums(m.Size, m.BlockBits)
	n := int(p.u8())
	if n == 0 || n > MaxPayloads {
		p.fail("%d payloads", n)
		n = 0
	}
	for range n {
		l := Payload{Kind: Kind(p.u8()), Filter: lzma.Filter(p.u8())}
		switch {
		case l.Kind != Whole && l.Kind != Delta && l.Kind != Blocks, !l.Filter.Known(), l.Kind == Delta && l.Filter != lzma.NoFilter:
			p.fail("a payload of %v, filter %v", l.Kind, l.Filter)
		case l.Kind == Blocks && slices.ContainsFunc(m.Payloads, func(o Payload) bool { return o.Kind == Blocks }):
			p.fail("blocks twice")
		case l.Kind == Delta:
			l.Base, l.BaseSize = p.sum(), p.size("a base")
		}
		if l.Kind == Blocks {
			p.blocks(m, &l)
		} else {
			l.Size = p.size("a payload")
			l.Pieces = p.sums(l.Size, m.PieceBits)
		}
		m.Payloads = append(m.Payloads, l)
		if p.err != nil {
			break
		}
	}
	switch {
	case p.err != nil:
		return nil, p.err
	case len(p.b) > 0:
		p.fail("%d bytes behind it", len(p.b))
	case m.Size == 0:
		p.fail("no image")
	case m.Floor.Compare(m.Version) > 0:
		p.fail("version %v is below its own floor %v", m.Version, m.Floor)
	case m.Schemas.Lo > m.Schemas.Hi:
		p.fail("schemas %d to %d", m.Schemas.Lo, m.Schemas.Hi)
	case !bytes.Equal(m.Append(nil), b):
		p.fail("not as it is written")
	}
	if p.err != nil {
		return nil, p.err
	}
	return m, nil
}

// Pick is the smallest payload that a device can use which has builds of these
// sums; -1 if there is none. Blocks count with all of them.
func (m *Manifest) Pick(has func(Sum) bool) int {
	best := -1
	for i, p := range m.Payloads {
		if (p.Kind != Delta || has(p.Base)) && (best < 0 || p.Size < m.Payloads[best].Size) {
			best = i
		}
	}
	return best
}
