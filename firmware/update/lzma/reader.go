package lzma

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrStream is bytes that no packer made.
var ErrStream = errors.New("lzma: not a stream")

// Reader unpacks.
type Reader struct {
	in         *bufio.Reader
	m          *model
	rng, code  uint32
	err        error // of in
	dict       []byte
	at         int    // in dict, where the next byte goes
	pos, size  uint64 // bytes given, and to give
	state      uint
	rep        [4]uint32
	pend       int // bytes of a match still to copy, from rep[0]
	out        int // in dict: first byte not yet given
	pendingErr error
}

// NewReader reads the header of a stream and its first bytes. A dictionary above
// [MaxDictionary], or a size above limit, is refused: [ErrStream].
func NewReader(r io.Reader, limit uint64) (*Reader, error) {
	in := bufio.NewReaderSize(r, 4096)
	var h [headerSize + 5]byte
	if _, err := io.ReadFull(in, h[:]); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("lzma: header: %w", err)
	}
	p, dict, size := uint(h[0]), binary.LittleEndian.Uint32(h[1:]), binary.LittleEndian.Uint64(h[5:])
	switch {
	case p >= 9*5*5 || p%9+p/9%5 > 4:
		return nil, fmt.Errorf("%w: properties %d", ErrStream, p)
	case dict > MaxDictionary:
		return nil, fmt.Errorf("%w: a dictionary of %d bytes, at most %d", ErrStream, dict, MaxDictionary)
	case size > limit:
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrStream, size, limit)
	case h[headerSize] != 0:
		return nil, fmt.Errorf("%w: it begins with %02X", ErrStream, h[headerSize])
	}
	return &Reader{in: in, m: newModel(p%9, p/9%5, p/45), rng: 1<<32 - 1, code: binary.BigEndian.Uint32(h[headerSize+1:]),
		dict: make([]byte, max(min(uint64(dict), size), 4096)), size: size}, nil
}

// Size is how many bytes the stream unpacks to.
func (r *Reader) Size() uint64 { return r.size }

// Read gives unpacked bytes; io.EOF after the last, io.ErrUnexpectedEOF in a cut stream.
func (r *Reader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if r.pendingErr != nil {
			break
		}
		if r.pos == r.size {
			r.pendingErr = io.EOF
			break
		}
		if r.pend == 0 {
			if err := r.step(); err != nil {
				r.pendingErr = err
				break
			}
		}
		// A step leaves r.pend bytes to copy from rep[0], or has put one literal.
		if r.pend == 0 {
			p[n] = r.dict[r.out]
			n++
			r.out = r.at
			continue
		}
		from := r.at - int(r.rep[0]) - 1
		if from < 0 {
			from += len(r.dict)
		}
		for r.pend > 0 && n < len(p) {
			b := r.dict[from]
			r.dict[r.at], p[n] = b, b
			if from++; from == len(r.dict) {
				from = 0
			}
			if r.at++; r.at == len(r.dict) {
				r.at = 0
			}
			n++
			r.pend--
			r.pos++
		}
		r.out = r.at
	}
	if n > 0 {
		return n, nil
	}
	if len(p) == 0 {
		return 0, nil
	}
	return 0, r.pendingErr
}

func (r *Reader) bit(p *prob) uint {
	bound := r.rng >> 11 * uint32(*p)
	var b uint
	if r.code < bound {
		r.rng = bound
		*p += (2048 - *p) >> 5
	} else {
		r.rng -= bound
		r.code -= bound
		*p -= *p >> 5
		b = 1
	}
	if r.rng < 1<<24 {
		r.rng <<= 8
		r.code = r.code<<8 | uint32(r.next())
	}
	return b
}

func (r *Reader) next() byte {
	b, err := r.in.ReadByte()
	if err != nil && r.err == nil {
		r.err = err
	}
	return b
}

func (r *Reader) direct(n uint) uint32 {
	var v uint32
	for range n {
		r.rng >>= 1
		v <<= 1
		if r.code >= r.rng {
			r.code -= r.rng
			v |= 1
		}
		if r.rng < 1<<24 {
			r.rng <<= 8
			r.code = r.code<<8 | uint32(r.next())
		}
	}
	return v
}

func (r *Reader) tree(p []prob, n uint) uint {
	m := uint(1)
	for range n {
		m = m<<1 | r.bit(&p[m])
	}
	return m - 1<<n
}

func (r *Reader) reverse(p []prob, n uint) uint32 {
	m, v := uint(1), uint32(0)
	for i := range n {
		b := r.bit(&p[m])
		m = m<<1 | b
		v |= uint32(b) << i
	}
	return v
}

func (r *Reader) lengthOf(l *lengths, ps uint) int {
	if r.bit(&l.choice) == 0 {
		return int(r.tree(l.low[ps][:], 3))
	}
	if r.bit(&l.choice2) == 0 {
		return 8 + int(r.tree(l.mid[ps][:], 3))
	}
	return 16 + int(r.tree(l.high[:], 8))
}

// back is the byte d+1 before the next.
func (r *Reader) back(d uint32) byte {
	i := r.at - int(d) - 1
	if i < 0 {
		i += len(r.dict)
	}
	return r.dict[i]
}

func (r *Reader) step() error {
	m, ps := r.m, uint(r.pos)&(1<<r.m.pb-1)
	if r.bit(&m.isMatch[r.state][ps]) == 0 {
		r.literal()
		return r.cut()
	}
	length := 0
	if r.bit(&m.isRep[r.state]) == 0 {
		length = r.lengthOf(&m.length, ps)
		d, ok := r.distance(min(length, 3))
		if !ok {
			return fmt.Errorf("%w: an end mark", ErrStream)
		}
		r.rep = [4]uint32{d, r.rep[0], r.rep[1], r.rep[2]}
		r.state = afterMatch(r.state)
		length += minMatch
	} else {
		short := false
		switch {
		case r.bit(&m.isRepG0[r.state]) == 0:
			short = r.bit(&m.isRep0Long[r.state][ps]) == 0
		case r.bit(&m.isRepG1[r.state]) == 0:
			r.rep[0], r.rep[1] = r.rep[1], r.rep[0]
		case r.bit(&m.isRepG2[r.state]) == 0:
			r.rep[0], r.rep[1], r.rep[2] = r.rep[2], r.rep[0], r.rep[1]
		default:
			r.rep[0], r.rep[1], r.rep[2], r.rep[3] = r.rep[3], r.rep[0], r.rep[1], r.rep[2]
		}
		if short {
			r.state, length = afterShortRep(r.state), 1
		} else {
			length = r.lengthOf(&m.repLength, ps) + minMatch
			r.state = afterRep(r.state)
		}
	}
	if err := r.cut(); err != nil {
		return err
	}
	if uint64(r.rep[0]) >= r.pos || int64(r.rep[0]) >= int64(len(r.dict)) || uint64(length) > r.size-r.pos {
		return fmt.Errorf("%w: %d bytes from %d back, at %d of %d", ErrStream, length, uint64(r.rep[0])+1, r.pos, r.size)
	}
	r.pend = length
	return nil
}

func (r *Reader) cut() error {
	if r.err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return r.err
}

func (r *Reader) literal() {
	var prev byte
	if r.pos > 0 {
		prev = r.back(0)
	}
	p, sym := r.m.literals(r.pos, prev), uint(1)
	if r.state >= 7 {
		mb := uint(r.back(r.rep[0]))
		for sym < 0x100 {
			want := mb >> 7 & 1
			mb <<= 1
			b := r.bit(&p[(1+want)<<8+sym])
			sym = sym<<1 | b
			if b != want {
				break
			}
		}
	}
	for sym < 0x100 {
		sym = sym<<1 | r.bit(&p[sym])
	}
	r.dict[r.at] = byte(sym)
	if r.at++; r.at == len(r.dict) {
		r.at = 0
	}
	r.pos++
	r.state = afterLiteral(r.state)
}

// distance reads how far back a match lies, less one; false is the end mark.
func (r *Reader) distance(lenState int) (uint32, bool) {
	slot := uint32(r.tree(r.m.slot[lenState][:], 6))
	if slot < 4 {
		return slot, true
	}
	n := uint(slot>>1 - 1)
	d := (2 | slot&1) << n
	if slot < endSlot {
		return d + r.reverse(r.m.special[d-slot:], n), true
	}
	d += r.direct(n-4) << 4
	d += r.reverse(r.m.align[:], 4)
	return d, d != 1<<32-1
}
