package powercut

import (
	"math/rand/v2"
	"path/filepath"
)

// sector is what a disk writes whole.
const sector = 512

// content is a file's bytes.
type content struct {
	durable []byte
	pending []Op // writes and truncations since its last sync
}

// name is an op on names that no sync has made durable yet.
type name struct {
	op Op
	id int
}

// Disk is a disk in the making: ops go in one after another, and at any moment
// it can be asked what a cut would leave.
type Disk struct {
	files   map[int]*content
	next    int
	names   map[string]int // as programs see them
	durable map[string]int // as the disk has them
	pending []name
}

// NewDisk is an empty one.
func NewDisk() *Disk {
	return &Disk{files: map[int]*content{}, names: map[string]int{}, durable: map[string]int{}}
}

// Do takes the next op.
func (d *Disk) Do(op Op) {
	switch op.Kind {
	case OpCreate:
		if _, ok := d.names[op.Path]; ok {
			return
		}
		d.next++
		d.files[d.next] = &content{}
		d.names[op.Path] = d.next
		d.pending = append(d.pending, name{op, d.next})
	case OpRename:
		id, ok := d.names[op.Path]
		if !ok {
			return
		}
		delete(d.names, op.Path)
		d.names[op.To] = id
		d.pending = append(d.pending, name{op, id})
	case OpUnlink:
		if id, ok := d.names[op.Path]; ok {
			delete(d.names, op.Path)
			d.pending = append(d.pending, name{op, id})
		}
	case OpWrite, OpTruncate:
		if f := d.file(op.Path); f != nil {
			f.pending = append(f.pending, op)
		}
	case OpSync:
		if f := d.file(op.Path); f != nil {
			for _, p := range f.pending {
				f.durable = apply(f.durable, p, nil)
			}
			f.pending = f.pending[:0]
		}
	case OpSyncDir:
		// Names are in one journal: what came before the last of this folder is
		// durable with it.
		last := -1
		for i, n := range d.pending {
			if filepath.Dir(n.op.Path) == filepath.Clean(op.Path) || n.op.To != "" && filepath.Dir(n.op.To) == filepath.Clean(op.Path) {
				last = i
			}
		}
		for _, n := range d.pending[:last+1] {
			n.to(d.durable)
		}
		d.pending = append([]name(nil), d.pending[last+1:]...)
	}
}

func (d *Disk) file(path string) *content {
	if id, ok := d.names[path]; ok {
		return d.files[id]
	}
	return nil
}

func (n name) to(m map[string]int) {
	switch n.op.Kind {
	case OpCreate:
		m[n.op.Path] = n.id
	case OpRename:
		delete(m, n.op.Path)
		m[n.op.To] = n.id
	case OpUnlink:
		delete(m, n.op.Path)
	}
}

// apply writes op into b. keep tells of each sector that the write touches
// whether it got there; nil: all did.
func apply(b []byte, op Op, keep func() bool) []byte {
	if op.Kind == OpTruncate {
		if int64(len(b)) >= op.Size {
			return b[:op.Size]
		}
		return append(b, make([]byte, op.Size-int64(len(b)))...)
	}
	if end := op.Off + int64(len(op.Data)); int64(len(b)) < end {
		b = append(b, make([]byte, end-int64(len(b)))...)
	}
	if keep == nil {
		copy(b[op.Off:], op.Data)
		return b
	}
	for at := int64(0); at < int64(len(op.Data)); {
		n := min(sector-(op.Off+at)%sector, int64(len(op.Data))-at)
		if keep() {
			copy(b[op.Off+at:op.Off+at+n], op.Data[at:at+n])
		}
		at += n
	}
	return b
}

// Style is how a cut treats what was not synced.
type Style uint8

const (
	None      Style = iota // nothing of it is there
	All                    // all of it
	Prefix                 // the first few writes
	Subset                 // any of them
	Reordered              // any of them, in any order
	Torn                   // any sectors of any of them
	styles
)

// Image is what a cut now would leave: the files by their names.
func (d *Disk) Image(r *rand.Rand, style Style) map[string][]byte {
	names := make(map[string]int, len(d.durable))
	for k, v := range d.durable {
		names[k] = v
	}
	upTo := 0
	switch style {
	case None:
	case All:
		upTo = len(d.pending)
	default:
		upTo = r.IntN(len(d.pending) + 1)
	}
	for _, n := range d.pending[:upTo] {
		n.to(names)
	}
	out := make(map[string][]byte, len(names))
	for path, id := range names {
		out[path] = d.files[id].left(r, style)
	}
	return out
}

func (f *content) left(r *rand.Rand, style Style) []byte {
	b := append([]byte(nil), f.durable...)
	ops := f.pending
	switch style {
	case None:
		return b
	case Prefix:
		ops = ops[:r.IntN(len(ops)+1)]
	case Reordered:
		ops = append([]Op(nil), ops...)
		r.Shuffle(len(ops), func(i, j int) { ops[i], ops[j] = ops[j], ops[i] })
	}
	for _, op := range ops {
		switch style {
		case Subset, Reordered:
			if r.IntN(2) == 0 {
				continue
			}
			b = apply(b, op, nil)
		case Torn:
			b = apply(b, op, func() bool { return r.IntN(2) == 0 })
		default:
			b = apply(b, op, nil)
		}
	}
	return b
}
