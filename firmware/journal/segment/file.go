package segment

import (
	"encoding/binary"
	"fmt"
	"io"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/seal"
)

// File is a segment's bytes: an os.File, or a part of an export.
type File interface {
	io.ReaderAt
}

// note takes a record into the summary of the segment.
func (s *fold) note(rec []byte) {
	e, ok := entry.ParseHead(rec)
	if !ok {
		s.odd = true
		if s.each != nil {
			s.each(rec, 0)
		}
		return
	}
	w := e.Wall
	if s.Count == 0 {
		s.First, s.From, s.To = e.Seq, w, w
	}
	s.Count++
	s.Last, s.From, s.To = max(s.Last, e.Seq), min(s.From, w), max(s.To, w)
	s.Levels |= levelBit(e.Level)
	if s.head != nil {
		s.head(e)
	}
	if s.each != nil {
		s.each(rec, e.Seq)
	}
}

// Stat tells what a segment is: from its index, or by reading it.
func Stat(name string, r File, size int64) (Meta, error) {
	m := Meta{Name: name, Size: size}
	if _, err := summary(r, &m); err == nil {
		return m, nil
	}
	b, err := all(r, size)
	if err != nil {
		return m, err
	}
	return Walk(name, b, nil), nil
}

// Walk reads a segment from end to end.
func Walk(name string, b []byte, each func(rec []byte, seq uint64)) Meta {
	s := fold{Meta: Meta{Name: name, Size: int64(len(b))}, each: each}
	last := int64(0)
	gap := false
	var odd []Damage
	torn := Scan(b, func(f Frame) bool {
		if f.Off != last {
			s.sure, gap = false, true
		}
		last = f.Off + f.Size
		if err := s.frame(f); err != nil {
			odd, s.sure = append(odd, Damage{f.Off, last, false}), false
		}
		return true
	})
	s.Damage = append(odd, torn...)
	s.Clean = s.Clean && !gap && len(s.Damage) == 0
	return s.Meta
}

const tailSize = FrameHead + 8

// summary reads the index of a closed segment; its frames' sums vouch for it.
func summary(r File, m *Meta) (*Summary, error) {
	var head [FrameHead + seal.CertSize]byte
	var tail [tailSize]byte
	if m.Size < int64(len(head)+len(tail)) {
		return nil, errIndex
	}
	if _, err := r.ReadAt(tail[:], m.Size-tailSize); err != nil {
		return nil, err
	}
	f, err := parseFrame(tail[:])
	if err != nil || f.Kind != Tail {
		return nil, errIndex
	}
	at := int64(binary.BigEndian.Uint64(f.stored))
	if at < int64(len(head)) || at > m.Size-tailSize || m.Size-tailSize-at > MaxFrame {
		return nil, errIndex
	}
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, err
	}
	h, err := parseFrame(head[:])
	if err != nil || h.Kind != Head {
		return nil, errIndex
	}
	if m.Cert, err = seal.ParseCert(h.stored); err != nil {
		return nil, err
	}
	b := make([]byte, m.Size-tailSize-at)
	if _, err := r.ReadAt(b, at); err != nil {
		return nil, err
	}
	x, err := parseFrame(b)
	if err != nil || x.Kind != Index {
		return nil, errIndex
	}
	raw, err := x.Payload(nil)
	if err != nil {
		return nil, err
	}
	m.Version = max(h.Version, x.Version, f.Version)
	m.Closed, m.Clean = true, true
	return parseSummary(raw, m)
}

// Open gives the index of a segment; nil: it has none, and must be read whole.
func Open(r File, size int64) *Summary {
	m := Meta{Size: size}
	x, err := summary(r, &m)
	if err != nil {
		return nil
	}
	return x
}

// ReadBlock gives a block's records in buf.
func ReadBlock(r File, b Block, buf []byte) ([]byte, error) {
	if b.Size < FrameHead || b.Size > FrameHead+MaxFrame {
		return nil, errFrame
	}
	raw := make([]byte, b.Size)
	if _, err := r.ReadAt(raw, b.Off); err != nil {
		return nil, err
	}
	f, err := parseFrame(raw)
	if err != nil || f.Kind != Batch {
		return nil, fmt.Errorf("segment: block at %d: %w", b.Off, errFrame)
	}
	return f.Payload(buf)
}

func all(r File, size int64) ([]byte, error) {
	b := make([]byte, size)
	n, err := r.ReadAt(b, 0)
	if err == io.EOF {
		err = nil
	}
	return b[:n], err
}

// All reads a whole segment's bytes.
func All(r File, size int64) ([]byte, error) { return all(r, size) }

// Begin is the first frame of a segment.
func Begin(c seal.Cert) []byte { return appendHead(nil, c) }

// BlockEntries is how many entries a block of a closed segment has at most.
const BlockEntries = 512

// Archive gives a segment's closed form: blocks of some hundred entries, packed,
// and an index. What was damaged is not in it; ok is false if anything was, and
// then the file must stay as it is.
func Archive(name string, b []byte) (out []byte, m Meta, ok bool) {
	s := fold{Meta: Meta{Name: name}}
	x := &Summary{}
	var batch []byte
	var heads []entry.Head
	flush := func() {
		if len(heads) == 0 {
			return
		}
		at := len(out)
		out = AppendFrame(out, Batch, batch, true)
		x.Blocks = append(x.Blocks, Block{Off: int64(at), Size: int64(len(out) - at)})
		for _, h := range heads {
			x.add(h)
		}
		batch, heads = batch[:0], heads[:0]
	}
	s.head = func(h entry.Head) { heads = append(heads, h) }
	ok = true
	damage := Scan(b, func(f Frame) bool {
		switch f.Kind {
		case Head, Check:
			flush()
			out = AppendFrame(out, f.Kind, f.stored, false)
		case Batch, Index, Tail:
		default:
			ok = false // of a newer version
		}
		if ok = ok && f.Version <= Version && s.frame(f) == nil && !s.odd; !ok || f.Kind != Batch {
			return ok
		}
		if batch = append(batch, s.batch...); len(heads) >= BlockEntries {
			flush()
		}
		return true
	})
	// A torn end is what a power cut leaves, and the next segment tells of it.
	if !ok || len(damage) > 1 || len(damage) == 1 && !damage[0].Tail || s.Cert.Era == 0 {
		return nil, s.Meta, false
	}
	flush()
	at := len(out)
	out = AppendFrame(out, Index, x.append(nil, s.Meta), true)
	out = AppendFrame(out, Tail, binary.BigEndian.AppendUint64(nil, uint64(at)), false)
	s.Size, s.Closed, s.Clean = int64(len(out)), true, true
	return out, s.Meta, true
}
