package lzma

import (
	"encoding/binary"
	"io"
)

// Filter names a change of code that makes it pack better.
type Filter uint8

const (
	NoFilter Filter = iota
	ARM             // BL of 32-bit ARM: the target absolute
	ARM64           // BL and ADRP of 64-bit ARM likewise
)

var filterNames = [...]string{"none", "arm", "arm64"}

func (f Filter) String() string {
	if int(f) < len(filterNames) {
		return filterNames[f]
	}
	return "unknown"
}

// Known tells whether this build has the filter.
func (f Filter) Known() bool { return int(f) < len(filterNames) }

// Branches changes in place the whole instructions at the start of b, whose
// first byte stands at place at of the build: to absolute targets, or back. It
// gives how many bytes are done; the rest, under four, is to come again. BCJ.
func Branches(f Filter, b []byte, at uint32, back bool) int {
	if f == NoFilter {
		return len(b)
	}
	n := len(b) &^ 3
	for i := 0; i < n; i += 4 {
		here := at + uint32(i)
		if f == ARM {
			if b[i+3] == 0xEB {
				v := uint32(b[i]) | uint32(b[i+1])<<8 | uint32(b[i+2])<<16
				v = moved(v<<2, here+8, back) >> 2
				b[i], b[i+1], b[i+2] = byte(v), byte(v>>8), byte(v>>16)
			}
			continue
		}
		v := binary.LittleEndian.Uint32(b[i:])
		switch {
		case v>>26 == 0x25: // BL: 26 bits, in words
			v = 0x94000000 | moved(v, here>>2, back)&0x03FFFFFF
		case v&0x9F000000 == 0x90000000: // ADRP: 21 bits, in pages; only those within 512 MiB
			page := v>>29&3 | v>>3&0x001FFFFC
			if (page+0x00020000)&0x001C0000 != 0 {
				continue
			}
			page = moved(page, here>>12, back)
			v = v&0x9000001F | page&3<<29 | page&0x0003FFFC<<3 | (0-page&0x00020000)&0x00E00000
		default:
			continue
		}
		binary.LittleEndian.PutUint32(b[i:], v)
	}
	return n
}

func moved(v, by uint32, back bool) uint32 {
	if back {
		return v - by
	}
	return v + by
}

// FilterReader gives the code that was packed behind filter f.
func FilterReader(f Filter, r io.Reader) io.Reader {
	if f == NoFilter {
		return r
	}
	return &filtered{f: f, r: r}
}

type filtered struct {
	f     Filter
	r     io.Reader
	at    uint32
	buf   [4096]byte
	ready []byte // done
	raw   int    // bytes behind ready that wait for the rest of their instruction
	err   error
}

func (x *filtered) Read(p []byte) (int, error) {
	for len(x.ready) == 0 {
		if x.err != nil {
			return 0, x.err
		}
		n, err := x.r.Read(x.buf[x.raw:])
		n += x.raw
		done := Branches(x.f, x.buf[:n], x.at, true)
		if err != nil {
			x.err, done = err, n // an end in the middle of an instruction: as it is
		}
		if done == 0 {
			x.raw = n
			continue
		}
		x.at += uint32(done)
		x.ready, x.raw = append(x.ready[:0], x.buf[:done]...), copy(x.buf[:], x.buf[done:n])
	}
	n := copy(p, x.ready)
	x.ready = x.ready[n:]
	return n, nil
}
