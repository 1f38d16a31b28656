package backup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"swipewell/firmware/store"
)

// A frame is a length, a CRC-32C over what follows, and that: sealed bytes. A
// length of nothing is the end: the file behind it is zeros, written in advance.
const (
	frameHead = 8
	maxFrame  = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errTorn = errors.New("backup: a torn frame")

func appendFrame(dst, sealed []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(sealed)))
	dst = binary.BigEndian.AppendUint32(dst, crc32.Checksum(sealed, castagnoli))
	return append(dst, sealed...)
}

// nextFrame splits one frame off; nil without an error is a clean end.
func nextFrame(b []byte) (sealed, rest []byte, err error) {
	if len(b) < frameHead {
		for _, c := range b {
			if c != 0 {
				return nil, nil, errTorn
			}
		}
		return nil, nil, nil
	}
	n := binary.BigEndian.Uint32(b)
	sum := binary.BigEndian.Uint32(b[4:])
	if n == 0 {
		// Zeros to the end; anything else is what a torn append left.
		for _, c := range b {
			if c != 0 {
				return nil, nil, errTorn
			}
		}
		return nil, nil, nil
	}
	if n > maxFrame || int(n) > len(b)-frameHead {
		return nil, nil, errTorn
	}
	sealed, rest = b[frameHead:frameHead+n], b[frameHead+n:]
	if crc32.Checksum(sealed, castagnoli) != sum {
		return nil, nil, errTorn
	}
	return sealed, rest, nil
}

// encode writes an entry: seq, transaction, aside, then per op three strings
// with their lengths plus one (nothing at all is 0).
func encode(e store.Entry) []byte {
	b := binary.AppendUvarint(nil, e.Seq)
	b = binary.AppendUvarint(b, e.TxID)
	aside := byte(0)
	if e.Aside {
		aside = 1
	}
	b = append(b, aside)
	b = binary.AppendUvarint(b, uint64(len(e.Ops)))
	for _, op := range e.Ops {
		for _, s := range [][]byte{op.Bucket, op.Key, op.Value} {
			if s == nil {
				b = append(b, 0)
				continue
			}
			b = binary.AppendUvarint(b, uint64(len(s))+1)
			b = append(b, s...)
		}
	}
	return b
}

var errEntry = errors.New("backup: not an entry")

// decode is strict: what encode would not write is an error.
func decode(b []byte) (e store.Entry, err error) {
	num := func() (v uint64) {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			err, b = errEntry, nil
			return 0
		}
		b = b[n:]
		return v
	}
	str := func() []byte {
		n := num()
		if n == 0 || err != nil {
			return nil
		}
		if n--; n > uint64(len(b)) {
			err = errEntry
			return nil
		}
		s := append([]byte{}, b[:n]...)
		b = b[n:]
		return s
	}
	e.Seq, e.TxID = num(), num()
	if len(b) == 0 || b[0] > 1 {
		return e, errEntry
	}
	e.Aside, b = b[0] == 1, b[1:]
	n := num()
	if n > uint64(len(b)) {
		return e, errEntry
	}
	for range n {
		op := store.Op{Bucket: str(), Key: str(), Value: str()}
		if err != nil || op.Bucket == nil {
			return e, errEntry
		}
		e.Ops = append(e.Ops, op)
	}
	if err == nil && len(b) > 0 {
		err = fmt.Errorf("%w: %d bytes behind it", errEntry, len(b))
	}
	return e, err
}
