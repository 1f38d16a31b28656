package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/zstd"

	"swipewell/firmware/journal/seal"
)

// Kind of a frame.
type Kind byte

const (
	Head  Kind = 'H' // seal.Cert, and a name
	Batch Kind = 'B' // records
	Check Kind = 'C' // seal.Checkpoint
	Index Kind = 'X' // see Summary
	Tail  Kind = 'E' // where the index begins: 8 bytes
)

// Version is the newest that this build reads whole.
const Version = 1

const (
	// FrameHead is the size of a frame without its payload.
	FrameHead = 20
	packed    = 1 // flag: zstd
	// MaxFrame bounds a frame's payload, stored and raw.
	MaxFrame = 4 << 20
)

var frameMagic = [4]byte{0xfe, 'S', 'W', 'F'}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Frame is one frame of a file.
type Frame struct {
	Kind    Kind
	Version uint16
	Off     int64 // in the file
	Size    int64 // with its head
	flags   byte
	rawLen  uint32
	stored  []byte
}

// The coders are made once, when they are first needed: each has tables of some hundred kilobytes.
var (
	encoder = sync.OnceValue(func() *zstd.Encoder { return mustEncoder(zstd.SpeedDefault) })
	quick   = sync.OnceValue(func() *zstd.Encoder { return mustEncoder(zstd.SpeedFastest) })
	decoder = sync.OnceValue(mustDecoder)
)

// mustEncoder panics only if the options of this file were no options.
func mustEncoder(level zstd.EncoderLevel) *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(level), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(256<<10), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err)
	}
	return e
}

func mustDecoder() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxFrame), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err)
	}
	return d
}

// Pack compresses b behind dst.
func Pack(dst, b []byte) []byte { return encoder().EncodeAll(b, dst) }

// Unpack is the inverse, up to MaxFrame.
func Unpack(dst, b []byte) ([]byte, error) { return decoder().DecodeAll(b, dst) }

// AppendFrame puts a frame behind b; it is compressed if that makes it smaller.
func AppendFrame(b []byte, kind Kind, payload []byte, pack bool) []byte {
	var with func() *zstd.Encoder
	if pack {
		with = encoder
	}
	return appendFrame(b, kind, payload, with)
}

// AppendLive is AppendFrame for what is packed again when its segment is closed: it costs half the
// time, and has an encoder of its own, so that nobody who logs waits for a segment being packed.
func AppendLive(b []byte, kind Kind, payload []byte) []byte {
	return appendFrame(b, kind, payload, quick)
}

func appendFrame(b []byte, kind Kind, payload []byte, with func() *zstd.Encoder) []byte {
	at := len(b)
	b = append(append(b, frameMagic[:]...), byte(kind), 0)
	b = binary.BigEndian.AppendUint16(b, Version)
	b = binary.BigEndian.AppendUint64(b, 0)
	b = binary.BigEndian.AppendUint32(b, 0)
	if with != nil {
		b = with().EncodeAll(payload, b)
		b[at+5] = packed
	}
	if n := len(b) - at - FrameHead; with == nil || n >= len(payload) {
		b = append(b[:at+FrameHead], payload...)
		b[at+5] = 0
	}
	binary.BigEndian.PutUint32(b[at+8:], uint32(len(b)-at-FrameHead))
	binary.BigEndian.PutUint32(b[at+12:], uint32(len(payload)))
	binary.BigEndian.PutUint32(b[at+16:], sum(b[at:]))
	return b
}

// sum is over a frame but for the sum's own place.
func sum(f []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, f[:16]), castagnoli, f[FrameHead:])
}

var errFrame = errors.New("segment: not a frame")

// parseFrame reads a frame at the beginning of b.
func parseFrame(b []byte) (f Frame, err error) {
	if len(b) < FrameHead || [4]byte(b) != frameMagic {
		return f, errFrame
	}
	n := binary.BigEndian.Uint32(b[8:])
	f = Frame{Kind: Kind(b[4]), flags: b[5], Version: binary.BigEndian.Uint16(b[6:]), Size: FrameHead + int64(n), rawLen: binary.BigEndian.Uint32(b[12:])}
	if n > MaxFrame || f.rawLen > MaxFrame || f.Size > int64(len(b)) || binary.BigEndian.Uint32(b[16:]) != sum(b[:f.Size]) {
		return f, errFrame
	}
	f.stored = b[FrameHead:f.Size]
	return f, nil
}

// Torn is what there is of the payload of a frame that is not whole, if b begins with the head of one of
// this kind that was stored as it is.
func Torn(b []byte, kind Kind) ([]byte, bool) {
	if len(b) < FrameHead || [4]byte(b) != frameMagic || Kind(b[4]) != kind || b[5] != 0 {
		return nil, false
	}
	n := binary.BigEndian.Uint32(b[8:])
	return b[FrameHead:min(uint64(len(b)), FrameHead+uint64(n))], n <= MaxFrame
}

// Stored is the length of the payload as it is stored.
func (f Frame) Stored() int { return len(f.stored) }

// Payload is a frame's payload, in buf if it was compressed.
func (f Frame) Payload(buf []byte) ([]byte, error) {
	if f.flags&packed == 0 {
		return f.stored, nil
	}
	b, err := Unpack(buf[:0], f.stored)
	if err != nil || len(b) != int(f.rawLen) {
		return nil, fmt.Errorf("segment: frame at %d: %w", f.Off, errors.Join(errFrame, err))
	}
	return b, nil
}

// Records calls fn for each record of a batch until it returns false. What is
// not a record ends it with an error.
func Records(batch []byte, fn func(record []byte, tag [4]byte) bool) error {
	for len(batch) > 0 {
		n, k := binary.Uvarint(batch)
		if k <= 0 || n > uint64(len(batch)) || uint64(len(batch)) < uint64(k)+n+4 {
			return errFrame
		}
		rec := batch[k : k+int(n)]
		if !fn(rec, [4]byte(batch[k+int(n):])) {
			return nil
		}
		batch = batch[k+int(n)+4:]
	}
	return nil
}

// AppendRecord puts a record into a batch; h is the chain after it.
func AppendRecord(batch, record []byte, h seal.Hash) []byte {
	batch = append(binary.AppendUvarint(batch, uint64(len(record))), record...)
	t := h.Tag()
	return append(batch, t[:]...)
}
