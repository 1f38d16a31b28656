package flashwire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
)

// askBlocks is how many blocks one question is about, so that it fits a frame.
const askBlocks = 127

// questionHead is what stands before the sums: index 2, bits 1, size 4.
const questionHead = 7

func question(m *bundle.Manifest, first, n int) []byte {
	b := binary.BigEndian.AppendUint16(make([]byte, 0, questionHead+8*n), uint16(first))
	b = binary.BigEndian.AppendUint32(append(b, m.BlockBits), uint32(m.Size))
	for _, s := range m.Blocks[first : first+n] {
		b = append(b, s[:8]...)
	}
	return b
}

// has answers a question.
func (d *Device) has(f Frame) []byte {
	n := (len(f.Body) - questionHead) / 8
	if n < 1 || n > askBlocks || len(f.Body) != questionHead+8*n {
		return trouble(errors.New("not a question about blocks"))
	}
	q := update.Question{First: int(binary.BigEndian.Uint16(f.Body)), Bits: f.Body[2], Size: int64(binary.BigEndian.Uint32(f.Body[3:])), Heads: make([][8]byte, n)}
	for i := range q.Heads {
		q.Heads[i] = [8]byte(f.Body[questionHead+8*i:])
	}
	set, err := d.Has(q)
	if err != nil {
		return trouble(err)
	}
	return AppendFrame(nil, Has, f.Body[:2], set)
}

// BlocksWait is how long the first answer may take: the device reads its running
// slot for it. One that does not know the question is silent.
const BlocksWait = 5 * time.Second

// AskBlocks asks a device which blocks of an image it has, some at a time, each
// part again until it is answered. No answer, or Failed, is an answer too: none.
type AskBlocks struct {
	m     *bundle.Manifest
	set   bundle.Set
	first int // of the part that is asked
	n     int
	end   time.Duration // 0: that part was not asked yet
	again time.Duration
	over  bool
}

// NewAskBlocks asks about all blocks of m's image.
func NewAskBlocks(m *bundle.Manifest) *AskBlocks {
	a := &AskBlocks{m: m, set: bundle.NewSet(len(m.Blocks))}
	a.part(0)
	return a
}

func (a *AskBlocks) part(first int) {
	a.first, a.n, a.end, a.again = first, min(askBlocks, len(a.m.Blocks)-first), 0, 0
	a.over = a.n <= 0
}

// Next gives the frame to send now, or when to come again.
func (a *AskBlocks) Next(now time.Duration) (frame []byte, wake time.Duration, err error) {
	if a.end == 0 {
		a.end = now + BlocksWait
	}
	switch {
	case a.over:
		return nil, now + time.Hour, nil
	case now >= a.end:
		a.set, a.over = nil, true
		return nil, now, nil
	case now < a.again:
		return nil, min(a.again, a.end), nil
	}
	a.again = now + askAgain
	return AppendFrame(nil, Have, question(a.m, a.first, a.n)), 0, nil
}

// Done tells whether all is answered, or will not be.
func (a *AskBlocks) Done() bool { return a.over }

// Set is the answer; nil: there was none.
func (a *AskBlocks) Set() bundle.Set { return a.set }

// Got takes a frame of the device.
func (a *AskBlocks) Got(f Frame) {
	switch {
	case a.over:
	case f.Type == Failed:
		if !about(f) {
			a.set, a.over = nil, true
		}
	case f.Type == Has && len(f.Body) == 2+(a.n+7)/8 && int(binary.BigEndian.Uint16(f.Body)) == a.first:
		for i := range a.n {
			if bundle.Set(f.Body[2:]).Has(i) {
				a.set.Add(a.first + i)
			}
		}
		a.part(a.first + a.n)
	}
}

// about tells whether a Failed is about a transfer that the device has dropped.
func about(f Frame) bool {
	var t Trouble
	return json.Unmarshal(f.Body, &t) == nil && t.Again
}
