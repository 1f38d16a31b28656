package update

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"swipewell/firmware/update/bundle"
)

// known is what the slots hold, block by block, of one size of blocks: read once
// and then remembered, since a sender asks for a part at a time. The running slot
// does not change; the other changes by Write only. It is a hint: what is taken
// from a slot is held against the manifest as if it had been sent.
type known struct {
	bits    uint8
	running *bundle.Index
	size    int64 // of the image that the sums of the other slot are for
	other   map[int]bundle.Sum
}

// Question is which blocks of an image a device has: from number First on, those
// whose sums begin so.
type Question struct {
	Bits  uint8 // size of a block, as a power of two
	Size  int64 // of the image
	First int
	Heads [][8]byte
}

// Has answers: bit k of it is block First+k. It is what the sums' first bytes say,
// so that a sender knows what to leave out; the device judges what it is sent by
// whole sums.
func (d *Device) Has(q Question) (bundle.Set, error) {
	if q.Bits < bundle.MinBlock || q.Bits > bundle.MaxBlock || q.Size < 1 || q.Size > d.o.SlotSize || q.First < 0 || int64(q.First+len(q.Heads)) > (q.Size+1<<q.Bits-1)>>q.Bits {
		return nil, fmt.Errorf("update: no such blocks: %d from %d on, of 2^%d bytes, of an image of %d", len(q.Heads), q.First, q.Bits, q.Size)
	}
	x, err := d.look(q.Bits, q.Size)
	if err != nil {
		return nil, err
	}
	has := bundle.NewSet(len(q.Heads))
	for i, head := range q.Heads {
		if x.running.Begins(head) {
			has.Add(i)
			continue
		}
		if s, ok := d.other(x, q.First+i); ok && [8]byte(s[:8]) == head {
			has.Add(i)
		}
	}
	return has, nil
}

// look reads the running slot, unless that was done.
func (d *Device) look(bits uint8, size int64) (*known, error) {
	if d.known == nil || d.known.bits != bits {
		r, err := d.o.Port.Load()
		if err != nil {
			return nil, err
		}
		d.known = &known{bits: bits, running: bundle.IndexOf(d.o.Slots[d.o.Running], r.Images[d.o.Running].Size, bits)}
	}
	if d.known.size != size {
		d.known.size, d.known.other = size, map[int]bundle.Sum{}
	}
	return d.known, nil
}

// other is the sum of what stands in the other slot where block k of an image of
// that size would: whatever the record says of it, a write that was cut has left
// some there.
func (d *Device) other(x *known, k int) (bundle.Sum, bool) {
	if s, ok := x.other[k]; ok {
		return s, true
	}
	at := int64(k) << x.bits
	b := make([]byte, min(int64(1)<<x.bits, x.size-at))
	if n, _ := d.o.Slots[d.o.Running.Other()].ReadAt(b, at); n < len(b) {
		return bundle.Sum{}, false
	}
	x.other[k] = sha256.Sum256(b)
	return x.other[k], true
}

// lacks tells which of the blocks that a section leaves out is nowhere: -1 if each
// is here. A block is taken from any place of the running slot, of the other from
// its own place only: so no block is written over that a later one needs.
func (d *Device) lacks(m *bundle.Manifest, sent bundle.Set) (int, error) {
	x, err := d.look(m.BlockBits, m.Size)
	if err != nil {
		return 0, err
	}
	for k, sum := range m.Blocks {
		if sent.Has(k) {
			continue
		}
		if _, ok := x.running.Find(sum); ok {
			continue
		}
		if s, ok := d.other(x, k); !ok || s != sum {
			return k, nil
		}
	}
	return -1, nil
}

// noBlock is the refusal of a section that leaves out what is not here.
func noBlock(m *bundle.Manifest, k int) error {
	return &Refusal{Reason: NoBase, Detail: fmt.Sprintf("block %d of %d is in neither slot", k, len(m.Blocks)), Err: bundle.ErrBase}
}

// have fills b with block k from where it is. The caller holds it against its sum.
func (d *Device) have(m *bundle.Manifest, k int, b []byte) error {
	from, at := d.o.Slots[d.o.Running.Other()], int64(k)<<m.BlockBits
	if i, ok := d.known.running.Find(m.Blocks[k]); ok {
		from, at = d.o.Slots[d.o.Running], int64(i)<<m.BlockBits
	}
	if n, err := from.ReadAt(b, at); n < len(b) {
		return errors.Join(errMedium, err)
	}
	return nil
}

// unpackBlocks puts the image together from what a section has, behind its set, and
// what is here.
func (d *Device) unpackBlocks(m *bundle.Manifest, i int, sent bundle.Set, r io.Reader, put func(int, []byte) error) error {
	return bundle.UnpackBlocks(m, i, sent, r, func(k int, b []byte) error { return d.have(m, k, b) }, put)
}
