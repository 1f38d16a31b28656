package segment

import (
	"bytes"
	"fmt"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/seal"
)

// Damage is a range of bytes that holds no whole frame.
type Damage struct {
	From, To int64
	Tail     bool // it reaches to the end of the file: a torn write, or a cut
}

func (d Damage) String() string {
	if d.Tail {
		return fmt.Sprintf("bytes %d to the end (%d)", d.From, d.To)
	}
	return fmt.Sprintf("bytes %d to %d", d.From, d.To)
}

// Scan calls fn for each whole frame of a file's bytes, in order, until fn
// returns false, and names what lies between them.
func Scan(b []byte, fn func(Frame) bool) (damage []Damage) {
	bad := int64(-1)
	for at := int64(0); at < int64(len(b)); {
		f, err := parseFrame(b[at:])
		if err != nil {
			if bad < 0 {
				bad = at
			}
			next := bytes.Index(b[at+1:], frameMagic[:])
			if next < 0 {
				break
			}
			at += 1 + int64(next)
			continue
		}
		if bad >= 0 {
			damage, bad = append(damage, Damage{bad, at, false}), -1
		}
		f.Off = at
		if !fn(f) {
			return damage
		}
		at += f.Size
	}
	if bad >= 0 {
		damage = append(damage, Damage{bad, int64(len(b)), true})
	}
	return damage
}

// Meta is what a segment is, at a glance.
type Meta struct {
	Name    string // of its file
	Size    int64
	Cert    seal.Cert
	First   uint64 // sequence numbers; 0: it has no entry
	Last    uint64
	From    int64 // wall, Unix milliseconds: the earliest and the latest
	To      int64
	Levels  uint32 // a bit for each level: 1 << (level+16)
	Count   int
	Closed  bool   // it has an index, and ended as it should
	Clean   bool   // it was ended by its writer
	Version uint16 // the newest of its frames
	// What the last whole part left: where the next segment goes on.
	Chain  seal.Hash
	Checks uint32      // checkpoints
	Next   seal.Public // key of the next one
	Damage []Damage
}

// Newer says that a newer version wrote it.
func (m Meta) Newer() bool { return m.Version > Version }

// headName is the cert and the segment's stream.
func appendHead(b []byte, c seal.Cert) []byte { return AppendFrame(b, Head, c.Append(nil), false) }

// fold walks a segment as its writer and as verify do.
type fold struct {
	Meta
	sure  bool // the chain is known up to here
	buf   []byte
	batch []byte                       // the last one's payload
	each  func(rec []byte, seq uint64) // may be nil
	head  func(entry.Head)             // may be nil
	odd   bool                         // a record was none
}

func (s *fold) frame(f Frame) error {
	s.Version = max(s.Version, f.Version)
	switch f.Kind {
	case Head:
		c, err := seal.ParseCert(f.stored)
		if err != nil {
			return err
		}
		s.Cert, s.Chain, s.Next, s.Last, s.sure = c, c.Prev, c.Epoch, c.Seq, true
	case Check:
		c, err := seal.ParseCheckpoint(f.stored)
		if err != nil {
			return err
		}
		s.Chain, s.Next, s.Checks, s.sure = c.Hash, c.Next, c.N+1, true
	case Batch:
		b, err := f.Payload(s.buf)
		if err != nil {
			return err
		}
		if f.flags&packed != 0 && s.head == nil { // heads point into it
			s.buf = b
		}
		s.batch = b
		return Records(b, func(rec []byte, _ [4]byte) bool {
			if s.sure {
				s.Chain = s.Chain.Next(rec)
			}
			s.note(rec)
			return true
		})
	case Tail:
		s.Clean = true
	}
	return nil
}
