package segment

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"log/slog"
	"slices"

	"swipewell/firmware/journal/entry"
)

// Block is one batch of a closed segment, as its index has it.
type Block struct {
	Off    int64
	Size   int64
	First  uint64 // its first entry
	Count  int
	From   int64 // wall, Unix milliseconds
	To     int64
	Levels uint32
}

// Summary is the index of a closed segment.
type Summary struct {
	Blocks []Block
	codes  []list      // by code
	source []list      // by source
	marks  [][2]uint32 // hash of a transaction or a card, block; sorted
}

type list struct {
	name   string
	blocks []uint32
}

// Mark is how the index knows a transaction by the end of its id, its STAN, and
// a card by its name.
func Mark(s string) uint32 { return mark([]byte(s)) }

// mark is FNV-1a.
func mark(s []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range s[bytes.LastIndexByte(s, '-')+1:] {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// LevelBit is a level's place in Levels.
func LevelBit(level string) uint32 { return levelBit(entry.Level(level)) }

func levelBit(l slog.Level) uint32 { return 1 << (uint32(l+16) & 31) }

// AtLeast are the bits of all levels from that one on.
func AtLeast(level string) uint32 { return ^uint32(0) << (uint32(entry.Level(level)+16) & 31) }

// add notes an entry in the last block.
func (x *Summary) add(e entry.Head) {
	at := uint32(len(x.Blocks) - 1)
	b := &x.Blocks[at]
	if b.Count++; b.Count == 1 {
		b.First, b.From, b.To = e.Seq, e.Wall, e.Wall
	}
	b.From, b.To = min(b.From, e.Wall), max(b.To, e.Wall)
	b.Levels |= levelBit(e.Level)
	x.codes = note(x.codes, e.Code, at)
	x.source = note(x.source, e.Source, at)
	for _, s := range [...][]byte{e.Tx, e.Ref} {
		if len(s) == 0 {
			continue
		}
		m := [2]uint32{mark(s), at}
		if n := len(x.marks); n == 0 || !slices.Contains(x.marks[max(0, n-16):], m) {
			x.marks = append(x.marks, m)
		}
	}
}

func note(ls []list, name []byte, block uint32) []list {
	i := slices.IndexFunc(ls, func(l list) bool { return l.name == string(name) })
	if i < 0 {
		return append(ls, list{string(name), []uint32{block}})
	}
	if bs := ls[i].blocks; bs[len(bs)-1] != block {
		ls[i].blocks = append(bs, block)
	}
	return ls
}

// Want is what a query asks the index; zero values ask for nothing.
type Want struct {
	From, To int64 // wall, Unix milliseconds; To 0 is open
	After    uint64
	Levels   uint32
	Marks    []uint32 // any of them
	Code     func(string) bool
	Source   func(string) bool
}

// Pick are the blocks that may hold what is wanted.
func (x *Summary) Pick(w Want) []Block {
	ok := make([]bool, len(x.Blocks))
	for i, b := range x.Blocks {
		ok[i] = b.To >= w.From && (w.To == 0 || b.From <= w.To) && (w.Levels == 0 || b.Levels&w.Levels != 0) &&
			(w.After == 0 || i+1 == len(x.Blocks) || x.Blocks[i+1].First > w.After)
	}
	keep := func(in []uint32) {
		has := make([]bool, len(ok))
		for _, b := range in {
			if int(b) < len(has) {
				has[b] = true
			}
		}
		for i := range ok {
			ok[i] = ok[i] && has[i]
		}
	}
	lists := func(ls []list, fits func(string) bool) {
		if fits == nil {
			return
		}
		var in []uint32
		for _, l := range ls {
			if fits(l.name) {
				in = append(in, l.blocks...)
			}
		}
		keep(in)
	}
	lists(x.codes, w.Code)
	lists(x.source, w.Source)
	if len(w.Marks) > 0 {
		var in []uint32
		for _, m := range w.Marks {
			i, _ := slices.BinarySearchFunc(x.marks, m, func(a [2]uint32, m uint32) int { return cmp.Compare(a[0], m) })
			for ; i < len(x.marks) && x.marks[i][0] == m; i++ {
				in = append(in, x.marks[i][1])
			}
		}
		keep(in)
	}
	var out []Block
	for i, b := range x.Blocks {
		if ok[i] {
			out = append(out, b)
		}
	}
	return out
}

// append is the form on disk: of varints, but for the marks.
func (x *Summary) append(b []byte, m Meta) []byte {
	u := func(n uint64) { b = binary.AppendUvarint(b, n) }
	for _, n := range []uint64{m.First, m.Last, uint64(m.From), uint64(m.To), uint64(m.Levels), uint64(m.Count), uint64(m.Checks), uint64(len(x.Blocks))} {
		u(n)
	}
	b = append(append(b, m.Chain[:]...), m.Next[:]...)
	for _, k := range x.Blocks {
		for _, n := range []uint64{uint64(k.Off), uint64(k.Size), k.First, uint64(k.Count), uint64(k.From), uint64(k.To), uint64(k.Levels)} {
			u(n)
		}
	}
	for _, ls := range [][]list{x.codes, x.source} {
		u(uint64(len(ls)))
		for _, l := range ls {
			u(uint64(len(l.name)))
			b = append(b, l.name...)
			u(uint64(len(l.blocks)))
			for _, k := range l.blocks {
				u(uint64(k))
			}
		}
	}
	slices.SortFunc(x.marks, func(a, b [2]uint32) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	x.marks = slices.Compact(x.marks)
	u(uint64(len(x.marks)))
	for _, k := range x.marks {
		b = binary.BigEndian.AppendUint32(b, k[0])
		u(uint64(k[1]))
	}
	return b
}

var errIndex = errors.New("segment: not an index")

// parseSummary is the inverse; m gets what it tells of the segment.
func parseSummary(b []byte, m *Meta) (x *Summary, err error) {
	bad := false
	u := func() uint64 {
		n, k := binary.Uvarint(b)
		if k <= 0 {
			bad, b = true, nil
			return 0
		}
		b = b[k:]
		return n
	}
	count := func() int { // of things of a byte at least
		n := u()
		if n > uint64(len(b)) {
			bad = true
			return 0
		}
		return int(n)
	}
	m.First, m.Last, m.From, m.To, m.Levels, m.Count, m.Checks = u(), u(), int64(u()), int64(u()), uint32(u()), int(u()), uint32(u())
	x = &Summary{}
	n := count()
	if bad || len(b) < 64 {
		return nil, errIndex
	}
	copy(m.Chain[:], b)
	copy(m.Next[:], b[32:])
	b = b[64:]
	for range n {
		x.Blocks = append(x.Blocks, Block{int64(u()), int64(u()), u(), int(u()), int64(u()), int64(u()), uint32(u())})
	}
	for _, ls := range []*[]list{&x.codes, &x.source} {
		for range count() {
			k := count()
			l := list{name: string(b[:k])}
			b = b[k:]
			for range count() {
				l.blocks = append(l.blocks, uint32(u()))
			}
			*ls = append(*ls, l)
		}
	}
	for range count() {
		if len(b) < 4 {
			return nil, errIndex
		}
		h := binary.BigEndian.Uint32(b)
		b = b[4:]
		x.marks = append(x.marks, [2]uint32{h, uint32(u())})
	}
	if bad {
		return nil, errIndex
	}
	return x, nil
}
