package flashwire

import "encoding/binary"

// ackEvery so many frames one acknowledgement leaves.
const ackEvery = 16

// Receiver is the device's end of a transfer.
type Receiver struct {
	put   func(b []byte) error // takes the bytes in order
	base  uint32
	held  [Window][]byte // came before one that is missing
	seen  uint16
	since int  // frames since the last acknowledgement
	hurt  bool // a damaged frame, or one out of order, since then
}

// NewReceiver gives bytes to put, from front to back.
func NewReceiver(put func(b []byte) error) *Receiver { return &Receiver{put: put} }

// Damaged is told of each damaged frame: the next good one is answered at once.
func (r *Receiver) Damaged() { r.hurt = true }

// Got takes a frame of data or a poll, and gives the answer to send, if it is
// time for one. An error is put's.
func (r *Receiver) Got(f Frame) (answer []byte, err error) {
	switch f.Type {
	case Data:
		if len(f.Body) < 7 {
			return nil, nil
		}
		i := binary.BigEndian.Uint32(f.Body)
		r.seen = binary.BigEndian.Uint16(f.Body[4:])
		r.since++
		switch {
		case i < r.base || i-r.base >= Window:
			r.hurt = true // a repeat of what is there: the host does not know it yet
		case i != r.base:
			// Answered at once only when it shows a new gap; later ones come by the count.
			r.hurt = r.hurt || r.held[(i-1)%Window] == nil
			r.held[i%Window] = f.Body[6:]
		default:
			r.held[i%Window] = f.Body[6:]
			for r.held[r.base%Window] != nil {
				b := r.held[r.base%Window]
				r.held[r.base%Window] = nil
				r.base++
				if err := r.put(b); err != nil {
					return nil, err
				}
			}
		}
	case Poll:
		if len(f.Body) != 2 {
			return nil, nil
		}
		r.seen, r.hurt = binary.BigEndian.Uint16(f.Body), true
	default:
		return nil, nil
	}
	if !r.hurt && r.since < ackEvery {
		return nil, nil
	}
	r.hurt, r.since = false, 0
	return r.ack(), nil
}

func (r *Receiver) ack() []byte {
	b := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(nil, r.base), r.seen)
	var bits [Window / 8]byte
	n := 0
	for k := range uint32(Window) {
		if r.held[(r.base+k)%Window] != nil {
			bits[k/8] |= 1 << (k % 8)
			n = int(k/8) + 1
		}
	}
	return AppendFrame(nil, Ack, b, bits[:n])
}
