package lzma

import (
	"encoding/binary"
	"math/bits"
)

// finder finds earlier matches in binary trees of strings that begin with the
// same four bytes.
type finder struct {
	b        []byte
	dict     int
	h2, h3   []int32 // last place of two and three bytes, plus one
	h4       []int32
	son      []int32 // two for each place: smaller, greater; plus one
	depth    int
	nice     int
	matches  []match
	position int
}

type match struct {
	length int
	dist   uint32 // less one
}

const hashBits = 18

func newFinder(b []byte, dict, nice, depth int) *finder {
	return &finder{b: b, dict: dict, nice: nice, depth: depth, h2: make([]int32, 1<<16), h3: make([]int32, 1<<hashBits), h4: make([]int32, 1<<hashBits), son: make([]int32, 2*len(b))}
}

func (f *finder) hashes(i int) (h2, h3, h4 uint32) {
	b := f.b[i:]
	h2 = uint32(b[0]) | uint32(b[1])<<8
	v := h2 | uint32(b[2])<<16
	h3 = v * 2654435761 >> (32 - hashBits)
	h4 = (v | uint32(b[3])<<24) * 2654435761 >> (32 - hashBits)
	return h2, h3, h4
}

// next gives the matches at the next place, each longer than the one before, and
// moves on by one.
func (f *finder) next() []match {
	i := f.position
	f.position++
	f.matches = f.matches[:0]
	limit := min(len(f.b)-i, maxMatch)
	if limit < 4 {
		return nil
	}
	h2, h3, h4 := f.hashes(i)
	best := 1
	for _, h := range []*int32{&f.h2[h2], &f.h3[h3]} {
		if at := int(*h) - 1; at >= 0 && i-at <= f.dict {
			if n := f.common(at, i, 0, 3); n > best && n >= minMatch {
				best = n
				f.matches = append(f.matches, match{n, uint32(i - at - 1)})
			}
		}
		*h = int32(i + 1)
	}
	at := int(f.h4[h4]) - 1
	f.h4[h4] = int32(i + 1)
	f.climb(i, at, limit, best)
	return f.matches
}

func (f *finder) common(at, i, from, limit int) int {
	return from + alike(f.b[at+from:], f.b[i+from:i+limit])
}

// climb puts place i in at the root of the tree and notes the matches on the way.
func (f *finder) climb(i, at, limit, best int) {
	limit = min(limit, f.nice)
	small, great := 2*i, 2*i+1 // where the next smaller and greater string is to hang
	var lenSmall, lenGreat int
	for depth := f.depth; ; depth-- {
		if at < 0 || i-at > f.dict || depth == 0 {
			f.son[small], f.son[great] = 0, 0
			return
		}
		n := f.common(at, i, min(lenSmall, lenGreat), limit)
		if n > best {
			best = n
			f.matches = append(f.matches, match{n, uint32(i - at - 1)})
		}
		if n == limit {
			f.son[small], f.son[great] = f.son[2*at], f.son[2*at+1]
			return
		}
		if f.b[at+n] < f.b[i+n] {
			f.son[small] = int32(at + 1)
			small, lenSmall = 2*at+1, n
			at = int(f.son[small]) - 1
		} else {
			f.son[great] = int32(at + 1)
			great, lenGreat = 2*at, n
			at = int(f.son[great]) - 1
		}
	}
}

// alike counts the bytes at the start that are the same; a is not the shorter.
func alike(a, b []byte) int {
	n := 0
	for ; n+8 <= len(b); n += 8 {
		if x := binary.LittleEndian.Uint64(a[n:]) ^ binary.LittleEndian.Uint64(b[n:]); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
	}
	for n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
